"""A crowd that follows one hearing as static/live.js does, cut off at once, and how soon all of it is right again."""

import asyncio
import json
import random
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from urllib.parse import urlencode

import aiohttp

from panel.bench.clients import connect as warm
from panel.bench.clients import form, listening, request
from panel.bench.live import Prepared
from panel.bench.measure import free_port
from panel.bench.place import Place, cpu_seconds, serving
from panel.cli.bench import prepare_live
from tests.operation.proxy import FaultyNetwork, faulty_network

DELAY, LONGEST, JITTER = 0.5, 30.0, 0.7
"""As static/live.js asks of socket.io-client for observers: seconds, seconds, share."""

AT_ONCE = 50
ACTS = 3
"""So many times the chair gives the floor while everybody is cut off, half a second apart."""

PART = re.compile(r'<\w+ id="([\w-]+)"[^>]* data-part')


@dataclass
class Reader:
    """One observer's page: its socket, the revision and the parts that it shows."""

    session: aiohttp.ClientSession
    port: int
    cookie: str
    hearing: str
    revision: int = -1
    answers: list[bytes] = field(default_factory=list)
    online: bool = False
    attempts: int = 0
    _task: "asyncio.Task[None] | None" = None

    async def open(self) -> None:
        """Open the page, and go on following for as long as it is open."""
        await self._connect()
        self._task = asyncio.create_task(self._follow())

    async def close(self) -> None:
        """Close the page."""
        assert self._task is not None
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        await self._socket.close()
        self._http.close()

    async def _connect(self) -> None:
        origin = f"http://127.0.0.1:{self.port}"
        headers = {"cookie": self.cookie, "origin": origin}
        address = f"{origin}/socket.io/?EIO=4&transport=websocket"
        self._socket = await self.session.ws_connect(address, headers=headers, max_msg_size=65536)
        await self._socket.receive_str(timeout=60)
        await self._socket.send_str("40")
        await self._socket.receive_str(timeout=60)
        await self._socket.send_str('42["join",' + json.dumps({"hearing": self.hearing}) + "]")
        self._http = await warm("127.0.0.1", self.port)
        await self.fetch(own=True)
        self.online, self.attempts = True, 0

    async def _follow(self) -> None:
        while True:
            with suppress(OSError, TypeError, aiohttp.ClientError, TimeoutError):
                if not self.online:
                    await self._connect()
                await self._listen()
            self.online = False
            await asyncio.sleep(self._pause())

    async def _listen(self) -> None:
        async for message in self._socket:
            if message.data == "2":
                await self._socket.send_str("3")
            elif message.data.startswith("42"):
                name, told = json.loads(message.data[2:])
                if name == "revision" and told["revision"] > self.revision:
                    await self.fetch()

    def _pause(self) -> float:
        """Return the next delay of socket.io-client (its backo2)."""
        delay = DELAY * 2.0**self.attempts
        self.attempts += 1
        return min(LONGEST, delay + random.choice((-1, 1)) * random.random() * JITTER * delay)

    async def fetch(self, *, own: bool = False) -> None:
        """Ask what has changed since what is shown."""
        path = f"/hearings/{self.hearing}/changes?since={self.revision}{'&own=1' * own}"
        sent = request("GET", path, self.port, {"cookie": self.cookie})
        status, headers, body = await self._http.send(sent)
        assert status in {200, 204}, f"{path} is answered by {status}"
        self.revision = int(headers.get("panel-revision", self.revision))
        self.answers.append(body)

    @property
    def parts(self) -> dict[str, str]:
        """Return the shared parts that the page shows, by their ids: of every answer, the newest."""
        shown: dict[str, str] = {}
        for answer in self.answers:
            shown |= parts_of(answer.decode())
        return shown


def parts_of(html: str) -> dict[str, str]:
    """Return the shared parts of an answer, by their ids."""
    starts = [(each[1], each.start()) for each in PART.finditer(html)]
    ends = [*(start for _, start in starts), len(html)][1:]
    parts = {name: html[start:end] for (name, start), end in zip(starts, ends, strict=False)}
    return {name: text for name, text in parts.items() if name.startswith("part-")}


