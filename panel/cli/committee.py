"""The committee's roster from the command line. Every act is recorded like one of the pages."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from panel.accounts.models import LinkPurpose, Person
from panel.accounts.views.links import address
from panel.cli.acts import Login, linked, person, reading, written
from panel.cli.record import Data, Locale, installed, usage
from panel.committees import actions, queries, roster
from panel.committees.models import Category, RosterMember
from panel.committees.rules import MOST_INVITED, UNREADABLE, at, line_reason, place_of
from panel.committees.views.roster import roster_file
from panel.core import clock, log, sheets
from panel.core.errors import Invalid, Label, NotFound, Reason, Refused
from panel.core.i18n import DEFAULT_LOCALE, Translator, translator
from panel.core.text import many_lines
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
        actions.remove_from_roster(work, None, member_id=_member(work, login).id)

    _, words, _ = written(data, locale, act)
    log.security("roster_member_removed", login=login)
    typer.echo(words.reason(Reason("%(login)s is off the roster.", login=login)))


@committee.command("change")
def change(
    login: Login,
    category: Annotated[Category | None, typer.Option(help="Category of the seat.")] = None,
    unit: Annotated[str | None, typer.Option(help="Unit.")] = None,
    field: Annotated[str | None, typer.Option(help="Field of expertise.")] = None,
    term_from: Annotated[str | None, typer.Option(help="First day of the term, such as 2026-01-31.")] = None,
    term_until: Annotated[str | None, typer.Option(help="Last day of the term.")] = None,
    away_until: Annotated[str | None, typer.Option(help="Last day on which this person is not available.")] = None,
    why: Annotated[str | None, typer.Option(help="Why not, in a few words.")] = None,
    data: Data = None,
    locale: Locale = DEFAULT_LOCALE,
) -> None:
    """Change what the roster says of somebody. What is not named stays; an empty word takes away what was there."""
    days = {"term_from": term_from, "term_until": term_until, "away_until": away_until}
    said = {"category": category, "unit": unit, "expertise": field, "away_why": why}
    wish: dict[str, Any] = {column: value for column, value in said.items() if value is not None}
    wish |= {column: _day(typed, translator(locale)) for column, typed in days.items() if typed is not None}

    def act(work: Any, actor: None) -> None:
        member = _member(work, login)
        try:
            actions.change_roster_member(work, None, member_id=member.id, **{**place_of(member), **wish})
        except Invalid as wrong:
            ((column, why),) = wrong.fields.items()
            raise Refused(at(column, why)) from None

    _, words, _ = written(data, locale, act)
    log.security("roster_member_changed", login=login)
    typer.echo(words.reason(Reason("What the roster says of %(login)s was changed.", login=login)))


def _day(typed: str, words: Translator) -> date | None:
    found = roster.day(typed)
    if typed and found is None:
        usage(words.reason(line_reason("no_day", typed)))
    return found


def _member(work: Any, login: str) -> RosterMember:
    someone = person(work.db, login)
    there = next((member for member, each in queries.roster(work.db) if each.id == someone.id), None)
    if there is None:
        raise NotFound(Reason("%(login)s is not on the roster.", login=login))
    return there


@committee.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="Where to: a file that ends in .csv or .xlsx, and is not there yet.")],
    data: Data = None,
    locale: Locale = DEFAULT_LOCALE,
) -> None:
    """Save the roster as a file that can be changed in a spreadsheet and imported again."""
    settings, words = installed(data, locale)
    log.configure(folder=settings.log_folder)
    kind = file.suffix.lower().lstrip(".")
    if kind not in {"csv", "xlsx"}:
        usage(words(Label("The file's name ends in .csv or .xlsx.")))
    with reading(data, locale) as (db, _):
        made, people = roster_file(db, words, kind, now=clock.now(), zone=ZoneInfo(settings.zone))
    try:
        with file.open("xb") as target:
            target.write(made)
    except OSError as problem:
        usage(words.reason(Reason("%(file)s cannot be written: %(why)s", file=file, why=problem.strerror)))
    log.security("roster_exported", people=people, kind=kind)
    typer.echo(words.reason(Reason("People on the saved roster: %(n)s.", n=people)))


@committee.command("import")
def import_roster(
    file: Annotated[Path, typer.Argument(help="The list: a workbook (.xlsx), or text with tabs or commas.")],
    data: Data = None,
    locale: Locale = DEFAULT_LOCALE,
) -> None:
    """Take a list whole, or tell every line that has to be mended; prints a link for each new account, up to 500.

    Workbooks (.xlsx, the first sheet), UTF-8, UTF-16 and GB 18030 are read, as spreadsheets save them.
    """
    lines = _read(file, translator(locale))

    def act(work: Any, actor: None) -> list[tuple[Person, str]]:
        words = translator(locale)
        for each in queries.checked(work.db, lines):
            for told in each.flags if each.problem is None else (each.problem,):
                typer.echo(f"{each.line.number}: {words.reason(told)}", err=True)
        new = actions.import_roster(work, None, lines=lines)
        if len(new) > MOST_INVITED:
            return [(someone, "") for someone in new]
        return [(someone, linked(work, someone, LinkPurpose.INVITATION)[1]) for someone in new]

    site, words, new = written(data, locale, act)
    log.security("roster_imported", lines=len(lines), accounts=len(new))
    for someone, reference in new if len(new) <= MOST_INVITED else []:
        typer.echo(f"{someone.login}\t{someone.name}\t{address(site, LinkPurpose.INVITATION, reference)}")
    typer.echo(
        words.reason(Reason("On the roster from this list: %(n)s. New accounts: %(new)s.", n=len(lines), new=len(new)))
    )
    if len(new) > MOST_INVITED:
        later = Label("Nobody was invited yet: panel account invite LOGIN makes a link when somebody is needed.")
        typer.echo(words(later))


def _read(file: Path, words: Translator) -> list[roster.Line]:
    try:
        return roster.read(many_lines(sheets.text_of(file.read_bytes())), queries.roster_words())
    except OSError as problem:
        usage(words.reason(Reason("%(file)s cannot be read: %(why)s", file=file, why=problem.strerror)))
    except sheets.Unreadable as problem:
        usage(words.reason(UNREADABLE[problem.code]))
