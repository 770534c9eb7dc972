"""Reads: dissents, who joined them, what the authority answered."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from panel.cases import queries as cases
from panel.cases.models import Case
from panel.committees import queries as committees
from panel.core.db import remembered
from panel.dissents.models import Answer, Dissent, Joining, SubjectKind
from panel.rulebook import queries as rulebook
from panel.rulebook.rules import Consideration
from panel.votes import queries as votes
from panel.votes.models import Motion, MotionState, Secrecy


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


def subjects(db: Session, hearing_id: str) -> list[Motion]:
    """Return the motions of a hearing that a dissent may be about, by number."""
    return [motion for motion in votes.motions(db, hearing_id) if decided(motion)]


def is_secret(motion: Motion | None, subject: SubjectKind) -> bool:
    """Say whether a named dissent would tell how its author voted in secret.

    The finding follows from secret votes, so that a dissent on it tells as much as one on a secret motion.
    """
    return subject is SubjectKind.FINDING or (motion is not None and motion.secrecy is Secrecy.SEALED)


@dataclass(frozen=True)
class Told:
    """A dissent as it is shown by name: its author, who joined, what it is about, the answer."""

    dissent: Dissent
    author: str
    seat: int
    joined: tuple[str, ...]
    joined_seats: frozenset[str]
    motion: Motion | None
    consideration: Consideration | None
    secret: bool
    answer: str


@remembered
def told(db: Session, case_id: str) -> list[Told]:
    """Return a case's dissents by number with the names that belong to them; for the panel and the authority."""
    seats = {seat.id: seat for seat in committees.all_seats(db, case_id)}
    names = cases.people_names(db, {seat.person_id for seat in seats.values()})
    by_seat = {seat.id: names.get(seat.person_id, "") for seat in seats.values()}
    joined, given = joinings(db, case_id), answers(db, case_id)
    items = {item.key: item for item in considerations(db, case_id)}
    return [
        Told(
            dissent=one, author=by_seat[one.seat_id], seat=seats[one.seat_id].number,
            joined=tuple(by_seat[j.seat_id] for j in joined.get(one.id, [])),
            joined_seats=frozenset(j.seat_id for j in joined.get(one.id, [])),
            motion=(motion := votes.motion(db, one.subject_id) if one.subject_kind is SubjectKind.MOTION else None),
            consideration=items.get(
                one.subject_id if one.subject_kind is SubjectKind.CONSIDERATION else one.consideration
            ),
            secret=is_secret(motion, one.subject_kind), answer=given[one.id].text if one.id in given else "",
        )
        for one in of_case(db, case_id)
    ]  # fmt: skip
