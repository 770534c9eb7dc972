"""How soon the last of N signed-in clients holds what changed, beside a bare broadcast to N clients in the same run."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp

from panel.bench import measure
from panel.bench.clients import HOST, Connection, Follower, Gate, Listener, Tooslow, connect, form, listening, request
from panel.bench.place import Place, cpu_seconds, serving
from panel.bench.place import memory as place_memory
from panel.core import clock

JOIN_AT_ONCE = 25


@dataclass(frozen=True)
class Prepared:
    """An installation made ready for the bench: its hearing is in session, and these cookies are signed in."""

    environment: Mapping[str, str]
    hearing_id: str
    chair: str
    viewers: Sequence[str]
    speakers: Sequence[str]
    """Ids of people to whom the chair gives the floor in turn."""


def run(
    prepare: Callable[[Path, Place, int], Prepared], folder: Path, place: Place, *, viewers: int, changes: int
) -> dict[str, Any]:
    """Measure and return the result; `prepare(folder, place, viewers)` makes the installation."""
    bare_port = measure.free_port()
    prepared = prepare(folder, place, viewers)
    bare = [sys.executable, "-m", "panel.bench.bare", str(bare_port)]
    with serving(place, prepared.environment) as pids, subprocess.Popen(bare) as other:
        try:
            return asyncio.run(_measure(prepared, place, bare_port, pids, viewers, changes))
        finally:
            other.terminate()


async def _measure(
    prepared: Prepared, place: Place, bare_port: int, pids: Sequence[int], viewers: int, changes: int
) -> dict[str, Any]:
    await asyncio.gather(*map(listening, place.ports), listening(bare_port))
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        gate = Gate()
        followers = [
            Follower(HOST, place.port(number), cookie, prepared.hearing_id, gate.held)
            for number, cookie in enumerate(prepared.viewers)
        ]
        listeners = [Listener(HOST, bare_port, gate.held) for _ in range(viewers)]
        await _join(session, [*followers, *listeners])
        ours, theirs, cpu = await _rounds(prepared, place, bare_port, pids, changes, gate, followers, listeners)
        memory = place_memory(pids)
        for follower, listener in zip(followers, listeners, strict=True):
            await follower.leave()
            await listener.leave()
    if failures := [code for follower in followers for code in follower.failures]:
        raise Tooslow(f"{len(failures)} answers were refused, the first with {failures[0]}")
    if len({follower.revision for follower in followers}) > 1:
        raise Tooslow("not everybody holds the same revision")
    metrics = measure.spread(ours) | {
        "server_cpu_ms_per_change": round(cpu * 1000, 1),
        **memory,
    }
    bare = measure.spread(theirs)
    baseline = {"what": "bare python-socketio broadcast", **bare}
    ratio = metrics["median_ms"] / bare["median_ms"]
    return measure.result("live", {"viewers": viewers, "changes": changes, **place.params()}, metrics, baseline, ratio)


async def _join(session: aiohttp.ClientSession, clients: Sequence[Follower | Listener]) -> None:
    for start in range(0, len(clients), JOIN_AT_ONCE):
        await asyncio.gather(*(client.join(session) for client in clients[start : start + JOIN_AT_ONCE]))


async def _rounds(
    prepared: Prepared, place: Place, bare_port: int, pids: Sequence[int], changes: int, gate: Gate,
    followers: Sequence[Follower], listeners: Sequence[Listener],
) -> tuple[list[float], list[float], float]:  # fmt: skip
    """Alternate a change of ours and a bare broadcast; return both series in seconds, and our CPU per change."""
    port = place.port(0)
    chair, bare = await connect(HOST, port), await connect(HOST, bare_port)
    token = await _token(chair, prepared, port)
    ours, theirs, cpu = list[float](), list[float](), 0.0
    for number in range(changes + 1):
        await asyncio.sleep(0.15)
        before = cpu_seconds(pids)
        gate.expect(followers)
        taken = await _change(chair, prepared, port, token, number, gate, followers)
        await asyncio.sleep(0.15)
        spent = cpu_seconds(pids) - before
        gate.expect(listeners)
        started = clock.monotonic()
        await bare.send(request("POST", "/broadcast", bare_port, {}, b""))
        await gate.all()
        if number:  # the first round warms both up
            ours.append(taken)
            theirs.append(max(listener.at for listener in listeners) - started)
            cpu += spent / changes
    chair.close()
    bare.close()
    return ours, theirs, cpu


async def _token(chair: Connection, prepared: Prepared, port: int) -> str:
    cookie = {"cookie": prepared.chair}
    status, _, body = await chair.send(request("GET", f"/hearings/{prepared.hearing_id}", port, cookie, b""))
    found = re.search(rb'name="csrf" value="([^"]+)"', body)
    if found is None:
        raise Tooslow(f"the chair's page has no form: {status}")
    return found[1].decode()


async def _change(
    chair: Connection, prepared: Prepared, port: int, token: str, number: int, gate: Gate,
    followers: Sequence[Follower],
) -> float:  # fmt: skip
    """Give the floor to the next speaker; return the seconds until the last follower holds the new fragment."""
    person = prepared.speakers[number % len(prepared.speakers)]
    body = urlencode({"person": person, "request": ""}).encode()
    headers = form(prepared.chair, port) | {"x-csrf-token": token, "hx-request": "true"}
    started = clock.monotonic()
    path = f"/hearings/{prepared.hearing_id}/turns"
    status, _, answer = await chair.send(request("POST", path, port, headers, body))
    if status != 200:
        raise Tooslow(f"the floor was not given: {status} {answer[:300].decode(errors='replace')}")
    await gate.all()
    return max(follower.at for follower in followers) - started
