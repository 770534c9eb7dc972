"""PostgreSQL's own programs: a dump of one moment while hearings run, and a dump read into an empty database."""

import os
import shutil
import subprocess
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlmodel import Session

from panel.core.config import Settings, knows_database
from panel.core.db import reading_engine, unread
from panel.core.errors import Label, Reason, Refused
from panel.record import queries
from panel.record.models import Checkpoint

MISSING = Label("%(program)s is not there: install PostgreSQL's programs, or name their folder in postgres_programs.")

_FILLED = """
SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND relkind IN ('r', 'p', 'v', 'm', 'S')
"""


def dump(settings: Settings, target: Path) -> tuple[Checkpoint | None, str]:
    """Dump the database as it stands at one moment; returns the newest checkpoint and the schema of that moment.

    The dump shares the snapshot of the transaction that reads them. Raises Refused in the program's own words.
    """
    engine = reading_engine(settings.database_url)
    try:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            moment = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
            schema = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
            with Session(connection, expire_on_commit=False) as db:
                newest = queries.newest_checkpoint(db)
            target.touch(mode=0o600, exist_ok=False)
            words = ("--format=custom", "--no-owner", "--no-privileges", f"--snapshot={moment}", f"--file={target}")
            _run(settings, "pg_dump", *words)
    except DBAPIError as problem:
        raise Refused(unread(problem)) from None
    finally:
        engine.dispose()
    return newest, str(schema)


def load(settings: Settings, file: Path) -> None:
    """Read a dump into an empty database, whole or not at all. Raises Refused."""
    if (reason := why_not_empty(settings.database)) is not None:
        raise Refused(reason)
    words = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", str(file))
    _run(settings, "pg_restore", *words)


def why_not_url(database: str) -> Reason | None:
    """Say why this cannot be the URL of a database of PostgreSQL."""
    try:
        known = make_url(database).get_backend_name() == "postgresql"
    except (ArgumentError, ValueError):
        return Reason("This is no database's URL.")
    if not known:
        return Reason("%(database)s is no database of PostgreSQL.", database=shown(database))
    return None if knows_database(database) else Reason("Write the URL as postgresql+psycopg://NAME@HOST/DATABASE.")


def why_not_empty(database: str) -> Reason | None:
    """Say why nothing can be restored into a database: it is of another kind, cannot be reached, or holds something."""
    if (reason := why_not_url(database)) is not None:
        return reason
    try:
        engine = reading_engine(database)
        with engine.connect() as connection:
            filled = connection.exec_driver_sql(_FILLED).scalar_one()
        engine.dispose()
    except DBAPIError as problem:
        return unread(problem)
    if filled:
        return Reason("%(database)s is not empty; an empty database is needed.", database=shown(database))
    return None


def shown(database: str) -> str:
    """Return a database's name as it may be printed."""
    return make_url(database).set(query={}).render_as_string(hide_password=True)


def _run(settings: Settings, program: str, *words: str) -> None:
    """Run one of PostgreSQL's programs on the installation's database; the password goes by the environment."""
    found = shutil.which(program, path=str(settings.postgres_programs) if settings.postgres_programs else None)
    if found is None:
        raise Refused(Reason(MISSING, program=program))
    url = make_url(settings.database_url)
    plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    environment = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    command = [found, "--no-password", f"--dbname={plain.render_as_string(hide_password=False)}", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or [str(done.returncode)])[0]
        raise Refused(Reason("%(program)s failed: %(why)s", program=program, why=why))
