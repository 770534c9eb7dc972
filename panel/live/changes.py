"""What changed in a hearing since a revision: reconnecting, polling and live updating are this one request.

A hearing's revision for an audience is the number of entries on the record that touch a part which this audience has:
the hearing's own, and those of its case that name no hearing. Entries of closed session count only inside. It is
derived from the record, so that it is the same in every process and after a restart. Shared parts are drawn once per
audience, locale and revision.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
from sqlalchemy import func, or_, select
from sqlmodel import Session

from panel.core import clock, hooks, log
from panel.core.db import snapshot
from panel.core.pages import Site, shared_context
from panel.core.security import Audience
from panel.live.parts import Part, kinds_for, notices, parts_for
from panel.record.models import ENTRIES

Emit = Callable[[str, Audience, int], Coroutine[Any, Any, None]]
Readers = Callable[[str, Audience], int]
"""Answers how many sockets of an audience follow a hearing."""

StreamOf = Callable[[Session, str], str]
AUDIENCES = tuple(Audience)
KEPT = 200
"""Hearings that a process follows at once; what is dropped is replayed from the record when it is asked for again."""

_COLUMNS = ENTRIES.c
_BRIEFLY = select(_COLUMNS.index, _COLUMNS.kind, _COLUMNS.closed, _COLUMNS.stream, _COLUMNS.hearing_id).order_by(
    _COLUMNS.index
)
Entry = tuple[int, str, bool]
"""Index, kind, closed."""


@dataclass(frozen=True)
class Seen:
    """What one audience can have noticed: its revision, and the revision at which each part was last touched.

    Replaced as a whole, so that whoever reads it while the writer goes on never sees half of a change.
    """

    revision: int = 0
    touched: Mapping[str, int] = field(default_factory=dict)

    def after(self, names: Iterable[str]) -> "Seen":
        """Return what is noticed after one more entry, which touches these parts."""
        revision = self.revision + 1
        return Seen(revision, {**self.touched, **dict.fromkeys(names, revision)})

    def newer(self, since: int) -> tuple[str, ...]:
        """Return the parts touched after a revision."""
        return tuple(name for name, revision in self.touched.items() if revision > since)


@dataclass(frozen=True)
class Drawn:
    """The shared parts of an audience in a locale, at least as new as `seen`; and the answers made of them so far."""

    seen: Seen
    texts: Mapping[str, str]
    _bodies: dict[tuple[str, ...], bytes] = field(default_factory=dict)

    def since(self, revision: int) -> Mapping[str, str]:
        """Return the parts newer than a revision; all of them for a revision that cannot be."""
        if 0 <= revision <= self.seen.revision:
            return {name: self.texts[name] for name in self.seen.newer(revision) if name in self.texts}
        return self.texts

    def body(self, revision: int) -> bytes:
        """Return the answer to whoever holds this revision; made once for everybody who lacks the same parts."""
        parts = self.since(revision)
        names = tuple(parts)
        if names not in self._bodies:
            self._bodies[names] = wrapped(parts.values())
        return self._bodies[names]


def wrapped(texts: Iterable[str]) -> bytes:
    """Return an answer's body."""
    return "".join(("<div>", *texts, "</div>")).encode()


def marked(fragment: str) -> str:
    """Mark a part's root element for the client, which swaps by `data-part`."""
    return fragment.strip().replace("<section ", "<section data-part ", 1)


@dataclass
class Followed:
    """One hearing's revisions as of the entry `index`, and what was drawn last."""

    id: str
    case_id: str
    stream: str
    index: int = -1
    seen: dict[Audience, Seen] = field(default_factory=lambda: {a: Seen() for a in AUDIENCES})
    drawn: dict[tuple[Audience, str], Drawn] = field(default_factory=dict)
    drawing: threading.Lock = field(default_factory=threading.Lock)

    def concerned(self, stream: str, hearing_id: str | None) -> bool:
        """Say whether an entry is this hearing's, or its case's as a whole."""
        return hearing_id == self.id or (hearing_id is None and stream == self.stream)

    def follow(self, entries: Iterable[Entry]) -> set[Audience]:
        """Take entries into account, in their order; return the audiences that noticed."""
        noticed = set()
        for index, kind, closed in entries:
            if index <= self.index:
                continue
            self.index = index
            for audience in AUDIENCES:
                names = kinds_for(audience).get(kind)
                if names and notices(audience, closed=closed):
                    self.seen[audience] = self.seen[audience].after(names)
                    noticed.add(audience)
        return noticed

    def ready(self, audience: Audience, locale: str) -> Drawn | None:
        """Return what is drawn, if nothing has touched it since."""
        drawn = self.drawn.get((audience, locale))
        return drawn if drawn is not None and drawn.seen is self.seen[audience] else None


