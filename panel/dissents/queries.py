"""Reads: dissents, who joined them, what the authority answered."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from panel.dissents.models import Answer, Dissent, Joining


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
