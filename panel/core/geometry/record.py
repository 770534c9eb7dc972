"""Pictures of what the record holds: speaking times, and the head of the record itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

# Speaking time: a bar for each member against the median. Narrower than the others: it stands in a side column.

BROAD = 280.0
NAMES = 66.0
TIMES = 46.0
SPEAKER = 32.0


@dataclass(frozen=True)
class Spoken:
    """A member's bar."""

    name: str
    seconds: int
    y: float
    width: float


@dataclass(frozen=True)
class Speaking:
    """The bars, from `start`; the median of all members, in seconds, and where it stands."""

    bars: tuple[Spoken, ...]
    start: float
    median: float
    line: float
    height: float


def speaking(members: Sequence[tuple[str, int]]) -> Speaking:
    """Set speaking times in seconds, in the order given; those who did not speak count in the median."""
    room = BROAD - NAMES - TIMES
    longest = max((seconds for _, seconds in members), default=0) or 1
    middle = float(median(seconds for _, seconds in members)) if members else 0.0
    bars = tuple(
        Spoken(name, seconds, i * SPEAKER, round(room * seconds / longest, 1))
        for i, (name, seconds) in enumerate(members)
    )
    return Speaking(bars, NAMES, middle, round(NAMES + room * middle / longest, 1), len(bars) * SPEAKER + 22)


# Strip: a hash as eight squares that two people can compare across a room.

HUES, SHAPES = 8, 4
TILE = 44.0


@dataclass(frozen=True)
class Tile:
    """One byte of the hash: a colour, a shape, and its two hexadecimal digits."""

    x: float
    hue: int
    shape: int
    digits: str


def strip(digest: str) -> tuple[Tile, ...]:
    """Return eight tiles for the first eight bytes of a hash in hexadecimal; ValueError for less."""
    head = bytes.fromhex(digest)[:8]
    if len(head) < 8:
        raise ValueError("a hash has at least eight bytes")
    return tuple(Tile(i * (TILE + 4), b >> 5, (b >> 3) % SHAPES, f"{b:02x}") for i, b in enumerate(head))
