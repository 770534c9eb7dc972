"""Lean clients: a follower holds one socket and one warm connection, so that the server is what is measured."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import aiohttp

from panel.core import clock

HOST = "127.0.0.1"
JOIN_SECONDS = 90.0
STARTS_WITHIN = 90.0
HOLDS_WITHIN = 90.0


class Tooslow(Exception):
    """Something did not happen within its time, or not at all."""


class Connection(asyncio.Protocol):
    """One warm HTTP/1.1 connection; one request at a time. `at`: when the last answer was whole."""

    def __init__(self) -> None:
        self.at = 0.0
        self._buffer = bytearray()
        self._answer: asyncio.Future[tuple[int, dict[str, str], bytes]] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so

    def data_received(self, data: bytes) -> None:
        """Collect bytes until the answer is whole."""
        self._buffer += data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0 or self._answer is None:
            return
        status, headers = _head(bytes(self._buffer[:head_end]))
        length = int(headers.get("content-length", "0"))
        if len(self._buffer) < head_end + 4 + length:
            return
        body = bytes(self._buffer[head_end + 4 : head_end + 4 + length])
        del self._buffer[: head_end + 4 + length]
        answer, self._answer, self.at = self._answer, None, clock.monotonic()
        if not answer.done():
            answer.set_result((status, headers, body))

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the request that is under way."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("closed by the server"))

    def send(self, request: bytes) -> "asyncio.Future[tuple[int, dict[str, str], bytes]]":
        """Send a whole request; the future holds status, headers (lower case) and body."""
        assert self._transport is not None
        assert self._answer is None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()


def _head(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    return int(first.split(" ", 2)[1]), {k.strip().lower(): v.strip() for k, _, v in (x.partition(":") for x in lines)}


async def connect(host: str, port: int) -> Connection:
    """Open a warm connection."""
    _, connection = await asyncio.get_running_loop().create_connection(Connection, host, port)
    return connection


async def listening(port: int) -> None:
    """Wait until somebody listens on this port."""
    deadline = clock.monotonic() + STARTS_WITHIN
    while clock.monotonic() < deadline:
        try:
            (await connect(HOST, port)).close()
        except OSError:
            await asyncio.sleep(0.1)
        else:
            return
    raise Tooslow(f"nothing listens on port {port}")


def request(method: str, path: str, port: int, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """Return the bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", f"host: {HOST}:{port}", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def form(cookie: str, port: int) -> dict[str, str]:
    """Return the headers with which a browser sends a form of ours."""
    return {
        "cookie": cookie, "origin": f"http://{HOST}:{port}", "sec-fetch-site": "same-origin",
        "content-type": "application/x-www-form-urlencoded",
    }  # fmt: skip


class Gate:
    """Opens when everybody who is waited for has arrived."""

    def __init__(self) -> None:
        self._missing: set[int] = set()
        self._open = asyncio.Event()

    def expect(self, clients: Sequence[object]) -> None:
        """Begin to wait for all of these."""
        self._missing = {id(client) for client in clients}
        self._open.clear()

    def held(self, client: object) -> None:
        """Note that one has arrived."""
        self._missing.discard(id(client))
        if not self._missing:
            self._open.set()

    async def all(self) -> None:
        """Wait until all have arrived."""
        await asyncio.wait_for(self._open.wait(), HOLDS_WITHIN)


@dataclass
class Follower:
    """One signed-in client that follows a hearing: at every signal it fetches what changed."""

    host: str
    port: int
    cookie: str
    hearing: str
    held: Callable[["Follower"], None]
    revision: int = 0
    at: float = 0.0
    fetched: int = 0
    failures: list[int] = field(default_factory=list)
    _task: "asyncio.Task[None] | None" = None

    async def join(self, session: aiohttp.ClientSession) -> None:
        """Connect the socket, join the hearing, and fetch the revision that holds now."""
        self._http = await connect(self.host, self.port)
        await self.fetch()
        address = f"http://{self.host}:{self.port}/socket.io/?EIO=4&transport=websocket"
        headers = {"cookie": self.cookie, "origin": f"http://{self.host}:{self.port}"}
        self._socket = await session.ws_connect(address, headers=headers, max_msg_size=65536)
        await self._socket.receive_str(timeout=JOIN_SECONDS)
        await self._socket.send_str("40")
        await self._socket.receive_str(timeout=JOIN_SECONDS)
        await self._socket.send_str('42["join",' + json.dumps({"hearing": self.hearing}) + "]")
        self._task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                return
            if message.data == "2":
                await self._socket.send_str("3")
            elif message.data.startswith("42"):
                name, payload = json.loads(message.data[2:])
                if name == "revision" and payload["revision"] > self.revision:
                    await self.fetch()

    async def fetch(self) -> None:
        """Ask for what changed since the revision that is held."""
        path = f"/hearings/{self.hearing}/changes?since={self.revision}"
        lines = (f"GET {path} HTTP/1.1", f"host: {self.host}:{self.port}", f"cookie: {self.cookie}", "", "")
        status, headers, _ = await self._http.send("\r\n".join(lines).encode())
        self.fetched += 1
        if status not in {200, 204}:
            self.failures.append(status)
            return
        self.revision = int(headers.get("panel-revision", self.revision))
        self.at = clock.monotonic()
        self.held(self)

    async def leave(self) -> None:
        """Close socket and connection."""
        if self._task is not None:
            self._task.cancel()
        await self._socket.close()
        self._http.close()


@dataclass
class Listener:
    """One client of the bare broadcast: only notes when a signal came."""

    host: str
    port: int
    held: Callable[[Any], None]
    at: float = 0.0

    async def join(self, session: aiohttp.ClientSession) -> None:
        """Connect the socket."""
        address = f"http://{self.host}:{self.port}/socket.io/?EIO=4&transport=websocket"
        self._socket = await session.ws_connect(address, max_msg_size=65536)
        await self._socket.receive_str(timeout=JOIN_SECONDS)
        await self._socket.send_str("40")
        await self._socket.receive_str(timeout=JOIN_SECONDS)
        self._task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                return
            if message.data == "2":
                await self._socket.send_str("3")
            elif message.data.startswith("42"):
                self.at = clock.monotonic()
                self.held(self)

    async def leave(self) -> None:
        """Close the socket."""
        self._task.cancel()
        await self._socket.close()
