"""Composition root: settings -> engines -> routes -> sockets. The only file that imports everything."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import anyio
from sqlalchemy import Engine
from sqlmodel import Session, select
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from panel import timers
from panel.accounts import queries as accounts_queries
from panel.accounts import rules as accounts_rules
from panel.accounts import views as accounts_views
from panel.accounts.views import administration as accounts_administration
from panel.accounts.views import health as accounts_health
from panel.accounts.views.desk import Desk
from panel.accounts.views.factors import factor_needed
from panel.accounts.views.proof import proof_needed, prove
from panel.accounts.views.sign_in import sign_in_needed
from panel.cases import live as cases_live
from panel.cases import queries as cases_queries
from panel.cases import rules as cases_rules
from panel.cases import views as cases_views
from panel.cases.models import Case
from panel.committees import live as committees_live
from panel.committees import queries as committees_queries
from panel.committees import rules as committees_rules
from panel.committees import views as committees_views
from panel.core import db as database
from panel.core import hooks, log, mail, metrics, pages, ready, security
from panel.core.assets import folder
from panel.core.config import Settings
from panel.core.duty import Duty
from panel.core.errors import FactorNeeded, Forbidden, NotFound, ProofNeeded, Refused, SignInNeeded
from panel.core.headers import MIB, Front, http_error
from panel.core.mode import Mode
from panel.core.security import Actor
from panel.core.templates import environment
from panel.decisions import actions as decisions_actions
from panel.decisions import live as decisions_live
from panel.decisions import rules as decisions_rules
from panel.decisions import views as decisions_views
from panel.dissents import live as dissents_live
from panel.dissents import rules as dissents_rules
from panel.dissents import views as dissents_views
from panel.draws import rules as draws_rules
from panel.draws import views as draws_views
from panel.hearings import actions as hearings_actions
from panel.hearings import events as hearings_events
from panel.hearings import live as hearings_live
from panel.hearings import queries as hearings_queries
from panel.hearings import rules as hearings_rules
from panel.hearings import views as hearings_views
from panel.live import changes as live_changes
from panel.live import parts as live_parts
from panel.live import server as live_server
from panel.live import views as live_views
from panel.live.bell import Bell
from panel.live.lane import Lane
from panel.opinions import live as opinions_live
from panel.opinions import rules as opinions_rules
from panel.opinions import views as opinions_views
from panel.publication import rules as publication_rules
from panel.publication import views as publication_views
from panel.record import checkpoint
from panel.record import rules as record_rules
from panel.record import views as record_views
from panel.record.events import Event
from panel.record.models import SYSTEM_STREAM
from panel.rulebook import events as rulebook_events  # noqa: F401 - every kind of event is known from here on
from panel.rulebook import rules as rulebook_rules
from panel.rulebook import views as rulebook_views
from panel.verify import views as verify_views
from panel.votes import actions as votes_actions
from panel.votes import live as votes_live
from panel.votes import rules as votes_rules
from panel.votes import views as votes_views
from panel.work import Work, Writer

AREAS: tuple[Any, ...] = (
    accounts_rules,
    cases_rules,
    committees_rules,
    decisions_rules,
    dissents_rules,
    draws_rules,
    hearings_rules,
    live_server,
    opinions_rules,
    ready,
    publication_rules,
    record_rules,
    rulebook_rules,
    votes_rules,
)
"""Every module that has PERMISSIONS: each area's rules, and the sockets."""

LIVE: tuple[Any, ...] = (
    committees_live,
    opinions_live,
    votes_live,
    dissents_live,
    hearings_live,
    decisions_live,
)
"""Every area's parts of the live page, in the order of drawing."""

UPLOADS = ((r"/cases/[0-9a-f]{32}/exhibits", 21 * MIB), (r"/administration/roster/import", 17 * MIB))
"""Addresses that take larger bodies than a form: 20 MiB of file (security requirement 34) and its fields."""

THREADS = 8
"""Threads that read, draw and hash at once: more only wait for one another, and each costs a connection's memory."""


