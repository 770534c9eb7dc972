"""Backups of an installation: one file, made while hearings run; and an installation made from one.

A backup holds the database (of PostgreSQL: a dump by its own program), the exhibits, and a manifest with the digest of
each; never a key. What is restored is checked first, whole: the digests, the database's own integrity, the record from
its first entry, every tally.
"""

import io
import os
import secrets
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from sqlalchemy import delete, make_url, update
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from panel import VERSION
from panel.accounts import actions as accounts
from panel.accounts.models import SecondFactor, SignInLink, SignInSession
from panel.app import register
from panel.cli import postgres, stamps
from panel.cli.init import settings_file
from panel.cli.keep import writing
from panel.cli.record import Data, Locale, installed, usage
from panel.core import clock, log
from panel.core.assets import schema_version
from panel.core.config import Settings
from panel.core.db import reading_engine, sqlite_url, unread, version_of, writing_engine
from panel.core.errors import Reason, Refused, require
from panel.core.files import sync_folder, write_whole
from panel.core.i18n import DEFAULT_LOCALE, Translator, translator
from panel.core.mail import MailState, OutgoingMail
from panel.core.schema import migrate
from panel.record import actions, checkpoint, queries
from panel.record.models import Checkpoint
from panel.verify import audit as auditing
from panel.verify import report
from panel.votes.models import Motion, MotionState, Secrecy
from panel.work import Work

FORMAT = "heyi-backup/v1"
DATABASE, DUMP, MANIFEST, EXHIBITS = "panel.sqlite", "panel.dump", "manifest.json", "exhibits/"
PAGES = 512
"""Pages copied at a time; in between whoever writes goes on."""

CHUNK = 1024 * 1024
LARGEST_MANIFEST = 64 * 1024 * 1024


class Damaged(Refused):
    """A backup is not what it says."""


class Filled(Damaged):
    """A backup is not what it says, which was found when it stood in a database of PostgreSQL already."""


class Kept(BaseModel):
    """One file of a backup."""

    model_config = ConfigDict(extra="forbid")

    size: int
    sha256: str


class Manifest(BaseModel):
    """What a backup says of itself. `made_at` in UTC; `origin`, `size` and `root`: the last published checkpoint."""

    model_config = ConfigDict(extra="forbid")

    format: str
    made_at: datetime
    version: str
    schema_version: str
    origin: str
    size: int
    root: str
    files: dict[str, Kept]


def backup(
    to: Annotated[Path, typer.Argument(help="The file to write, or a folder that gets one named by its time.")],
    keep: Annotated[int, typer.Option(help="In a folder: keep so many of the newest; 0 keeps all.", min=0)] = 0,
    data: Data = None,
    locale: Locale = DEFAULT_LOCALE,
) -> None:
    """Back an installation up while it is being served. Keys are never in a backup."""
    settings, words = installed(data, locale)
    target = to / f"heyi-{clock.now():%Y%m%dT%H%M%SZ}.tar" if to.is_dir() else to
    try:
        manifest = make(settings, target)
    except Refused as refused:
        usage(words.reason(refused.reason))
    except OSError as problem:
        usage(words.reason(report.unreadable(Path(problem.filename or to), problem.strerror or "")))
    except (sqlite3.Error, DBAPIError) as problem:
        usage(words.reason(report.unreadable(target, str(getattr(problem, "orig", problem)))))
    if to.is_dir() and keep:
        for old in sorted(to.glob("heyi-*.tar"))[:-keep]:
            old.unlink()
    log.configure(folder=settings.log_folder)
    log.security("backup_made", entries=manifest.size, files=len(manifest.files))
    files, size = len(manifest.files), target.stat().st_size
    typer.echo(words.reason(Reason("%(file)s: %(n)s files, %(size)s bytes.", file=target, n=files, size=size)))
    if waiting := _open_in_secret(settings):
        typer.echo(
            words.reason(Reason("Secret motions that are open: %(n)s. A restored one has to be put again.", n=waiting))
        )


