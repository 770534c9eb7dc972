"""The parts of the live page that votes own."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from panel.cases import queries as cases
from panel.core import hooks, words
from panel.core.errors import Reason
from panel.core.security import Actor, Audience, Role
from panel.live.parts import OwnPart, Part
from panel.record.events import Event
from panel.votes import events, queries, rules
from panel.votes.models import Motion, MotionKind, MotionState
from panel.votes.queries import Chamber
from panel.votes.tally import Result


def motion(db: Session, hearing_id: str, audience: Audience, now: datetime) -> dict[str, Any]:
    """Load the motion that is open and the results that this audience may know."""
    shown = queries.all_shown(db, hearing_id, audience)
    being_voted_on = next((one for one in shown if one.motion.state is MotionState.OPEN), None)
    links = audience is not Audience.PROJECTOR
    return {"open": being_voted_on, "shown": shown, "links": links, "words": words}


def ballot(db: Session, hearing_id: str, actor: Actor, now: datetime) -> dict[str, Any] | None:
    """Load the reader's own ballot, while a motion is open."""
    being_voted_on = queries.open_motion(db, hearing_id)
    seat_id = actor.seat_in(being_voted_on.case_id) if being_voted_on else None
    if being_voted_on is None or seat_id is None:
        return None
    return {
        "motion": being_voted_on,
        "own": queries.own_ballot(db, being_voted_on, seat_id),
        "why_not": queries.why_no_ballot(db, being_voted_on, seat_id),
        "words": words,
    }


@dataclass(frozen=True)
class Listed:
    """A motion on the chair's list, with what may be done about it; `entitled` counts for those still to be put."""

    motion: Motion
    result: Result | None
    entitled: int
    why_not_open: Reason | None
    warning: Reason | None
    repeatable: bool
    why_no_last_call: Reason | None


def motions(db: Session, hearing_id: str, actor: Actor, now: datetime) -> dict[str, Any] | None:
    """Load the chair's list: what is open, what comes next and exactly what opening it will do."""
    hearing = hooks.hearing(db, hearing_id)
    if hearing is None:
        return None
    chamber = queries.chamber(db, hearing.case_id, hearing_id)
    listed = [_listed(chamber, one) for one in chamber.motions]
    being_voted_on = next((one for one in listed if one.motion.state is MotionState.OPEN), None)
    return {
        "hearing_id": hearing_id,
        "listed": listed,
        "open": being_voted_on,
        "turnout": queries.turnout_of(db, being_voted_on.motion, now) if being_voted_on else None,
        "next": next((one for one in listed if one.motion.state is MotionState.DRAFT), None),
        "unasked": _unasked(db, hearing.case_id),
        "why_not_move": rules.why_not_move(chamber.phase, MotionKind.FACT, None),
        "words": words,
    }


def _listed(chamber: Chamber, one: Motion) -> Listed:
    roll = chamber.roll(one) if one.state is MotionState.DRAFT else []
    entitled = sum(entry.entitled for entry in roll)
    return Listed(
        motion=one,
        result=chamber.results.get(one.id),
        entitled=entitled,
        why_not_open=chamber.why_not_open(one, roll),
        warning=rules.warning_entitled(entitled, chamber.procedure.advised_secret, one.secrecy),
        repeatable=chamber.why_not_repeat(one) is None,
        why_no_last_call=rules.why_not_last_call(one),
    )


def _unasked(db: Session, case_id: str) -> bool:
    asked = {one.factual_question_id for one in queries.of_case(db, case_id)}
    return any(question.id not in asked for question in cases.questions(db, case_id))


MOVED: frozenset[type[Event]] = frozenset(
    {
        events.MotionMoved,
        events.MotionOpened,
        events.LastCallMade,
        events.MotionClosed,
        events.MotionAnnulled,
        events.ResultAnnounced,
    }
)
"""An open ballot touches no part: nobody is told while voting is open."""

PARTS = (Part("motion", "votes/_motion.html", frozenset(Audience), MOVED, motion),)
OWN_PARTS = (
    OwnPart("ballot", "votes/_ballot.html", frozenset({Role.CHAIR, Role.MEMBER}), ballot),
    OwnPart("motions", "votes/_motions.html", frozenset({Role.CHAIR}), motions),
)
