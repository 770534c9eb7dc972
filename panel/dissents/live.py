"""The parts of the live page that dissents own. Names are shown inside the panel only."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from panel.committees import queries as committees
from panel.core import hooks, words
from panel.core.security import INSIDE, Actor, Audience, Role
from panel.dissents import events, queries, rules
from panel.live.parts import OwnPart, Part
from panel.record.events import Event


def dissents(db: Session, hearing_id: str, audience: Audience, now: datetime) -> dict[str, Any]:
    """Load the dissents of the hearing's case."""
    hearing = hooks.hearing(db, hearing_id)
    return {"told": queries.told(db, hearing.case_id) if hearing else [], "words": words}


def dissent(db: Session, hearing_id: str, actor: Actor, now: datetime) -> dict[str, Any] | None:
    """Load what the reader may file, join, add to or withdraw; None before there is anything to dissent from."""
    hearing = hooks.hearing(db, hearing_id)
    phase = hooks.phase_of(db, hearing_id)
    seat_id = actor.seat_in(hearing.case_id) if hearing else None
    if seat_id is None or phase in rules.BEFORE:
        return None
    told = queries.told(db, hearing.case_id)
    standing = [one for one in told if one.dissent.withdrawn_at is None]
    others = [one for one in standing if one.dissent.seat_id != seat_id]
    return {
        "hearing_id": hearing_id,
        "why_not": rules.why_not_time(phase, still_open=hooks.dissents_open(db, hearing_id)),
        "subjects": queries.subjects(db, hearing_id),
        "questions": queries.questions(db, hearing.case_id),
        "considerations": queries.considerations(db, hearing.case_id),
        "mine": [one for one in standing if one.dissent.seat_id == seat_id],
        "joinable": [one for one in others if seat_id not in one.joined_seats],
        "published_names": committees.procedure_rules(db, hearing.case_id).published_names,
        "words": words,
    }


FILED: frozenset[type[Event]] = frozenset(
    {
        events.DissentFiled, events.DissentJoined, events.AddendumFiled, events.DissentWithdrawn,
        events.DissentAnswered,
    }
)  # fmt: skip

PARTS = (Part("dissents", "dissents/_dissents.html", INSIDE, FILED, dissents),)
OWN_PARTS = (OwnPart("dissent", "dissents/_dissent.html", frozenset({Role.CHAIR, Role.MEMBER}), dissent),)
