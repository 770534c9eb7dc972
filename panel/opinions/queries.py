"""Reads of rounds and opinions. Contents of others are loaded only through `opinions`, after the round closed."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, select

from panel.committees import queries as committees
from panel.core.db import remembered
from panel.opinions.models import Opinion, OpinionDraft, Round


def round_(db: Session, round_id: str) -> Round | None:
    """Return a round."""
    return db.get(Round, round_id)


def rounds(db: Session, case_id: str) -> Sequence[Round]:
    """Return the rounds of a case in order."""
    return db.exec(select(Round).where(Round.case_id == case_id).order_by(col(Round.number))).all()


@remembered
def current(db: Session, case_id: str) -> Round | None:
    """Return the open round of a case."""
    return db.exec(select(Round).where(Round.case_id == case_id, col(Round.closed_at).is_(None))).first()


def mine(db: Session, round_id: str, seat_id: str) -> Opinion | None:
    """Return a member's own latest opinion in a round."""
    found = select(Opinion).where(Opinion.round_id == round_id, Opinion.seat_id == seat_id)
    return db.exec(found.order_by(col(Opinion.version).desc())).first()


def earlier(db: Session, round_of: Round, seat_id: str) -> Opinion | None:
    """Return the member's own opinion in the round before."""
    before = db.exec(
        select(Round).where(Round.case_id == round_of.case_id, Round.number == round_of.number - 1)
    ).first()
    return mine(db, before.id, seat_id) if before else None


def draft(db: Session, round_id: str, seat_id: str) -> OpinionDraft | None:
    """Return a member's own unfinished opinion."""
    return db.get(OpinionDraft, (round_id, seat_id))


def body(db: Session, of: Round, seat_id: str) -> dict[str, Any]:
    """Return what the member's editor starts from: the draft, else what was given, else the round before."""
    if (unfinished := draft(db, of.id, seat_id)) is not None:
        return unfinished.body
    given = mine(db, of.id, seat_id) or earlier(db, of, seat_id)
    if given is None:
        return {"ratings": {}}
    same_round = given.round_id == of.id
    start = {"ratings": given.ratings, "recommendation": given.recommendation, "reasons": given.reasons}
    return {**start, "change": given.change if same_round else ""}


def opinions(db: Session, round_id: str) -> list[Opinion]:
    """Return the members' latest opinions of a round, in the order of seats; the caller has seen that it is closed.

    Those of recused members are kept on the record and count for nothing (招标投标法实施条例 §48).
    """
    order = {seat.id: seat.number for seat in committees.seats(db, _case_of(db, round_id))}
    given = select(Opinion).where(Opinion.round_id == round_id, col(Opinion.seat_id).in_(list(order)))
    newest = {opinion.seat_id: opinion for opinion in db.exec(given.order_by(col(Opinion.version)))}
    return sorted(newest.values(), key=lambda opinion: order[opinion.seat_id])


def _case_of(db: Session, round_id: str) -> str:
    return db.get_one(Round, round_id).case_id


def progress(db: Session, round_id: str) -> tuple[int, int]:
    """Return how many members gave an opinion, and how many are due to."""
    seats = {seat.id for seat in committees.seats(db, _case_of(db, round_id))}
    given = set(db.exec(select(Opinion.seat_id).where(Opinion.round_id == round_id)))
    return len(given & seats), len(seats)
