"""Reads: people, their sessions, and who is behind a request."""

import threading
import tomllib
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path

from sqlmodel import Session, col, select

from panel.accounts import rules
from panel.accounts.models import (
    Appointment,
    Installation,
    Passkey,
    Person,
    RecoveryCode,
    SecondFactor,
    SignInLink,
    SignInSession,
)
from panel.accounts.rules import PROOF_LASTS, OfficeRules, must_have_factor
from panel.core import clock, security
from panel.core.db import remembered
from panel.core.errors import Reason
from panel.core.security import Actor, Office, Role, Standing

STANDING_AREAS = frozenset({"accounts", "cases", "committees"})
"""Areas whose events may change who somebody is in a case."""

KEPT = 10_000
AT_A_TIME = 500
OFFICES = Path(__file__).parent.parent / "rulepacks" / "offices.toml"

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


def people_by_login(db: Session, logins: Collection[str]) -> dict[str, Person]:
    """Return who signs in with these names, by the name; a few hundred are asked for at a time."""
    asked = sorted(logins)
    found: dict[str, Person] = {}
    for start in range(0, len(asked), AT_A_TIME):
        some = select(Person).where(col(Person.login).in_(asked[start : start + AT_A_TIME]))
        found |= {person.login: person for person in db.exec(some)}
    return found


def people(db: Session) -> Sequence[Person]:
    """Return everybody who has an account and is no character of a rehearsal, by name."""
    real = select(Person).where(col(Person.fictional).is_(False))
    return db.exec(real.order_by(col(Person.name), col(Person.login))).all()


def everybody(db: Session) -> Sequence[Person]:
    """Return everybody who has or had an account, characters of a rehearsal included."""
    return db.exec(select(Person)).all()


@cache
def office_rules() -> OfficeRules:
    """Return the offices as this version ships them."""
    return OfficeRules.from_body(tomllib.loads(OFFICES.read_text(encoding="utf-8")))


@remembered
def offices_of(db: Session, person_id: str) -> frozenset[Office]:
    """Return the offices that somebody holds now."""
    held = select(Appointment.office).where(Appointment.person_id == person_id, col(Appointment.ended_at).is_(None))
    return frozenset(map(Office, db.exec(held).all()))


def why_not_part(db: Session, person_id: str) -> Reason | None:
    """Say why somebody's offices keep them out of every case; None where none does."""
    return rules.why_not_part(office_rules(), offices_of(db, person_id))


def holders(db: Session, office: Office) -> Sequence[Person]:
    """Return who holds an office now, those who can sign in."""
    held = select(Person).join(Appointment, col(Appointment.person_id) == Person.id)
    now = held.where(Appointment.office == office, col(Appointment.ended_at).is_(None))
    return db.exec(now.where(col(Person.disabled_at).is_(None)).order_by(col(Appointment.created_at))).all()


def appointment(db: Session, appointment_id: str) -> Appointment | None:
    """Return an appointment."""
    return db.get(Appointment, appointment_id)


def appointments(db: Session, person_id: str | None = None) -> Sequence[Appointment]:
    """Return who was given which office, the newest first; somebody's alone where one is named."""
    every = select(Appointment).order_by(col(Appointment.created_at).desc(), col(Appointment.id))
    return db.exec(every if person_id is None else every.where(Appointment.person_id == person_id)).all()


def installation(db: Session) -> Installation | None:
    """Return what was said of the installation at its set-up, or since; None before."""
    return db.get(Installation, 1)


class Letterhead:
    """What header and footer show: what administration has said, and where it says nothing, the settings."""

    def __init__(self, stated: Mapping[str, str]) -> None:
        self._stated, self._at = stated, -1
        self.texts: Mapping[str, str] = stated

    def fresh(self) -> bool:
        """Say whether no commit has changed accounts since `texts` was read."""
        return self._at == generation()

    def read(self, db: Session) -> Mapping[str, str]:
        """Read the texts anew, by name."""
        at, row = generation(), installation(db)
        said = {name: getattr(row, name, "") for name in self._stated} if row else {}
        self.texts, self._at = {**self._stated, **{name: text for name, text in said.items() if text}}, at
        return self.texts


def sign_in_session(db: Session, reference_sha256: str) -> SignInSession | None:
    """Return a sign-in session, or None."""
    return db.get(SignInSession, reference_sha256)


def sessions(db: Session, person_id: str) -> Sequence[SignInSession]:
    """Return a person's sign-ins, newest first."""
    mine = select(SignInSession).where(SignInSession.person_id == person_id)
    return db.exec(mine.order_by(col(SignInSession.created_at).desc())).all()


def factor_of(db: Session, person_id: str) -> SecondFactor | None:
    """Return somebody's authenticator, confirmed or begun, or None."""
    return db.exec(select(SecondFactor).where(SecondFactor.person_id == person_id)).first()


