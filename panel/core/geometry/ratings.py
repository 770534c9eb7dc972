"""Pictures of ratings: bars about the middle of the scale, the heat map by groups, who moved, who cites what."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

from panel.core.geometry.grid import Cell, Grid, grid

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


@dataclass(frozen=True)
class Mean:
    """The mean rating of a group, and of how many members."""

    value: float
    members: int


def heat(
    rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[Mean | None]], *, fewest: int = 0
) -> Grid:
    """Set the means; cells of fewer than `fewest` members are withheld (3 for the public)."""
    return grid(rows, columns, [[_shade(mean, fewest) for mean in row] for row in cells])


def _shade(mean: Mean | None, fewest: int) -> Cell:
    if mean is None or mean.members < fewest:
        return Cell(withheld=mean is not None)
    return Cell(min(POINTS, max(1, floor(mean.value + 0.5))), f"{mean.value:.1f}")


# Movement: members by considerations, the two ratings in the cell; the middle step is that of those who stayed.

Pair = tuple[int, int]
FURTHEST = 2
"""Points: who moved so far, or further, stands at the end of the steps."""


def movement(rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[Pair | None]]) -> Grid:
    """Set each member's rating before and after; None: not rated in both rounds."""
    return grid(rows, columns, [[_moved(pair) for pair in row] for row in cells])


def _moved(pair: Pair | None) -> Cell:
    if pair is None:
        return Cell()
    before, after = pair
    step = 3 + max(-FURTHEST, min(FURTHEST, after - before))
    return Cell(step, str(after) if before == after else f"{before}→{after}")


# Citations: exhibits by opinions, and for how many considerations an opinion relies on the exhibit.


def citations(rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[int]]) -> Grid:
    """Set how often an opinion cites an exhibit; nothing stands where it does not."""
    return grid(rows, columns, [[Cell(min(POINTS, n), str(n)) if n else Cell() for n in row] for row in cells])
