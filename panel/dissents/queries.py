"""Reads: dissents, their addenda, who joined them, what the authority answered."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from panel.cases import queries as cases
from panel.cases.models import Case, FactualQuestion
from panel.committees import queries as committees
from panel.core.db import remembered
from panel.dissents.models import Addendum, Answer, Dissent, Joining, SubjectKind
from panel.rulebook import queries as rulebook
from panel.rulebook.rules import Consideration
from panel.votes import queries as votes
from panel.votes.models import Motion, MotionKind, MotionState, Secrecy


def dissent(db: Session, dissent_id: str) -> Dissent | None:
    """Return a dissent."""
    return db.get(Dissent, dissent_id)


def dissent_for_update(db: Session, dissent_id: str) -> Dissent:
    """Return a dissent and hold its row until the act is committed."""
    return db.exec(select(Dissent).where(Dissent.id == dissent_id).with_for_update()).one()


def of_case(db: Session, case_id: str) -> Sequence[Dissent]:
    """Return a case's dissents by number, withdrawn ones included."""
    return db.exec(select(Dissent).where(Dissent.case_id == case_id).order_by(col(Dissent.number))).all()


def standing(db: Session, case_id: str) -> list[Dissent]:
    """Return the dissents that were not withdrawn, by number."""
    return [d for d in of_case(db, case_id) if d.withdrawn_at is None]


def joinings(db: Session, case_id: str) -> dict[str, list[Joining]]:
    """Return who joined, by dissent, in the order of joining."""
    found: dict[str, list[Joining]] = {}
    for joining in db.exec(select(Joining).where(Joining.case_id == case_id).order_by(col(Joining.created_at))).all():
        found.setdefault(joining.dissent_id, []).append(joining)
    return found


def addenda(db: Session, case_id: str) -> dict[str, list[Addendum]]:
    """Return what was added, by dissent, in the order of adding."""
    found: dict[str, list[Addendum]] = {}
    for added in db.exec(select(Addendum).where(Addendum.case_id == case_id).order_by(col(Addendum.number))).all():
        found.setdefault(added.dissent_id, []).append(added)
    return found


def answers(db: Session, case_id: str) -> dict[str, Answer]:
    """Return the authority's answers by dissent."""
    return {answer.dissent_id: answer for answer in db.exec(select(Answer).where(Answer.case_id == case_id)).all()}


def unanswered(db: Session, case_id: str) -> list[Dissent]:
    """Return the dissents that still need an answer, by number."""
    answered = answers(db, case_id)
    return [dissent for dissent in standing(db, case_id) if dissent.id not in answered]


def considerations(db: Session, case_id: str) -> tuple[Consideration, ...]:
    """Return the considerations that a case runs under, in order."""
    return rulebook.considerations(db, db.get_one(Case, case_id).considerations_id).items


def decided(motion: Motion) -> bool:
    """Say whether voting on a motion is over, so that one may dissent from what came of it."""
    return motion.state in {MotionState.CLOSED, MotionState.LAPSED}


def motions_about(motions: Iterable[Motion], subject: SubjectKind, subject_id: str) -> list[Motion]:
    """Return, of a case's motions, the one that a dissent names, or all that put its question of fact."""
    if subject is SubjectKind.MOTION:
        return [motion for motion in motions if motion.id == subject_id]
    put = subject is SubjectKind.QUESTION
    return [motion for motion in motions if put and motion.factual_question_id == subject_id]


def open_to_dissent(subject: SubjectKind, about: Sequence[Motion]) -> bool:
    """Say whether no vote on the subject is still to come; a question that was never put waits for none."""
    if subject is SubjectKind.MOTION:
        return all(decided(motion) for motion in about)
    return all(motion.state not in {MotionState.DRAFT, MotionState.OPEN} for motion in about)


def subjects(db: Session, hearing_id: str) -> list[Motion]:
    """Return the motions of a hearing that a dissent may be about, by number."""
    return [motion for motion in votes.motions(db, hearing_id) if decided(motion)]


