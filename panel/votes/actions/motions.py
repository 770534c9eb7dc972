"""From the list of motions to the open vote: what opening freezes is hashed and never changes."""

from typing import Any

from sqlmodel import Session

from panel.cases import queries as cases
from panel.committees import queries as committees
from panel.core import hooks
from panel.core.errors import Forbidden, NotFound, require
from panel.core.security import Actor
from panel.votes import queries, rules, tally
from panel.votes.actions import keys
from panel.votes.events import LastCallMade, MotionMoved, MotionOpened
from panel.votes.models import Motion, MotionKind, MotionState, Secrecy
from panel.votes.tally import RollLine, Rule
from panel.work import Work


def move(
    work: Work, actor: Actor, *, hearing_id: str, kind: str, question: str, outcome: str | None = None,
    factual_question_id: str | None = None,
) -> Motion:  # fmt: skip
    """Put a motion on the list: a question of fact, or a disposition that recommends an outcome."""
    hearing = hooks.hearing(work.db, hearing_id)
    if hearing is None:
        raise NotFound
    preside(work.db, actor, hearing.case_id)
    sort = MotionKind(kind)
    require(rules.why_not_move(hooks.phase_of(work.db, hearing_id), sort, outcome))
    if factual_question_id is not None:
        asked = {m.factual_question_id for m in queries.of_case(work.db, hearing.case_id)}
        require(rules.why_not_ask(asked, factual_question_id))
    motion = _draft(work.db, hearing.case_id, hearing_id, sort, question, outcome, factual_question_id)
    return _moved(work, actor, motion)


def move_facts(work: Work, actor: Actor, *, hearing_id: str) -> list[Motion]:
    """Put every question of fact of the case on the list that is not on it yet, item by item (逐项表决)."""
    hearing = hooks.hearing(work.db, hearing_id)
    if hearing is None:
        raise NotFound
    asked = {m.factual_question_id for m in queries.of_case(work.db, hearing.case_id)}
    return [
        move(work, actor, hearing_id=hearing_id, kind=MotionKind.FACT, question=q.text, factual_question_id=q.id)
        for q in cases.questions(work.db, hearing.case_id)
        if q.id not in asked
    ]


def repeat(work: Work, actor: Actor, *, motion_id: str) -> Motion:
    """Put a motion that ended without a result on the list again, as a new one that names it."""
    before = queries.motion_for_update(work.db, motion_id)
    preside(work.db, actor, before.case_id)
    queries.motions_for_update(work.db, before.hearing_id)
    require(queries.chamber(work.db, before.case_id, before.hearing_id).why_not_repeat(before))
    again = _draft(
        work.db, before.case_id, before.hearing_id, before.kind, before.question, before.outcome,
        before.factual_question_id,
    )  # fmt: skip
    again.repeats = before.id
    return _moved(work, actor, again)


def open_motion(work: Work, actor: Actor, *, motion_id: str) -> Motion:
    """Open voting: freeze and hash question, options, rule and roll. A sealed motion's key is on the disk first."""
    motion = queries.motion_for_update(work.db, motion_id)
    preside(work.db, actor, motion.case_id)
    queries.motions_for_update(work.db, motion.hearing_id)
    chamber = queries.chamber(work.db, motion.case_id, motion.hearing_id)
    roll = chamber.roll(motion)
    require(chamber.why_not_open(motion, roll))
    if motion.secrecy is Secrecy.SEALED:
        motion.public_key = keys.create(keys.folder(work.db), motion.id)
    motion.state, motion.opened_at = MotionState.OPEN, work.now
    for entry in roll:
        work.add(entry)
    opened = _opened(motion, queries.lines_of(roll))
    motion.frozen_sha256 = opened["frozen_sha256"]
    work.record(MotionOpened(**opened, **told_by(work.db, motion, actor)))
    return motion


def last_call(work: Work, actor: Actor, *, motion_id: str) -> Motion:
    """Call for the last ballots of an open motion; the chair may vote from now on."""
    motion = queries.motion_for_update(work.db, motion_id)
    preside(work.db, actor, motion.case_id)
    require(rules.why_not_last_call(motion))
    motion.last_call_at = work.now
    work.record(LastCallMade(motion=motion.id, **told_by(work.db, motion, actor)))
    return motion


def preside(db: Session, actor: Actor, case_id: str) -> None:
    """Let pass the chair, as the seats stand at this moment; raise Forbidden for everybody else."""
    seat = committees.seat_of(db, actor, case_id)
    require(rules.why_not_preside(seat is not None and seat.chair), Forbidden)


def told_by(db: Session, motion: Motion, actor: Actor) -> dict[str, Any]:
    """Return what every event about a motion carries: case, hearing, closed session, who acted."""
    return {
        "case_id": motion.case_id,
        "hearing_id": motion.hearing_id,
        "closed": hooks.in_closed_session(db, motion.hearing_id),
        "actor_id": actor.person_id,
    }


def _draft(
    db: Session, case_id: str, hearing_id: str, kind: MotionKind, question: str, outcome: str | None,
    factual_question_id: str | None,
) -> Motion:  # fmt: skip
    procedure = committees.procedure_rules(db, case_id)
    recommended = cases.recommended(db, case_id)
    rule = Rule.from_json(procedure.motion(kind, outcome, recommended=recommended))
    return Motion(
        case_id=case_id, hearing_id=hearing_id, number=queries.next_number(db, case_id), kind=kind,
        question=question, outcome=outcome, factual_question_id=factual_question_id,
        secrecy=Secrecy(procedure.secrecy(kind)), options=list(procedure.options(kind)), rule=rule.to_json(),
    )  # fmt: skip


def _moved(work: Work, actor: Actor, motion: Motion) -> Motion:
    work.add(motion)
    work.record(
        MotionMoved(
            motion=motion.id, number=motion.number, motion_kind=motion.kind, question=motion.question,
            repeats=motion.repeats, **told_by(work.db, motion, actor),
        )
    )  # fmt: skip
    return motion


def _opened(motion: Motion, roll: list[RollLine]) -> dict[str, Any]:
    frozen = {
        "motion": motion.id, "number": motion.number, "motion_kind": motion.kind.value,
        "question_sha256": tally.text_sha256(motion.question), "outcome": motion.outcome,
        "secrecy": motion.secrecy.value, "options": motion.options, "rule": motion.rule,
        "roll": [line.to_json() for line in roll], "public_key": motion.public_key, "repeats": motion.repeats,
    }  # fmt: skip
    return {
        **frozen, "question": motion.question, "roll_size": len(roll),
        "entitled": sum(line.entitled for line in roll), "frozen_sha256": tally.frozen_sha256(frozen),
    }  # fmt: skip
