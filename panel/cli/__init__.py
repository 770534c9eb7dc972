"""The `panel` command. Each command's module is loaded when it is asked for: a server carries no demo and no bench."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from itertools import pairwise
from types import ModuleType
from typing import Any

import typer
from typer.core import TyperGroup

Add = Callable[[typer.Typer, ModuleType], object]
COMMANDS: Mapping[str, tuple[str, Add]] = {
    "demo": ("demo", lambda app, module: app.command("demo")(module.demo)),
    "serve": ("serve", lambda app, module: app.command("serve")(module.serve)),
    "verify": ("record", lambda app, module: app.command("verify")(module.verify)),
    "audit": ("record", lambda app, module: app.command("audit")(module.audit)),
    "init": ("init", lambda app, module: app.command("init")(module.init)),
    "mirror": ("keep", lambda app, module: app.command("mirror")(module.mirror)),
    "rotate-key": ("keep", lambda app, module: app.command("rotate-key")(module.rotate_key)),
    "erase": ("keep", lambda app, module: app.command("erase")(module.erase)),
    "witness": (
        "witness",
        lambda app, module: app.add_typer(module.witness, name="witness", help="Cosign another log's checkpoints."),
    ),
    "backup": ("backup", lambda app, module: app.command("backup")(module.backup)),
    "restore": ("backup", lambda app, module: app.command("restore")(module.restore)),
    "doctor": ("doctor", lambda app, module: app.command("doctor")(module.doctor)),
    "migrate": ("migrate", lambda app, module: app.command("migrate")(module.migrate)),
    "account": (
        "account",
        lambda app, module: app.add_typer(module.account, name="account", help="Accounts and offices."),
    ),
    "committee": (
        "committee",
        lambda app, module: app.add_typer(module.committee, name="committee", help="The committee's roster."),
    ),
    "mail": (
        "administration",
        lambda app, module: app.add_typer(module.mail, name="mail", help="The mails on their way."),
    ),
    "describe": ("administration", lambda app, module: app.command("describe")(module.describe)),
    "rehearsal": (
        "administration",
        lambda app, module: app.add_typer(module.rehearsal, name="rehearsal", help="Rehearsals of an installation."),
    ),
    "draw": ("draws", lambda app, module: app.add_typer(module.draw, name="draw", help="Hold a draw again.")),
    "bench": ("bench", lambda app, module: app.add_typer(module.bench, name="bench")),
    "export": (
        "record",
        lambda app, module: app.add_typer(module.export, name="export", help="Export what an audience may check."),
    ),
}
"""By command: the module that holds it, and how it is added."""


def spoken(words: Sequence[str]) -> type[TyperGroup]:
    """Return the command line's group: a database that cannot be read or written stops any command in words."""

    class Spoken(TyperGroup):
        def invoke(self, ctx: Any) -> Any:
            try:
                return super().invoke(ctx)
            except Exception as problem:
                if (told := _unread(problem, words)) is None:
                    raise
                typer.echo(told, err=True)
                raise typer.Exit(2) from None

    return Spoken


def _unread(problem: Exception, words: Sequence[str]) -> str | None:
    """Return what to say of a database's failure, in the language that the words ask for; None of anything else."""
    from sqlalchemy.exc import DBAPIError

    from panel.core.db import unread
    from panel.core.i18n import DEFAULT_LOCALE, translator

    if not isinstance(problem, DBAPIError):
        return None
    asked = [after for word, after in pairwise(words) if word == "--locale"]
    return translator((*asked, os.environ.get("PANEL_LOCALE", DEFAULT_LOCALE))[0]).reason(unread(problem))


def command_line(words: Sequence[str]) -> typer.Typer:
    """Return the command line as these words ask for it: with the command that they name, or with all of them."""
    app = typer.Typer(cls=spoken(words), no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    app.callback()(_panel)
    for name in words[:1] if words and words[0] in COMMANDS else COMMANDS:
        module, add = COMMANDS[name]
        add(app, import_module(f"panel.cli.{module}"))
    return app


def _panel() -> None:
    """合议: deliberation and panel voting."""


def main() -> None:
    """Run the command line."""
    command_line(sys.argv[1:])()
