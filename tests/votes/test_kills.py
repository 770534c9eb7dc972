"""kill -9 while everybody votes: nothing acknowledged is lost, nothing counts twice, what is unknown is shown truly."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import Session, select

from panel.app import create_app
from panel.core.db import reading_engine
from panel.record import merkle, queries
from panel.record.checkpoint import read_key
from panel.record.note import CheckpointText, open_note
from panel.record.receipt import Receipt
from panel.verify import audit, receipt
from panel.votes import actions
from panel.votes.models import Ballot, SealedBallot, Secrecy
from tests.factories import World, make_world
from tests.votes.chamber import EVERYBODY, VOTERS, open_fact, open_sealed, sit
from tests.votes.kills import Voter, collect, come_back, expected, nursery, until_killed

KILLS = 25
"""Of each kind; `scripts/kill_votes` does as many as it is asked for."""
SEED = 20261123


def made_ready(folder: Path, template: Path, secrecy: Secrecy) -> tuple[World, str, list[str], list[Voter]]:
    """Make an installation in which a motion is open; return it, the motion, its options, everybody who votes on it."""
    world = sit(make_world(folder, template))
    motion = open_sealed(world) if secrecy is Secrecy.SEALED else open_fact(world)
    due = [key for key in (VOTERS if secrecy is Secrecy.SEALED else EVERYBODY) if key != "chair"]
    name, reason = world.site.settings.cookie, "" if secrecy is Secrecy.SEALED else "有据可查。"
    voters = [Voter(key, f"{name}={world.sign_in(key)}", reason) for key in due]
    return world, motion.id, list(motion.options), voters


@pytest.mark.timeout(900)
@pytest.mark.parametrize("secrecy", [Secrecy.OPEN, Secrecy.SEALED])
def test_whatever_the_moment_of_the_kill(tmp_path: Path, template: Path, secrecy: Secrecy) -> None:
    told = survived(tmp_path / "world", template, secrecy, KILLS, SEED)
    print(told)


def survived(folder: Path, template: Path, secrecy: Secrecy, kills: int, seed: int) -> str:
    """Kill so many times, hold everything against everything, and say in a line what was seen."""
    world, motion, options, voters = made_ready(folder, template, secrecy)
    world.close()
    chance, unknown = random.Random(seed), 0
    with nursery(folder) as servers:
        servers.start()
        for _ in range(kills):
            until_killed(servers, voters, motion, options, chance)
            unknown += sum(not voter.sent[-1].acknowledged for voter in voters if voter.sent)
            shown = come_back(servers, voters, motion)
            if secrecy is Secrecy.OPEN:
                hold_rows(world, motion, voters, shown)
                collect(servers, voters)
        servers.kill()
    ballots, receipts = sum(len(voter.sent) for voter in voters), hold_receipts(world, voters)
    hold_record(world)
    hold_count(world, motion, voters)
    assert ballots > kills
    assert secrecy is Secrecy.SEALED or receipts > 0
    return (
        f"{kills} kills, {secrecy.value} motion: {ballots} ballots stood, {unknown} unknown outcomes all shown truly, "
        f"0 acknowledged lost, 0 counted twice, {receipts} receipts verify (seed {seed})"
    )


def hold_rows(world: World, motion: str, voters: list[Voter], shown: dict[str, str]) -> None:
    """The rows are the very ballots that were sent and stood, each replacing the one before it."""
    with world.db() as db:
        for voter in voters:
            rows = db.exec(select(Ballot).where(Ballot.motion_id == motion, Ballot.seat_id == world.seats[voter.key]))
            kept = {row.replaces or "": row for row in rows.all()}
            mark, chain = "", []
            while mark in kept:
                chain.append(kept[mark].choice)
                mark = kept[mark].id
            assert (len(kept), chain) == (len(chain), [sent.choice for sent in voter.sent])
            assert mark == shown[voter.key]


def hold_receipts(world: World, voters: list[Voter]) -> int:
    """Every receipt that was handed out holds, and its tree is the beginning of the tree that there is now."""
    key = read_key(world.site.settings.record_key).verifier
    every = [text for voter in voters for text in voter.receipts]
    with world.db() as db:
        size = queries.head(db).size
        for text in every:
            assert receipt.verify(text.encode(), str(key)).holds
            seen = CheckpointText.parse(open_note(Receipt.parse(text).checkpoint, key))
            proof = queries.consistency(db, seen.size, size)
            assert merkle.verify_consistency(seen.size, size, seen.root, queries.root(db, size), proof)
    return len(every)


def hold_record(world: World) -> None:
    """The audit finds nothing."""
    engine = reading_engine(world.site.settings.database_url)
    with Session(engine) as db:
        key = read_key(world.site.settings.record_key).verifier
        problems = [one.problem for one in audit.audit(db, key=key, ballot_keys=world.site.settings.ballot_keys)]
    engine.dispose()
    assert [problem for problem in problems if problem] == []


def hold_count(world: World, motion: str, voters: list[Voter]) -> None:
    """Closing counts exactly what stood; of a sealed motion neither ballots nor key are left."""
    app = create_app(world.site.settings)
    again = replace(world, app=app, site=app.state.site)
    result = again.act(actions.close_motion, "chair", motion_id=motion)
    again.close()
    assert {option: n for option, n in result.counts.items() if n} == dict(expected(voters))
    with world.db() as db:
        assert db.exec(select(SealedBallot)).all() == []
    assert list(world.site.settings.ballot_keys.glob("*")) == []
