"""The second factor: setting an authenticator up, its recovery codes, and the second step of signing in."""

from collections.abc import Sequence
from functools import partial
from urllib.parse import quote

from itsdangerous import BadSignature
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from panel.accounts import actions, factors, passwords, queries, rules
from panel.accounts.forms import CodeForm, FactorForm, SecondStepForm
from panel.accounts.models import Person
from panel.accounts.passkeys import relying_party
from panel.accounts.views import sign_in
from panel.accounts.views.desk import desk, device_of, drawn, guess
from panel.core import clock, log
from panel.core.errors import FactorNeeded, Gone, Reason, Refused
from panel.core.forms import Form
from panel.core.pages import Acting, Edge, Reading, act, edge, local_path, page, refusal

SECOND_STEP = 300
"""Seconds between the password and the code."""


def factor_needed(request: Request, error: FactorNeeded) -> Response:
    """Lead somebody who must have a second factor to where it is set up, and from there on to what was asked for."""
    if request.method != "GET" or edge(request).htmx:
        return refusal(request, error)
    query = request.scope["query_string"].decode("latin-1")
    onward = request.scope["path"] + (f"?{query}" if query else "")
    return RedirectResponse(f"/factors?next={quote(onward, safe='')}", status_code=303)


@page("accounts.keep_factors")
def show(reading: Reading) -> Response:
    """The second factors: passkeys, and an authenticator: none yet, begun, or confirmed."""
    return _page(reading, reading.db, onward=reading.request.query_params.get("next", ""))


def _page(here: Edge, db: Session, *, onward: str, status: int = 200, reason: Reason | None = None) -> Response:
    me, site = here.me, here.site
    factor, secret = queries.factor_of(db, me.person_id), None
    if factor is not None and factor.confirmed_at is None:
        secret = factors.unseal(factors.sealing_key(site.settings.factors_key), factor.sealed)
    person = db.get_one(Person, me.person_id)
    issuer = site.letterhead().get("organisation") or "Heyi"
    return here.render(
        "accounts/factors.html", status=status, factor=factor, secret=secret,
        code=drawn(factors.uri(secret, person.login, issuer)) if secret else "",
        left=len(queries.recovery_codes(db, me.person_id)), needed=me.lacks_factor,
        required=desk(site).signed_in.must_have_factor(me.standings, me.offices),
        next=local_path(onward) if onward else "", reason=reason, passkeys=queries.passkeys(db, me.person_id),
        party=relying_party(site.settings.origins), device=device_of(here.request),
    )  # fmt: skip


@act("accounts.change_factors", form=FactorForm)
async def begin(acting: Acting, form: FactorForm) -> Response:
    """Begin an authenticator: its secret is made and shown until a code confirms it."""
    key = factors.sealing_key(acting.site.settings.factors_key)
    await acting.write(actions.begin_factor, sealed=factors.seal(key, factors.new_secret()))
    return RedirectResponse(f"/factors?next={quote(local_path(form.next), safe='')}", status_code=303)


@act("accounts.change_factors", form=CodeForm)
async def confirm(acting: Acting, form: CodeForm) -> Response:
    """Confirm the authenticator by a code; answers with the recovery codes, which are shown once."""
    step = await _step(acting, form.code)
    if step is None:
        shown = partial(_page, acting, onward=form.next, status=422, reason=rules.WRONG_CODE)
        return await acting.ask(shown)
    first = not await acting.ask(lambda db: queries.has_factor(db, acting.me.person_id))
    codes, hashes = await new_codes() if first else ([], [])
    await acting.write(actions.confirm_factor, step=step, code_hashes=hashes)
    log.security("factor_added", person=acting.me.person_id)
    return show_codes(acting, codes, form.next) if first else RedirectResponse("/factors", status_code=303)


@act("accounts.change_factors")
async def renew_codes(acting: Acting, form: Form) -> Response:
    """Make new recovery codes; they are shown once."""
    codes, hashes = await new_codes()
    await acting.write(actions.renew_codes, code_hashes=hashes)
    log.security("recovery_codes_made", person=acting.me.person_id)
    return show_codes(acting, codes, "/factors")


@act("accounts.change_factors")
async def remove(acting: Acting, form: Form) -> Response:
    """Remove one's authenticator."""
    required = desk(acting.site).signed_in.must_have_factor(acting.me.standings, acting.me.offices)
    await acting.write(actions.remove_factor, person_id=acting.me.person_id, required=required)
    log.security("factor_removed", person=acting.me.person_id)
    return RedirectResponse("/factors", status_code=303)


