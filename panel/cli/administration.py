"""The rest of administration from the command line: mail, the organisation, rehearsals. Recorded like the pages."""

from typing import Annotated, Any

import typer
from pydantic import ValidationError

from panel.accounts import actions, queries
from panel.accounts.forms import LetterheadForm
from panel.cli import rehearse
from panel.cli.acts import reading, written
from panel.cli.record import Data, Locale, usage
from panel.core import clock, log
from panel.core import mail as outbox
from panel.core.errors import Invalid, Reason
from panel.core.i18n import DEFAULT_LOCALE, translator

mail = typer.Typer(no_args_is_help=True)
rehearsal = typer.Typer(no_args_is_help=True)


@mail.command("list")
def listed(data: Data = None, locale: Locale = DEFAULT_LOCALE) -> None:
    """List the latest mails, the newest first: written, to whom, subject, state, what the server said."""
    with reading(data, locale) as (db, words):
        for each in outbox.queue(db):
            state = words(outbox.STATES[each.state.value])
            typer.echo("\t".join((clock.rfc3339(each.created_at), each.to, each.subject, state, each.problem)))


@mail.command("again")
def again(data: Data = None, locale: Locale = DEFAULT_LOCALE) -> None:
    """Let the mails that wait be tried at once: the server was mended. The process that serves sends them."""
    _, words, _ = written(data, locale, outbox.try_again)
    log.security("mail_tried_again")
    typer.echo(words.reason(Reason("Every mail that waits is tried at once.")))


@mail.command("strike")
def strike(data: Data = None, locale: Locale = DEFAULT_LOCALE) -> None:
    """Strike the mails that were given up from the list, once somebody has seen to them."""
    _, words, struck = written(data, locale, outbox.strike)
    log.security("mail_struck", mails=struck)
    typer.echo(words.reason(Reason("Mails that were struck: %(n)s.", n=struck)))


def describe(
    organisation: Annotated[str | None, typer.Option(help="Name of the organisation.")] = None,
    sponsor: Annotated[str | None, typer.Option(help="Who runs the site.")] = None,
    icp: Annotated[str | None, typer.Option(help="ICP filing number.")] = None,
    police_icp: Annotated[str | None, typer.Option(help="Public security filing number.")] = None,
    contact: Annotated[str | None, typer.Option(help="Whom to ask for help.")] = None,
    language: Annotated[str | None, typer.Option(help="Language for strangers: zh_CN or en.")] = None,
    data: Data = None,
    locale: Locale = DEFAULT_LOCALE,
) -> None:
    """Say what header and footer show; what is not named stays as it is, an empty text takes it away."""
    wish = {"organisation": organisation, "sponsor": sponsor, "icp": icp, "police_icp": police_icp,
            "contact": contact, "locale": language}  # fmt: skip
    said = {name: text for name, text in wish.items() if text is not None}
    words = translator(locale)

    def act(work: Any, actor: None) -> None:
        row = queries.installation(work.db)
        now = {name: getattr(row, name) for name in wish if row is not None and getattr(row, name)}
        actions.describe(work, None, **_checked({**now, **said}))

    if not said:
        usage(words.reason(Reason("Name at least one thing to change.")))
    written(data, locale, act)
    log.security("installation_described")
    typer.echo(words.reason(Reason("Header and footer show it from now on.")))


def _checked(said: dict[str, str]) -> dict[str, Any]:
    """Hold a wish to the shape of the page's form; raises Invalid."""
    try:
        return LetterheadForm.model_validate(said).model_dump()
    except ValidationError as error:
        raise Invalid({}) from error


@rehearsal.command("wipe")
def wipe(data: Data = None, locale: Locale = DEFAULT_LOCALE) -> None:
    """Delete a rehearsal: its fictional case, its people, and what they did and said."""
    _, words, erased = written(data, locale, rehearse.wipe)
    log.security("rehearsal_wiped", entries=erased)
    typer.echo(words.reason(Reason("The rehearsal is wiped; entries that lost their text: %(n)s.", n=erased)))


@rehearsal.callback()
@mail.callback()
def groups() -> None:
    """Keep a group of commands a group, however few they are."""
