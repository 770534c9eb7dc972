"""Rehearsals of a real installation: a fictional case among its own rows, held by the simulation, wiped in one act."""

import asyncio
import secrets
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import ColumnElement, Table, delete, false, or_
from sqlalchemy import select as core_select
from sqlmodel import Session, SQLModel, col, select

from panel.accounts.events import RehearsalWiped
from panel.accounts.models import Person
from panel.accounts.queries import Demo, DemoPlace
from panel.accounts.views.desk import desk
from panel.cases.models import Case
from panel.cli.seed import SeededCase, file_rehearsal
from panel.core import hooks, log
from panel.core.errors import Reason
from panel.core.i18n import DEFAULT_LOCALE, translator
from panel.core.pages import Site
from panel.core.security import Actor
from panel.record import actions as record
from panel.record.events import BodyErased, KeyRotated, LogBegunAgain
from panel.record.models import RecordBody, RecordEntry
from panel.rehearsal import stage
from panel.work import Work

CASE = 6
"""The demo case that is rehearsed: the reservoir gates."""

PACE = 1.0
WAITS = stage.Waits(seating=20, coming=40, floor=90, opinion=180, ballot=90, last_call=30)
"""Seconds: people in a rehearsal are waited for, but not as long as in a hearing."""

KEPT = ("record_", "acknowledgement", "checkpoint", "cosignature", "timestamp", "log_key", "submitted_form")
"""Tables of the record and of keys: nothing is deleted in them but texts, by lawful erasure."""


@dataclass(frozen=True)
class _Held:
    """A simulation that is at work: its loop, in a thread of its own, and its task."""

    loop: asyncio.AbstractEventLoop
    task: "asyncio.Task[None]"

    def cancel(self) -> None:
        """Let it end, from any thread."""
        with suppress(RuntimeError):  # it has just ended by itself
            self.loop.call_soon_threadsafe(self.task.cancel)


@dataclass
class Rehearsals:
    """Holds rehearsals on a site that serves; one at a time."""

    site: Site
    running: bool = False
    _filed: SeededCase | None = None
    _held: "_Held | None" = field(default=None, repr=False)

    def left(self, db: Session) -> bool:
        """Say whether anything of a rehearsal is there."""
        return bool(_cases(db) or _people(db))

    def file(self, work: Work, actor: Actor) -> None:
        """File the fictional case, and wipe what an earlier rehearsal left."""
        self.stop()
        if self.left(work.db):
            self.wipe(work, actor)
        self._filed = file_rehearsal(work, CASE)

    def hold(self) -> None:
        """Let the simulation hold the hearing that was filed last, in a thread of its own."""
        case = self._filed
        assert case is not None, "a rehearsal is filed before it is held"
        places = [
            DemoPlace(person.login, person.name, person.label, Reason("Rehearsal"), f"/hearings/{case.hearing_id}")
            for person in case.people.values()
        ]
        kept = desk(self.site)
        kept.demo, kept.door_key, self.running = Demo(places, ""), secrets.token_urlsafe(32), True
        threading.Thread(target=self._run, args=(case, kept.door_key), name="rehearsal", daemon=True).start()

    def _run(self, case: SeededCase, key: str) -> None:
        ended = Reason("The rehearsal is over.")
        try:
            asyncio.run(self._hold(case, key))
        except asyncio.CancelledError:
            return
        except Exception as problem:
            log.failure("rehearsal_failed", problem)
            ended = Reason("The simulation has stopped.")
        if desk(self.site).door_key == key:
            self._tell(translator(DEFAULT_LOCALE).reason(ended))

    async def _hold(self, case: SeededCase, key: str) -> None:
        settings = self.site.settings
        task = asyncio.current_task()
        assert task is not None, "a coroutine runs in a task"
        self._held = _Held(asyncio.get_running_loop(), task)
        await stage.hold(
            f"http://127.0.0.1:{settings.port}", script=case.script, logins=case.logins, case_id=case.case_id,
            hearing_id=case.hearing_id, auto=False, say=self._tell, pace=PACE, waits=WAITS,
            door=stage.Door(settings.origins[0], key),
        )  # fmt: skip

    def _tell(self, line: str) -> None:
        if (demo := desk(self.site).demo) is not None:
            demo.story.append(line)

    def stop(self) -> None:
        """Let the simulated members go."""
        kept, held, self._held = desk(self.site), self._held, None
        if held is not None:
            held.cancel()
        self.running, kept.demo, kept.door_key = False, None, ""

    def wipe(self, work: Work, actor: Actor) -> int:
        """Wipe it, as `wipe` does."""
        return wipe(work, actor)


def wipe(work: Work, actor: Actor | None) -> int:
    """Delete every row of a rehearsal, and erase what the record says of it; returns how many entries lost it."""
    cases, people = _cases(work.db), _people(work.db)
    erased = _erase(work, cases, people)
    work.record(RehearsalWiped(entries=erased, actor_id=actor.person_id if actor else None))
    for person_id in people:
        work.after_commit(partial(hooks.end_sockets, person_id))
    _delete(work.db, cases, people)
    return erased


def _cases(db: Session) -> list[str]:
    return list(db.exec(select(Case.id).where(col(Case.fictional))).all())


def _people(db: Session) -> list[str]:
    return list(db.exec(select(Person.id).where(col(Person.fictional))).all())


def _erase(work: Work, cases: list[str], people: list[str]) -> int:
    """Erase the bodies of the cases' streams, and of what the record tells of the fictional people elsewhere.

    In nobody's name, or whoever wipes would get a receipt for each: who it was, one event of its own tells.
    """
    tokens = work.db.exec(select(Case.record_token).where(col(Case.id).in_(cases))).all()
    entries = select(RecordEntry.index).join(RecordBody).where(
        col(RecordEntry.kind).not_in((BodyErased.kind, KeyRotated.kind, LogBegunAgain.kind)),
        or_(col(RecordEntry.stream).in_(tokens), *(col(RecordBody.private).contains(person) for person in people)),
    )  # fmt: skip
    ground = translator(DEFAULT_LOCALE).reason(Reason("A rehearsal was wiped."))
    indexes = list(work.db.exec(entries.order_by(col(RecordEntry.index))).all())
    for index in indexes:
        record.erase(work, None, index=index, ground=ground)
    return len(indexes)


def _delete(db: Session, cases: list[str], people: list[str]) -> None:
    """Delete, children first, every row that belongs to these cases or people by a key or by naming their id."""
    db.flush()
    tables = SQLModel.metadata.sorted_tables
    doomed: dict[str, ColumnElement[bool]] = {}
    for table in tables:
        if not table.name.startswith(KEPT):
            doomed[table.name] = _belongs(table, doomed, cases, people)
    for table in reversed(tables):
        if table.name in doomed:
            db.connection().execute(delete(table).where(doomed[table.name]))


def _belongs(
    table: Table, doomed: dict[str, ColumnElement[bool]], cases: list[str], people: list[str]
) -> ColumnElement[bool]:
    own: dict[str, list[str]] = {"case": cases, "person": people}
    of = [table.c.id.in_(own[table.name])] if table.name in own else []
    for column in table.columns:
        if column.name == "case_id":
            of.append(column.in_(cases))
        for key in column.foreign_keys:
            parent = key.column.table
            if parent.name in doomed and parent is not table:
                of.append(column.in_(core_select(key.column).where(doomed[parent.name])))
    return or_(*of) if of else false()
