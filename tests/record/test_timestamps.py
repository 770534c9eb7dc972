"""Timestamps over checkpoints: of an authority that `openssl` plays, judged by a verifier that nobody here wrote."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response
from sqlalchemy import Engine
from sqlmodel import Session

from panel.core import clock
from panel.record import checkpoint, queries, timestamps
from panel.record.note import BadNote, SigningKey
from panel.record.sinks import Sinks
from tests.factories import World
from tests.record.authority import Authority, listening, made
from tests.record.sayings import NOON, say
from tests.record.test_sinks import failed

LOG = SigningKey("heyi/test", bytes(range(32)))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority for these tests."""
    return made(tmp_path_factory.mktemp("authority") / "tsa")


def verified(token: bytes, authority: Authority, data: bytes) -> datetime:
    """Return the time that a token gives to data; raises VerificationError."""
    root = x509.load_pem_x509_certificate(authority.root)
    response = decode_timestamp_response(token)
    VerifierBuilder().add_root_certificate(root).build().verify_message(response, data)
    return response.tst_info.gen_time


def serial(authority: Authority) -> int:
    """Return the number of the last timestamp that an authority has granted."""
    file = authority.folder / "serial"
    return int(file.read_text(encoding="ascii"), 16)


def test_a_checkpoint_is_timestamped_once_and_others_verify_it(
    world: World, authority: Authority, tmp_path: Path
) -> None:
    engine: Engine = world.site.writer._engine  # type: ignore[attr-defined]  # the writer's own
    granted = serial(authority)
    newest = checkpoint.publish(engine, LOG, clock.now())
    with listening(authority) as url:
        for _ in range(2):
            Sinks(authority=url).publish(engine, newest, failed)
    answer = world.client().get(f"/record/timestamp/{newest.size}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/timestamp-reply")
    at = verified(answer.content, authority, newest.note.encode())
    assert abs(at - datetime.now(UTC)) < timedelta(minutes=1)
    with pytest.raises(VerificationError):
        verified(answer.content, authority, newest.note.encode() + b"\n")
    with pytest.raises(VerificationError):
        verified(answer.content, made(tmp_path / "other"), newest.note.encode())
    assert serial(authority) == granted + 1
    assert world.client().get(f"/record/timestamp/{newest.size + 1}").status_code == 404
    assert world.client().get(f"/record/timestamp/{1 << 70}").status_code == 404


def test_an_answer_about_something_else_is_not_kept(engine: Engine, authority: Authority) -> None:
    with pytest.raises(BadNote, match="did not grant"):
        timestamps.granted(authority.reply(timestamps.query(b"something else")), b"this")
    for answer in (b"", b"no answer", bytes(200)):
        with pytest.raises(BadNote, match="did not grant"):
            timestamps.granted(answer, b"this")
    with Session(engine) as db:
        say(db, "甲")
        db.commit()
    newest = checkpoint.publish(engine, LOG, NOON)
    told: list[str] = []
    Sinks(authority="http://127.0.0.1:1/").publish(engine, newest, lambda sink, problem: told.append(sink))
    assert told == ["http://127.0.0.1:1/"]
    with Session(engine) as db:
        assert queries.timestamp(db, 1) is None
