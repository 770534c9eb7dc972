"""Many at once: one member's sixty ballots, ballots against closing. Acknowledged is counted, and nothing else is."""

import itertools
import random
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import func, select

from panel.app import stream_of
from panel.core.db import writing_engine
from panel.core.errors import Refused
from panel.core.security import Actor
from panel.votes import actions, queries
from panel.votes.forms import padded
from panel.votes.models import Ballot, Motion, SealedBallot
from panel.work import Writer
from tests.factories import World, make_world
from tests.postgres import new_database
from tests.votes.chamber import (
    EVERYBODY,
    VOTERS,
    closed,
    events,
    hidden,
    open_fact,
    open_sealed,
    sit,
)

ROUNDS = {"sqlite": 100, "postgresql": 20}
"""Of each kind of motion; `scripts/race_votes` runs as many as it is asked for."""
SIXTY = 60
WRITERS = 4


class Writers:
    """The writers of several processes that share a PostgreSQL; each takes the acts that come to its process."""

    def __init__(self, url: str, **options: Any) -> None:
        self._engine = writing_engine(url).execution_options(**options)
        self._writers = [Writer(self._engine, stream_of=stream_of, committed=lambda told: None) for _ in range(WRITERS)]
        self._next = itertools.cycle(self._writers)

    def submit(self, what: Any, *, probing: bool = False) -> "Future[Any]":
        """Give an act to one process after the other."""
        return next(self._next).submit(what, probing=probing)

    def calm(self, seconds: float) -> None:
        """Nothing is drawn for a crowd here, so that nothing has to give way."""

    def waiting(self) -> int:
        """Return how many acts wait, at all of them."""
        return sum(writer.waiting() for writer in self._writers)

    def use_one(self) -> None:
        """From now on give every act to the first: acts are done in the order in which they are given."""
        self._next = itertools.cycle(self._writers[:1])

    def close(self) -> None:
        """Stop them all."""
        for writer in self._writers:
            writer.close()
        self._engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def session(request: pytest.FixtureRequest, tmp_path: Path, template: Path) -> Iterator[World]:
    """The committee at its votes: on SQLite, and on PostgreSQL with several processes that write."""
    url = new_database(request.getfixturevalue("postgres")) if request.param == "postgresql" else ""
    world = room(tmp_path / "world", template, url)
    yield world
    world.close()
    world.site.reading.dispose()


def room(folder: Path, template: Path, url: str = "") -> World:
    """Return the committee at its votes; with a database's URL several processes write to it."""
    world = make_world(folder, template, database=url)
    if url:
        alone: Any = world.site.writer
        alone.close()
        alone._engine.dispose()
        world.site.writer = Writers(url, ballot_keys=world.site.settings.ballot_keys)
    return sit(world)


def act(action: Any, actor: Actor, **what: Any) -> Any:
    """Bind an action to who does it, for the writer."""
    return lambda work: action(work, actor, **what)


def accepted(futures: list["Future[Any]"]) -> list[Any]:
    """Return the answers of the acts that were not refused."""
    return [future.result() for future in futures if not isinstance(future.exception(timeout=60), Refused)]


@pytest.mark.parametrize("sealed", [False, True])
def test_sixty_ballots_of_one_member_at_once_are_one(session: World, sealed: bool) -> None:
    motion = open_sealed(session) if sealed else open_fact(session)
    cast, choice = (actions.cast_sealed, "approve") if sealed else (actions.cast, "established")
    luo, start = session.actor("luo"), threading.Barrier(SIXTY)

    def send() -> "Future[Any]":
        start.wait()
        future: Future[Any] = session.site.writer.submit(act(cast, luo, motion_id=motion.id, choice=choice))
        return future

    with ThreadPoolExecutor(SIXTY) as pool:
        futures = [waiting.result() for waiting in [pool.submit(send) for _ in range(SIXTY)]]
    assert len(accepted(futures)) == 1
    with session.db() as db:
        table = SealedBallot if sealed else Ballot
        assert db.exec(select(func.count()).select_from(table)).one() == 1
    assert len(events(session, "votes.ballot_cast")) == (0 if sealed else 1)


@pytest.mark.parametrize("sealed", [False, True])
def test_sixty_forms_of_one_member_over_http_are_one_ballot(session: World, sealed: bool) -> None:
    motion = open_sealed(session) if sealed else open_fact(session)
    client = session.client("luo")
    csrf = hidden(client.get(f"/motions/{motion.id}/ballot").text, "cast-ballot")["csrf"]
    choice = padded("approve" if sealed else "established")

    def send(number: int) -> int:
        fields = {"csrf": csrf, "choice": choice, "replaces": "", "idem": f"{number:032x}"}
        return client.post(f"/motions/{motion.id}/ballots", data=fields, follow_redirects=False).status_code

    with ThreadPoolExecutor(12) as pool:
        answers = Counter(pool.map(send, range(SIXTY)))
    assert answers == {303: 1, 409: SIXTY - 1}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("sealed", [False, True])
def test_ballots_against_closing_acknowledged_is_counted(session: World, sealed: bool) -> None:
    race(session, ROUNDS[session.site.reading.dialect.name], sealed=sealed, seed=2026)


