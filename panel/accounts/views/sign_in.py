"""Signing in and out, and the two choices that need no account: language and letter size."""

from itsdangerous import BadSignature
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from panel.accounts import actions, passkeys, passwords, queries
from panel.accounts.forms import DisplayForm, LocaleForm, SignInForm
from panel.accounts.models import Person
from panel.accounts.throttle import Key, address_key
from panel.accounts.views.desk import DEVICE_AGE, YEAR, desk, device_of, open_demo, set_cookie, set_session, too_often
from panel.core import clock, hooks, log, text
from panel.core.errors import Busy, Reason, SignInNeeded
from panel.core.forms import Form
from panel.core.ids import new_id, new_reference
from panel.core.pages import Acting, Edge, Reading, Site, act, edge, local_path, page, page_before, refusal

WRONG = Reason("The name or the password is not right.")
"""One sentence for every wrong credential, so that nobody learns which names exist (ASVS 6.3.8)."""


@page("accounts.see_sign_in")
def show_sign_in(reading: Reading) -> Response:
    """The page where one signs in."""
    return _page(reading, onward=reading.request.query_params.get("next", ""))


def sign_in_needed(request: Request, error: SignInNeeded) -> Response:
    """Answer a page that needs a sign-in with the page where one signs in, on its way to what was asked for."""
    here = edge(request)
    if request.method != "GET" or here.htmx:
        return refusal(request, error)
    return _page(here, status=401, reason=error.reason, onward=request.scope["path"])


def _page(
    here: Edge, *, status: int = 200, reason: Reason | None = None, login: str = "", onward: str = ""
) -> Response:
    return here.render(
        "accounts/sign_in.html", status=status, reason=reason, login=login,
        next=local_path(onward) if onward else "", offered=open_demo(here.request, here.site),
        party=passkeys.relying_party(here.site.settings.origins),
    )  # fmt: skip


def again(here: Edge, reason: Reason, *, onward: str) -> Response:
    """Answer a sign-in that failed with the page where one signs in."""
    return _page(here, status=401, reason=reason, onward=onward)


@act("accounts.sign_in", form=SignInForm)
async def sign_in(acting: Acting, form: SignInForm) -> Response:
    """Check a name and a password. Unknown names cost the same and get the same answer."""
    throttle, login = desk(acting.site).throttle, text.nfc(form.login.strip())
    someone = await acting.ask(lambda db: queries.person_by_login(db, login))
    keys = _keys(acting, someone, login)
    seconds = throttle.begin(keys, clock.monotonic())
    if seconds:
        log.security("sign_in_throttled", person=someone and someone.id, seconds=seconds)
        return _too_often(acting, login, form.next, seconds)
    try:
        right = await passwords.holds(someone.password_hash if someone else None, form.password)
    except Busy:
        throttle.abandoned(keys, clock.monotonic())
        raise
    if someone is None or not right or someone.disabled_at is not None:
        throttle.failed(keys, clock.monotonic())
        log.security("sign_in_failed", person=someone and someone.id)
        return _page(acting, status=401, reason=WRONG, login=login, onward=form.next)
    throttle.succeeded(keys, clock.monotonic())
    renewed = await passwords.hash_aside(form.password) if passwords.is_old(someone.password_hash) else ""
    if await acting.ask(lambda db: queries.has_factor(db, someone.id)):
        return ask_for_code(acting, someone, form.next)
    return await begin(acting, someone, onward=form.next, renewed_hash=renewed)


def ask_for_code(
    acting: Acting, person: Person, onward: str, *, status: int = 200, reason: Reason | None = None
) -> Response:
    """Answer a right password with the question for the code. The token is no session: it opens this step only."""
    token = acting.site.tokens("second-step").dumps(person.id)
    party = passkeys.relying_party(acting.site.settings.origins)
    return acting.render(
        "accounts/second_step.html", status=status, token=token, next=onward, reason=reason, party=party
    )


