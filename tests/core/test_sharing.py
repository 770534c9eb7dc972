"""What the acts of one commit share: answers that are read once, and the sheet of the record."""

import asyncio
import inspect
import re
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session, col, select

from panel.accounts.events import PersonAdded
from panel.accounts.models import Person
from panel.committees import actions as committees
from panel.committees import queries as seats
from panel.core import db as database
from panel.core import forms, hooks
from panel.core.errors import Forbidden, Reason, Refused
from panel.core.lately import Lately
from panel.core.security import Actor, Role
from panel.hearings import queries as hearings
from panel.record import queries as record
from panel.record.models import RecordEntry
from panel.votes import actions, queries
from panel.votes.models import Ballot, Motion
from panel.work import Work
from tests.factories import World
from tests.record.sayings import first_broken
from tests.votes.chamber import EVERYBODY, events, open_fact, post_ballot, reread, sit

Act = Callable[[Work], Any]


@pytest.fixture
def session(world: World) -> World:
    """The committee in closed session, all nine present, at the step of the votes."""
    return sit(world)


def together(world: World, acts: Sequence[Act]) -> list["Future[Any]"]:
    """Let the writer take these acts in one group, in this order; return their answers."""
    gate = threading.Event()
    world.site.writer.submit(lambda work: gate.wait(10))
    answers = [world.site.writer.submit(act) for act in acts]
    gate.set()
    for answer in answers:
        answer.exception(timeout=30)
    return answers


def outcomes(world: World, acts: Sequence[Act]) -> list[str]:
    """Return what became of each act of a group: done, or why not."""
    errors = [answer.exception() for answer in together(world, acts)]
    return [str(error) if error else "done" for error in errors]


def cast(world: World, who: str, motion: Motion, choice: str = "established", **more: str) -> Act:
    """Return the act of casting a ballot."""
    actor = world.actor(who)
    return lambda work: actions.cast(work, actor, motion_id=motion.id, choice=choice, **{"reason": "理由", **more})


def by(world: World, who: str, action: Callable[..., Any], **what: Any) -> Act:
    """Return an act of somebody."""
    actor: Actor = world.actor(who)
    return lambda work: action(work, actor, **what)


def counted(world: World, motion: Motion) -> dict[str, str]:
    """Return the choice that counts for each member."""
    names = {seat: key for key, seat in world.seats.items()}
    with world.db() as db:
        return {names[b.seat_id]: b.choice for b in queries.counting_ballots(db, motion.id)}


def whole(world: World) -> str:
    """Return what is wrong with the record, or nothing."""
    with world.db() as db:
        return first_broken(db)


def test_a_refused_ballot_among_accepted_ones_undoes_itself_only(session: World) -> None:
    motion = open_fact(session)
    acts = [cast(session, "luo", motion), cast(session, "luo", motion), cast(session, "qin", motion, "nonsense")]
    told = outcomes(session, [*acts, cast(session, "qin", motion)])
    twice = "Your ballot has been received already. To change it, open your ballot and replace it."
    assert told == ["done", twice, "This is not one of the options of this motion.", "done"]
    assert counted(session, motion) == {"luo": "established", "qin": "established"}
    assert [cast["seat"] for cast in events(session, "votes.ballot_cast")] == [session.seats[k] for k in ("luo", "qin")]
    assert whole(session) == ""


def test_an_act_that_fails_after_it_recorded_leaves_no_gap(session: World) -> None:
    motion = open_fact(session)

    def fails(work: Work) -> None:
        cast(session, "qin", motion)(work)
        record.head(work.db)  # reads the record, so that what waits is written inside this act
        raise Refused(Reason("No."))

    assert outcomes(session, [cast(session, "luo", motion), fails, cast(session, "meng", motion)])[1] == "No."
    assert set(counted(session, motion)) == {"luo", "meng"}
    with session.db() as db:
        entries = db.exec(select(RecordEntry).order_by(col(RecordEntry.index))).all()
    assert [entry.index for entry in entries] == list(range(len(entries)))
    assert whole(session) == ""


@pytest.mark.parametrize("reads", [False, True])
def test_a_first_act_that_fails_after_it_recorded_leaves_the_tree_to_the_next(session: World, *, reads: bool) -> None:
    motion = open_fact(session)

    def fails(work: Work) -> None:
        cast(session, "qin", motion)(work)
        if reads:
            record.head(work.db)
        raise Refused(Reason("No."))

    acts = [fails, cast(session, "luo", motion), fails, cast(session, "meng", motion)]
    assert outcomes(session, acts) == ["No.", "done"] * 2
    assert set(counted(session, motion)) == {"luo", "meng"}
    assert whole(session) == ""


