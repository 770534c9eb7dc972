"""The record from the command line: export a case, verify a bundle, audit an installation."""

import secrets
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import SecretStr
from sqlalchemy import Engine, make_url
from sqlmodel import Session, col, or_, select

import panel.app  # noqa: F401 - the composition root knows every kind of event and every table
from panel.cases.models import Case
from panel.core import clock, log
from panel.core.config import Misconfigured, Settings, load
from panel.core.db import reading_engine, writing_engine
from panel.core.errors import NotFound, Refused
from panel.core.files import write_whole
from panel.core.i18n import DEFAULT_LOCALE, Translator, translator
from panel.record.checkpoint import read_key
from panel.record.events import Level
from panel.record.note import SigningKey
from panel.verify import audit as auditing
from panel.verify import check, receipt, report
from panel.verify.bundle import LARGEST
from panel.verify.export import bundle_of, entry_of

Data = Annotated[Path | None, typer.Option(help="The installation's data directory; else PANEL_DATA.")]
Locale = Annotated[str, typer.Option(help="Language of the report: zh_CN or en.", envvar="PANEL_LOCALE")]


class For(StrEnum):
    """The audience of a bundle."""

    PUBLIC = "public"
    PARTY = "party"
    PANEL = "panel"
    FULL = "full"


export = typer.Typer(no_args_is_help=True)


@export.callback()
def exports() -> None:
    """Export what an audience may check."""


@export.command("case")
def export_case(
    case: Annotated[str, typer.Argument(help="The case's number, its id, or the number of a demo case.")],
    to: Annotated[Path, typer.Option(help="The file to write.")],
    audience: Annotated[For, typer.Option(help="For whom: each may have what those before it may.")] = For.PUBLIC,
    data: Data = None,
    locale: Locale = DEFAULT_LOCALE,
) -> None:
    """Write a case's bundle: disclosed parts, commitments of the rest, proofs, checkpoint, signed length."""
    level, now = Level[audience.name], clock.now()

    def made(engine: Engine, key: SigningKey) -> bytes:
        return bundle_of(engine, key, stream=_stream(engine, case), level=level, now=now)

    _export(made, to, data, locale, "case_exported", case=case, audience=audience.value)


@export.command("entry")
def export_entry(
    index: Annotated[int, typer.Argument(help="The entry's index on the record.", min=0)],
    to: Annotated[Path, typer.Option(help="The file to write.")],
    audience: Annotated[For, typer.Option(help="For whom: each may have what those before it may.")] = For.PUBLIC,
    data: Data = None,
    locale: Locale = DEFAULT_LOCALE,
) -> None:
    """Hand out one entry with its proof, in the form of a receipt: salt and text of the parts that are disclosed."""
    made = partial(entry_of, index=index, level=Level[audience.name], now=clock.now())
    _export(made, to, data, locale, "entry_exported", entry=index, audience=audience.value)


def _export(
    made: Callable[[Engine, SigningKey], bytes], to: Path, data: Path | None, locale: str, event: str, **told: Any
) -> None:
    """Make a file of the record with the log's key, write it whole, and note that it was handed out."""
    settings, words = installed(data, locale)
    engine = writing_engine(settings.database_url)
    try:
        content = made(engine, read_key(settings.record_key))
        write_whole(to, content)
        log.configure(folder=settings.log_folder)
        log.security(event, **told)
    except Refused as refused:
        usage(words.reason(refused.reason))
    except OSError as problem:
        usage(words.reason(report.unreadable(Path(problem.filename or to), problem.strerror or "")))
    finally:
        engine.dispose()
    typer.echo(words.reason(report.written(to, len(content))))


def verify(
    file: Annotated[Path, typer.Argument(help="The bundle, or a receipt.")],
    key: Annotated[str | None, typer.Option(help="The log's public key, or a file that holds it.")] = None,
    locale: Locale = DEFAULT_LOCALE,
) -> None:
    """Check a bundle or a receipt, offline. Exit 0: it holds; 1: it does not, and says what fails first; 2: usage."""
    words = translator(locale)
    data, trusted = read_file(file, key, words)
    found = (receipt if receipt.is_receipt(data) else check).verify(data, trusted)
    for line in report.told(found, words):
        typer.echo(line)
    raise typer.Exit(0 if found.holds else 1)


def audit(data: Data = None, locale: Locale = DEFAULT_LOCALE) -> None:
    """Derive every tally and finding from the record again and compare. Exit 0: all agree; 1: not; 2: usage."""
    settings, words = installed(data, locale)
    engine = reading_engine(settings.database_url)
    try:
        key = read_key(settings.record_key).verifier if settings.record_key.exists() else None
    except Refused as refused:
        usage(words.reason(refused.reason))
    audited = []
    with Session(engine) as db:
        for one in auditing.audit(db, key=key, ballot_keys=settings.ballot_keys):
            audited.append(one)
            typer.echo("\n".join(report.told_audited(one, words)))
    engine.dispose()
    typer.echo(report.told_audit(audited, words))
    raise typer.Exit(1 if any(one.problem for one in audited) else 0)


def installed(data: Path | None, locale: str) -> tuple[Settings, Translator]:
    """Return the settings of an installation; no token is signed, so any secret will do."""
    words = translator(locale)
    try:
        settings = load(data, secret=SecretStr(secrets.token_urlsafe()))
    except Misconfigured as wrong:
        usage("\n".join(f"{name}: {words.reason(problem)}" for name, problem in wrong.problems))
    database = make_url(settings.database_url)
    if database.get_backend_name() == "sqlite" and not Path(database.database or "").is_file():
        usage(words.reason(report.no_installation(settings.data)))
    return settings, words


def _stream(engine: Engine, wish: str) -> str:
    """Return the record token of the case with this number, id or demo number."""
    demo = int(wish) if wish.isascii() and wish.isdigit() and len(wish) < 9 else -1
    same = or_(col(Case.id) == wish, col(Case.number) == wish, col(Case.demo_number) == demo)
    with Session(engine) as db:
        token = db.exec(select(Case.record_token).where(same)).first()
    if token is None:
        raise NotFound(report.NO_CASE)
    return token


def read_file(file: Path, key: str | None, words: Translator) -> tuple[bytes, str | None]:
    """Read a bundle or a receipt, and the key to judge it by; exits with 2 where that cannot be read.

    Of anything larger than a bundle may be, only as much is read as shows that it is too large.
    """
    try:
        with file.open("rb") as opened:
            return opened.read(LARGEST + 1), _key_text(key)
    except OSError as problem:
        usage(words.reason(report.unreadable(Path(problem.filename or file), problem.strerror or "")))


def _key_text(key: str | None) -> str | None:
    return key if key is None or "+" in key else Path(key).read_text(encoding="utf-8", errors="replace").strip()


def usage(sentence: str) -> NoReturn:
    """Say what cannot be done as asked, and exit with 2."""
    typer.echo(sentence, err=True)
    raise typer.Exit(2)
