"""Composition root: settings -> engines -> routes -> sockets. The only file that imports everything."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlmodel import Session, select
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

import panel.accounts.models
import panel.committees.models
import panel.decisions.models
import panel.dissents.models
import panel.hearings.models
import panel.opinions.models
import panel.publication.models
import panel.record.models
import panel.rulebook.models
import panel.votes.models  # noqa: F401 - every table, until its views are routed
from panel.cases.models import Case
from panel.core import db as database
from panel.core import pages, security
from panel.core.assets import folder
from panel.core.config import Settings
from panel.core.errors import NotFound, Refused
from panel.core.templates import environment
from panel.record.models import SYSTEM_STREAM
from panel.work import Writer

AREAS: tuple[Any, ...] = ()
"""Every area's rules module: each has PERMISSIONS."""


def routes() -> list[BaseRoute]:
    """Return every route."""
    return [Mount("/static", StaticFiles(directory=folder("static")), name="static")]


def stream_of(db: Session, case_id: str | None) -> str:
    """Return the record's stream of a case: its token, never its id."""
    if case_id is None:
        return SYSTEM_STREAM
    return db.exec(select(Case.record_token).where(Case.id == case_id)).one()


def register() -> None:
    """Fill the registries that lower areas ask: permissions, standings, parts, hooks. Twice is as good as once."""
    for rules in AREAS:
        security.PERMISSIONS.update(rules.PERMISSIONS)


def organisation(settings: Settings) -> dict[str, str]:
    """Return what the header and the footer show of the organisation."""
    names = ("sponsor", "icp", "police_icp", "contact")
    return {"name": settings.organisation, "sitemap": "", **{name: getattr(settings, name) for name in names}}


def create_site(settings: Settings, committed: Callable[[Sequence[int]], None]) -> pages.Site:
    """Open the database and start the writer."""
    Path(settings.data).mkdir(parents=True, exist_ok=True)
    writing = database.writing_engine(settings.database_url).execution_options(ballot_keys=settings.ballot_keys)
    writer = Writer(writing, stream_of=stream_of, committed=committed)
    return pages.Site(
        settings=settings,
        reading=database.reading_engine(settings.database_url),
        writer=writer,
        templates=environment(lambda name, **params: name),
        sign_in=lambda db, cookie: None,
        organisation=organisation(settings),
    )


async def refused(request: Request, error: Exception) -> Response:
    """Answer a refusal in words."""
    assert isinstance(error, Refused)
    return pages.refusal(request, error)


async def missing(request: Request, error: Exception) -> Response:
    """Answer an address that does not exist like a foreign one."""
    assert isinstance(error, HTTPException)
    return pages.refusal(request, NotFound()) if error.status_code == 404 else Response(status_code=error.status_code)


def create_app(settings: Settings) -> Starlette:
    """Build the application for these settings; one writer per SQLite file."""
    register()
    site = create_site(settings, committed=lambda indexes: None)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        site.writer.close()  # type: ignore[attr-defined]  # the writer itself, not the edge's view of it

    app = Starlette(
        routes=routes(),
        lifespan=lifespan,
        exception_handlers={Refused: refused, HTTPException: missing},
    )
    site.templates = environment(cache(lambda name, **params: str(app.url_path_for(name, **params))))
    app.state.site = site
    return app
