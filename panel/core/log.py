"""Logs: JSON lines on stderr, UTC, with the request's id; security events on a channel of their own.

What goes in is named here or by the caller, field by field: never a form, a cookie, a token, a ballot, a password, a
query string. A session is named by the start of its digest. JSON writes line ends as \\n, so nothing can forge a line.
"""

import logging
import sys
import traceback
from typing import Any

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


def configure(level: int = logging.INFO) -> None:
    """Send our lines, and those of the libraries below us from WARNING on, to stderr as JSON."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _AS_JSON],
        )
    )
    root = logging.getLogger()
    root.handlers, root.level = [handler], logging.WARNING
    logging.getLogger("panel").setLevel(level)


def security(event: str, **facts: Any) -> None:
    """Write a security event: who signed in or failed to, who was refused, what was ended."""
    structlog.stdlib.get_logger("panel.security").info(event, channel="security", **facts)


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
