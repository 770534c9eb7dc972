"""What a serving process does by itself: it follows the record, sends mail, publishes checkpoints, keeps limits."""

import asyncio
import shutil
import threading
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, select

from panel.accounts import actions as accounts_actions
from panel.accounts import queries as accounts_queries
from panel.accounts.views.desk import desk
from panel.core import clock, health, hooks, log, mail, pages, ready
from panel.core import db as database
from panel.core.config import Settings
from panel.core.duty import Duty
from panel.core.mode import LEAST_BYTES, NotWritten, Steadiness, Trouble
from panel.hearings import actions as hearings_actions
from panel.live.bell import Bell
from panel.record import checkpoint
from panel.record import queries as record_queries
from panel.record.models import Checkpoint, RecordEntry
from panel.record.sinks import Sinks
from panel.verify import audit as auditing
from panel.verify.bundle import Broken

MAIL_SECONDS = 5.0
"""How often the outbox is looked into."""

FOLLOW_SECONDS = 1.0
"""How often this process looks for what other processes have done."""

MODE_SECONDS = 1.0
"""How often this process looks whether anything may be written."""

SEEN_SECONDS = 60.0
"""How often the database learns when sessions were last used."""


@dataclass
class RecordChecked:
    """Whether the whole record was found as it was written; read once, when serving begins."""

    holds: bool = False

    def check(self, reading: Engine) -> None:
        """Rebuild the tree from the first entry; raises Broken where an entry, a body or the head was changed."""
        with Session(reading) as db:
            auditing.check_record(db, record_queries.head(db).size, {})
        self.holds = True


async def check_whole_record(site: pages.Site, checked: RecordChecked) -> None:
    """Check the record beside serving; what does not hold is logged, and `/readyz` says so."""
    try:
        await asyncio.to_thread(checked.check, site.reading)
    except Broken as problem:
        log.failure("record_does_not_hold", problem)
        site.mode.enter(Trouble.RECORD)
    except Exception as problem:
        log.failure("record_not_read", problem)


def readiness(site: pages.Site, checked: RecordChecked, bell: Bell | None) -> ready.Readiness:
    """Return what serving needs, by its code."""
    heard = {"redis": bell.works} if bell is not None else {}
    return ready.Readiness(
        {
            "database": lambda: bool(site.writer.submit(ready.probe, probing=True).result(ready.PATIENCE)),
            "schema": lambda: health.why_not_schema(database.version_of(site.reading)) is None,
            "record": lambda: checked.holds,
            "clock": lambda: not site.mode.has(Trouble.CLOCK),
            "disk": lambda: ready.has_room(Path(site.settings.data)),
            **heard,
        }
    )


async def keep_mode(site: pages.Site) -> None:
    """Look every second whether anything may be written; what is wrong is left by itself when it is right again."""
    steady = Steadiness()
    while True:
        try:
            await asyncio.to_thread(look_at_mode, site, steady)
        except Exception as error:
            log.failure("mode_not_found_out", error)
        await asyncio.sleep(MODE_SECONDS)


def look_at_mode(site: pages.Site, steady: Steadiness) -> None:
    """Enter read-only where the disk is full or the clock has jumped, leave it where that is over. Blocks."""
    mode = site.mode
    with Session(site.reading) as db:
        newest = record_queries.time_of_last(db)
    (mode.leave if steady.holds(clock.now(), clock.monotonic(), newest) else mode.enter)(Trouble.CLOCK)
    free = shutil.disk_usage(site.settings.data).free
    if free < LEAST_BYTES:
        mode.enter(Trouble.DISK)
    elif free >= 2 * LEAST_BYTES and (mode.has(Trouble.DISK) or mode.has(Trouble.STORAGE)):
        with suppress(NotWritten):
            site.writer.submit(ready.probe, probing=True).result(ready.PATIENCE)
            mode.leave(Trouble.DISK)
            mode.leave(Trouble.STORAGE)


async def keep_seen(site: pages.Site) -> None:
    """Write now and then when sessions were last used."""
    signed_in = desk(site).signed_in
    while True:
        await asyncio.sleep(SEEN_SECONDS)
        if site.mode.trouble is not None:
            continue
        keeping = partial(accounts_actions.keep_seen, actor=None, seen=signed_in.seen(), idle=signed_in.idle)
        try:
            await asyncio.wrap_future(site.writer.submit(keeping))
        except Exception as error:
            log.failure("sessions_not_kept", error)


