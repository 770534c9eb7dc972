"""Sequencing: indexes, streams, leaves, the tree, and what the database refuses."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel, create_engine, select

from panel.core import clock
from panel.hearings.events import StageBegun
from panel.record import commitment, merkle, models, queries
from panel.record.models import RecordBody, RecordEntry, RecordStream
from tests.record.sayings import NOON, append, first_broken, note, say, shape

CASE, OTHER = "1" * 32, "2" * 32


@pytest.fixture
def db(engine: Engine) -> Iterator[Session]:
    """A session in which to write."""
    with Session(engine) as session:
        yield session


def entries(db: Session) -> list[RecordEntry]:
    """Return every entry in order."""
    return [entry for entry, _ in queries.everything(db, below=queries.head(db).size)]


def test_an_event_gets_its_index_and_its_number_in_its_stream(db: Session) -> None:
    for stream, texts in ((CASE, "甲乙"), (OTHER, "丙"), (CASE, "丁")):
        say(db, *texts, stream=stream)
    db.commit()
    assert shape(entries(db)) == [(0, CASE, 1), (1, CASE, 2), (2, OTHER, 1), (3, CASE, 3)]
    assert {s.token: s.length for s in db.exec(select(RecordStream)).all()} == {CASE: 3, OTHER: 1}
    assert queries.head(db).size == 4
    assert first_broken(db) == ""


def test_a_leaf_commits_to_the_three_parts_and_to_nothing_else(db: Session) -> None:
    began = StageBegun(case_id="c" * 32, hearing_id="h" * 32, closed=True, actor_id="a" * 32, phase="motions")
    (placed,) = append(db, [began], NOON, stream=CASE)
    found = queries.entry(db, placed.index)
    assert found is not None
    entry, body = found
    assert body is not None
    header = {"case": CASE, "seq": 1, "time": "2026-11-23T04:00:00.123Z"}
    public = {"kind": "hearings.stage_begun", "phase": "motions"}
    private = {"case_id": "c" * 32, "hearing_id": "h" * 32, "closed": True, "actor_id": "a" * 32}
    assert (entry.header, json.loads(body.public), json.loads(body.private)) == (header, public, private)
    assert commitment.commitments_of(entry.leaf) == {
        "header": commitment.commit("header", entry.header_salt, header),
        "public": commitment.commit("public", body.public_salt, public),
        "private": commitment.commit("private", body.private_salt, private),
    }
    assert placed.leaf_hash == entry.leaf_hash == merkle.leaf_hash(entry.leaf)
    assert (entry.kind, entry.hearing_id, entry.closed) == ("hearings.stage_begun", "h" * 32, True)
    assert len({entry.header_salt, body.public_salt, body.private_salt}) == 3


def test_equal_events_have_leaves_that_do_not_show_it(db: Session) -> None:
    say(db, "同意", "同意")
    one, other = (commitment.commitments_of(entry.leaf) for entry in entries(db))
    assert all(one[part] != other[part] for part in commitment.PARTS)


def test_the_tree_is_that_of_the_leaves(db: Session) -> None:
    for number in range(23):
        say(db, f"第{number}条")
        leaves = [entry.leaf_hash for entry in entries(db)]
        source = merkle.hashes_of(leaves)
        assert queries.root(db, len(leaves)) == merkle.root(len(leaves), source)
        assert merkle.frontier_root(frontier(db)) == merkle.root(len(leaves), source)
    proofs = queries.proofs(db, 23)
    assert [proofs(index) for index in range(23)] == [merkle.inclusion_proof(index, 23, source) for index in range(23)]
    assert queries.consistency(db, 7, 23) == merkle.consistency_proof(7, 23, source)


def frontier(db: Session) -> list[bytes]:
    """Return the head's subtree roots."""
    packed = bytes.fromhex(queries.head(db).frontier)
    db.expire_all()
    return [packed[at : at + 32] for at in range(0, len(packed), 32)]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([CASE, OTHER]), st.integers(0, 5)), max_size=8))
def test_appending_in_batches_gives_the_places_of_appending_one_by_one(batches: list[tuple[str, int]]) -> None:
    memory = create_engine("sqlite://")
    with memory.begin() as connection:
        SQLModel.metadata.create_all(
            connection, tables=[models.ENTRIES, models.BODIES, models.HEAD, models.ACKNOWLEDGED, STREAMS, CHECKPOINTS]
        )
        models.append_only(lambda ddl: connection.execute(text(ddl)), "sqlite")
    with Session(memory) as db:
        placed = [p for stream, count in batches for p in append(db, [note("话")] * count, NOON, stream=stream)]
        one_by_one = [stream for stream, count in batches for _ in range(count)]
        assert [p.index for p in placed] == list(range(len(one_by_one)))
        assert [p.seq for p in placed] == [one_by_one[: at + 1].count(stream) for at, stream in enumerate(one_by_one)]
        assert first_broken(db) == ""


