"""Casting. An open ballot is a row and an event; a sealed one is a row that closing destroys, and nothing else."""

from datetime import datetime

from sqlmodel import Session

from panel.committees import queries as committees
from panel.committees.queries import Sitting
from panel.core.errors import Forbidden, Reason, Refused, require
from panel.core.ids import new_id
from panel.core.security import Actor
from panel.votes import queries, rules
from panel.votes.actions import keys
from panel.votes.actions.motions import told_by
from panel.votes.events import BallotCast
from panel.votes.models import Ballot, Motion, MotionState, SealedBallot, Secrecy
from panel.work import Work


def cast(work: Work, actor: Actor, *, motion_id: str, choice: str, reason: str = "", replaces: str = "") -> Ballot:
    """Cast an open ballot, or replace one's own by naming it. Everything about it is on the record (记名)."""
    motion = queries.motion_for_update(work.db, motion_id)
    assert motion.secrecy is Secrecy.OPEN, "the digest of a keyed form would give a sealed choice away"
    seat = _admit(work.db, actor, motion, choice, reason)
    earlier = queries.standing_ballot(work.db, motion.id, seat.id)
    require(rules.why_not_replace(earlier, replaces))
    if seat.chair and earlier is None:
        require(rules.why_not_chair_yet(motion, len(queries.waiting_for(work.db, motion) - {seat.id})))
    ballot = work.insert(
        Ballot(
            id=new_id(), motion_id=motion.id, seat_id=seat.id, choice=choice, reason=reason, replaces=replaces or None,
            first_of=None if replaces else f"{motion.id}:{seat.id}", created_at=work.now,
        )
    )  # fmt: skip
    work.record(
        BallotCast(
            motion=motion.id, ballot=ballot.id, seat=seat.id, choice=choice, reason=reason,
            replaces=ballot.replaces, frozen_sha256=motion.frozen_sha256, **told_by(work.db, motion, actor),
        )
    )  # fmt: skip
    return ballot


def cast_sealed(
    work: Work, actor: Actor, *, motion_id: str, choice: str, reason: str = "", replaces: str = ""
) -> datetime:
    """Seal a ballot, or overwrite one's own by naming its mark; returns when it was received. No event (votes 3.1)."""
    motion = queries.motion_for_update(work.db, motion_id)
    seat = _admit(work.db, actor, motion, choice, reason)
    earlier = queries.sealed_of(work.db, motion.id, seat.id)
    require(rules.why_not_replace(earlier.mark if earlier else None, replaces))
    sealed = keys.seal(motion.public_key, motion.id, seat.id, choice)
    if earlier is None:
        first = SealedBallot(
            motion_id=motion.id, seat_id=seat.id, sealed=sealed, first_at=work.now, received_at=work.now
        )
        work.add_unrecorded(first)
    else:
        earlier.sealed, earlier.mark, earlier.received_at = sealed, new_id(), work.now
    return work.now


def _admit(db: Session, actor: Actor, motion: Motion, choice: str, reason: str) -> Sitting:
    """Return the actor's seat as it stands now; refuse whoever may not cast this ballot."""
    seat = committees.sitting(db, actor, motion.case_id)
    if seat is None:
        raise Forbidden(Reason("You have no seat in this case, or it stands aside."))
    if motion.state is not MotionState.OPEN:
        require(rules.why_not_voting(motion.state, had_ballot=queries.had_ballot(db, motion, seat.id)))
    require(rules.why_not_open_to(queries.lines_by_seat(db, motion.id).get(seat.id)), Forbidden)
    if seat.id in committees.suspended(db, motion.case_id):
        raise Refused(rules.SUSPENDED)
    present = seat.id in committees.present(db, motion.hearing_id)
    require(rules.why_not_cast(motion, queries.rule_of(db, motion.id), choice, reason, present=present))
    return seat
