"""How an installation is: what was looked at, how bad it is, and what to do about it.

The judgements of the doctor, of `/readyz` and of the page of administration stand here, once. They are pure: whoever
asks has looked.
"""

import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from pathlib import Path

from panel.core import clock, ready
from panel.core.assets import schema_version
from panel.core.errors import Reason

BACKUP, REHEARSAL = "last-backup.json", "last-rehearsal.json"
"""Small files in the data directory, of no secret: when something was last done to the installation."""

BACKUP_AGE = timedelta(hours=26)
"""A daily backup is at most so old."""

REHEARSAL_AGE = timedelta(days=183)
"""Restoring is rehearsed twice a year."""

MOST_OFFSET = timedelta(seconds=5)
"""So far apart may two clocks be; an HTTP date has whole seconds, and the answer takes its time."""


class Grade(IntEnum):
    """How bad it is; the worst comes first."""

    WRONG = 0
    CARE = 1
    FINE = 2


@dataclass(frozen=True)
class Found:
    """What a look at one thing has found, and what to do about it; `at`: the moment that it tells of."""

    grade: Grade
    told: Reason
    mend: Reason | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Noted:
    """When something was last done; by which command and how large it is, where the note says so."""

    at: datetime
    by: str = ""
    size: int | None = None


def noted(data: Path, name: str) -> Noted | None:
    """Return what was noted last; None where nothing was, or the note cannot be read."""
    try:
        said = json.loads((data / name).read_text(encoding="utf-8"))
        return Noted(datetime.fromisoformat(said["at"]), str(said.get("by", "")), said.get("size"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def age(data: Path, name: str) -> float | None:
    """Return the seconds since it was last done."""
    last = noted(data, name)
    return None if last is None else (clock.now() - last.at).total_seconds()


def of_backup(last: Noted | None, now: datetime) -> Found:
    """Judge the last backup by its age."""
    mend = Reason("Run panel backup every day by a timer: docs/operations.md, Backup.")
    if last is None:
        return Found(Grade.WRONG, Reason("There has been no backup yet."), mend)
    if now - last.at > BACKUP_AGE:
        return Found(Grade.WRONG, Reason("The last backup is too old."), mend, last.at)
    return Found(Grade.FINE, Reason("The last backup is recent enough."), at=last.at)


def of_rehearsal(last: Noted | None, now: datetime) -> Found:
    """Judge when restoring was last rehearsed."""
    mend = Reason("Restore the last backup into an empty place: panel restore FILE --data PLACE --rehearsal-of DATA.")
    if last is None:
        return Found(Grade.CARE, Reason("Restoring was never rehearsed."), mend)
    if now - last.at > REHEARSAL_AGE:
        return Found(Grade.CARE, Reason("Restoring was last rehearsed more than half a year ago."), mend, last.at)
    return Found(Grade.FINE, Reason("Restoring was rehearsed within half a year."), at=last.at)


def of_room(free: int) -> Found:
    """Judge how many bytes are free where the data lie."""
    told = Reason("%(n)s MB are free on the disk of the data.", n=free // 10**6)
    if ready.is_room(free):
        return Found(Grade.FINE, told)
    return Found(Grade.WRONG, told, Reason("Make room: below 500 MB the installation is not ready."))


def of_offset(theirs: datetime, whose: Reason | str, now: datetime) -> Found:
    """Judge how far this machine's clock is from another."""
    apart = abs(now - theirs)
    told = Reason("The clock is %(n)s seconds from that of %(whose)s.", n=f"{apart.total_seconds():.1f}", whose=whose)
    if apart <= MOST_OFFSET:
        return Found(Grade.FINE, told)
    return Found(Grade.WRONG, told, Reason("Let the machine keep its time by NTP: time limits and the record need it."))


def of_mail(configured: bool, why_not: str | None) -> Found:
    """Judge the mail server: `why_not` says why it takes no mail, empty when it does, None when it did not answer."""
    mend = Reason("Look at the settings that begin with smtp_.")
    if not configured:
        return Found(Grade.FINE, Reason("No mail server is set: invitations are slips of paper."))
    if why_not is None:
        return Found(Grade.CARE, Reason("The mail server has not answered yet. Look again in a moment."), mend)
    if why_not:
        return Found(Grade.WRONG, Reason("The mail server does not take mail: %(why)s", why=why_not), mend)
    return Found(Grade.FINE, Reason("The mail server takes mail."))


def why_not_schema(version: str) -> Reason | None:
    """Say why a database of this schema does not fit the program; `panel migrate` brings an older one up to it."""
    if version > schema_version():
        return Reason("The database belongs to a newer version (schema %(version)s).", version=version)
    if version < schema_version():
        return Reason(
            "The database belongs to an older version (schema %(version)s). Run: panel migrate", version=version
        )
    return None


def of_factors(setting: str, lacking: int) -> Found:
    """Judge the second factor: whom the setting asks for one, and how many of them have none."""
    if setting == "off":
        return Found(Grade.CARE, SECOND_FACTOR["off"], Reason("Set second_factor to officers in settings.toml."))
    told = SECOND_FACTOR[setting]
    if lacking:
        mend = Reason("Each sets it up when they next sign in; remind them.")
        return Found(Grade.CARE, Reason("%(told)s Without one: %(n)s.", told=told, n=lacking), mend)
    return Found(Grade.FINE, told)


SECOND_FACTOR: Mapping[str, Reason] = {
    "off": Reason("Nobody is asked for a second factor."),
    "officers": Reason("Officers, chairs and secretaries must have a second factor."),
    "all": Reason("Everybody must have a second factor."),
}
"""By the setting: whom the installation asks for one."""


def of_proof(minutes: int) -> Found:
    """Judge whether somebody confirms who they are before grave acts."""
    if not minutes:
        told = Reason("Nobody is asked to confirm who they are before a grave act.")
        return Found(Grade.CARE, told, Reason("Set proof_minutes in settings.toml, 10 for example."))
    told = Reason("Before a grave act one confirms who one is, unless one has within %(n)s minutes.", n=minutes)
    return Found(Grade.FINE, told)


KEPT_SECONDS = 30.0
"""For so long an answer is given again: looking often costs another server nothing."""


class Aside:
    """A look that may take long: in a thread of its own, one at a time, its answer kept for a while."""

    def __init__(self, look: Callable[[], str]) -> None:
        self._look, self._lock = look, threading.Lock()
        self._answer: Future[str] | None = None
        self._begun = float("-inf")

    def answer(self, seconds: float) -> str | None:
        """Return what was found; None where it is not known within so many seconds. Another call asks again."""
        with self._lock:
            stale = clock.monotonic() - self._begun > KEPT_SECONDS
            if self._answer is None or (self._answer.done() and stale):
                self._answer, self._begun = Future(), clock.monotonic()
                threading.Thread(target=self._find, args=(self._answer,), name="look", daemon=True).start()
            asked = self._answer
        try:
            return asked.result(seconds)
        except TimeoutError:
            return None

    def _find(self, answer: "Future[str]") -> None:
        try:
            answer.set_result(self._look())
        except Exception as problem:
            answer.set_result(type(problem).__name__)
