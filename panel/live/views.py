"""The parts of a live page for its reader, and the address that says what changed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import anyio
from markupsafe import Markup
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from panel.core import clock, security
from panel.core.db import snapshot
from panel.core.errors import NotFound
from panel.core.pages import Reading, Site, locale_of
from panel.core.security import AUDIENCE_OF, Actor, Role
from panel.live import changes
from panel.live.changes import Followed, marked, wrapped
from panel.live.parts import own_parts_for

AT_ONCE = 16
"""So many readers' own parts are drawn in one snapshot; then they are answered."""

GIVES_WAY = 1.0
"""Seconds at most for which a drawing of own parts gives way to acts that wait."""

HTML = (b"content-type", b"text/html; charset=utf-8")


def page_parts(reading: Reading, hearing: Any) -> tuple[dict[str, Markup], int]:
    """Return every part of the reader's page, own ones as `own-<name>`, and the revision that they are at least at."""
    role = reading.me.role_in(hearing.case_id)
    assert role is not None
    following = changes.of(reading.site)
    followed = following.follow(hearing.id)
    assert followed is not None
    drawn = following.draw(followed, AUDIENCE_OF[role], reading.locale)
    mine = own_parts(reading.request, reading.site, hearing.id, reading.me, role)
    texts = {**drawn.texts, **{f"own-{name}": text for name, text in mine.items()}}
    # Drawn by our templates, where every text is escaped.
    return {name: Markup(text) for name, text in texts.items()}, drawn.seen.revision  # noqa: S704


def own_parts(request: Request, site: Site, hearing_id: str, actor: Actor, role: Role) -> dict[str, str]:
    """Draw the reader's own parts; one that this reader does not have now is an empty, hidden element.

    Reads in a session of its own, begun after the shared parts were drawn: never older than the revision told.
    """
    with snapshot(site.reading) as db:
        return _own_parts(Reading(request, actor, db), hearing_id, role)


def _own_parts(reading: Reading, hearing_id: str, role: Role) -> dict[str, str]:
    drawn = {}
    for part in own_parts_for(role):
        context = part.load(reading.db, hearing_id, reading.me, reading.now)
        if context is None:
            drawn[part.name] = f'<section data-part id="own-{part.name}" hidden></section>'
        else:
            drawn[part.name] = marked(reading.draw(part.template, **context))
    return drawn


@dataclass(frozen=True)
class _Asking:
    """One reader who waits for the own parts of a hearing."""

    request: Request
    hearing_id: str
    actor: Actor
    role: Role
    drawn: "asyncio.Future[dict[str, str]]"


class Crowd:
    """Draws the own parts of many readers: whoever asks while others are drawn is drawn next, in one snapshot.

    What they ask alike is asked once for all of them, and drawing gives way to acts: a ballot is not to wait for
    three hundred pictures. The snapshot begins after the last of them has asked: never older than the revision told.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._waiting: list[_Asking] = []
        self._drawing: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def bind(self) -> None:
        """Remember the event loop on which readers are gathered; called when serving begins."""
        self._loop = asyncio.get_running_loop()

    async def own_parts(self, request: Request, hearing_id: str, actor: Actor, role: Role) -> dict[str, str]:
        """Return the reader's own parts."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            return await anyio.to_thread.run_sync(own_parts, request, self._site, hearing_id, actor, role)
        drawn: asyncio.Future[dict[str, str]] = loop.create_future()
        self._waiting.append(_Asking(request, hearing_id, actor, role, drawn))
        if self._drawing is None or self._drawing.done():
            self._drawing = asyncio.ensure_future(self._draw_all())
        return await drawn

    async def _draw_all(self) -> None:
        while self._waiting:
            next_ones, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            try:
                outcomes = await anyio.to_thread.run_sync(self._draw, next_ones)
            except Exception as failure:
                outcomes = [failure] * len(next_ones)
            for asking, outcome in zip(next_ones, outcomes, strict=True):
                if asking.drawn.done():
                    continue
                if isinstance(outcome, Exception):
                    asking.drawn.set_exception(outcome)
                else:
                    asking.drawn.set_result(outcome)

    def _draw(self, asking: Sequence[_Asking]) -> list[dict[str, str] | Exception]:
        until, outcomes = clock.monotonic() + GIVES_WAY, list[dict[str, str] | Exception]()
        self._site.writer.calm(GIVES_WAY)
        with snapshot(self._site.reading) as db:
            for one in asking:
                self._site.writer.calm(max(0.0, until - clock.monotonic()))
                try:
                    outcomes.append(_own_parts(Reading(one.request, one.actor, db), one.hearing_id, one.role))
                except Exception as failure:
                    outcomes.append(failure)
        return outcomes


