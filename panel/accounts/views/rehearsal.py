"""A rehearsal: a hearing on a fictional case in which people take seats and the simulation takes the others."""

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from panel.accounts import actions, queries
from panel.accounts.models import Person
from panel.accounts.queries import DemoPlace
from panel.accounts.views.demo import person_of
from panel.accounts.views.desk import Rehearsal, desk, device_of, set_cookie, set_session
from panel.core import log
from panel.core.errors import NotFound, Reason, Refused
from panel.core.forms import Form
from panel.core.ids import new_reference
from panel.core.pages import Acting, Edge, Reading, act, page

BEFORE = "pv_before"
"""The cookie that keeps one's own session while one sits in a rehearsal."""


def _rehearsal(here: Edge) -> Rehearsal:
    """Return what holds rehearsals; where nothing does (the demo, a test), there is no such page."""
    found = desk(here.site).rehearsal
    if found is None:
        raise NotFound
    return found


@page("accounts.take_part")
def show(reading: Reading) -> Response:
    """Where a rehearsal is begun, joined, and wiped."""
    rehearsal, demo = _rehearsal(reading), desk(reading.site).demo
    taken = queries.taken_logins(reading.db, reading.now) if demo else set[str]()
    first_run, left = reading.request.query_params.get("step") == "4", rehearsal.left(reading.db)
    return reading.render(
        "accounts/rehearsal.html", running=rehearsal.running and left, places=demo.places if demo else (), taken=taken,
        story=list(demo.story) if demo else [], left=left, first_run=first_run,
    )  # fmt: skip


@act("accounts.rehearse")
async def begin(acting: Acting, form: Form) -> Response:
    """Begin a rehearsal; what an earlier one left is wiped first."""
    await acting.write(_rehearsal(acting).file)
    _rehearsal(acting).hold()
    log.security("rehearsal_begun", by=acting.me.person_id)
    return RedirectResponse("/rehearsal", status_code=303)


@act("accounts.rehearse")
async def wipe(acting: Acting, form: Form) -> Response:
    """End the rehearsal and wipe everything that belongs to it."""
    _rehearsal(acting).stop()
    wiped = await acting.write(_rehearsal(acting).wipe)
    log.security("rehearsal_wiped", by=acting.me.person_id, entries=wiped)
    return RedirectResponse("/rehearsal", status_code=303)


@act("accounts.take_part", of=person_of)
async def take_seat(acting: Acting, someone: Person, form: Form) -> Response:
    """Take a seat; one's own sign-in waits and is gone back to afterwards."""
    place, site = _place(acting, someone), acting.site
    if acting.me.rehearsing:
        raise Refused(Reason("You sit in this rehearsal already. Go back to your own account first."))
    reference = new_reference()
    await acting.write_unkeyed(
        actions.sign_in, person_id=someone.id, reference=reference, device=device_of(acting.request),
        hours=site.settings.session_hours, rehearsing=True,
    )  # fmt: skip
    log.security("rehearsal_seat_taken", person=acting.me.person_id, seat=someone.id)
    answer = RedirectResponse(place.path, status_code=303)
    set_cookie(answer, site.settings, BEFORE, acting.request.cookies.get(site.settings.cookie, ""))
    set_session(answer, site.settings, reference)
    return answer


def _place(here: Edge, someone: Person) -> DemoPlace:
    demo = desk(here.site).demo if _rehearsal(here).running else None
    place = demo.place(someone.login) if demo else None
    if place is None:
        raise NotFound
    return place


@act("accounts.take_part")
async def leave_seat(acting: Acting, form: Form) -> Response:
    """Leave one's seat to the simulation and go back to one's own account."""
    site, before = acting.site, acting.request.cookies.get(BEFORE, "")
    if not acting.me.rehearsing:
        raise NotFound
    await acting.write_unkeyed(actions.sign_out)
    answer = RedirectResponse("/rehearsal", status_code=303)
    set_session(answer, site.settings, before)
    set_cookie(answer, site.settings, BEFORE, "", max_age=0)
    return answer


routes = [
    Route("/rehearsal", show, name="accounts.rehearsal"),
    Route("/rehearsal", begin, methods=["POST"], name="accounts.begin_rehearsal"),
    Route("/rehearsal/wiping", wipe, methods=["POST"], name="accounts.wipe_rehearsal"),
    Route("/rehearsal/leaving", leave_seat, methods=["POST"], name="accounts.leave_seat"),
    Route("/rehearsal/seats/{login}", take_seat, methods=["POST"], name="accounts.take_seat"),
]
