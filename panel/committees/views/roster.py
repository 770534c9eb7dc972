"""The roster: who may sit on committees, by category; what it says of one of them; the whole as a file."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sqlmodel import Session
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from panel.accounts.models import Person
from panel.committees import actions, queries, rules
from panel.committees.forms import RosterFileForm, RosterMemberForm
from panel.committees.models import RosterMember
from panel.core import log, sheets
from panel.core.errors import Invalid, Label
from panel.core.forms import Form
from panel.core.i18n import Translator
from panel.core.pages import Acting, Edge, Reading, act, page
from panel.core.words import CATEGORIES

A_PAGE = 50
"""People on one page of the roster."""

TONES = {"available": "done", "before": "wait", "after": "closed", "away": "wait", "closed": "recused"}

COUNTED = (Label("Cases served"), Label("Of these, this year"))
"""What a saved roster tells besides; counted from the seats, so that importing it changes nothing."""

MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": sheets.MEDIA_TYPE}


@dataclass(frozen=True)
class Wish:
    """Whom somebody looks for on the roster: by a text in name, unit or field; of a category; in a state."""

    text: str = ""
    category: str = ""
    state: str = ""

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> "Wish":
        """Read an address; what nobody can be is no wish."""
        category, state = asked.get("category", ""), asked.get("state", "")
        return cls(
            asked.get("q", "").strip()[:80], category if category in CATEGORIES else "",
            state if state in rules.AVAILABILITY else "",
        )  # fmt: skip

    def address(self, **other: Any) -> str:
        """Return the query of this wish with something changed."""
        asked = {"q": self.text, "category": self.category, "state": self.state, **other}
        return urlencode({name: value for name, value in asked.items() if value})

    def fits(self, member: RosterMember, person: Person, state: str) -> bool:
        """Say whether somebody is looked for, whatever their category."""
        written = f"{person.name}\n{member.unit}\n{member.expertise}".casefold()
        return self.text.casefold() in written and self.state in {"", state}


@page("committees.see_roster")
def show_roster(reading: Reading) -> Response:
    """Who is on the roster: those that are looked for, a page of them, and how many there are in each category."""
    wish, today = Wish.of(reading.request.query_params), _today(reading)
    everybody = [(member, person, rules.availability(member, person, today)) for member, person in _roster(reading)]
    found = [each for each in everybody if wish.fits(*each)]
    counts = Counter(member.category.value for member, _, _ in found)
    shown = [each for each in found if wish.category in {"", each[0].category.value}]
    pages = max(1, -(-len(shown) // A_PAGE))
    number = min(_number(reading.request.query_params.get("page", "")), pages)
    return reading.render(
        "committees/roster.html", everybody=len(everybody), found=len(found), counts=counts, wish=wish, pages=pages,
        number=number, members=shown[(number - 1) * A_PAGE : number * A_PAGE], availability=rules.AVAILABILITY,
        states=[("", reading.gettext("All")), *_pairs(reading, rules.AVAILABILITY)],
        served=queries.cases_served(reading.db, reading.now, reading.site.zone), nobody=queries.Served(), tones=TONES,
    )  # fmt: skip


def _pairs(here: Edge, words: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(code, here.gettext(label)) for code, label in words.items()]


def _roster(reading: Reading) -> Sequence[tuple[RosterMember, Person]]:
    return queries.roster(reading.db)


def _today(here: Edge) -> date:
    return here.now.astimezone(here.site.zone).date()


def _number(asked: str) -> int:
    return max(1, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1


@page("committees.keep_roster", of=queries.roster_member)
def show_member(reading: Reading, member: RosterMember) -> Response:
    """What the roster says of somebody, to be changed."""
    return _member(reading, member, reading.db.get_one(Person, member.person_id), rules.place_of(member))


def _member(
    here: Edge, member: RosterMember, person: Person, typed: Mapping[str, Any], *,
    errors: Mapping[str, str] | None = None,
) -> Response:  # fmt: skip
    return here.render(
        "committees/roster_member.html", status=422 if errors else 200, member=member, person=person, typed=typed,
        errors=errors or {}, longest=rules.LONGEST, columns=rules.COLUMNS, availability=rules.AVAILABILITY, tones=TONES,
        categories=_pairs(here, CATEGORIES), state=rules.availability(member, person, _today(here)),
    )  # fmt: skip


@act("committees.keep_roster", of=queries.roster_member, form=RosterMemberForm)
async def change_member(acting: Acting, member: RosterMember, form: RosterMemberForm) -> Response:
    """Change what the roster says of somebody."""
    typed = form.model_dump()
    try:
        await acting.write(actions.change_roster_member, member_id=member.id, **typed)
    except Invalid as refused:
        person = await acting.ask(lambda db: db.get_one(Person, member.person_id))
        errors = {name: acting.gettext.reason(why) for name, why in refused.fields.items()}
        return _member(acting, member, person, typed, errors=errors)
    log.security("roster_member_changed", person=member.person_id, by=acting.me.person_id)
    return RedirectResponse("/administration/roster", status_code=303)


@act("committees.keep_roster", of=queries.roster_member)
async def remove(acting: Acting, member: RosterMember, form: Form) -> Response:
    """Take somebody off the roster."""
    await acting.write(actions.remove_from_roster, member_id=member.id)
    log.security("roster_member_removed", person=member.person_id, by=acting.me.person_id)
    return RedirectResponse("/administration/roster", status_code=303)


@act("committees.export_roster", form=RosterFileForm)
async def export(acting: Acting, form: RosterFileForm) -> Response:
    """Hand out the roster as a file; that it was handed out stands in the security log."""
    made, people = await acting.ask(
        lambda db: roster_file(db, acting.gettext, form.kind, now=acting.now, zone=acting.site.zone)
    )
    log.security("roster_exported", people=people, kind=form.kind, by=acting.me.person_id)
    named = {"Content-Disposition": f'attachment; filename="roster-{_today(acting).isoformat()}.{form.kind}"'}
    return Response(made, media_type=MEDIA_TYPES[form.kind], headers=named)


def roster_file(db: Session, words: Translator, kind: str, *, now: datetime, zone: ZoneInfo) -> tuple[bytes, int]:
    """Write the roster as CSV or as a workbook, which can be imported again; return how many are on it, too."""
    everybody, served = queries.roster(db), queries.cases_served(db, now, zone)
    heads: list[sheets.Cell] = [
        *(words(label) for label in rules.COLUMNS.values()),
        words("Cases served"),
        words("Of these, this year"),
    ]
    rows = [heads, *(_row(words, *each, served.get(each[1].id, queries.Served())) for each in everybody)]
    made = sheets.csv_of(rows) if kind == "csv" else sheets.workbook_of(words("The committee's roster"), rows)
    return made, len(everybody)


def _row(words: Translator, member: RosterMember, person: Person, served: queries.Served) -> list[sheets.Cell]:
    said = {**rules.place_of(member), "name": person.name, "login": person.login}
    said["category"] = words(CATEGORIES[member.category.value])
    return [*(said[column] for column in rules.COLUMNS), served.ever, served.this_year]


routes = [
    Route("/administration/roster", show_roster, name="committees.roster"),
    Route("/administration/roster/file", export, methods=["POST"], name="committees.export_roster"),
    Route("/roster/{id}", show_member, name="committees.roster_member"),
    Route("/roster/{id}", change_member, methods=["POST"], name="committees.change_roster_member"),
    Route("/roster/{id}/removal", remove, methods=["POST"], name="committees.remove_from_roster"),
]
