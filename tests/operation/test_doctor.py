"""`panel doctor`: everything an installation needs on one screen, the worst first, each thing spoilt once."""

import json
import shutil
import ssl
import threading
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import text
from typer.testing import CliRunner

from panel.cli import command_line, doctor, stamps
from panel.core import clock
from panel.core.config import load
from panel.core.db import writing_engine
from panel.core.health import Found
from tests.cli.test_keep import panel
from tests.serving import free_port

CANARY = "canary-password"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An installation in which everything is well: backed up, and its restoring rehearsed."""
    data = tmp_path / "data"
    assert panel("init", "--data", data)[0] == 0
    file = tmp_path / "heyi.tar"
    assert panel("backup", file, "--data", data)[0] == 0
    assert panel("restore", file, "--data", tmp_path / "again", "--rehearsal-of", data)[0] == 0
    return data


def state(data: Path, **settings: Any) -> None:
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    (data / "settings.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def examined(data: Path, *options: str) -> tuple[int, dict[str, Any]]:
    words = ["doctor", "--json", "--locale", "en", "--data", str(data), *options]
    result = CliRunner().invoke(command_line(words), words)
    return result.exit_code, json.loads(result.stdout)


def wrong(data: Path, *options: str, grade: str = "wrong") -> list[str]:
    """Return the codes of what is wrong; the exit code says the same."""
    code, told = examined(data, *options)
    assert (code, told["well"]) == ((0, True) if all(f["grade"] != "wrong" for f in told["found"]) else (1, False))
    return [found["check"] for found in told["found"] if found["grade"] == grade]


def test_a_healthy_installation_is_found_healthy_and_everything_was_looked_at(data: Path) -> None:
    code, told = examined(data)
    assert (code, told["well"]) == (0, True)
    looked = {found["check"] for found in told["found"]}
    assert looked | {"tls"} == set(doctor.LOOKS)
    assert {found["grade"] for found in told["found"]} == {"fine"}


def test_the_screen_is_in_the_readers_language_and_begins_with_the_worst(data: Path) -> None:
    (data / stamps.REHEARSAL).unlink()
    (data / stamps.BACKUP).unlink()
    code, lines = panel("doctor", "--data", data)
    assert (code, lines[0].split()) == (1, ["✗", "backup", "尚未做过备份。"])
    assert lines[1].strip().startswith("→ 请用定时任务每天运行")
    assert lines[2].split()[:2] == ["!", "rehearsal"]
    assert [line[0] for line in lines if line[0] in "✗!✓"] == ["✗", "!", *"✓" * 7]


def old_backup(data: Path) -> None:
    told = {"at": clock.rfc3339(clock.now() - timedelta(hours=27))}
    (data / stamps.BACKUP).write_text(json.dumps(told))


def spoilt_record(data: Path) -> None:
    engine = writing_engine(load(data).database_url)
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER record_body_no_update"))
        connection.execute(text("UPDATE record_body SET public = replace(public, 'kind', 'kinds')"))
    engine.dispose()


def old_schema(data: Path) -> None:
    engine = writing_engine(load(data).database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    engine.dispose()


def no_mail(data: Path) -> None:
    state(data, smtp_host="127.0.0.1", smtp_port=free_port(), smtp_tls="none", mail_from="heyi@example.cn")


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (old_backup, ["backup"]),
        (lambda data: (data / stamps.BACKUP).write_text("{"), ["backup"]),
        (spoilt_record, ["record"]),
        (old_schema, ["versions"]),
        (lambda data: (data / "keys" / "secret").chmod(0o644), ["settings", "keys"]),
        (lambda data: state(data, host="0.0.0.0"), ["settings"]),
        (lambda data: (data / "keys" / "record.key").unlink(), ["keys", "record"]),
        (lambda data: state(data, origins=[f"https://127.0.0.1:{free_port()}"]), ["tls"]),
        (no_mail, ["mail"]),
    ],
)
def test_each_thing_that_is_wrong_is_named_and_nothing_else(
    data: Path, spoil: Callable[[Path], object], named: list[str]
) -> None:
    spoil(data)
    assert wrong(data) == named


def test_a_disk_that_is_full_is_named(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(10**9, 10**9, 10**6))
    assert wrong(data) == ["disk"]


def test_a_rehearsal_that_is_too_long_ago_asks_for_care(data: Path) -> None:
    told = {"at": clock.rfc3339(clock.now() - timedelta(days=184))}
    (data / stamps.REHEARSAL).write_text(json.dumps(told))
    assert (wrong(data), wrong(data, grade="care")) == ([], ["rehearsal"])


@contextmanager
def web(late: timedelta, secured: ssl.SSLContext | None = None) -> Iterator[int]:
    """A web server whose clock is late."""

    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200)
            self.end_headers()

        def date_time_string(self, timestamp: float | None = None) -> str:
            return format_datetime(clock.now() - late, usegmt=True)

        def log_message(self, format: str, *args: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Answer)
    if secured is not None:
        server.socket = secured.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.mark.parametrize(("late", "named"), [(0, []), (60, ["clock"]), (-60, ["clock"])])
def test_the_clock_is_compared_with_that_of_a_web_server(data: Path, late: int, named: list[str]) -> None:
    with web(timedelta(seconds=late)) as port:
        assert wrong(data, "--http-date", f"http://127.0.0.1:{port}/") == named


def test_only_web_addresses_are_asked_for_the_time(data: Path) -> None:
    assert panel("doctor", "--http-date", "file:///etc/passwd", "--data", data)[0] == 2


def certificate(folder: Path, days: int, host: str = "localhost") -> tuple[Path, ssl.SSLContext]:
    """Make a certificate of a host that holds for so many days; returns it, and the server's context."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)]),
    )
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(clock.now() - timedelta(days=1))
    builder = builder.not_valid_after(clock.now() + timedelta(days=days))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    made, (file, secret) = builder.sign(key, hashes.SHA256()), (folder / "cert.pem", folder / "key.pem")
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, secret)
    return file, context


