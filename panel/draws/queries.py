"""Reads: draws, contributions, offers, and who of the pool can be drawn."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, func, select

from panel.accounts import queries as accounts
from panel.accounts.models import Person
from panel.cases import queries as cases
from panel.cases.models import Case
from panel.committees import queries as committees
from panel.committees import rules as committee_rules
from panel.committees.models import RosterMember, Seat
from panel.core import security
from panel.draws import rules
from panel.draws.draw import Candidate, Terms
from panel.draws.models import Contribution, Contributor, Draw, DrawState, OfferState, SeatOffer


def draw(db: Session, draw_id: str) -> Draw | None:
    """Return a draw."""
    return db.get(Draw, draw_id)


def draw_for_update(db: Session, draw_id: str) -> Draw:
    """Return a draw and hold its row until the act is committed."""
    return db.exec(select(Draw).where(Draw.id == draw_id).with_for_update()).one()


def of_case(db: Session, case_id: str) -> Sequence[Draw]:
    """Return a case's draws by number, void ones included."""
    return db.exec(select(Draw).where(Draw.case_id == case_id).order_by(col(Draw.number))).all()


def current(db: Session, case_id: str) -> Draw | None:
    """Return the draw that is under way or was held; None where there is none, or every one is void."""
    return next((one for one in reversed(of_case(db, case_id)) if one.state is not DrawState.VOID), None)


def contributions(db: Session, draw_id: str) -> dict[Contributor, Contribution]:
    """Return what was contributed to a draw, in the order in which it goes into the seed."""
    given = db.exec(select(Contribution).where(Contribution.draw_id == draw_id)).all()
    found = {one.contributor: one for one in given}
    return {contributor: found[contributor] for contributor in Contributor if contributor in found}


def contributor(drawing: Draw, person_id: str) -> Contributor | None:
    """Return as what somebody contributes to a draw."""
    return {drawing.chair_id: Contributor.CHAIR, drawing.scrutineer_id: Contributor.SCRUTINEER}.get(person_id)


def offer(db: Session, offer_id: str) -> SeatOffer | None:
    """Return an offer."""
    return db.get(SeatOffer, offer_id)


def offer_for_update(db: Session, offer_id: str) -> SeatOffer:
    """Return an offer and hold its row until the act is committed."""
    return db.exec(select(SeatOffer).where(SeatOffer.id == offer_id).with_for_update()).one()


def offers(db: Session, draw_id: str) -> Sequence[SeatOffer]:
    """Return a draw's offers in the order in which they were made."""
    made = select(SeatOffer).where(SeatOffer.draw_id == draw_id)
    return db.exec(made.order_by(col(SeatOffer.number))).all()


def waiting_for(db: Session, person_id: str) -> Sequence[SeatOffer]:
    """Return the offers that somebody has not answered yet."""
    mine = select(SeatOffer).where(SeatOffer.person_id == person_id, SeatOffer.state == OfferState.OPEN)
    return db.exec(mine.order_by(col(SeatOffer.created_at))).all()


def contributing(db: Session, person_id: str) -> Sequence[Draw]:
    """Return the draws that somebody contributes to and that are not over."""
    mine = (col(Draw.chair_id) == person_id) | (col(Draw.scrutineer_id) == person_id)
    under_way = col(Draw.state).in_([DrawState.PREPARED, DrawState.FIXED])
    return db.exec(select(Draw).where(mine, under_way).order_by(col(Draw.created_at))).all()


def awaits(db: Session, drawing: Draw, person_id: str) -> bool:
    """Say whether a draw waits for somebody to commit themselves, or to reveal."""
    mine = contributor(drawing, person_id)
    given = contributions(db, drawing.id).get(mine) if mine else None
    return given is None if drawing.state is DrawState.PREPARED else given is not None and not given.secret


@dataclass(frozen=True)
class Pooled:
    """Somebody of the pool: whether they can be drawn for a case, or the code of why not."""

    member: RosterMember
    person: Person
    excluded: str


def pool(db: Session, case: Case, chair_id: str, now: datetime, zone: ZoneInfo) -> list[Pooled]:
    """Return the pool for a case, by category and name; whoever is to take the chair is left out."""
    composition, found = committees.procedure_rules(db, case.id).composition, []
    served, last = committees.cases_served(db, now, zone), _last_seated(db)
    for member, person in committees.roster(db):
        if person.id == chair_id:
            continue
        this_year = served[person.id].this_year if person.id in served else 0
        why = rules.excluded(
            composition, part=case.id in security.standings_of(db, person.id),
            barred=accounts.why_not_part(db, person.id) is not None,
            state=committee_rules.availability(member, person, now.astimezone(zone).date()),
            this_year=this_year, since=now - last[person.id] if person.id in last else None,
        )  # fmt: skip
        found.append(Pooled(member, person, why))
    return found


def _last_seated(db: Session) -> dict[str, datetime]:
    """Return when each person took their last seat in a committee."""
    taken = select(Seat.person_id, func.max(Seat.created_at)).where(col(Seat.alternate).is_(False))
    return dict(db.exec(taken.group_by(Seat.person_id)).all())


def seats_to_draw(db: Session, case_id: str, chair_category: str) -> dict[str, int]:
    """Return how many seats of each category are drawn; the chair has one of theirs already."""
    procedure = committees.procedure_rules(db, case_id)
    wanted = {category: procedure.default_seats(category) for category in procedure.categories}
    wanted[chair_category] -= 1
    return {category: number for category, number in wanted.items() if number > 0}


def terms_of(drawing: Draw) -> Terms:
    """Return what a draw must fill."""
    return Terms(drawing.terms["seats"], drawing.terms["per_unit"], drawing.terms["held"])


def candidates_of(drawing: Draw) -> list[Candidate]:
    """Return whom a draw is held among."""
    return [Candidate(one["id"], one["category"], one["unit"]) for one in drawing.candidates]


def next_in(drawing: Draw, category: str, made: Sequence[SeatOffer]) -> str | None:
    """Return the next alternate of a category who has no offer and whose unit has room; None where there is nobody."""
    asked = {one.candidate for one in made}
    units = {one["id"]: one["unit"] for one in drawing.candidates}
    terms, full = terms_of(drawing), Counter[str]()
    for one in made:
        full[units[one.candidate]] += one.state is not OfferState.DECLINED
    order = (*drawing.drawn["members"].get(category, ()), *drawing.drawn["alternates"].get(category, ()))
    waiting = (one for one in order if one not in asked)
    return next((one for one in waiting if full[units[one]] < terms.room(units[one])), None)


def witnesses(db: Session, case_id: str) -> list[Person]:
    """Return who may be the scrutineer of a case's draw, by name."""
    held = {a.person_id for role in rules.WITNESSES for a in cases.assigned(db, case_id, role)}
    found = [
        person for person in db.exec(select(Person).where(col(Person.id).in_(held))).all() if not person.disabled_at
    ]
    return sorted(found, key=lambda person: person.name)
