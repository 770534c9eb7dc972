"""Fixtures of the draws."""

import pytest

from tests.draws.casting import without_panel
from tests.factories import World


@pytest.fixture
def castless(world: World) -> World:
    """A world whose case has no panel yet, and a pool to draw one from."""
    without_panel(world)
    return world
