"""Who moved between two rounds: only members who rated in both."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median


@dataclass(frozen=True)
class Move:
    """A member's rating in the earlier round and in the later one."""

    before: int
    after: int


@dataclass(frozen=True)
class Stability:
    """Counts of members; of those who moved, `towards` came nearer to the earlier median.

    `net` is the least number of members who could have turned the earlier distribution into the later one.
    """

    members: int
    up: int
    down: int
    towards: int
    net: int
    kappa: float | None

    @property
    def moved(self) -> int:
        """Return how many rate otherwise than before."""
        return self.up + self.down


def moves(before: Mapping[str, int | None], after: Mapping[str, int | None]) -> dict[str, Move]:
    """Return the moves of the members (by seat) who rated in both rounds; None is "cannot judge"."""
    both = ((seat, before.get(seat), rating) for seat, rating in after.items())
    return {seat: Move(old, new) for seat, old, new in both if old is not None and new is not None}


def stability(moved: Iterable[Move]) -> Stability | None:
    """Return how ratings moved between two rounds; None if nobody rated in both."""
    pairs = list(moved)
    if not pairs:
        return None
    middle = median(pair.before for pair in pairs)
    return Stability(
        members=len(pairs),
        up=sum(pair.after > pair.before for pair in pairs),
        down=sum(pair.after < pair.before for pair in pairs),
        towards=sum(abs(pair.after - middle) < abs(pair.before - middle) for pair in pairs),
        net=_net(pairs),
        kappa=kappa(pairs),
    )


def _net(pairs: Sequence[Move]) -> int:
    old, new = [pair.before for pair in pairs], [pair.after for pair in pairs]
    return sum(abs(old.count(point) - new.count(point)) for point in {*old, *new}) // 2


def kappa(pairs: Sequence[Move]) -> float | None:
    """Return Cohen's kappa of the two rounds, weighted linearly: one step on the scale weighs one, two steps two.

    Linear and not quadratic, because in a small panel the squares let one member's leap decide. None for fewer than two
    members, and where all rated alike in both rounds: then there is nothing to expect by chance.
    """
    if len(pairs) < 2:
        return None
    seen = Fraction(sum(abs(pair.before - pair.after) for pair in pairs), len(pairs))
    expected = Fraction(sum(abs(one.before - other.after) for one in pairs for other in pairs), len(pairs) ** 2)
    return float(1 - seen / expected) if expected else None