def questions(db: Session, case_id: str) -> list[FactualQuestion]:
    """Return the questions of fact that a dissent may be about, by number: voted on, or never put to the vote."""
    motions, kind = votes.of_case(db, case_id), SubjectKind.QUESTION
    return [q for q in cases.questions(db, case_id) if open_to_dissent(kind, motions_about(motions, kind, q.id))]


def is_secret(db: Session, case_id: str, subject: SubjectKind, about: Sequence[Motion]) -> bool:
    """Say whether a named dissent would tell how its author voted in secret, or will vote.

    The finding follows from secret votes, so that a dissent on it tells as much as one on a secret motion. A question
    that was never put is as secret as the rules of the case make a vote on it.
    """
    if subject is SubjectKind.QUESTION and not about:
        return committees.procedure_rules(db, case_id).secrecy(MotionKind.FACT) == Secrecy.SEALED
    return subject is SubjectKind.FINDING or any(motion.secrecy is Secrecy.SEALED for motion in about)


@dataclass(frozen=True)
class Added:
    """An addendum as it is shown: when, what, and who joined the dissent after it and before the next."""

    at: datetime
    text: str
    joined: tuple[str, ...]


@dataclass(frozen=True)
class Told:
    """A dissent as it is shown by name: its author, what it is about, the answer.

    `joined` are those who joined what was filed first, before anything was added; whoever joined later stands with the
    addendum that was the last one then. `joined_seats` are all of them.
    """

    dissent: Dissent
    author: str
    seat: int
    joined: tuple[str, ...]
    joined_seats: frozenset[str]
    addenda: tuple[Added, ...]
    motion: Motion | None
    question: FactualQuestion | None
    consideration: Consideration | None
    secret: bool
    answer: str


def authors(db: Session, case_id: str) -> dict[str, str]:
    """Return the name of who sits, or sat, on each seat of a case."""
    seats = committees.all_seats(db, case_id)
    names = cases.people_names(db, {seat.person_id for seat in seats})
    return {seat.id: names.get(seat.person_id, "") for seat in seats}


@remembered
def told(db: Session, case_id: str) -> list[Told]:
    """Return a case's dissents by number with the names that belong to them; for the panel and the authority."""
    seats, by_seat = {seat.id: seat for seat in committees.all_seats(db, case_id)}, authors(db, case_id)
    joined, added, given = joinings(db, case_id), addenda(db, case_id), answers(db, case_id)
    items = {item.key: item for item in considerations(db, case_id)}
    listed = {question.id: question for question in cases.questions(db, case_id)}
    motions = votes.of_case(db, case_id)

    def one_told(one: Dissent) -> Told:
        about = motions_about(motions, one.subject_kind, one.subject_id)
        considered = one.subject_id if one.subject_kind is SubjectKind.CONSIDERATION else one.consideration
        who = joined_after(joined.get(one.id, []), by_seat)
        return Told(
            dissent=one, author=by_seat[one.seat_id], seat=seats[one.seat_id].number, joined=who.get(0, ()),
            joined_seats=frozenset(j.seat_id for j in joined.get(one.id, [])),
            addenda=tuple(Added(a.created_at, a.text, who.get(a.number, ())) for a in added.get(one.id, [])),
            motion=about[0] if one.subject_kind is SubjectKind.MOTION else None, question=listed.get(one.subject_id),
            consideration=items.get(considered), secret=is_secret(db, case_id, one.subject_kind, about),
            answer=given[one.id].text if one.id in given else "",
        )  # fmt: skip

    return [one_told(one) for one in of_case(db, case_id)]


def joined_after(joinings: Iterable[Joining], by_seat: Mapping[str, str]) -> dict[int, tuple[str, ...]]:
    """Return the names of who joined a dissent, by how many addenda it had then, in the order of joining."""
    names: dict[int, tuple[str, ...]] = {}
    for joining in joinings:
        names[joining.addenda] = (*names.get(joining.addenda, ()), by_seat[joining.seat_id])
    return names