def make(settings: Settings, target: Path, *, by: str = "panel backup") -> Manifest:
    """Write a backup whole, beside its place first; durable when this returns. `by`: the command that makes it."""
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    copy = beside.with_suffix(".sqlite")
    try:
        beside.touch(mode=0o600, exist_ok=False)
        name, newest, schema = _taken(settings, copy)
        files = {name: copy} | {f"{EXHIBITS}{path.name}": path for path in sorted(_exhibits(settings))}
        manifest = _manifest(newest, schema, files)
        with tarfile.open(beside, "w") as archive:
            _add(archive, MANIFEST, manifest.model_dump_json(indent=1).encode())
            for name, path in files.items():
                archive.add(path, arcname=name, recursive=False)
        with beside.open("rb+") as written:
            os.fsync(written.fileno())
        beside.chmod(0o600)
        beside.replace(target)
        sync_folder(target.parent)
        stamps.note(settings.data, stamps.BACKUP, by=by, size=target.stat().st_size)
    finally:
        for leftover in (beside, copy):
            leftover.unlink(missing_ok=True)
    return manifest


def _taken(settings: Settings, copy: Path) -> tuple[str, Checkpoint | None, str]:
    """Copy the database; returns the copy's name in the backup, its newest checkpoint and its schema."""
    if on_postgresql(settings.database_url):
        return DUMP, *postgres.dump(settings, copy)
    _copy(Path(make_url(settings.database_url).database or ""), copy)
    engine = reading_engine(sqlite_url(copy))
    with Session(engine) as db:
        newest = queries.newest_checkpoint(db)
    schema = version_of(engine)
    engine.dispose()
    return DATABASE, newest, schema


def on_postgresql(database: str) -> bool:
    """Say whether a database is one of PostgreSQL."""
    return make_url(database).get_backend_name() == "postgresql"


def _copy(source: Path, target: Path) -> None:
    """Copy a database online: a snapshot of one moment, whatever is written meanwhile. Raises Refused."""
    try:
        _copy_pages(source, target)
    except sqlite3.Error as problem:
        raise Refused(Reason("The database cannot be read: %(why)s", why=problem)) from None


def _copy_pages(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source, timeout=30)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy, pages=PAGES, sleep=0.005)
        copy.execute("PRAGMA journal_mode=DELETE")


def _exhibits(settings: Settings) -> Iterator[Path]:
    return (path for path in settings.exhibits.glob("*") if path.is_file() and not path.name.startswith("."))


def _manifest(newest: Checkpoint | None, schema: str, files: Mapping[str, Path]) -> Manifest:
    told = (newest.origin, newest.size, newest.root.hex()) if newest else ("", 0, "")
    kept = {name: Kept(size=path.stat().st_size, sha256=_digest(path)) for name, path in files.items()}
    return Manifest(
        format=FORMAT, made_at=clock.now(), version=VERSION, schema_version=schema, origin=told[0], size=told[1],
        root=told[2], files=kept,
    )  # fmt: skip


def _digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    archive.addfile(member, io.BytesIO(content))


def _open_in_secret(settings: Settings) -> int:
    engine = reading_engine(settings.database_url)
    with Session(engine) as db:
        still = select(Motion).where(Motion.state == MotionState.OPEN, Motion.secrecy == Secrecy.SEALED)
        found = len(db.exec(still).all())
    engine.dispose()
    return found