@pytest.mark.parametrize(("days", "grade"), [(90, "fine"), (5, "care")])
def test_a_certificate_is_looked_at(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, grade: str
) -> None:
    file, context = certificate(tmp_path, days)
    with web(timedelta(), context) as port:
        state(data, origins=[f"https://localhost:{port}"])
        assert wrong(data) == ["tls"], "nobody vouches for it"
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        assert (wrong(data), wrong(data, grade=grade).count("tls")) == ([], 1)


def test_a_mail_server_that_answers_is_found(data: Path) -> None:
    controller = Controller(object(), hostname="127.0.0.1", port=free_port())
    controller.start()
    state(data, smtp_host="127.0.0.1", smtp_port=controller.port, smtp_tls="none", mail_from="heyi@example.cn")
    assert wrong(data) == []
    controller.stop()


def test_no_secret_is_printed(data: Path) -> None:
    state(
        data, smtp_password=CANARY, smtp_user="heyi", timestamp_authority=f"https://tsa.example/{CANARY}",
        checkpoint_hooks=[f"https://u:{CANARY}@hook.example/{CANARY}?token={CANARY}"],
    )  # fmt: skip
    secret = (data / "keys" / "secret").read_text()
    words = ["doctor", "--data", str(data)]
    for options in ([], ["--json"]):
        said = CliRunner().invoke(command_line([*words, *options]), [*words, *options]).output
        assert "https://hook.example" in said
        assert [each for each in (CANARY, secret) if each in said] == []


def test_a_look_that_fails_hides_no_other(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(patient: doctor.Patient) -> Iterator[Found]:
        raise RuntimeError("cannot look")

    monkeypatch.setitem(doctor.LOOKS, "disk", broken)
    code, told = examined(data)
    assert (code, told["found"][0]["check"], len(told["found"])) == (1, "disk", 9)
    assert "cannot look" in told["found"][0]["told"]
