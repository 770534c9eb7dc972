"""Writes: forming a committee, declaring interests, standing aside, moving up, coming and going."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from sqlmodel import col, select

from panel.accounts import queries as accounts
from panel.cases import queries as cases
from panel.committees import queries, rules
from panel.committees.events import (
    AlternateSeated,
    ChairNamed,
    CommitteeFormed,
    InterestsDeclared,
    MemberArrived,
    MemberLeft,
    RecusalRefused,
    SeatRecused,
    SeatTaken,
)
from panel.committees.models import (
    Attendance,
    Category,
    Committee,
    InterestDeclaration,
    Recusal,
    RecusalRefusal,
    Seat,
)
from panel.committees.rules import Member
from panel.core import hooks, security
from panel.core.errors import Forbidden, NotFound, require
from panel.core.security import Actor, Role
from panel.rulebook import queries as rulebook
from panel.work import Work


def form_committee(work: Work, actor: Actor | None, *, case_id: str, name: str, members: Sequence[Member]) -> Committee:
    """Form a case's committee; seats are numbered in the order of `members`, alternates last."""
    handlers = {a.person_id for a in cases.assigned(work.db, case_id, Role.HANDLER)}
    require(rules.why_not_form(queries.procedure_rules(work.db, case_id), members, handlers))
    committee = work.add(Committee(case_id=case_id, name=name))
    counts = Counter(member.category.value for member in members if not member.alternate)
    work.record(
        CommitteeFormed(
            case_id=case_id, actor_id=_id(actor), committee_id=committee.id, name=name,
            seats=dict(sorted(counts.items())),
        )
    )  # fmt: skip
    for number, member in enumerate(sorted(members, key=lambda member: member.alternate), start=1):
        _seat(work, actor, committee, number, member)
    return committee


def seat(
    work: Work, actor: Actor | None, *, committee_id: str, person_id: str, category: Category, unit: str = "",
) -> Seat:  # fmt: skip
    """Add an alternate to a committee; they wait until they move up."""
    committee = work.db.get_one(Committee, committee_id)
    number = max((s.number for s in queries.all_seats(work.db, committee.case_id)), default=0) + 1
    return _seat(work, actor, committee, number, Member(person_id, category, unit, alternate=True))


def _seat(work: Work, actor: Actor | None, committee: Committee, number: int, member: Member) -> Seat:
    held = security.standings_of(work.db, member.person_id).get(committee.case_id)
    require(rules.why_not_seat(rulebook.duty_rules(), member, held.role if held else None))
    require(accounts.why_not_part(work.db, member.person_id))
    taken = work.add(
        Seat(
            committee_id=committee.id, case_id=committee.case_id, person_id=member.person_id, number=number,
            category=member.category, unit=member.unit, chair=member.chair, alternate=member.alternate,
        )
    )  # fmt: skip
    work.record(
        SeatTaken(
            case_id=committee.case_id, actor_id=_id(actor), seat=taken.id, person_id=member.person_id,
            category=member.category.value, chair=member.chair, alternate=member.alternate,
        )
    )  # fmt: skip
    return taken


def declare(
    work: Work, actor: Actor, *, seat_id: str, conflict: bool, ground: str = "", statement: str = ""
) -> InterestDeclaration:
    """Declare one's interests; `conflict` asks for a recusal, and the seat takes no part until it is decided."""
    seat = _due(work, actor, seat_id, "interests.declare")
    require(rules.why_not_own(seat, actor.person_id), Forbidden)
    procedure, hearing_id = queries.procedure_rules(work.db, seat.case_id), _hearing(work, seat.case_id)
    phase = hooks.phase_of(work.db, hearing_id) if hearing_id else ""
    require(rules.why_not_declare(procedure, conflict=conflict, ground=ground, statement=statement, phase=phase))
    ground = ground if conflict else ""
    declaration = work.add(
        InterestDeclaration(
            seat_id=seat.id, case_id=seat.case_id, hearing_id=hearing_id or "", conflict=conflict, ground=ground,
            statement=statement, created_at=work.now,
        )
    )  # fmt: skip
    work.record(
        InterestsDeclared(
            **_where(work, seat.case_id, actor), seat=seat.id, conflict=conflict, ground=ground, statement=statement
        )
    )
    return declaration