def routes() -> list[BaseRoute]:
    """Return every route."""
    return [
        *live_views.routes,
        *ready.routes,
        *votes_views.routes,
        Mount("/static", StaticFiles(directory=folder("static")), name="static"),
        *accounts_views.routes,
        *cases_views.routes,
        *committees_views.routes,
        *decisions_views.routes,
        *dissents_views.routes,
        *draws_views.routes,
        *hearings_views.routes,
        *record_views.routes,
        *opinions_views.routes,
        *publication_views.routes,
        *rulebook_views.routes,
        *verify_views.routes,
    ]


@database.remembered
def stream_of(db: Session, case_id: str | None) -> str:
    """Return the record's stream of a case: its token, never its id."""
    if case_id is None:
        return SYSTEM_STREAM
    return db.exec(select(Case.record_token).where(Case.id == case_id)).one()


def _find(work: Work, actor: Actor, hearing_id: str) -> None:
    decisions_actions.make_finding(work, actor, hearing_id=hearing_id)


def register() -> None:
    """Fill the registries that lower areas ask: permissions, standings, parts, hooks. Twice is as good as once."""
    for rules in AREAS:
        security.PERMISSIONS.update(rules.PERMISSIONS)
        security.GRAVE.update(getattr(rules, "GRAVE", {}))
        security.ALWAYS_PROVED.update(getattr(rules, "ALWAYS_PROVED", ()))
    security.WITHOUT_FACTOR |= accounts_rules.WITHOUT_FACTOR
    security.STANDINGS[:] = [cases_queries.standings, committees_queries.standings]
    hooks.ON_RECUSAL[:] = [votes_actions.annul_for_recusal, hearings_actions.stand_aside]
    hooks.HEARING[:], hooks.PHASE_OF[:] = [hearings_queries.hearing], [hearings_queries.phase]
    hooks.HEARINGS_OF_CASE[:], hooks.LIVE_HEARING[:] = [hearings_queries.of_case], [hearings_queries.under_way]
    hooks.ON_ENDED[:] = [_find]
    hooks.STREAM_TITLE[:] = [cases_queries.title_of_stream]
    hooks.DISSENTS_OPEN[:] = [hearings_queries.dissents_open]
    hooks.PROBLEMS[:] = [accounts_administration.problems, accounts_health.problems, committees_queries.problems]
    hooks.SHOWING[:] = [hearings_queries.showing]
    hooks.SHOWN_IN_OPEN_SESSION[:] = [hearings_queries.shown_in_open_session]
    hooks.CASE_FILE[:] = [
        publication_views.gist_leaf, committees_live.declaration_leaf, opinions_live.opinion_leaf,
        publication_views.summary_leaf, committees_live.committee_leaf, draws_views.panel_leaf,
        verify_views.hand_out_leaf,
    ]  # fmt: skip
    hooks.DESK[:] = [draws_views.waiting_leaf]
    shown: frozenset[type[Event]] = frozenset(
        {hearings_events.ExhibitShown, hearings_events.ExhibitPutAway, hearings_events.StageBegun}
    )
    live_parts.register([cases_live.exhibit_part(shown)], cases_live.OWN_PARTS)
    for live in LIVE:
        live_parts.register(live.PARTS, live.OWN_PARTS)
    live_parts.touch_also("attendance", hearings_live.DOORS)
    hooks.ON_RECORDED[:] = [accounts_queries.recorded, log.recorded]


def letterhead(settings: Settings, reading: Engine) -> Callable[[], Mapping[str, str]]:
    """Return what tells header and footer of the installation: administration's words, else the settings'."""
    names = ("sponsor", "icp", "police_icp", "contact")
    stated = {"organisation": settings.organisation, "sitemap": "", "locale": ""}
    kept = accounts_queries.Letterhead({**stated, **{name: getattr(settings, name) for name in names}})

    def shown() -> Mapping[str, str]:
        if kept.fresh():
            return kept.texts
        with Session(reading) as db:
            return kept.read(db)

    return shown


