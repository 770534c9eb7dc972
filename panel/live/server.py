"""The Socket.IO server: a hint that something is new, never what it is (design 1.6).

A socket may join the room of a hearing, leave it, and say that it is alive; nothing else. Who may is asked of the same
functions as for pages, at the handshake and again at every event. Rooms are `hearing:<id>:<audience>`, and the
audience follows from the person's standing, never from the client.
"""

import asyncio
import logging
import re
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

import anyio
import socketio
from sqlmodel import Session
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from panel.core import clock, log, security
from panel.core.db import snapshot
from panel.core.errors import Refused
from panel.core.pages import Site
from panel.core.security import SIGNED_IN, Actor, Audience, Grant
from panel.live import changes

PERMISSIONS: dict[str, Grant] = {
    "live.connect": SIGNED_IN,
    "live.join": Grant(roles=security.EVERY_ROLE),
}
EVENTS = {"connect": "live.connect", "join": "live.join", "leave": "live.connect", "ping": "live.connect"}
"""Every event that a client may send, with its permission; the test of the route table walks it."""

FRAME_BYTES = 4096
BURST, BURST_SECONDS = 40, 10.0
"""So many events of one socket in so many seconds; one that sends more is closed."""

SOCKETS_PER_SESSION = 12
GRACE = timedelta(seconds=5)
"""Whoever is back within this time was not lost: going from page to page closes a socket and opens another."""

HEARING_ID = re.compile(r"[0-9a-f]{32}")
VISITOR = "panel.visitor"
"""Under this key a handshake's scope carries who came through the gate."""

_library = logging.getLogger("panel.live")
_library.setLevel(logging.ERROR)


@dataclass(frozen=True)
class Visitor:
    """Who opened a socket: the cookie is kept to ask again at every event."""

    cookie: str
    person_id: str
    session: str


@dataclass
class _Socket:
    sid: str
    visitor: Visitor
    rooms: dict[str, str] = field(default_factory=dict)
    """Hearing id -> room."""
    times: deque[float] = field(default_factory=lambda: deque(maxlen=BURST))


