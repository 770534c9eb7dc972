"""A simulated participant: a cookie jar, a socket, and the pages that everybody else sees too."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import socketio
from yarl import URL

from panel.core import clock
from panel.core.security import DOOR_KEY
from panel.rehearsal.pages import Fields, FormOnPage, Page

PATIENCE = 2.0
"""Seconds after which a page is read again without a signal."""

ENDED = 401
"""The answer to somebody who is not signed in (any more)."""

SILENT = logging.getLogger(__name__)
"""What the socket's own library has to say; its errors are complaints about connections that are over."""
SILENT.setLevel(logging.CRITICAL)


OF_A_BROWSER = {"sec-fetch-site": "same-origin", "accept-language": "zh-CN", "user-agent": "simulation"}


@dataclass(frozen=True)
class Door:
    """How the simulation gets in: under which origin the site is known, and the key of a rehearsal's door.

    Both are empty in the demo, whose doors stand open on this machine.
    """

    origin: str = ""
    key: str = ""


OPEN = Door()


class Refusal(Exception):
    """The server refused an act, in words; `status` is that of its answer."""

    def __init__(self, words: str, status: int = 0) -> None:
        super().__init__(words)
        self.status = status


class Displaced(Refusal):
    """The session of a simulated participant has ended: a person has taken their place, or given it back."""

    def __init__(self, key: str, words: str) -> None:
        super().__init__(words, ENDED)
        self.key = key


class Stuck(Exception):
    """Something that the script waits for did not come."""


class Participant:
    """One seat or duty, played through HTTP and Socket.IO."""

    def __init__(self, base: str, key: str, name: str, login: str, door: Door = OPEN) -> None:
        self.base, self.key, self.name, self.login = base, key, name, login
        jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=URL(base))
        self._own = {"origin": door.origin or base} | ({"host": urlsplit(door.origin).netloc} if door.origin else {})
        headers = {**self._own, **OF_A_BROWSER} | ({DOOR_KEY: door.key} if door.key else {})
        self._http = aiohttp.ClientSession(base_url=base, cookie_jar=jar, headers=headers)
        self._socket: Any = None
        self._signal = asyncio.Event()
        self.signals = 0
        self.looked = (-1, 0.0)
        self._following = False

    @property
    def lost(self) -> bool:
        """Say whether the connection that was opened is gone."""
        return self._following and not self._socket.connected

    async def get(self, path: str) -> Page:
        """Read a page; raises Refusal with its sentence."""
        async with self._http.get(path) as answer:
            html = await answer.text()
        return self._read(answer.status, html, f"{path}: {answer.status} ")

    async def json(self, path: str) -> Any:
        """Read a JSON answer."""
        async with self._http.get(path) as answer:
            return await answer.json()

    async def send(self, form: FormOnPage, **values: str | list[str]) -> Page:
        """Send a form as a browser would; raises Refusal with the sentence that the page shows."""
        return await self.post(form.action, form.filled(**values), live=form.live)

    async def post(self, path: str, fields: Fields, *, live: bool) -> Page:
        """Post fields; a live form is answered with a fragment, any other with the next page."""
        headers = {"hx-request": "true"} if live else {}
        async with self._http.post(path, data=fields, headers=headers) as answer:
            html = await answer.text()
        return self._read(answer.status, html)

    def _read(self, status: int, html: str, where: str = "") -> Page:
        page = Page(html)
        if status == ENDED:
            raise Displaced(self.key, f"{self.name}: {where}{page.text[:300]}")
        if status >= 400:
            raise Refusal(f"{self.name}: {where}{page.text[:300]}", status)
        return page

    async def enter(self, token: str) -> None:
        """Take the seat as its simulation."""
        form = next(f for f in (await self.get("/demo")).forms if f.name == "locale")
        csrf = next(value for name, value in form.fields if name == "csrf")
        await self.post("/demo/entries", [("csrf", csrf), ("token", token), ("simulation", "1")], live=False)

    async def follow(self, hearing_id: str) -> None:
        """Open a socket and join the hearing; signals wake `until`."""
        # Its own handler of Ctrl-C would cancel every task, and the demo would end with a trace.
        self._socket = socketio.AsyncClient(
            reconnection=False, handle_sigint=False, logger=SILENT, engineio_logger=SILENT
        )

        async def signalled(_hint: Any) -> None:
            self.signals += 1
            self._signal.set()

        self._socket.on("revision", signalled)
        cookie = "; ".join(f"{c.key}={c.value}" for c in self._http.cookie_jar)
        await self._socket.connect(self.base, headers={"cookie": cookie, **self._own}, transports=["websocket"])
        await self._socket.emit("join", {"hearing": hearing_id})
        self._following = True

    async def unfollow(self) -> None:
        """Close the socket: a lost connection."""
        self._following = False
        if self._socket is not None:
            await self._socket.disconnect()
            self._socket = None

    async def until(self, path: str, there: Callable[[Page], Any], seconds: float) -> Page | None:
        """Read a page at every signal until something is there; None when the time is over."""
        deadline = clock.monotonic() + seconds
        while True:
            self._signal.clear()
            page = await self.get(path)
            if there(page):
                return page
            if (left := deadline - clock.monotonic()) <= 0:
                return None
            try:
                await asyncio.wait_for(self._signal.wait(), min(PATIENCE, left))
            except TimeoutError:
                continue

    async def close(self) -> None:
        """Leave."""
        await self.unfollow()
        await self._http.close()
