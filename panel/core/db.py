"""Engines and rows. SQLite: one engine that writes (BEGIN IMMEDIATE), one that reads."""

import functools
import re
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from sqlalchemy import ClauseElement, Connection, Engine, Executable, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlmodel import Field, Session, SQLModel

from panel.core import clock
from panel.core.errors import Reason
from panel.core.ids import new_id

P = ParamSpec("P")
T = TypeVar("T")
REMEMBERED = "panel.remembered"
"""Under this key a session keeps the answers to questions that it was asked."""

WATCH = "panel.watch"
"""Under this key a writing connection keeps what hears of each statement before it is executed."""

CONNECTION = "panel.connection"
"""Under this key a writing session keeps its connection for the time of a transaction."""

UNASKED: set[str] = set()
"""Tables that no `remembered` question reads: what is written there leaves every answer as it is."""

_WRITES = re.compile(r"(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM)\s+\"?(\w+)")
_HARMLESS = ("SELECT", "SAVEPOINT", "RELEASE")

PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",
    "PRAGMA busy_timeout=5000",
    "PRAGMA trusted_schema=OFF",
)


class Row(SQLModel):
    """A row with a random id and the moment it was made (UTC)."""

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    created_at: datetime = Field(default_factory=clock.now)


ModelT = TypeVar("ModelT", bound=type[SQLModel])


def unasked(model: ModelT) -> ModelT:
    """Declare that no `remembered` question reads this table; a test asks every one of them."""
    UNASKED.add(str(model.__tablename__))
    return model


def sqlite_url(path: Path) -> str:
    """Return the database URL of a SQLite file."""
    return f"sqlite:///{path}"


def writing_engine(url: str) -> Engine:
    """Return the engine for the one writer: every transaction begins IMMEDIATE on SQLite."""
    engine = _engine(url, begin="BEGIN IMMEDIATE")

    @event.listens_for(engine, "before_cursor_execute")
    def executing(connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if (watch := connection.info.get(WATCH)) is not None:
            watch(statement)

    return engine


def reading_engine(url: str) -> Engine:
    """Return the engine for readers; on SQLite it refuses to write."""
    return _engine(url, begin="BEGIN", pragmas=(*PRAGMAS[2:], "PRAGMA query_only=ON"))


def product(connection: Connection) -> str:
    """Return the database's name and version."""
    if connection.dialect.name == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    return f"PostgreSQL {connection.exec_driver_sql('SHOW server_version').scalar()}"


def time_at(connection: Connection) -> datetime | None:
    """Return the time at the database's server; None where there is none but this machine."""
    if connection.dialect.name == "sqlite":
        return None
    there: datetime = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
    return there


def version_of(engine: Engine) -> str:
    """Return the number of the last migration that a database has seen."""
    with engine.connect() as connection:
        return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())


def unread(problem: DBAPIError) -> Reason:
    """Say that a database cannot be read, in the first line of its own words."""
    return Reason("The database cannot be read: %(why)s", why=str(problem.orig).strip().partition("\n")[0])


def snapshot(engine: Engine) -> Session:
    """Open a session that only reads: one snapshot, in which `remembered` questions are asked once."""
    return Session(engine, info={REMEMBERED: {}})


def remembered(ask: Callable[Concatenate[Session, P], T]) -> Callable[Concatenate[Session, P], T]:
    """Let a question be answered once per reading session, and once per commit until a table that it may read changes.

    Its arguments are hashable, and its answer belongs to everybody who asked: nobody changes it. In a writing session,
    rows that wait are written first, so that no answer is older than what this very act has done.
    """

    def asked(db: Session, /, *args: P.args, **named: P.kwargs) -> T:
        answers = db.info.get(REMEMBERED)
        if answers is None:
            return ask(db, *args, **named)
        if db.new or db.dirty or db.deleted:
            db.flush()
        key = (ask, args, *sorted(named.items()))
        if key not in answers:
            answers[key] = ask(db, *args, **named)
        answer: T = answers[key]
        return answer

    functools.update_wrapper(asked, ask)
    return asked


def core(db: Session) -> Connection:
    """Return the session's connection, for prepared statements: they see what was flushed or inserted before."""
    found: Connection | None = db.info.get(CONNECTION)
    return found if found is not None else db.connection()


class Prepared:
    """A statement that is compiled once. SQLite's driver takes it as it is: what SQLAlchemy adds costs far more.

    Answers a cursor: rows are plain tuples of what the driver gives, so only for texts, numbers and bytes.
    """

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._written: tuple[str, dict[str, Callable[[Any], Any]]] | None = None

    def __call__(self, db: Session, **values: Any) -> Any:
        """Execute it in the session's transaction, after what was flushed or inserted before."""
        connection = core(db)
        if connection.dialect.name != "sqlite":
            return connection.execute(cast(Executable, self._statement), values)
        sql, processors = self._written or self._write()
        if (watch := connection.info.get(WATCH)) is not None:
            watch(sql)
        for name, process in processors.items():
            values[name] = process(values[name])
        driver = connection.connection.driver_connection
        assert driver is not None
        return driver.execute(sql, values)

    def _write(self) -> tuple[str, dict[str, Callable[[Any], Any]]]:
        dialect = sqlite.dialect(paramstyle="named")
        compiled = self._statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        found = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in compiled.binds.items()}
        self._written = str(compiled), {name: process for name, process in found.items() if process is not None}
        return self._written


def forget(db: Session) -> None:
    """Forget what was remembered: an act was undone."""
    db.info.get(REMEMBERED, {}).clear()


def forget_if_changed(db: Session, statement: str) -> None:
    """Forget what was remembered before a statement that may change an answer: any but those known to change none."""
    if statement.startswith(_HARMLESS):
        return
    written = _WRITES.match(statement)
    if written is None or written[1] not in UNASKED:
        forget(db)


def gone(failure: BaseException) -> bool:
    """Say whether a failure means that the database server does not answer: stopped, starting, out of reach."""
    if not isinstance(failure, OperationalError | InterfaceError):
        return False
    # PostgreSQL's driver gives a state with every error of the server, and None where there was no server to give one.
    state = getattr(failure.orig, "sqlstate", "")
    return failure.connection_invalidated or state is None or state.startswith(("08", "57P"))


def empty_log(bind: object) -> None:
    """Bring SQLite's write-ahead log into the file and empty it, so that what was deleted is not left in it.

    Called after a commit; waits half a second at most for readers, whose pages stay in the log until the next time.
    """
    if not isinstance(bind, Engine) or bind.dialect.name != "sqlite":
        return
    connection = bind.raw_connection()
    try:
        cursor = connection.cursor()
        for pragma in ("PRAGMA busy_timeout=500", "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA busy_timeout=5000"):
            cursor.execute(pragma)
    finally:
        connection.close()


def _engine(url: str, *, begin: str, pragmas: tuple[str, ...] = PRAGMAS) -> Engine:
    if not url.startswith("sqlite"):
        return _left_clean(create_engine(url, hide_parameters=True, pool_pre_ping=True))
    engine = create_engine(
        url, connect_args={"check_same_thread": False}, pool_size=8, max_overflow=32, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def began(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return _left_clean(engine)


def _left_clean(engine: Engine) -> Engine:
    """Let no connection go back to its pool in the middle of a transaction, which the next one would commit.

    SQLAlchemy takes a COMMIT that failed (a full disk) for the end of the transaction; SQLite keeps it open.
    """

    @event.listens_for(engine, "reset")
    def left(connection: Any, _record: Any, _state: Any) -> None:
        connection.rollback()

    return engine
