"""Writes: people, passwords, sign-in sessions."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import update
from sqlmodel import col, delete, select

from panel.accounts import passwords, queries, rules
from panel.accounts.events import PasswordChanged, PersonAdded, SessionsEnded
from panel.accounts.models import Person, SignInSession
from panel.core import hooks, text
from panel.core.errors import NotFound, Reason, Refused, require
from panel.core.security import Actor
from panel.work import Work


def add_person(
    work: Work, actor: Actor | None, *, name: str, login: str, password: str = "", password_hash: str = "",
    locale: str = "", fictional: bool = False,
) -> Person:  # fmt: skip
    """Make an account. A hash may be given instead of the password, where one password serves many (the demo)."""
    name, login = text.one_line(name), text.nfc(login)
    require(rules.why_not_name(name))
    require(rules.why_not_login(login))
    require(None if password_hash else rules.why_not_password(password))
    if queries.person_by_login(work.db, login):
        raise Refused(Reason("Somebody else signs in with this name already."))
    kept = password_hash or passwords.hashed(password)
    person = work.add(Person(name=name, login=login, password_hash=kept, locale=locale, fictional=fictional))
    work.record(PersonAdded(person_id=person.id, name=name, actor_id=actor.person_id if actor else None))
    return person


def sign_in(
    work: Work, actor: Actor | None, *, person_id: str, reference: str, device: str, hours: int,
    simulated: bool = False, renewed_hash: str = "",
) -> SignInSession:  # fmt: skip
    """Begin a session under a new reference. The one this browser had ends; a person ends their simulation."""
    if simulated and _of(work, person_id, simulated=False):
        raise Refused(Reason("A person has taken this seat."))
    if actor:
        sign_out(work, actor)
    if not simulated:
        _end(work, _of(work, person_id, simulated=True))
    if renewed_hash:
        work.db.get_one(Person, person_id).password_hash = renewed_hash
    return work.add_unrecorded(
        SignInSession(
            reference_sha256=queries.digest(reference), person_id=person_id, device=device[:200], simulated=simulated,
            created_at=work.now, seen_at=work.now, expires_at=work.now + timedelta(hours=hours),
        )
    )  # fmt: skip


def sign_out(work: Work, actor: Actor) -> None:
    """End this session and its sockets; ending it twice is no error."""
    row = work.db.get(SignInSession, actor.session)
    _end(work, [row] if row else [])


def end_session(work: Work, actor: Actor, *, reference_sha256: str) -> None:
    """End one of one's own sessions."""
    row = work.db.get(SignInSession, reference_sha256)
    if row is None or row.person_id != actor.person_id:
        raise NotFound
    _end(work, [row])
    work.record(SessionsEnded(person_id=actor.person_id, sessions=1, actor_id=actor.person_id))


def end_other_sessions(work: Work, actor: Actor) -> int:
    """End every session of one's own but this; returns how many."""
    rows = [row for row in _of(work, actor.person_id) if row.reference_sha256 != actor.session]
    _end(work, rows)
    work.record(SessionsEnded(person_id=actor.person_id, sessions=len(rows), actor_id=actor.person_id))
    return len(rows)


def end_sessions_of(work: Work, actor: Actor | None, *, person_id: str) -> int:
    """End every session of somebody; returns how many. For administration, and for giving a demo seat back."""
    rows = _of(work, person_id)
    _end(work, rows)
    by = actor.person_id if actor else None
    work.record(SessionsEnded(person_id=person_id, sessions=len(rows), actor_id=by))
    return len(rows)


def change_password(work: Work, actor: Actor, *, password_hash: str, reference: str, device: str, hours: int) -> None:
    """Change one's password: every session of the account ends, and this browser gets a new one."""
    work.db.get_one(Person, actor.person_id).password_hash = password_hash
    _end(work, _of(work, actor.person_id))
    work.record(PasswordChanged(person_id=actor.person_id, actor_id=actor.person_id))
    sign_in(work, None, person_id=actor.person_id, reference=reference, device=device, hours=hours)


def choose_locale(work: Work, actor: Actor, *, locale: str) -> None:
    """Keep the language that somebody reads in."""
    work.db.get_one(Person, actor.person_id).locale = locale
    work.after_commit(queries.invalidate)


def choose_display(work: Work, actor: Actor, *, large: bool) -> None:
    """Keep whether somebody reads in large letters."""
    work.db.get_one(Person, actor.person_id).large = large
    work.after_commit(queries.invalidate)


def keep_seen(work: Work, actor: Actor | None, *, seen: Mapping[str, datetime], idle: timedelta) -> None:
    """Write when sessions were last used, and sweep away those that have ended; by a timer, never by a page."""
    for reference, at in seen.items():
        row = col(SignInSession.reference_sha256) == reference
        work.db.execute(update(SignInSession).where(row, col(SignInSession.seen_at) < at).values(seen_at=at))
    ended = (col(SignInSession.expires_at) <= work.now) | (col(SignInSession.seen_at) < work.now - idle)
    work.db.execute(delete(SignInSession).where(ended))


def _of(work: Work, person_id: str, *, simulated: bool | None = None) -> list[SignInSession]:
    rows = work.db.exec(select(SignInSession).where(SignInSession.person_id == person_id)).all()
    return [row for row in rows if simulated is None or row.simulated is simulated]


def _end(work: Work, rows: list[SignInSession]) -> None:
    """End sessions and, once that is durable, their sockets: nobody stays in a room on a session that has ended."""
    work.after_commit(queries.invalidate)
    for row in rows:
        work.db.delete(row)
        work.after_commit(partial(hooks.end_session_sockets, row.reference_sha256))
