"""Tables as spreadsheets save them: text and workbooks read into rows, rows written so that nothing in them is run."""

import csv
import io
import re
import warnings
import zipfile
import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from itertools import zip_longest
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell

SEPARATORS = ("\t", ",", "\N{FULLWIDTH COMMA}", ";")  # zh: a comma of Chinese keyboards

MOST_BYTES = 8 * 1024 * 1024
MOST_UNPACKED = 24 * 1024 * 1024
"""Bytes of a workbook's parts that are read; ten thousand rows of twelve columns are a third of that."""

MOST_RATIO, MOST_MEMBERS = 100, 2000
MOST_TEXT = 2_000_000
"""Characters of a table."""

MOST_ROWS, MOST_COLUMNS = 10_001, 50
"""A heading and ten thousand rows. What stands to the right of the last column is not read."""

LAST_ROW = 1_048_576
"""The last row that a workbook can have."""

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WORKBOOK, OLD_WORKBOOK = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
READ = (".xml", ".rels")
MACROS = ("vbaproject.bin", "macrosheets/")

RUN = re.compile(r"'*[=+\-@\t\r\x00\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}"
                 r"\N{FULLWIDTH COMMERCIAL AT}]")  # fmt: skip
"""How a cell begins that a spreadsheet may run (security requirement 37), and one that was made safe."""

FORMULA = re.compile(rb"<(\w+:)?f[\s/>]")

Cell = str | int | date | None

warnings.filterwarnings("ignore", category=UserWarning, module=r"openpyxl\.")  # styles and extensions it passes over


class Unreadable(ValueError):
    """This is no table: `code` is encoding, quotation, size, old_workbook, macros, workbook, unfolds, or rows."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def text_of(content: bytes) -> str:
    """Return a file's table as text: a workbook's first sheet with tabs, any other file as it is. Raises Unreadable."""
    if len(content) > MOST_BYTES:
        raise Unreadable("size")
    if content.startswith(OLD_WORKBOOK):
        raise Unreadable("old_workbook")
    text = _first_sheet(content) if content.startswith(WORKBOOK) else _decoded(content)
    if len(text) > MOST_TEXT:
        raise Unreadable("size")
    return text


def _decoded(content: bytes) -> str:
    """Decode UTF-8 or UTF-16 by its mark, else UTF-8, else GB 18030.

    "Unicode Text" of Excel is UTF-16 with a mark; its CSV in a Chinese Windows is GB 18030 without one.
    """
    marked = content.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable("encoding")


def rows_of(text: str) -> list[tuple[int, list[str]]]:
    """Return the rows that hold something, each with its number from 1: a row broken inside quotation marks is one.

    Raises Unreadable where a quotation mark has swallowed more than a cell can hold.
    """
    first = text.lstrip("\r\n").partition("\n")[0]
    separator = next((mark for where in (first, text) for mark in SEPARATORS if mark in where), "\t")
    read = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    cells = ((number, [typed(cell) for cell in row]) for number, row in enumerate(read, start=1))
    try:
        return [(number, row) for number, row in cells if any(row)]
    except csv.Error:
        raise Unreadable("quotation") from None


def typed(cell: str) -> str:
    """Return what somebody typed into a cell, without the mark that made it safe."""
    return (cell[1:] if cell.startswith("'") and RUN.match(cell) else cell).strip()


def safe(cell: Cell) -> Cell:
    """Return a cell that no spreadsheet runs; `typed` gives back what it was."""
    return f"'{cell}" if isinstance(cell, str) and RUN.match(cell) else cell


def csv_of(rows: Iterable[Sequence[Cell]]) -> bytes:
    """Write CSV (RFC 4180) in UTF-8 with a mark, by which spreadsheets know it."""
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\r\n").writerows([_written(cell) for cell in row] for row in rows)
    return BOM_UTF8 + file.getvalue().encode()


def _written(cell: Cell) -> str:
    return cell.isoformat() if isinstance(cell, date) else "" if cell is None else str(safe(cell))


def workbook_of(title: str, rows: Iterable[Sequence[Cell]]) -> bytes:
    """Write a workbook of one sheet; days are days in it."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    for row in rows:
        sheet.append([_of_workbook(sheet, cell) for cell in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _of_workbook(sheet: Any, cell: Cell) -> Any:
    if not isinstance(cell, date):
        return safe(cell)
    made = WriteOnlyCell(sheet, datetime.combine(cell, time()))
    made.number_format = "yyyy-mm-dd"
    return made


def _first_sheet(content: bytes) -> str:
    """Return the first sheet with the values that its formulas had when it was saved; one without is left as typed."""
    formulas = _inspect(content)
    try:
        rows = _rows(content, computed=True)
        typed_in = _rows(content, computed=False) if formulas else None
        shown = rows if typed_in is None else map(_merged, rows, typed_in)
        return _with_tabs(shown)
    except Unreadable:
        raise
    except Exception as problem:  # whatever a reader of files meets in a broken one
        raise Unreadable("workbook") from problem


def _inspect(content: bytes) -> bool:
    """Refuse what is no workbook, holds macros, or unfolds to too much; say whether there are formulas in it.

    Python's own reader of archives, which reads it afterwards, stops at the size that an archive states.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            unpacked, packed = sum(m.file_size for m in members), sum(m.compress_size for m in members)
            if len(members) > MOST_MEMBERS or unpacked > MOST_RATIO * max(packed, 1):
                raise Unreadable("unfolds")
            if sum(m.file_size for m in members if m.filename.endswith(READ)) > MOST_UNPACKED:
                raise Unreadable("unfolds")
            names = [member.filename.lower() for member in members]
            if any(mark in name for name in names for mark in MACROS):
                raise Unreadable("macros")
            if b"macroEnabled" in archive.read("[Content_Types].xml"):
                raise Unreadable("macros")
            sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/") and name.endswith(READ)]
            return any(FORMULA.search(archive.read(name)) for name in sheets)
    except (zipfile.BadZipFile, zlib.error, KeyError, NotImplementedError, RuntimeError, OSError, EOFError) as problem:
        raise Unreadable("workbook") from problem


def _rows(content: bytes, *, computed: bool) -> Iterator[Sequence[Any]]:
    book = load_workbook(io.BytesIO(content), read_only=True, data_only=computed, keep_links=False)
    rows = book.worksheets[0].iter_rows(min_row=1, max_row=LAST_ROW, max_col=MOST_COLUMNS, values_only=True)
    filled, blank = 0, (None,) * MOST_COLUMNS
    for row in rows:
        if row == blank:
            yield ()
            continue
        filled += 1
        if filled > MOST_ROWS:
            raise Unreadable("rows")
        yield row


def _merged(values: Sequence[Any], typed_in: Sequence[Any]) -> list[Any]:
    """Return the values of a row, and where a formula has none, the formula itself."""
    both = zip_longest(values, typed_in)
    return [getattr(formula, "text", formula) if value is None else value for value, formula in both]


def _with_tabs(rows: Iterable[Sequence[Any]]) -> str:
    """Write rows as text, those without anything too, so that each keeps its number; stops where it is too much."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter="\t", lineterminator="\n")
    empty = 0
    for row in rows:
        cells = [_shown(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            empty += 1
            continue
        file.write("\n" * empty)
        empty = 0
        writer.writerow(cells)
        if file.tell() > MOST_TEXT:
            raise Unreadable("size")
    return file.getvalue()


def _shown(value: Any) -> str:
    """Write a value as a spreadsheet shows it: a day without its midnight, a whole number without its point."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    if isinstance(value, bool):
        return str(value).upper()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