class Changes:
    """One process's view of every hearing that somebody follows."""

    def __init__(self, site: Site, emit: Emit, stream_of: StreamOf, readers: Readers) -> None:
        self._site, self._emit, self._stream_of, self._readers = site, emit, stream_of, readers
        self._hearings: dict[str, Followed] = {}
        self._lock = threading.Lock()
        self._upto = -1
        """The last entry that was looked at; while this process follows no hearing, none has to be."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self.behind: Callable[[], None] | None = None
        """Takes what other processes have committed into account; None where there are none."""
        self._looks = self._looked = 0
        self._looking: asyncio.Task[None] | None = None
        self._waking: set[tuple[str, Audience]] = set()
        self._drawing: dict[tuple[str, Audience, str], asyncio.Task[Drawn]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    def bind(self) -> None:
        """Remember the event loop on which signals are sent; called when serving begins."""
        self._loop = asyncio.get_running_loop()

    def followed(self, hearing_id: str) -> Followed | None:
        """Return a hearing if this process follows it already."""
        return self._hearings.get(hearing_id)

    async def caught_up(self) -> None:
        """Take what any process had committed before this moment into account: an answer is never older than that.

        However many ask at once, the database is asked once for them; a look that had begun before is not enough.
        """
        if self.behind is None:
            return
        if asyncio.get_running_loop() is not self._loop:
            await anyio.to_thread.run_sync(self.behind)
            return
        needed = self._looks + 1
        while self._looked < needed:
            if self._looking is None or self._looking.done():
                self._looks += 1
                self._looking = asyncio.ensure_future(self._look(self._looks, self.behind))
            await asyncio.shield(self._looking)

    async def _look(self, number: int, behind: Callable[[], None]) -> None:
        await anyio.to_thread.run_sync(behind)
        self._looked = number

    def follow(self, hearing_id: str) -> Followed | None:
        """Return a hearing, replayed from the record at the first asking; None for unknown ones. Blocks."""
        if (followed := self._hearings.get(hearing_id)) is not None:
            return followed
        with snapshot(self._site.reading) as db:
            hearing = hooks.hearing(db, hearing_id)
            if hearing is None:
                return None
            fresh = Followed(hearing_id, hearing.case_id, self._stream_of(db, hearing.case_id))
        with self._lock:
            if (followed := self._hearings.get(hearing_id)) is None:
                # Read under the lock, in a session of its own: what is committed after it comes by `committed`.
                if not self._hearings:
                    self._upto = self._last()
                fresh.follow(self._entries(fresh))
                followed = self._keep(fresh)
        return followed

    def _keep(self, fresh: Followed) -> Followed:
        if len(self._hearings) >= KEPT:
            del self._hearings[next(iter(self._hearings))]
        self._hearings[fresh.id] = fresh
        return fresh

    def _entries(self, of: Followed) -> list[Entry]:
        unnamed = (_COLUMNS.stream == of.stream) & _COLUMNS.hearing_id.is_(None)
        with self._site.reading.connect() as connection:
            found = connection.execute(_BRIEFLY.where(or_(_COLUMNS.hearing_id == of.id, unnamed)))
            return [(index, kind, closed) for index, kind, closed, _, _ in found]

    def _last(self) -> int:
        with self._site.reading.connect() as connection:
            found = connection.execute(select(func.max(_COLUMNS.index))).scalar()
        return -1 if found is None else int(found)

    def committed(self, indexes: Sequence[int]) -> None:
        """Hear that these entries are durable; wakes whoever follows their hearings.

        Another process may have written some before them: none is passed over, or revisions would differ.
        """
        if not indexes:
            return
        with self._lock:
            woken = self._noticed(max(indexes)) if self._hearings else {}
        if woken and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._signal, woken)

    def _noticed(self, last: int) -> dict[str, set[Audience]]:
        with self._site.reading.connect() as connection:
            rows = connection.execute(_BRIEFLY.where(_COLUMNS.index > self._upto, _COLUMNS.index <= last)).all()
        self._upto = max(self._upto, last)
        woken = {}
        for followed in self._hearings.values():
            ours = [(index, kind, closed) for index, kind, closed, *of in rows if followed.concerned(*of)]
            if noticed := followed.follow(ours):
                woken[followed.id] = noticed
        return woken

    def _signal(self, woken: Mapping[str, Iterable[Audience]]) -> None:
        """Send one signal per audience; wakes that come before it has left are one signal."""
        for hearing_id, audiences in woken.items():
            fresh = [a for a in AUDIENCES if a in audiences and (hearing_id, a) not in self._waking]
            self._waking.update((hearing_id, audience) for audience in fresh)
            many = sorted(fresh, key=lambda audience: -self._readers(hearing_id, audience))
            self._start(self._tell_all(hearing_id, many))

    async def _tell_all(self, hearing_id: str, audiences: Iterable[Audience]) -> None:
        """Tell one audience after the other, the largest first: drawing for all at once would make everybody wait."""
        for audience in audiences:
            await self._tell(hearing_id, audience)

    def _start(self, doing: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, hearing_id: str, audience: Audience) -> None:
        """Draw what this audience reads, then signal: whoever asks upon it finds the answer made."""
        followed = self._hearings.get(hearing_id)
        try:
            if followed is not None:
                for locale in [locale for reader, locale in tuple(followed.drawn) if reader is audience]:
                    await self.fresh(followed, audience, locale)
        except Exception as error:
            log.failure("part_not_drawn", error)
        self._waking.discard((hearing_id, audience))
        try:
            if followed is not None:
                await self._emit(hearing_id, audience, followed.seen[audience].revision)
        except Exception as error:
            log.failure("signal_not_sent", error)

    async def fresh(self, followed: Followed, audience: Audience, locale: str) -> Drawn:
        """Return the shared parts as of now or later; however many ask at once, they are drawn once, in a thread."""
        if (drawn := followed.ready(audience, locale)) is not None:
            return drawn
        asked, key = followed.seen[audience].revision, (followed.id, audience, locale)
        while True:
            task = self._drawing.get(key)
            if task is None or task.done():
                # A task that is done is left alone: to await it does not yield, and its removal would wait for ever.
                task = asyncio.ensure_future(anyio.to_thread.run_sync(self.draw, followed, audience, locale))
                self._drawing[key] = task
                task.add_done_callback(lambda done: self._drawn(key, done))
            drawn = await asyncio.shield(task)
            if drawn.seen.revision >= asked:
                return drawn

    def _drawn(self, key: tuple[str, Audience, str], done: asyncio.Task[Drawn]) -> None:
        if self._drawing.get(key) is done:
            del self._drawing[key]

    def draw(self, followed: Followed, audience: Audience, locale: str) -> Drawn:
        """Return the shared parts as of now or later, drawing those that were touched; blocks."""
        with followed.drawing:
            # What is promised is taken before the reading begins: a commit in between makes it newer, never older.
            seen, before = followed.seen[audience], followed.drawn.get((audience, locale))
            if before is not None and before.seen is seen:
                return before
            texts = dict(before.texts) if before else {}
            stale = [p for p in parts_for(audience) if before is None or _touched(before.seen, p) != _touched(seen, p)]
            with snapshot(self._site.reading) as db:
                for part in stale:
                    texts[part.name] = self._draw(db, followed.id, audience, locale, part)
            drawn = followed.drawn[audience, locale] = Drawn(seen, texts)
        return drawn

    def _draw(self, db: Session, hearing_id: str, audience: Audience, locale: str, part: Part) -> str:
        now = clock.now()
        context = shared_context(self._site, locale, now) | part.load(db, hearing_id, audience, now)
        return marked(self._site.templates.get_template(part.template).render(context))


def _touched(seen: Seen, part: Part) -> int:
    return seen.touched.get(part.name, 0)


def of(site: Site) -> Changes:
    """Return the process's changes."""
    found = site.areas["changes"]
    assert isinstance(found, Changes)
    return found
