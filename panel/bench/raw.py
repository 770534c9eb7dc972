"""The machine's raw SQLite: what no server above it can beat."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from panel.core import clock

ROW_BYTES = 1500
"""About what one recorded act leaves: its row, entry, body, receipt and form."""

GROUP = 64


def inserts(folder: Path, rows: int, *, at_once: int = GROUP) -> float:
    """Insert rows, so many in one commit, durably (WAL, synchronous=FULL); return the seconds taken."""
    with closing(sqlite3.connect(folder / "raw.sqlite", isolation_level=None)) as db:
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
