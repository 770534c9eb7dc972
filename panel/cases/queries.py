"""Reads of the dossier."""

from collections.abc import Iterable, Sequence

from sqlmodel import Session, col, func, select

from panel.accounts.models import Person
from panel.cases.events import PersonAssigned
from panel.cases.models import Assignment, Case, Exhibit, FactualQuestion, OriginalObjection, VerificationReport
from panel.core.db import remembered
from panel.core.security import Actor, Role, Standing
from panel.record import queries as record


def case(db: Session, case_id: str) -> Case | None:
    """Return a case."""
    return db.get(Case, case_id)


def title_of_stream(db: Session, token: str) -> str | None:
    """Return the title of the case whose events have this record token, or None."""
    return db.exec(select(Case.title).where(Case.record_token == token)).first()


def by_number(db: Session, number: str) -> Case | None:
    """Return the case of this number, or of this number among the demo's cases."""
    if found := db.exec(select(Case).where(Case.number == number)).first():
        return found
    return db.exec(select(Case).where(Case.demo_number == int(number))).first() if number.isdecimal() else None


def cases_of(db: Session, actor: Actor) -> Sequence[Case]:
    """Return the cases in which somebody has a part, the newest first; those that they are recused from, too."""
    mine = select(Case).where(col(Case.id).in_(list(actor.standings)))
    return db.exec(mine.order_by(col(Case.opened_at).desc(), col(Case.number))).all()


def exhibit(db: Session, exhibit_id: str) -> Exhibit | None:
    """Return an exhibit."""
    return db.get(Exhibit, exhibit_id)


def exhibits(db: Session, case_id: str) -> Sequence[Exhibit]:
    """Return a case's exhibits by number."""
    return db.exec(select(Exhibit).where(Exhibit.case_id == case_id).order_by(col(Exhibit.number))).all()


def filed_bytes(db: Session, case_id: str) -> int:
    """Return how many bytes of files a case holds."""
    files = select(func.coalesce(func.sum(Exhibit.size), 0)).where(Exhibit.case_id == case_id, Exhibit.file_name != "")
    return db.exec(files).one()


def next_exhibit(db: Session, case_id: str) -> int:
    """Return the number of a case's next exhibit."""
    return max((found.number for found in exhibits(db, case_id)), default=0) + 1


def questions(db: Session, case_id: str) -> Sequence[FactualQuestion]:
    """Return the list of factual questions, in order; empty before it is settled."""
    found = select(FactualQuestion).where(FactualQuestion.case_id == case_id)
    return db.exec(found.order_by(col(FactualQuestion.number))).all()


def verification(db: Session, case_id: str) -> VerificationReport | None:
    """Return the verification report."""
    return db.exec(select(VerificationReport).where(VerificationReport.case_id == case_id)).first()


def objections(db: Session, case_id: str) -> Sequence[OriginalObjection]:
    """Return the objections in the original decision that the verification report examined, by number."""
    examined = select(OriginalObjection).where(OriginalObjection.case_id == case_id)
    return db.exec(examined.order_by(col(OriginalObjection.number))).all()


def recommended(db: Session, case_id: str) -> str | None:
    """Return the outcome that the verification report recommends; a motion for another one departs from it."""
    report = verification(db, case_id)
    return report.recommendation.value if report else None


@remembered
def assigned(db: Session, case_id: str, *roles: Role, ended: bool = False) -> Sequence[Assignment]:
    """Return the duties of these roles in a case, in the order in which they were given; ended ones where asked for.

    Roles are named always: a case may have hundreds of observers.
    """
    held = select(Assignment).where(Assignment.case_id == case_id, col(Assignment.role).in_(roles))
    if not ended:
        held = held.where(col(Assignment.ended_at).is_(None))
    return db.exec(held.order_by(col(Assignment.created_at), col(Assignment.id))).all()


def standings(db: Session, person_id: str) -> list[Standing]:
    """Return what a person is in each case by assignment (security.STANDINGS)."""
    held = select(Assignment).where(Assignment.person_id == person_id, col(Assignment.ended_at).is_(None))
    return [Standing(a.case_id, a.role) for a in db.exec(held.order_by(col(Assignment.created_at)))]


def people_names(db: Session, ids: Iterable[str]) -> dict[str, str]:
    """Return the names of people by id."""
    found = select(Person.id, Person.name).where(col(Person.id).in_(list(ids)))
    return dict(db.exec(found).all())


def names_of_givers(db: Session, case_id: str, kind: str = PersonAssigned.kind) -> dict[str, str]:
    """Return the name of who gave each person of a case their duty, by the person's id; the command line has none."""
    given = record.given_by(db, db.get_one(Case, case_id).record_token, kind)
    names = people_names(db, given.values())
    return {person: names[giver] for person, giver in given.items()}
