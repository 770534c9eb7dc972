"""Reads: who sits, who stood aside, who is in the room."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, case, func
from sqlalchemy import select as core_select
from sqlmodel import Session, SQLModel, col, select

from panel.accounts.models import Person
from panel.accounts.queries import people_by_login
from panel.cases import queries as cases
from panel.cases.models import Case
from panel.committees import rules
from panel.committees.events import SeatTaken
from panel.committees.models import (
    Attendance,
    Category,
    Committee,
    InterestDeclaration,
    Recusal,
    RecusalRefusal,
    RosterMember,
    Seat,
)
from panel.committees.roster import Line, Words, likeness
from panel.core import hooks
from panel.core.db import core, remembered
from panel.core.errors import Reason
from panel.core.security import Actor, Role, Standing
from panel.core.text import nfc
from panel.rulebook import queries as rulebook
from panel.rulebook.rules import ProcedureRules

_SEATS = SQLModel.metadata.tables["seat"].c
_SITTING = core_select(_SEATS.person_id, _SEATS.id, _SEATS.chair).where(
    _SEATS.case_id == bindparam("case"), _SEATS.alternate.is_(False)
)

ROSTER_WORDS = Path(__file__).parent.parent / "rulepacks" / "roster.toml"

ENDED, SCHEDULED = "ended", "scheduled"


@cache
def roster_words() -> Words:
    """Return the words by which a pasted list is read."""
    body = tomllib.loads(ROSTER_WORDS.read_text(encoding="utf-8"))
    return Words(body["columns"], body["categories"])


def roster_member(db: Session, member_id: str) -> RosterMember | None:
    """Return somebody's place on the roster, or None: whoever is off it has none."""
    member = db.get(RosterMember, member_id)
    return member if member is not None and member.ended_at is None else None


def roster(db: Session) -> Sequence[tuple[RosterMember, Person]]:
    """Return who is on the roster now, by category and name."""
    now = select(RosterMember, Person).join(Person).where(col(RosterMember.ended_at).is_(None))
    order = {category: number for number, category in enumerate(Category)}
    return sorted(db.exec(now).all(), key=lambda pair: (order[pair[0].category], pair[1].name, pair[1].login))


@dataclass(frozen=True)
class Served:
    """In how many committees somebody has a seat: ever, and of those formed in the present calendar year."""

    ever: int = 0
    this_year: int = 0


def cases_served(db: Session, now: datetime, zone: ZoneInfo) -> dict[str, Served]:
    """Return who has served, counted from the seats, by the person's id; neither the recused nor waiting alternates."""
    year = datetime(now.astimezone(zone).year, 1, 1, tzinfo=zone)
    sat = (
        select(Seat.person_id, func.count(), func.sum(case((col(Committee.created_at) >= year, 1), else_=0)))
        .join(Committee)
        .join(Recusal, isouter=True)
        .where(col(Recusal.id).is_(None), col(Seat.alternate).is_(False))
        .group_by(Seat.person_id)
    )
    return {person_id: Served(ever, this_year) for person_id, ever, this_year in db.exec(sat)}


@dataclass(frozen=True)
class Checked:
    """A line of a list as it would be taken: what is wrong with it, what to look at, and whom it concerns.

    `there`: this person is on the roster already; `changes`: the columns in which the line says something else of them.
    """

    line: Line
    problem: Reason | None
    flags: tuple[Reason, ...] = ()
    there: bool = False
    changes: tuple[str, ...] = ()


def checked(db: Session, lines: Sequence[Line]) -> list[Checked]:
    """Return each line of a list with what is wrong with it, and what the roster has of this person already."""
    known = people_by_login(db, {nfc(line.login) for line in lines})
    now = roster(db)
    there = {person.id: member for member, person in now}
    alike = {likeness(person.name, member.unit): person for member, person in now}
    return [_checked(line, known.get(nfc(line.login)), there, alike) for line in lines]


def _checked(
    line: Line, account: Person | None, there: Mapping[str, RosterMember], alike: Mapping[tuple[str, str], Person]
) -> Checked:
    member = there.get(account.id) if account is not None else None
    problem = rules.line_problem(line, account, member)
    flags = [Reason(rules.FLAGS[code]) for code in line.flags]
    double = alike.get(likeness(line.name, line.unit))
    if member is None and double is not None:
        flags.append(
            Reason("On the roster somebody of this name and unit signs in as %(login)s already.", login=double.login)
        )
    if member is None or problem is not None:
        return Checked(line, problem, tuple(flags), member is not None)
    former, said = rules.place_of(member), rules.asked(line)
    return Checked(line, None, tuple(flags), True, tuple(each for each in said if said[each] != former[each]))


def problems(db: Session, site: object) -> list[hooks.Problem]:
    """Return what this area finds missing (hooks.PROBLEMS): nobody is on the roster."""
    if db.exec(select(RosterMember.id).where(col(RosterMember.ended_at).is_(None)).limit(1)).first() is not None:
        return []
    title, remedy = Reason("Nobody is on the committee's roster."), Reason("Import a list")
    return [hooks.Problem(title, remedy, "/administration/roster/import")]


