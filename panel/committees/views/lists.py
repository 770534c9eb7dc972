"""Lists for the roster: pasted or in a file, with a look at how they are read before they are taken."""

from dataclasses import dataclass, field

from sqlmodel import Session
from starlette.responses import Response
from starlette.routing import Route

from panel.accounts.views import links
from panel.accounts.views.desk import drawn
from panel.committees import actions, queries, roster, rules
from panel.committees.forms import RosterForm
from panel.committees.queries import Checked
from panel.core import log, sheets
from panel.core.errors import Reason
from panel.core.pages import Acting, Edge, Reading, act, page
from panel.core.text import many_lines
from panel.core.words import CATEGORIES

SHOWN = 200
"""Lines of a list that a page shows, of each kind: those to mend, those to look at, the others."""

FURTHER = ("expertise", "term_from", "term_until", "away_until", "away_why")
"""Columns that a list may have besides."""

FIELD_BYTES = 8 * 1024 * 1024
"""The longest list in UTF-8."""


@dataclass(frozen=True)
class Looked:
    """How a list is read. `text` is what can be mended; `unreadable` why it is no list at all, or an empty one."""

    text: str = ""
    checked: list[Checked] = field(default_factory=list)
    unreadable: Reason | None = None

    @property
    def why_not(self) -> Reason | None:
        """Say why the list cannot be taken."""
        if not self.checked:
            return self.unreadable
        return rules.why_not_import([each.problem for each in self.checked])

    @property
    def kinds(self) -> list[list[Checked]]:
        """Return the lines that have to be mended, those to look at, and the others."""
        wrong = [each for each in self.checked if each.problem is not None]
        told = [each for each in self.checked if each.problem is None and each.flags]
        return [wrong, told, [each for each in self.checked if each.problem is None and not each.flags]]


@page("committees.keep_roster")
def show_import(reading: Reading) -> Response:
    """Where a list is pasted."""
    return _import(reading, Looked(), first_run=reading.request.query_params.get("step") == "3")


def _import(here: Edge, looked: Looked, *, first_run: bool, status: int = 200) -> Response:
    kinds = looked.kinds
    return here.render(
        "committees/roster_import.html", status=status, pasted=looked.text, number=len(looked.checked),
        first_run=first_run, why_not=looked.why_not, kinds=kinds, shown=[kind[:SHOWN] for kind in kinds],
        there=sum(each.there for each in looked.checked), columns=rules.COLUMNS,
        media_type=sheets.MEDIA_TYPE, further=[here.gettext(rules.COLUMNS[column]) for column in FURTHER],
        categories=[here.gettext(label) for label in CATEGORIES.values()],
    )  # fmt: skip


@act("committees.keep_roster", form=RosterForm, longest=FIELD_BYTES)
async def import_roster(acting: Acting, form: RosterForm) -> Response:
    """Show how a list is read; or, once it was looked at, take it, and make an invitation for every new account.

    A file is looked at first, like any list, and then stands on the page to be mended.
    """
    content = None if form.file is None else await form.file.read()
    first_run, taking = form.first_run == "1", form.step == "take" and content is None

    def look(db: Session) -> Looked:
        text = many_lines(form.pasted)
        try:
            if content is not None:
                text = many_lines(sheets.text_of(content))
            checked = queries.checked(db, roster.read(text, queries.roster_words()))
            return Looked(text, checked, None if checked else rules.why_not_import([]))
        except sheets.Unreadable as problem:
            return Looked(text, unreadable=rules.UNREADABLE[problem.code])

    looked = await acting.ask(look)
    if not taking or looked.why_not is not None:
        refused = taking or looked.unreadable is not None
        return _import(acting, looked, first_run=first_run, status=422 if refused else 200)
    return await _taken(acting, [each.line for each in looked.checked], first_run=first_run)


async def _taken(acting: Acting, lines: list[roster.Line], *, first_run: bool) -> Response:
    new = await acting.write(actions.import_roster, lines=lines)
    log.security("roster_imported", lines=len(lines), accounts=len(new), by=acting.me.person_id)
    at_once = new if len(new) <= rules.MOST_INVITED else []
    invited = [(person, await links.invite(acting, person, keyed=False)) for person in at_once]
    slips = [(person, link, drawn(link)) for person, link in invited if link]
    return acting.render(
        "committees/roster_imported.html", number=len(lines), new=len(new), slips=slips,
        mailed=len(invited) - len(slips), later=len(new) - len(invited), first_run=first_run,
    )  # fmt: skip


routes = [
    Route("/administration/roster/import", show_import, name="committees.roster_import"),
    Route("/administration/roster/import", import_roster, methods=["POST"], name="committees.import_roster"),
]