STREAMS, CHECKPOINTS = (SQLModel.metadata.tables[name] for name in ("record_stream", "checkpoint"))


def test_no_events_change_nothing(db: Session) -> None:
    assert append(db, [], NOON, stream=CASE) == []
    assert db.exec(select(RecordStream)).all() == []


def test_a_stream_has_no_gap_after_an_act_was_undone(db: Session) -> None:
    say(db, "甲", stream=CASE)
    undone = db.begin_nested()
    say(db, "乙", "丙", stream=CASE)
    undone.rollback()
    say(db, "丁", stream=CASE)
    db.commit()
    assert shape(entries(db)) == [(0, CASE, 1), (1, CASE, 2)]
    assert first_broken(db) == ""


def test_time_may_stand_still_or_go_back_and_the_order_stays(db: Session) -> None:
    say(db, "甲", at=NOON)
    say(db, "乙", at=NOON - timedelta(hours=1))
    times = [clock.rfc3339(entry.time) for entry in entries(db)]
    assert times == ["2026-11-23T04:00:00.123Z", "2026-11-23T03:00:00.123Z"]
    assert first_broken(db) == ""


CHANGES = (
    ("UPDATE record_entry SET kind = 'x' WHERE \"index\" = 1", "record_entry is append-only"),
    ('DELETE FROM record_entry WHERE "index" = 2', "record_entry is append-only"),
    (
        "INSERT INTO record_entry SELECT 7, stream, 9, time, kind, hearing_id, closed, header_salt, leaf, hashes "
        'FROM record_entry WHERE "index" = 1',
        "record_entry grows by one",
    ),
    ("UPDATE record_body SET private = '{}' WHERE \"index\" = 1", "record_body is (kept or erased|append-only)"),
    ("UPDATE checkpoint SET note = 'x'", "checkpoint is append-only"),
    ("DELETE FROM checkpoint", "checkpoint is append-only"),
)
REPLACEMENTS = (
    ('record_entry SELECT * FROM record_entry WHERE "index" = 1', "record_entry grows by one"),
    ('record_body SELECT * FROM record_body WHERE "index" = 1', "record_body is kept or erased, never changed"),
    ("checkpoint SELECT origin, size, root, 'x', published_at FROM checkpoint", "checkpoint is append-only"),
)


def refused_by_the_database(engine: Engine, statement: str, refusal: str) -> None:
    """Show that a statement is refused, and that the record still verifies."""
    with Session(engine) as db:
        say(db, "甲", "乙", "丙")
        db.add(models.Checkpoint(origin="heyi/test", size=3, root=queries.root(db, 3), note="n", published_at=NOON))
        db.commit()
        with pytest.raises(DBAPIError, match=refusal):
            db.connection().execute(text(statement))
        db.rollback()
        assert first_broken(db) == ""
        assert len(db.exec(select(RecordBody)).all()) == 3


@pytest.mark.parametrize(("statement", "refusal"), CHANGES)
def test_the_database_itself_refuses_to_change_what_was_recorded(engine: Engine, statement: str, refusal: str) -> None:
    refused_by_the_database(engine, statement, refusal)


@pytest.mark.sqlite
@pytest.mark.parametrize(("rows", "refusal"), REPLACEMENTS)
def test_nothing_that_was_recorded_is_replaced(engine: Engine, rows: str, refusal: str) -> None:
    refused_by_the_database(engine, f"INSERT OR REPLACE INTO {rows}", refusal)


def test_a_body_may_be_erased(db: Session) -> None:
    say(db, "甲")
    db.delete(db.get_one(RecordBody, 0))
    db.commit()
    assert first_broken(db) == "Entry 0: its body is missing, and no event tells why."


def test_the_cost_of_appending_does_not_grow_with_the_record(engine: Engine) -> None:
    counted: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda c, cursor, statement, *rest: counted.append(statement))
    per_append = []
    with Session(engine) as db:
        for _ in range(40):
            counted.clear()
            say(db, "话")
            per_append.append(len(counted))
        say(db, *"话" * 200)
        counted.clear()
        say(db, "话")
        per_append.append(len(counted))
    assert per_append[1:] == [7] * 40
