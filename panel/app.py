"""Composition root: settings -> engines -> routes -> sockets. The only file that imports everything."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
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

from panel.accounts import actions as accounts_actions
from panel.accounts import queries as accounts_queries
from panel.accounts import rules as accounts_rules
from panel.accounts import views as accounts_views
from panel.accounts.views import administration as accounts_administration
from panel.accounts.views.desk import Desk, desk
from panel.accounts.views.factors import factor_needed
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
from panel.core import clock, hooks, log, mail, metrics, pages, ready, security
from panel.core import db as database
from panel.core.assets import folder, schema_version
from panel.core.config import Settings
from panel.core.errors import FactorNeeded, Forbidden, NotFound, Refused, SignInNeeded
from panel.core.headers import MIB, Front, http_error
from panel.core.security import Actor
from panel.core.templates import environment
from panel.decisions import actions as decisions_actions
from panel.decisions import live as decisions_live
from panel.decisions import rules as decisions_rules
from panel.decisions import views as decisions_views
from panel.dissents import live as dissents_live
from panel.dissents import rules as dissents_rules
from panel.dissents import views as dissents_views
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
from panel.live.lane import Lane
from panel.opinions import live as opinions_live
from panel.opinions import rules as opinions_rules
from panel.opinions import views as opinions_views
from panel.publication import rules as publication_rules
from panel.publication import views as publication_views
from panel.record import checkpoint
from panel.record import queries as record_queries
from panel.record import rules as record_rules
from panel.record import views as record_views
from panel.record.events import Event
from panel.record.models import SYSTEM_STREAM, Checkpoint, RecordEntry
from panel.record.sinks import Sinks
from panel.rulebook import events as rulebook_events  # noqa: F401 - every kind of event is known from here on
from panel.rulebook import rules as rulebook_rules
from panel.rulebook import views as rulebook_views
from panel.verify import audit as auditing
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

UPLOADS = ((r"/cases/[0-9a-f]{32}/exhibits", 21 * MIB),)
"""Addresses that take larger bodies than a form: 20 MiB of file (security requirement 34) and its fields."""

THREADS = 8
"""Threads that read, draw and hash at once: more only wait for one another, and each costs a connection's memory."""

MAIL_SECONDS = 5.0
"""How often the outbox is looked into."""

FOLLOW_SECONDS = 1.0
"""How often this process looks for what other processes have done."""

SEEN_SECONDS = 60.0
"""How often the database learns when sessions were last used."""


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
    security.WITHOUT_FACTOR |= accounts_rules.WITHOUT_FACTOR
    security.STANDINGS[:] = [cases_queries.standings, committees_queries.standings]
    hooks.ON_RECUSAL[:] = [votes_actions.annul_for_recusal, hearings_actions.stand_aside]
    hooks.HEARING[:], hooks.PHASE_OF[:] = [hearings_queries.hearing], [hearings_queries.phase]
    hooks.HEARINGS_OF_CASE[:], hooks.LIVE_HEARING[:] = [hearings_queries.of_case], [hearings_queries.under_way]
    hooks.ON_ENDED[:] = [_find]
    hooks.STREAM_TITLE[:] = [cases_queries.title_of_stream]
    hooks.DISSENTS_OPEN[:] = [hearings_queries.dissents_open]
    hooks.PROBLEMS[:] = [accounts_administration.problems, committees_queries.problems]
    hooks.SHOWING[:] = [hearings_queries.showing]
    hooks.SHOWN_IN_OPEN_SESSION[:] = [hearings_queries.shown_in_open_session]
    hooks.CASE_FILE[:] = [committees_live.declaration_leaf, opinions_live.opinion_leaf, committees_live.committee_leaf]
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
    writing = database.writing_engine(settings.database_url).execution_options(ballot_keys=settings.ballot_keys)
    writer = Writer(writing, stream_of=stream_of, committed=committed)
    signed_in = accounts_queries.SignedIn(timedelta(minutes=settings.idle_minutes), settings.second_factor)
    reading = database.reading_engine(settings.database_url)
    return pages.Site(
        settings=settings,
        reading=reading,
        writer=writer,
        templates=environment(lambda name, **params: name),
        sign_in=signed_in.actor_of,
        known=signed_in.known,
        letterhead=letterhead(settings, reading),
        areas={"accounts": Desk(signed_in)},
    )


