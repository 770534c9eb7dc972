"""Accounts and offices from the command line. Every act is recorded like one of the pages."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from panel.accounts import actions, queries
from panel.accounts.models import LinkPurpose
from panel.accounts.views.links import address
from panel.cli.acts import Login, linked, person, reading, written
from panel.cli.record import Data, Locale
from panel.core import clock, log
from panel.core.errors import Label, NotFound, Reason
from panel.core.i18n import DEFAULT_LOCALE
from panel.core.security import Office

OfficeName = Annotated[Office, typer.Argument(help="The office.")]

account = typer.Typer(no_args_is_help=True)


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
        someone = actions.invite_person(work, None, name=name, login=login, mail=mail)
        return linked(work, someone, LinkPurpose.INVITATION)

    site, _, (purpose, reference) = written(data, locale, act)
    log.security("person_added", login=login)
    typer.echo(address(site, purpose, reference))


@account.command("invite")
def invite(login: Login, data: Data = None, locale: Locale = DEFAULT_LOCALE) -> None:
    """Print a new invitation, for whom the first has expired; an earlier link is void."""
    _link(login, LinkPurpose.INVITATION, data, locale)


@account.command("reset")
def reset(login: Login, data: Data = None, locale: Locale = DEFAULT_LOCALE) -> None:
    """Print a link with which somebody chooses a new password, once, within half an hour."""
    _link(login, LinkPurpose.RESET, data, locale)


def _link(login: str, purpose: LinkPurpose, data: Data, locale: str) -> None:
    def act(work: Any, actor: None) -> tuple[LinkPurpose, str]:
        return linked(work, person(work.db, login), purpose)

    site, _, (_, reference) = written(data, locale, act)
    log.security("link_made", login=login, purpose=purpose.value)
    typer.echo(address(site, purpose, reference))


@account.command("close")
def close(login: Login, data: Data = None, locale: Locale = DEFAULT_LOCALE) -> None:
    """Close an account."""
    _, words, _ = written(
        data, locale, lambda work, actor: actions.disable(work, None, person_id=person(work.db, login).id)
    )
    log.security("person_disabled", login=login)
    typer.echo(words.reason(Reason("The account of %(login)s is closed.", login=login)))


@account.command("open")
def reopen(login: Login, data: Data = None, locale: Locale = DEFAULT_LOCALE) -> None:
    """Open an account again."""
    _, words, _ = written(
        data, locale, lambda work, actor: actions.enable(work, None, person_id=person(work.db, login).id)
    )
    log.security("person_enabled", login=login)
    typer.echo(words.reason(Reason("The account of %(login)s is open again.", login=login)))


@account.command("give")
def give(login: Login, office: OfficeName, data: Data = None, locale: Locale = DEFAULT_LOCALE) -> None:
    """Give somebody an office."""

    def act(work: Any, actor: None) -> None:
        actions.give_office(work, None, person_id=person(work.db, login).id, office=office)

    _, words, _ = written(data, locale, act)
    log.security("office_given", login=login, office=office.value)
    title = queries.office_rules().texts[office].title
    typer.echo(words.reason(Reason("%(login)s now holds the office: %(office)s.", login=login, office=title)))


@account.command("take")
def take(login: Login, office: OfficeName, data: Data = None, locale: Locale = DEFAULT_LOCALE) -> None:
    """End an office that somebody holds; their sign-ins end with it."""
    title = queries.office_rules().texts[office].title

    def act(work: Any, actor: None) -> None:
        held = queries.appointments(work.db, person(work.db, login).id)
        given = next((each for each in held if each.office is office and each.ended_at is None), None)
        if given is None:
            raise NotFound(Reason("%(login)s does not hold the office: %(office)s.", login=login, office=title))
        actions.end_office(work, None, appointment_id=given.id)

    _, words, _ = written(data, locale, act)
    log.security("office_ended", login=login, office=office.value)
    typer.echo(words.reason(Reason("%(login)s no longer holds the office: %(office)s.", login=login, office=title)))


@account.command("offices")
def offices(data: Data = None, locale: Locale = DEFAULT_LOCALE) -> None:
    """List who holds which office: since when, given by whom; what was held before has an end."""
    rules = queries.office_rules()
    with reading(data, locale) as (db, words):
        everybody = {each.id: each for each in queries.everybody(db)}
        for each in queries.appointments(db):
            by = everybody[each.given_by].login if each.given_by else words.reason(BY_COMMAND)
            until = clock.rfc3339(each.ended_at) if each.ended_at else ""
            holder = everybody[each.person_id]
            title = rules.texts[each.office].title[words.locale]
            _row((title, holder.login, holder.name, clock.rfc3339(each.created_at), by, until))


BY_COMMAND = Reason("given at the set-up or by the command line")


@account.command("sessions")
def sessions(
    login: Login,
    end: Annotated[bool, typer.Option("--end", help="End them all.")] = False,
    data: Data = None,
    locale: Locale = DEFAULT_LOCALE,
) -> None:
    """List somebody's sign-ins: device, since when, last used. With --end, end them."""
    if end:
        _, words, ended = written(
            data, locale, lambda work, actor: actions.end_sessions_of(work, None, person_id=person(work.db, login).id)
        )
        log.security("sessions_ended", login=login, sessions=ended)
        typer.echo(words.reason(Reason("Sign-ins of %(login)s that were ended: %(n)s.", login=login, n=ended)))
        return
    with reading(data, locale) as (db, words):
        for each in queries.sessions(db, person(db, login).id):
            device = each.device or words.reason(Reason("Unknown device"))
            _row((device, clock.rfc3339(each.created_at), clock.rfc3339(each.seen_at)))


@account.command("factor")
def factor(
    login: Login,
    remove: Annotated[bool, typer.Option("--remove", help="Take it away: it is lost.")] = False,
    data: Data = None,
    locale: Locale = DEFAULT_LOCALE,
) -> None:
    """Say whether somebody has a second factor. With --remove, take it away; their sign-ins end with it."""
    if not remove:
        with reading(data, locale) as (db, words):
            there = queries.has_factor(db, person(db, login).id)
            typer.echo(words(Label("Second factor: set up.") if there else Label("Second factor: not set up.")))
        return

    def act(work: Any, actor: None) -> None:
        someone = person(work.db, login)
        if not queries.has_factor(work.db, someone.id):
            raise NotFound(Reason("%(login)s has no second factor.", login=login))
        actions.take_factors_away(work, None, person_id=someone.id)

    _, words, _ = written(data, locale, act)
    log.security("factor_removed", login=login)
    typer.echo(words.reason(Reason("The second factor of %(login)s is taken away.", login=login)))


@account.command("list")
def listed(data: Data = None, locale: Locale = DEFAULT_LOCALE) -> None:
    """List everybody who has an account: name to sign in with, name, offices, state."""
    rules = queries.office_rules()
    with reading(data, locale) as (db, words):
        for someone in queries.people(db):
            held = sorted(queries.offices_of(db, someone.id))
            titles = " ".join(rules.texts[office].title[words.locale] for office in held)
            _row((someone.login, someone.name, titles, words("Account closed") if someone.disabled_at else ""))


def _row(cells: Iterable[str]) -> None:
    typer.echo("\t".join(cells))
