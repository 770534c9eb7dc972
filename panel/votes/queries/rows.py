"""Reads of rows: motions, rolls, ballots, results."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam
from sqlalchemy import select as core_select
from sqlmodel import Session, SQLModel, col, select

from panel.cases import queries as cases
from panel.committees import queries as committees
from panel.committees.models import Seat
from panel.core.db import Prepared, core, remembered
from panel.core.errors import Reason
from panel.votes import rules
from panel.votes.models import (
    Annulment,
    Ballot,
    Motion,
    MotionState,
    Participation,
    RollEntry,
    SealedBallot,
    Secrecy,
    Tally,
)
from panel.votes.tally import Result, RollLine, Rule

_ROLL = SQLModel.metadata.tables["roll_entry"].c
_LINES = core_select(_ROLL.seat_id.label("seat"), _ROLL.entitled, _ROLL.due, _ROLL.category, _ROLL.reason).where(
    _ROLL.motion_id == bindparam("motion")
)
_CAST = SQLModel.metadata.tables["ballot"].c
_BALLOTS = Prepared(
    core_select(_CAST.id, _CAST.replaces).where(
        _CAST.motion_id == bindparam("motion"), _CAST.seat_id == bindparam("seat")
    )
)

TURNOUT_STEP = timedelta(seconds=10)
"""Turnout is told in steps of this length, so that no single ballot is seen to come in."""


def motion(db: Session, motion_id: str) -> Motion | None:
    """Return a motion."""
    return db.get(Motion, motion_id)


@remembered
def motion_for_update(db: Session, motion_id: str) -> Motion:
    """Return a motion and hold its row until the act is committed: ballots and closing queue up behind it."""
    return db.exec(select(Motion).where(Motion.id == motion_id).with_for_update()).one()


def motions(db: Session, hearing_id: str) -> Sequence[Motion]:
    """Return a hearing's motions by number."""
    return db.exec(select(Motion).where(Motion.hearing_id == hearing_id).order_by(col(Motion.number))).all()


def motions_for_update(db: Session, hearing_id: str) -> Sequence[Motion]:
    """Return a hearing's motions by number, all held: only one of them may be opened."""
    held = select(Motion).where(Motion.hearing_id == hearing_id).order_by(col(Motion.number)).with_for_update()
    return db.exec(held).all()


def of_case(db: Session, case_id: str) -> Sequence[Motion]:
    """Return a case's motions by number, over all its hearings."""
    return db.exec(select(Motion).where(Motion.case_id == case_id).order_by(col(Motion.number))).all()


@remembered
def open_motion(db: Session, hearing_id: str) -> Motion | None:
    """Return the motion that is being voted on, if any."""
    return db.exec(select(Motion).where(Motion.hearing_id == hearing_id, Motion.state == MotionState.OPEN)).first()


def next_number(db: Session, case_id: str) -> int:
    """Return the number of a case's next motion."""
    return max((m.number for m in of_case(db, case_id)), default=0) + 1


def tally_of(db: Session, motion_id: str) -> Result | None:
    """Return a closed motion's result."""
    tally = db.get(Tally, motion_id)
    return Result.from_json(tally.result) if tally else None


def results(db: Session, of: Sequence[Motion]) -> dict[str, Result]:
    """Return the results of those motions that have one, by the motion's id."""
    found = db.exec(select(Tally).where(col(Tally.motion_id).in_([m.id for m in of]))).all()
    return {tally.motion_id: Result.from_json(tally.result) for tally in found}


@remembered
def rule_of(db: Session, motion_id: str) -> Rule:
    """Return the rule under which a motion is voted on."""
    return Rule.from_json(db.get_one(Motion, motion_id).rule)


@remembered
def lines_by_seat(db: Session, motion_id: str) -> dict[str, RollLine]:
    """Return a motion's roll by seat, for judging many ballots; empty before it opened."""
    return {line.seat: RollLine(*line) for line in core(db).execute(_LINES, {"motion": motion_id})}


def roll(db: Session, motion_id: str) -> Sequence[RollEntry]:
    """Return a motion's roll by seat number; empty before it opened."""
    return db.exec(select(RollEntry).where(RollEntry.motion_id == motion_id).order_by(col(RollEntry.number))).all()


def annulment(db: Session, motion_id: str) -> Annulment | None:
    """Return why a motion was annulled."""
    return db.exec(select(Annulment).where(Annulment.motion_id == motion_id)).first()


def repetition(db: Session, motion_id: str) -> Motion | None:
    """Return the motion that repeats this one."""
    return db.exec(select(Motion).where(Motion.repeats == motion_id)).first()


def counting_ballots(db: Session, motion_id: str) -> Sequence[Ballot]:
    """Return the open ballots that count: those that no other replaces."""
    replaced = select(Ballot.replaces).where(Ballot.motion_id == motion_id, col(Ballot.replaces).is_not(None))
    return db.exec(select(Ballot).where(Ballot.motion_id == motion_id, col(Ballot.id).not_in(replaced))).all()


def ballot_of(db: Session, motion_id: str, seat_id: str) -> Ballot | None:
    """Return the open ballot of a seat that counts."""
    of_seat = db.exec(select(Ballot).where(Ballot.motion_id == motion_id, Ballot.seat_id == seat_id)).all()
    replaced = {ballot.replaces for ballot in of_seat}
    return next((ballot for ballot in of_seat if ballot.id not in replaced), None)


