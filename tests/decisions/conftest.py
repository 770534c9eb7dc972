"""Fixtures of the decisions."""

import pytest

from tests.decisions.bench import found, heard
from tests.factories import World


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The minutes are settled: no dissent may be filed any more."""
    monkeypatch.setattr("panel.core.hooks.DISSENTS_OPEN", [lambda db, hearing_id: False])


@pytest.fixture
def decidable(world: World, request: pytest.FixtureRequest) -> World:
    """A case with a finding for mitigation, settled minutes and no dissent."""
    found(heard(world))
    request.getfixturevalue("settled")
    return world
