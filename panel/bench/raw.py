"""The machine's raw database: what no server above it can beat."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import ClassVar, Protocol

import psycopg
from sqlalchemy import make_url

from panel.core import clock

ROW_BYTES = 1500
"""About what one recorded act leaves: its row, entry, body, receipt and form."""

GROUP = 64


class Raw(Protocol):
    """A database that a bench measures beside ours."""

    what: ClassVar[str]

    def inserts(self, rows: int, *, at_once: int = GROUP) -> float:
        """Insert rows, so many in one commit, durably; return the seconds taken."""


class Sqlite:
    """SQLite of the standard library, with the settings that we use."""

    what: ClassVar[str] = "sqlite3 of the standard library, synchronous=FULL, rows of the size that a ballot leaves"

    def __init__(self, folder: Path) -> None:
        self._file = folder / "raw.sqlite"

    def inserts(self, rows: int, *, at_once: int = GROUP) -> float:
        """Insert rows, so many in one commit (WAL, synchronous=FULL); return the seconds taken."""
        with closing(sqlite3.connect(self._file, isolation_level=None)) as db:
            for pragma in ("journal_mode=WAL", "synchronous=FULL"):
                db.execute(f"PRAGMA {pragma}")
            db.execute("CREATE TABLE IF NOT EXISTS row (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
            bodies = [(os.urandom(ROW_BYTES),) for _ in range(rows)]
            started = clock.monotonic()
            for start in range(0, rows, at_once):
                db.execute("BEGIN IMMEDIATE")
                db.executemany("INSERT INTO row (body) VALUES (?)", bodies[start : start + at_once])
                db.execute("COMMIT")
            return clock.monotonic() - started


class Postgres:
    """PostgreSQL through its driver, in the bench's own database."""

    what: ClassVar[str] = "psycopg on the same server, rows of the size that a ballot leaves"

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)

    def inserts(self, rows: int, *, at_once: int = GROUP) -> float:
        """Insert rows, so many in one commit; return the seconds taken."""
        with psycopg.connect(self._url, autocommit=True) as db:
            db.execute("CREATE TABLE IF NOT EXISTS raw_row (id bigserial PRIMARY KEY, body bytea NOT NULL)")
            bodies = [(os.urandom(ROW_BYTES),) for _ in range(rows)]
            started = clock.monotonic()
            for start in range(0, rows, at_once):
                with db.transaction(), db.cursor() as cursor:
                    cursor.executemany("INSERT INTO raw_row (body) VALUES (%s)", bodies[start : start + at_once])
            return clock.monotonic() - started