@dataclass
class RecordChecked:
    """Whether the whole record was found as it was written; read once, when serving begins."""

    holds: bool = False

    def check(self, reading: Engine) -> None:
        """Rebuild the tree from the first entry; raises Broken where an entry, a body or the head was changed."""
        with Session(reading) as db:
            auditing.check_record(db, record_queries.head(db).size, {})
        self.holds = True


async def check_whole_record(site: pages.Site, checked: RecordChecked) -> None:
    """Check the record beside serving; what does not hold is logged, and `/readyz` says so."""
    try:
        await asyncio.to_thread(checked.check, site.reading)
    except Exception as problem:
        log.failure("record_does_not_hold", problem)


def readiness(site: pages.Site, checked: RecordChecked) -> ready.Readiness:
    """Return what serving needs, by its code."""
    return ready.Readiness(
        {
            "database": lambda: bool(site.writer.submit(ready.probe).result(ready.PATIENCE)),
            "schema": lambda: database.version_of(site.reading) == schema_version(),
            "record": lambda: checked.holds,
            "disk": lambda: ready.has_room(Path(site.settings.data)),
        }
    )


async def refused(request: Request, error: Exception) -> Response:
    """Answer a refusal in words."""
    assert isinstance(error, Refused)
    if isinstance(error, FactorNeeded):
        return factor_needed(request, error)
    if isinstance(error, SignInNeeded):
        return sign_in_needed(request, error)
    if isinstance(error, Forbidden | NotFound):
        log.refused(request, error)
    return pages.refusal(request, error)


async def keep_seen(site: pages.Site) -> None:
    """Write now and then when sessions were last used."""
    signed_in = desk(site).signed_in
    while True:
        await asyncio.sleep(SEEN_SECONDS)
        keeping = partial(accounts_actions.keep_seen, actor=None, seen=signed_in.seen(), idle=signed_in.idle)
        try:
            await asyncio.wrap_future(site.writer.submit(keeping))
        except Exception as error:
            log.failure("sessions_not_kept", error)


class Following:
    """Hears of what other processes do: a command, a second server. What this process does, it hears of at once."""

    def __init__(self, site: pages.Site, committed: Callable[[Sequence[int]], None]) -> None:
        self._site, self._committed = site, committed
        self._at = self._size()

    def _size(self) -> int:
        with Session(self._site.reading) as db:
            return record_queries.head(db).size

    def look(self) -> None:
        """Let new entries wake whom they concern, and end what belongs to sign-ins that are no longer there. Blocks."""
        with Session(self._site.reading) as db:
            size = record_queries.head(db).size
            if size > self._at:
                kinds = db.exec(select(RecordEntry.kind).where(RecordEntry.index >= self._at)).all()
                for kind in set(kinds):
                    accounts_queries.recorded(kind, None, size - 1)
                self._at = size
                self._committed([size - 1])
            gone = desk(self._site).signed_in.vanished(db)
        for reference in gone:
            hooks.end_session_sockets(reference)


async def keep_followed(following: Following) -> None:
    """Follow other processes, once a second: a recusal or an ended sign-in takes effect here within it."""
    while True:
        try:
            await asyncio.to_thread(following.look)
        except Exception as error:
            log.failure("record_not_followed", error)
        await asyncio.sleep(FOLLOW_SECONDS)


