"""How several server processes hear each other at once: a bell over Redis or Valkey (docs/decisions/0012).

It says that the record has grown, and who is connected where; never what happened. Nothing is kept there. While it is
silent, every process still follows the record by itself, once a second.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import redis.asyncio
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from panel.core import clock, log
from panel.core.ids import new_id

BEAT_SECONDS = 1.0
"""How often a process is heard, by itself too: the canary, and who is connected to it."""

FORGOTTEN_SECONDS = 3.5
"""Another process that is not heard for so long has nobody connected; a bell that does not hear itself is broken."""

AGAIN_SECONDS = 0.5
"""After a connection was lost, the next is tried so soon."""

MOST_BYTES = 4 * 1024 * 1024

Connected = Iterable[tuple[str, str, datetime]]
"""Hearing, person, since when."""


@dataclass(frozen=True)
class _Other:
    """Who is connected to another process, as it said last; `heard` is a monotonic time in seconds."""

    heard: float
    connected: Mapping[tuple[str, str], datetime]


class Bell:
    """One process's end of the bell. `look` reads what is new on the record, in a thread; `changed` hears of a hearing
    to which somebody came or from which somebody went, elsewhere.
    """

    def __init__(
        self, url: str, channel: str, *, look: Callable[[], None], connected: Callable[[], Connected],
        changed: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._url, self._channel = url, channel
        self._look, self._connected, self._changed = look, connected, changed
        self._me = new_id()
        self._others: dict[str, _Other] = {}
        self._heard = float("-inf")
        self._ringing: asyncio.Event | None = None
        self._rung: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def ring(self) -> None:
        """Let the others know that the record has grown; from any thread, never waits, never fails."""
        if self._loop is not None and self._ringing is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ringing.set)

    def works(self) -> bool:
        """Say whether this process has heard itself lately."""
        return clock.monotonic() - self._heard < FORGOTTEN_SECONDS

    def presence(self, hearing_id: str) -> dict[str, datetime]:
        """Return who is connected to a hearing at other processes, and since when."""
        now = clock.monotonic()
        others = [other for other in tuple(self._others.values()) if now - other.heard < FORGOTTEN_SECONDS]
        return {
            person: since for other in others for (hearing, person), since in other.connected.items()
            if hearing == hearing_id
        }  # fmt: skip

    async def keep(self) -> None:
        """Ring and listen until cancelled; a connection that is lost is made again."""
        self._loop = asyncio.get_running_loop()
        self._ringing, self._rung = asyncio.Event(), asyncio.Event()
        looking, told = asyncio.create_task(self._keep_looking(self._rung)), False
        try:
            while True:
                tried = clock.monotonic()
                try:
                    await self._connect(self._ringing, self._rung)
                except (RedisError, OSError, TimeoutError) as problem:
                    if not told or self._heard > tried:
                        log.failure("bell_lost", problem)
                    told = True
                await asyncio.sleep(AGAIN_SECONDS)
        finally:
            looking.cancel()

    async def _connect(self, ringing: asyncio.Event, rung: asyncio.Event) -> None:
        client = redis.asyncio.from_url(self._url, socket_connect_timeout=2, socket_timeout=FORGOTTEN_SECONDS)
        async with client, client.pubsub(ignore_subscribe_messages=True) as heard:
            await heard.subscribe(self._channel)
            rung.set()  # whatever was rung while nobody listened
            doing = [asyncio.create_task(each) for each in (self._listen(heard, rung), self._beat(client, ringing))]
            try:
                done, _ = await asyncio.wait(doing, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                for task in doing:
                    task.cancel()
                await asyncio.gather(*doing, return_exceptions=True)

    async def _beat(self, client: Any, ringing: asyncio.Event) -> None:
        """Say at each ring, and once a second, that this process is there, and whether the record has grown."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ringing.wait(), BEAT_SECONDS)
            grown = ringing.is_set()
            ringing.clear()
            said: dict[str, Any] = {"from": self._me, "grown": grown}
            if not grown:
                said["connected"] = [(hearing, who, clock.rfc3339(since)) for hearing, who, since in self._connected()]
            await client.publish(self._channel, json.dumps(said))

    async def _listen(self, heard: PubSub, rung: asyncio.Event) -> None:
        last = clock.monotonic()
        while clock.monotonic() - last < FORGOTTEN_SECONDS:
            message = await heard.get_message(timeout=BEAT_SECONDS)
            if message is not None:
                last = clock.monotonic()
                self._hear(message["data"], rung)
        raise TimeoutError("nothing was heard, not even this process")

    def _hear(self, data: bytes, rung: asyncio.Event) -> None:
        """Take a message; one that is none of ours changes nothing."""
        try:
            said = json.loads(data) if len(data) <= MOST_BYTES else {}
            who, grown = str(said["from"]), said["grown"] is True
            connected = {(str(h), str(p)): datetime.fromisoformat(t) for h, p, t in said.get("connected", ())}
        except (ValueError, KeyError, TypeError):
            log.security("bell_message_malformed")
            return
        self._heard = clock.monotonic() if who == self._me else self._heard
        if who == self._me:
            return
        if grown:
            rung.set()
        else:
            self._heard_of(who, connected)

    def _heard_of(self, who: str, connected: Mapping[tuple[str, str], datetime]) -> None:
        before = self._others.get(who, _Other(0.0, {})).connected
        now = clock.monotonic()
        self._others = {k: other for k, other in self._others.items() if now - other.heard < FORGOTTEN_SECONDS}
        self._others[who] = _Other(now, connected)
        for hearing_id in {hearing for hearing, _ in before.keys() ^ connected.keys()}:
            self._changed(hearing_id)

    async def _keep_looking(self, rung: asyncio.Event) -> None:
        """Look at the record after each ring; rings that come meanwhile are one more look."""
        while True:
            await rung.wait()
            rung.clear()
            try:
                await asyncio.to_thread(self._look)
            except Exception as problem:
                log.failure("record_not_followed", problem)
