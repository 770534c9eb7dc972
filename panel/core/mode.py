"""Read-only: when unsure, nothing is written, and everybody is told why; reading goes on.

What may be wrong: the disk is full, the storage fails, the record does not hold, the machine's clock has jumped. A
process leaves the mode by itself when what was wrong is right again; a record that does not hold never becomes right.
"""

import errno
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from panel.core import log
from panel.core.db import gone
from panel.core.errors import Busy, Reason


class Trouble(StrEnum):
    """Why nothing is written; the gravest first."""

    RECORD = "record"
    CLOCK = "clock"
    STORAGE = "storage"
    DISK = "disk"


SAID: Mapping[Trouble, Reason] = {
    Trouble.RECORD: Reason("Read-only: the record does not hold. Nothing that is sent now is recorded."),
    Trouble.CLOCK: Reason("Read-only: this machine's clock has jumped. Nothing that is sent now is recorded."),
    Trouble.STORAGE: Reason("Read-only: the storage fails. Nothing that is sent now is recorded."),
    Trouble.DISK: Reason("Read-only: the disk is full. Nothing that is sent now is recorded."),
}
REMEDIES: Mapping[Trouble, Reason] = {
    Trouble.RECORD: Reason(
        "Stop the server, keep its data as they are, and restore the last backup into an empty place "
        "(docs/operations.md). This does not mend itself."
    ),
    Trouble.CLOCK: Reason(
        "Set the clock right. Writing goes on by itself, at the latest 5 minutes after it runs evenly."
    ),
    Trouble.STORAGE: Reason("Look at the disk and the system's log. Writing goes on by itself once a write succeeds."),
    Trouble.DISK: Reason("Make room on the disk. Writing goes on by itself."),
}
"""What an administrator does about it."""

UNCERTAIN = Reason(
    "The storage failed while this was being recorded: whether it was is not certain. Reading goes on; look before you "
    "send it again."
)

LOST = Reason(
    "The database stopped while this was being recorded: whether it was is not certain. Send this very form again in a "
    "moment: it is taken once."
)
UNREACHABLE = Reason("The database does not answer at present. Nothing was recorded; please try again in a moment.")

AGAIN_SECONDS, SOON_SECONDS = 30, 5
"""After so long it is worth trying again: once something was mended; once a server has started."""

LEAST_BYTES = 32 * 1024 * 1024
"""With less room than that nothing is written: an exhibit of the largest size must still find its place."""

JUMP_SECONDS = 10.0
"""A clock that differs by more from what has passed has jumped; so has one that is behind the record's last entry."""

STEADY_SECONDS = 300.0
"""A clock that has run evenly for so long after it jumped is believed: somebody has set it right."""

_SQLITE = {
    sqlite3.SQLITE_FULL: Trouble.DISK, sqlite3.SQLITE_IOERR: Trouble.STORAGE, sqlite3.SQLITE_READONLY: Trouble.STORAGE,
    sqlite3.SQLITE_CANTOPEN: Trouble.STORAGE, sqlite3.SQLITE_CORRUPT: Trouble.STORAGE,
    sqlite3.SQLITE_NOTADB: Trouble.STORAGE,
}  # fmt: skip
_POSTGRESQL = {"53100": Trouble.DISK, "58030": Trouble.STORAGE, "25006": Trouble.STORAGE}
_SYSTEM = {
    errno.ENOSPC: Trouble.DISK, errno.EDQUOT: Trouble.DISK, errno.EFBIG: Trouble.DISK, errno.EIO: Trouble.STORAGE,
    errno.EROFS: Trouble.STORAGE,
}  # fmt: skip


class NotWritten(Busy):
    """Nothing is written at present; says why, and when to try again."""

    status = 503


def unreachable(*, certain: bool) -> NotWritten:
    """Return the refusal of whoever needs a database that does not answer; `certain`: that nothing was recorded."""
    return NotWritten(UNREACHABLE if certain else LOST, seconds=SOON_SECONDS)


def trouble_of(failure: BaseException) -> Trouble | None:
    """Return what a failure says of disk or storage: by SQLite's, PostgreSQL's or the system's code."""
    return next((found for each in _causes(failure) if (found := _coded(each)) is not None), None)


def _causes(failure: BaseException) -> Iterator[BaseException]:
    for each in (failure, getattr(failure, "orig", None), failure.__cause__):
        if each is not None:
            yield each


def _coded(failure: BaseException) -> Trouble | None:
    if isinstance(failure, sqlite3.Error):
        return _SQLITE.get(getattr(failure, "sqlite_errorcode", 0) & 0xFF)
    if isinstance(failure, OSError):
        return _SYSTEM.get(failure.errno or 0)
    return _POSTGRESQL.get(getattr(failure, "sqlstate", None) or "")


class Mode:
    """Whether this process writes, and if not, why not. From any thread."""

    def __init__(self) -> None:
        self._troubles: set[Trouble] = set()
        self._lock = threading.Lock()
        self.changed: Callable[[], None] = lambda: None
        """Called after every change, from any thread."""

    @property
    def trouble(self) -> Trouble | None:
        """Return the gravest of what is wrong; None while everything is written."""
        return next((each for each in Trouble if each in self._troubles), None)

    def has(self, trouble: Trouble) -> bool:
        """Say whether this is wrong."""
        return trouble in self._troubles

    def enter(self, trouble: Trouble) -> None:
        """Write nothing from now on."""
        self._change(trouble, there=True)

    def leave(self, trouble: Trouble) -> None:
        """Write again, unless something else is wrong."""
        self._change(trouble, there=False)

    def _change(self, trouble: Trouble, *, there: bool) -> None:
        with self._lock:
            if (trouble in self._troubles) is there:
                return
            self._troubles = self._troubles | {trouble} if there else self._troubles - {trouble}
        log.security("read_only_entered" if there else "read_only_left", trouble=trouble.value)
        self.changed()

    def refusal(self) -> NotWritten | None:
        """Return the refusal of an act that comes now, or None."""
        trouble = self.trouble
        return None if trouble is None else NotWritten(SAID[trouble], seconds=AGAIN_SECONDS)

    def heard(self, failure: Exception, *, committing: bool) -> Exception:
        """Hear of a failed write; returns what its acts are answered: the failure itself where it is another."""
        trouble = trouble_of(failure)
        if trouble is None:
            return unreachable(certain=not committing) if gone(failure) else failure
        if not self.has(trouble):
            log.failure("not_written", failure, trouble=trouble.value)
        self.enter(trouble)
        uncertain = committing and trouble is Trouble.STORAGE
        return NotWritten(UNCERTAIN if uncertain else SAID[trouble], seconds=AGAIN_SECONDS)


@dataclass
class Steadiness:
    """Whether the clock of the wall runs as evenly as the one that never jumps. Seconds of either since any moment."""

    believed: float | None = None
    """The difference of the two clocks that is taken for right."""
    _seen: float = 0.0
    _since: float | None = None

    def holds(self, now: datetime, monotonic: float, newest: datetime | None) -> bool:
        """Say whether this moment may be written; `newest` is the time of the record's last entry."""
        difference = now.timestamp() - monotonic
        if self.believed is None or abs(difference - self.believed) <= JUMP_SECONDS:
            self.believed, self._since = difference, None
        elif self._since is None or abs(difference - self._seen) > JUMP_SECONDS:
            self._seen, self._since = difference, monotonic
        elif monotonic - self._since >= STEADY_SECONDS:
            self.believed, self._since = difference, None
        behind = newest is not None and (newest - now).total_seconds() > JUMP_SECONDS
        return self._since is None and not behind
