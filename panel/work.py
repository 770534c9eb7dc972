"""One unit of work: rows and record together, and the one writer that commits them.

An act is `action(work, actor, **what)`. The writer thread takes the acts that are waiting, runs each in its own
savepoint, commits once, and answers all of them after the commit: no acknowledgement leaves before an fsync that
began after its act's write had returned. A refusal undoes its own savepoint only. What the acts of one commit ask
alike (`core.db.remembered`) is read once for all of them, as long as none of them changes it.
"""

import queue
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from typing import Any, TypeVar

from sqlalchemy import Engine, insert, text
from sqlmodel import Session, SQLModel

from panel.core import clock, hooks, log, metrics
from panel.core.db import CONNECTION, REMEMBERED, WATCH, Prepared, forget, forget_if_changed, gone
from panel.core.mode import Mode, trouble_of
from panel.record.append import Sheet
from panel.record.events import Event

T = TypeVar("T")
RowT = TypeVar("RowT", bound=SQLModel)

GROUP = 64
"""At most so many acts share one commit."""

_BEGIN, _UNDO, _END = (
    Prepared(text(f"{what} act")) for what in ("SAVEPOINT", "ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT")
)

AfterCommit = Callable[[Sequence[int]], None]
"""Called after each commit with the indexes of what it put on the record; before anybody is answered."""


@dataclass
class Work:
    """One act's unit of work: what it adds and records becomes durable together, or not at all."""

    db: Session
    now: datetime
    sheet: Sheet
    stream_of: Callable[[Session, str | None], str]
    recorded: list[int] = field(default_factory=list)
    _after: list[Callable[[], None]] = field(default_factory=list)

    def add(self, row: RowT) -> RowT:
        """Add a row; the act must also record its event."""
        self.db.add(row)
        return row

    def insert(self, row: RowT) -> RowT:
        """Add a row by one prepared statement, at once; the session does not know it. For the hot acts.

        Like `add`, it wants its event.
        """
        _insert(type(row))(self.db, **row.model_dump())
        return row

    def add_unrecorded(self, row: RowT) -> RowT:
        """Add a row that leaves no event: sealed ballots, drafts and sessions only."""
        self.db.add(row)
        return row

    def record(self, event: Event, *, told_of: Collection[str] = ()) -> int:
        """Put an event on the record; returns its index. Flushes the rows first.

        Who acts gets a receipt, and so do the people (ids) whose part in it the event tells of.
        """
        self.db.flush()
        return self._sequence(event, told_of)

    def record_all(self, events: Sequence[Event]) -> None:
        """Put many events on the record in this order, with one flush before them all: thousands of rows of a list."""
        self.db.flush()
        for event in events:
            self._sequence(event)

    def _sequence(self, event: Event, told_of: Collection[str] = ()) -> int:
        stream = self.stream_of(self.db, event.case_id)
        (entry,) = self.sheet.add([event], self.now, stream=stream, told_of=told_of)
        self.recorded.append(entry.index)
        self.after_commit(partial(hooks.recorded, event.kind, event.case_id, entry.index))
        return entry.index

    def after_commit(self, call: Callable[[], None]) -> None:
        """Run something once the act is durable: destroying a key, ending sockets. Never runs for a refused act."""
        self._after.append(call)


@cache
def _insert(model: type[SQLModel]) -> Prepared:
    return Prepared(insert(model))


@dataclass
class _Waiting:
    act: Callable[[Work], Any]
    answer: "Future[Any]"
    since: float = field(default_factory=clock.monotonic)


