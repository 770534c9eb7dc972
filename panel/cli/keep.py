"""Keeping the record: a mirror of what is public, another key, a lawful erasure."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlmodel import Session

from panel.app import stream_of
from panel.cli.record import Data, Locale, installed, usage
from panel.core import clock, log
from panel.core.db import reading_engine, writing_engine
from panel.core.errors import Reason, Refused
from panel.core.i18n import DEFAULT_LOCALE
from panel.record import actions, checkpoint, queries
from panel.record.mirror import mirror as write_mirror
from panel.verify import report
from panel.work import Writer


def mirror(
    folder: Annotated[Path, typer.Argument(help="The folder that a file server serves.")],
    data: Data = None,
    locale: Locale = DEFAULT_LOCALE,
) -> None:
    """Write the published record as static files: tiles first, the checkpoint last. Again and again as it grows."""
    settings, words = installed(data, locale)
    engine = reading_engine(settings.database_url)
    with Session(engine) as db:
        newest = queries.newest_checkpoint(db)
        if newest is None:
            usage(words.reason(Reason("No checkpoint has been published yet.")))
        try:
            written = write_mirror(db, newest, folder)
        except OSError as problem:
            usage(words.reason(report.unreadable(Path(problem.filename or folder), problem.strerror or "")))
    engine.dispose()
    typer.echo(words.reason(Reason("Mirrored up to entry %(size)s: %(n)s new files.", size=newest.size, n=written)))


def rotate_key(
    ground: Annotated[str, typer.Option(help="Why; it stands on the record for everybody.")],
    data: Data = None,
    locale: Locale = DEFAULT_LOCALE,
) -> None:
    """Renew the record's key: recorded, covered by the last checkpoint of the former key, which is then destroyed."""
    settings, words = installed(data, locale)
    try:
        former = checkpoint.read_key(settings.record_key)
        following = checkpoint.next_key(settings.record_key)
        with writing(settings.database_url) as (engine, writer):
            told: dict[str, Any] = {"former": str(former.verifier), "key": str(following.verifier), "ground": ground}
            writer.call(actions.rotate_key, None, **told)
            checkpoint.publish(engine, former, clock.now())
        checkpoint.take_over(settings.record_key)
    except Refused as refused:
        settings.record_key.with_suffix(".next").unlink(missing_ok=True)
        usage(words.reason(refused.reason))
    except OSError as problem:
        usage(words.reason(report.unreadable(Path(problem.filename or settings.record_key), problem.strerror or "")))
    log.configure(folder=settings.log_folder)
    log.security("record_key_rotated", former=str(former.verifier), key=str(following.verifier))
    typer.echo(words.reason(Reason("The record's public key; publish it in print as well:")))
    typer.echo(str(following.verifier))


def erase(
    index: Annotated[int, typer.Argument(help="The entry's index on the record.", min=0)],
    ground: Annotated[str, typer.Option(help="The ground, for everybody to read; it must name nobody.")],
    data: Data = None,
    locale: Locale = DEFAULT_LOCALE,
) -> None:
    """Erase what an entry says, where the law demands it. Its place and proof stay, and that it was erased, and why."""
    settings, words = installed(data, locale)
    try:
        with writing(settings.database_url) as (_, writer):
            writer.call(actions.erase, None, index=index, ground=ground)
    except Refused as refused:
        usage(words.reason(refused.reason))
    log.configure(folder=settings.log_folder)
    log.security("body_erased", entry=index)
    typer.echo(words.reason(Reason("The body of entry %(index)s is erased.", index=index)))


@contextmanager
def writing(url: str) -> Iterator[tuple[Any, Writer]]:
    """Open an installation's writer for one act of the command line."""
    engine = writing_engine(url)
    writer = Writer(engine, stream_of=stream_of, committed=lambda indexes: None)
    try:
        yield engine, writer
    finally:
        writer.close()
        engine.dispose()
