"""Administration of people: who has an account, adding one, closing one."""

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from panel.accounts import actions, queries
from panel.accounts.forms import PersonForm
from panel.accounts.models import Person
from panel.core import log
from panel.core.errors import Refused
from panel.core.forms import Form
from panel.core.pages import Acting, Reading, act, page


@page("accounts.see_people")
def show_people(reading: Reading) -> Response:
    """Everybody who has an account, with their offices."""
    people = queries.people(reading.db)
    offices = {person.id: queries.offices_of(reading.db, person.id) for person in people}
    rules = queries.office_rules()
    return reading.render("accounts/people.html", people=people, offices=offices, rules=rules, errors={}, typed={})


@page("accounts.see_people", of=queries.person)
def show_person(reading: Reading, person: Person) -> Response:
    """One account: its offices, its sign-ins, and what can be done with it."""
    given = queries.appointments(reading.db, person.id)
    givers = {id: giver.name for each in given if (id := each.given_by) and (giver := reading.db.get(Person, id))}
    return reading.render(
        "accounts/person.html", person=person, given=given, names=givers, rules=queries.office_rules(),
        has_factor=queries.has_factor(reading.db, person.id), signed_in=len(queries.sessions(reading.db, person.id)),
    )  # fmt: skip


@act("accounts.add_people", form=PersonForm)
async def add_person(acting: Acting, form: PersonForm) -> Response:
    """Make an account; its person chooses the password, never the administrator."""
    try:
        person = await acting.write(actions.invite_person, name=form.name, login=form.login, mail=form.mail)
    except Refused as refused:
        return await _again(acting, form, refused)
    log.security("person_added", person=person.id, by=acting.me.person_id)
    return RedirectResponse(f"/people/{person.id}", status_code=303)


async def _again(acting: Acting, form: PersonForm, refused: Refused) -> Response:
    people = await acting.ask(queries.people)
    held = {person.id: frozenset[str]() for person in people}
    errors = {"login": acting.gettext.reason(refused.reason)}
    return acting.render(
        "accounts/people.html", status=refused.status, people=people, offices=held, rules=queries.office_rules(),
        errors=errors, typed=form.model_dump(),
    )  # fmt: skip


@act("accounts.close_accounts", of=queries.person)
async def disable(acting: Acting, person: Person, form: Form) -> Response:
    """Close an account."""
    await acting.write(actions.disable, person_id=person.id)
    log.security("person_disabled", person=person.id, by=acting.me.person_id)
    return RedirectResponse(f"/people/{person.id}", status_code=303)


@act("accounts.close_accounts", of=queries.person)
async def enable(acting: Acting, person: Person, form: Form) -> Response:
    """Open an account again."""
    await acting.write(actions.enable, person_id=person.id)
    log.security("person_enabled", person=person.id, by=acting.me.person_id)
    return RedirectResponse(f"/people/{person.id}", status_code=303)


routes = [
    Route("/administration/people", show_people, name="accounts.people"),
    Route("/administration/people", add_person, methods=["POST"], name="accounts.add_person"),
    Route("/people/{id}", show_person, name="accounts.person"),
    Route("/people/{id}/closing", disable, methods=["POST"], name="accounts.disable"),
    Route("/people/{id}/opening", enable, methods=["POST"], name="accounts.enable"),
]
