"""Ballots of N members at the same instant, each acknowledged when durable, beside the machine's raw SQLite."""

import asyncio
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

import aiohttp
import uvloop
from sqlalchemy import create_engine, text

from panel.bench import measure, raw
from panel.bench.clients import HOST, Connection, Follower, Gate, Tooslow, connect, form, listening, request
from panel.bench.place import Place, cpu_seconds, memory, serving
from panel.core import clock

CHOICE = "established....."
REASON = "依据巡检记录与当日调度令，事实清楚。"  # zh: a reason of an ordinary length
JOIN_AT_ONCE = 25
REST = 0.2
"""Seconds between the parts of a round, in which the server comes to rest."""


@dataclass(frozen=True)
class Prepared:
    """An installation made ready: a committee at its votes, everybody present and signed in, motions on the list.

    `database` is its URL.
    """

    environment: Mapping[str, str]
    database: str
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
    prepare: Callable[[Path, Place, int, int, int], Prepared], folder: Path, place: Place, *, members: int,
    voters: int, rounds: int, sockets: bool,
) -> dict[str, Any]:  # fmt: skip
    """Measure and return the result; `prepare(folder, place, members, voters, motions)` makes the installation."""
    prepared = prepare(folder, place, members, voters, rounds + 1)
    baseline = raw.Postgres(place.database) if place.database else raw.Sqlite(folder)
    with (
        serving(place, prepared.environment) as pids,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        taken, held = runner.run(_measure(prepared, place, pids, baseline, sockets=sockets))
    _counted(prepared, voters * (rounds + 1))
    params = {"members": members, "voters": voters, "sockets": sockets, "rounds": rounds, **place.params()}
    return _result(params, taken, held, voters * rounds, baseline.what)


def _result(
    params: Mapping[str, Any], taken: _Taken, held: Mapping[str, object], ballots: int, what: str
) -> dict[str, Any]:
    metrics: dict[str, Any] = {
        "ballots_per_second": round(median(taken.rates), 1),
        "slowest_round_per_second": round(min(taken.rates), 1),
        **measure.spread(taken.latencies),
        "server_cpu_ms_per_ballot": round(taken.cpu * 1000 / ballots, 2),
        **held,
    }
    if taken.updates:
        metrics["last_update_held_ms"] = round(median(taken.updates) * 1000, 1)
    single, grouped = median(taken.single), median(taken.grouped)
    baseline = {
        "what": what,
        "one_commit_each_per_second": round(single, 1),
        "group_commit_per_second": round(grouped, 1),
        "ratio_to_group_commit": round(median(taken.rates) / grouped, 4),
    }
    return measure.result("votes", params, metrics, baseline, median(taken.rates) / single)


def _counted(prepared: Prepared, acknowledged: int) -> None:
    """Hold what was acknowledged against what is in the database."""
    engine = create_engine(prepared.database)
    with engine.connect() as db:
        kept = db.execute(text("SELECT count(*) FROM ballot")).scalar_one()
        told = db.execute(text("SELECT count(*) FROM record_entry WHERE kind = 'votes.ballot_cast'")).scalar_one()
    engine.dispose()
    if (kept, told) != (acknowledged, acknowledged):
        raise Tooslow(f"{acknowledged} ballots were acknowledged, {kept} are there, {told} on the record")


async def _measure(
    prepared: Prepared, place: Place, pids: Sequence[int], baseline: raw.Raw, *, sockets: bool
) -> tuple[_Taken, dict[str, object]]:
    await asyncio.gather(*map(listening, place.ports))
    room, taken = _Room(prepared, place), _Taken()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await room.sit(session, sockets=sockets)
        for number, motion in enumerate(prepared.motions):
            await room.open(motion)
            await asyncio.sleep(REST)
            before = cpu_seconds(pids)
            rate, latencies, update = await room.vote(motion)
            await asyncio.sleep(REST)
            spent = cpu_seconds(pids) - before
            await room.close(motion)
            await asyncio.sleep(REST)
            rows = max(len(prepared.voters), 100)
            single, grouped = rows / baseline.inserts(rows, at_once=1), rows / baseline.inserts(rows)
            if number:  # the first round warms everything up
                taken.rates.append(rate)
                taken.latencies += latencies
                taken.updates += update
                taken.single.append(single)
                taken.grouped.append(grouped)
                taken.cpu += spent
        held = memory(pids)
        await room.leave()
    return taken, held


class _Room:
    """Everybody's connections."""

    def __init__(self, prepared: Prepared, place: Place) -> None:
        self._prepared, self._place, self._port, self._gate = prepared, place, place.port(0), Gate()
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
            self._followers = [
                Follower(HOST, self._place.port(number), cookie, hearing, self._gate.held)
                for number, cookie in enumerate(cookies)
            ]
        for start in range(0, len(self._followers), JOIN_AT_ONCE):
            await asyncio.gather(*(f.join(session) for f in self._followers[start : start + JOIN_AT_ONCE]))
        await asyncio.sleep(REST if sockets else 0)

    async def open(self, motion: str) -> None:
        """Let the chair open voting; whoever follows learns of it first. The first time, everybody opens the sheet."""
        await self._lead(motion, "opening")
        if not self._tokens:
            for number, cookie in enumerate(self._prepared.voters):
                connection = await connect(HOST, self._place.port(number))
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
        ports = [self._place.port(number) for number in range(len(self._prepared.voters))]
        sends = [
            request("POST", path, port, form(cookie, port), _ballot(token))
            for (cookie, token), port in zip(seats, ports, strict=True)
        ]
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
