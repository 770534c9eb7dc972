"""A sealed choice is nowhere: not in the file, the log of the database, backups, forms kept, logs; during and after."""

import sqlite3
import time
from pathlib import Path
from statistics import median

import pytest
from nacl.public import PrivateKey
from sqlmodel import select

from panel.core.errors import Refused
from panel.core.forms import SubmittedForm
from panel.votes import queries
from panel.votes.actions import keys
from panel.votes.forms import padded
from panel.votes.models import Motion, Participation, SealedBallot
from tests.factories import World
from tests.votes.chamber import (
    VOTERS,
    cast_all,
    closed,
    disposition,
    events,
    hidden,
    key_file,
    open_sealed,
    opened,
    post_ballot,
)

CHOICES = dict(
    zip(VOTERS, ("approve", "disapprove", "defer", "abstain", "approve", "disapprove", "defer"), strict=True)
)
TURNS, MOST_TURNS, ALIKE = 12, 200, 1.3
CODES = (b"approve", b"disapprove", b"defer.", b"abstain", "不同意".encode(), "缓议".encode(), "弃权".encode())
pytestmark = pytest.mark.sqlite  # its files, page by page; PostgreSQL's in test_secrecy_postgres


def checkpoint(world: World) -> None:
    """Move everything from the write-ahead log into the file."""
    with sqlite3.connect(world.folder / "panel.sqlite") as connection:
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    connection.close()


def on_disk(world: World) -> dict[str, bytes]:
    """Return every file of the installation except the keys, by name."""
    files = (path for path in world.folder.rglob("*") if path.is_file() and path.suffix != keys.SUFFIX)
    return {path.name: path.read_bytes() for path in files}


def backup(world: World, to: Path) -> bytes:
    """Make an online backup and return its bytes."""
    source, target = sqlite3.connect(world.folder / "panel.sqlite"), sqlite3.connect(to)
    source.backup(target)
    source.close()
    target.close()
    return to.read_bytes()


def blobs(world: World) -> list[bytes]:
    """Return the sealed ballots as they are stored."""
    with world.db() as db:
        return [row.sealed for row in db.exec(select(SealedBallot)).all()]


def over_http(world: World, motion: Motion) -> None:
    """Let everybody vote through the pages."""
    for key, choice in CHOICES.items():
        assert post_ballot(world.client(key), motion, padded(choice)).status_code == 303


def test_nothing_that_casting_writes_holds_a_choice(session: World) -> None:
    motion = open_sealed(session)
    clients = {key: session.client(key) for key in CHOICES}
    checkpoint(session)
    for key, choice in CHOICES.items():
        assert post_ballot(clients[key], motion, padded(choice)).status_code == 303
    written = on_disk(session)["panel.sqlite-wal"]
    assert len(written) > 10_000
    assert [code for code in CODES if code in written] == []
    assert all(blob in written for blob in blobs(session)), "the sealed ballots themselves are there"


def test_equal_choices_are_sealed_differently(session: World) -> None:
    motion = open_sealed(session)
    cast_all(session, motion, dict.fromkeys(VOTERS, "approve"))
    assert len(set(blobs(session))) == len(VOTERS)


def test_the_record_is_silent_while_a_secret_vote_is_open(session: World) -> None:
    motion = open_sealed(session)
    before = events(session)
    over_http(session, motion)
    assert events(session) == before
    with session.db() as db:
        assert db.exec(select(SubmittedForm)).all() == [], "a digest of four possible forms is no secret"


