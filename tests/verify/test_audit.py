"""The audit: whoever changes a row behind the record's back is found, however well they know the tables."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from panel.record import checkpoint, merkle
from panel.record.note import SigningKey
from panel.verify.audit import audit
from panel.votes.actions import keys
from panel.votes.models import SealedBallot
from tests.factories import World
from tests.record.sayings import NOON
from tests.verify.stories import KEY, Teller, show, tell

GUARDS = (
    "record_entry_no_update", "record_entry_no_delete", "record_entry_next", "record_body_no_update",
    "record_body_no_replace", "checkpoint_no_update", "checkpoint_no_delete", "checkpoint_no_replace",
)  # fmt: skip


@pytest.fixture
def told(world: World) -> World:
    """A world with a decided case, a checkpoint, and the rows that its pages show."""
    tell(world, Teller(world.case_id).whole())
    show(world)
    checkpoint.publish(world.site.writer._engine, KEY, NOON)  # type: ignore[attr-defined]  # the writer itself
    return world


def problems(world: World, key: SigningKey = KEY, ballot_keys: Path | None = None) -> list[str]:
    """Audit; return every problem."""
    with world.db() as db:
        found = list(audit(db, key=key.verifier, ballot_keys=ballot_keys))
    return [str(one.problem) for one in found if one.problem]


@contextmanager
def behind_the_back(world: World) -> Iterator[sqlite3.Connection]:
    """Open the file as somebody would who owns the machine: without the guards."""
    connection = sqlite3.connect(world.folder / "panel.sqlite")
    for guard in GUARDS:
        connection.execute(f"DROP TRIGGER {guard}")
    yield connection
    connection.commit()
    connection.close()


def test_an_untouched_installation_holds(told: World) -> None:
    with told.db() as db:
        found = list(audit(db, key=KEY.verifier))
    assert [str(one.problem) for one in found if one.problem] == []
    assert [str(one.title) for one in found] == [
        "The record: 24 entries", "The checkpoints: 1", "Case 容评〔2026〕1号", "The keys of sealed motions",
    ]  # fmt: skip
    assert [verdict.state for verdict in found[2].verdicts] == ["recounted", "checked"]


BODY = "its body is not what was committed to"
FORGERIES = {
    "a ballot": (
        "UPDATE record_body SET public = replace(public, 'not_established', 'established') WHERE \"index\" = 10",
        f"Entry 10: {BODY}.",
    ),
    "a private text": ("UPDATE record_body SET private = '{}' WHERE \"index\" = 3", f"Entry 3: {BODY}."),
    "a salt": ("UPDATE record_body SET public_salt = private_salt WHERE \"index\" = 3", f"Entry 3: {BODY}."),
    "a body": (
        "DELETE FROM record_body WHERE \"index\" = 3", "Entry 3: its body is missing, and no event tells why.",
    ),
    "a time": (
        "UPDATE record_entry SET time = '2026-01-01 00:00:00.000000' WHERE \"index\" = 3",
        "Entry 3: its case, number or time is not what was committed to.",
    ),
    "a kind": (
        "UPDATE record_entry SET kind = 'x' WHERE \"index\" = 3",
        "Entry 3: it is filed under another kind or hearing than its body tells.",
    ),
    "a closed session": (
        "UPDATE record_entry SET closed = 0 WHERE \"index\" = 4",
        "Entry 4: it is filed under another kind or hearing than its body tells.",
    ),
    "a number": ("UPDATE record_entry SET seq = 99 WHERE \"index\" = 3", "Entry 3: its stream has a gap before it."),
    "a leaf": ("UPDATE record_entry SET leaf = x'00' WHERE \"index\" = 3", "Entry 3: its leaf is damaged."),
    "a hash": (
        "UPDATE record_entry SET hashes = zeroblob(32) WHERE \"index\" = 4",
        "Entry 4: its hashes are not those of the tree.",
    ),
    "the last entry": (
        "DELETE FROM record_entry WHERE \"index\" = 23", "The head does not agree with the entries.",
    ),
    "an entry in the middle": ("DELETE FROM record_entry WHERE \"index\" = 7", "Entry 7: it is missing."),
    "the head": ("UPDATE record_head SET frontier = ''", "The head does not agree with the entries."),
    "a stream's length": ("UPDATE record_stream SET length = 5", "A stream has another length than entries."),
    "a checkpoint": (
        "UPDATE checkpoint SET note = replace(note, '24', '23')",
        "The checkpoint of size 24: the signature does not belong to the text.",
    ),
    "a checkpoint's row": (
        "UPDATE checkpoint SET size = 23", "The record no longer agrees with its checkpoint of size 23.",
    ),
    "a tally that is shown": (
        "UPDATE tally SET result = replace(result, '\"established\": 6', '\"established\": 9')",
        "A tally that is shown is not the one on the record.",
    ),
    "a finding that is shown": (
        "UPDATE finding SET outcome = 'exempt'", "The finding that is shown is not the one on the record.",
    ),
    "a finding taken away": ("DELETE FROM finding", "The finding that is shown is not the one on the record."),
}  # fmt: skip


@pytest.mark.parametrize("what", FORGERIES)
def test_a_row_that_was_changed_is_found(told: World, what: str) -> None:
    statement, expected = FORGERIES[what]
    with behind_the_back(told) as connection:
        connection.execute(statement)
    assert problems(told)[0] == expected


def test_a_record_written_anew_from_some_entry_on_disagrees_with_its_checkpoint(told: World) -> None:
    with behind_the_back(told) as connection:
        rewrite(connection, gone=23)
    assert problems(told) == ["The record no longer agrees with its checkpoint of size 24."]


def rewrite(connection: sqlite3.Connection, *, gone: int) -> None:
    """Drop the newest entry and make everything else agree, as the owner of machine and tables could."""
    connection.execute('DELETE FROM record_body WHERE "index" = ?', (gone,))
    connection.execute('DELETE FROM record_entry WHERE "index" = ?', (gone,))
    connection.execute("UPDATE record_stream SET length = length - 1")
    frontier: list[bytes] = []
    for index, leaf in connection.execute('SELECT "index", leaf FROM record_entry ORDER BY "index"').fetchall():
        frontier, _ = merkle.append(frontier, index, merkle.leaf_hash(leaf))
    connection.execute("UPDATE record_head SET size = ?, frontier = ?", (gone, b"".join(frontier).hex()))


def test_sealed_ballots_and_keys_that_were_left_are_found(told: World, tmp_path: Path) -> None:
    assert problems(told, ballot_keys=tmp_path) == []
    keys.create(tmp_path, "2" * 32)
    assert problems(told, ballot_keys=tmp_path) == ["The key of a sealed motion is left that is not open."]
    left = SealedBallot(motion_id="2" * 32, seat_id="s", sealed=b"x", first_at=NOON, received_at=NOON)
    told.work(lambda work: work.add_unrecorded(left))
    assert problems(told) == ["Sealed ballots of a motion are left that is not open."]


def test_the_log_s_own_lie_about_a_vote_is_told_under_its_case(world: World) -> None:
    tell(world, Teller(world.case_id).open_vote(carried="lost", settled="not_established"))
    assert problems(world) == [
        "Motion 1: the result that is told is not the one that the ballots give "
        "(outcome: lost/not_established is told, carried/established is counted)."
    ]
