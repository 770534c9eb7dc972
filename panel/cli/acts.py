"""Acts from the command line: each in one unit of work of the installation, recorded like one of the pages."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlmodel import Session

from panel.accounts import actions, queries
from panel.accounts.models import LinkPurpose, Person
from panel.app import create_site, register
from panel.cli.init import settings_or_stop
from panel.cli.record import installed, usage
from panel.core import log
from panel.core.errors import NotFound, Reason, Refused
from panel.core.i18n import Translator, translator
from panel.core.ids import new_reference
from panel.core.pages import Site

Login = Annotated[str, typer.Argument(help="The name to sign in with.")]


def written(data: Path | None, locale: str, action: Callable[..., Any], **what: Any) -> tuple[Site, Translator, Any]:
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


@contextmanager
def reading(data: Path | None, locale: str) -> Iterator[tuple[Session, Translator]]:
    """Read an installation; a refusal is told, with exit code 2."""
    settings, words = installed(data, locale)
    register()
    site = create_site(settings, committed=lambda indexes: None)
    try:
        with Session(site.reading) as db:
            yield db, words
    except Refused as refused:
        usage(words.reason(refused.reason))
    finally:
        site.writer.close()  # type: ignore[attr-defined]  # as above


def person(db: Session, login: str) -> Person:
    """Return who signs in with this name; raises NotFound."""
    found = queries.person_by_login(db, login)
    if found is None:
        raise NotFound(Reason("Nobody signs in with the name %(login)s.", login=login))
    return found


def linked(work: Any, someone: Person, purpose: LinkPurpose) -> tuple[LinkPurpose, str]:
    """Make a link with which somebody chooses a password; returns what its address is made of."""
    reference = new_reference()
    actions.make_link(work, None, person_id=someone.id, reference=reference, purpose=purpose)
    return purpose, reference
