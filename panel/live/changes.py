"""What changed in a hearing since a revision: reconnecting, polling and live updating are this one request.

A hearing's revision for an audience is the number of its entries on the record that touch a part which this audience
has; entries of closed session count only inside. It is derived from the record, so that it is the same in every
process and after a restart. Shared parts are drawn once per audience, locale and revision.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import anyio
from markupsafe import Markup
from sqlmodel import Session, col, select
from starlette.requests import Request
from starlette.responses import Response

from panel.core import clock, hooks, log, security
from panel.core.errors import NotFound
from panel.core.pages import Reading, Site, locale_of, shared_context
from panel.core.security import AUDIENCE_OF, Actor, Audience, Role
from panel.live.parts import PARTS, Part, kinds_for, notices, own_parts_for, parts_for
from panel.record.models import RecordEntry

Emit = Callable[[str, Audience, int], Coroutine[Any, Any, None]]
AUDIENCES = tuple(Audience)


@cache
def _kinds(audience: Audience) -> dict[str, frozenset[str]]:
    return dict(kinds_for(audience))


@dataclass
class _Seen:
    """What one audience can have noticed: its revision, and the revision at which each part was last touched."""

    revision: int = 0
    touched: dict[str, int] = field(default_factory=dict)

    def note(self, names: Iterable[str]) -> None:
        self.revision += 1
        for name in names:
            self.touched[name] = self.revision


@dataclass
class _Hearing:
    """One hearing's revisions, as of the entry `index`, and the fragments drawn for them."""

    case_id: str
    index: int = -1
    seen: dict[Audience, _Seen] = field(default_factory=lambda: {a: _Seen() for a in AUDIENCES})
    drawn: dict[tuple[Audience, str, str], tuple[int, str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def follow(self, entries: Iterable[tuple[int, str, bool]]) -> set[Audience]:
        """Take entries (index, kind, closed) into account, in their order; return the audiences that noticed."""
        noticed = set()
        for index, kind, closed in entries:
            if index <= self.index:
                continue
            self.index = index
            for audience in AUDIENCES:
                names = _kinds(audience).get(kind)
                if names and notices(audience, closed=closed):
                    self.seen[audience].note(names)
                    noticed.add(audience)
        return noticed


class Changes:
    """One process's view of every hearing that somebody follows."""

    def __init__(self, site: Site, emit: Emit) -> None:
        self._site, self._emit = site, emit
        self._hearings: dict[str, _Hearing] = {}
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waking: set[tuple[str, Audience]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def bind(self) -> None:
        """Remember the event loop on which signals are sent; called when serving begins."""
        self._loop = asyncio.get_running_loop()

    def committed(self, indexes: Sequence[int]) -> None:
        """Hear from the writer that these entries are durable; wakes whoever follows their hearings."""
        if not indexes or not self._hearings:
            return
        columns = col(RecordEntry.index), col(RecordEntry.hearing_id), col(RecordEntry.kind), col(RecordEntry.closed)
        with Session(self._site.reading) as db:
            rows = db.exec(select(*columns).where(col(RecordEntry.index).in_(indexes)).order_by(columns[0])).all()
        for hearing_id in {row[1] for row in rows if row[1] is not None}:
            kept = self._hearings.get(hearing_id)
            if kept is not None:
                with self._lock:
                    noticed = kept.follow((i, kind, closed) for i, of, kind, closed in rows if of == hearing_id)
                self._wake(hearing_id, noticed)

    def _wake(self, hearing_id: str, audiences: Iterable[Audience]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._signal, hearing_id, tuple(audiences))

    def _signal(self, hearing_id: str, audiences: Iterable[Audience]) -> None:
        """Send one signal per audience; wakes that come before it has left are one signal."""
        for audience in audiences:
            if (hearing_id, audience) not in self._waking:
                self._waking.add((hearing_id, audience))
                task = asyncio.create_task(self._tell(hearing_id, audience))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _tell(self, hearing_id: str, audience: Audience) -> None:
        self._waking.discard((hearing_id, audience))
        kept = self._hearings.get(hearing_id)
        if kept is None:
            return
        try:
            await self._emit(hearing_id, audience, kept.seen[audience].revision)
        except Exception as error:
            log.failure("signal_not_sent", error)

    def kept(self, hearing_id: str) -> _Hearing | None:
        """Return a hearing's revisions if this process follows it already."""
        return self._hearings.get(hearing_id)

    def load(self, db: Session, hearing_id: str) -> _Hearing | None:
        """Return a hearing's revisions, replayed from the record at the first asking; None for unknown hearings."""
        kept = self._hearings.get(hearing_id)
        if kept is not None:
            return kept
        hearing = hooks.hearing(db, hearing_id)
        if hearing is None:
            return None
        with self._lock:
            kept = self._hearings.setdefault(hearing_id, _Hearing(hearing.case_id))
            kept.follow(self._entries(hearing_id))
        return kept

    def _entries(self, hearing_id: str) -> list[tuple[int, str, bool]]:
        """Read the hearing's entries in a session of its own: an older snapshot would miss what has just come."""
        columns = col(RecordEntry.index), col(RecordEntry.kind), col(RecordEntry.closed)
        with Session(self._site.reading) as db:
            found = db.exec(select(*columns).where(RecordEntry.hearing_id == hearing_id).order_by(columns[0])).all()
        return [(index, kind, closed) for index, kind, closed in found]

    def shared(self, hearing_id: str, audience: Audience, locale: str, names: Sequence[str]) -> dict[str, str]:
        """Return shared parts, drawn once for everybody of this audience and locale; blocks, so never on the loop."""
        kept = self._hearings[hearing_id]
        with kept.lock:
            stale = [name for name in names if not self._fresh(kept, audience, locale, name)]
            if stale:
                with Session(self._site.reading) as db:
                    for name in stale:
                        touched = kept.seen[audience].touched.get(name, 0)
                        text = self._draw(db, hearing_id, audience, locale, PARTS[name])
                        kept.drawn[audience, locale, name] = (touched, text)
            return {name: kept.drawn[audience, locale, name][1] for name in names}

    def drawn(self, hearing_id: str, audience: Audience, locale: str, names: Sequence[str]) -> dict[str, str] | None:
        """Return shared parts if all of them are drawn already, else None; never blocks."""
        kept = self._hearings[hearing_id]
        if all(self._fresh(kept, audience, locale, name) for name in names):
            return {name: kept.drawn[audience, locale, name][1] for name in names}
        return None

    @staticmethod
    def _fresh(kept: _Hearing, audience: Audience, locale: str, name: str) -> bool:
        drawn = kept.drawn.get((audience, locale, name))
        return drawn is not None and drawn[0] == kept.seen[audience].touched.get(name, 0)

    def _draw(self, db: Session, hearing_id: str, audience: Audience, locale: str, part: Part) -> str:
        now = clock.now()
        context = shared_context(self._site, locale, now) | part.load(db, hearing_id, audience, now)
        return marked(self._site.templates.get_template(part.template).render(context))


def marked(fragment: str) -> str:
    """Mark a part's root element for the client, which swaps by `data-part`."""
    return fragment.strip().replace("<section ", "<section data-part ", 1)


def own(reading: Reading, hearing_id: str, actor: Actor, role: Role) -> dict[str, str]:
    """Draw the reader's own parts; one that this reader does not have now is an empty, hidden element."""
    drawn = {}
    for part in own_parts_for(role):
        context = part.load(reading.db, hearing_id, actor, reading.now)
        if context is None:
            drawn[part.name] = f'<section data-part id="own-{part.name}" hidden></section>'
        else:
            drawn[part.name] = marked(reading.draw(part.template, **context))
    return drawn


def of(site: Site) -> Changes:
    """Return the process's changes."""
    found = site.areas["changes"]
    assert isinstance(found, Changes)
    return found


def page_parts(reading: Reading, hearing: Any) -> tuple[dict[str, Markup], int]:
    """Return every part of the reader's page, own ones as `own-<name>`, and the revision that they are at least at."""
    role = reading.me.role_in(hearing.case_id)
    assert role is not None
    audience, changes = AUDIENCE_OF[role], of(reading.site)
    kept = changes.load(reading.db, hearing.id)
    assert kept is not None
    revision = kept.seen[audience].revision
    shared = changes.shared(hearing.id, audience, reading.locale, [part.name for part in parts_for(audience)])
    mine = {f"own-{name}": text for name, text in own(reading, hearing.id, reading.me, role).items()}
    drawn = {name: Markup(text) for name, text in (shared | mine).items()}  # noqa: S704 - drawn by our templates, escaped
    return drawn, revision


def _since(request: Request, revision: int) -> int:
    """Return the revision that the reader holds; what cannot be is taken as holding nothing."""
    try:
        since = int(request.query_params.get("since", "-1"))
    except ValueError:
        return -1
    return since if since <= revision else -1


async def changes(request: Request) -> Response:
    """Answer what is newer than `since`: 204 for nothing, else every newer part and the reader's own ones.

    The hot path of a live hearing: for readers without parts of their own, and with everything drawn, it neither
    leaves the event loop nor asks the database.
    """
    site: Site = request.app.state.site
    following = of(site)
    cookie = request.cookies.get(site.settings.cookie, "")
    hearing_id = request.path_params["id"]
    kept = following.kept(hearing_id)
    if kept is None:
        kept = await anyio.to_thread.run_sync(_load, site, hearing_id)
    with Session(site.reading) as db:
        actor = site.sign_in(db, cookie)
    request.state.actor = actor
    security.admit(actor, "hearings.read")
    if kept is None:
        raise NotFound
    security.authorize(actor, "hearings.read", kept)
    assert actor is not None
    role = actor.role_in(kept.case_id)
    assert role is not None
    audience = AUDIENCE_OF[role]
    return await _answer(request, site, hearing_id, actor, role, audience, kept.seen[audience])


changes.permission = "hearings.read"  # type: ignore[attr-defined]  # walked by the test of the route table


def _load(site: Site, hearing_id: str) -> _Hearing | None:
    with Session(site.reading) as db:
        return of(site).load(db, hearing_id)


async def _answer(
    request: Request, site: Site, hearing_id: str, actor: Actor, role: Role, audience: Audience, seen: _Seen
) -> Response:
    revision = seen.revision
    since = _since(request, revision)
    wants_own = bool(own_parts_for(role)) and (since < revision or "own" in request.query_params)
    if since == revision and not wants_own:
        return Response(status_code=204, headers={"panel-revision": str(revision)})
    names = [part.name for part in parts_for(audience) if seen.touched.get(part.name, 0) > since]
    locale = locale_of(request, actor)
    shared = None if wants_own else of(site).drawn(hearing_id, audience, locale, names)
    if shared is None:
        drawing = partial(_drawn, request, site, hearing_id, actor, role, audience, locale, names, wants_own)
        shared = await anyio.to_thread.run_sync(drawing)
    body = "".join(("<div>", *shared.values(), "</div>"))
    return Response(body, media_type="text/html", headers={"panel-revision": str(revision)})


def _drawn(
    request: Request, site: Site, hearing_id: str, actor: Actor, role: Role, audience: Audience, locale: str,
    names: Sequence[str], wants_own: bool,
) -> dict[str, str]:  # fmt: skip
    shared = of(site).shared(hearing_id, audience, locale, names)
    if not wants_own:
        return shared
    with Session(site.reading) as db:
        mine = own(Reading(request, actor, db), hearing_id, actor, role)
    return shared | {f"own-{name}": text for name, text in mine.items()}
