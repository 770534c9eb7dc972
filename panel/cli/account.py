"""Administration from the command line: accounts, offices, the roster. Every act is recorded like one of the pages."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlmodel import Session

from panel.accounts import actions, queries
from panel.accounts.models import LinkPurpose, Person
from panel.accounts.views.links import address
from panel.app import create_site, register
from panel.cli.init import settings_or_stop
from panel.cli.record import Data, Locale, installed, usage
from panel.committees import actions as committees
from panel.committees import queries as rosters
from panel.committees import roster
from panel.committees.rules import LINE_PROBLEMS
from panel.core import log
from panel.core.errors import NotFound, Reason, Refused
from panel.core.i18n import DEFAULT_LOCALE, Translator, translator
from panel.core.ids import new_reference
from panel.core.pages import Site
from panel.core.security import Office

Login = Annotated[str, typer.Argument(help="The name to sign in with.")]

account = typer.Typer(no_args_is_help=True)
committee = typer.Typer(no_args_is_help=True)


@committee.callback()
def committees_of() -> None:
    """Keep the roster from which committees are formed."""


def _written(data: Path | None, locale: str, action: Callable[..., Any], **what: Any) -> tuple[Site, Translator, Any]:
    """Do this in one unit of work of the installation; a refusal is told, with exit code 2."""
    installed(data, locale)
    words = translator(locale)
    register()
    site = create_site(settings_or_stop(data, words), committed=lambda indexes: None)
    log.configure(folder=site.settings.log_folder)
    try:
        done = site.writer.submit(partial(action, actor=None, **what)).result()
    except Refused as refused:
        usage(words.reason(refused.reason))
    finally:
        site.writer.close()  # type: ignore[attr-defined]  # the writer itself, not the edge's view of it
    return site, words, done


def _person(work: Any, login: str) -> Person:
    person = queries.person_by_login(work.db, login)
    if person is None:
        raise NotFound(Reason("Nobody signs in with the name %(login)s.", login=login))
    return person


def _linked(work: Any, person: Person, purpose: LinkPurpose) -> tuple[LinkPurpose, str]:
    reference = new_reference()
    actions.make_link(work, None, person_id=person.id, reference=reference, purpose=purpose)
    return purpose, reference


@account.command("add")
def add(
    login: Login,
    name: Annotated[str, typer.Option(help="The person's name.")],
    mail: Annotated[str, typer.Option(help="Where mail for them goes.")] = "",
    data: Data = None,
    locale: Locale = DEFAULT_LOCALE,
) -> None:
    """Make an account and print the link with which its person chooses a password, once, within 24 hours."""

    def act(work: Any, actor: None) -> tuple[LinkPurpose, str]:
        person = actions.invite_person(work, None, name=name, login=login, mail=mail)
        return _linked(work, person, LinkPurpose.INVITATION)

    site, _, (purpose, reference) = _written(data, locale, act)
    log.security("person_added", login=login)
    typer.echo(address(site, purpose, reference))


@account.command("reset")
def reset(login: Login, data: Data = None, locale: Locale = DEFAULT_LOCALE) -> None:
    """Print a link with which somebody chooses a new password, once, within half an hour."""

    def act(work: Any, actor: None) -> tuple[LinkPurpose, str]:
        return _linked(work, _person(work, login), LinkPurpose.RESET)

    site, _, (purpose, reference) = _written(data, locale, act)
    log.security("link_made", login=login, purpose="reset")
    typer.echo(address(site, purpose, reference))


@account.command("close")
def close(login: Login, data: Data = None, locale: Locale = DEFAULT_LOCALE) -> None:
    """Close an account."""
    _, words, _ = _written(
        data, locale, lambda work, actor: actions.disable(work, None, person_id=_person(work, login).id)
    )
    log.security("person_disabled", login=login)
    typer.echo(words.reason(Reason("The account of %(login)s is closed.", login=login)))


@account.command("open")
def reopen(login: Login, data: Data = None, locale: Locale = DEFAULT_LOCALE) -> None:
    """Open an account again."""
    _, words, _ = _written(
        data, locale, lambda work, actor: actions.enable(work, None, person_id=_person(work, login).id)
    )
    log.security("person_enabled", login=login)
    typer.echo(words.reason(Reason("The account of %(login)s is open again.", login=login)))


@account.command("give")
def give(
    login: Login,
    office: Annotated[Office, typer.Argument(help="The office.")],
    data: Data = None,
    locale: Locale = DEFAULT_LOCALE,
) -> None:
    """Give somebody an office."""

    def act(work: Any, actor: None) -> None:
        actions.give_office(work, None, person_id=_person(work, login).id, office=office)

    _, words, _ = _written(data, locale, act)
    log.security("office_given", login=login, office=office.value)
    title = queries.office_rules().texts[office].title
    typer.echo(words.reason(Reason("%(login)s now holds the office: %(office)s.", login=login, office=title)))


@account.command("list")
def listed(data: Data = None, locale: Locale = DEFAULT_LOCALE) -> None:
    """List everybody who has an account: name to sign in with, name, offices, state."""
    settings, words = installed(data, locale)
    site = create_site(settings, committed=lambda indexes: None)
    rules = queries.office_rules()
    with Session(site.reading) as db:
        for person in queries.people(db):
            offices = " ".join(
                rules.texts[office].title[locale] for office in sorted(queries.offices_of(db, person.id))
            )
            closed = words.reason(Reason("Account closed")) if person.disabled_at else ""
            typer.echo("\t".join((person.login, person.name, offices, closed)))
    site.writer.close()  # type: ignore[attr-defined]  # the writer itself, not the edge's view of it


@committee.command("import")
def import_roster(
    file: Annotated[Path, typer.Argument(help="The list: name, category, unit, mail, login; tabs or commas.")],
    data: Data = None,
    locale: Locale = DEFAULT_LOCALE,
) -> None:
    """Take a list of members whole, or tell every line that has to be mended; prints a link for each new account."""
    words = translator(locale)
    try:
        lines = roster.read(file.read_text(encoding="utf-8-sig"), rosters.roster_words())
    except (OSError, UnicodeDecodeError) as problem:
        usage(words.reason(Reason("%(file)s cannot be read: %(why)s", file=file, why=problem)))

    def act(work: Any, actor: None) -> list[tuple[Person, str]]:
        problems = [(line, code) for line, code in rosters.checked(work.db, lines) if code]
        for line, code in problems:
            typer.echo(f"{line.number}: {words(LINE_PROBLEMS[code])}", err=True)
        new = committees.import_roster(work, None, lines=lines)
        return [(person, _linked(work, person, LinkPurpose.INVITATION)[1]) for person in new]

    site, words, new = _written(data, locale, act)
    log.security("roster_imported", lines=len(lines), accounts=len(new))
    for person, reference in new:
        typer.echo(f"{person.login}\t{person.name}\t{address(site, LinkPurpose.INVITATION, reference)}")
    typer.echo(
        words.reason(Reason("On the roster from this list: %(n)s. New accounts: %(new)s.", n=len(lines), new=len(new)))
    )
