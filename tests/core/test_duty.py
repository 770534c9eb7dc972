"""One process is on duty; another takes over when it lets go, or is cut off."""

import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from panel.core.db import reading_engine
from panel.core.duty import NUMBER, Duty
from tests.postgres import copy_of, drop

WHO = text("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = :number AND granted")
SOON = 10.0
CUT = text("SELECT pg_terminate_backend(:pid)")


def cut_off(engine: Engine) -> None:
    """End the connection that holds the lock, as a lost network or a killed process does."""
    with engine.connect() as connection:
        pid = connection.execute(WHO, {"number": NUMBER}).scalar_one()
        assert connection.execute(CUT, {"pid": pid}).scalar_one()


def test_on_sqlite_the_one_process_is_on_duty(template: Path) -> None:
    engine = reading_engine(f"sqlite:///{template}")
    assert Duty(engine).held()
    engine.dispose()


def test_of_two_processes_one_is_on_duty_and_the_other_takes_over(postgres_template: str) -> None:
    url = copy_of(postgres_template)
    engines = [reading_engine(url), reading_engine(url)]
    first, second = map(Duty, engines)
    assert [first.held(), second.held(), first.held(), second.held()] == [True, False, True, False]
    first.release()
    assert [second.held(), first.held()] == [True, False]
    root = create_engine(url)
    cut_off(root)
    with pytest.raises(OperationalError):
        second.held()
    deadline = time.monotonic() + SOON
    while not first.held() and time.monotonic() < deadline:
        time.sleep(0.05)  # the server lets the lock go just after it has hung up
    assert [first.held(), second.held()] == [True, False]
    first.release()
    for engine in (*engines, root):
        engine.dispose()
    drop(url)
