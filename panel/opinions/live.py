"""The parts of the live page that opinions own: how the round stands, and my opinion."""

from datetime import datetime

from sqlmodel import Session

from panel.committees.events import AlternateSeated, SeatRecused
from panel.core import hooks
from panel.core.security import INSIDE, Actor, Audience, Role
from panel.live.parts import Context, OwnPart, Part
from panel.opinions import queries
from panel.opinions.events import OpinionSubmitted, RoundClosed, RoundOpened


def _case_of(db: Session, hearing_id: str) -> str:
    return str(hooks.hearing(db, hearing_id).case_id)


def opinions(db: Session, hearing_id: str, audience: Audience, _now: datetime) -> Context:
    """Load how the rounds stand; how many have written is told to the chair's side only."""
    standing = []
    for round_ in queries.rounds(db, _case_of(db, hearing_id)):
        told = audience is Audience.CHAIR or round_.closed_at is not None
        given, due = queries.progress(db, round_.id) if told else (None, None)
        standing.append({"round": round_, "given": given, "due": due})
    return {"standing": standing}


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


PARTS = (
    Part(
        "opinions",
        "opinions/_opinions.html",
        INSIDE,
        frozenset({RoundOpened, OpinionSubmitted, RoundClosed, SeatRecused, AlternateSeated}),
        opinions,
    ),
)
OWN_PARTS = (OwnPart("opinion", "opinions/_opinion.html", frozenset({Role.CHAIR, Role.MEMBER}), opinion),)
