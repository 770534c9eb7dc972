"""Closing, annulling, announcing. Closing a sealed motion is one transaction; then its key is destroyed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from sqlmodel import Session

from panel.committees import queries as committees
from panel.committees.models import Seat
from panel.core.db import empty_log
from panel.core.errors import Reason, Refused, require
from panel.core.security import Actor
from panel.votes import queries, rules, tally
from panel.votes.actions import keys
from panel.votes.actions.motions import preside, told_by
from panel.votes.events import MotionAnnulled, MotionClosed, ResultAnnounced
from panel.votes.models import (
    Annulment,
    Motion,
    MotionState,
    Participation,
    SealedBallot,
    Secrecy,
    Tally,
)
from panel.votes.tally import LAPSED, Result, RollLine, Rule
from panel.work import Work

RECUSAL = "recusal"
"""The ground of an annulment that a recusal brings about; worded where it is shown."""


def close_motion(work: Work, actor: Actor, *, motion_id: str) -> Result:
    """Close voting and count. Of a sealed motion the ballots are gone when this is durable, and then the key."""
    motion = queries.motion_for_update(work.db, motion_id)
    preside(work.db, actor, motion.case_id)
    require(rules.why_not_close(motion))
    count = _count_sealed if motion.secrecy is Secrecy.SEALED else _count_open
    roll = queries.lines_of(queries.roll(work.db, motion.id))
    room = committees.present(work.db, motion.hearing_id) & {line.seat for line in roll if line.due}
    result, took_part = count(work, motion, roll, room)
    motion.state = MotionState.LAPSED if result.carried == LAPSED else MotionState.CLOSED
    motion.closed_at = work.now
    work.add(Tally(motion_id=motion.id, case_id=motion.case_id, result=result.to_json()))
    members = queries.members_of(work.db, took_part) if motion.secrecy is Secrecy.SEALED else ()
    work.record(_closed(work.db, actor, motion, result, took_part, sorted(room)), told_of=members)
    return result


def annul(work: Work, actor: Actor, *, motion_id: str, ground: str) -> Motion:
    """Annul an open motion, or take one off the list. Sealed ballots are destroyed uncounted, and the key."""
    motion = queries.motion_for_update(work.db, motion_id)
    preside(work.db, actor, motion.case_id)
    require(rules.why_not_annul(motion, ground))
    _annul(work, actor, motion, ground)
    return motion


def annul_for_recusal(work: Work, actor: Actor, seat: Seat) -> None:
    """Annul whatever motion of the case is open: its roll no longer holds (design 8)."""
    for motion in queries.of_case(work.db, seat.case_id):
        if motion.state is MotionState.OPEN:
            _annul(work, actor, queries.motion_for_update(work.db, motion.id), RECUSAL)


def announce(work: Work, actor: Actor, *, hearing_id: str) -> list[Motion]:
    """Announce every result of the hearing at once; from now on they are seen outside the panel."""
    ended = {MotionState.CLOSED, MotionState.LAPSED}
    motions = [m for m in queries.motions_for_update(work.db, hearing_id) if m.state in ended and not m.announced_at]
    for motion in motions:
        motion.announced_at = work.now
        work.record(ResultAnnounced(motion=motion.id, number=motion.number, **told_by(work.db, motion, actor)))
    return motions


def sweep(work: Work, actor: Actor | None = None) -> list[str]:
    """Destroy every key whose motion is not open: finishes closings that a crash cut short. Run at each start.

    Under the lock of the motion, which an opening at another process holds from before its key is made.
    """
    where = keys.folder(work.db)
    over = [id for id in keys.held(where) if not _is_open(work.db, id)]
    for motion_id in over:
        keys.destroy(where, motion_id)
    work.after_commit(partial(empty_log, work.db.get_bind()))
    return over


def _is_open(db: Session, motion_id: str) -> bool:
    if queries.motion(db, motion_id) is None:
        return False
    motion = queries.motion_for_update(db, motion_id)
    db.refresh(motion)  # the row as it is under the lock
    return motion.state is MotionState.OPEN


def _count_open(work: Work, motion: Motion, roll: list[RollLine], room: set[str]) -> tuple[Result, list[str]]:
    ballots = queries.counting_ballots(work.db, motion.id)
    took_part = sorted(ballot.seat_id for ballot in ballots)
    return _count(motion, roll, room | set(took_part), Counter(b.choice for b in ballots)), took_part


def _count_sealed(work: Work, motion: Motion, roll: list[RollLine], room: set[str]) -> tuple[Result, list[str]]:
    ballots = queries.sealed_ballots(work.db, motion.id)
    took_part = sorted(ballot.seat_id for ballot in ballots)
    here, rule = room | set(took_part), Rule.from_json(motion.rule)
    before = tally.standing(rule, roll, here, len(ballots), secret=True)
    if all(step.holds for step in before):
        result = _count(motion, roll, here, _unsealed(work.db, motion, ballots))
    else:
        result = tally.lapsed(rule, roll, here, len(ballots), secret=True)
    for seat_id in took_part:
        work.add(Participation(motion_id=motion.id, seat_id=seat_id))
    _destroy(work, motion, ballots)
    return result, took_part


def _unsealed(db: Session, motion: Motion, ballots: Sequence[SealedBallot]) -> Counter[str]:
    key = keys.read(keys.folder(db), motion.id)
    if key is None:
        raise Refused(Reason("The key of this motion is not there. Nothing was counted; annul it and put it again."))
    return Counter(keys.unseal(key, motion.id, ballot.seat_id, ballot.sealed) for ballot in ballots)


def _count(motion: Motion, roll: list[RollLine], here: set[str], counts: Mapping[str, int]) -> Result:
    rule, secret = Rule.from_json(motion.rule), motion.secrecy is Secrecy.SEALED
    return tally.tally(rule, motion.options, roll=roll, present=here, counts=counts, secret=secret)


def _destroy(work: Work, motion: Motion, ballots: Sequence[SealedBallot]) -> None:
    """Delete the sealed rows now; destroy the key and empty the log once that is durable, in this order."""
    for ballot in ballots:
        work.db.delete(ballot)
    work.after_commit(partial(keys.destroy, keys.folder(work.db), motion.id))
    work.after_commit(partial(empty_log, work.db.get_bind()))


def _annul(work: Work, actor: Actor, motion: Motion, ground: str) -> None:
    if motion.secrecy is Secrecy.SEALED and motion.state is MotionState.OPEN:
        _destroy(work, motion, queries.sealed_ballots(work.db, motion.id))
    motion.state, motion.closed_at = MotionState.ANNULLED, work.now
    work.add(Annulment(motion_id=motion.id, case_id=motion.case_id, ground=ground, annulled_by=actor.person_id))
    told = told_by(work.db, motion, actor)
    work.record(MotionAnnulled(motion=motion.id, number=motion.number, ground=ground, **told))


def _closed(
    db: Session, actor: Actor, motion: Motion, result: Result, took_part: list[str], present: list[str]
) -> MotionClosed:
    sealed = motion.secrecy is Secrecy.SEALED
    shown = tally.published(Rule.from_json(motion.rule), result.counts, secret=sealed)
    return MotionClosed(
        motion=motion.id, number=motion.number, carried=result.carried, settled=result.settled,
        outcome_published=shown, counts=result.counts if shown == tally.FULL else {}, participation=took_part,
        present=present, key_destroyed=sealed, result=result.to_json(), **told_by(db, motion, actor),
    )  # fmt: skip
