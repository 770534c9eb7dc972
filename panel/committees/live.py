"""The parts of the live page that committees own, and what they add to a case's file."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from panel.committees import events, queries, rules
from panel.committees.models import Category, Seat
from panel.core import geometry, hooks
from panel.core.db import remembered
from panel.core.hooks import Leaf
from panel.core.security import INSIDE, Actor, Audience, Role
from panel.live.parts import OwnPart, Part

NAMED = INSIDE | {Audience.HANDLER, Audience.PARTY, Audience.AUTHORITY}
"""Who is told the members' names (the party three days before, 检察听证规定 §10); others see numbers."""

TONES = {
    "present": "done",
    "absent": "wait",
    "left": "wait",
    "suspended": "warn",
    "recused": "recused",
    "alternate": "plain",
}


def attendance(db: Session, hearing_id: str, audience: Audience, now: datetime) -> dict[str, Any]:
    """Load who is in the room, and the quorum with its arithmetic; what changes behind closed doors is not told."""
    hearing = hooks.hearing(db, hearing_id)
    quorum = queries.quorum(db, hearing.case_id, hearing_id)
    return {
        "hidden": audience not in INSIDE and hooks.in_closed_session(db, hearing_id),
        "named": audience in NAMED,
        "inside": audience in INSIDE,
        "places": queries.places(db, hearing.case_id, hearing_id),
        "quorum": quorum,
        "why_not_quorum": rules.why_not_quorum(quorum),
        "picture": geometry.quorum(due=quorum.due, present=quorum.present, required=quorum.exact, strict=quorum.strict),
        "tones": TONES,
    }


def declaration(db: Session, hearing_id: str, actor: Actor, now: datetime) -> dict[str, Any] | None:
    """Load what the reader may do about seats: their own, and for chair and secretary the others'."""
    hearing = hooks.hearing(db, hearing_id)
    return {
        **desk(db, hearing.case_id, actor, hearing_id),
        "hearing_id": hearing_id,
        "presence": hooks.presence(hearing_id),
    }


def desk(db: Session, case_id: str, actor: Actor, hearing_id: str) -> dict[str, Any]:
    """Return the seats of a case as the reader may act on them in a hearing; empty: there is none yet."""
    role, procedure = actor.role_in(case_id), queries.procedure_rules(db, case_id)
    own, led = queries.seat_of(db, actor, case_id), _led(db, case_id, hearing_id, role)
    return {
        "case_id": case_id,
        "role": role,
        "mine": next((place for place in led["places"] if own is not None and place.seat.id == own.id), None),
        "declared": queries.declarations(db, case_id),
        **led,
        "orders": [place for place in led["orders"] if own != place.seat],
        "notes": role in rules.CLERKS,
        "grounds": [key for key in rules.GROUNDS if key in procedure.recusal_grounds],
        "ground_words": rules.GROUNDS,
        "ended": bool(hearing_id) and hooks.phase_of(db, hearing_id) == queries.ENDED,
        "tones": TONES,
    }


@remembered
def _led(db: Session, case_id: str, hearing_id: str, role: Role | None) -> dict[str, Any]:
    """Return what of a desk is alike for everybody in a role."""
    places, pending = queries.places(db, case_id, hearing_id), queries.pending(db, case_id)
    vacant, procedure = queries.vacant(db, case_id), queries.procedure_rules(db, case_id)
    return {
        "places": places,
        "pending": pending,
        "decides": [p for p in places if p.seat.id in pending and _decides(role, p.seat)],
        "orders": [p for p in places if p.state != "recused" and _decides(role, p.seat)],
        "alternates": [p for p in places if _is_next(p, places, vacant.values())]
        if role in {Role.CHAIR, Role.SECRETARY}
        else [],
        "successors": [p for p in places if _may_succeed(p, procedure.chair_categories)],
    }


def _is_next(place: queries.Place, places: Sequence[queries.Place], vacant: Collection[Category]) -> bool:
    """Say whether somebody may move up now: a place of their category is vacant, and they are next in its order."""
    seats, recused = [one.seat for one in places], {one.seat.id for one in places if one.state == "recused"}
    return place.seat.category in vacant and rules.next_alternate(place.seat.category, recused, seats) == place.seat


def _decides(role: Role | None, seat: Seat) -> bool:
    return rules.why_not_order(seat, role, None) is None


def _may_succeed(place: queries.Place, categories: tuple[str, ...]) -> bool:
    sitting = place.state not in {"recused", "alternate"} and not place.seat.chair
    return sitting and place.seat.category.value in categories


def declaration_leaf(reading: Any, case: Any) -> Leaf | None:
    """Put the reader's declaration, and the requests that they decide, on top of the case's file."""
    context = desk(reading.db, case.id, reading.me, queries.hearing_now(reading.db, case.id) or "")
    if context["mine"] is None and not context["decides"] and not context["alternates"]:
        return None
    return Leaf("top", "committees/_leaf_declaration.html", context)


def committee_leaf(reading: Any, case: Any) -> Leaf | None:
    """Put the committee, by category, into the case's file."""
    committee = queries.committee_of(reading.db, case.id)
    if committee is None:
        return None
    places = queries.places(reading.db, case.id, queries.hearing_now(reading.db, case.id) or "")
    categories = [
        (category, [place for place in places if place.seat.category.value == category])
        for category in queries.procedure_rules(reading.db, case.id).categories
    ]
    named = reading.me.audience_in(case.id) in NAMED
    givers = queries.givers(reading.db, case.id) if named else {}
    context = {"committee": committee, "categories": categories, "named": named, "tones": TONES, "givers": givers}
    return Leaf("main", "committees/_leaf_committee.html", context)


PARTS = (
    Part(
        name="attendance",
        template="committees/_attendance.html",
        audiences=frozenset(Audience) - {Audience.PUBLIC},
        touched_by=frozenset(
            {
                events.InterestsDeclared,
                events.SeatRecused,
                events.RecusalRefused,
                events.ChairNamed,
                events.AlternateSeated,
                events.MemberArrived,
                events.MemberLeft,
            }
        ),
        load=attendance,
    ),
)
OWN_PARTS = (
    OwnPart(
        name="declaration",
        template="committees/_declaration.html",
        roles=frozenset({Role.CHAIR, Role.MEMBER, Role.SECRETARY, Role.RECORDER}),
        load=declaration,
    ),
)
