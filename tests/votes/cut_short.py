"""A server that the power leaves in the midst of a closing: `python -m tests.votes.cut_short WHERE`, run by the tests.

The product has no hook for this. Here one of its functions is wrapped before the server is made, by one that kills its
own process; the closing's transaction is committed by then.
"""

import os
import signal
import sqlite3
import sys
from typing import Any

from panel.app import create_app
from panel.cli.serve import server_of
from panel.core import db
from panel.core.config import Settings
from panel.votes.actions import closing, keys

BEFORE_KEY = "before-key"
"""Between the commit and the destruction of the key."""
IN_CHECKPOINT = "in-checkpoint"
"""After the key, when the log was brought into the file and was not emptied yet."""


def die(*_: Any) -> None:
    """Leave as a process does that has lost its power."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_in_checkpoint(bind: Any) -> None:
    """Bring the log into the file, then die with the log as it is."""
    with sqlite3.connect(bind.url.database) as connection:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        die()


def main(where: str) -> None:
    """Serve until a sealed motion is closed; the server's own start, which empties the log too, is left alone."""
    settings = Settings()  # type: ignore[call-arg]  # the secret comes from the environment
    server = server_of(create_app(settings), settings)
    if where == BEFORE_KEY:
        vars(keys)["destroy"] = die
    else:
        as_it_is = db.empty_log
        vars(closing)["empty_log"] = lambda bind: die_in_checkpoint(bind) if _closed(bind) else as_it_is(bind)
    server.run()


def _closed(bind: Any) -> bool:
    with sqlite3.connect(bind.url.database) as connection:
        return bool(connection.execute("SELECT count(*) FROM tally").fetchone()[0])


if __name__ == "__main__":
    main(sys.argv[1])