def recuse(
    work: Work, actor: Actor, *, seat_id: str, ground: str, statement: str, successor: str | None = None
) -> Recusal:
    """Take a seat out of roll, quorum and base at once, and end its person's access.

    Called by the member (自行回避), by the chair, or for the chair's own seat by the organ, which names a `successor`.
    """
    seat = _seat_in_case(work, actor, seat_id, "recusals.order")
    procedure = queries.procedure_rules(work.db, seat.case_id)
    next_chair = queries.seat(work.db, successor) if successor else None
    own = queries.seat_of(work.db, actor, seat.case_id)
    require(rules.why_not_order(seat, _role(work, actor, seat), own.id if own else None), Forbidden)
    aside = seat.id in queries.recused(work.db, seat.case_id)
    sitting = {s.id for s in queries.seats(work.db, seat.case_id)}
    categories = procedure.chair_categories
    require(rules.why_not_recuse(seat, next_chair, recused=aside, sitting=sitting, chair_categories=categories))
    require(rules.why_not_ground(procedure, ground, statement))
    recusal = work.add(
        Recusal(
            seat_id=seat.id, case_id=seat.case_id, ground=ground, statement=statement, ordered_by=actor.person_id,
            created_at=work.now,
        )
    )  # fmt: skip
    work.db.flush()
    # Motions before the head of the record: row locks are taken in this order everywhere.
    for stand_aside in hooks.ON_RECUSAL:
        stand_aside(work, actor, seat)
    _out_of_room(work, actor, seat)
    recusal.entry = work.record(
        SeatRecused(
            **_where(work, seat.case_id, actor), seat=seat.id, category=seat.category.value, ground=ground,
            statement=statement,
        )
    )  # fmt: skip
    if next_chair is not None and seat.chair:
        _name_chair(work, actor, seat, next_chair)
    work.after_commit(partial(hooks.end_sockets, seat.person_id))
    return recusal


def _name_chair(work: Work, actor: Actor, before: Seat, after: Seat) -> None:
    before.chair, after.chair = False, True
    work.record(ChairNamed(**_where(work, after.case_id, actor), seat=after.id))
    work.after_commit(partial(hooks.end_sockets, after.person_id))


def refuse_recusal(work: Work, actor: Actor, *, seat_id: str, reason: str) -> RecusalRefusal:
    """Refuse a member's request for recusal: from here on they take part again."""
    seat = _seat_in_case(work, actor, seat_id, "recusals.refuse")
    request = queries.pending(work.db, seat.case_id).get(seat.id)
    require(rules.why_not_order(seat, _role(work, actor, seat), None), Forbidden)
    require(rules.why_not_refuse(pending=request is not None, reason=reason))
    assert request is not None
    refusal = work.add(
        RecusalRefusal(
            declaration_id=request.id, seat_id=seat.id, case_id=seat.case_id, reason=reason, refused_by=actor.person_id
        )
    )
    work.record(RecusalRefused(**_where(work, seat.case_id, actor), seat=seat.id, reason=reason))
    return refusal


def seat_alternate(work: Work, actor: Actor, *, seat_id: str) -> Seat:
    """Move an alternate up into the place of a recused member of the same category."""
    alternate = _seat_in_case(work, actor, seat_id, "alternates.seat")
    vacant = queries.vacant(work.db, alternate.case_id)
    recused, seats = queries.recused(work.db, alternate.case_id), queries.all_seats(work.db, alternate.case_id)
    require(rules.why_not_move_up(alternate, vacant, recused, seats))
    standing = security.standings_of(work.db, alternate.person_id).get(alternate.case_id)
    moved_up = Member(alternate.person_id, alternate.category)
    require(rules.why_not_seat(rulebook.duty_rules(), moved_up, standing.role if standing else None))
    alternate.replaces = next(id for id, category in vacant.items() if category is alternate.category)
    alternate.alternate = False
    work.record(
        AlternateSeated(
            **_where(work, alternate.case_id, actor), seat=alternate.id, category=alternate.category.value,
            replaces=alternate.replaces,
        )
    )  # fmt: skip
    return alternate


