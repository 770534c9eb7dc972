"""Reads: people, their sessions, and who is behind a request."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from sqlmodel import Session, col, select

from panel.accounts.models import Person, SignInSession
from panel.core import clock, security
from panel.core.errors import Reason
from panel.core.security import Actor

STANDING_AREAS = frozenset({"accounts", "cases", "committees"})
"""Areas whose events may change who somebody is in a case."""

KEPT = 10_000

_generation = 0
_generation_lock = threading.Lock()


def invalidate() -> None:
    """Make every kept actor stale: once an act that touches people or standings is durable, before its answer."""
    global _generation
    with _generation_lock:
        _generation += 1


def generation() -> int:
    """Return the number of times that standings have changed in this process."""
    return _generation


def recorded(kind: str, case_id: str | None, index: int) -> None:
    """Hear of an event (hooks.ON_RECORDED) and make kept actors stale if it may have changed a standing."""
    if kind.partition(".")[0] in STANDING_AREAS:
        invalidate()


def digest(reference: str) -> str:
    """Return what the database keeps of a session's reference: SHA-256 in hex."""
    return sha256(reference.encode()).hexdigest()


def person(db: Session, person_id: str) -> Person | None:
    """Return a person, or None."""
    return db.get(Person, person_id)


def person_by_login(db: Session, login: str) -> Person | None:
    """Return the person who signs in with this name, or None."""
    return db.exec(select(Person).where(Person.login == login)).first()


def sign_in_session(db: Session, reference_sha256: str) -> SignInSession | None:
    """Return a sign-in session, or None."""
    return db.get(SignInSession, reference_sha256)


def sessions(db: Session, person_id: str) -> Sequence[SignInSession]:
    """Return a person's sign-ins, newest first."""
    mine = select(SignInSession).where(SignInSession.person_id == person_id)
    return db.exec(mine.order_by(col(SignInSession.created_at).desc())).all()


def taken_logins(db: Session, now: datetime) -> set[str]:
    """Return the names of the people who are signed in themselves, not by the simulation."""
    rows = select(Person.login).join(SignInSession).where(
        col(SignInSession.simulated).is_(False), SignInSession.expires_at > now
    )  # fmt: skip
    return set(db.exec(rows).all())


STORY = 6
"""Lines of the simulation's story on the start page."""


@dataclass(frozen=True)
class DemoPlace:
    """A place of the demo that a person may take, and the path that it leads to; `heading` groups places."""

    login: str
    name: str
    label: Reason
    heading: Reason
    path: str = ""


@dataclass(frozen=True)
class Demo:
    """What the demo's start page offers; made with the demo's people, one password for all of them.

    `story` is what the simulation said last: what happens, and what it waits for.
    """

    places: Sequence[DemoPlace]
    password: str
    story: deque[str] = field(default_factory=lambda: deque(maxlen=STORY))

    def place(self, login: str) -> DemoPlace | None:
        """Return the place of this name, or None."""
        return next((place for place in self.places if place.login == login), None)


@dataclass(frozen=True)
class _Kept:
    generation: int
    actor: Actor
    seen_at: datetime
    expires_at: datetime


class SignedIn:
    """Who is signed in. Actors are kept between commits that change standings; when a session was last used is
    kept here and written by a timer, so that reading a page writes nothing.
    """

    def __init__(self, idle: timedelta) -> None:
        self.idle = idle
        self._kept: dict[str, _Kept] = {}
        self._seen: dict[str, datetime] = {}

    def actor_of(self, db: Session, cookie: str) -> Actor | None:
        """Return the person behind a session cookie, with standings as of the last commit; None if it has ended."""
        if not cookie:
            return None
        reference, now, at = digest(cookie), clock.now(), generation()
        kept = self._kept.get(reference)
        if kept is None or kept.generation != at:
            kept = self._load(db, reference, at)
        if kept is None or self._over(reference, kept, now):
            self.forget(reference)
            return None
        self._seen[reference] = now
        return kept.actor

    def known(self, cookie: str) -> Actor | None:
        """Return the person behind a cookie if no commit has touched standings since they were looked up last.

        Never blocks; None only says that the database must be asked.
        """
        reference = digest(cookie)
        kept = self._kept.get(reference)
        if kept is None or kept.generation != generation() or self._over(reference, kept, now := clock.now()):
            return None
        self._seen[reference] = now
        return kept.actor

    def _over(self, reference: str, kept: _Kept, now: datetime) -> bool:
        return now >= kept.expires_at or now - self._last_seen(reference, kept) > self.idle

    def forget(self, reference: str) -> None:
        """Drop what is kept of a session."""
        self._kept.pop(reference, None)
        self._seen.pop(reference, None)

    def touch(self, reference: str) -> None:
        """Count a session as used: the hearing page keeps it alive by its socket."""
        if reference in self._seen:
            self._seen[reference] = clock.now()

    def seen(self) -> dict[str, datetime]:
        """Return when each session was last used, for the timer that writes it."""
        return dict(self._seen)

    def last_seen(self, row: SignInSession) -> datetime:
        """Return when a session was last used."""
        return max(row.seen_at, self._seen.get(row.reference_sha256, row.seen_at))

    def _last_seen(self, reference: str, kept: _Kept) -> datetime:
        return max(kept.seen_at, self._seen.get(reference, kept.seen_at))

    def _load(self, db: Session, reference: str, at: int) -> _Kept | None:
        """Read a session. `at` was taken before the reading began: a commit in between makes what is kept stale."""
        row = db.get(SignInSession, reference)
        someone = db.get(Person, row.person_id) if row else None
        if row is None or someone is None:
            return None
        actor = Actor(
            person_id=someone.id, name=someone.name, session=reference, locale=someone.locale, large=someone.large,
            standings=security.standings_of(db, someone.id),
        )  # fmt: skip
        if len(self._kept) >= KEPT:
            self._kept.clear()
        kept = self._kept[reference] = _Kept(at, actor, row.seen_at, row.expires_at)
        return kept