def hearing_now(db: Session, case_id: str) -> str | None:
    """Return the hearing of a case that is under way or next to come, or None."""
    return next((h.id for h in hooks.hearings_of_case(db, case_id) if h.phase != ENDED), None)


def committees(db: Session) -> Sequence[Committee]:
    """Return every committee in the order in which they were formed."""
    return db.exec(select(Committee).order_by(col(Committee.created_at), col(Committee.id))).all()


def committee_of(db: Session, case_id: str) -> Committee | None:
    """Return a case's committee."""
    return db.exec(select(Committee).where(Committee.case_id == case_id)).first()


@remembered
def procedure_rules(db: Session, case_id: str) -> ProcedureRules:
    """Return the rules of procedure that a case runs under."""
    return rulebook.procedure_rules(db, db.get_one(Case, case_id).rules_id)


def seat(db: Session, seat_id: str) -> Seat | None:
    """Return a seat."""
    return db.get(Seat, seat_id)


@remembered
def all_seats(db: Session, case_id: str) -> Sequence[Seat]:
    """Return every seat of a case by number: the recused and the waiting alternates, too."""
    return db.exec(select(Seat).where(Seat.case_id == case_id).order_by(col(Seat.number))).all()


def duties_by_name(db: Session, case_id: str) -> dict[str, str]:
    """Return what each person with a seat is by the seat (rulepacks/duties.toml), by name; the recused, too."""
    every = all_seats(db, case_id)
    names = cases.people_names(db, [seat.person_id for seat in every])
    return {names[seat.person_id]: rules.duty_of(seat) for seat in every}


def givers(db: Session, case_id: str) -> dict[str, str]:
    """Return the name of who seated each person of a case, by the person's id; the command line has none."""
    return cases.names_of_givers(db, case_id, SeatTaken.kind)


@remembered
def seats(db: Session, case_id: str) -> list[Seat]:
    """Return the members due to attend (应到会委员) by number: not recused, alternates only once moved up."""
    aside = recused(db, case_id)
    return [seat for seat in all_seats(db, case_id) if seat.id not in aside and not seat.alternate]


def seat_of(db: Session, actor: Actor, case_id: str) -> Seat | None:
    """Return somebody's seat in a case; None for the recused and for alternates that wait."""
    mine = select(Seat).where(
        Seat.case_id == case_id, Seat.person_id == actor.person_id, col(Seat.alternate).is_(False)
    )
    found = db.exec(mine).first()
    return found if found is not None and found.id not in recused(db, case_id) else None


@dataclass(frozen=True)
class Sitting:
    """A seat as far as a ballot asks; `seat_of` for the hot act, without a row."""

    id: str
    chair: bool


def sitting(db: Session, actor: Actor, case_id: str) -> Sitting | None:
    """Return somebody's seat in a case as it stands now; None for the recused and for alternates that wait."""
    found = _sitting(db, case_id).get(actor.person_id)
    return found if found is not None and found.id not in recused(db, case_id) else None


@remembered
def _sitting(db: Session, case_id: str) -> dict[str, Sitting]:
    rows = core(db).execute(_SITTING, {"case": case_id})
    return {person: Sitting(id, chair) for person, id, chair in rows}


def chair(db: Session, case_id: str) -> Seat | None:
    """Return the chair's seat."""
    return next((seat for seat in seats(db, case_id) if seat.chair), None)


@remembered
def recusals(db: Session, case_id: str) -> Sequence[Recusal]:
    """Return a case's recusals in the order of the record."""
    return db.exec(select(Recusal).where(Recusal.case_id == case_id).order_by(col(Recusal.entry))).all()


@remembered
def recused(db: Session, case_id: str) -> set[str]:
    """Return the seats that stand aside."""
    return set(db.exec(select(Recusal.seat_id).where(Recusal.case_id == case_id)).all())


def vacant(db: Session, case_id: str) -> dict[str, Category]:
    """Return the recused seats for which no alternate has moved up, with their categories."""
    every, aside = all_seats(db, case_id), recused(db, case_id)
    filled = {seat.replaces for seat in every}
    return {s.id: s.category for s in every if s.id in aside and s.id not in filled and not s.alternate}


@remembered
def declarations(db: Session, case_id: str) -> dict[str, InterestDeclaration]:
    """Return each seat's newest declaration of interests."""
    order = (col(InterestDeclaration.created_at), col(InterestDeclaration.id))
    made = db.exec(select(InterestDeclaration).where(InterestDeclaration.case_id == case_id).order_by(*order))
    return {declaration.seat_id: declaration for declaration in made}


