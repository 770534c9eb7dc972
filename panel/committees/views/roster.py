"""The roster: who may sit on committees; a list pasted from a spreadsheet, with a look at it before it is taken."""

from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from panel.accounts.views import links
from panel.accounts.views.desk import drawn
from panel.committees import actions, queries, roster, rules
from panel.committees.forms import RosterForm
from panel.committees.models import RosterMember
from panel.core import log
from panel.core.errors import Reason
from panel.core.forms import Form
from panel.core.pages import Acting, Edge, Reading, act, page
from panel.core.words import CATEGORIES


@page("committees.see_roster")
def show_roster(reading: Reading) -> Response:
    """Who is on the roster, by category."""
    return reading.render("committees/roster.html", members=queries.roster(reading.db))


@page("committees.keep_roster")
def show_import(reading: Reading) -> Response:
    """Where a list is pasted."""
    step = reading.request.query_params.get("step") == "3"
    return _import(reading, pasted="", checked=[], first_run=step)


def _import(
    here: Edge, *, pasted: str, checked: list[tuple[roster.Line, str]], first_run: bool, status: int = 200,
    why_not: Reason | None = None,
) -> Response:  # fmt: skip
    if checked:
        why_not = rules.why_not_import([problem for _, problem in checked])
    return here.render(
        "committees/roster_import.html", status=status, pasted=pasted, checked=checked, first_run=first_run,
        why_not=why_not, problems=rules.LINE_PROBLEMS,
        categories=[here.gettext(label) for label in CATEGORIES.values()],
    )  # fmt: skip


@act("committees.keep_roster", form=RosterForm)
async def import_roster(acting: Acting, form: RosterForm) -> Response:
    """Show how a list is read; or, once it was looked at, take it, and make an invitation for every new account."""
    first_run = form.first_run == "1"
    try:
        form = await _opened(form)
        lines = roster.read(form.pasted, queries.roster_words())
    except roster.Unreadable as problem:
        why_not = rules.UNREADABLE[problem.code]
        return _import(acting, pasted=form.pasted, checked=[], first_run=first_run, status=422, why_not=why_not)

    def look(db: Session) -> list[tuple[roster.Line, str]]:
        return queries.checked(db, lines)

    checked = await acting.ask(look)
    if form.step != "take" or rules.why_not_import([problem for _, problem in checked]) is not None:
        status = 200 if form.step != "take" else 422
        return _import(acting, pasted=form.pasted, checked=checked, first_run=first_run, status=status)
    new = await acting.write(actions.import_roster, lines=lines)
    log.security("roster_imported", lines=len(lines), accounts=len(new), by=acting.me.person_id)
    invited = [(person, await links.invite(acting, person, keyed=False)) for person in new]
    slips = [(person, link, drawn(link)) for person, link in invited if link]
    return acting.render(
        "committees/roster_imported.html", lines=lines, new=new, slips=slips, mailed=len(new) - len(slips),
        first_run=first_run,
    )  # fmt: skip


async def _opened(form: RosterForm) -> RosterForm:
    """Take a file's text for what was pasted: it is looked at first, like any list. Raises Unreadable."""
    if form.file is None:
        return form
    text = roster.decoded(await form.file.read())
    return RosterForm.parse(FormData({"pasted": text, "step": "look", "first_run": form.first_run}))


@act("committees.keep_roster", of=queries.roster_member)
async def remove(acting: Acting, member: RosterMember, form: Form) -> Response:
    """Take somebody off the roster."""
    await acting.write(actions.remove_from_roster, member_id=member.id)
    log.security("roster_member_removed", person=member.person_id, by=acting.me.person_id)
    return RedirectResponse("/administration/roster", status_code=303)


routes = [
    Route("/administration/roster", show_roster, name="committees.roster"),
    Route("/administration/roster/import", show_import, name="committees.roster_import"),
    Route("/administration/roster/import", import_roster, methods=["POST"], name="committees.import_roster"),
    Route("/roster/{id}/removal", remove, methods=["POST"], name="committees.remove_from_roster"),
]
