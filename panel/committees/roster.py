"""Reading a list that was pasted from a spreadsheet: one person a line, columns by their headings or in this order."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

ORDER = ("name", "category", "unit", "mail", "login")
"""The columns of a list without headings."""

SEPARATORS = ("\t", ",", "\N{FULLWIDTH COMMA}", ";")  # zh: a comma of Chinese keyboards


@dataclass(frozen=True)
class Words:
    """The words that head columns, and the words for categories (rulepacks/roster.toml); in lower case."""

    columns: Mapping[str, Sequence[str]]
    categories: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Line:
    """One line of the list, as it was typed. `category` is a code; empty where its word is not known.

    `problem`: no_name, no_category, unknown_category, twice; empty for a line that can be taken.
    """

    number: int
    name: str
    category: str
    unit: str
    mail: str
    login: str
    typed_category: str = ""
    problem: str = ""


def read(text: str, words: Words) -> list[Line]:
    """Read a list; lines with nothing in them are passed over. Every line keeps its number, from 1."""
    rows = _rows(text)
    if not rows:
        return []
    places = _headings(rows[0][1], words)
    lines = [_line(number, cells, places or ORDER, words) for number, cells in (rows[1:] if places else rows)]
    logins = Counter(line.login.casefold() for line in lines if line.login)
    return [
        replace(line, problem=line.problem or "twice") if logins[line.login.casefold()] > 1 else line for line in lines
    ]


def _rows(text: str) -> list[tuple[int, list[str]]]:
    separator = next((mark for mark in SEPARATORS if mark in text), "\t")
    read_rows = csv.reader(text.splitlines(), delimiter=separator)
    cells = ((number, [cell.strip() for cell in row]) for number, row in enumerate(read_rows, start=1))
    return [(number, row) for number, row in cells if any(row)]


def _headings(cells: Sequence[str], words: Words) -> tuple[str, ...] | None:
    """Return the column of each cell if this line is one of headings: it must head the names."""
    found = tuple(
        next((column for column, heads in words.columns.items() if cell.casefold() in heads), "") for cell in cells
    )
    return found if "name" in found else None


def _line(number: int, cells: Sequence[str], places: Sequence[str], words: Words) -> Line:
    said = {place: cell for place, cell in zip(places, cells, strict=False) if place}
    typed = said.get("category", "")
    category = next((code for code, known in words.categories.items() if typed.casefold() in known), "")
    name, mail = said.get("name", ""), said.get("mail", "")
    problem = "no_name" if not name else "no_category" if not typed else "unknown_category" if not category else ""
    login = said.get("login", "") or mail or name.replace(" ", "")
    return Line(number, name, category, said.get("unit", ""), mail, login, typed, problem)
