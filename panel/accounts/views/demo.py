"""The demo's doors: a start page with a place for everybody. They exist in demo mode only, and only nearby.

One door is an exception and documented as such in docs/security.md: following a printed link signs in, by GET.
"""

from urllib.parse import urlsplit

import anyio
from itsdangerous import BadSignature
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from panel.accounts import actions, queries
from panel.accounts.forms import EntryForm
from panel.accounts.models import Person
from panel.accounts.queries import Demo, DemoPlace
from panel.accounts.views import sign_in
from panel.accounts.views.desk import drawn, open_demo
from panel.core import log, security
from panel.core.config import LOOPBACK
from panel.core.db import snapshot
from panel.core.errors import Gone, NotFound, Reason
from panel.core.forms import Form
from panel.core.pages import Acting, Edge, Reading, Site, act, page


def entry_token(site: Site, login: str) -> str:
    """Return the token of a place: it holds as long as this demo runs, for its secret is made anew with each."""
    return str(site.tokens("demo").dumps(login))


def entry_path(site: Site, login: str) -> str:
    """Return the path that takes a place: printed at start, shown on the start page, drawn as QR code."""
    return f"/demo/enter/{entry_token(site, login)}"


def _demo(here: Edge) -> Demo:
    demo = open_demo(here.request, here.site)
    if demo is None:
        raise NotFound
    return demo


@page("accounts.see_demo")
def show_demo(reading: Reading) -> Response:
    """The start page: every place with its link, its name and its password."""
    demo, site = _demo(reading), reading.site
    taken = queries.taken_logins(reading.db, reading.now)
    lan = next((o for o in site.settings.origins if urlsplit(o).hostname not in LOOPBACK), "")
    groups: dict[Reason, list[dict[str, object]]] = {}
    for place in demo.places:
        path = entry_path(site, place.login)
        code = drawn(lan + path) if site.settings.lan and lan else ""
        shown = {"place": place, "path": path, "taken": place.login in taken, "code": code}
        groups.setdefault(place.heading, []).append(shown)
    return reading.render("accounts/demo.html", groups=groups, offered=demo)


@page("accounts.see_demo")
def show_seats(reading: Reading) -> Response:
    """Which places a person has taken, for the simulated members, who then step back."""
    demo = _demo(reading)
    taken = queries.taken_logins(reading.db, reading.now)
    return JSONResponse({place.login: {"name": place.name, "taken": place.login in taken} for place in demo.places})


async def follow(request: Request) -> Response:
    """Take a place by its link. Refuses prefetching and links on other sites; the token is all it needs."""
    security.authorize(None, "accounts.enter_demo")
    elsewhere = request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}
    if elsewhere or "prefetch" in request.headers.get("sec-purpose", request.headers.get("purpose", "")):
        raise NotFound
    acting = await anyio.to_thread.run_sync(_arriving, request)
    return await _enter(acting, request.path_params["token"], simulated=False)


follow.permission = "accounts.enter_demo"  # type: ignore[attr-defined]  # walked by the test of the route table


def _arriving(request: Request) -> Acting:
    site: Site = request.app.state.site
    with snapshot(site.reading) as db:
        actor = site.sign_in(db, request.cookies.get(site.settings.cookie, ""))
    request.state.actor = actor
    return Acting(request, actor)


@act("accounts.enter_demo", form=EntryForm)
async def enter(acting: Acting, form: EntryForm) -> Response:
    """Take a place by its form; `simulation` marks the session of a simulated member."""
    return await _enter(acting, form.token, simulated=form.simulation == "1")


async def _enter(acting: Acting, token: str, *, simulated: bool) -> Response:
    place = _place(_demo(acting), acting.site, token)
    someone = await acting.ask(lambda db: queries.person_by_login(db, place.login))
    if someone is None:
        raise NotFound
    return await sign_in.begin(acting, someone, onward=place.path, simulated=simulated)


def _place(demo: Demo, site: Site, token: str) -> DemoPlace:
    try:
        place = demo.place(site.tokens("demo").loads(token))
    except BadSignature:
        raise Gone(Reason("This link belongs to a demo that has ended. Open the start page of this one.")) from None
    if place is None:
        raise NotFound
    return place


def person_of(db: Session, login: str) -> Person | None:
    """Return whose place this is, or None."""
    return queries.person_by_login(db, login)


@act("accounts.give_back_seat", of=person_of)
async def give_back(acting: Acting, someone: Person, form: Form) -> Response:
    """Give a place back to the simulation: whoever took it is signed out."""
    if _demo(acting).place(someone.login) is None:
        raise NotFound
    ended = await acting.write(actions.end_sessions_of, person_id=someone.id)
    log.security("demo_place_given_back", person=someone.id, sessions=ended)
    return RedirectResponse("/demo", status_code=303)


routes = [
    Route("/demo", show_demo, name="accounts.demo"),
    Route("/demo/seats.json", show_seats, name="accounts.demo_seats"),
    Route("/demo/enter/{token}", follow, name="accounts.demo_link"),
    Route("/demo/entries", enter, methods=["POST"], name="accounts.enter_demo"),
    Route("/demo/seats/{login}/simulation", give_back, methods=["POST"], name="accounts.give_back"),
]
