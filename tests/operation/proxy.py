"""A faulty network: a proxy between clients and a server that delays, throttles, cuts, refuses, or swallows."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.serving import free_port

PIECE = 4096


@dataclass
class FaultyNetwork:
    """Clients connect to `port` and reach `upstream`. Every field may be changed while connections are open.

    `delay`: seconds each way. `rate`: bytes a second each way and connection, 0 for as fast as it goes.
    `refusing`: new connections are cut at once. `silent`: nothing passes either way, and nobody is told.
    """

    port: int
    upstream: int = 0
    delay: float = 0.0
    rate: float = 0.0
    refusing: bool = False
    silent: bool = False
    accepted: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def origin(self) -> str:
        """Return the address that browsers use."""
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> int:
        """Cut every connection at once, from any thread; returns how many there were."""
        return asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(30)

    async def _cut(self) -> int:
        cut = [writer for writer in self._open if not writer.transport.is_closing()]
        for writer in cut:
            writer.transport.abort()
        return len(cut) // 2

    async def _accept(self, near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self.refusing:
            to_near.transport.abort()
            return
        try:
            far, to_far = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            to_near.transport.abort()
            return
        ends = {to_near, to_far}
        self._open |= ends
        try:
            await asyncio.gather(self._carry(near, to_far), self._carry(far, to_near))
        finally:
            self._open -= ends
            for writer in ends:
                writer.close()

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Pass on what comes, each piece when its time has come; what ends on one side ends on the other."""
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        passing = asyncio.create_task(self._pass(pieces, target))
        try:
            with suppress(OSError):
                while piece := await source.read(PIECE):
                    pieces.put_nowait((time.monotonic() + self.delay, piece))
            pieces.put_nowait((time.monotonic() + self.delay, b""))
            await passing
        finally:
            passing.cancel()

    async def _pass(self, pieces: "asyncio.Queue[tuple[float, bytes]]", target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while (due := await pieces.get())[1]:
                at, piece = due
                await asyncio.sleep(max(0.0, at - time.monotonic()))
                if self.rate:
                    await asyncio.sleep(len(piece) / self.rate)
                if not self.silent:
                    target.write(piece)
                    await target.drain()
            target.write_eof()


@contextmanager
def faulty_network() -> Iterator[FaultyNetwork]:
    """Run one, in a thread of its own, until the block ends; its `upstream` is named later."""
    network = FaultyNetwork(free_port())
    listening = threading.Event()

    async def serve() -> None:
        async with await asyncio.start_server(network._accept, "127.0.0.1", network.port, backlog=4096):
            listening.set()
            await ended.wait()
            await network._cut()

    async def leave() -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def run() -> None:
        network._loop.run_until_complete(serve())
        network._loop.run_until_complete(leave())
        network._loop.close()

    ended = asyncio.Event()
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert listening.wait(30)
    try:
        yield network
    finally:
        network._loop.call_soon_threadsafe(ended.set)
        thread.join(30)