class LiveServer:
    """One process's sockets. `hearing_of` loads a hearing, `generation` counts the changes of standings."""

    def __init__(self, site: Site, *, hearing_of: Callable[[Session, str], Any], generation: Callable[[], int]) -> None:
        self.site, self._hearing_of, self._generation = site, hearing_of, generation
        self._sockets: dict[str, _Socket] = {}
        self._since: dict[tuple[str, str], datetime] = {}
        self._open: Counter[tuple[str, str]] = Counter()
        self._lost: dict[tuple[str, str], datetime] = {}
        self._telling: set[str] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.sio = socketio.AsyncServer(
            async_mode="asgi", transports=["websocket"], cors_allowed_origins=list(site.settings.origins), cookie=None,
            max_http_buffer_size=FRAME_BYTES, async_handlers=False, allow_upgrades=False, cors_credentials=False,
            logger=_library, engineio_logger=_library,
        )  # fmt: skip
        handlers = {"connect": self._connect, "disconnect": self._disconnect, "*": self._unknown}
        for event, handler in {**handlers, "join": self._join, "leave": self._leave, "ping": self._ping}.items():
            self.sio.on(event, handler)

    def asgi(self) -> ASGIApp:
        """Return the application to mount at /socket.io."""
        return Gate(socketio.ASGIApp(self.sio, socketio_path=None), self)

    def bind(self) -> None:
        """Remember the event loop, so that other threads can end sockets; called when serving begins."""
        self._loop = asyncio.get_running_loop()

    async def emit_revision(self, hearing_id: str, audience: Audience, revision: int) -> None:
        """Tell an audience's room that its hearing is at this revision."""
        hint = {"hearing": hearing_id, "revision": revision}
        await self.sio.emit("revision", hint, room=room_of(hearing_id, audience))

    def mode_changed(self) -> None:
        """Tell every page that is open, from any thread, to look whether anything is written (core/mode.py)."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(lambda: self._start(self.sio.emit("mode", {})))

    async def tell_restart(self) -> None:
        """Tell every page that is open that this server is about to restart."""
        await self.sio.emit("restart", {})

    def readers(self, hearing_id: str, audience: Audience) -> int:
        """Return how many sockets of an audience are in a hearing."""
        return len(self.sio.manager.rooms.get("/", {}).get(room_of(hearing_id, audience), ()))

    def end_person(self, person_id: str) -> None:
        """End every socket of a person, from any thread (hooks.END_SOCKETS)."""
        self._end(lambda visitor: visitor.person_id == person_id)

    def end_session(self, reference_sha256: str) -> None:
        """End every socket of a sign-in session, from any thread (hooks.END_SESSION_SOCKETS)."""
        self._end(lambda visitor: visitor.session == reference_sha256)

    def presence(self, hearing_id: str) -> dict[str, datetime]:
        """Return who is connected to a hearing and since when; unrecorded, of this process."""
        return {person: since for (hearing, person), since in dict(self._since).items() if hearing == hearing_id}

    def lost(self, hearing_id: str) -> dict[str, datetime]:
        """Return who was connected to a hearing and has been away for longer than the grace, and since when."""
        until = clock.now() - GRACE
        gone = dict(self._lost).items()
        return {person: since for (hearing, person), since in gone if hearing == hearing_id and since <= until}

    def by_audience(self) -> dict[str, float]:
        """Return how many sockets follow hearings, by audience."""
        rooms = [room for socket in list(self._sockets.values()) for room in list(socket.rooms.values())]
        return dict(Counter(room.rpartition(":")[2] for room in rooms))

    def connected_people(self) -> list[tuple[str, str, datetime]]:
        """Return who is connected to which hearing at this process, and since when: hearing, person, moment."""
        return [(hearing, person, since) for (hearing, person), since in dict(self._since).items()]

    def presence_changed(self, hearing_id: str) -> None:
        """Hear that somebody came to a hearing, or went, at another process; on the loop."""
        self._tell_presence(hearing_id, 0)

    def recheck(self) -> None:
        """End the sockets of whoever has lost the standing by which they joined: another process took it. Blocks."""
        joined = {
            (socket.visitor, hearing_id, room) for socket in list(self._sockets.values())
            for hearing_id, room in list(socket.rooms.items())
        }  # fmt: skip
        lost = {visitor for visitor, hearing_id, room in joined if self._room(visitor, hearing_id) != room}
        if lost:
            self._end(lambda visitor: visitor in lost)

    def _room(self, visitor: Visitor, hearing_id: str) -> str | None:
        audience = self._audience(visitor, hearing_id)
        return None if audience is None else room_of(hearing_id, audience)

    def connected(self) -> int:
        """Return how many connections are open, those that have not said anything yet included."""
        return len(self.sio.environ)

    async def actor_of(self, cookie: str) -> Actor | None:
        """Return the person behind a session cookie as of the last commit; at once where they are known already."""
        return self.site.known(cookie) or await anyio.to_thread.run_sync(self._actor_of, cookie)

    def _actor_of(self, cookie: str) -> Actor | None:
        with snapshot(self.site.reading) as db:
            return self.site.sign_in(db, cookie)

    def _end(self, which: Callable[[Visitor], bool]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end_now, which)

    def _end_now(self, which: Callable[[Visitor], bool]) -> None:
        """Take them out of their rooms in this very turn of the loop, before any later signal; then close them."""
        for socket in [each for each in self._sockets.values() if which(each.visitor)]:
            self._forget(socket)
        for eio_sid, environ in list(self.sio.environ.items()):
            if which(environ["asgi.scope"][VISITOR]):
                self._start(self._close(eio_sid))

    def _start(self, closing: Any) -> None:
        task = asyncio.ensure_future(closing)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close(self, eio_sid: str) -> None:
        """Close a connection without waiting for the client to agree."""
        connection = self.sio.eio.sockets.get(eio_sid)
        if connection is None:
            return
        await connection.close(wait=False)
        await connection.queue.put(None)

    def _forget(self, socket: _Socket) -> None:
        self._sockets.pop(socket.sid, None)
        for hearing_id in list(socket.rooms):
            self._out(socket, hearing_id)

    def _in(self, socket: _Socket, hearing_id: str, audience: Audience) -> None:
        self._out(socket, hearing_id)
        socket.rooms[hearing_id] = room_of(hearing_id, audience)
        self.sio.manager.basic_enter_room(socket.sid, "/", socket.rooms[hearing_id])
        person = hearing_id, socket.visitor.person_id
        self._open[person] += 1
        self._since.setdefault(person, clock.now())
        if self._lost.pop(person, None) is not None:
            self._tell_presence(hearing_id, 0)

    def _out(self, socket: _Socket, hearing_id: str) -> None:
        room, person_id = socket.rooms.pop(hearing_id, None), socket.visitor.person_id
        if room is None:
            return
        self.sio.manager.basic_leave_room(socket.sid, "/", room)
        person = hearing_id, person_id
        self._open[person] -= 1
        if not self._open[person]:
            del self._open[person]
            self._since.pop(person, None)
            self._lost[person] = clock.now()
            self._tell_presence(hearing_id, GRACE.total_seconds() + 1)

    def _tell_presence(self, hearing_id: str, seconds: float) -> None:
        """Hint to who leads the hearing, once for many who come and go, that somebody was lost or is back."""
        if self._loop is None or hearing_id in self._telling:
            return
        self._telling.add(hearing_id)
        self._loop.call_later(seconds, lambda: self._start(self._presence_told(hearing_id)))

    async def _presence_told(self, hearing_id: str) -> None:
        self._telling.discard(hearing_id)
        await self.sio.emit("presence", {"hearing": hearing_id}, room=room_of(hearing_id, Audience.CHAIR))

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> bool:
        visitor: Visitor = environ["asgi.scope"][VISITOR]
        if await self.actor_of(visitor.cookie) is None:
            return False
        self._sockets[sid] = _Socket(sid, visitor)
        return True

    async def _disconnect(self, sid: str, reason: Any = None) -> None:
        if sid in self._sockets:
            self._forget(self._sockets[sid])

    async def _join(self, sid: str, *sent: Any) -> dict[str, bool]:
        socket, hearing_id = self._counted(sid), self._hearing_in(sid, sent)
        if socket is None or hearing_id is None:
            return {"ok": False}
        at = self._generation()
        audience = self._audience_at_once(socket.visitor, hearing_id)
        at = -1 if audience is None else at
        while at != self._generation():
            at = self._generation()
            audience = await anyio.to_thread.run_sync(self._audience, socket.visitor, hearing_id)
        # No await from here on: a standing that is lost after the check finds this socket in its room and ends it.
        if audience is None or sid not in self._sockets:
            log.security("socket_join_refused", person=socket.visitor.person_id, hearing=hearing_id)
            return {"ok": False}
        self._in(socket, hearing_id, audience)
        return {"ok": True}

    def _audience_at_once(self, visitor: Visitor, hearing_id: str) -> Audience | None:
        """Authorise by what is known since the last commit, without a thread; None only says that it must be asked for.

        A crowd that was cut off comes back within a second, and each would take a thread and a snapshot.
        """
        actor, followed = self.site.known(visitor.cookie), changes.of(self.site).followed(hearing_id)
        if actor is None or followed is None or not security.may(actor, EVENTS["join"], followed):
            return None
        return actor.audience_in(followed.case_id)

    def _audience(self, visitor: Visitor, hearing_id: str) -> Audience | None:
        """Authorise afresh: the session, the hearing, the standing."""
        with snapshot(self.site.reading) as db:
            actor = self.site.sign_in(db, visitor.cookie)
            hearing = self._hearing_of(db, hearing_id)
            try:
                security.authorize(actor, EVENTS["join"], hearing)
            except Refused:
                return None
            return actor.audience_in(hearing.case_id) if actor else None

    async def _leave(self, sid: str, *sent: Any) -> dict[str, bool]:
        socket, hearing_id = self._counted(sid), self._hearing_in(sid, sent)
        if socket is None or hearing_id is None:
            return {"ok": False}
        self._out(socket, hearing_id)
        return {"ok": True}

    async def _ping(self, sid: str, *sent: Any) -> dict[str, bool]:
        """Keep the session alive while its hearing page is open; a session that has ended ends its sockets."""
        socket = self._counted(sid)
        if socket is None or sent:
            return {"ok": False}
        if await self.actor_of(socket.visitor.cookie) is None:
            self._end_now(lambda visitor: visitor.session == socket.visitor.session)
            return {"ok": False}
        return {"ok": True}

    async def _unknown(self, event: str, sid: str, *sent: Any) -> None:
        socket = self._counted(sid)
        log.security("socket_event_unknown", person=socket.visitor.person_id if socket else None)

    def _counted(self, sid: str) -> _Socket | None:
        """Count an event of a socket; end the connections of a session that sends too many."""
        socket, now = self._sockets.get(sid), clock.monotonic()
        if socket is None:
            return None
        if len(socket.times) == BURST and now - socket.times[0] < BURST_SECONDS:
            log.security("socket_too_busy", person=socket.visitor.person_id)
            self._end_now(lambda visitor: visitor is socket.visitor)
            return None
        socket.times.append(now)
        return socket

    def _hearing_in(self, sid: str, sent: tuple[Any, ...]) -> str | None:
        """Read a payload: exactly {"hearing": <32 hex digits>}, and nothing beside it."""
        hearing_id = sent[0].get("hearing") if len(sent) == 1 and isinstance(sent[0], dict) else None
        if isinstance(hearing_id, str) and HEARING_ID.fullmatch(hearing_id) and len(sent[0]) == 1:
            return hearing_id
        log.security("socket_event_malformed", socket_known=sid in self._sockets)
        return None


def room_of(hearing_id: str, audience: Audience) -> str:
    """Return the room of a hearing's audience."""
    return f"hearing:{hearing_id}:{audience.value}"


