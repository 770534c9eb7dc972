"""One's own sign-ins and password."""

import anyio
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from panel.accounts import actions, passwords, queries, rules
from panel.accounts.forms import PasswordForm
from panel.accounts.models import Person, SignInSession
from panel.accounts.strength import why_not_password
from panel.accounts.views.desk import desk, device_of, guess, set_session
from panel.core import log
from panel.core.errors import Reason
from panel.core.forms import Form
from panel.core.ids import new_reference
from panel.core.pages import Acting, Reading, act, page


@page("accounts.see_devices")
def show_devices(reading: Reading) -> Response:
    """Where one is signed in, and since when."""
    signed_in, me = desk(reading.site).signed_in, reading.me
    rows = [
        {"row": row, "seen_at": signed_in.last_seen(row), "here": row.reference_sha256 == me.session}
        for row in queries.sessions(reading.db, me.person_id)
    ]
    return reading.render("accounts/devices.html", devices=rows)


@act("accounts.end_session", of=queries.sign_in_session)
async def end_session(acting: Acting, session: SignInSession, form: Form) -> Response:
    """End one of one's own sign-ins."""
    await acting.write(actions.end_session, reference_sha256=session.reference_sha256)
    log.security("session_ended", person=acting.me.person_id, session=session.reference_sha256[:16])
    return RedirectResponse("/devices", status_code=303)


@act("accounts.end_session")
async def end_other_sessions(acting: Acting, form: Form) -> Response:
    """End every other sign-in of one's own."""
    ended = await acting.write(actions.end_other_sessions)
    log.security("sessions_ended", person=acting.me.person_id, sessions=ended)
    return RedirectResponse("/devices", status_code=303)


@page("accounts.see_password")
def show_password(reading: Reading) -> Response:
    """The page where one changes the password."""
    return reading.render("accounts/password.html", errors={}, shortest=rules.SHORTEST_PASSWORD)


@act("accounts.change_password", form=PasswordForm)
async def change_password(acting: Acting, form: PasswordForm) -> Response:
    """Change the password; every sign-in of the account ends but a new one of this browser."""
    errors = await _errors(acting, form)
    if errors:
        said = {name: acting.gettext.reason(reason) for name, reason in errors.items()}
        return acting.render("accounts/password.html", status=422, errors=said, shortest=rules.SHORTEST_PASSWORD)
    reference = new_reference()
    await acting.write_unkeyed(
        actions.change_password, password_hash=await passwords.hash_aside(form.password), reference=reference,
        device=device_of(acting.request), hours=acting.site.settings.session_hours,
    )  # fmt: skip
    log.security("password_changed", person=acting.me.person_id)
    answer = RedirectResponse("/devices", status_code=303)
    set_session(answer, acting.site.settings, reference)
    return answer


async def _errors(acting: Acting, form: PasswordForm) -> dict[str, Reason]:
    if form.password != form.again:
        return {"again": Reason("The two new passwords are not the same.")}
    me = await acting.ask(lambda db: queries.person(db, acting.me.person_id))
    own = (acting.me.name, me.login if me else "", acting.site.letterhead()["organisation"])
    reason = await anyio.to_thread.run_sync(why_not_password, form.password, *own)
    if reason:
        return {"password": reason}
    reason = await why_not_current(acting, form.current)
    return {"current": reason} if reason else {}


async def why_not_current(acting: Acting, password: str) -> Reason | None:
    """Check the present password under the same brake as signing in: a stolen session must not guess it."""
    keys = [("account", acting.me.person_id)]
    with guess(acting.site, keys) as made:
        kept = await acting.ask(lambda db: db.get_one(Person, acting.me.person_id).password_hash)
        made.right = await passwords.holds(kept, password)
    return None if made.right else Reason("This is not your present password.")


routes = [
    Route("/devices", show_devices, name="accounts.devices"),
    Route("/devices/endings", end_other_sessions, methods=["POST"], name="accounts.end_others"),
    Route("/devices/{ref}/ending", end_session, methods=["POST"], name="accounts.end_session"),
    Route("/password", show_password, name="accounts.show_password"),
    Route("/password", change_password, methods=["POST"], name="accounts.change_password"),
]
