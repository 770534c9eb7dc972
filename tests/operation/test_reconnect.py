"""A crowd is cut off at once: soon everybody is back, and shows what a fresh reader is given."""

from pathlib import Path

import pytest

from tests.operation.crowd import cut_off

CLIENTS = 150
"""`scripts/cut_clients` takes as many as it is told."""

MOST = 4.0
"""Seconds beside twice the crowd's first joining: eight acts take two, and what is late is asked for again."""


@pytest.mark.timeout(600)
def test_a_crowd_that_is_cut_off_is_right_again_soon(tmp_path: Path) -> None:
    outcome = cut_off(tmp_path, CLIENTS)
    print(outcome)
    assert outcome.reconnected >= CLIENTS
    assert outcome.consistent < MOST + 2 * outcome.joined
