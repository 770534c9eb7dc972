"""Writes: sign-in sessions."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import update
from sqlmodel import col, delete, select

from panel.accounts import queries
from panel.accounts.actions.news import News, tell
from panel.accounts.events import SessionsEnded
from panel.accounts.models import Person, SignInSession
from panel.core import hooks
from panel.core.errors import NotFound, Reason, Refused, SignInNeeded
from panel.core.security import Actor
from panel.work import Work


def sign_in(
    work: Work, actor: Actor | None, *, person_id: str, reference: str, device: str, hours: int,
    simulated: bool = False, rehearsing: bool = False, renewed_hash: str = "", known: bool = True,
) -> SignInSession:  # fmt: skip
    """Begin a session under a new reference. The one this browser had ends; a person ends their simulation.

    Where the browser is not `known` from an earlier sign-in, its person is told of it.
    Who takes a seat in a rehearsal keeps their own session and goes back to it afterwards.
    """
    if work.db.get_one(Person, person_id).disabled_at is not None:
        raise Refused(Reason("This account was closed."))
    if simulated and of(work, person_id, simulated=False):
        raise Refused(Reason("A person has taken this seat."))
    if actor and not rehearsing:
        sign_out(work, actor)
    if not simulated:
        end(work, of(work, person_id, simulated=True))
    if renewed_hash:
        work.db.get_one(Person, person_id).password_hash = renewed_hash
    if not known:
        tell(work, person_id, News.NEW_DEVICE, more=device)
    return work.add_unrecorded(
        SignInSession(
            reference_sha256=queries.digest(reference), person_id=person_id, device=device[:200], simulated=simulated,
            rehearsing=rehearsing,
            created_at=work.now, seen_at=work.now, proved_at=work.now, expires_at=work.now + timedelta(hours=hours),
        )
    )  # fmt: skip


def prove(work: Work, actor: Actor) -> None:
    """Keep that the person of this session has proved anew who they are."""
    row = work.db.get(SignInSession, actor.session)
    if row is None:
        raise SignInNeeded
    row.proved_at = work.now
    work.after_commit(queries.invalidate)


def sign_out(work: Work, actor: Actor) -> None:
    """End this session and its sockets; ending it twice is no error."""
    row = work.db.get(SignInSession, actor.session)
    end(work, [row] if row else [])


def end_session(work: Work, actor: Actor, *, reference_sha256: str) -> None:
    """End one of one's own sessions."""
    row = work.db.get(SignInSession, reference_sha256)
    if row is None or row.person_id != actor.person_id:
        raise NotFound
    end(work, [row])
    work.record(SessionsEnded(person_id=actor.person_id, sessions=1, actor_id=actor.person_id))


def end_other_sessions(work: Work, actor: Actor) -> int:
    """End every session of one's own but this; returns how many."""
    rows = [row for row in of(work, actor.person_id) if row.reference_sha256 != actor.session]
    end(work, rows)
    work.record(SessionsEnded(person_id=actor.person_id, sessions=len(rows), actor_id=actor.person_id))
    return len(rows)


def end_sessions_of(work: Work, actor: Actor | None, *, person_id: str) -> int:
    """End every session of somebody; returns how many. For administration, and for giving a demo seat back."""
    rows = of(work, person_id)
    end(work, rows)
    by = actor.person_id if actor else None
    work.record(SessionsEnded(person_id=person_id, sessions=len(rows), actor_id=by))
    return len(rows)


def keep_seen(work: Work, actor: Actor | None, *, seen: Mapping[str, datetime], idle: timedelta) -> None:
    """Write when sessions were last used, and sweep away those that have ended; by a timer, never by a page."""
    for reference, at in seen.items():
        row = col(SignInSession.reference_sha256) == reference
        work.db.execute(update(SignInSession).where(row, col(SignInSession.seen_at) < at).values(seen_at=at))
    ended = (col(SignInSession.expires_at) <= work.now) | (col(SignInSession.seen_at) < work.now - idle)
    work.db.execute(delete(SignInSession).where(ended))


def of(work: Work, person_id: str, *, simulated: bool | None = None) -> list[SignInSession]:
    """Return somebody's sessions: all, or those that are (not) of the simulation."""
    rows = work.db.exec(select(SignInSession).where(SignInSession.person_id == person_id)).all()
    return [row for row in rows if simulated is None or row.simulated is simulated]


def end(work: Work, rows: list[SignInSession]) -> None:
    """End sessions and, once that is durable, their sockets: nobody stays in a room on a session that has ended."""
    work.after_commit(queries.invalidate)
    for row in rows:
        work.db.delete(row)
        work.after_commit(partial(hooks.end_session_sockets, row.reference_sha256))