def test_a_replacement_in_the_same_commit_replaces(session: World) -> None:
    motion, luo = open_fact(session), session.actor("luo")
    given: list[Ballot] = []

    def first(work: Work) -> None:
        given.append(actions.cast(work, luo, motion_id=motion.id, choice="established"))

    def second(work: Work) -> None:
        actions.cast(work, luo, motion_id=motion.id, choice="undetermined", reason="再议", replaces=given[0].id)

    assert outcomes(session, [first, second, second]) == [
        "done", "done", "Your ballot has been replaced since this form was opened. Open your ballot again.",
    ]  # fmt: skip
    assert counted(session, motion) == {"luo": "undetermined"}


def test_a_recusal_in_the_same_commit_stops_the_next_ballot(session: World) -> None:
    motion = open_fact(session)
    what = {"seat_id": session.seats["luo"], "ground": "interest", "statement": "亲属任职"}
    acts = [cast(session, "qin", motion), by(session, "luo", committees.recuse, **what), cast(session, "luo", motion)]
    answers = together(session, [*acts, cast(session, "meng", motion)])
    assert [type(answer.exception()) for answer in answers] == [type(None), type(None), Forbidden, Refused]
    assert str(answers[3].exception()) == "This motion was annulled. No ballot in it was counted."
    assert reread(session, motion).state.value == "annulled"


def test_a_recusal_that_is_refused_is_forgotten(session: World) -> None:
    motion = open_fact(session)
    what = {"seat_id": session.seats["luo"], "ground": "interest", "statement": "亲属任职"}

    def fails(work: Work) -> None:
        committees.recuse(work, session.actor("luo"), **what)
        assert session.seats["luo"] in seats.recused(work.db, session.case_id)
        raise Refused(Reason("No."))

    assert outcomes(session, [fails, cast(session, "luo", motion)]) == ["No.", "done"]
    assert counted(session, motion) == {"luo": "established"}


def test_a_closing_in_the_same_commit_stops_the_next_ballot(session: World) -> None:
    motion = open_fact(session)
    voters = [cast(session, key, motion) for key in EVERYBODY if key not in {"chair", "luo"}]
    closing = by(session, "chair", actions.close_motion, motion_id=motion.id)
    told = outcomes(session, [*voters, closing, cast(session, "luo", motion)])
    late = "Voting has closed. This ballot was not accepted, and you have no other in this vote."
    assert told == ["done"] * (len(voters) + 1) + [late]
    (closed,) = events(session, "votes.motion_closed")
    assert len(closed["participation"]) == len(voters) == len(counted(session, motion))


def test_somebody_who_leaves_in_the_same_commit_does_not_vote(session: World) -> None:
    motion = open_fact(session)
    leaving = by(session, "luo", committees.leave, hearing_id=session.hearing_id)
    told = outcomes(session, [cast(session, "qin", motion), leaving, cast(session, "luo", motion)])
    assert told == ["done", "done", "You are not recorded as present. Only members who are present vote."]


def test_every_answer_comes_after_the_commit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(work: Work) -> None:
        raise Refused(Reason("No."))

    def fails(db: Session) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(Session, "commit", fails)
    gate = threading.Event()
    world.site.writer.submit(lambda work: gate.wait(10))
    answers = [world.site.writer.submit(act) for act in (refuse, lambda work: "done")]
    gate.set()
    assert [str(answer.exception(timeout=30)) for answer in answers] == ["the disk is full"] * 2


def test_what_waits_for_the_record_is_there_for_whoever_reads_it(world: World) -> None:
    def act(work: Work) -> tuple[int, int, int]:
        before = record.head(work.db).size
        work.db.expire_all()
        person = work.add(Person(name="w", login="w", password_hash="-"))
        index = work.record(PersonAdded(person_id=person.id, name="w"))
        return before, index, record.head(work.db).size

    before, index, after = world.work(act)
    assert (index, after) == (before, before + 1)
    assert whole(world) == ""


def test_no_remembered_question_reads_a_table_whose_change_it_would_miss(session: World) -> None:
    motion = open_fact(session)
    session.work(cast(session, "luo", motion))
    asked: list[str] = []
    event.listen(session.site.reading, "before_cursor_execute", lambda c, cursor, said, *rest: asked.append(said))
    with database.snapshot(session.site.reading) as db:
        known: dict[str, Any] = {
            "case_id": session.case_id, "hearing_id": session.hearing_id, "motion_id": motion.id,
            "person_id": session.people["luo"], "role": Role.CHAIR, "closed": True,
            "here": frozenset(session.people.values()),
        }  # fmt: skip
        for ask, args in questions():
            assert set(args) <= known.keys(), f"{ask.__module__}.{ask.__name__} is not tried"
            ask(db, **{name: known[name] for name in args})
    assert len(asked) >= 25
    assert {"ballot", "record_entry", "record_body", "submitted_form"} <= database.UNASKED
    assert [s for s in asked for table in database.UNASKED if f"FROM {table}" in s or f"JOIN {table}" in s] == []


