"""Tables of spreadsheets: read as they were saved, refused where they are a danger, written so that nothing is run."""

import csv
import io
import os
import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from panel.core.sheets import (
    MOST_BYTES,
    MOST_COLUMNS,
    Cell,
    Unreadable,
    csv_of,
    rows_of,
    safe,
    text_of,
    typed,
    workbook_of,
)

HEADS = ["姓名", "类别"]


def book(*rows: list[Any], more: Callable[[Workbook], object] | None = None) -> bytes:
    """Save a workbook with these rows on its first sheet."""
    made = Workbook()
    assert made.active is not None
    for row in rows:
        made.active.append(row)
    if more is not None:
        more(made)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def changed(
    content: bytes, part: str, change: Callable[[bytes], bytes], *, packed: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """Return a workbook with one of its parts changed."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", packed) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return file.getvalue()


def code_of(content: bytes) -> str:
    with pytest.raises(Unreadable) as refused:
        text_of(content)
    return refused.value.code


def test_the_first_sheet_is_read_with_its_values_as_they_are_shown() -> None:
    def second(made: Workbook) -> None:
        made.create_sheet("别的").append(["不读"])

    rows: list[list[Any]] = [
        HEADS,
        ["罗正", date(2026, 1, 31)],
        ["孟工", datetime.combine(date(2026, 1, 31), time(8, 30))],
        [7, 1.5],
        [3.0, True],
    ]
    assert [row for _, row in rows_of(text_of(book(*rows, more=second)))] == [
        HEADS, ["罗正", "2026-01-31"], ["孟工", "2026-01-31 08:30:00"], ["7", "1.5"], ["3", "TRUE"],
    ]  # fmt: skip


def test_rows_keep_their_numbers_and_cells_their_places() -> None:
    assert rows_of(text_of(book(HEADS, [], [None, "媒体"], [], ["a\nb\t,", "x"], []))) == [
        (1, HEADS), (3, ["", "媒体"]), (5, ["a\nb\t,", "x"]),
    ]  # fmt: skip


def test_of_a_formula_the_value_is_read_and_without_one_it_is_left_as_it_was_typed() -> None:
    content = book(HEADS, ["=A1", "=B9"], ["=C9"], ["'=1+1", "x"])
    sheet = "xl/worksheets/sheet1.xml"
    with_value = changed(content, sheet, lambda part: part.replace(b"<f>A1</f><v />", b"<f>A1</f><v>7</v>"))
    assert with_value != content
    assert [row for _, row in rows_of(text_of(with_value))] == [HEADS, ["7", "=B9"], ["=C9"], ["=1+1", "x"]]


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"PK\x03\x04rest", "workbook"), (b"\xd0\xcf\x11\xe0rest", "old_workbook"), (b"\x81\xff\x00\xff", "encoding"),
     (b"\xff\xfe\x00", "encoding"), (b"x" * (MOST_BYTES + 1), "size"), ("长".encode() * 2_000_001, "size")],
)  # fmt: skip
def test_what_is_no_table_says_what_it_is(content: bytes, code: str) -> None:
    assert code_of(content) == code


def with_part(content: bytes, name: str, part: bytes) -> bytes:
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, part)
    return file.getvalue()


def test_a_workbook_with_macros_is_refused_whatever_its_name() -> None:
    content = book(HEADS)
    assert code_of(with_part(content, "xl/vbaProject.bin", b"x")) == "macros"
    kind = b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"
    plain = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    assert code_of(changed(content, "[Content_Types].xml", lambda part: part.replace(plain, kind))) == "macros"
    assert text_of(with_part(content, "xl/printerSettings/printerSettings1.bin", b"x")), (
        "as Excel saves what was printed"
    )


def test_what_unfolds_to_too_much_is_refused_before_it_is_read() -> None:
    content = book(HEADS)
    assert code_of(with_part(content, "xl/media/image1.png", bytes(4_000_000))) == "unfolds"
    thin = b"".join(os.urandom(5_000) + bytes(15_000) for _ in range(1_270))
    large = with_part(content, "xl/worksheets/sheet2.xml", thin)
    assert len(large) < MOST_BYTES
    assert code_of(large) == "unfolds"


def test_a_size_that_is_a_lie_gains_nothing() -> None:
    """The archive says ten bytes; the part is a megabyte: no more than it says is read, and then it does not fit."""
    content = with_part(book(HEADS), "xl/worksheets/sheet2.xml", bytes(1_000_000))
    at = content.rindex(b"PK\x01\x02", 0, content.rindex(b"xl/worksheets/sheet2.xml"))
    lying = content[: at + 24] + (10).to_bytes(4, "little") + content[at + 28 :]
    with zipfile.ZipFile(io.BytesIO(lying)) as archive:
        assert archive.getinfo("xl/worksheets/sheet2.xml").file_size == 10
    assert code_of(lying) == "workbook"


def test_words_that_grow_into_one_another_are_refused() -> None:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "lol">{entities}]><x>&a9;</x>'.encode()
    assert code_of(changed(book(HEADS), "xl/worksheets/sheet1.xml", lambda part: bomb)) == "workbook"
    assert code_of(changed(book(HEADS), "xl/workbook.xml", lambda part: bomb)) == "workbook"


def test_a_cell_in_the_last_corner_of_a_sheet_takes_no_room_for_all_before_it() -> None:
    content = book(HEADS, more=lambda made: made.worksheets[0].cell(1_048_576, 16_384, "远"))
    assert rows_of(text_of(content)) == [(1, HEADS)], f"what stands beyond column {MOST_COLUMNS} is not read"
    down = book(HEADS, more=lambda made: made.worksheets[0].cell(1_048_576, 1, "远"))
    assert rows_of(text_of(down)) == [(1, HEADS), (1_048_576, ["远"])]


def test_more_rows_than_a_list_may_have_are_refused() -> None:
    rows = [[f"人{n}"] for n in range(10_000)]
    assert len(rows_of(text_of(workbook_of("x", [HEADS, *rows])))) == 10_001
    assert code_of(workbook_of("x", [HEADS, *rows, ["多"]])) == "rows"


def test_one_long_text_that_stands_in_many_cells_is_not_copied_for_each() -> None:
    long = "".join(chr(0x4E00 + n * 37 % 20_000) for n in range(30_000))
    assert code_of(book(*([long] for _ in range(100)))) == "size"


CELLS = st.text(alphabet="=+-@'\"＝＋－＠,;\t a长\n", max_size=8).map(str.strip)


@given(CELLS)
def test_a_cell_that_was_made_safe_is_what_it_was_and_begins_with_nothing_that_is_run(cell: str) -> None:
    written = str(safe(cell))
    assert not re.match(r"[=+\-@\t\r＝＋－＠]", written)
    assert typed(written) == cell


@given(st.lists(st.lists(CELLS, min_size=2, max_size=4), max_size=4))
def test_csv_gives_back_what_was_written(rows: list[list[str]]) -> None:
    content = csv_of([["a", "b"], *rows])
    assert content.startswith(b"\xef\xbb\xbfa,b\r\n")
    assert list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))) == [
        ["a", "b"], *([str(safe(cell)) for cell in row] for row in rows),
    ]  # fmt: skip
    assert [row for _, row in rows_of(text_of(content))] == [["a", "b"], *(row for row in rows if any(row))]


def test_a_workbook_gives_back_what_was_written_and_days_are_days_in_it() -> None:
    rows: list[list[Cell]] = [[*HEADS], ['=HYPERLINK("http://x")', date(2026, 1, 31)], ["@x", None], ["甲", 3]]
    content = workbook_of("名册", rows)
    sheet = load_workbook(io.BytesIO(content)).worksheets[0]
    assert (sheet.title, [cell.data_type for cell in sheet["A"]]) == ("名册", ["s"] * 4)
    assert (sheet["B2"].value, sheet["B2"].number_format) == (datetime.combine(date(2026, 1, 31), time()), "yyyy-mm-dd")
    assert [row for _, row in rows_of(text_of(content))] == [
        HEADS, ['=HYPERLINK("http://x")', "2026-01-31"], ["@x"], ["甲", "3"],
    ]  # fmt: skip


def test_the_first_line_says_what_parts_the_cells() -> None:
    assert rows_of('姓名,单位\n罗正,"a\tb"') == [(1, ["姓名", "单位"]), (2, ["罗正", "a\tb"])]
