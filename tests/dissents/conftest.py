"""Fixtures of the dissents: motions that one may dissent from."""

import pytest

from panel.votes.models import Motion
from tests.factories import World
from tests.votes.chamber import EVERYBODY, disposition, facts, sit, voted


@pytest.fixture
def fact(world: World) -> Motion:
    """A question of fact that has been decided by name."""
    motion = facts(sit(world))[0]
    voted(world, motion, *["established"] * 9, by=EVERYBODY)
    return motion


@pytest.fixture
def secret(world: World) -> Motion:
    """A disposition that has been decided in secret."""
    motion = disposition(sit(world))
    voted(world, motion, *["approve"] * 5, "disapprove", "defer")
    return motion
