"""The committee's roster from the command line. Every act is recorded like one of the pages."""

from pathlib import Path
from typing import Annotated, Any

import typer

from panel.accounts.models import LinkPurpose, Person
from panel.accounts.views.links import address
from panel.cli.acts import Login, linked, person, reading, written
from panel.cli.record import Data, Locale, usage
from panel.committees import actions, queries, roster
from panel.committees.rules import LINE_PROBLEMS, UNREADABLE
from panel.core import log
from panel.core.errors import NotFound, Reason
from panel.core.i18n import DEFAULT_LOCALE, Translator, translator
from panel.core.words import CATEGORIES

committee = typer.Typer(no_args_is_help=True)


@committee.command("list")
def listed(data: Data = None, locale: Locale = DEFAULT_LOCALE) -> None:
    """List who is on the roster: name to sign in with, name, category of the seat, unit."""
    with reading(data, locale) as (db, words):
        for member, someone in queries.roster(db):
            category = words(CATEGORIES[member.category.value])
            typer.echo("\t".join((someone.login, someone.name, category, member.unit)))


@committee.command("remove")
def remove(login: Login, data: Data = None, locale: Locale = DEFAULT_LOCALE) -> None:
    """Take somebody off the roster; the seats that they hold stay, and so does the account."""

    def act(work: Any, actor: None) -> None:
        someone = person(work.db, login)
        there = next((member for member, each in queries.roster(work.db) if each.id == someone.id), None)
        if there is None:
            raise NotFound(Reason("%(login)s is not on the roster.", login=login))
        actions.remove_from_roster(work, None, member_id=there.id)

    _, words, _ = written(data, locale, act)
    log.security("roster_member_removed", login=login)
    typer.echo(words.reason(Reason("%(login)s is off the roster.", login=login)))


@committee.command("import")
def import_roster(
    file: Annotated[Path, typer.Argument(help="The list: name, category, unit, mail, login; tabs or commas.")],
    data: Data = None,
    locale: Locale = DEFAULT_LOCALE,
) -> None:
    """Take a list of members whole, or tell every line that has to be mended; prints a link for each new account.

    UTF-8, UTF-16 and GB 18030 are read, as spreadsheets save them; workbooks are not.
    """
    lines = _read(file, translator(locale))

    def act(work: Any, actor: None) -> list[tuple[Person, str]]:
        words = translator(locale)
        for line, code in queries.checked(work.db, lines):
            if code:
                typer.echo(f"{line.number}: {words(LINE_PROBLEMS[code])}", err=True)
        new = actions.import_roster(work, None, lines=lines)
        return [(someone, linked(work, someone, LinkPurpose.INVITATION)[1]) for someone in new]

    site, words, new = written(data, locale, act)
    log.security("roster_imported", lines=len(lines), accounts=len(new))
    for someone, reference in new:
        typer.echo(f"{someone.login}\t{someone.name}\t{address(site, LinkPurpose.INVITATION, reference)}")
    typer.echo(
        words.reason(Reason("On the roster from this list: %(n)s. New accounts: %(new)s.", n=len(lines), new=len(new)))
    )


def _read(file: Path, words: Translator) -> list[roster.Line]:
    try:
        return roster.read(roster.decoded(file.read_bytes()), queries.roster_words())
    except OSError as problem:
        usage(words.reason(Reason("%(file)s cannot be read: %(why)s", file=file, why=problem.strerror)))
    except roster.Unreadable as problem:
        usage(words.reason(UNREADABLE[problem.code]))
