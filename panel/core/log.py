"""Logs: JSON lines on stderr, UTC, with the request's id; security events on a channel of their own.

What goes in is named here or by the caller, field by field: never a form, a cookie, a token, a ballot, a password, a
query string. A session is named by the start of its digest. JSON writes line ends as \\n, so nothing can forge a line.
With a folder, the access log and the security log are files of their own there, one for each day (UTC).
"""

import asyncio
import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TextIO

import structlog

from panel.core import clock

NEVER = frozenset(
    {"password", "cookie", "csrf", "token", "secret", "reference", "choice", "ballot", "reason_text", "text"}
)
"""Names of fields that no line may carry, whoever logs it."""

SECURITY_KINDS = frozenset(
    {
        "cases.person_assigned",
        "committees.seat_recused",
        "votes.motion_opened",
        "votes.motion_closed",
        "votes.motion_annulled",
        "publication.summary_published",
        "publication.summary_withdrawn",
    }
)
"""Events of the record that the security log names too: kind and index only (requirements 38 and 40)."""


ACCESS, SECURITY = "panel.access", "panel.security"
FILE_NAME = re.compile(r"(?:access|security)-(\d{4}-\d\d-\d\d)\.jsonl")
SWEEP_SECONDS = 3600.0
"""How often files that are too old are looked for."""

ON_SECURITY: list[Callable[[str], None]] = []
"""Called with the name of each security event; the metrics count some of them."""


def _stamped(_logger: Any, _method: str, line: dict[str, Any]) -> dict[str, Any]:
    return {"at": clock.rfc3339(clock.now()), **line}


def _without_secrets(_logger: Any, _method: str, line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name not in NEVER and value is not None}


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.format_exc_info,
    _without_secrets,
    _stamped,
]
_AS_JSON = structlog.processors.JSONRenderer(ensure_ascii=False)


class Daily(logging.Handler):
    """Writes one channel's lines into a file for each day, which only its owner reads."""

    def __init__(self, folder: Path, channel: str) -> None:
        super().__init__()
        self._folder, self._channel = folder, channel
        self._day: date | None = None
        self._file: TextIO | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Append a line; a disk that is full is told on stderr and stops nobody."""
        try:
            line = self.format(record)
            file = self._of_today()
            file.write(line + "\n")
            file.flush()
        except Exception:
            self.handleError(record)

    def _of_today(self) -> TextIO:
        today = clock.now().date()
        if self._file is None or today != self._day:
            self._let_go()
            path = self._folder / f"{self._channel}-{today.isoformat()}.jsonl"
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            self._file, self._day = open(handle, "w", encoding="utf-8"), today  # noqa: SIM115 - open for a day
        return self._file

    def _let_go(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def close(self) -> None:
        """Close the file of the day."""
        self._let_go()
        super().close()


def sweep(folder: Path, days: int) -> list[str]:
    """Delete the files of days that are more than so many days ago; returns their names."""
    first, gone = clock.now().date() - timedelta(days=days), list[str]()
    for path in sorted(folder.glob("*.jsonl")):
        named = FILE_NAME.fullmatch(path.name)
        if named and date.fromisoformat(named[1]) < first:
            path.unlink(missing_ok=True)
            gone.append(path.name)
    return gone


async def keep_swept(folder: Path | None, days: int) -> None:
    """Delete what is too old, once an hour."""
    while folder is not None:
        try:
            await asyncio.to_thread(sweep, folder, days)
        except Exception as problem:
            failure("logs_not_swept", problem)
        await asyncio.sleep(SWEEP_SECONDS)


def configure(level: int = logging.INFO, *, folder: Path | None = None) -> None:
    """Send our lines, and those of the libraries below us from WARNING on, to stderr as JSON.

    With a folder, access and security go into its files instead. Raises OSError where it cannot be made.
    """
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    lines = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _AS_JSON],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(lines)
    root = logging.getLogger()
    root.handlers, root.level = [handler], logging.WARNING
    logging.getLogger("panel").setLevel(level)
    if folder is not None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, formatter in ((ACCESS, logging.Formatter("%(message)s")), (SECURITY, lines)):
        _direct(name, formatter, folder)


def _direct(name: str, formatter: logging.Formatter, folder: Path | None) -> None:
    """Give a channel its file, or stderr; whatever it had before is closed."""
    channel = logging.getLogger(name)
    for former in channel.handlers[:]:
        channel.removeHandler(former)
        former.close()
    handler = logging.StreamHandler(sys.stderr) if folder is None else Daily(folder, name.rpartition(".")[2])
    handler.setFormatter(formatter)
    channel.addHandler(handler)
    channel.propagate = False


def access(**facts: Any) -> None:
    """Write the line of one request. Written by hand: it is the one line that every request costs."""
    channel = logging.getLogger(ACCESS)
    if channel.handlers and channel.isEnabledFor(logging.INFO):
        stamped = {"at": clock.rfc3339(clock.now()), "event": "request", "channel": "access", **facts}
        line = json.dumps(stamped, ensure_ascii=True)
        channel.handle(logging.LogRecord(ACCESS, logging.INFO, "", 0, line, (), None))  # nobody asks who called


def security(event: str, **facts: Any) -> None:
    """Write a security event: who signed in or failed to, who was refused, what was ended."""
    for call in ON_SECURITY:
        call(event)
    structlog.stdlib.get_logger(SECURITY).info(event, channel="security", **facts)


def refused(request: Any, error: Exception) -> None:
    """Write that a page or an act was refused: who asked, and for what kind of thing; never which one."""
    actor, endpoint = getattr(request.state, "actor", None), request.scope.get("endpoint")
    who, what = getattr(actor, "person_id", None), getattr(endpoint, "permission", None)
    security("refused", person=who, permission=what, kind=type(error).__name__)


def failure(event: str, error: BaseException, **facts: Any) -> None:
    """Write a failure of ours with its traceback: written here, for a prettier one would print local variables."""
    told = "".join(traceback.format_exception(error))
    structlog.stdlib.get_logger("panel.failures").error(event, exception=told, **facts)


def recorded(kind: str, case_id: str | None, index: int) -> None:
    """Hear of an event of the record (hooks.ON_RECORDED) and note those that concern security."""
    if kind in SECURITY_KINDS:
        security(kind, case=case_id, entry=index)
