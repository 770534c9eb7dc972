"""A hearing held by actions, step by step; for tests that need it to stand at a certain phase."""

import tempfile
from pathlib import Path
from typing import Any

from panel.committees import actions as committees
from panel.core import clock
from panel.hearings import actions
from panel.hearings.models import Hearing, Phase
from panel.opinions import actions as opinions
from panel.opinions import queries as rounds
from panel.votes import actions as votes
from panel.votes import queries as motions
from panel.votes.models import MotionState
from tests.factories import World
from tests.people import SEATED

KEYS = ("nature", "basis", "motive", "process", "consequence", "attitude")
EVERYBODY = tuple(someone.key for someone in SEATED)


def come(world: World, *who: str) -> None:
    """Let members come in and declare that they have no interests."""
    for key in who or EVERYBODY:
        world.act(committees.arrive, key, hearing_id=world.hearing_id)
        world.act(committees.declare, key, seat_id=world.seats[key], conflict=False)


def step(world: World, who: str = "chair") -> Hearing:
    """Press the chair's button once."""
    with world.db() as db:
        phase = db.get_one(Hearing, world.hearing_id).phase
    return world.act(actions.next_step, who, hearing_id=world.hearing_id, phase=phase.value)


def opine(world: World, *who: str, value: int = 4) -> None:
    """Give the opinion of the round that is open."""
    with world.db() as db:
        round_ = rounds.current(db, world.case_id)
        assert round_ is not None
    said: dict[str, Any] = {"value": value, "reason": "材料可以证明。", "exhibits": [1]}
    last = {"recommendation": "exempt", "reasons": "动机为公。", "change": "听证后。"}
    for key in who or EVERYBODY:
        for consideration in KEYS:
            world.act(opinions.save_draft, key, round_id=round_.id, step=consideration, said=said, revision=99)
        world.act(opinions.save_draft, key, round_id=round_.id, step="overall", said=last, revision=99)
        world.act(opinions.submit, key, round_id=round_.id)


def vote_facts(world: World) -> None:
    """Put every question of fact to the vote; everybody finds it established, the chair last."""
    with world.db() as db:
        drafts = [m.id for m in motions.motions(db, world.hearing_id) if m.state is MotionState.DRAFT]
    for motion_id in drafts:
        world.act(votes.open_motion, "chair", motion_id=motion_id)
        for key in (*EVERYBODY[1:], "chair"):
            world.act(votes.cast, key, motion_id=motion_id, choice="established")
        world.act(votes.close_motion, "chair", motion_id=motion_id)


def vote_disposition(world: World, outcome: str = "exempt", against: int = 0) -> str:
    """Move a disposition and vote on it in secret; the first so many entitled members disapprove."""
    motion = world.act(
        votes.move,
        "chair",
        hearing_id=world.hearing_id,
        kind="disposition",
        question="建议予以容错免责。",
        outcome=outcome,
    )
    world.act(votes.open_motion, "chair", motion_id=motion.id)
    entitled = [key for key in EVERYBODY if key not in {"duan", "jiang"}]
    for number, key in enumerate(entitled):
        choice = "disapprove" if number < against else "approve"
        world.act(votes.cast_sealed, key, motion_id=motion.id, choice=choice)
    world.act(votes.close_motion, "chair", motion_id=motion.id)
    return motion.id


KEPT = tempfile.TemporaryDirectory(prefix="heyi-held-")
HELD: dict[Phase, tuple[World, Path]] = {}
CLOCK = clock.now
"""Worlds whose hearing was held up to a phase before, in this process: the next one goes on from there."""


def hold_until(world: World, phase: Phase) -> None:
    """Hold the hearing up to this phase, with everybody present and of one mind.

    What was held under a clock that a test has set is no other test's: its record would lie in their future.
    """
    if not world.untouched() or clock.now is not CLOCK:
        _hold_until(world, phase)
    elif phase in HELD:
        world.become(*HELD[phase])
    else:
        _hold_until(world, phase)
        path = Path(KEPT.name) / f"{phase.value}.sqlite"
        HELD[phase] = world.kept(path), path


def _hold_until(world: World, phase: Phase) -> None:
    with world.db() as db:
        opened = rounds.rounds(db, world.case_id)
    if not opened:
        world.act(opinions.open_round, "secretary", case_id=world.case_id, number=1)
        opine(world)
    at = step(world).phase
    come(world)
    while at is not phase:
        if at is Phase.OPINIONS:
            opine(world)
        if at is Phase.MOTIONS:
            vote_facts(world)
            vote_disposition(world)
        at = step(world).phase
