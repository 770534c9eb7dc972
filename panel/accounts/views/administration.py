"""Administration: what needs mending first, the offices, the letterhead, who is signed in."""

from collections.abc import Mapping, Sequence

from sqlmodel import Session
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from panel import VERSION
from panel.accounts import actions, queries
from panel.accounts.forms import LetterheadForm, OfficeForm
from panel.accounts.models import Appointment, Person
from panel.accounts.views.desk import desk
from panel.core import hooks, log, mail
from panel.core.errors import Reason
from panel.core.forms import Form
from panel.core.hooks import Problem
from panel.core.i18n import LOCALES, own_name
from panel.core.mode import REMEDIES
from panel.core.pages import Acting, Reading, Site, act, page
from panel.core.security import Office


def problems(db: Session, site: Site) -> list[Problem]:
    """Return which offices nobody holds (hooks.PROBLEMS)."""
    found = []
    rules = queries.office_rules()
    for office in (rules.giver, Office.AUDIT):
        if not queries.holders(db, office):
            title = Reason("No %(office)s is named.", office=rules.texts[office].title)
            found.append(Problem(title, Reason("Name one"), "/administration/offices"))
    if len(queries.holders(db, Office.SYSTEM)) == 1:
        title = Reason("There is only one system administrator: if they are ill, nobody can help.")
        found.append(Problem(title, Reason("Name a second one"), "/administration/offices"))
    return found


@page("accounts.see_administration")
def show(reading: Reading) -> Response:
    """The first problem with what mends it, then everything that can be administered."""
    found, trouble = hooks.problems(reading.db, reading.site), reading.site.mode.trouble
    remedy = None if trouble is None else REMEDIES[trouble]
    return reading.render("accounts/administration.html", problems=found, version=VERSION, remedy=remedy)


@page("accounts.see_administration")
def show_offices(reading: Reading) -> Response:
    """Who holds which office, since when, given by whom; who held it before."""
    given = queries.appointments(reading.db)
    return reading.render(
        "accounts/offices.html", rules=queries.office_rules(), given=given, names=_names(reading.db, given),
        people=[person for person in queries.people(reading.db) if person.disabled_at is None],
    )  # fmt: skip


def _names(db: Session, given: Sequence[Appointment]) -> Mapping[str, str]:
    ids = {id for each in given for id in (each.person_id, each.given_by, each.ended_by) if id}
    return {id: person.name for id in ids if (person := db.get(Person, id)) is not None}


@act("accounts.give_offices", form=OfficeForm)
async def give_office(acting: Acting, form: OfficeForm) -> Response:
    """Give somebody an office."""
    await acting.write(actions.give_office, person_id=form.person, office=form.office)
    log.security("office_given", person=form.person, office=form.office.value, by=acting.me.person_id)
    return RedirectResponse("/administration/offices", status_code=303)


@act("accounts.give_offices", of=queries.appointment)
async def end_office(acting: Acting, given: Appointment, form: Form) -> Response:
    """End an appointment."""
    await acting.write(actions.end_office, appointment_id=given.id)
    log.security("office_ended", person=given.person_id, office=given.office.value, by=acting.me.person_id)
    return RedirectResponse("/administration/offices", status_code=303)


@page("accounts.describe")
def show_letterhead(reading: Reading) -> Response:
    """What the header and the footer show."""
    return reading.render(
        "accounts/letterhead.html", values={"locale": "zh_CN", **reading.site.letterhead()}, errors={},
        languages=[(locale, own_name(locale)) for locale in LOCALES],
    )  # fmt: skip


@act("accounts.describe", form=LetterheadForm)
async def describe(acting: Acting, form: LetterheadForm) -> Response:
    """Change it."""
    await acting.write(actions.describe, **form.model_dump())
    log.security("installation_described", by=acting.me.person_id)
    return RedirectResponse("/administration", status_code=303)


@page("accounts.end_sessions")
def show_sessions(reading: Reading) -> Response:
    """Who is signed in, with what, since when."""
    signed_in = desk(reading.site).signed_in
    rows = [
        {"row": row, "name": name, "seen_at": signed_in.last_seen(row), "own": row.person_id == reading.me.person_id}
        for row, name in queries.all_sessions(reading.db, reading.now)
    ]
    return reading.render("accounts/sessions.html", sessions=rows)


@act("accounts.end_sessions", of=queries.person)
async def end_sessions(acting: Acting, person: Person, form: Form) -> Response:
    """End every sign-in of somebody."""
    ended = await acting.write(actions.end_sessions_of, person_id=person.id)
    log.security("sessions_ended", person=person.id, sessions=ended, by=acting.me.person_id)
    return RedirectResponse("/administration/sessions", status_code=303)


@page("accounts.see_mail")
def show_mail(reading: Reading) -> Response:
    """The outbox: what waits, what was sent, what was refused and why."""
    by_mail = mail.configured(reading.site.settings)
    return reading.render("accounts/mail.html", mails=mail.queue(reading.db), states=mail.STATES, by_mail=by_mail)


@act("accounts.see_mail")
async def try_mail(acting: Acting, form: Form) -> Response:
    """Let what waits be tried at once."""
    await acting.write(mail.try_again)
    log.security("mail_tried_again", by=acting.me.person_id)
    return RedirectResponse("/administration/mail", status_code=303)


@act("accounts.see_mail")
async def strike_mail(acting: Acting, form: Form) -> Response:
    """Strike the mails that were given up, once somebody has seen to them."""
    struck = await acting.write(mail.strike)
    log.security("mail_struck", mails=struck, by=acting.me.person_id)
    return RedirectResponse("/administration/mail", status_code=303)


routes = [
    Route("/administration", show, name="accounts.administration"),
    Route("/administration/offices", show_offices, name="accounts.offices"),
    Route("/administration/offices", give_office, methods=["POST"], name="accounts.give_office"),
    Route("/appointments/{id}/ending", end_office, methods=["POST"], name="accounts.end_office"),
    Route("/administration/letterhead", show_letterhead, name="accounts.letterhead"),
    Route("/administration/letterhead", describe, methods=["POST"], name="accounts.describe"),
    Route("/administration/sessions", show_sessions, name="accounts.sessions"),
    Route("/administration/mail", show_mail, name="accounts.mail"),
    Route("/administration/mail", try_mail, methods=["POST"], name="accounts.try_mail"),
    Route("/administration/mail/striking", strike_mail, methods=["POST"], name="accounts.strike_mail"),
    Route("/people/{id}/sessions/endings", end_sessions, methods=["POST"], name="accounts.end_sessions_of"),
]