async def keep_mail(site: pages.Site) -> None:
    """Send what waits in the outbox; a server that hangs holds up a thread of its own and nothing else."""
    while True:
        await asyncio.sleep(MAIL_SECONDS)
        try:
            await _send_mail(site)
        except Exception as error:
            log.failure("mail_not_sent", error)


async def _send_mail(site: pages.Site) -> None:
    if not mail.configured(site.settings):
        return
    with Session(site.reading, expire_on_commit=False) as db:
        waiting = mail.due(db, clock.now())
    if waiting:
        said = await asyncio.to_thread(mail.send, site.settings, waiting)
        await asyncio.wrap_future(site.writer.submit(partial(mail.settle, actor=None, said=said)))


async def keep_limits(site: pages.Site) -> None:
    """Settle minutes whose limit has passed, soon after it has, and forget links that have expired."""
    while True:
        try:
            await asyncio.wrap_future(site.writer.submit(hearings_actions.settle_overdue))
            await asyncio.wrap_future(site.writer.submit(partial(accounts_actions.sweep_links, actor=None)))
        except Exception as error:
            log.failure("minutes_not_settled", error)
        await asyncio.sleep(SEEN_SECONDS)


def _publish(engine: Engine, settings: Settings) -> Checkpoint:
    """Sign the head, keep the checkpoint, and bring it to whoever keeps checkpoints of ours."""
    made = checkpoint.publish(engine, checkpoint.key_at(settings.record_key), clock.now())
    sinks = Sinks(
        settings.checkpoint_folder, settings.checkpoint_hooks, settings.witnesses, settings.timestamp_authority
    )
    sinks.publish(engine, made, lambda sink, problem: log.failure(f"checkpoint_not_taken_by {sink}", problem))
    return made


async def keep_published(site: pages.Site, settings: Settings) -> None:
    """Sign and publish the record's head on a fixed timer, so that a checkpoint's time betrays nothing.

    The key is read anew each time: it may have been rotated meanwhile.
    """
    engine = database.writing_engine(settings.database_url)
    try:
        while True:
            try:
                site.areas["published"] = await asyncio.to_thread(_publish, engine, settings)
            except Exception:
                logging.getLogger(__name__).exception("no checkpoint was published; the timer tries again")
            await asyncio.sleep(settings.checkpoint_seconds)
    finally:
        engine.dispose()


def create_app(settings: Settings) -> Starlette:
    """Build the application for these settings; one writer per SQLite file."""
    register()

    def committed(indexes: Sequence[int]) -> None:
        site.lately.committed()
        live_changes.of(site).committed(indexes)

    site = create_site(settings, committed=committed)

    live = live_server.LiveServer(site, hearing_of=hooks.hearing, generation=accounts_queries.generation)
    hooks.END_SOCKETS[:], hooks.END_SESSION_SOCKETS[:] = [live.end_person], [live.end_session]
    hooks.PRESENCE[:], hooks.LOST[:] = [live.presence], [live.lost]
    changes = live_changes.Changes(site, live.emit_revision, stream_of, live.readers)
    crowd = live_views.Crowd(site)
    checked = RecordChecked()
    site.areas["ready"] = readiness(site, checked)
    site.areas |= {"live": live, "changes": changes, "crowd": crowd}

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        live.bind()
        changes.bind()
        crowd.bind()
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        await asyncio.wrap_future(site.writer.submit(votes_actions.sweep))
        checking = check_whole_record(site, checked)
        followed = keep_followed(Following(site, committed))
        keeping = (
            keep_seen(site),
            keep_limits(site),
            keep_mail(site),
            keep_published(site, settings),
            followed,
            checking,
            log.keep_swept(settings.log_folder, settings.log_days),
        )
        timers = [asyncio.create_task(each) for each in keeping]
        yield
        for timer in timers:
            timer.cancel()
        site.writer.close()  # type: ignore[attr-defined]  # the writer itself, not the edge's view of it

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
    site.templates = environment(cache(lambda name, **params: str(app.url_path_for(name, **params))))
    app.state.site = site
    return app
