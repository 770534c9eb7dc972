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
from panel.votes import actions, events, queries, rules
from panel.votes.models import Motion, MotionKind, MotionState
from panel.votes.queries import Turnout
from panel.votes.tally import Result, Rule


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
    """A motion on the chair's list, with what may be done about it."""

    motion: Motion
    result: Result | None
    entitled: int
    why_not_open: Reason | None
    repeatable: bool
    why_no_last_call: Reason | None


def motions(db: Session, hearing_id: str, actor: Actor, now: datetime) -> dict[str, Any] | None:
    """Load the chair's list: what is open, what comes next and exactly what opening it will do."""
    hearing = hooks.hearing(db, hearing_id)
    if hearing is None:
        return None
    listed = [_listed(db, one) for one in queries.motions(db, hearing_id)]
    being_voted_on = next((one for one in listed if one.motion.state is MotionState.OPEN), None)
    phase = hooks.phase_of(db, hearing_id)
    return {
        "hearing_id": hearing_id,
        "listed": listed,
        "open": being_voted_on,
        "turnout": _turnout(db, being_voted_on, now),
        "next": next((one for one in listed if one.motion.state is MotionState.DRAFT), None),
        "unasked": _unasked(db, hearing.case_id),
        "why_not_move": rules.why_not_move(phase, MotionKind.FACT, None),
        "words": words,
    }


def _listed(db: Session, one: Motion) -> Listed:
    every = queries.motions(db, one.hearing_id)
    roll = actions.roll_now(db, one) if one.state is MotionState.DRAFT else list(queries.roll(db, one.id))
    why_not_repeat = rules.why_not_repeat(one, every, queries.deferred(db, every), Rule.from_json(one.rule))
    return Listed(
        motion=one,
        result=queries.tally_of(db, one.id),
        entitled=sum(entry.entitled for entry in roll),
        why_not_open=actions.why_not_open_now(db, one, roll),
        repeatable=why_not_repeat is None,
        why_no_last_call=rules.why_not_last_call(one),
    )


def _unasked(db: Session, case_id: str) -> bool:
    asked = {one.factual_question_id for one in queries.of_case(db, case_id)}
    return any(question.id not in asked for question in cases.questions(db, case_id))


def _turnout(db: Session, being_voted_on: Listed | None, now: datetime) -> Turnout | None:
    return queries.turnout_of(db, being_voted_on.motion, now) if being_voted_on else None


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