def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    data: Annotated[Path, typer.Option(help="The data directory to make; it must not be there, or be empty.")],
    database: Annotated[str, typer.Option(help="Of a backup of PostgreSQL: the URL of an empty database.")] = "",
    rehearsal_of: Annotated[
        Path | None, typer.Option(help="The data directory whose restoring is rehearsed: it is noted there.")
    ] = None,
    locale: Locale = DEFAULT_LOCALE,
) -> None:
    """Make an installation from a backup: check it whole, begin a new log origin, print what was found."""
    words = translator(locale)
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        usage(words.reason(Reason("%(folder)s is not empty. Restore into an empty place.", folder=data)))
    beside = data.with_name(f".{data.name}.{secrets.token_hex(4)}")
    try:
        require(postgres.why_not_url(database) if database else None)
        with _unpacked(file, beside) as manifest:
            for line in _restored(beside, manifest, database, words):
                typer.echo(words.reason(line))
            if data.exists():
                data.rmdir()
            beside.replace(data)
            sync_folder(data.parent)
        if rehearsal_of is not None:
            stamps.note(rehearsal_of, stamps.REHEARSAL, by="panel restore")
    except Refused as refused:
        typer.echo(words.reason(Reason("Nothing was restored: %(why)s", why=refused.reason)), err=True)
        if isinstance(refused, Filled):
            typer.echo(words.reason(Reason("Drop the database and make an empty one before you try again.")), err=True)
        raise typer.Exit(1) from None
    except OSError as problem:
        usage(words.reason(report.unreadable(Path(problem.filename or data), problem.strerror or "")))
    except DBAPIError as problem:
        usage(words.reason(unread(problem)))
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    log.configure()
    log.security("backup_restored", made_at=clock.rfc3339(manifest.made_at), entries=manifest.size)
    typer.echo(words.reason(Reason("Next: panel serve --data %(folder)s", folder=data)))


@contextmanager
def _unpacked(file: Path, beside: Path) -> Iterator[Manifest]:
    """Unpack a backup; every file in it is named in its manifest and has the digest that stands there."""
    beside.mkdir(mode=0o700, parents=True)
    try:
        with tarfile.open(file, "r:") as archive:
            manifest = _read_manifest(archive)
            _unpack(archive, manifest, beside)
    except (tarfile.TarError, EOFError, ValidationError, UnicodeDecodeError):
        raise Damaged(Reason("this is no backup, or it is damaged.")) from None
    yield manifest


def _read_manifest(archive: tarfile.TarFile) -> Manifest:
    first = archive.next()
    content = archive.extractfile(first) if first is not None and first.isreg() and first.name == MANIFEST else None
    if first is None or content is None or first.size > LARGEST_MANIFEST:
        raise Damaged(Reason("this is no backup, or it is damaged."))
    manifest = Manifest.model_validate_json(content.read())
    if manifest.format != FORMAT:
        raise Damaged(Reason("this version does not know its format."))
    if manifest.schema_version > schema_version():
        raise Damaged(Reason("a newer version has made it: %(version)s.", version=manifest.version))
    return manifest


def _unpack(archive: tarfile.TarFile, manifest: Manifest, beside: Path) -> None:
    missing = dict(manifest.files)
    for member in archive.getmembers()[1:]:
        kept = missing.pop(member.name, None)
        if kept is None or not member.isreg() or not _is_ours(member.name) or member.size != kept.size:
            raise Damaged(Reason("%(name)s is not what the manifest says.", name=member.name))
        target, content = beside / member.name, archive.extractfile(member)
        assert content is not None, "a regular member has content"
        target.parent.mkdir(mode=0o700, exist_ok=True)
        with target.open("xb") as file:
            shutil.copyfileobj(content, file, CHUNK)
        target.chmod(0o600)
        if _digest(target) != kept.sha256:
            raise Damaged(Reason("%(name)s is not what the manifest says.", name=member.name))
    if missing or not manifest.files.keys() & {DATABASE, DUMP}:
        raise Damaged(Reason("%(name)s is missing.", name=next(iter(missing), DATABASE)))


def _is_ours(name: str) -> bool:
    """Say whether a member is the database or an exhibit: nothing is unpacked that could lead elsewhere."""
    exhibit = name.removeprefix(EXHIBITS)
    return name in {DATABASE, DUMP} or (
        name != exhibit and len(exhibit) == 32 and exhibit.isalnum() and exhibit.isascii()
    )