class Following:
    """Hears of what other processes do: a command, a second server. What this process does, it hears of at once."""

    def __init__(
        self, site: pages.Site, told: Callable[[Sequence[int]], None], standings_changed: Callable[[], None]
    ) -> None:
        self._site, self._told, self._standings_changed = site, told, standings_changed
        self._lock = threading.RLock()
        with Session(site.reading) as db:
            self._at = record_queries.head(db).size

    def own(self, indexes: Sequence[int]) -> None:
        """Hear that this process has recorded these entries; whoever they concern knows already."""
        with self._lock:
            if indexes and (min(indexes), max(indexes)) == (self._at, self._at + len(indexes) - 1):
                self._at += len(indexes)

    def notice(self) -> None:
        """Let the entries of other processes wake whom they concern. Blocks."""
        with self._lock:
            before = accounts_queries.generation()
            with Session(self._site.reading) as db:
                size = record_queries.head(db).size
                if size <= self._at:
                    return
                kinds = set(db.exec(select(RecordEntry.kind).where(RecordEntry.index >= self._at)).all())
            for kind in kinds:
                accounts_queries.recorded(kind, None, size - 1)
            self._at = size
            self._told([size - 1])
        if accounts_queries.generation() != before:
            self._standings_changed()

    def look(self) -> None:
        """Notice what is new, and end what belongs to sign-ins that are no longer there. Blocks."""
        self.notice()
        with Session(self._site.reading) as db:
            gone = desk(self._site).signed_in.vanished(db)
        for reference in gone:
            hooks.end_session_sockets(reference)


async def keep_followed(following: Following) -> None:
    """Follow other processes, once a second: a recusal or an ended sign-in takes effect here within it."""
    while True:
        try:
            await asyncio.to_thread(following.look)
        except Exception as error:
            log.failure("record_not_followed", error)
        await asyncio.sleep(FOLLOW_SECONDS)


async def keep_mail(site: pages.Site, duty: Duty) -> None:
    """Send what waits in the outbox; a server that hangs holds up a thread of its own and nothing else."""
    while True:
        await asyncio.sleep(MAIL_SECONDS)
        try:
            if site.mode.trouble is None and await asyncio.to_thread(duty.held):
                await _send_mail(site)
        except Exception as error:
            log.failure("mail_not_sent", error)


async def _send_mail(site: pages.Site) -> None:
    if not mail.configured(site.settings):
        return
    with Session(site.reading, expire_on_commit=False) as db:
        waiting = mail.due(db, clock.now())
    if waiting:
        said = await asyncio.to_thread(mail.send, site.settings, waiting)
        await asyncio.wrap_future(site.writer.submit(partial(mail.settle, actor=None, said=said)))


async def keep_limits(site: pages.Site, duty: Duty) -> None:
    """Settle minutes whose limit has passed, soon after it has, and forget links that have expired."""
    while True:
        try:
            if site.mode.trouble is None and await asyncio.to_thread(duty.held):
                await asyncio.wrap_future(site.writer.submit(hearings_actions.settle_overdue))
                for sweep in (accounts_actions.sweep_links, accounts_actions.sweep_challenges):
                    await asyncio.wrap_future(site.writer.submit(partial(sweep, actor=None)))
        except Exception as error:
            log.failure("minutes_not_settled", error)
        await asyncio.sleep(SEEN_SECONDS)


def _publish(engine: Engine, settings: Settings) -> Checkpoint:
    """Sign the head, keep the checkpoint, and bring it to whoever keeps checkpoints of ours."""
    made = checkpoint.publish(engine, checkpoint.key_at(settings.record_key), clock.now())
    sinks = Sinks(
        settings.checkpoint_folder, settings.checkpoint_hooks, settings.witnesses, settings.timestamp_authority
    )
    sinks.publish(engine, made, lambda sink, problem: log.failure(f"checkpoint_not_taken_by {sink}", problem))
    return made


async def keep_published(site: pages.Site, settings: Settings, duty: Duty) -> None:
    """Sign and publish the record's head on a fixed timer, so that a checkpoint's time betrays nothing.

    The key is read anew each time: it may have been rotated meanwhile. A process that is not on duty reads what the
    other has published.
    """

    def published() -> Checkpoint | None:
        if site.mode.trouble is None and duty.held():
            return _publish(engine, settings)
        with Session(site.reading, expire_on_commit=False) as db:
            return record_queries.newest_checkpoint(db)

    engine = database.writing_engine(settings.database_url)
    try:
        while True:
            try:
                site.areas["published"] = await asyncio.to_thread(published)
            except Exception as error:
                log.failure("checkpoint_not_published", error)
            await asyncio.sleep(settings.checkpoint_seconds)
    finally:
        engine.dispose()


def timers(
    site: pages.Site, settings: Settings, *, following: Following, bell: Bell | None, checked: RecordChecked, duty: Duty
) -> list[Coroutine[Any, Any, None]]:
    """Return everything that goes on beside serving, each to be run as a task."""
    return [
        keep_seen(site),
        keep_mode(site),
        keep_limits(site, duty),
        keep_mail(site, duty),
        keep_published(site, settings, duty),
        keep_followed(following),
        check_whole_record(site, checked),
        log.keep_swept(settings.log_folder, settings.log_days),
        *([bell.keep()] if bell is not None else []),
    ]
