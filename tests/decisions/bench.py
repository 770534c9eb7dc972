"""A case that has been heard and voted on, ready for the authority: what the tests of decisions share."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from panel.core import clock
from panel.decisions import actions
from panel.decisions.models import Decision, Finding
from panel.decisions.rules import Measure
from panel.hearings.models import Phase
from tests.factories import World
from tests.votes.chamber import EVERYBODY, disposition, facts, sit, to_phase, voted

TODAY = clock.now().date()
MEASURE = Measure("制定应急采购办法", "某市河流管理局", TODAY + timedelta(days=60))
CARRIED = ("approve",) * 5 + ("disapprove", "abstain")
LOST = ("approve",) * 2 + ("disapprove",) * 5


def heard(world: World, *, outcome: str = "mitigate", choices: Iterable[str] = CARRIED) -> World:
    """Vote on both questions of fact and on one disposition."""
    first, second = facts(sit(world))
    voted(world, first, *["established"] * 9, by=EVERYBODY)
    voted(world, second, *["not_established"] * 8, "established", by=reversed(EVERYBODY))
    voted(world, disposition(world, outcome), *choices)
    return world


def found(world: World) -> Finding:
    """Make the finding."""
    to_phase(world, Phase.SUMMING_UP)
    return world.act(actions.make_finding, "chair", hearing_id=world.hearing_id)


def decide(world: World, who: str = "authority", **more: Any) -> Decision:
    """Issue a decision that adopts the finding, unless `more` says otherwise."""
    what: dict[str, Any] = {
        "outcome": "mitigate", "measure": "谈话提醒", "reasons": "采纳评议意见。", "today": TODAY,
        "measures": (MEASURE,), **more,
    }  # fmt: skip
    return world.act(actions.decide, who, case_id=world.case_id, **what)
