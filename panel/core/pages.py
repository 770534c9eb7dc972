"""The edge: from a request to a view and back. Every route is a `page` (reads) or an `act` (writes)."""

import asyncio
import functools
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, ParamSpec, Protocol, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import anyio
from itsdangerous import BadSignature, URLSafeTimedSerializer
from jinja2 import Environment
from sqlalchemy import Engine
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from panel.core import clock, forms, security
from panel.core.config import Settings
from panel.core.db import snapshot
from panel.core.errors import Busy, Forbidden, Gone, NotFound, Reason, Refused, SignInNeeded
from panel.core.i18n import HTML_LANG, Translator, choose, show_clock, translator
from panel.core.ids import new_id
from panel.core.lately import Lately
from panel.core.mode import SAID, Mode, NotWritten
from panel.core.security import Actor

P = ParamSpec("P")
T = TypeVar("T")
FormT = TypeVar("FormT", bound=forms.Form)

LOCALE_COOKIE = "pv_locale"
FIELD_BYTES = 1024 * 1024
CSRF_AGE = 12 * 3600
"""Seconds for which a form's token holds: as long as a session."""


class Writes(Protocol):
    """The writer, as the edge sees it."""

    def submit(self, act: Callable[[Any], T], *, probing: bool = False) -> Any:
        """Queue an act; the future is answered after the commit. Probing: whether anything can be written."""

    def calm(self, seconds: float) -> None:
        """Wait until no act waits, but not longer than so many seconds."""

    def waiting(self) -> int:
        """Return how many acts wait for their turn."""


@dataclass
class Site:
    """What the application is made of; one per process, made by app.py, kept in `app.state.site`."""

    settings: Settings
    reading: Engine
    writer: Writes
    templates: Environment
    sign_in: Callable[[Session, str], Actor | None]
    known: Callable[[str], Actor | None]
    letterhead: Callable[[], Mapping[str, str]]
    prove: "Callable[[Acting], Awaitable[None]]"
    mode: Mode
    areas: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lately = Lately(self.reading)
        self._signers: dict[str, URLSafeTimedSerializer] = {}

    @property
    def zone(self) -> ZoneInfo:
        """Return the zone in which times are shown."""
        return ZoneInfo(self.settings.zone)

    def tokens(self, purpose: str) -> URLSafeTimedSerializer:
        """Return the signer of tokens for one purpose: every purpose has its own salt; the newest secret signs."""
        if purpose not in self._signers:
            ring = [each.get_secret_value() for each in (*self.settings.former_secrets, self.settings.secret)]
            self._signers[purpose] = URLSafeTimedSerializer(ring, salt=f"panel.{purpose}")
        return self._signers[purpose]