@dataclass
class Cut:
    """What came of it: seconds of the first joining, and from the cut until everybody was right again.

    `server_cpu`: the server's processor time of these, in seconds; clients and proxy take the rest of the machine.
    """

    clients: int
    joined: float
    consistent: float
    server_cpu: float
    reconnected: int

    def __str__(self) -> str:
        return (
            f"{self.clients} clients cut at once while the chair goes on: all of them show the newest revision "
            f"{self.consistent:.1f} s after the cut, {self.server_cpu:.1f} s of them the server's processor time "
            f"({self.reconnected} connections anew; their first joining took {self.joined:.1f} s)"
        )


@contextmanager
def followed(folder: Path, clients: int) -> Iterator[tuple[Prepared, Place, FaultyNetwork, list[int]]]:
    """Serve a hearing that so many observers may follow through a faulty network."""
    with faulty_network() as network:
        port = free_port()
        network.upstream = port
        prepared = prepare_live(folder, Place(ports=(port, network.port)), clients)
        place = Place(ports=(port,))
        with serving(place, prepared.environment) as pids:
            yield prepared, place, network, pids


def cut_off(folder: Path, clients: int) -> Cut:
    """Let them join, cut them all off, and wait until each shows what a fresh reader is given."""
    with followed(folder, clients) as (prepared, place, network, pids):
        return asyncio.run(_cut_off(prepared, place.port(0), network, pids))


async def _cut_off(prepared: Prepared, port: int, network: FaultyNetwork, pids: list[int]) -> Cut:
    await listening(port)
    chair = Chair(prepared, port)
    await chair.come()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        readers = [Reader(session, network.port, cookie, prepared.hearing_id) for cookie in prepared.viewers]
        began = time.monotonic()
        for start in range(0, len(readers), AT_ONCE):
            await asyncio.gather(*(reader.open() for reader in readers[start : start + AT_ONCE]))
        joined, before = time.monotonic() - began, network.accepted
        cut, spent = time.monotonic(), cpu_seconds(pids)
        await asyncio.to_thread(network.cut)
        for _ in range(ACTS):
            await chair.give_floor()
            await asyncio.sleep(0.5)
        fresh = Reader(session, port, prepared.viewers[0], prepared.hearing_id)
        fresh._http = await warm("127.0.0.1", port)
        await fresh.fetch()
        fresh._http.close()
        consistent = await _until_right(readers, fresh) - cut
        anew, spent = network.accepted - before, cpu_seconds(pids) - spent
        for reader in readers:
            await reader.close()
    chair.leave()
    assert [reader.parts for reader in readers] == [fresh.parts] * len(readers)
    return Cut(len(readers), joined, consistent, spent, anew)


async def _until_right(readers: list[Reader], fresh: Reader) -> float:
    deadline = time.monotonic() + 120
    while not all(reader.online and reader.revision == fresh.revision for reader in readers):
        assert time.monotonic() < deadline, f"{sum(not r.online for r in readers)} are still cut off"
        await asyncio.sleep(0.02)
    return time.monotonic()


@dataclass
class Chair:
    """The chair, at the server itself."""

    prepared: Prepared
    port: int

    async def come(self) -> None:
        """Open the live page."""
        self._connection = await warm("127.0.0.1", self.port)
        self._speakers = cycle(self.prepared.speakers)
        page = await self._send("GET", f"/hearings/{self.prepared.hearing_id}", {"cookie": self.prepared.chair}, b"")
        self._token = re.findall(rb'name="csrf" value="([^"]+)"', page)[0]

    async def give_floor(self) -> None:
        """Give the floor to the next speaker."""
        headers = form(self.prepared.chair, self.port) | {"x-csrf-token": self._token.decode(), "hx-request": "true"}
        body = urlencode({"person": next(self._speakers), "request": ""}).encode()
        await self._send("POST", f"/hearings/{self.prepared.hearing_id}/turns", headers, body)

    async def _send(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
        status, _, answer = await self._connection.send(request(method, path, self.port, headers, body))
        assert status == 200, f"{path} is answered by {status}"
        return answer

    def leave(self) -> None:
        """Close the page."""
        self._connection.close()
