"""The first run: with a one-time code from the terminal, what the installation calls itself and its administrator.

Both pages are gone as soon as there is an administrator; what follows are ordinary pages of administration.
"""

import hmac
import secrets
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import anyio
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from panel.accounts import actions, passwords, queries, rules
from panel.accounts.forms import AdministratorForm, FirstLetterheadForm
from panel.accounts.strength import why_not_password
from panel.accounts.views import sign_in
from panel.accounts.views.desk import YEAR, begin_guess, set_cookie
from panel.core import clock, log
from panel.core.errors import Forbidden, Gone, NotFound, Reason, Refused
from panel.core.files import write_whole
from panel.core.i18n import LOCALES, own_name
from panel.core.pages import Acting, Edge, Reading, act, page
from panel.core.security import Office
from panel.core.text import nfc

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without letters and digits that look alike."""

LENGTH = 20
NONE: Mapping[str, str] = {}
THROTTLED = [("account", "set-up")]
"""Whoever guesses the code waits as whoever guesses a password."""


def new_code(file: Path) -> str:
    """Make the one-time code of a set-up and keep it in a file that only its owner reads; an earlier one is void."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(file, code.encode(), mode=0o600)
    return code


def path_with(code: str) -> str:
    """Return the path that the terminal prints."""
    return f"/set-up?code={code}"


def _check(here: Edge, code: str) -> None:
    """Refuse a wrong code; slower with every guess."""
    throttle, now = begin_guess(here.site, THROTTLED), clock.monotonic()
    try:
        kept = here.site.settings.set_up_code.read_text(encoding="ascii")
    except OSError:
        kept = ""
    if not kept or not hmac.compare_digest(kept.encode(), code.strip().encode()):
        throttle.failed(THROTTLED, now)
        log.security("set_up_code_refused")
        raise Forbidden(Reason("This set-up code does not hold. The terminal that serves prints the one that does."))
    throttle.succeeded(THROTTLED, now)


def _open(reading: Reading) -> str:
    """Return the code that the reader brings; a set-up that is over is not there any more."""
    if queries.holders(reading.db, Office.SYSTEM):
        raise Gone(Reason("This installation is set up. Please sign in."))
    code = reading.request.query_params.get("code", "")
    _check(reading, code)
    return code


@page("accounts.set_up")
def show_letterhead(reading: Reading) -> Response:
    """First step: language, organisation, footer."""
    code = _open(reading)
    stated = reading.site.letterhead()
    return reading.render(
        "accounts/set_up.html", code=code, values={**stated, "locale": reading.locale}, errors={},
        languages=[(locale, own_name(locale)) for locale in LOCALES],
    )  # fmt: skip


@act("accounts.set_up", form=FirstLetterheadForm)
async def describe(acting: Acting, form: FirstLetterheadForm) -> Response:
    """Keep what the installation calls itself."""
    await _still_open(acting)
    _check(acting, form.code)
    await acting.write_unkeyed(actions.describe, **form.model_dump(exclude={"code"}))
    answer = RedirectResponse(f"/set-up/administrator?code={form.code.strip()}", status_code=303)
    set_cookie(answer, acting.site.settings, "pv_locale", form.locale, max_age=YEAR)
    return answer


@page("accounts.set_up")
def show_administrator(reading: Reading) -> Response:
    """Second step: the administrator."""
    return _administrator(reading, _open(reading))


def _administrator(
    here: Edge, code: str, *, status: int = 200, errors: Mapping[str, str] = NONE, **typed: str
) -> Response:
    return here.render(
        "accounts/set_up_administrator.html", status=status, code=code, errors=errors, typed=typed,
        shortest=rules.SHORTEST_PASSWORD,
    )  # fmt: skip


@act("accounts.set_up", form=AdministratorForm)
async def make_administrator(acting: Acting, form: AdministratorForm) -> Response:
    """Make the administrator's account and sign them in; the code is void from here on."""
    await _still_open(acting)
    _check(acting, form.code)
    typed = {"name": form.name, "login": form.login, "mail": form.mail}
    if (wrong := await anyio.to_thread.run_sync(_why_not, form)) is not None:
        field, reason = wrong
        return _administrator(acting, form.code, status=422, errors={field: acting.gettext.reason(reason)}, **typed)
    kept = await passwords.hash_aside(form.password)
    try:
        making = partial(
            actions.add_administrator, name=form.name, login=form.login, mail=form.mail, password_hash=kept,
            locale=acting.locale,
        )  # fmt: skip
        person = await acting.write_unkeyed(making)
    except Refused as refused:
        if isinstance(refused, Gone):
            raise
        return _administrator(
            acting, form.code, status=422, errors={"login": acting.gettext.reason(refused.reason)}, **typed
        )
    acting.site.settings.set_up_code.unlink(missing_ok=True)
    log.security("administrator_made", person=person.id)
    return await sign_in.begin(acting, person, onward="/administration/roster/import?step=3")


def _why_not(form: AdministratorForm) -> tuple[str, Reason] | None:
    checks = (
        ("name", rules.why_not_name(form.name)),
        ("login", rules.why_not_login(nfc(form.login))),
        ("mail", rules.why_not_mail(form.mail)),
        ("password", why_not_password(form.password, form.name, form.login)),
        ("again", None if form.password == form.again else Reason("The two passwords are not the same.")),
    )
    return next(((field, reason) for field, reason in checks if reason), None)


async def _still_open(acting: Acting) -> None:
    if await acting.ask(lambda db: queries.holders(db, Office.SYSTEM)):
        raise NotFound


routes = [
    Route("/set-up", show_letterhead, name="accounts.set_up"),
    Route("/set-up", describe, methods=["POST"], name="accounts.first_letterhead"),
    Route("/set-up/administrator", show_administrator, name="accounts.show_administrator"),
    Route("/set-up/administrator", make_administrator, methods=["POST"], name="accounts.make_administrator"),
]
