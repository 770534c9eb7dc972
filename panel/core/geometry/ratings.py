"""Pictures of ratings: bars about the middle of the scale, and the heat map of considerations by groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

from panel.core.geometry.marks import WIDTH, ems, wrap

# Stance: ratings from 1 to 5, to the left and right of the middle; those who could not judge stand apart.

POINTS = 5
MIDDLE = 170.0
REACH = 160.0
WIDEST_VOTE = 34.0
ROW = 84.0


@dataclass(frozen=True)
class Ratings:
    """How a consideration was rated: its poles, and how many members chose each of 1..5."""

    label: str
    low: str
    high: str
    counts: tuple[int, int, int, int, int]
    cannot_judge: int = 0


@dataclass(frozen=True)
class Segment:
    """A stretch of a bar: the members who chose one point."""

    x: float
    width: float
    point: int
    count: int


@dataclass(frozen=True)
class Bar:
    """One row of the picture, its top at `y`."""

    y: float
    ratings: Ratings
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Stance:
    """The rows; the middle of the scale stands at MIDDLE in each."""

    bars: tuple[Bar, ...]
    middle: float
    height: float
    apart: bool


def stance(rows: Sequence[Ratings]) -> Stance:
    """Set ratings as bars about the middle: half of those at 3 stand on either side."""
    reach = max((max(_left(row), _right(row)) for row in rows), default=1.0)
    vote = min(REACH / reach, WIDEST_VOTE) if reach else WIDEST_VOTE
    bars = tuple(Bar(i * ROW, row, _segments(row, vote)) for i, row in enumerate(rows))
    return Stance(bars, MIDDLE, len(rows) * ROW, any(row.cannot_judge for row in rows))


def _left(row: Ratings) -> float:
    return row.counts[0] + row.counts[1] + row.counts[2] / 2


def _right(row: Ratings) -> float:
    return row.counts[4] + row.counts[3] + row.counts[2] / 2


def _segments(row: Ratings, vote: float) -> tuple[Segment, ...]:
    x, segments = MIDDLE - _left(row) * vote, []
    for point, count in enumerate(row.counts, start=1):
        if count:
            segments.append(Segment(round(x, 2), round(count * vote, 2), point, count))
        x += count * vote
    return tuple(segments)


# Heat map: considerations by groups of members, five steps of one hue and the number in the cell.

WIDEST_LABEL = 7.4
"""Ems: a longer label of a row breaks."""
LETTER = 14.0
SQUARE = 38.0


@dataclass(frozen=True)
class Mean:
    """The mean rating of a group, and of how many members."""

    value: float
    members: int


@dataclass(frozen=True)
class Square:
    """A cell: its text, its step 1..5 (0: empty), whether it is withheld: too few stand behind it."""

    x: float
    y: float
    step: int
    text: str
    withheld: bool


@dataclass(frozen=True)
class Line:
    """A row of the heat map: its label in lines, and its cells."""

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
class Heat:
    """The whole map; `labels` is the width of the rows' labels, `top` the height of the columns'."""

    lines: tuple[Line, ...]
    heads: tuple[Head, ...]
    labels: float
    column: float
    top: float
    height: float
    turned: bool


def heat(
    rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[Mean | None]], *, fewest: int = 0
) -> Heat:
    """Set the means; cells of fewer than `fewest` members are withheld (3 for the public)."""
    labels = [wrap(label, WIDEST_LABEL) for label in rows]
    left = max((ems(text) for lines in labels for text in lines), default=0) * LETTER + 12
    column = (WIDTH - left) / max(len(columns), 1)
    heads = _heads(columns, left, column)
    turned = any(ems(text) * LETTER > column for head in heads for text in head.wrapped)
    top = _top(heads, turned)
    grid = _Grid(left, top, column, fewest)
    lines = tuple(Line(row, labels[i], top + i * SQUARE, grid.squares(cells[i], i)) for i, row in enumerate(rows))
    return Heat(lines, heads, round(left, 1), round(column, 1), top, top + len(rows) * SQUARE + 4, turned)


def _heads(columns: Sequence[str], left: float, column: float) -> tuple[Head, ...]:
    return tuple(
        Head(label, wrap(label, column / LETTER), round(left + (i + 0.5) * column, 1))
        for i, label in enumerate(columns)
    )


def _top(heads: Sequence[Head], turned: bool) -> float:
    if turned:
        return 14 + round(max(ems(head.label) for head in heads) * LETTER, 1)
    return 12 + 17 * max((len(head.wrapped) for head in heads), default=1)


@dataclass(frozen=True)
class _Grid:
    left: float
    top: float
    column: float
    fewest: int

    def squares(self, row: Sequence[Mean | None], number: int) -> tuple[Square, ...]:
        y = self.top + number * SQUARE
        return tuple(self._square(mean, round(self.left + i * self.column, 1), y) for i, mean in enumerate(row))

    def _square(self, mean: Mean | None, x: float, y: float) -> Square:
        if mean is None or mean.members < self.fewest:
            return Square(x, y, 0, "", withheld=mean is not None)
        return Square(x, y, min(POINTS, max(1, floor(mean.value + 0.5))), f"{mean.value:.1f}", withheld=False)
