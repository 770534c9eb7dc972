"""Draws from the command line: hold those of a bundle again, ticket by ticket."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from panel.cli.record import Locale, read_file, usage
from panel.core.errors import Reason
from panel.core.i18n import DEFAULT_LOCALE, Translator, translator
from panel.core.words import CATEGORIES
from panel.verify import check, draws, report
from panel.verify.bundle import BundleEntry

draw = typer.Typer(no_args_is_help=True)


@draw.callback()
def drawing() -> None:
    """Hold the draws of a case again."""


@draw.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="The case's bundle.")],
    key: Annotated[str | None, typer.Option(help="The log's public key, or a file that holds it.")] = None,
    locale: Locale = DEFAULT_LOCALE,
) -> None:
    """Hold every draw of a bundle again. Exit 0: the same came out; 1: it did not, or the file fails; 2: usage."""
    words = translator(locale)
    data, trusted = read_file(file, key, words)
    found = check.verify(data, trusted)
    if found.failure is not None:
        typer.echo("\n".join(report.told(found, words)))
        raise typer.Exit(1)
    if found.bundle is None or not found.draws:
        usage(words.reason(Reason("No draw of this case can be held again from this file.")))
    for entries in draws.held_in(found.bundle.entries):
        typer.echo("\n".join(_lines(*entries, words)))
    for line in found.draws:
        typer.echo(words.reason(line))


def _lines(prepared: BundleEntry, held: BundleEntry, words: Translator) -> Iterator[str]:
    """Yield a draw's seed, and each category's candidates in the order of their tickets; `*` marks who was drawn."""
    seed = str(held.event["seed"])
    yield words.reason(Reason("Seed: %(seed)s", seed=seed))
    for category, rows in draws.tickets(prepared, held).items():
        yield f"  {words.reason(Reason(CATEGORIES.get(category, category)))}"
        yield from (f"    {'*' if drawn else ' '} {ticket}  {candidate}" for ticket, candidate, drawn in rows)
