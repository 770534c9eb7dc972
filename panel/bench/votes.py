"""Ballots of N members at the same instant, each acknowledged when durable, beside the machine's raw SQLite."""

import asyncio
import re
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

import aiohttp
import uvloop

from panel.bench import measure, raw
from panel.bench.clients import HOST, Connection, Follower, Gate, Tooslow, connect, form, listening, request
from panel.core import clock

CHOICE = "established....."
REASON = "依据巡检记录与当日调度令，事实清楚。"  # zh: a reason of an ordinary length
JOIN_AT_ONCE = 25
REST = 0.2
"""Seconds between the parts of a round, in which the server comes to rest."""


@dataclass(frozen=True)
class Prepared:
    """An installation made ready: a committee at its votes, everybody present and signed in, motions on the list."""

    environment: Mapping[str, str]
    database: Path
    hearing_id: str
    chair: str
    voters: Sequence[str]
    motions: Sequence[str]


@dataclass
class _Taken:
    """What the rounds have shown: rates per second, latencies in seconds."""

    rates: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    updates: list[float] = field(default_factory=list)
    single: list[float] = field(default_factory=list)
    grouped: list[float] = field(default_factory=list)
    cpu: float = 0.0


def run(
    prepare: Callable[[Path, int, int, int, int], Prepared], folder: Path, *, members: int, voters: int, rounds: int,
    sockets: bool,
) -> dict[str, Any]:  # fmt: skip
    """Measure and return the result; `prepare(folder, port, members, voters, motions)` makes the installation."""
    port = measure.free_port()
    prepared = prepare(folder, port, members, voters, rounds + 1)
    panel = [sys.executable, "-c", "from panel.cli import main; main()", "serve", "--port", str(port)]
    with subprocess.Popen(panel, env=dict(prepared.environment)) as server:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                taken, memory = runner.run(_measure(prepared, port, server.pid, folder, sockets=sockets))
        finally:
            server.terminate()
    _counted(prepared, voters * (rounds + 1))
    params = {"members": members, "voters": voters, "sockets": sockets, "rounds": rounds}
    return _result(params, taken, memory, voters * rounds)


def _result(params: Mapping[str, Any], taken: _Taken, memory: float, ballots: int) -> dict[str, Any]:
    metrics: dict[str, Any] = {
        "ballots_per_second": round(median(taken.rates), 1),
        "slowest_round_per_second": round(min(taken.rates), 1),
        **measure.spread(taken.latencies),
        "server_cpu_ms_per_ballot": round(taken.cpu * 1000 / ballots, 2),
        "server_memory_mb": round(memory, 1),
    }
    if taken.updates:
        metrics["last_update_held_ms"] = round(median(taken.updates) * 1000, 1)
    single, grouped = median(taken.single), median(taken.grouped)
    baseline = {
        "what": "sqlite3 of the standard library, synchronous=FULL, rows of the size that a ballot leaves",
        "one_commit_each_per_second": round(single, 1),
        "group_commit_per_second": round(grouped, 1),
        "ratio_to_group_commit": round(median(taken.rates) / grouped, 4),
    }
    return measure.result("votes", params, metrics, baseline, median(taken.rates) / single)


def _counted(prepared: Prepared, acknowledged: int) -> None:
    """Hold what was acknowledged against what is in the database."""
    with closing(sqlite3.connect(prepared.database)) as db:
        (kept,) = db.execute("SELECT count(*) FROM ballot").fetchone()
        (told,) = db.execute("SELECT count(*) FROM record_entry WHERE kind = 'votes.ballot_cast'").fetchone()
    if (kept, told) != (acknowledged, acknowledged):
        raise Tooslow(f"{acknowledged} ballots were acknowledged, {kept} are there, {told} on the record")


async def _measure(prepared: Prepared, port: int, pid: int, folder: Path, *, sockets: bool) -> tuple[_Taken, float]:
    await listening(port)
    room, taken = _Room(prepared, port), _Taken()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await room.sit(session, sockets=sockets)
        for number, motion in enumerate(prepared.motions):
            await room.open(motion)
            await asyncio.sleep(REST)
            before = measure.cpu_seconds(pid)
            rate, latencies, update = await room.vote(motion)
            await asyncio.sleep(REST)
            spent = measure.cpu_seconds(pid) - before
            await room.close(motion)
            await asyncio.sleep(REST)
            rows = max(len(prepared.voters), 100)
            single, grouped = rows / raw.inserts(folder, rows, at_once=1), rows / raw.inserts(folder, rows)
            if number:  # the first round warms everything up
                taken.rates.append(rate)
                taken.latencies += latencies
                taken.updates += update
                taken.single.append(single)
                taken.grouped.append(grouped)
                taken.cpu += spent
        memory = measure.resident_mb(pid)
        await room.leave()
    return taken, memory


