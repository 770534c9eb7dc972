"""The unit of work and the one writer."""

import threading
from functools import partial
from pathlib import Path

import pytest
from sqlmodel import col, select

from panel.accounts.events import PersonAdded
from panel.accounts.models import Person
from panel.core.errors import Reason, Refused
from panel.record.models import RecordEntry
from panel.work import Work
from tests.factories import World


def add(work: Work, login: str) -> Person:
    """Add a person with their event."""
    person = work.add(Person(name=login, login=login, password_hash="-"))
    work.record(PersonAdded(person_id=person.id, name=person.name))
    return person


def refuse(work: Work, login: str) -> None:
    """Add a person, record it, and refuse after all."""
    add(work, login)
    raise Refused(Reason("No."))


def logins(world: World) -> list[str]:
    """Return the logins of people that were added in this test."""
    with world.db() as db:
        return [login for login in db.exec(select(Person.login).order_by(Person.login)) if login.startswith("w-")]


def events(world: World) -> int:
    """Return how many people the record knows."""
    with world.db() as db:
        kinds = db.exec(select(RecordEntry.kind)).all()
    return kinds.count("accounts.person_added")


def test_an_act_is_answered_with_its_row_and_event_durable(world: World) -> None:
    before = events(world)
    person = world.work(lambda work: add(work, "w-one"))
    assert (person.login, logins(world), events(world) - before) == ("w-one", ["w-one"], 1)


def test_a_refusal_leaves_neither_row_nor_event(world: World) -> None:
    before = events(world)
    with pytest.raises(Refused):
        world.work(lambda work: refuse(work, "w-two"))
    assert (logins(world), events(world) - before) == ([], 0)


def test_a_refusal_undoes_only_itself_within_a_group(world: World) -> None:
    before, gate = events(world), threading.Event()
    world.site.writer.submit(lambda work: gate.wait(10))
    acts = [world.site.writer.submit(partial(refuse if n % 2 else add, login=f"w-{n}")) for n in range(6)]
    gate.set()
    outcomes = [act.exception(timeout=30) is None for act in acts]
    assert outcomes == [True, False, True, False, True, False]
    assert (logins(world), events(world) - before) == (["w-0", "w-2", "w-4"], 3)


def test_the_record_has_no_gap_after_refusals_in_a_group(world: World) -> None:
    for n in range(4):
        world.site.writer.submit(partial(refuse if n % 2 else add, login=f"w-{n}"))
    world.work(lambda work: add(work, "w-last"))
    with world.db() as db:
        entries = db.exec(select(RecordEntry).order_by(col(RecordEntry.index))).all()
    assert [entry.index for entry in entries] == list(range(len(entries)))
    system = [entry.seq for entry in entries if entry.stream == "system"]
    assert system == list(range(1, len(system) + 1))


def test_what_follows_a_commit_never_runs_for_a_refused_act(world: World) -> None:
    ran: list[str] = []

    def act(work: Work, name: str, fail: bool) -> None:
        work.after_commit(lambda: ran.append(name))
        if fail:
            raise Refused(Reason("No."))

    world.work(lambda work: act(work, "kept", False))
    with pytest.raises(Refused):
        world.work(lambda work: act(work, "refused", True))
    assert ran == ["kept"]


def test_a_failure_after_the_commit_does_not_take_the_answer_back(world: World) -> None:
    def act(work: Work) -> str:
        work.after_commit(lambda: Path("/nowhere/at/all").unlink())
        return add(work, "w-kept").login

    assert world.work(act) == "w-kept"
    assert world.work(lambda work: add(work, "w-next").login) == "w-next"
    assert logins(world) == ["w-kept", "w-next"]


def test_an_act_that_is_withdrawn_is_left_out_and_the_writer_goes_on(world: World) -> None:
    """As a timer's is when the server stops: cancelled while it waits, or just while it is being done."""
    begun, gate = threading.Event(), threading.Event()

    def slow(work: Work) -> str:
        begun.set()
        gate.wait(10)
        return add(work, "w-slow").login

    first = world.site.writer.submit(slow)
    begun.wait(10)
    waiting = world.site.writer.submit(partial(add, login="w-withdrawn"))
    assert (first.cancel(), waiting.cancel()) == (False, True)
    gate.set()
    assert first.result(timeout=30) == "w-slow"
    assert world.work(lambda work: add(work, "w-next").login) == "w-next"
    assert logins(world) == ["w-next", "w-slow"]