def standing_ballot(db: Session, motion_id: str, seat_id: str) -> str | None:
    """Return the id of the open ballot of a seat that counts; `ballot_of` for the hot act, without a row."""
    of_seat = _BALLOTS(db, motion=motion_id, seat=seat_id).fetchall()
    replaced = {replaces for _, replaces in of_seat}
    return next((id for id, _ in of_seat if id not in replaced), None)


def members_of(db: Session, seats: Sequence[str]) -> Sequence[str]:
    """Return the people (ids) on these seats, by seat."""
    return db.exec(select(Seat.person_id).where(col(Seat.id).in_(seats)).order_by(col(Seat.id))).all()


def sealed_of(db: Session, motion_id: str, seat_id: str) -> SealedBallot | None:
    """Return the sealed ballot of a seat; there is none after closing."""
    return db.get(SealedBallot, (motion_id, seat_id))


def sealed_ballots(db: Session, motion_id: str) -> Sequence[SealedBallot]:
    """Return the sealed ballots by seat, never by time."""
    ballots = select(SealedBallot).where(SealedBallot.motion_id == motion_id)
    return db.exec(ballots.order_by(col(SealedBallot.seat_id))).all()


def participation(db: Session, motion_id: str) -> Sequence[str]:
    """Return the seats that took part in a closed sealed motion, sorted."""
    took_part = select(Participation.seat_id).where(Participation.motion_id == motion_id)
    return db.exec(took_part.order_by(col(Participation.seat_id))).all()


def had_ballot(db: Session, of: Motion, seat_id: str) -> bool:
    """Say whether a seat has a ballot in a motion, open or closed."""
    if of.secrecy is Secrecy.OPEN:
        return ballot_of(db, of.id, seat_id) is not None
    return sealed_of(db, of.id, seat_id) is not None or db.get(Participation, (of.id, seat_id)) is not None


def turnout(db: Session, of: Motion, now: datetime) -> int:
    """Return how many had voted at the last step of ten seconds: for the chair only."""
    step = TURNOUT_STEP.total_seconds()
    until = datetime.fromtimestamp(now.timestamp() // step * step, tz=now.tzinfo)
    if of.secrecy is Secrecy.SEALED:
        return sum(ballot.first_at <= until for ballot in sealed_ballots(db, of.id))
    first = select(Ballot).where(Ballot.motion_id == of.id, col(Ballot.first_of).is_not(None))
    return sum(ballot.created_at <= until for ballot in db.exec(first).all())


@dataclass(frozen=True)
class Own:
    """A seat's own ballot as its member sees it, of a sealed one never the choice; `mark` names it when replaced."""

    mark: str
    received_at: datetime
    choice: str = ""
    reason: str = ""


def own_ballot(db: Session, of: Motion, seat_id: str) -> Own | None:
    """Return a seat's own ballot, or None."""
    if of.secrecy is Secrecy.SEALED:
        sealed = sealed_of(db, of.id, seat_id)
        return Own(sealed.mark, sealed.received_at) if sealed else None
    ballot = ballot_of(db, of.id, seat_id)
    return Own(ballot.id, ballot.created_at, ballot.choice, ballot.reason) if ballot else None


def waiting_for(db: Session, motion: Motion) -> set[str]:
    """Return the seats that are present and entitled and have cast no open ballot."""
    entitled = {entry.seat_id for entry in roll(db, motion.id) if entry.entitled}
    voted = {ballot.seat_id for ballot in counting_ballots(db, motion.id)}
    return entitled & committees.present(db, motion.hearing_id) - voted


@dataclass(frozen=True)
class Turnout:
    """What the chair may know of an open motion: how many voted; of an open vote, who is present and has not."""

    voted: int
    entitled: int
    waiting: list[tuple[int, str]]


def turnout_of(db: Session, of: Motion, now: datetime) -> Turnout:
    """Return the turnout for the chair."""
    on_roll = roll(db, of.id)
    waiting = waiting_for(db, of) if of.secrecy is Secrecy.OPEN else set()
    names = cases.people_names(db, {entry.person_id for entry in on_roll})
    late = [(entry.number, names.get(entry.person_id, "")) for entry in on_roll if entry.seat_id in waiting]
    return Turnout(turnout(db, of, now), sum(entry.entitled for entry in on_roll), late)


def why_no_ballot(db: Session, of: Motion, seat_id: str) -> Reason | None:
    """Return why a seat has no ballot to fill in now: the reasons that would refuse it, or None."""
    if of.state is not MotionState.OPEN:
        return rules.why_not_voting(of.state, had_ballot=had_ballot(db, of, seat_id))
    if reason := rules.why_not_open_to(db.get(RollEntry, (of.id, seat_id))):
        return reason
    if seat_id in committees.suspended(db, of.case_id):
        return rules.SUSPENDED
    if seat_id not in committees.present(db, of.hearing_id):
        return rules.ABSENT
    seat = db.get(Seat, seat_id)
    if seat is None or not seat.chair or own_ballot(db, of, seat_id) is not None:
        return None
    waiting = waiting_for(db, of) - {seat_id} if of.secrecy is Secrecy.OPEN else set()
    return rules.why_not_chair_yet(of, len(waiting))