class _Room:
    """Everybody's connections."""

    def __init__(self, prepared: Prepared, port: int) -> None:
        self._prepared, self._port, self._gate = prepared, port, Gate()
        self._connections: list[Connection] = []
        self._tokens: list[str] = []
        self._followers: list[Follower] = []

    async def sit(self, session: aiohttp.ClientSession, *, sockets: bool) -> None:
        """Let everybody come: a warm connection each, and a socket that follows the hearing where that is wanted."""
        cookies, hearing = self._prepared.voters, self._prepared.hearing_id
        self._chair = await connect(HOST, self._port)
        page = await self._get(self._chair, self._prepared.chair, f"/hearings/{hearing}")
        self._chair_token = _token(page)
        if sockets:
            self._followers = [Follower(HOST, self._port, cookie, hearing, self._gate.held) for cookie in cookies]
        for start in range(0, len(self._followers), JOIN_AT_ONCE):
            await asyncio.gather(*(f.join(session) for f in self._followers[start : start + JOIN_AT_ONCE]))
        await asyncio.sleep(REST if sockets else 0)

    async def open(self, motion: str) -> None:
        """Let the chair open voting; whoever follows learns of it first. The first time, everybody opens the sheet."""
        await self._lead(motion, "opening")
        if not self._tokens:
            for cookie in self._prepared.voters:
                connection = await connect(HOST, self._port)
                page = await self._get(connection, cookie, f"/motions/{motion}/ballot")
                self._connections.append(connection)
                self._tokens.append(_token(page))

    async def close(self, motion: str) -> None:
        """Let the chair close voting."""
        await self._lead(motion, "closure")

    async def vote(self, motion: str) -> tuple[float, list[float], list[float]]:
        """Send every ballot at the same instant; with sockets also the last call, which everybody then follows.

        Returns the acknowledged ballots per second, every latency, and when the last follower held the update.
        """
        path = f"/motions/{motion}/ballots"
        seats = zip(self._prepared.voters, self._tokens, strict=True)
        sends = [request("POST", path, self._port, form(cookie, self._port), _ballot(token)) for cookie, token in seats]
        self._gate.expect(self._followers)
        started = clock.monotonic()
        called = asyncio.ensure_future(self._send(motion, "last-call")) if self._followers else None
        pairs = zip(self._connections, sends, strict=True)
        answers = await asyncio.gather(*(connection.send(send) for connection, send in pairs))
        if wrong := [answer for answer in answers if answer[0] != 303]:
            raise Tooslow(f"{len(wrong)} ballots were not taken, the first with {wrong[0][0]}: {wrong[0][2][:300]!r}")
        latencies = [connection.at - started for connection in self._connections]
        update = []
        if called is not None:
            await called
            await self._gate.all()
            update = [max(follower.at for follower in self._followers) - started]
        return len(latencies) / max(latencies), latencies, update

    async def leave(self) -> None:
        """Close everything."""
        for connection in (self._chair, *self._connections):
            connection.close()
        for follower in self._followers:
            if follower.failures:
                raise Tooslow(f"a follower was refused with {follower.failures[0]}")
            await follower.leave()

    async def _lead(self, motion: str, what: str) -> None:
        self._gate.expect(self._followers)
        await self._send(motion, what)
        if self._followers:
            await self._gate.all()

    async def _send(self, motion: str, what: str) -> None:
        body = urlencode({"csrf": self._chair_token, "idem": secrets.token_hex(16)}).encode()
        headers = form(self._prepared.chair, self._port)
        sent = request("POST", f"/motions/{motion}/{what}", self._port, headers, body)
        status, _, answer = await self._chair.send(sent)
        if status != 303:
            raise Tooslow(f"the chair's act {what} was not taken: {status} {answer[:300]!r}")

    async def _get(self, connection: Connection, cookie: str, path: str) -> bytes:
        status, _, body = await connection.send(request("GET", path, self._port, {"cookie": cookie}))
        if status != 200:
            raise Tooslow(f"{path}: {status}")
        return body


def _ballot(token: str) -> bytes:
    fields = {"csrf": token, "idem": secrets.token_hex(16), "replaces": "", "choice": CHOICE, "reason": REASON}
    return urlencode(fields).encode()


def _token(page: bytes) -> str:
    found = re.search(rb'name="csrf" value="([^"]+)"', page)
    if found is None:
        raise Tooslow("the page has no form")
    return found[1].decode()