@act("accounts.close_accounts", of=queries.person)
async def take_away(acting: Acting, person: Person, form: Form) -> Response:
    """Take away the second factors that their person has lost; every sign-in of theirs ends."""
    await acting.write(actions.take_factors_away, person_id=person.id)
    log.security("factor_removed", person=person.id, by=acting.me.person_id)
    return RedirectResponse(f"/people/{person.id}", status_code=303)


def show_codes(here: Edge, codes: Sequence[str], onward: str) -> Response:
    """Show new recovery codes, once."""
    return here.render("accounts/recovery_codes.html", codes=codes, next=local_path(onward) if onward else "/factors")


async def new_codes() -> tuple[list[str], list[str]]:
    """Make recovery codes; returns them, to be shown once, and what is kept of them."""
    codes = factors.new_codes()
    return codes, [await passwords.hash_aside(code) for code in codes]


async def _step(acting: Acting, code: str) -> int | None:
    """Return the step of one's own code, under the brake of signing in."""
    keys = [("account", f"factor {acting.me.person_id}")]
    with guess(acting.site, keys) as made:
        step = await acting.ask(partial(_matching, acting, acting.me.person_id, code))
        made.right = step is not None
    return step


def _matching(here: Edge, person_id: str, code: str, db: Session) -> int | None:
    factor = queries.factor_of(db, person_id)
    key = factors.sealing_key(here.site.settings.factors_key)
    secret = factors.unseal(key, factor.sealed) if factor is not None else None
    step = factors.step_of(secret, code, clock.now())
    return step if factor is not None and step is not None and step > factor.last_step else None


@act("accounts.sign_in", form=SecondStepForm)
async def second_step(acting: Acting, form: SecondStepForm) -> Response:
    """Check the code, or a recovery code, and begin the session."""
    try:
        person_id = str(acting.site.tokens("second-step").loads(form.token, max_age=SECOND_STEP))
    except BadSignature:
        raise Gone(Reason("Signing in took too long. Please begin again.")) from None
    person = await acting.ask(lambda db: queries.person(db, person_id))
    if person is None or person.disabled_at is not None:
        raise Gone(Reason("Signing in took too long. Please begin again."))
    keys = [("account", f"factor {person.id}")]
    with guess(acting.site, keys) as made:
        made.right = await used_up(acting, person, form.code)
    if not made.right:
        log.security("second_step_failed", person=person.id)
        return sign_in.ask_for_code(acting, person, form.next, status=401, reason=rules.WRONG_CODE)
    return await sign_in.begin(acting, person, onward=form.next)


async def used_up(acting: Acting, person: Person, code: str) -> bool:
    """Use up the code that was typed; False where it is none, or was used by somebody a moment before."""
    step = await acting.ask(partial(_matching, acting, person.id, code))
    try:
        if step is not None:
            await acting.write_unkeyed(actions.use_step, person_id=person.id, step=step)
            return True
        recovery = await _recovery(acting, person, code)
        if recovery is not None:
            left = await acting.write_unkeyed(actions.use_recovery_code, person_id=person.id, code_id=recovery)
            log.security("recovery_code_used", person=person.id, left=left)
            return True
    except Refused as refused:
        if refused.reason != rules.WRONG_CODE:
            raise
    return False


async def _recovery(acting: Acting, person: Person, code: str) -> str | None:
    """Return the recovery code's id. A text that cannot be one costs nothing."""
    spelled = factors.spelled(code)
    if len(spelled) != 2 * factors.GROUP + 1:
        return None
    for kept in await acting.ask(lambda db: queries.recovery_codes(db, person.id)):
        if await passwords.holds(kept.code_hash, spelled):
            return kept.id
    return None


routes = [
    Route("/factors", show, name="accounts.factors"),
    Route("/factors", begin, methods=["POST"], name="accounts.begin_factor"),
    Route("/factors/confirmation", confirm, methods=["POST"], name="accounts.confirm_factor"),
    Route("/factors/recovery-codes", renew_codes, methods=["POST"], name="accounts.renew_codes"),
    Route("/factors/removal", remove, methods=["POST"], name="accounts.remove_factor"),
    Route("/people/{id}/factor/removal", take_away, methods=["POST"], name="accounts.take_factor_away"),
    Route("/sign-in/second-step", second_step, methods=["POST"], name="accounts.second_step"),
]