class Edge:
    """What a view knows of its request."""

    def __init__(self, request: Request, actor: Actor | None) -> None:
        self.request = request
        self.actor = actor
        self.site: Site = request.app.state.site
        self.now: datetime = clock.now()
        self.public: bool = getattr(request.state, "public", False)
        self._cookies: Mapping[str, str] = {} if self.public else request.cookies
        self.locale = locale_of(request, actor)

    @property
    def me(self) -> Actor:
        """Return the person; views behind a grant to roles always have one."""
        if self.actor is None:
            raise NotFound
        return self.actor

    @property
    def htmx(self) -> bool:
        """Say whether a fragment is wanted rather than a page."""
        return self.request.headers.get("hx-request") == "true"

    @property
    def gettext(self) -> Translator:
        """Return the reader's translator."""
        return translator(self.locale)

    def draw(self, template: str, **context: Any) -> str:
        """Draw a template to text with everything that every template may use."""
        return self.site.templates.get_template(template).render(self.context(**context))

    def render(self, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        """Answer with a drawn template."""
        return HTMLResponse(self.draw(template, **context), status_code=status)

    def context(self, **context: Any) -> dict[str, Any]:
        """Return the variables of every template, and these."""
        common = {
            "_": self.gettext,
            "ngettext": self.gettext.ngettext,
            "locale": self.locale,
            "html_lang": HTML_LANG[self.locale],
            "zone": self.site.zone,
            "nonce": self.nonce,
            "actor": self.actor,
            "csrf": "" if self.public else csrf_token(self.site, self.actor),
            "idem": new_id,
            "organisation": self.site.letterhead(),
            "demo": self.site.settings.demo,
            "large": (self.actor.large if self.actor else False) or self._cookies.get("pv_size") == "large",
            "path": self.request.scope["path"],
            "published": self.site.areas.get("published"),
            "public": self.public,
            "trouble": "" if self.public else self.site.mode.trouble or "",
            "troubles": SAID,
            "request_id": getattr(self.request.state, "request_id", ""),
            "now": self.now,
            "may": functools.partial(security.may, self.actor),
        }
        return {**common, **context}

    @property
    def nonce(self) -> str:
        """Return this answer's script nonce; the headers carry the same."""
        state = self.request.state
        if not hasattr(state, "nonce"):
            state.nonce = secrets.token_urlsafe(16)
        return str(state.nonce)


class Reading(Edge):
    """A page being drawn: has a reading session."""

    def __init__(self, request: Request, actor: Actor | None, db: Session) -> None:
        super().__init__(request, actor)
        self.db = db


class Acting(Edge):
    """A form being acted on: `await write(action, ...)` answers when durable."""

    def __init__(self, request: Request, actor: Actor | None, sent: FormData | None = None) -> None:
        super().__init__(request, actor)
        self.sent = FormData() if sent is None else sent
        self.recorded: int | None = None

    async def ask(self, question: Callable[[Session], T]) -> T:
        """Read something in a thread, in a reading session of its own."""
        return await anyio.to_thread.run_sync(self._ask, question)

    def _ask(self, question: Callable[[Session], T]) -> T:
        with snapshot(self.site.reading) as db:
            answer = question(db)
            db.expunge_all()
            return answer

    async def write(self, action: Callable[..., T], /, **what: Any) -> T:
        """Run `action(work, actor, **what)` in the writer; refuse a key with another body, repeat an answer."""
        actor, key, path = self.actor, self._key(), self.request.scope["path"]
        digest = forms.body_sha256(path, self.sent)

        def act(work: Any) -> T:
            if key and not forms.kept(work.db, key, digest, work.now):
                raise AlreadyDone
            result = action(work, actor, **what)
            self.recorded = max(work.recorded, default=self.recorded)
            return result

        done: T = await asyncio.wrap_future(self.site.writer.submit(act))
        return done

    async def write_unkeyed(self, action: Callable[..., T], /, **what: Any) -> T:
        """Run an action without keeping a digest of the form: sealed ballots, sign-in, drafts."""
        actor = self.actor
        done: T = await asyncio.wrap_future(self.site.writer.submit(lambda work: action(work, actor, **what)))
        return done

    @property
    def by_itself(self) -> bool:
        """Say whether a page saves this by itself while somebody types; it is answered in JSON."""
        return "application/json" in self.request.headers.get("accept", "")

    def kept(self, revision: int, at: datetime) -> Response:
        """Answer a draft that was saved by itself: the revision that the page's next save carries, and the time."""
        return JSONResponse({"revision": revision, "at": show_clock(at, self.site.zone)})

    def not_kept(self, refused: Refused) -> Response:
        """Answer a draft that was not saved: why, in the reader's language."""
        return JSONResponse({"message": self.gettext.reason(refused.reason)}, status_code=refused.status)

    def _key(self) -> str:
        sent = str(self.sent.get("idem", ""))
        return f"{self.actor.person_id if self.actor else ''}:{sent[:40]}" if sent else ""

    def received(self, location: str, message: Reason | None = None) -> Response:
        """Answer an act that is durable: 已收到 with the time to htmx, a redirect to a plain form."""
        if not self.htmx:
            return RedirectResponse(location, status_code=303)
        fragment = self.render(
            "core/_received.html", at=clock.now(), message=message, location=location, entry=self.recorded
        )
        fragment.headers["HX-Trigger"] = "panel:changed"
        return fragment


class AlreadyDone(Exception):
    """This very form was accepted before; the answer is the same as then."""


def csrf_token(site: Site, actor: Actor | None) -> str:
    """Return the token of this session's forms; forms before sign-in have one bound to no session."""
    session = sha256(actor.session.encode()).hexdigest() if actor else ""
    return site.tokens("csrf").dumps(session)


def check_csrf(site: Site, request: Request, actor: Actor | None, sent: FormData) -> None:
    """Refuse an unsafe request from elsewhere: Fetch Metadata, else Origin, and the session's token."""
    fetch_site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if fetch_site is not None:
        if fetch_site not in {"same-origin", "none"}:
            raise Forbidden(Reason("This form was sent from another site and was refused."))
    elif origin not in site.settings.origins:
        raise Forbidden(Reason("This form was sent from another site and was refused."))
    token = request.headers.get("x-csrf-token") or str(sent.get("csrf", ""))
    expected = sha256(actor.session.encode()).hexdigest() if actor else ""
    try:
        session = site.tokens("csrf").loads(token, max_age=CSRF_AGE)
    except BadSignature:
        expired = Gone(Reason("This form has expired. Your text is below; open the page again and send it anew."))
        raise site.mode.refusal() or expired from None  # a clock that jumped back makes every form one of the future
    if session != expected and actor is None:
        raise SignInNeeded(Reason("Your sign-in has ended. Your text is below; sign in and send it anew."))
    if session != expected:
        raise Gone(Reason("This form belongs to an earlier sign-in. Open the page again and send it anew."))


def locale_of(request: Request, actor: Actor | None) -> str:
    """Return the reader's locale: the person's, else the cookie's (public pages: the address's), else the browser's."""
    public = getattr(request.state, "public", False)
    wish = request.query_params.get("lang") if public else request.cookies.get(LOCALE_COOKIE)
    site: Site = request.app.state.site
    stated = site.letterhead().get("locale")
    return choose(actor.locale if actor else None, wish, request.headers.get("accept-language"), stated)


def shared_context(site: Site, locale: str, now: datetime) -> dict[str, Any]:
    """Return the variables for what is drawn once for many readers: nobody's name, no token, nothing personal."""
    words = translator(locale)
    return {
        "_": words,
        "ngettext": words.ngettext,
        "locale": locale,
        "html_lang": HTML_LANG[locale],
        "zone": site.zone,
        "now": now,
        "organisation": site.letterhead(),
        "demo": site.settings.demo,
    }


View = Callable[[Request], Awaitable[Response]]


def page(
    action: str, of: Callable[[Session, str], Any] | None = None, *, public: bool = False
) -> Callable[[Callable[..., Response]], View]:
    """Make a route of a view that reads: sign in, load, authorise, draw, all in one thread with one session.

    A `public` page reads no cookie and knows nobody, so that any cache may keep it; its grant must be ANYONE.
    """

    def decorate(view: Callable[..., Response]) -> View:
        @functools.wraps(view)
        async def endpoint(request: Request) -> Response:
            request.state.public = public
            return await anyio.to_thread.run_sync(functools.partial(_read, request, view, action, of))

        endpoint.permission = action  # type: ignore[attr-defined]  # walked by the test of the route table
        return endpoint

    return decorate


def _read(request: Request, view: Callable[..., Response], action: str, of: Any) -> Response:
    site: Site = request.app.state.site
    with snapshot(site.reading) as db:
        actor = None if request.state.public else site.sign_in(db, request.cookies.get(site.settings.cookie, ""))
        request.state.actor = actor
        security.admit(actor, action)
        thing = _load(db, request, of)
        security.authorize(actor, action, thing)
        reading = Reading(request, actor, db)
        return view(reading) if of is None else view(reading, thing)


def _load(db: Session, request: Request, of: Any) -> Any:
    if of is None:
        return None
    thing = of(db, next(iter(request.path_params.values())))
    if thing is None:
        raise NotFound
    return thing


def act(
    action: str, of: Callable[[Session, str], Any] | None = None, *, form: type[forms.Form] = forms.Form,
    crowd: bool = False, longest: int = FIELD_BYTES,
) -> Callable[[Callable[..., Awaitable[Response]]], View]:  # fmt: skip
    """Make a route of a view that writes: body, sign in, CSRF, load, authorise, form, proof; then the view.

    Where a `crowd` does the same at the same instant, it shares what it loads (`Lately`). `longest`: bytes of a field.
    """

    def decorate(view: Callable[..., Awaitable[Response]]) -> View:
        @functools.wraps(view)
        async def endpoint(request: Request) -> Response:
            request.state.hide_typed = not form.echoed
            async with request.form(max_files=20, max_fields=1000, max_part_size=longest) as sent:
                request.state.sent = sent
                actor, thing = await _entered(request, action, of, sent, crowd=crowd)
                acting = Acting(request, actor, sent)
                what = form.parse(sent)
                if security.must_prove(actor, action, thing, acting.now):
                    await acting.site.prove(acting)
                try:
                    return await (view(acting, what) if of is None else view(acting, thing, what))
                except AlreadyDone:
                    return acting.received(page_before(request))

        endpoint.permission = action  # type: ignore[attr-defined]  # walked by the test of the route table
        endpoint.form = form  # type: ignore[attr-defined]  # filled with bad input by the test of every form
        return endpoint

    return decorate


def _enter(request: Request, action: str, of: Any, sent: FormData) -> tuple[Actor | None, Any]:
    site: Site = request.app.state.site
    with snapshot(site.reading) as db:
        actor = site.sign_in(db, request.cookies.get(site.settings.cookie, ""))
        request.state.actor = actor
        check_csrf(site, request, actor, sent)
        security.admit(actor, action)
        thing = _load(db, request, of)
        security.authorize(actor, action, thing)
        db.expunge_all()
        return actor, thing


async def _entered(request: Request, action: str, of: Any, sent: FormData, *, crowd: bool) -> tuple[Actor | None, Any]:
    """Do as `_enter` does, for a crowd without a thread of its own for each, where it is known who asks."""
    site: Site = request.app.state.site
    actor = site.known(request.cookies.get(site.settings.cookie, "")) if crowd else None
    if actor is None or of is None:
        return await anyio.to_thread.run_sync(functools.partial(_enter, request, action, of, sent))
    request.state.actor = actor
    check_csrf(site, request, actor, sent)
    security.admit(actor, action)
    thing = await site.lately.load(of, next(iter(request.path_params.values())))
    if thing is None:
        raise NotFound
    security.authorize(actor, action, thing)
    return actor, thing


def page_before(request: Request) -> str:
    """Return the path of the page of ours that a form was sent from, else `/`."""
    try:
        before = urlsplit(request.headers.get("referer", ""))
    except ValueError:  # no address at all, such as http://[
        return "/"
    return local_path(before.path) if before.netloc == request.headers.get("host") else "/"


def local_path(wish: str) -> str:
    """Return the wish if it is a path on this site, else `/`: a redirect never leads elsewhere."""
    plain = wish.startswith("/") and not wish.startswith(("//", "/\\")) and wish.isprintable()
    return wish if plain else "/"


def recognise(request: Request) -> None:
    """Find out who asks, for an error page of an address that has no view; a view has done so itself."""
    site: Site = request.app.state.site
    if not hasattr(request.state, "actor"):
        with snapshot(site.reading) as db:
            request.state.actor = site.sign_in(db, request.cookies.get(site.settings.cookie, ""))


def edge(request: Request) -> Edge:
    """Return what an error page needs of a request whose view has failed."""
    return Edge(request, getattr(request.state, "actor", None))


def refusal(request: Request, refused: Refused) -> Response:
    """Answer a refusal in words: a fragment to htmx, else a page that keeps what was typed."""
    here = edge(request)
    sent: FormData = getattr(request.state, "sent", FormData())
    typed = [(k, v) for k, v in sent.multi_items() if isinstance(v, str) and k not in forms.OWN_FIELDS]
    fields = {k: here.gettext.reason(v) for k, v in getattr(refused, "fields", {}).items()}
    name = "core/_refusal.html" if here.htmx else "core/refusal.html"
    shown = [] if getattr(request.state, "hide_typed", False) else typed
    reason = here.gettext.reason(refused.reason)
    back = page_before(request) if request.method == "POST" else "/"
    again = _once_more(request, sent) if isinstance(refused, NotWritten) else []
    context = {"reason": reason, "fields": fields, "typed": shown, "back": back, "again": again}
    answer = here.render(name, status=refused.status, **context)
    if isinstance(refused, Busy):
        answer.headers["Retry-After"] = str(refused.seconds)
    return answer


def _once_more(request: Request, sent: FormData) -> list[tuple[str, str]]:
    """Return the fields of a form that may be sent again as it was, with its own key: it is taken once.

    But for a proof: nothing secret is written into a page; it is asked for anew.
    """
    pairs = [(name, value) for name, value in sent.multi_items() if name != "proof"]
    whole = all(isinstance(value, str) for _, value in pairs) and not getattr(request.state, "hide_typed", False)
    return [(name, str(value)) for name, value in pairs] if whole and "csrf" in sent else []
