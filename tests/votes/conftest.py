"""Fixtures of the votes."""

import pytest

from tests.factories import World
from tests.votes.chamber import sit


@pytest.fixture
def session(world: World) -> World:
    """The committee in closed session, all nine present, at the step of the votes."""
    return sit(world)
