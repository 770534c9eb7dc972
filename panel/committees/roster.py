"""Reading a list that was pasted from a spreadsheet: one person a line, columns by their headings or in this order."""

import csv
import io
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

ORDER = ("name", "category", "unit", "mail", "login")
"""The columns of a list without headings."""

SEPARATORS = ("\t", ",", "\N{FULLWIDTH COMMA}", ";")  # zh: a comma of Chinese keyboards


WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How files of spreadsheet programs begin, new and old: they are saved as text first."""


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


class Unreadable(ValueError):
    """This is no list: `code` is workbook, encoding, or quotation."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def decoded(content: bytes) -> str:
    """Return the text of a list as spreadsheets save it: UTF-8 or UTF-16 by its mark, else UTF-8, else GB 18030.

    "Unicode Text" of Excel is UTF-16 with a mark; its CSV in a Chinese Windows is GB 18030 without one. Raises
    Unreadable.
    """
    if content.startswith(WORKBOOKS):
        raise Unreadable("workbook")
    marked = content.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable("encoding")


def read(text: str, words: Words) -> list[Line]:
    """Read a list; lines with nothing in them are passed over. Every line keeps its number, from 1.

    A line is a row of the spreadsheet: one that is broken inside quotation marks counts once. Raises Unreadable where a
    quotation mark has swallowed more than a cell can hold.
    """
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
    read_rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    cells = ((number, [cell.strip() for cell in row]) for number, row in enumerate(read_rows, start=1))
    try:
        return [(number, row) for number, row in cells if any(row)]
    except csv.Error:
        raise Unreadable("quotation") from None


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
