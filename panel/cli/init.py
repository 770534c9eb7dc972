"""A new installation: its folder, its keys, its settings file with a line on every setting, its empty database."""

import json
import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError

from panel.app import stream_of
from panel.cli.postgres import why_not_empty
from panel.cli.record import Locale, usage
from panel.core.config import NOT_IN_FILE, Misconfigured, Settings, load
from panel.core.db import unread, writing_engine
from panel.core.errors import Reason
from panel.core.files import write_whole
from panel.core.i18n import DEFAULT_LOCALE, Translator, translator
from panel.core.schema import migrate
from panel.record import checkpoint
from panel.rulebook import actions as rulebook
from panel.verify import report
from panel.work import Writer

CHOSEN: dict[str, str | int] = {"second_factor": "officers", "proof_minutes": 5}
"""Settings that a new installation states, where the default is another one."""

RULES = ("six_considerations", "rules_of_procedure")
"""The packs that every new installation has in its rulebook; a catalogue is loaded with the first case under it."""


def init(
    data: Annotated[Path, typer.Option(help="The new installation's data directory.")] = Path("data"),
    database: Annotated[str, typer.Option(help="URL of an empty PostgreSQL database; without it, SQLite.")] = "",
    locale: Locale = DEFAULT_LOCALE,
) -> None:
    """Make a new installation: folder, keys, settings file, empty database. Refuses one that is there."""
    words = translator(locale)
    if any((data / name).exists() for name in ("panel.sqlite", "settings.toml", "keys")):
        usage(words.reason(Reason("There is an installation in %(folder)s already.", folder=data)))
    if database and (reason := why_not_empty(database)) is not None:
        usage(words.reason(reason))
    try:
        key = _made(data, database, words)
    except OSError as problem:
        usage(words.reason(report.unreadable(Path(problem.filename or data), problem.strerror or "")))
    except DBAPIError as problem:
        usage(words.reason(unread(problem)))
    for line in told(data, key):
        typer.echo(words.reason(line))


def _made(data: Path, database: str, words: Translator) -> str:
    """Make the installation and return its public key; leaves nothing where that fails halfway."""
    there = data.exists()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        (data / "keys").mkdir(mode=0o700)
        write_whole(data / "keys" / "secret", secrets.token_urlsafe(48).encode(), mode=0o600)
        stated = settings_file(words, {"database": database} if database else {})
        write_whole(data / "settings.toml", stated.encode(), mode=0o600)
        settings = settings_or_stop(data, words)
        key = checkpoint.make_key(settings.record_key, checkpoint.new_origin())
        _fill(settings)
    except BaseException:
        for made in (data / "keys", *data.glob("settings.toml"), *data.glob("panel.sqlite*")):
            shutil.rmtree(made) if made.is_dir() else made.unlink(missing_ok=True)
        if not there:
            data.rmdir()
        raise
    return str(key.verifier)


def _fill(settings: Settings) -> None:
    """Build the database and put the rules into it that come with the product."""
    engine = writing_engine(settings.database_url)
    migrate(engine)
    writer = Writer(engine, stream_of=stream_of, committed=lambda indexes: None)
    for name in RULES:
        writer.call(rulebook.load, None, name=name)
    writer.close()
    engine.dispose()


def told(data: Path, key: str) -> Sequence[Reason]:
    """Return what a new installation tells: its key, what to keep apart, what comes next."""
    return (
        Reason("The record's public key; publish it in print as well:"),
        Reason("%(line)s", line=key),
        Reason("Settings, with a line on each: %(file)s", file=data / "settings.toml"),
        Reason("Keys: %(folder)s. They are in no backup; keep a copy elsewhere.", folder=data / "keys"),
        Reason("Next: panel serve --data %(folder)s", folder=data),
    )


def settings_file(words: Translator, stated: Mapping[str, Any] | None = None) -> str:
    """Return the settings file of a new installation: every setting with what it is, commented out at its default.

    `stated`: what this installation states besides.
    """
    all_stated = {**CHOSEN, **(stated or {})}
    first = Reason("Settings of this installation. PANEL_NAME in the environment goes before NAME here.")
    lines = [f"# {words.reason(first)}"]
    for name, field in Settings.model_fields.items():
        if name not in NOT_IN_FILE and field.description:
            chosen = all_stated.get(name)
            line = f"#{name} = {_written(field.get_default())}" if chosen is None else f"{name} = {_written(chosen)}"
            lines += ["", f"# {words(field.description)}", line]
    return "\n".join(lines) + "\n"


def _written(value: Any) -> str:
    """Return a default as TOML writes it."""
    if isinstance(value, SecretStr | Path) or value is None:
        value = "" if value is None else str(value)
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def settings_or_stop(data: Path | None, words: Translator, **given: Any) -> Settings:
    """Return the settings, or name every one that is wrong and stop with exit code 2."""
    try:
        return load(data, **given)
    except Misconfigured as wrong:
        problems = [": ".join(filter(None, (name, words.reason(problem)))) for name, problem in wrong.problems]
        usage("\n".join([words.reason(wrong.reason), *problems]))
