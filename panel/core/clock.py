"""The only place that reads time."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment in UTC, cut to milliseconds."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def monotonic() -> float:
    """Return seconds of a clock that never jumps; for durations only."""
    return time.monotonic()


def rfc3339(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC with milliseconds: 2026-11-23T02:42:07.120Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