def head(site: Site, revision: int, body: bytes) -> list[tuple[bytes, bytes]]:
    """Return what an answer's headers say about it, and why nothing is written, where that is so."""
    told = [(b"panel-revision", b"%d" % revision)]
    if (trouble := site.mode.trouble) is not None:
        told.append((b"panel-trouble", trouble.encode()))
    return [*told, HTML, (b"content-length", b"%d" % len(body))] if body else told


class WhatChanged:
    """GET /hearings/{id}/changes?since=R: 204 for nothing, else every newer part and the reader's own ones.

    The hot path of a live hearing, and therefore bare ASGI: for readers without parts of their own, with everything
    drawn, it neither leaves the event loop nor asks the database. Who asks is looked up at every request.
    """

    permission = "hearings.read"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope)
        site: Site = scope["app"].state.site
        actor, followed = await self._admit(request, site, scope["path_params"]["id"])
        role = actor.role_in(followed.case_id)
        assert role is not None
        status, revision, body = await self._answer(request, site, actor, role, followed)
        await send({"type": "http.response.start", "status": status, "headers": head(site, revision, body)})
        await send({"type": "http.response.body", "body": body})

    async def _admit(self, request: Request, site: Site, hearing_id: str) -> tuple[Actor, Followed]:
        cookie = request.cookies.get(site.settings.cookie, "")
        actor = site.known(cookie) or await anyio.to_thread.run_sync(_signed_in, site, cookie)
        request.state.actor = actor
        security.admit(actor, self.permission)
        following = changes.of(site)
        followed = following.followed(hearing_id) or await anyio.to_thread.run_sync(following.follow, hearing_id)
        if followed is None:
            raise NotFound
        security.authorize(actor, self.permission, followed)
        assert actor is not None
        return actor, followed

    async def _answer(
        self, request: Request, site: Site, actor: Actor, role: Role, followed: Followed
    ) -> tuple[int, int, bytes]:
        """Return status, revision and body; the lane in front has caught up with other processes."""
        locale, query = locale_of(request, actor), request.scope["query_string"]
        if (known := at_once(followed, role, locale, query)) is not None:
            return known
        drawn, (since, _) = await changes.of(site).fresh(followed, AUDIENCE_OF[role], locale), asked(query)
        if not own_parts_for(role):
            return 200, drawn.seen.revision, drawn.body(since)
        mine = await site.areas["crowd"].own_parts(request, followed.id, actor, role)
        return 200, drawn.seen.revision, wrapped([*drawn.since(since).values(), *mine.values()])


def at_once(followed: Followed, role: Role, locale: str, query: bytes) -> tuple[int, int, bytes] | None:
    """Return the answer (status, revision, body) if nothing has to be read or drawn for it."""
    (since, own), seen = asked(query), followed.seen[AUDIENCE_OF[role]]
    mine = bool(own_parts_for(role))
    if since == seen.revision and not (mine and own):
        return 204, seen.revision, b""
    drawn = None if mine else followed.ready(AUDIENCE_OF[role], locale)
    return None if drawn is None else (200, drawn.seen.revision, drawn.body(since))


def _signed_in(site: Site, cookie: str) -> Actor | None:
    with snapshot(site.reading) as db:
        return site.sign_in(db, cookie)


def asked(query: bytes) -> tuple[int, bool]:
    """Return the revision that the reader holds, and whether own parts are wanted in any case.

    A revision that is none is taken as holding nothing. Read by hand: 300 readers ask this at once.
    """
    sent = dict(pair.partition(b"=")[::2] for pair in query.split(b"&"))
    since = sent.get(b"since", b"")
    return int(since) if since.isdigit() and len(since) < 10 else -1, b"own" in sent


routes = [Route("/hearings/{id}/changes", WhatChanged(), methods=["GET"], name="hearings.changes")]