def race(world: World, rounds: int, *, sealed: bool, seed: int) -> int:
    """Let ballots run against the closing so many times; return how many ballots were acknowledged and counted."""
    chance, counted = random.Random(seed), 0
    actors = {key: world.actor(key) for key in (*EVERYBODY, "chair")}
    for number in range(rounds):
        motion = _put(world, number, sealed=sealed)
        taken, result = _race(world, motion, actors, chance, sealed=sealed)
        with world.db() as db:
            took_part = (
                set(queries.participation(db, motion.id))
                if sealed
                else {b.seat_id for b in queries.counting_ballots(db, motion.id)}
            )
        assert took_part == {world.seats[key] for key in taken}
        counted += len(taken)
        assert result.cast == len(taken)
        if result.counts:
            assert {option: n for option, n in result.counts.items() if n} == Counter(taken.values())
        else:
            assert (result.carried, len(taken) < 5) == ("lapsed", True)
    return counted


def _put(world: World, number: int, *, sealed: bool) -> Motion:
    kind = {"kind": "disposition", "outcome": "deny"} if sealed else {"kind": "fact"}

    def act_(work: Any) -> Motion:
        chair = world.actor("chair")
        what = {"hearing_id": world.hearing_id, "question": f"第{number}轮", **kind}
        moved = actions.move(work, chair, **what)
        work.db.flush()
        return actions.open_motion(work, chair, motion_id=moved.id)

    return world.work(act_)


def _race(
    world: World, motion: Motion, actors: dict[str, Any], chance: random.Random, *, sealed: bool
) -> tuple[dict[str, str], Any]:
    """Send every ballot and the closing at once, in a random order; return what was acknowledged, and the result."""
    voters = VOTERS if sealed else EVERYBODY[1:]
    options = ["disapprove", "abstain", "defer"] if sealed else motion.options
    choices = {key: chance.choice(options) for key in voters}
    sends: list[tuple[str, Any]] = [(key, _ballot(motion, actors[key], choices[key], sealed)) for key in voters]
    sends.insert(
        chance.randrange(len(sends) + 1), ("closing", act(actions.close_motion, actors["chair"], motion_id=motion.id))
    )
    start, futures = threading.Barrier(len(sends)), dict[str, Future[Any]]()

    def send(name: str, what: Any) -> None:
        start.wait()
        futures[name] = world.site.writer.submit(what)

    threads = [threading.Thread(target=send, args=sent) for sent in sends]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = {name for name, future in futures.items() if isinstance(future.exception(timeout=60), Refused)}
    return {key: choices[key] for key in voters if key not in refused}, futures["closing"].result()


def _ballot(motion: Motion, actor: Any, choice: str, sealed: bool) -> Any:
    if sealed:
        return act(actions.cast_sealed, actor, motion_id=motion.id, choice=choice)
    return act(actions.cast, actor, motion_id=motion.id, choice=choice, reason="理由")


def test_many_closings_at_once_are_one(session: World) -> None:
    motion = open_sealed(session)
    chair = session.actor("chair")
    futures = [session.site.writer.submit(act(actions.close_motion, chair, motion_id=motion.id)) for _ in range(20)]
    assert len(accepted(futures)) == 1
    assert len(events(session, "votes.motion_closed")) == 1


@pytest.mark.parametrize("sealed", [False, True])
def test_ballots_against_many_closings_give_one_count_that_is_theirs(session: World, sealed: bool) -> None:
    chance = random.Random(7)
    chair = session.actor("chair")
    for number in range(6):
        motion = _put(session, number, sealed=sealed)
        voters = VOTERS if sealed else EVERYBODY[1:]
        options = ["disapprove", "abstain", "defer"] if sealed else motion.options
        choices = {key: chance.choice(options) for key in voters}
        sends = [(key, _ballot(motion, session.actor(key), choices[key], sealed)) for key in voters]
        sends += [("closing", act(actions.close_motion, chair, motion_id=motion.id)) for _ in range(5)]
        chance.shuffle(sends)
        with ThreadPoolExecutor(len(sends)) as pool:
            futures = list(pool.map(lambda sent: (sent[0], session.site.writer.submit(sent[1])), sends))
        taken = [name for name, future in futures if name != "closing" and accepted([future])]
        (result,) = accepted([future for name, future in futures if name == "closing"])
        with session.db() as db:
            kept = queries.tally_of(db, motion.id)
        assert kept == result
        assert result.cast == len(taken)
        if result.counts:
            assert {o: n for o, n in result.counts.items() if n} == Counter(choices[key] for key in taken)


def test_a_recusal_against_ballots_counts_none_of_them(session: World) -> None:
    from panel.committees import actions as committees

    motion = open_sealed(session)
    if isinstance(session.site.writer, Writers):
        session.site.writer.use_one()
    sends = [_ballot(motion, session.actor(key), "approve", True) for key in VOTERS]
    recusal = act(
        committees.recuse, session.actor("luo"), seat_id=session.seats["luo"], ground="interest", statement="亲属任职"
    )
    futures = [session.site.writer.submit(what) for what in [*sends[:3], recusal, *sends[3:]]]
    assert len(accepted(futures)) == 4
    with session.db() as db:
        assert db.exec(select(func.count()).select_from(SealedBallot)).one() == 0
    with pytest.raises(Refused):
        closed(session, motion)
