"""Bringing an installation's database to this version's schema: after a backup, and never while a vote is open."""

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine, text

from panel.cli.backup import make
from panel.cli.record import Data, Locale, installed, usage
from panel.core import log
from panel.core.alone import only_server
from panel.core.assets import folder, schema_version
from panel.core.db import version_of, writing_engine
from panel.core.errors import Reason, Refused, require
from panel.core.i18n import DEFAULT_LOCALE
from panel.core.schema import migrate as bring_up


def migrate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")] = False,
    backup: Annotated[Path | None, typer.Option(help="The backup to write first; else in the data directory.")] = None,
    data: Data = None,
    locale: Locale = DEFAULT_LOCALE,
) -> None:
    """Bring the database to this version's schema. Stop the server first; a backup is made before anything changes."""
    settings, words = installed(data, locale)
    engine = writing_engine(settings.database_url)
    try:
        steps = pending(version_of(engine))
        if not steps or dry_run:
            for line in told(steps):
                typer.echo(words.reason(line))
            return
        require(why_not_migrate(engine))
        with only_server(settings.data):
            target = backup or settings.data / f"before-{schema_version()}.tar"
            make(settings, target, by="panel migrate")
            typer.echo(words.reason(Reason("A backup was made: %(file)s", file=target)))
            bring_up(engine)
    except Refused as refused:
        usage(words.reason(refused.reason))
    finally:
        engine.dispose()
    log.configure(folder=settings.log_folder)
    log.security("database_migrated", to=schema_version(), steps=len(steps))
    typer.echo(words.reason(Reason("The database has the schema %(version)s now.", version=schema_version())))


def pending(version: str) -> list[str]:
    """Return the migrations after a version, by the names of their files, in order."""
    files = (folder("migrations") / "versions").glob("[0-9]*.py")
    return sorted(file.stem for file in files if file.name.partition("_")[0] > version)


def told(steps: list[str]) -> list[Reason]:
    """Return what a dry run tells."""
    if not steps:
        return [Reason("The database has the schema %(version)s already.", version=schema_version())]
    return [Reason("Would be done: %(step)s", step=step) for step in steps]


def why_not_migrate(engine: Engine) -> Reason | None:
    """No vote is open while the tables change: a member's ballot must not meet a server that is not there."""
    with engine.connect() as connection:
        still = connection.execute(text("SELECT count(*) FROM motion WHERE state = 'OPEN'")).scalar()
    return Reason("Motions that are open: %(n)s. Close or annul them first.", n=still) if still else None