def _restored(beside: Path, manifest: Manifest, database: str, words: Translator) -> Iterator[Reason]:
    """Check what was unpacked and begin its new origin; yields what was found."""
    settings = Settings(data=beside, database=database, secret=SecretStr(secrets.token_urlsafe(48)))
    _read_in(settings, manifest)
    try:
        yield from _held(settings, manifest)
    except Damaged as damaged:
        raise Filled(damaged.reason) if database else damaged from None
    write_whole_keys(settings)
    stated = settings_file(words, {"database": database} if database else {})
    write_whole(beside / "settings.toml", stated.encode(), mode=0o600)
    yield from _begun(settings, manifest)


def _read_in(settings: Settings, manifest: Manifest) -> None:
    """Bring the database to where it will be: SQLite's file is there already, a dump is read into an empty database."""
    if DUMP not in manifest.files:
        if settings.database:
            raise Refused(Reason("This is a backup of SQLite: leave --database out."))
        _check_integrity(settings.data / DATABASE)
        return
    if not settings.database:
        raise Refused(Reason("This is a backup of PostgreSQL: name an empty database with --database."))
    postgres.load(settings, settings.data / DUMP)
    (settings.data / DUMP).unlink()


def _check_integrity(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, suppress(sqlite3.DatabaseError):
        if connection.execute("PRAGMA integrity_check").fetchone() == ("ok",):
            return
    raise Damaged(Reason("the database is damaged."))


def _held(settings: Settings, manifest: Manifest) -> Iterator[Reason]:
    """Bring the database up to this version and audit it whole; yields what was found."""
    engine = writing_engine(settings.database_url)
    migrate(engine)
    engine.dispose()
    yield Reason("Made at %(at)s by version %(version)s.", at=clock.rfc3339(manifest.made_at), version=manifest.version)
    yield _audited(settings)


def _audited(settings: Settings) -> Reason:
    engine = reading_engine(settings.database_url)
    with Session(engine) as db:
        found = list(auditing.audit(db))
        size = queries.head(db).size
    engine.dispose()
    if (broken := next((one.problem for one in found if one.problem is not None), None)) is not None:
        raise Damaged(broken)
    return Reason("The record holds: %(n)s entries; every open tally was counted again.", n=size)


def write_whole_keys(settings: Settings) -> None:
    """Make the keys of a restored installation anew: those of the former are in no backup."""
    settings.keys.mkdir(mode=0o700)
    write_whole(settings.keys / "secret", settings.secret.get_secret_value().encode(), mode=0o600)
    checkpoint.make_key(settings.record_key, checkpoint.new_origin())


def _begun(settings: Settings, manifest: Manifest) -> Iterator[Reason]:
    """Begin the new log origin: the first event under it names the last checkpoint of the former (design 1.2)."""
    register()
    key = checkpoint.read_key(settings.record_key)
    former: dict[str, Any] = {"origin": manifest.origin, "size": manifest.size, "root": manifest.root}
    with writing(settings.database_url) as (engine, writer):
        writer.call(actions.begin_again, None, key=str(key.verifier), made_at=clock.rfc3339(manifest.made_at), **former)
        writer.call(_let_go, None)
        checkpoint.publish(engine, key, clock.now())
    waiting = _open_in_secret(settings)
    yield Reason("A new log origin has begun: %(key)s", key=str(key.verifier))
    if waiting:
        yield Reason("Secret motions that were open: %(n)s. Annul them and put them again.", n=waiting)
    yield Reason(
        "Everybody signs in anew and sets up their authenticator again: its key is in no backup. Passkeys still work."
    )


def _let_go(work: Work, actor: None) -> None:
    """End what the former installation had handed out: sign-ins, links, second factors, mail that waited."""
    for table in (SignInSession, SignInLink):
        work.db.execute(delete(table))
    for factor in work.db.exec(select(SecondFactor)).all():
        accounts.remove_factor(work, None, person_id=factor.person_id, required=False)
    waiting = update(OutgoingMail).where(col(OutgoingMail.state) == MailState.WAITING)
    work.db.execute(waiting.values(state=MailState.FAILED, text=""))