@remembered
def pending(db: Session, case_id: str) -> dict[str, InterestDeclaration]:
    """Return the requests for recusal that nobody has decided, by seat."""
    asked = select(InterestDeclaration.id).where(InterestDeclaration.case_id == case_id, InterestDeclaration.conflict)
    if db.exec(asked.limit(1)).first() is None:
        return {}
    refused = set(db.exec(select(RecusalRefusal.declaration_id).where(RecusalRefusal.case_id == case_id)).all())
    aside = recused(db, case_id)
    made = declarations(db, case_id).items()
    return {seat_id: d for seat_id, d in made if d.conflict and d.id not in refused and seat_id not in aside}


def undeclared(db: Session, case_id: str, hearing_id: str) -> list[Seat]:
    """Return the members who are present and have not declared their interests yet."""
    here, declared = _in_room(db, hearing_id), declarations(db, case_id)
    return [seat for seat in seats(db, case_id) if seat.id in here and seat.id not in declared]


@remembered
def _in_room(db: Session, hearing_id: str) -> set[str]:
    found = select(Attendance.seat_id).where(Attendance.hearing_id == hearing_id, col(Attendance.left_at).is_(None))
    return set(db.exec(found).all())


@remembered
def present(db: Session, hearing_id: str) -> set[str]:
    """Return the seats that are in the room and count: not recused, not suspended until a request is decided."""
    here, hearing = _in_room(db, hearing_id), hooks.hearing(db, hearing_id)
    return here - recused(db, hearing.case_id) - suspended(db, hearing.case_id) if here and hearing else here


@remembered
def suspended(db: Session, case_id: str) -> set[str]:
    """Return the seats that take no part until their request for recusal is decided (公职人员政务处分法 §48)."""
    asking = set(pending(db, case_id))
    return asking if asking and procedure_rules(db, case_id).suspended_until_decided else set()


@remembered
def stretches(db: Session, hearing_id: str) -> Sequence[Attendance]:
    """Return every stretch of presence in a hearing, in the order of arrival."""
    found = select(Attendance).where(Attendance.hearing_id == hearing_id)
    return db.exec(found.order_by(col(Attendance.arrived_at), col(Attendance.id))).all()


def quorum(db: Session, case_id: str, hearing_id: str) -> rules.Quorum:
    """Return the quorum of a hearing as it stands now."""
    return rules.quorum(procedure_rules(db, case_id), seats(db, case_id), present(db, hearing_id))


def standings(db: Session, person_id: str) -> list[Standing]:
    """Return what a person is in each case by a seat (security.STANDINGS); waiting alternates are nothing yet."""
    mine = db.exec(select(Seat).where(Seat.person_id == person_id, col(Seat.alternate).is_(False))).all()
    aside = db.exec(select(Recusal).where(col(Recusal.seat_id).in_([seat.id for seat in mine]))).all()
    recusal_of = {recusal.seat_id: recusal for recusal in aside}
    return [_standing(seat, recusal_of.get(seat.id)) for seat in mine]


def _standing(seat: Seat, recusal: Recusal | None) -> Standing:
    if recusal is None:
        return Standing(seat.case_id, Role.CHAIR if seat.chair else Role.MEMBER, seat.id)
    return Standing(seat.case_id, Role.RECUSED, seat.id, closed=why_closed(recusal))


def why_closed(recusal: Recusal) -> Reason:
    """Say to a recused person why the case is closed to them, and where the record says so."""
    return Reason(
        "You are recused from this case. Its pages are closed to you. "
        "Ground: %(ground)s. Number on the record: %(entry)s.",
        ground=Reason(rules.GROUNDS.get(recusal.ground, recusal.ground)), entry=recusal.entry,
    )  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A seat as the room sees it. `state`: present, absent, left, suspended, recused, alternate; `since` when.

    `in_room`: recorded as present, even while a request for recusal suspends the seat.
    """

    seat: Seat
    name: str
    state: str
    since: datetime | None
    in_room: bool
    declared: bool


@remembered
def places(db: Session, case_id: str, hearing_id: str) -> list[Place]:
    """Return every seat of the case by number, with its state in this hearing."""
    every = all_seats(db, case_id)
    names = dict(db.exec(select(Person.id, Person.name).where(col(Person.id).in_([s.person_id for s in every]))).all())
    aside = {recusal.seat_id: recusal for recusal in recusals(db, case_id)}
    waiting, declared = suspended(db, case_id), declarations(db, case_id)
    last = {stretch.seat_id: stretch for stretch in stretches(db, hearing_id)}
    here = {seat_id for seat_id, stretch in last.items() if stretch.left_at is None}
    return [
        Place(
            seat, names[seat.person_id], *_state(seat, aside, waiting, last.get(seat.id)),
            in_room=seat.id in here, declared=seat.id in declared,
        )
        for seat in every
    ]  # fmt: skip


def _state(
    seat: Seat, aside: dict[str, Recusal], waiting: set[str], stretch: Attendance | None
) -> tuple[str, datetime | None]:
    if seat.id in aside:
        return "recused", aside[seat.id].created_at
    if seat.alternate or seat.id in waiting:
        return ("alternate" if seat.alternate else "suspended"), None
    if stretch is None:
        return "absent", None
    return ("present", stretch.arrived_at) if stretch.left_at is None else ("left", stretch.left_at)
