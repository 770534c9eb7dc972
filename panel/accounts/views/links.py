"""Links with which people choose their password: invited, or because they have forgotten it."""

from collections.abc import Mapping
from functools import partial

import anyio
from itsdangerous import BadSignature
from sqlmodel import Session
from starlette.background import BackgroundTask
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from panel.accounts import actions, passwords, queries, rules
from panel.accounts.actions.links import OVER
from panel.accounts.forms import ChosenPasswordForm, ForgottenForm
from panel.accounts.models import LinkPurpose, Person
from panel.accounts.strength import why_not_password
from panel.accounts.throttle import address_key
from panel.accounts.views import sign_in
from panel.accounts.views.desk import begin_guess, device_of, drawn, set_session
from panel.core import clock, log, mail, text
from panel.core.errors import Gone, Reason
from panel.core.forms import Form
from panel.core.ids import new_reference
from panel.core.pages import Acting, Edge, Reading, Site, act, page

NONE: Mapping[str, str] = {}


def address(site: Site, purpose: LinkPurpose, reference: str) -> str:
    """Return a link's address: under the first of the site's own addresses, never under what a request calls it."""
    token = site.tokens(f"link.{purpose.value}").dumps(reference)
    return f"{site.settings.origins[0]}/links/{purpose.value}/{token}"


def letter(here: Edge, person: Person, purpose: LinkPurpose, link: str) -> tuple[str, str]:
    """Return subject and text of a link's mail, in the reader's language."""
    subject = {
        LinkPurpose.INVITATION: Reason("Your account"),
        LinkPurpose.RESET: Reason("Choose a new password"),
    }[purpose]
    body = here.draw(f"mail/{purpose.value}.txt", person=person, link=link, lasts=rules.LINKS_LAST[purpose])
    return here.gettext.reason(subject), body


async def invite(acting: Acting, person: Person, *, keyed: bool = True) -> str | None:
    """Make an invitation. By mail where that can be; else returns the link, for whoever hands it over.

    Not `keyed` where it follows another act of the same form.
    """
    reference = new_reference()
    link = address(acting.site, LinkPurpose.INVITATION, reference)
    mailed = bool(person.mail) and mail.configured(acting.site.settings)
    await (acting.write if keyed else acting.write_unkeyed)(
        actions.make_link, person_id=person.id, reference=reference, purpose=LinkPurpose.INVITATION,
        letter=letter(acting, person, LinkPurpose.INVITATION, link) if mailed else None,
    )  # fmt: skip
    log.security("link_made", person=person.id, purpose="invitation", by=acting.me.person_id)
    return None if mailed else link


@act("accounts.add_people", of=queries.person)
async def make_invitation(acting: Acting, person: Person, form: Form) -> Response:
    """Invite somebody, again if need be: an earlier link is void."""
    link = await invite(acting, person)
    return acting.render("accounts/invited.html", person=person, slips=[(person, link, drawn(link))] if link else [])


@page("accounts.forget")
def show_forgotten(reading: Reading) -> Response:
    """Where one asks for a link because one has forgotten the password."""
    return reading.render("accounts/forgotten.html", asked=False, by_mail=mail.configured(reading.site.settings))


@act("accounts.forget", form=ForgottenForm)
async def forget(acting: Acting, form: ForgottenForm) -> Response:
    """Answer alike, and at once, for known and unknown names; the mail is written after the answer has gone."""
    keys = [address_key(acting.request.client.host if acting.request.client else "")]
    begin_guess(acting.site, keys).failed(keys, clock.monotonic())
    answer = acting.render("accounts/forgotten.html", asked=True, by_mail=mail.configured(acting.site.settings))
    answer.background = BackgroundTask(_send_reset, acting, text.nfc(form.login.strip()))
    return answer


