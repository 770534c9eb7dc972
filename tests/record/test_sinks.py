"""Where checkpoints go: a folder, a webhook, a witness over HTTP; and what happens when one does not answer."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from panel.record import checkpoint, queries
from panel.record.cosignature import witness_key
from panel.record.models import Checkpoint, Cosignature
from panel.record.note import SigningKey
from panel.record.sinks import Sinks
from panel.verify.witness import Witness
from tests.record.sayings import NOON, say

LOG = SigningKey("heyi/test", bytes(range(32)))
KEY = SigningKey("witness.example/w1", bytes(range(32, 64)))
AT = 1_795_000_000


class Taker(BaseHTTPRequestHandler):
    """Another organisation's server: a witness at /add-checkpoint, a webhook elsewhere."""

    witness: Witness
    taken: list[str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path != "/add-checkpoint":
            self.taken.append(body)
            self.send_response(204)
            self.end_headers()
            return
        answer = self.witness.answer(body, AT)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.media_type)
        self.end_headers()
        self.wfile.write(answer.body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


@contextmanager
def listening(witness: Witness) -> Iterator[tuple[str, list[str]]]:
    """Let another organisation's server run; yields its address and what its webhook took."""
    taken: list[str] = []
    handler = type("Its", (Taker,), {"witness": witness, "taken": taken})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def grown(engine: Engine, *texts: str) -> Checkpoint:
    """Let the record grow, and publish it."""
    with Session(engine) as db:
        say(db, *texts)
        db.commit()
    return checkpoint.publish(engine, LOG, NOON)


def failed(sink: str, problem: Exception) -> None:
    raise AssertionError(f"{sink}: {problem}")


def test_every_sink_gets_every_checkpoint(engine: Engine, tmp_path: Path) -> None:
    witness = Witness(KEY, [LOG.verifier], tmp_path / "state")
    witness.folder.mkdir()
    with listening(witness) as (url, taken):
        sinks = Sinks(tmp_path / "kept", (f"{url}/hook",), (f"{witness_key(KEY)} {url}",))
        made = [grown(engine, *"话" * n) for n in (1, 4, 9)]
        for each in made:
            sinks.publish(engine, each, failed)
            sinks.publish(engine, each, failed)
    kept = sorted((tmp_path / "kept").glob("*.checkpoint"))
    assert [path.read_text(encoding="utf-8") for path in kept] == [each.note for each in made]
    assert (tmp_path / "kept" / "latest").read_text(encoding="utf-8") == made[-1].note
    assert taken == [each.note for each in made for _ in range(2)]
    with Session(engine) as db:
        for each in made:
            assert witness_key(KEY).time_of(queries.cosigned(db, each)) == AT
        assert len(db.exec(select(Cosignature)).all()) == 3


def test_a_witness_that_knows_more_or_less_than_we_think_is_asked_again(engine: Engine, tmp_path: Path) -> None:
    witness = Witness(KEY, [LOG.verifier], tmp_path)
    with listening(witness) as (url, _):
        sinks = Sinks(witnesses=(f"{witness_key(KEY)} {url}",))
        sinks.publish(engine, grown(engine, "甲"), failed)
        with Session(engine) as db:
            for row in db.exec(select(Cosignature)).all():
                db.delete(row)
            db.commit()
        newest = grown(engine, "乙", "丙")
        sinks.publish(engine, newest, failed)
    with Session(engine) as db:
        assert witness_key(KEY).time_of(queries.cosigned(db, newest)) == AT


def test_a_sink_that_fails_is_told_of_and_keeps_no_other_from_its_checkpoint(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    stranger = Witness(KEY, [], tmp_path)
    told: list[str] = []
    with listening(stranger) as (url, taken):
        sinks = Sinks(tmp_path / "file", (f"{url}/hook", "http://127.0.0.1:1/"), (f"{witness_key(KEY)} {url}",))
        sinks.publish(engine, grown(engine, "甲"), lambda sink, problem: told.append(sink))
    assert told == [str(tmp_path / "file"), "http://127.0.0.1:1/", f"{witness_key(KEY)} {url}"]
    assert len(taken) == 1
    with Session(engine) as db:
        assert db.exec(select(Cosignature)).all() == []


def test_a_line_that_is_no_cosignature_is_not_kept(engine: Engine, tmp_path: Path) -> None:
    forger = Witness(SigningKey("witness.example/w1", bytes(32)), [LOG.verifier], tmp_path)
    told: list[Exception] = []
    with listening(forger) as (url, _):
        sinks = Sinks(witnesses=(f"{witness_key(KEY)} {url}",))
        sinks.publish(engine, grown(engine, "甲"), lambda sink, problem: told.append(problem))
    assert [str(problem) for problem in told] == ["no cosignature of this witness"]
    with Session(engine) as db:
        assert db.exec(select(Cosignature)).all() == []


@pytest.mark.parametrize("size", [0, 7])
def test_there_is_no_timestamp_where_there_is_no_authority(engine: Engine, size: int) -> None:
    with Session(engine) as db:
        assert queries.timestamp(db, size) is None
