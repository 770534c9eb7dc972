"""Fixtures of the votes."""

import pytest
from sqlmodel import select

from panel.core import hooks
from panel.hearings.models import Hearing
from tests.factories import World
from tests.votes.chamber import sit


@pytest.fixture
def session(world: World) -> World:
    """The committee in closed session, all nine present, at the step of the votes."""
    if not hooks.HEARING:
        hooks.HEARING[:] = [lambda db, id: db.get(Hearing, id)]
        hooks.HEARINGS_OF_CASE[:] = [lambda db, id: db.exec(select(Hearing).where(Hearing.case_id == id)).all()]
        hooks.PHASE_OF[:] = [lambda db, id: db.get_one(Hearing, id).phase.value]
    return sit(world)
