"""Reading a list of those who may sit: one person a row, columns by their headings or in this order."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from panel.core import sheets

ORDER = ("name", "category", "unit", "mail", "login", "expertise", "term_from", "term_until")
"""The columns of a list without headings."""

DAYS = ("term_from", "term_until", "away_until")
DAY = re.compile(r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|年(\d{1,2})月(\d{1,2})日)")  # zh: 2026年1月31日
ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"})
"""What spreadsheets write into a cell whose formula went wrong."""

DOTS = dict.fromkeys(map(ord, "·•‧∙⋅・･．."), "\N{MIDDLE DOT}")  # zh: dots
"""The dots between the parts of a name; keyboards differ in them."""


@dataclass(frozen=True)
class Words:
    """The words that head columns, and the words for categories (rulepacks/roster.toml); in lower case."""

    columns: Mapping[str, Sequence[str]]
    categories: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Line:
    """One line of the list, as it was typed. `category` is a code; empty where its word is not known.

    `problem`: no_name, no_category, unknown_category, no_day, error, twice; empty for a line that can be taken.
    `wrong` is the cell that it is about. `flags`: same_person, same_mail, formula; it can be taken, but look at it.
    `given`: the columns that the list has; of whoever is on the roster, the others stay as they are.
    """

    number: int
    name: str
    category: str
    unit: str
    mail: str
    login: str
    typed_category: str = ""
    problem: str = ""
    wrong: str = ""
    expertise: str = ""
    term_from: date | None = None
    term_until: date | None = None
    away_until: date | None = None
    away_why: str = ""
    flags: tuple[str, ...] = ()
    given: frozenset[str] = frozenset()


def read(text: str, words: Words) -> list[Line]:
    """Read a list; rows with nothing in them are passed over. Every line keeps its row's number, from 1.

    Raises sheets.Unreadable.
    """
    rows = sheets.rows_of(text)
    if not rows:
        return []
    places = _headings(rows[0][1], words)
    lines = (
        [_line(number, cells, places, words, frozenset(filter(None, places))) for number, cells in rows[1:]] if places
        else [_line(number, cells, ORDER, words, frozenset(ORDER[: len(cells)])) for number, cells in rows]
    )  # fmt: skip
    logins = Counter(line.login.casefold() for line in lines if line.login)
    mails = Counter(line.mail.casefold() for line in lines if line.mail)
    people = Counter(likeness(line.name, line.unit) for line in lines if line.name)
    return [
        replace(
            line, problem=line.problem or ("twice" if logins[line.login.casefold()] > 1 else ""),
            flags=(
                *(["same_person"] if people[likeness(line.name, line.unit)] > 1 else ()),
                *(["same_mail"] if mails[line.mail.casefold()] > 1 else ()),
                *line.flags,
            ),
        )
        for line in lines
    ]  # fmt: skip


def likeness(name: str, unit: str) -> tuple[str, str]:
    """Return what is alike of two entries that may be one person, whatever their spaces, widths and kinds of dots."""
    return _plain(name), _plain(unit)


def _plain(written: str) -> str:
    return "".join(unicodedata.normalize("NFKC", written.translate(DOTS)).translate(DOTS).split()).casefold()


def day(written: str) -> date | None:
    """Read a day as people and spreadsheets write it, or return None: 2026-01-31, 2026/1/31, 2026年1月31日."""
    found = DAY.fullmatch(written.replace(" ", ""))
    try:
        return date(int(found[1]), int(found[3] or found[5]), int(found[4] or found[6])) if found else None
    except ValueError:
        return None


def _headings(cells: Sequence[str], words: Words) -> tuple[str, ...] | None:
    """Return the column of each cell if this line is one of headings: it must head the names."""
    found = tuple(
        next((column for column, heads in words.columns.items() if cell.casefold() in heads), "") for cell in cells
    )
    return found if "name" in found else None


def _line(number: int, cells: Sequence[str], places: Sequence[str], words: Words, given: frozenset[str]) -> Line:
    said = {place: cell for place, cell in zip(places, cells, strict=False) if place}
    typed = said.get("category", "")
    category = next((code for code, known in words.categories.items() if typed.casefold() in known), "")
    name, mail = said.get("name", ""), said.get("mail", "")
    days = {column: day(said.get(column, "")) for column in DAYS}
    no_day = next((said[column] for column in DAYS if said.get(column) and days[column] is None), "")
    error = next((cell for cell in said.values() if cell.upper() in ERRORS), "")
    problem = (
        "error" if error else "no_name" if not name else "no_category" if not typed
        else "unknown_category" if not category else "no_day" if no_day else ""
    )  # fmt: skip
    login = said.get("login", "") or mail or name.replace(" ", "")
    return Line(
        number, name, category, said.get("unit", ""), mail, login, typed, problem, error or no_day,
        expertise=said.get("expertise", ""), away_why=said.get("away_why", ""), **days,
        flags=("formula",) if any(len(cell) > 1 and sheets.RUN.match(cell) for cell in said.values()) else (),
        given=given,
    )  # fmt: skip