async def _send_reset(acting: Acting, login: str) -> None:
    person = await acting.ask(partial(_reachable, login=login))
    if person is None or not mail.configured(acting.site.settings):
        return
    reference = new_reference()
    link = address(acting.site, LinkPurpose.RESET, reference)
    await acting.write_unkeyed(
        actions.make_link, person_id=person.id, reference=reference, purpose=LinkPurpose.RESET,
        letter=letter(acting, person, LinkPurpose.RESET, link),
    )  # fmt: skip
    log.security("link_made", person=person.id, purpose="reset")


def _reachable(db: Session, login: str) -> Person | None:
    person = queries.person_by_login(db, login)
    return person if person is not None and person.mail and person.disabled_at is None else None


def _reference(here: Edge, purpose: LinkPurpose, token: str) -> str:
    """Return what a link carries; one for another purpose, or too old, is none."""
    try:
        age = int(rules.LINKS_LAST[purpose].total_seconds())
        return str(here.site.tokens(f"link.{purpose.value}").loads(token, max_age=age))
    except BadSignature:
        raise Gone(OVER) from None


def _purpose(here: Edge) -> LinkPurpose:
    wish = here.request.path_params["purpose"]
    return LinkPurpose(wish) if wish in set(LinkPurpose) else LinkPurpose.RESET


@page("accounts.follow_link")
def show_link(reading: Reading) -> Response:
    """Where one chooses a password by a link; a link that is used up says so."""
    purpose, token = _purpose(reading), reading.request.path_params["token"]
    person = queries.person_of_link(reading.db, _reference(reading, purpose, token), reading.now)
    if person is None:
        raise Gone(OVER)
    return _choose(reading, purpose, token, person)


def _choose(
    here: Edge,
    purpose: LinkPurpose,
    token: str,
    person: Person,
    *,
    status: int = 200,
    errors: Mapping[str, str] = NONE,
) -> Response:
    return here.render(
        "accounts/choose_password.html", status=status, purpose=purpose.value, token=token, person=person,
        errors=errors, shortest=rules.SHORTEST_PASSWORD,
    )  # fmt: skip


@act("accounts.follow_link", form=ChosenPasswordForm)
async def choose_password(acting: Acting, form: ChosenPasswordForm) -> Response:
    """Choose the password; the link is used up, and this browser is signed in."""
    purpose, token = _purpose(acting), acting.request.path_params["token"]
    reference = _reference(acting, purpose, token)
    person = await acting.ask(lambda db: queries.person_of_link(db, reference, acting.now))
    if person is None:
        raise Gone(OVER)
    own = (person.name, person.login, acting.site.letterhead()["organisation"])
    if (wrong := await anyio.to_thread.run_sync(_why_not, form, *own)) is not None:
        errors = {wrong[0]: acting.gettext.reason(wrong[1])}
        return _choose(acting, purpose, token, person, status=422, errors=errors)
    session = new_reference()
    await acting.write_unkeyed(
        actions.choose_password, reference=reference, password_hash=await passwords.hash_aside(form.password),
        session=session, device=device_of(acting.request), hours=acting.site.settings.session_hours,
    )  # fmt: skip
    log.security("password_chosen", person=person.id, purpose=purpose.value)
    if await acting.ask(lambda db: queries.has_factor(db, person.id)):
        return sign_in.ask_for_code(acting, person, "")
    answer = RedirectResponse("/", status_code=303)
    set_session(answer, acting.site.settings, session)
    sign_in.know_device(answer, acting.site, person)
    return answer


def _why_not(form: ChosenPasswordForm, *own: str) -> tuple[str, Reason] | None:
    if reason := why_not_password(form.password, *own):
        return "password", reason
    return None if form.password == form.again else ("again", Reason("The two passwords are not the same."))


routes = [
    Route("/forgotten", show_forgotten, name="accounts.forgotten"),
    Route("/forgotten", forget, methods=["POST"], name="accounts.forget"),
    Route("/people/{id}/invitations", make_invitation, methods=["POST"], name="accounts.invite"),
    Route("/links/{purpose}/{token}", show_link, name="accounts.link"),
    Route("/links/{purpose}/{token}", choose_password, methods=["POST"], name="accounts.choose_password"),
]
