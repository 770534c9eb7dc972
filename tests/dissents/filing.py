"""Filing, as the tests of dissents and decisions do it."""

from typing import Any

from panel.dissents import actions
from panel.dissents.models import Dissent
from panel.votes.models import Motion
from tests.factories import World

TEXT = "　　补办采购时只与一家协商，\n竞争已无可能。<b>照录</b>"


def file(world: World, who: str, motion: Motion, **more: Any) -> Dissent:
    """File a reservation on a motion."""
    what = {"kind": "reservation", "subject_kind": "motion", "subject_id": motion.id, "text": TEXT, **more}
    return world.act(actions.file, who, hearing_id=world.hearing_id, **what)