def test_the_logs_know_no_choice(
    session: World, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        motion = open_sealed(session)
        over_http(session, motion)
        assert post_ballot(session.client("luo"), motion, padded("disapprove"), replaces="f" * 32).status_code == 409
        closed(session, motion)
    printed = capfd.readouterr()
    said = (printed.out + printed.err + caplog.text).encode()
    assert b"votes.motion_closed" in said
    assert [code for code in CODES if code in said] == []


def test_a_failure_in_the_middle_of_casting_tells_no_choice(
    session: World, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tracebacks show lines of code, never the values of variables."""
    motion, client = open_sealed(session), session.client("luo")

    def broken(*sealed: str) -> bytes:
        raise RuntimeError("no random numbers")

    monkeypatch.setattr("panel.votes.actions.keys.seal", broken)
    with caplog.at_level("DEBUG"):
        answer = post_ballot(client, motion, padded("disapprove"))
    printed = capfd.readouterr()
    said = (printed.out + printed.err + caplog.text + answer.text).encode()
    assert (answer.status_code, b"no random numbers" in said) == (500, True)
    assert [code for code in CODES if code in said] == []


def test_after_closing_no_sealed_ballot_and_no_key_is_left_on_the_disk(session: World) -> None:
    motion = open_sealed(session)
    over_http(session, motion)
    stored, key = blobs(session), key_file(session, motion).read_bytes()
    closed(session, motion)
    left = on_disk(session)
    assert [name for name, data in left.items() for blob in stored if blob in data] == []
    assert [name for name, data in left.items() if key in data] == []
    assert (key_file(session, motion).exists(), len(left["panel.sqlite-wal"])) == (False, 0)


def test_an_annulled_vote_leaves_nothing_either(session: World) -> None:
    from panel.votes import actions

    motion = open_sealed(session)
    over_http(session, motion)
    stored = blobs(session)
    session.act(actions.annul, "chair", motion_id=motion.id, ground="试")
    assert [name for name, data in on_disk(session).items() for blob in stored if blob in data] == []


def test_a_backup_taken_in_mid_vote_reveals_nothing_then_or_later(session: World, tmp_path: Path) -> None:
    motion = open_sealed(session)
    cast_all(session, motion, CHOICES)
    stored = blobs(session)
    copy = backup(session, tmp_path / "backup.sqlite")
    assert all(blob in copy for blob in stored)
    closed(session, motion)
    assert keys.read(session.site.settings.ballot_keys, motion.id) is None
    for seat_id, blob in zip(sorted(session.seats[key] for key in CHOICES), stored, strict=True):
        with pytest.raises(Refused):
            keys.unseal(PrivateKey.generate(), motion.id, seat_id, blob)


def test_participation_tells_who_and_neither_order_nor_time(session: World) -> None:
    motion = open_sealed(session)
    cast_all(session, motion, dict(reversed(CHOICES.items())))
    closed(session, motion)
    with sqlite3.connect(session.folder / "panel.sqlite") as connection:
        rows = connection.execute("SELECT rowid, * FROM participation ORDER BY rowid").fetchall()
    connection.close()
    assert rows == [(n, motion.id, seat) for n, seat in enumerate(sorted(session.seats[k] for k in CHOICES), start=1)]
    assert list(Participation.model_fields) == ["motion_id", "seat_id"]


def test_the_same_counts_leave_the_same_rows_whoever_voted_how(session: World) -> None:
    """After closing, what is stored does not depend on who chose what."""
    left = []
    for turn in (1, 2):
        motion = opened(session, disposition(session, "deny"))
        choices = list(CHOICES.values())
        cast_all(session, motion, dict(zip(VOTERS, choices[turn:] + choices[:turn], strict=True)))
        closed(session, motion)
        with session.db() as db:
            result = queries.tally_of(db, motion.id)
            left.append((result, queries.participation(db, motion.id), blobs(session)))
    assert left[0] == left[1]


def test_the_closing_event_tells_the_tally_and_no_ballot(session: World) -> None:
    motion = open_sealed(session)
    cast_all(session, motion, CHOICES)
    closed(session, motion)
    (event,) = events(session, "votes.motion_closed")
    assert event["result"]["counts"] == {"approve": 2, "disapprove": 2, "defer": 2, "abstain": 1}
    assert event["participation"] == sorted(session.seats[key] for key in CHOICES)
    assert not {"choices", "ballots", "received_at", "first_at"} & set(event)


@pytest.mark.timeout(600)
def test_the_time_of_an_answer_tells_no_choice(session: World) -> None:
    """The median share that each choice has in the time of its turn: a busy machine makes whole turns longer.

    A busy machine is given more turns. What a choice truly costs more stays in its median share, however many.
    """
    motion, client = open_sealed(session), session.client("luo")
    post_ballot(client, motion, padded("approve"))
    shares: dict[str, list[float]] = {choice: [] for choice in motion.options}
    for turn in range(MOST_TURNS):
        took: dict[str, float] = {}
        for choice in [*motion.options[turn % 4 :], *motion.options[: turn % 4]]:
            fields = hidden(client.get(f"/motions/{motion.id}/ballot?replace=1").text, "cast-ballot")
            began = time.perf_counter()
            answer = client.post(
                f"/motions/{motion.id}/ballots", data={**fields, "choice": padded(choice)}, follow_redirects=False
            )
            took[choice] = time.perf_counter() - began
            assert answer.status_code == 303
        for choice, seconds in took.items():
            shares[choice].append(seconds / sum(took.values()))
        usual = [median(each) for each in shares.values()]
        if turn >= TURNS and max(usual) < ALIKE * min(usual):
            break
    assert max(usual) < ALIKE * min(usual), usual