class Gate:
    """Before a handshake is accepted: WebSocket only, its origin present and listed, its session alive (A4.1)."""

    def __init__(self, app: ASGIApp, live: LiveServer) -> None:
        self.app, self._live, self._settings = app, live, live.site.settings
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a handshake in, or refuse it without a word."""
        if scope["type"] != "websocket":
            await send({"type": "http.response.start", "status": 400, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return
        why, cookie = self._why_not(scope), self._cookie(scope)
        actor = None if why else await self._live.actor_of(cookie)
        why = why or self._why_not_actor(actor)
        if why or actor is None:
            log.security("socket_refused", why=why)
            await send({"type": "websocket.close", "code": 1008})
            return
        scope[VISITOR] = Visitor(cookie, actor.person_id, actor.session)
        self._open[actor.session] += 1
        try:
            await self.app(scope, _Frames(receive), send)
        finally:
            self._open[actor.session] -= 1
            self._open += Counter()

    def _why_not(self, scope: Scope) -> str:
        origins = _header(scope, b"origin")
        if len(origins) != 1 or origins[0] not in self._settings.origins:
            return "origin"
        query = parse_qs(scope["query_string"].decode("latin-1"))
        plain = query.get("transport") == ["websocket"] and query.get("EIO") == ["4"]
        return "" if plain and not {"sid", "j"} & set(query) else "query"

    def _why_not_actor(self, actor: Actor | None) -> str:
        try:
            security.authorize(actor, EVENTS["connect"])
        except Refused:
            return "session"
        return "too many" if actor and self._open[actor.session] >= SOCKETS_PER_SESSION else ""

    def _cookie(self, scope: Scope) -> str:
        try:
            jar = SimpleCookie("; ".join(_header(scope, b"cookie")))
        except CookieError:
            return ""
        return jar[self._settings.cookie].value if self._settings.cookie in jar else ""


class _Frames:
    """What a client sends: small frames of text. Anything else ends the connection, before it is kept or parsed."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive

    async def __call__(self) -> Message:
        """Wait for the next frame."""
        message = await self._receive()
        if message["type"] != "websocket.receive":
            return message
        text = message.get("text")
        if text is None or len(text.encode()) > FRAME_BYTES or text.startswith(BINARY):
            log.security("socket_frame_refused")
            return {"type": "websocket.disconnect", "code": 1008}
        return message


BINARY = ("45", "46", "b")
"""How announcements of binary attachments begin: Engine.IO message, Socket.IO BINARY_EVENT or BINARY_ACK."""


def _header(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]
