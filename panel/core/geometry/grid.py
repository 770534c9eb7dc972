"""Pictures in rows and columns: a shade and a few signs in each cell, labels that break where they are too long."""

from collections.abc import Sequence
from dataclasses import dataclass

from panel.core.geometry.marks import WIDTH, ems, wrap

WIDEST_LABEL = 7.4
"""Ems: a longer label of a row breaks."""
MOST_LINES, LONGEST_LINE = 2, 10.0
"""Of a row's label, in lines and ems; the table under the picture has it whole."""
LETTER = 14.0
SQUARE = 38.0


@dataclass(frozen=True)
class Cell:
    """What stands in a cell: its step 1..5 (0: empty), its text, whether it is withheld: too few stand behind it."""

    step: int = 0
    text: str = ""
    withheld: bool = False


@dataclass(frozen=True)
class Square:
    """A cell and its place."""

    x: float
    y: float
    cell: Cell


@dataclass(frozen=True)
class Line:
    """A row: its label in lines, and its cells."""

    label: str
    wrapped: tuple[str, ...]
    y: float
    squares: tuple[Square, ...]


@dataclass(frozen=True)
class Head:
    """A column's label: upright in lines, or `turned` where a word is too long for the column."""

    label: str
    wrapped: tuple[str, ...]
    x: float


@dataclass(frozen=True)
class Grid:
    """The whole picture; `labels` is the width of the rows' labels, `top` the height of the columns'."""

    lines: tuple[Line, ...]
    heads: tuple[Head, ...]
    labels: float
    column: float
    top: float
    height: float
    turned: bool


def grid(rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[Cell]]) -> Grid:
    """Set rows of cells beside their labels and under those of the columns."""
    labels = [_short(wrap(label, WIDEST_LABEL)) for label in rows]
    left = max((ems(text) for lines in labels for text in lines), default=0) * LETTER + 12
    column = (WIDTH - left) / max(len(columns), 1)
    heads = _heads(columns, left, column)
    turned = any(ems(text) * LETTER > column for head in heads for text in head.wrapped)
    top = _top(heads, turned)
    lines = tuple(
        Line(row, labels[i], top + i * SQUARE, _squares(cells[i], left, top + i * SQUARE, column))
        for i, row in enumerate(rows)
    )
    return Grid(lines, heads, round(left, 1), round(column, 1), top, top + len(rows) * SQUARE + 4, turned)


def _short(lines: tuple[str, ...]) -> tuple[str, ...]:
    kept = lines[:MOST_LINES]
    if len(lines) > MOST_LINES:
        kept = (*kept[:-1], f"{kept[-1]}…")
    return tuple(map(_cut, kept))


def _cut(line: str) -> str:
    if ems(line) <= LONGEST_LINE:
        return line
    while ems(line) > LONGEST_LINE - 1:
        line = line[:-1]
    return f"{line}…"


def _squares(cells: Sequence[Cell], left: float, y: float, column: float) -> tuple[Square, ...]:
    return tuple(Square(round(left + i * column, 1), y, cell) for i, cell in enumerate(cells))


def _heads(columns: Sequence[str], left: float, column: float) -> tuple[Head, ...]:
    return tuple(
        Head(label, wrap(label, column / LETTER), round(left + (i + 0.5) * column, 1))
        for i, label in enumerate(columns)
    )


def _top(heads: Sequence[Head], turned: bool) -> float:
    if turned:
        return 14 + round(max(ems(head.label) for head in heads) * LETTER, 1)
    return 12 + 17 * max((len(head.wrapped) for head in heads), default=1)