def _keys(acting: Acting, someone: Person | None, login: str) -> list[Key]:
    """Return what wrong guesses are counted against; a device that was signed in before has a count of its own."""
    request = acting.request
    known = someone and _known_device(acting.site, request.cookies.get("pv_device", ""), someone)
    account: Key = ("device", known) if known else ("account", login)
    return [account, address_key(request.client.host if request.client else "")]


def _known_device(site: Site, cookie: str, someone: Person) -> str | None:
    try:
        person_id, device = site.tokens("device").loads(cookie, max_age=DEVICE_AGE)
    except (BadSignature, ValueError):
        return None
    return str(device) if person_id == someone.id else None


def _too_often(acting: Acting, login: str, onward: str, seconds: int) -> Response:
    answer = _page(acting, status=429, reason=too_often(seconds).reason, login=login, onward=onward)
    answer.headers["Retry-After"] = str(seconds)
    return answer


async def begin(
    acting: Acting, someone: Person, *, onward: str = "", simulated: bool = False, renewed_hash: str = ""
) -> Response:
    """Begin a session under a new reference and lead on: to the page asked for, the live hearing, or home."""
    site, reference = acting.site, new_reference()
    await acting.write_unkeyed(
        actions.sign_in, person_id=someone.id, reference=reference, device=device_of(acting.request),
        hours=site.settings.session_hours, simulated=simulated, renewed_hash=renewed_hash,
        known=simulated or _known_device(site, acting.request.cookies.get("pv_device", ""), someone) is not None,
    )  # fmt: skip
    log.security("sign_in_succeeded", person=someone.id, session=queries.digest(reference)[:16], simulated=simulated)
    destination = local_path(onward) if onward else await acting.ask(lambda db: _destination(db, site, reference))
    answer = RedirectResponse(destination, status_code=303)
    set_session(answer, site.settings, reference)
    know_device(answer, site, someone)
    return answer


def know_device(answer: Response, site: Site, someone: Person) -> None:
    """Let this browser be known as one on which this person has signed in."""
    device = site.tokens("device").dumps([someone.id, new_id()])
    set_cookie(answer, site.settings, "pv_device", str(device), max_age=DEVICE_AGE)


def _destination(db: Session, site: Site, reference: str) -> str:
    return hooks.live_hearing(db, site.sign_in(db, reference)) or "/"


@act("accounts.sign_out")
async def sign_out(acting: Acting, form: Form) -> Response:
    """End the session; the browser forgets the pages it kept."""
    await acting.write_unkeyed(actions.sign_out)
    log.security("signed_out", person=acting.me.person_id, session=acting.me.session[:16])
    answer = RedirectResponse("/", status_code=303)
    set_cookie(answer, acting.site.settings, acting.site.settings.cookie, "", max_age=0)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@act("accounts.choose_locale", form=LocaleForm)
async def choose_locale(acting: Acting, form: LocaleForm) -> Response:
    """Keep the language: in a cookie, and with the account of whoever is signed in."""
    if acting.actor:
        await acting.write_unkeyed(actions.choose_locale, locale=form.locale)
    return _kept(acting, "pv_locale", form.locale, form.back)


@act("accounts.choose_display", form=DisplayForm)
async def choose_display(acting: Acting, form: DisplayForm) -> Response:
    """Keep the size of the letters."""
    if acting.actor:
        await acting.write_unkeyed(actions.choose_display, large=form.size == "large")
    return _kept(acting, "pv_size", form.size, form.back)


def _kept(acting: Acting, cookie: str, value: str, back: str) -> Response:
    answer = RedirectResponse(local_path(back) if back else page_before(acting.request), status_code=303)
    set_cookie(answer, acting.site.settings, cookie, value, max_age=YEAR)
    return answer


routes = [
    Route("/sign-in", show_sign_in, name="accounts.show_sign_in"),
    Route("/sign-in", sign_in, methods=["POST"], name="accounts.sign_in"),
    Route("/sign-out", sign_out, methods=["POST"], name="accounts.sign_out"),
    Route("/locale", choose_locale, methods=["POST"], name="accounts.locale"),
    Route("/display", choose_display, methods=["POST"], name="accounts.display"),
]
