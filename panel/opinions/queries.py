"""Reads of rounds and opinions. Contents of others are loaded only through `opinions`, after the round closed."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, select

from panel.cases.models import Case
from panel.committees import queries as committees
from panel.core.db import remembered
from panel.opinions.models import Opinion, OpinionDraft, Round
from panel.rulebook import queries as rulebook
from panel.rulebook.rules import Considerations


def round_(db: Session, round_id: str) -> Round | None:
    """Return a round."""
    return db.get(Round, round_id)


def considerations(db: Session, of: Round) -> Considerations:
    """Return the considerations that a round asks for: in the version of its case."""
    return rulebook.considerations(db, db.get_one(Case, of.case_id).considerations_id)


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


def before(db: Session, of: Round) -> Round | None:
    """Return the round before this one."""
    return db.exec(select(Round).where(Round.case_id == of.case_id, Round.number == of.number - 1)).first()


def earlier(db: Session, of: Round, seat_id: str) -> Opinion | None:
    """Return the member's own opinion in the round before."""
    found = before(db, of)
    return mine(db, found.id, seat_id) if found else None


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
