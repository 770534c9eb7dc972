"""Security requirement 38: the security log names who was let in and who was not, and holds nothing secret."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from panel.core import log
from panel.core.errors import NotFound


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    """Put logging back as it was."""
    root = logging.getLogger()
    before, configured = (root.handlers, root.level), structlog.get_config()
    yield
    root.handlers, root.level = before
    structlog.configure(**configured)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_38_a_line_is_json_in_utc_on_a_channel_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure()
    with structlog.contextvars.bound_contextvars(request="0123456789abcdef"):
        log.security("sign_in_failed", person=None, seconds=3)
    (line,) = lines(capsys)
    at = line.pop("at")
    assert line == {
        "event": "sign_in_failed", "channel": "security", "seconds": 3, "level": "info", "request": "0123456789abcdef",
    }  # fmt: skip
    assert isinstance(at, str)
    assert at.endswith("Z")


def test_38_no_field_of_a_secret_kind_reaches_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure()
    log.security("x", **dict.fromkeys(log.NEVER, "canary"))
    assert [set(line) for line in lines(capsys)] == [{"event", "channel", "level", "at"}]


@pytest.mark.parametrize("forged", ['a\r\n{"event":"forged"}', "a\nforged", "\x1b[31mred", "a\u2028b"])
def test_38_nothing_can_forge_a_line(capsys: pytest.CaptureFixture[str], forged: str) -> None:
    log.configure()
    log.security("x", device=forged)
    raw = capsys.readouterr().err
    assert raw.count("\n") == 1
    assert json.loads(raw)["device"] == forged


def test_a_failure_names_its_cause_and_libraries_speak_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure()
    try:
        raise KeyError("what went wrong")
    except KeyError as error:
        log.failure("request_failed", error)
    logging.getLogger("uvicorn.error").warning("from below")
    first, second = lines(capsys)
    assert (first["event"], "what went wrong" in str(first["exception"])) == ("request_failed", True)
    assert (second["event"], second["level"]) == ("from below", "warning")


def test_40_of_the_record_only_kind_and_number_are_noted(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure()
    log.recorded("committees.seat_recused", "a case", 7)
    log.recorded("votes.ballot_cast", "a case", 8)
    (line,) = lines(capsys)
    assert (line["event"], line["entry"]) == ("committees.seat_recused", 7)


def test_38_a_refusal_names_who_asked_and_what_permission_but_not_which_thing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.configure()
    from starlette.requests import Request

    async def view() -> None: ...

    view.permission = "cases.read"  # type: ignore[attr-defined]  # as pages.page does
    log.refused(Request({"type": "http", "endpoint": view, "path": "/cases/secret"}), NotFound())
    (line,) = lines(capsys)
    assert {key: line[key] for key in ("event", "permission", "kind")} == {
        "event": "refused", "permission": "cases.read", "kind": "NotFound",
    }  # fmt: skip
    assert "secret" not in json.dumps(line)


def test_40_kinds_that_the_security_log_names_exist() -> None:
    from panel import app  # noqa: F401 - registers every event
    from panel.record.events import EVENT_KINDS

    assert log.SECURITY_KINDS - set(EVENT_KINDS) == set()
    assert [kind for kind in log.SECURITY_KINDS if "ballot" in kind] == []
