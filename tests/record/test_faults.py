"""Every step of an append fails once, before and after it was done: nothing is half-written, and the next act works."""

import sqlite3
from collections.abc import Sequence
from typing import Any

import psycopg.errors
import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from panel.decisions.events import FindingMade
from panel.record import queries
from panel.record.models import RecordBody, RecordEntry, RecordStream
from panel.work import Work, Writer
from tests.factories import World
from tests.record.sayings import NOON, append, first_broken, note, say

STEPS = {
    "lock the head": "SELECT record_head",
    "count the stream": "INSERT INTO record_stream",
    "add the entries": "INSERT INTO record_entry",
    "add the bodies": "INSERT INTO record_body",
    "move the head": "UPDATE record_head",
}
CASE = "1" * 32


class Fault(Exception):
    """What a test breaks with."""


class Breaking:
    """Breaks the first statement of a kind, before it reaches the database or after it was carried out."""

    def __init__(self, engine: Engine, statement: str, when: str) -> None:
        self.engine, self.statement, self.when = engine, statement, f"{when}_cursor_execute"

    def __enter__(self) -> None:
        event.listen(self.engine, self.when, self.strike)

    def __exit__(self, *raised: object) -> None:
        event.remove(self.engine, self.when, self.strike)

    def strike(self, connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        """Raise at the statement."""
        if statement.startswith(self.statement):
            raise Fault(self.statement)


def counted(db: Session) -> tuple[int, int, int, dict[str, int]]:
    """Return head, entries, bodies and streams as the database has them."""
    streams = {stream.token: stream.length for stream in db.exec(select(RecordStream)).all()}
    entries, bodies = (len(db.exec(select(table)).all()) for table in (RecordEntry, RecordBody))
    return queries.head(db).size, entries, bodies, streams


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_fails_leaves_the_record_as_it_was(engine: Engine, step: str, when: str) -> None:
    with Session(engine) as db:
        say(db, "甲", "乙", stream=CASE)
        db.commit()
    with Session(engine) as db, Breaking(engine, STEPS[step], when):
        with pytest.raises(Fault):
            append(db, [note("丙"), note("丁")], NOON, stream=CASE)
        db.rollback()
    with Session(engine) as db:
        assert counted(db) == (2, 2, 2, {CASE: 2})
        assert first_broken(db) == ""
        say(db, "戊", stream=CASE)
        db.commit()
        assert counted(db) == (3, 3, 3, {CASE: 3})
        assert first_broken(db) == ""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_in_a_group_only_the_act_that_failed_is_undone(engine: Engine, step: str, when: str) -> None:
    with Session(engine) as db:
        say(db, "甲", stream=CASE)
        with Breaking(engine, STEPS[step], when), pytest.raises(Fault), db.begin_nested():
            say(db, "乙", "丙", stream=CASE)
        say(db, "丁", stream=CASE)
        db.commit()
    with Session(engine) as db:
        assert counted(db) == (2, 2, 2, {CASE: 2})
        assert first_broken(db) == ""


def test_a_commit_that_fails_leaves_the_record_as_it_was_and_answers_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world.db() as db:
        before = counted(db)

    def record(work: Work) -> int:
        return work.record(note("未提交", case=world.case_id))

    # What PostgreSQL says has a state, or it would mean that there is no server.
    kinds = {"sqlite": sqlite3.OperationalError, "postgresql": psycopg.errors.QueryCanceled}
    kind: type[Exception] = kinds[world.site.reading.dialect.name]

    def full(connection: Any) -> None:
        raise kind("the commit failed")

    assert isinstance(world.site.writer, Writer)
    with monkeypatch.context() as faulty:
        faulty.setattr(world.site.writer._engine.dialect, "do_commit", full)
        with pytest.raises(OperationalError, match="the commit failed"):
            world.work(record)
    with world.db() as db:
        assert counted(db) == before
        assert first_broken(db) == ""
    assert world.work(record) == before[0]
    with world.db() as db:
        assert first_broken(db) == ""


def test_what_fails_after_a_commit_neither_undoes_it_nor_stops_the_writer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def record(work: Work) -> int:
        return work.record(note("已提交", case=world.case_id))

    def unread(indexes: Sequence[int]) -> None:
        raise OSError("a page of the database was not read")

    assert isinstance(world.site.writer, Writer)
    with monkeypatch.context() as faulty:
        faulty.setattr(world.site.writer, "_committed", unread)
        first = world.work(record)
        assert world.work(record) == first + 1
    assert world.work(record) == first + 2


@pytest.mark.parametrize("broken", ["a value that JSON cannot hold", "a fraction that is no text"])
def test_an_event_that_cannot_be_written_down_stops_its_whole_batch(engine: Engine, broken: str) -> None:
    value = 0.5 if "fraction" in broken else 2**60
    bad = FindingMade(finding="f", outcome="", facts=[{"share": value}], motions=[], dissents=0)
    with Session(engine) as db:
        with pytest.raises(ValueError):
            append(db, [note("甲"), bad], NOON, stream=CASE)
        db.rollback()
        assert counted(db) == (0, 0, 0, {})
