"""The parts of the live page that opinions own: how the round stands, and my opinion."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from panel.committees.events import AlternateSeated, SeatRecused
from panel.core import hooks
from panel.core.hooks import Leaf
from panel.core.security import INSIDE, Actor, Audience, Role
from panel.live.parts import Context, OwnPart, Part
from panel.opinions import queries, rules
from panel.opinions.events import OpinionSubmitted, RoundClosed, RoundOpened
from panel.record.events import Event


def _case_of(db: Session, hearing_id: str) -> str:
    return str(hooks.hearing(db, hearing_id).case_id)


def opinions(db: Session, hearing_id: str, _audience: Audience, _now: datetime) -> Context:
    """Load how the rounds stand; nothing of one that is open but that it is."""
    return {"rounds": queries.rounds(db, _case_of(db, hearing_id))}


def progress(db: Session, hearing_id: str, _audience: Audience, _now: datetime) -> Context:
    """Load how many have written in the open round; a part of its own, so that members notice nothing of it."""
    round_ = queries.current(db, _case_of(db, hearing_id))
    given, due = queries.progress(db, round_.id) if round_ else (0, 0)
    return {"round": round_, "given": given, "due": due}


def opinion(db: Session, hearing_id: str, actor: Actor, _now: datetime) -> Context | None:
    """Load where my own opinion of the open round stands."""
    case_id = _case_of(db, hearing_id)
    seat_id, round_ = actor.seat_in(case_id), queries.current(db, case_id)
    if seat_id is None or round_ is None:
        return None
    return {
        "round": round_,
        "mine": queries.mine(db, round_.id, seat_id),
        "saved": queries.draft(db, round_.id, seat_id),
    }


def opinion_leaf(reading: Any, case: Any) -> Leaf | None:
    """Put my own opinion of the open round, and the rounds that have closed, into a case's file."""
    role = reading.me.role_in(case.id)
    if role not in READERS:
        return None
    rounds, seat_id = queries.rounds(reading.db, case.id), reading.me.seat_in(case.id)
    open_round = next((round_ for round_ in rounds if round_.closed_at is None), None)
    context: dict[str, Any] = {
        "open": open_round,
        "writes": False,
        "closed": [r for r in rounds if r.closed_at is not None],
    }
    if seat_id is not None and open_round is not None:
        mine, saved = (ask(reading.db, open_round.id, seat_id) for ask in (queries.mine, queries.draft))
        context |= {"writes": True, "mine": mine, "saved": saved}
    return Leaf("aside", "opinions/_leaf.html", context) if rounds else None


READERS = rules.PERMISSIONS["opinions.read_round"].roles
ROUNDS: frozenset[type[Event]] = frozenset({RoundOpened, RoundClosed, SeatRecused, AlternateSeated})
PARTS = (
    Part("opinions", "opinions/_opinions.html", INSIDE, ROUNDS, opinions),
    Part("progress", "opinions/_progress.html", frozenset({Audience.CHAIR}), ROUNDS | {OpinionSubmitted}, progress),
)
OWN_PARTS = (OwnPart("opinion", "opinions/_opinion.html", frozenset({Role.CHAIR, Role.MEMBER}), opinion),)
