"""Publishing: the key's file, the signed head, the address where anyone fetches it."""

import re
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select
from starlette.testclient import TestClient

from panel.core import clock
from panel.core.errors import Refused
from panel.record import checkpoint, merkle, queries
from panel.record.models import Checkpoint
from panel.record.note import CheckpointText, SigningKey, open_note
from tests.factories import World
from tests.record.sayings import NOON, say

KEY = SigningKey("heyi/test", bytes(range(32)))


def test_a_key_is_made_once_for_its_owner_only_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "record.key"
    made = checkpoint.key_at(path)
    assert checkpoint.key_at(path) == made
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)
    assert path.read_text(encoding="ascii") == f"{made.private_text}\n"
    assert made.name.startswith("heyi/")
    with pytest.raises(FileExistsError):
        checkpoint.make_key(path, "heyi/other")


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "record.key"
    checkpoint.make_key(path, "heyi/test")
    path.chmod(0o640)
    with pytest.raises(Refused, match=r"The record's key record\.key can be read by others"):
        checkpoint.read_key(path)


@pytest.mark.parametrize("content", [b"", b"PRIVATE+KEY+a", "钥".encode()])
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "record.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(Refused, match=r"The file record\.key holds no key of a record\."):
        checkpoint.read_key(path)


def test_the_head_is_signed_as_it_stands(engine: Engine) -> None:
    with Session(engine) as db:
        say(db, "甲", "乙", "丙")
        root = queries.root(db, 3)
        db.commit()
    made = checkpoint.publish(engine, KEY, NOON)
    assert CheckpointText.parse(open_note(made.note, KEY.verifier)) == CheckpointText("heyi/test", 3, root)
    with Session(engine) as db:
        kept = queries.newest_checkpoint(db)
        assert kept is not None
        assert (kept.note, kept.size, kept.root, kept.origin) == (made.note, 3, root, "heyi/test")


def test_only_what_is_durable_is_signed(engine: Engine) -> None:
    with Session(engine) as db:
        say(db, "甲")
        db.commit()
        say(db, "乙")
        db.rollback()
    assert checkpoint.publish(engine, KEY, NOON).size == 1


def test_an_unchanged_head_is_not_published_again(engine: Engine) -> None:
    first = checkpoint.publish(engine, KEY, NOON)
    again = checkpoint.publish(engine, KEY, NOON + timedelta(minutes=1))
    assert (again.size, again.note, again.published_at) == (0, first.note, first.published_at)
    with Session(engine) as db:
        assert len(db.exec(select(Checkpoint)).all()) == 1


def test_every_checkpoint_is_consistent_with_those_before(engine: Engine) -> None:
    published = []
    for number in range(1, 12):
        with Session(engine) as db:
            say(db, *"话" * number)
            db.commit()
        published.append(checkpoint.publish(engine, KEY, NOON + timedelta(minutes=number)))
    with Session(engine) as db:
        for later in published:
            for earlier in published:
                if earlier.size <= later.size:
                    proof = queries.consistency(db, earlier.size, later.size)
                    assert merkle.verify_consistency(earlier.size, later.size, earlier.root, later.root, proof)


def test_a_record_that_disagrees_with_its_checkpoint_is_not_published(engine: Engine) -> None:
    other = SigningKey("heyi/test", bytes(32)).sign(str(CheckpointText("heyi/test", 0, bytes(32))))
    with Session(engine) as db:
        db.add(Checkpoint(origin="heyi/test", size=0, root=bytes(32), note=other, published_at=NOON))
        db.commit()
    with pytest.raises(Refused, match=r"The record no longer agrees with its checkpoint of size 0\."):
        checkpoint.publish(engine, KEY, NOON)


def test_anyone_may_fetch_the_newest_checkpoint(world: World) -> None:
    stranger = TestClient(world.app, base_url="http://testserver")
    assert stranger.get("/record/checkpoint").status_code == 404
    made = checkpoint.publish(world.site.writer._engine, KEY, NOON)  # type: ignore[attr-defined]  # the writer itself
    answer = stranger.get("/record/checkpoint")
    assert (answer.status_code, answer.text) == (200, made.note)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=10"
    assert "set-cookie" not in answer.headers


def test_a_running_site_publishes_under_its_own_key(world: World) -> None:
    with TestClient(world.app, base_url="http://testserver") as client:
        deadline = clock.monotonic() + 10
        while (answer := client.get("/record/checkpoint")).status_code == 404:
            assert clock.monotonic() < deadline, "no checkpoint was published"
    key = checkpoint.read_key(world.site.settings.record_key)
    with world.db() as db:
        size = queries.head(db).size
        assert open_note(answer.text, key.verifier) == str(CheckpointText(key.name, size, queries.root(db, size)))


def test_every_page_carries_the_checkpoint_of_its_time_for_print(world: World) -> None:
    assert "print-only" not in world.client().get("/public").text
    with TestClient(world.app, base_url="http://testserver") as client:
        deadline = clock.monotonic() + 10
        while "print-only" not in (page := client.get("/public").text):
            assert clock.monotonic() < deadline, "no page carries a checkpoint"
    with world.db() as db:
        newest = queries.newest_checkpoint(db)
    assert newest is not None
    (line,) = re.findall(r'<p class="print-only">(.*?)</p>', page)
    told = re.sub(r"<[^>]+>", "", line)
    assert told == f"本页生成时的记录：{newest.origin}，前 {newest.size} 条，签名根值 {newest.root.hex()}"