class Writer:
    """The one thread that writes (SQLite), with group commit; on PostgreSQL each act is a transaction of its own."""

    def __init__(
        self, engine: Engine, *, stream_of: Callable[[Session, str | None], str], committed: AfterCommit,
        mode: Mode | None = None,
    ) -> None:  # fmt: skip
        self._engine, self._mode = engine, mode or Mode()
        self._stream_of = stream_of
        self._committed = committed
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._calm = threading.Event()
        self._group = GROUP if engine.dialect.name == "sqlite" else 1
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def submit(self, act: Callable[[Work], T], *, probing: bool = False) -> "Future[T]":
        """Queue an act; the future is answered after the commit, or with the act's refusal.

        While nothing is written every act is refused, but one that finds out whether something can be.
        """
        answer: Future[T] = Future()
        if not probing and (refusal := self._mode.refusal()) is not None:
            answer.set_exception(refusal)
            return answer
        self._calm.clear()
        self._waiting.put(_Waiting(act, answer))
        return answer

    def call(self, action: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """Run an action and wait until it is durable; for the command line and tests."""
        return self.submit(lambda work: action(work, *args, **kwargs)).result()

    def waiting(self) -> int:
        """Return how many acts wait for their turn."""
        return self._waiting.qsize()

    def calm(self, seconds: float) -> None:
        """Wait until no act waits, but not longer than so many seconds: what can wait gives way to acts."""
        self._calm.wait(seconds)

    def close(self) -> None:
        """Finish the acts that are waiting, stop, and let go of the database."""
        self._waiting.put(None)
        self._thread.join()
        self._engine.dispose()

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            group, stop = [first], False
            while len(group) < self._group and not stop:
                try:
                    following = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    stop = True
                else:
                    group.append(following)
            # An act that nobody waits for any more is left out before it begins; from here on none can be withdrawn, or
            # its answer would fail, and with it this thread.
            if wanted := [each for each in group if each.answer.set_running_or_notify_cancel()]:
                self._commit(wanted)
            if stop:
                return
            if self._waiting.empty():
                self._calm.set()

    def _commit(self, group: list[_Waiting]) -> None:
        """Run the acts of a group, commit, then answer all of them: a refusal may rest on what another act has done."""
        done: list[tuple[_Waiting, Any, Work]] = []
        refused: list[tuple[_Waiting, Exception]] = []
        committing = False
        try:
            with self._session() as db:
                sheet = Sheet(db)
                with _watched(db, sheet):
                    for waiting in group:
                        self._try(db, sheet, waiting, done, refused)
                    with metrics.COMMITS.time():
                        sheet.write()
                        committing = True
                        db.commit()
                db.expunge_all()
        except Exception as failure:
            metrics.count_lock(failure)
            told = self._mode.heard(failure, committing=committing)
            for waiting in group:
                waiting.answer.set_exception(told)
            return
        durable = clock.monotonic()
        self._tell([work for _, _, work in done])
        for waiting, result, _ in done:
            metrics.ACTS.observe(durable - waiting.since)
            waiting.answer.set_result(result)
        for waiting, refusal in refused:
            waiting.answer.set_exception(refusal)

    def _session(self) -> Session:
        """Open a session for one commit. On SQLite nobody else writes meanwhile, so that answers may be remembered."""
        info: dict[str, Any] = {REMEMBERED: {}} if self._engine.dialect.name == "sqlite" else {}
        return Session(self._engine, expire_on_commit=False, info=info)

    def _try(
        self, db: Session, sheet: Sheet, waiting: _Waiting, done: list[tuple[_Waiting, Any, Work]],
        refused: list[tuple[_Waiting, Exception]],
    ) -> None:  # fmt: skip
        """Run one act in its savepoint; a refusal undoes the savepoint only, with what it put on the sheet.

        A disk that is full or fails undoes the whole commit: SQLite may have ended the transaction by itself; so does a
        database that is gone.
        """
        work, mark = Work(db, clock.now(), sheet, self._stream_of), sheet.mark()
        _BEGIN(db)
        try:
            # The session's own savepoint is made with its first statement; it keeps a flush that fails to this act.
            with db.begin_nested():
                result = waiting.act(work)
                db.flush()
        except Exception as refusal:
            if trouble_of(refusal) is not None or gone(refusal):
                raise
            _UNDO(db)
            _END(db)
            sheet.back(mark)
            forget(db)
            db.expunge_all()
            refused.append((waiting, refusal))
        else:
            _END(db)
            done.append((waiting, result, work))

    def _tell(self, works: list[Work]) -> None:
        """Do what must follow a commit. What fails here is logged: the acts are durable and must be answered so."""
        recorded = [index for work in works for index in work.recorded]
        calls: list[Callable[[], None]] = [call for work in works for call in work._after]
        calls.append(partial(self._committed, recorded))
        for call in calls:
            try:
                call()
            except Exception as failure:
                log.failure("after_commit", failure)


@contextmanager
def _watched(db: Session, sheet: Sheet) -> Iterator[None]:
    """Let every statement of this transaction be heard of before it is executed."""

    def watch(statement: str) -> None:
        sheet.write_before(statement)
        forget_if_changed(db, statement)

    connection = db.connection()
    db.info[CONNECTION], kept = connection, connection.info
    kept[WATCH] = watch
    try:
        yield
    finally:
        del kept[WATCH], db.info[CONNECTION]
