"""Reads of summaries, and the facts that one is composed from."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from panel.accounts.models import Person
from panel.cases.models import Assignment, Case
from panel.committees.models import Recusal, Seat
from panel.decisions.models import CorrectiveMeasure, Decision, Finding
from panel.dissents.models import Answer, Dissent, Joining
from panel.hearings.models import Hearing, Stage
from panel.publication.models import Summary, SummaryState
from panel.votes.models import Motion, MotionState, Tally


@dataclass(frozen=True)
class Source:
    """Everything that the whitelist of a summary may draw from, in the order of the record."""

    case: Case
    hearings: Sequence[Hearing]
    stages: Sequence[Stage]
    seats: Sequence[Seat]
    recused: frozenset[str]
    motions: Sequence[tuple[Motion, Tally]]
    dissents: Sequence[tuple[Dissent, int, Answer | None]]
    finding: Finding
    decision: Decision
    measures: Sequence[CorrectiveMeasure]
    people: Sequence[str]


def summary_of(db: Session, case_id: str) -> Summary | None:
    """Return the summary of a case."""
    return db.exec(select(Summary).where(Summary.case_id == case_id)).first()


def by_slug(db: Session, slug: str) -> Summary | None:
    """Return a summary that the public may read, or its tombstone."""
    found = db.exec(select(Summary).where(Summary.slug == slug)).first()
    return found if found is not None and found.state is not SummaryState.DRAFT else None


def published(db: Session) -> Sequence[Summary]:
    """Return the published summaries, the newest first."""
    order = col(Summary.published_at).desc()
    return db.exec(select(Summary).where(Summary.state == SummaryState.PUBLISHED).order_by(order)).all()


def decision_of(db: Session, case_id: str) -> Decision | None:
    """Return the authority's decision in a case."""
    return db.exec(select(Decision).where(Decision.case_id == case_id)).first()


def source(db: Session, case: Case) -> Source:
    """Load what the summary of a decided case draws from."""
    seats = db.exec(select(Seat).where(Seat.case_id == case.id).order_by(col(Seat.number))).all()
    decision = db.exec(select(Decision).where(Decision.case_id == case.id)).one()
    order = col(CorrectiveMeasure.number)
    measures = db.exec(select(CorrectiveMeasure).where(CorrectiveMeasure.case_id == case.id).order_by(order)).all()
    return Source(
        case=case,
        hearings=db.exec(select(Hearing).where(Hearing.case_id == case.id)).all(),
        stages=db.exec(select(Stage).where(Stage.case_id == case.id).order_by(col(Stage.began_at))).all(),
        seats=seats,
        recused=frozenset(r.seat_id for r in db.exec(select(Recusal).where(Recusal.case_id == case.id))),
        motions=_motions(db, case.id),
        dissents=_dissents(db, case.id),
        finding=db.exec(select(Finding).where(Finding.case_id == case.id)).one(),
        decision=decision,
        measures=measures,
        people=_people(db, case.id, seats),
    )


def _motions(db: Session, case_id: str) -> list[tuple[Motion, Tally]]:
    wanted = select(Motion, Tally).join(Tally, col(Tally.motion_id) == Motion.id)
    wanted = wanted.where(Motion.case_id == case_id, Motion.state == MotionState.CLOSED)
    return [(motion, tally) for motion, tally in db.exec(wanted.order_by(col(Motion.number)))]


def _dissents(db: Session, case_id: str) -> list[tuple[Dissent, int, Answer | None]]:
    answers = {a.dissent_id: a for a in db.exec(select(Answer).where(Answer.case_id == case_id))}
    joined = [j.dissent_id for j in db.exec(select(Joining).where(Joining.case_id == case_id))]
    filed = select(Dissent).where(Dissent.case_id == case_id, col(Dissent.withdrawn_at).is_(None))
    found = db.exec(filed.order_by(col(Dissent.number)))
    return [(dissent, joined.count(dissent.id), answers.get(dissent.id)) for dissent in found]


def _people(db: Session, case_id: str, seats: Sequence[Seat]) -> list[str]:
    assigned = db.exec(select(Assignment.person_id).where(Assignment.case_id == case_id)).all()
    ids = {*assigned, *(seat.person_id for seat in seats)}
    return sorted(db.exec(select(Person.name).where(col(Person.id).in_(ids))))