def has_authenticator(db: Session, person_id: str) -> bool:
    """Say whether somebody has confirmed an authenticator."""
    factor = factor_of(db, person_id)
    return factor is not None and factor.confirmed_at is not None


def passkeys(db: Session, person_id: str) -> Sequence[Passkey]:
    """Return somebody's passkeys, the oldest first."""
    held = select(Passkey).where(Passkey.person_id == person_id)
    return db.exec(held.order_by(col(Passkey.created_at), col(Passkey.id))).all()


def passkey(db: Session, credential_id: str) -> Passkey | None:
    """Return the passkey of this credential, or None."""
    return db.exec(select(Passkey).where(Passkey.credential_id == credential_id)).first()


def passkey_by_id(db: Session, passkey_id: str) -> Passkey | None:
    """Return a passkey, or None."""
    return db.get(Passkey, passkey_id)


def has_factor(db: Session, person_id: str) -> bool:
    """Say whether somebody has a second factor: an authenticator that was confirmed, or a passkey."""
    return has_authenticator(db, person_id) or bool(passkeys(db, person_id))


def lacking_factor(db: Session, setting: str) -> list[Person]:
    """Return who can sign in, must have a second factor by this setting, and has none."""
    if setting == "off":
        return []
    without = [
        person for person in people(db)
        if person.disabled_at is None and person.password_hash != rules.NO_PASSWORD and not has_factor(db, person.id)
    ]  # fmt: skip
    return [person for person in without if must_have_factor(setting, offices_of(db, person.id), _roles(db, person.id))]


def _roles(db: Session, person_id: str) -> set[Role]:
    return {standing.role for standing in security.standings_of(db, person_id).values()}


def recovery_codes(db: Session, person_id: str) -> Sequence[RecoveryCode]:
    """Return somebody's recovery codes that are not used yet."""
    return db.exec(select(RecoveryCode).where(RecoveryCode.person_id == person_id)).all()


def person_of_link(db: Session, reference: str, now: datetime) -> Person | None:
    """Return whose link this is, or None for one that is used up, over, or of a closed account."""
    link = db.get(SignInLink, digest(reference))
    if link is None or link.used_at is not None or link.expires_at <= now:
        return None
    found = db.get(Person, link.person_id)
    return found if found is not None and found.disabled_at is None else None


def all_sessions(db: Session, now: datetime) -> Sequence[tuple[SignInSession, str]]:
    """Return every sign-in that has not ended, with the person's name; those of the simulation left out."""
    rows = select(SignInSession, Person.name).join(Person)
    now_signed_in = rows.where(SignInSession.expires_at > now, col(SignInSession.simulated).is_(False))
    return db.exec(now_signed_in.order_by(col(Person.name), col(SignInSession.created_at).desc())).all()


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

    def __init__(self, idle: timedelta, second_factor: str = "off", proof: timedelta | None = None) -> None:
        """Take the settings: `proof` is for how long one holds; None where nobody is asked for another."""
        self.idle, self._second_factor, self._proof = idle, second_factor, proof
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

    def must_have_factor(self, standings: Mapping[str, Standing], offices: Collection[Office]) -> bool:
        """Say whether this installation asks somebody of these standings and offices for a second factor."""
        return must_have_factor(self._second_factor, offices, {standing.role for standing in standings.values()})

    def proved_until(self, row: SignInSession) -> datetime:
        """Return until when the last proof of who somebody is holds."""
        return (row.proved_at or row.created_at) + (self._proof or PROOF_LASTS)

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

    def vanished(self, db: Session) -> list[str]:
        """Forget the kept sessions that are no longer there, and return them: another process has ended them."""
        kept = list(self._kept)
        there = set(db.exec(select(SignInSession.reference_sha256)).all()) if kept else set()
        gone = [reference for reference in kept if reference not in there]
        for reference in gone:
            self.forget(reference)
        return gone

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
        if row is None or someone is None or someone.disabled_at is not None:
            return None
        standings, offices = security.standings_of(db, someone.id), offices_of(db, someone.id)
        must = not someone.fictional and self.must_have_factor(standings, offices)
        actor = Actor(
            person_id=someone.id, name=someone.name, session=reference, locale=someone.locale, large=someone.large,
            rehearsing=row.rehearsing,
            standings=standings, offices=offices,
            lacks_factor=must and not has_factor(db, someone.id),
            proved_until=None if someone.fictional else self.proved_until(row), proves=self._proof is not None,
        )  # fmt: skip
        if len(self._kept) >= KEPT:
            self._kept.clear()
        kept = self._kept[reference] = _Kept(at, actor, row.seen_at, row.expires_at)
        return kept
