"""Reads of summaries, and the facts that one is composed from."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from panel.accounts.models import Person
from panel.cases.models import Assignment, Case
from panel.committees.models import Recusal, Seat
from panel.decisions.models import CorrectiveMeasure, Decision, Finding
from panel.dissents import queries as filed
from panel.dissents.models import Answer, Dissent
from panel.hearings.models import Hearing, Stage
from panel.publication.models import Gist, Summary, SummaryState
from panel.rulebook import queries as rulebook
from panel.votes.models import Motion, MotionState, Tally


@dataclass(frozen=True)
class Published:
    """What the public may read of a dissent: the short text that its author approved, and what goes with it.

    `text` is empty where no text was approved; `author` where the rules publish no names.
    """

    dissent: Dissent
    text: str
    joined: int
    answer: Answer | None
    author: str


@dataclass(frozen=True)
class Source:
    """Everything that the whitelist of a summary may draw from, in the order of the record."""

    case: Case
    hearings: Sequence[Hearing]
    stages: Sequence[Stage]
    seats: Sequence[Seat]
    recused: frozenset[str]
    motions: Sequence[tuple[Motion, Tally]]
    dissents: Sequence[Published]
    finding: Finding
    decision: Decision
    measures: Sequence[CorrectiveMeasure]
    names: Sequence[str]


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
        dissents=_dissents(db, case),
        finding=db.exec(select(Finding).where(Finding.case_id == case.id)).one(),
        decision=decision,
        measures=measures,
        names=names(db, case),
    )


def _motions(db: Session, case_id: str) -> list[tuple[Motion, Tally]]:
    wanted = select(Motion, Tally).join(Tally, col(Tally.motion_id) == Motion.id)
    wanted = wanted.where(Motion.case_id == case_id, Motion.state == MotionState.CLOSED)
    return [(motion, tally) for motion, tally in db.exec(wanted.order_by(col(Motion.number)))]


def _dissents(db: Session, case: Case) -> list[Published]:
    answers, joined, gists = filed.answers(db, case.id), filed.joinings(db, case.id), newest_gists(db, case.id)
    names = filed.authors(db, case.id) if rulebook.procedure_rules(db, case.rules_id).published_names else {}

    def of(dissent: Dissent) -> Published:
        gist = gists.get(dissent.id)
        return Published(
            dissent=dissent, text=gist.text if gist is not None and gist.approved else "",
            joined=len(joined.get(dissent.id, [])), answer=answers.get(dissent.id),
            author=names.get(dissent.seat_id, ""),
        )  # fmt: skip

    return [of(dissent) for dissent in filed.standing(db, case.id)]


def gist(db: Session, gist_id: str) -> Gist | None:
    """Return a short text of a dissent."""
    return db.get(Gist, gist_id)


def gist_for_update(db: Session, gist_id: str) -> Gist:
    """Return a short text and hold its row until the act is committed."""
    found = select(Gist).where(Gist.id == gist_id).with_for_update()
    return db.exec(found.execution_options(populate_existing=True)).one()


def newest_gists(db: Session, case_id: str) -> dict[str, Gist]:
    """Return the newest short text of each dissent, by dissent."""
    found = db.exec(select(Gist).where(Gist.case_id == case_id).order_by(col(Gist.number)))
    return {gist.dissent_id: gist for gist in found}


def waiting_for(db: Session, case_id: str, seat_id: str) -> list[tuple[Dissent, Gist]]:
    """Return the dissents of a seat of which a short text waits for their answer, by number."""
    newest = newest_gists(db, case_id)
    mine = [(one, newest[one.id]) for one in filed.standing(db, case_id) if one.seat_id == seat_id and one.id in newest]
    return [(dissent, gist) for dissent, gist in mine if gist.answered_at is None]


def names(db: Session, case: Case) -> list[str]:
    """Return the names of a case's people and of its official: what is masked wherever the public reads of it."""
    assigned = db.exec(select(Assignment.person_id).where(Assignment.case_id == case.id)).all()
    seated = db.exec(select(Seat.person_id).where(Seat.case_id == case.id)).all()
    return [*sorted(db.exec(select(Person.name).where(col(Person.id).in_({*assigned, *seated})))), case.official]
