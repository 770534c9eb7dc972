"""Pictures of a vote: the hemicycle, the gauge of a majority, the bar of a quorum."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import cos, pi, sin

from panel.core.geometry.marks import EDGE, INNER, WIDTH, exact, needed, ordered, slot_of

# Hemicycle: one mark for each ballot or seat, on one or two arcs.

MOST_SEATS = 25
ONE_ARC = 11
"""Up to this many seats one arc is enough, and each has room for a name."""
OUTER, INNER_ARC = 164.0, 108.0


@dataclass(frozen=True)
class Place:
    """A ballot: its option, and in an open vote whose it is."""

    option: str
    name: str = ""
    seat: int | None = None


@dataclass(frozen=True)
class Dot:
    """A mark and its centre; `label` is what stands under it (a name, a seat's number, or nothing)."""

    x: float
    y: float
    option: str
    slot: str
    name: str
    label: str


@dataclass(frozen=True)
class Hemicycle:
    """The marks, of one radius; `counts` in order; `ground` is where the centre of the `arcs` (radii) lies."""

    dots: tuple[Dot, ...]
    arcs: tuple[float, ...]
    radius: float
    ground: float
    height: float
    named: bool
    counts: tuple[tuple[str, int], ...]


def hemicycle(places: Sequence[Place], *, named: bool = False) -> Hemicycle:
    """Set at most 25 ballots on arcs, ValueError for more.

    `named` keeps order and names (open votes). Otherwise ballots stand by choice and lose what tells whose.
    """
    if len(places) > MOST_SEATS:
        raise ValueError(f"{len(places)} seats; the picture holds {MOST_SEATS}")
    shown = list(places) if named else [Place(option) for option in ordered(p.option for p in places)]
    radius = _radius(len(shown))
    ground = OUTER + radius + 6
    spots = _spots(len(shown))
    dots = tuple(_dot(spot, place, ground, len(shown)) for spot, place in zip(spots, shown, strict=True))
    arcs = tuple(sorted({arc for _, arc in spots}, reverse=True))
    return Hemicycle(dots, arcs, radius, ground, ground + radius + (24 if named else 6), named, _counts(shown))


def _radius(seats: int) -> float:
    if seats <= ONE_ARC:
        return 19.0
    return 16.0 if seats <= 20 else 14.0


def _spots(seats: int) -> list[tuple[float, float]]:
    """Return (angle, arc) from left to right; two arcs share the seats by their length."""
    if seats <= ONE_ARC:
        return [(angle, OUTER) for angle in _angles(seats)]
    outer = round(seats * OUTER / (OUTER + INNER_ARC))
    both = [(a, OUTER) for a in _angles(outer)] + [(a, INNER_ARC) for a in _angles(seats - outer)]
    return sorted(both, key=lambda spot: (-round(spot[0], 6), -spot[1]))


def _angles(seats: int) -> list[float]:
    return [pi / 2] if seats == 1 else [pi - pi * i / (seats - 1) for i in range(seats)]


def _dot(spot: tuple[float, float], place: Place, ground: float, seats: int) -> Dot:
    angle, arc = spot
    x, y = WIDTH / 2 + arc * cos(angle), ground - arc * sin(angle)
    number = "" if place.seat is None else str(place.seat)
    label = place.name if seats <= ONE_ARC else number
    return Dot(round(x, 1), round(y, 1), place.option, slot_of(place.option), place.name, label)


def _counts(places: Sequence[Place]) -> tuple[tuple[str, int], ...]:
    options = [place.option for place in places]
    return tuple((option, options.count(option)) for option in ordered(dict.fromkeys(options)))


# Gauge and quorum: a bar with one cell per seat, and a line that it must reach.


@dataclass(frozen=True)
class Cell:
    """One seat in a bar."""

    x: float
    width: float
    option: str
    slot: str


@dataclass(frozen=True)
class Gauge:
    """A bar of `base` cells with the exact line at `line`; `needed` is the least number that reaches it."""

    cells: tuple[Cell, ...]
    line: float
    base: int
    required: str
    needed: int
    strict: bool
    reached: bool
    passing: str
    counts: tuple[tuple[str, int], ...]


def gauge(*, counts: Mapping[str, int], passing: str, base: int, required: Fraction, strict: bool) -> Gauge:
    """Set ballots against the line; seats of the base that cast nothing are added as `not_cast`."""
    silent = base - sum(counts.values())
    full = {**counts, **({"not_cast": counts.get("not_cast", 0) + silent} if silent > 0 else {})}
    options = [passing, *ordered(option for option in full if option != passing)]
    least = needed(required, strict=strict)
    return Gauge(
        cells=_cells([option for option in options for _ in range(full.get(option, 0))], base),
        line=_at(required, base),
        base=base,
        required=exact(required),
        needed=least,
        strict=strict,
        reached=counts.get(passing, 0) >= least,
        passing=passing,
        counts=tuple((option, full.get(option, 0)) for option in options),
    )


def _cells(options: Sequence[str], base: int) -> tuple[Cell, ...]:
    width = INNER / max(base, len(options), 1)
    return tuple(
        Cell(round(EDGE + i * width, 2), round(width, 2), option, slot_of(option)) for i, option in enumerate(options)
    )


def _at(count: Fraction, base: int) -> float:
    return round(EDGE + INNER * float(min(count / base, Fraction(1))), 2) if base else EDGE


@dataclass(frozen=True)
class Quorum:
    """Who is in the room against who is due: cells are `present` or `absent`."""

    cells: tuple[Cell, ...]
    line: float
    due: int
    present: int
    required: str
    needed: int
    met: bool


def quorum(*, due: int, present: int, required: Fraction, strict: bool = False) -> Quorum:
    """Set the members present against the number that must be."""
    least = needed(required, strict=strict)
    cells = _cells(["present"] * present + ["absent"] * (due - present), due)
    return Quorum(cells, _at(required, due), due, present, exact(required), least, present >= least)
