"""Erasing a body: the content is gone, its place is not, and the record tells who and why."""

import json

import pytest

from panel.core.errors import NotFound, Refused
from panel.record import actions, queries
from panel.record.events import BodyErased
from panel.record.models import RecordBody
from panel.work import Work
from tests.factories import World
from tests.record.sayings import first_broken, note

SECRET = "住在某小区三号楼的张某某"
GROUND = "当事人依法申请删除其住址"


def spoken(world: World) -> int:
    """Put something on the record that must go again; return its index."""
    return world.work(lambda work: work.record(note(SECRET, case=world.case_id)))


@pytest.mark.sqlite
def test_what_was_said_is_gone_and_the_record_still_verifies(world: World) -> None:
    index = spoken(world)
    with world.db() as db:
        before = queries.entry(db, index)
        assert before is not None
        leaf, salts = before[0].leaf, (before[1].public_salt, before[1].private_salt) if before[1] else ()
        root = queries.root(db, index + 1)
    world.act(actions.erase, "secretary", index=index, ground=GROUND)
    with world.db() as db:
        after = queries.entry(db, index)
        assert after is not None
        assert (after[0].leaf, after[1]) == (leaf, None)
        assert queries.root(db, index + 1) == root
        assert first_broken(db) == ""
    kept = b"".join(path.read_bytes() for path in world.folder.glob("panel.sqlite*"))
    assert leaf in kept
    assert [salt in kept for salt in salts] == [False, False]
    assert SECRET.encode() not in kept


def test_the_record_tells_who_erased_and_why_in_the_stream_of_the_case(world: World) -> None:
    index = spoken(world)
    world.act(actions.erase, "secretary", index=index, ground=GROUND)
    with world.db() as db:
        last = queries.entry(db, queries.head(db).size - 1)
        erased = queries.entry(db, index)
        assert last is not None
        assert last[1] is not None
        assert erased is not None
        assert json.loads(last[1].public) == {"kind": BodyErased.kind, "index": index, "ground": GROUND}
        private = json.loads(last[1].private)
        assert (private["actor_id"], private["case_id"]) == (world.people["secretary"], world.case_id)
        assert (last[0].stream, last[0].seq) == (erased[0].stream, erased[0].seq + 1)


@pytest.mark.parametrize("ground", ["", "  \n"])
def test_an_erasure_without_a_ground_is_refused_and_erases_nothing(world: World, ground: str) -> None:
    index = spoken(world)
    with pytest.raises(Refused, match=r"Please state the ground of the erasure\."):
        world.act(actions.erase, "secretary", index=index, ground=ground)
    with world.db() as db:
        assert db.get(RecordBody, index) is not None
        assert queries.head(db).size == index + 1


def test_nothing_is_erased_twice_and_an_erasure_never(world: World) -> None:
    index = spoken(world)
    world.act(actions.erase, "secretary", index=index, ground=GROUND)
    with pytest.raises(Refused, match=r"This entry was erased before\."):
        world.act(actions.erase, "secretary", index=index, ground=GROUND)
    with pytest.raises(Refused, match=r"An entry that records an erasure or another key cannot be erased\."):
        world.act(actions.erase, "secretary", index=index + 1, ground=GROUND)
    with pytest.raises(NotFound):
        world.act(actions.erase, "secretary", index=index + 2, ground=GROUND)
    with world.db() as db:
        assert queries.head(db).size == index + 2
        assert first_broken(db) == ""


def test_an_erasure_that_fails_keeps_the_body(world: World) -> None:
    index = spoken(world)

    def fail(work: Work) -> None:
        actions.erase(work, world.actor("secretary"), index=index, ground=GROUND)
        raise RuntimeError("after the erasure")

    with pytest.raises(RuntimeError):
        world.work(fail)
    with world.db() as db:
        assert db.get(RecordBody, index) is not None
        assert first_broken(db) == ""