def arrive(work: Work, actor: Actor, *, hearing_id: str, seat_id: str | None = None) -> Attendance:
    """Note that a member is in the room: oneself, or by chair, secretary or recorder somebody else."""
    seat = _noted(work, actor, hearing_id, seat_id)
    here = _stretch(work, hearing_id, seat)
    aside = seat.id in queries.recused(work.db, seat.case_id)
    phase = hooks.phase_of(work.db, hearing_id)
    require(rules.why_not_arrive(seat, recused=aside, present=here is not None, phase=phase))
    stretch = work.add(Attendance(seat_id=seat.id, case_id=seat.case_id, hearing_id=hearing_id, arrived_at=work.now))
    work.record(MemberArrived(**_where(work, seat.case_id, actor, hearing_id), seat=seat.id))
    return stretch


def leave(work: Work, actor: Actor, *, hearing_id: str, seat_id: str | None = None) -> Attendance:
    """Note that a member has left the room; they may come back."""
    seat = _noted(work, actor, hearing_id, seat_id)
    stretch = _stretch(work, hearing_id, seat)
    require(rules.why_not_leave(present=stretch is not None))
    assert stretch is not None
    stretch.left_at = work.now
    work.record(MemberLeft(**_where(work, seat.case_id, actor, hearing_id), seat=seat.id))
    return stretch


def _noted(work: Work, actor: Actor, hearing_id: str, seat_id: str | None) -> Seat:
    """Return the seat whose presence is noted: the person's own, or another's of the same case."""
    hearing, actor = hooks.hearing(work.db, hearing_id), _as_of_now(work, actor)
    security.authorize(actor, "attendance.record", hearing)
    own = queries.seat_of(work.db, actor, hearing.case_id)
    seat = queries.seat(work.db, seat_id) if seat_id else own
    if seat is None or seat.case_id != hearing.case_id:
        raise NotFound
    require(rules.why_not_note(seat, own.id if own else None, actor.role_in(hearing.case_id)), Forbidden)
    return seat


def _out_of_room(work: Work, actor: Actor, seat: Seat) -> None:
    hearing_id = _hearing(work, seat.case_id)
    stretch = _stretch(work, hearing_id, seat) if hearing_id else None
    if stretch is not None:
        stretch.left_at = work.now
        work.record(MemberLeft(**_where(work, seat.case_id, actor), seat=seat.id))


def _stretch(work: Work, hearing_id: str, seat: Seat) -> Attendance | None:
    here = select(Attendance).where(
        Attendance.hearing_id == hearing_id, Attendance.seat_id == seat.id, col(Attendance.left_at).is_(None)
    )
    return work.db.exec(here.with_for_update()).first()


def _seat_in_case(work: Work, actor: Actor, seat_id: str, action: str) -> Seat:
    seat = work.db.exec(select(Seat).where(Seat.id == seat_id).with_for_update()).first()
    if seat is None:
        raise NotFound
    security.authorize(_as_of_now(work, actor), action, seat)
    return seat


def _as_of_now(work: Work, actor: Actor) -> Actor:
    """Return the actor with the standings of this moment: a seat may have been lost since the request came in."""
    return replace(actor, standings=security.standings_of(work.db, actor.person_id))


def _due(work: Work, actor: Actor, seat_id: str, action: str) -> Seat:
    """Return a seat that is neither recused nor waiting, as of now and not of when the page was drawn."""
    seat = _seat_in_case(work, actor, seat_id, action)
    if seat.id not in {due.id for due in queries.seats(work.db, seat.case_id)}:
        raise NotFound
    return seat


def _role(work: Work, actor: Actor, seat: Seat) -> Role | None:
    return _as_of_now(work, actor).role_in(seat.case_id)


def _hearing(work: Work, case_id: str) -> str | None:
    return queries.hearing_now(work.db, case_id)


def _where(work: Work, case_id: str, actor: Actor, hearing_id: str | None = None) -> dict[str, Any]:
    """Return what every event here says of where it happened; in closed session only those inside are told."""
    hearing_id = hearing_id or _hearing(work, case_id)
    closed = hearing_id is not None and hooks.in_closed_session(work.db, hearing_id)
    return {"case_id": case_id, "hearing_id": hearing_id, "closed": closed, "actor_id": actor.person_id}


def _id(actor: Actor | None) -> str | None:
    return actor.person_id if actor else None
