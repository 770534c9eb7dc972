"""Security requirement 36: a server that does not wait for ever (slow loris), against a really running one."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from panel.core.patience import HEAD_BYTES, PatientProtocol
from tests.serving import Served, served

LARGE = 8 * 1024 * 1024


@pytest.fixture
def running(tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(PatientProtocol, "head_seconds", 0.6)
    with served(tmp_path, template) as one:
        yield one


def seconds_until_closed(connection: socket.socket, dribble: bytes, most: float = 5.0) -> float:
    """Send a byte now and then until the other side closes; return how long it took."""
    began = time.monotonic()
    connection.settimeout(0.1)
    while time.monotonic() - began < most:
        try:
            connection.sendall(dribble)
            if connection.recv(65536) == b"":
                return time.monotonic() - began
        except TimeoutError:
            continue
        except OSError:
            return time.monotonic() - began
    return most


def connect(running: Served) -> socket.socket:
    return socket.create_connection(("127.0.0.1", running.port))


@pytest.mark.parametrize(
    "dribble", [b"", b"G", b"\r\n"], ids=["says nothing", "dribbles a method", "dribbles empty lines"]
)
def test_36_a_head_that_does_not_come_is_given_up(running: Served, dribble: bytes) -> None:
    with connect(running) as connection:
        assert seconds_until_closed(connection, dribble) < 3


def test_36_a_head_that_dribbles_header_lines_is_given_up(running: Served) -> None:
    with connect(running) as connection:
        connection.sendall(b"GET /sign-in HTTP/1.1\r\n")
        assert seconds_until_closed(connection, b"X-A: b\r\n") < 3


def test_36_a_head_without_end_is_given_up_before_its_time(running: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "head_seconds", 60)
    with connect(running) as connection:
        connection.sendall(b"GET /sign-in HTTP/1.1\r\nX-Long: ")
        assert seconds_until_closed(connection, b"x" * (HEAD_BYTES // 2), most=30) < 30


def test_36_after_an_answer_the_next_head_has_to_come_as_well(running: Served) -> None:
    host = running.origin.removeprefix("http://").encode()
    with connect(running) as connection:
        connection.sendall(b"GET /no HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
        connection.settimeout(5)
        assert connection.recv(12) == b"HTTP/1.1 404"
        assert seconds_until_closed(connection, b"\r\n") < 3


def status_of(running: Served, line: bytes, *headers: bytes) -> int:
    """Send a request as it stands, as somebody signed in, and return the status of its answer."""
    cookie = b"Cookie: pv_session=" + running.world.sign_in("chair").encode()
    with connect(running) as connection:
        connection.settimeout(5)
        connection.sendall(b"\r\n".join([line + b" HTTP/1.1", cookie, *headers, b"Connection: close", b"", b""]))
        return int(connection.recv(65536).split(b" ")[1])


PATHS = {
    b"GET /devices": 200,
    b"GET //devices": 404,
    b"GET /%2e%2e/devices": 404,
    b"GET /./devices": 404,
    b"GET /devices%2f": 404,
    b"GET /devices;x=/demo": 404,
    b"GET /DEVICES": 404,
    b"GET /devices%00": 404,
    b"GET /static/../panel/app.py": 404,
    b"GET /static/%2e%2e/panel/app.py": 404,
    b"GET /static//etc/passwd": 404,
    b"GET /socket.io/../devices": 400,
}


@pytest.mark.parametrize(("line", "status"), PATHS.items())
def test_44_one_page_has_one_address(running: Served, line: bytes, status: int) -> None:
    host = b"Host: " + running.origin.removeprefix("http://").encode()
    assert status_of(running, line, host) == status


def test_44_a_strange_host_is_turned_away_however_it_is_said(running: Served) -> None:
    host = b"Host: " + running.origin.removeprefix("http://").encode()
    evil = b"Host: evil.example"
    answers = [
        status_of(running, b"GET /devices", evil),
        status_of(running, b"GET /devices", host, evil),
        status_of(running, b"GET /devices", evil, host),
        status_of(running, b"GET /devices"),
        status_of(running, b"GET http://evil.example/devices", evil),
        status_of(running, b"GET /devices", host + b"@evil.example"),
        status_of(running, b"GET /devices", evil, b"X-Forwarded-Host: " + host[6:]),
    ]
    assert [status in {400, 421} for status in answers] == [True] * len(answers)


def test_36_an_ordinary_request_is_served_and_a_large_one_closed_after_its_answer(running: Served) -> None:
    host = running.origin.removeprefix("http://").encode()
    with connect(running) as connection:
        connection.settimeout(5)
        head = b"POST /locale HTTP/1.1\r\nHost: " + host + b"\r\nContent-Length: 99999999\r\n\r\n"
        connection.sendall(head)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in answer.lower()


def test_36_whoever_sends_a_large_body_whole_gets_the_answer_and_no_reset(running: Served) -> None:
    host = running.origin.removeprefix("http://").encode()
    with connect(running) as connection:
        connection.settimeout(20)
        head = b"POST /locale HTTP/1.1\r\nHost: " + host + b"\r\nContent-Length: %d\r\n\r\n" % LARGE
        connection.sendall(head + bytes(LARGE))
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 413")