def questions() -> list[tuple[Callable[..., Any], list[str]]]:
    """Return every remembered question of the product, with the names of what it asks by."""
    found = []
    for name, area in sorted(sys.modules.items()):
        for ask in vars(area).values() if name.startswith("panel.") else ():
            if getattr(ask, "__code__", None) is not REMEMBERING or ask.__module__ != name:
                continue
            asks_by = [one for one in inspect.signature(ask).parameters.values() if one.default is one.empty]
            found.append((ask, [one.name for one in asks_by[1:] if one.kind is not one.VAR_POSITIONAL]))
    assert len(found) >= 30
    return found


REMEMBERING = database.remembered(lambda db: None).__code__


def test_every_writing_statement_but_the_known_ones_makes_the_writer_forget(world: World) -> None:
    def forgets(statement: str) -> bool:
        with Session(world.site.reading, info={database.REMEMBERED: {"answer": 1}}) as db:
            database.forget_if_changed(db, statement)
            return not db.info[database.REMEMBERED]

    kept = ["SELECT 1", "SAVEPOINT sa_1", "RELEASE SAVEPOINT sa_1", "INSERT INTO ballot (id) VALUES (?)"]
    gone = [
        "INSERT INTO recusal (id) VALUES (?)", "UPDATE seat SET alternate=?", "DELETE FROM attendance", "VACUUM",
        "INSERT OR REPLACE INTO motion VALUES (1)", "ROLLBACK TO SAVEPOINT act", "WITH x AS (SELECT 1) DELETE FROM x",
        'UPDATE "case" SET title=?', "INSERT INTO ballot_paper VALUES (1)",
    ]  # fmt: skip
    assert [forgets(statement) for statement in kept + gone] == [False] * len(kept) + [True] * len(gone)


def test_rows_that_wait_are_written_before_a_remembered_question_is_answered(session: World) -> None:
    def act(work: Work) -> tuple[str, str]:
        before = hooks.phase_of(work.db, session.hearing_id)
        hearings.for_update(work.db, session.hearing_id).phase = type(
            hearings.for_update(work.db, session.hearing_id).phase
        ).DELIBERATION
        return before, hooks.phase_of(work.db, session.hearing_id)

    assert session.work(act) == ("motions", "deliberation")


def test_the_same_form_twice_in_one_commit_is_done_once(session: World) -> None:
    motion = open_fact(session)

    def send(work: Work, body: str) -> str:
        if not forms.kept(work.db, "luo:key", body, work.now):
            return "again"
        cast(session, "luo", motion)(work)
        return "done"

    answers = together(session, [partial(send, body="a"), partial(send, body="a"), partial(send, body="b")])
    assert [answer.result() for answer in answers[:2]] == ["done", "again"]
    assert str(answers[2].exception()).startswith("This form was already sent with other content.")
    assert counted(session, motion) == {"luo": "established"}


def test_a_crowd_loads_once_between_two_commits(world: World) -> None:
    loaded: list[str] = []

    def of(db: Session, id: str) -> str:
        loaded.append(id)
        return id

    async def ask() -> list[str]:
        lately = Lately(world.site.reading)
        first = await asyncio.gather(*(lately.load(of, "a") for _ in range(20)))
        lately.committed()
        return [*first, await lately.load(of, "a")]

    assert asyncio.run(ask()) == ["a"] * 21
    assert loaded == ["a", "a"]


def test_a_standing_that_is_lost_is_lost_for_the_next_ballot(session: World) -> None:
    motion = open_fact(session)
    with session.client("luo") as client:
        assert post_ballot(client, motion, "established").status_code == 303
        fields = {**session.token(client, f"/motions/{motion.id}/ballot?replace=1"), "choice": "established"}
        what = {"seat_id": session.seats["luo"], "ground": "interest", "statement": "亲属任职"}
        session.act(committees.recuse, "luo", **what)
        answer = client.post(f"/motions/{motion.id}/ballots", data=fields)
    assert (answer.status_code, "recused" in answer.text or "回避" in answer.text) == (403, True)


def test_many_readers_at_once_get_the_parts_that_each_gets_alone(session: World) -> None:
    motion = open_fact(session)
    session.work(cast(session, "luo", motion))
    path, readers = f"/hearings/{session.hearing_id}/changes?since=0", ("luo", "qin", "meng", "feng")
    with session.client() as entered:
        cookies = {key: {"cookie": f"{session.site.settings.cookie}={session.sign_in(key)}"} for key in readers}

        def read(key: str) -> str:
            return re.sub(r'(value|id|for|aria-\w+)="[^"]*"', "", entered.get(path, headers=cookies[key]).text)

        alone = {key: read(key) for key in readers}
        with ThreadPoolExecutor(len(readers)) as pool:
            together = dict(zip(readers, pool.map(read, readers), strict=True))
    assert together == alone
    assert alone["luo"] != alone["qin"]