def create_site(settings: Settings, committed: Callable[[Sequence[int]], None]) -> pages.Site:
    """Open the database and start the writer."""
    Path(settings.data).mkdir(parents=True, exist_ok=True)
    carried = {"ballot_keys": settings.ballot_keys, **mail.option(settings)}
    writing = database.writing_engine(settings.database_url).execution_options(**carried)
    mode = Mode()
    writer = Writer(writing, stream_of=stream_of, committed=committed, mode=mode)
    proof = timedelta(minutes=settings.proof_minutes) or None
    signed_in = accounts_queries.SignedIn(timedelta(minutes=settings.idle_minutes), settings.second_factor, proof)
    reading = database.reading_engine(settings.database_url)
    return pages.Site(
        settings=settings,
        reading=reading,
        writer=writer,
        templates=environment(lambda name, **params: name),
        sign_in=signed_in.actor_of,
        known=signed_in.known,
        letterhead=letterhead(settings, reading),
        prove=prove,
        mode=mode,
        areas={"accounts": Desk(signed_in)},
    )


def bell_of(settings: Settings, following: timers.Following, live: live_server.LiveServer) -> Bell | None:
    """Return this process's end of the bell; None where it is the only one."""
    url = settings.redis.get_secret_value()
    if not url:
        return None
    channel = f"heyi:{checkpoint.key_at(settings.record_key).name}"
    return Bell(url, channel, look=following.look, connected=live.connected_people, changed=live.presence_changed)


async def refused(request: Request, error: Exception) -> Response:
    """Answer a refusal in words."""
    assert isinstance(error, Refused)
    if isinstance(error, FactorNeeded):
        return factor_needed(request, error)
    if isinstance(error, ProofNeeded):
        return proof_needed(request, error)
    if isinstance(error, SignInNeeded):
        return sign_in_needed(request, error)
    if isinstance(error, Forbidden | NotFound):
        log.refused(request, error)
    return pages.refusal(request, error)


def _application(
    settings: Settings, live: live_server.LiveServer, lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]]
) -> Starlette:
    """Put routes, sockets and what stands in front of them together."""
    app = Starlette(
        routes=[*routes(), Mount("/socket.io", live.asgi(), name="socket")],
        lifespan=lifespan,
        middleware=[
            Middleware(metrics.Watch),
            Middleware(Lane, settings=settings),
            Middleware(Front, settings=settings, uploads=UPLOADS),
        ],
        exception_handlers={Refused: refused, HTTPException: http_error},
    )
    app.router.redirect_slashes = False
    return app


def create_app(settings: Settings) -> Starlette:
    """Build the application for these settings; one writer per SQLite file."""
    register()

    def told(indexes: Sequence[int]) -> None:
        site.lately.committed()
        live_changes.of(site).committed(indexes)

    def committed(indexes: Sequence[int]) -> None:
        following.own(indexes)
        told(indexes)
        if indexes:
            ring()

    def ring(_reference: str = "") -> None:
        if bell is not None:
            bell.ring()

    site = create_site(settings, committed=committed)
    live = live_server.LiveServer(site, hearing_of=hooks.hearing, generation=accounts_queries.generation)
    changes = live_changes.Changes(site, live.emit_revision, stream_of, live.readers)
    following = timers.Following(site, told, live.recheck)
    if settings.database:
        changes.behind = following.notice
    bell = bell_of(settings, following, live)
    site.mode.changed = live.mode_changed
    hooks.END_SOCKETS[:], hooks.END_SESSION_SOCKETS[:] = [live.end_person], [live.end_session, ring]
    hooks.PRESENCE[:], hooks.LOST[:] = [*([bell.presence] if bell else []), live.presence], [live.lost]
    crowd, checked, duty = live_views.Crowd(site), timers.RecordChecked(), Duty(site.reading)
    site.areas["ready"] = timers.readiness(site, checked, bell)
    site.areas |= {"live": live, "changes": changes, "crowd": crowd}

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        live.bind()
        changes.bind()
        crowd.bind()
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        await asyncio.wrap_future(site.writer.submit(votes_actions.sweep))
        keeping = timers.timers(site, settings, following=following, bell=bell, checked=checked, duty=duty)
        running = [asyncio.create_task(each) for each in keeping]
        yield
        for timer in running:
            timer.cancel()
        site.writer.close()  # type: ignore[attr-defined]  # the writer itself, not the edge's view of it
        duty.release()

    app = _application(settings, live, lifespan)
    site.templates = environment(cache(lambda name, **params: str(app.url_path_for(name, **params))))
    app.state.site = site
    return app
