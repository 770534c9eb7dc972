"""Whether a split runs between the declared groups or inside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class Split(StrEnum):
    """What the share between groups says (建议值), or why there is none."""

    BETWEEN = "between"
    PARTLY = "partly"
    INSIDE = "inside"
    EQUAL = "equal"
    ONE_GROUP = "one_group"
    SINGLES = "singles"


@dataclass(frozen=True)
class Between:
    """The share of the spread that lies between groups, and what groups drawn by lot would give on average."""

    split: Split
    share: float | None = None
    by_chance: float | None = None


def between(groups: Mapping[str, Sequence[int]]) -> Between:
    """Return epsilon squared of Kruskal and Wallis, H / (n - 1), on mid-ranks of the ratings in groups.

    H is corrected for ties, so that the share is the sum of squares between groups over the whole, from 0 to 1. In many
    small groups it is large by itself: drawn by lot they give (groups - 1) / (n - 1) on average, and what counts is how
    far the share is above that. Nothing is said where all ratings are equal, where there is one group, and where each
    group has one member: then the groups explain everything, whatever was said.
    """
    filled = [list(group) for group in groups.values() if group]
    everybody = [rating for group in filled for rating in group]
    if len(set(everybody)) < 2:
        return Between(Split.EQUAL)
    if len(filled) < 2:
        return Between(Split.ONE_GROUP)
    if len(filled) == len(everybody):
        return Between(Split.SINGLES)
    ranks, middle = _mid_ranks(everybody), Fraction(len(everybody) + 1, 2)
    whole = sum(((ranks[rating] - middle) ** 2 for rating in everybody), Fraction())
    means = [(len(group), sum((ranks[rating] for rating in group), Fraction()) / len(group)) for group in filled]
    apart = sum((members * (mean - middle) ** 2 for members, mean in means), Fraction())
    share, by_chance = apart / whole, Fraction(len(filled) - 1, len(everybody) - 1)
    return Between(_split(share, by_chance), float(share), float(by_chance))


def _split(share: Fraction, by_chance: Fraction) -> Split:
    """Halfway from chance to everything, the split follows the groups; at chance or below, it runs inside them."""
    if share <= by_chance:
        return Split.INSIDE
    return Split.BETWEEN if 2 * (share - by_chance) >= 1 - by_chance else Split.PARTLY


def _mid_ranks(ratings: Sequence[int]) -> dict[int, Fraction]:
    ranks, below = {}, 0
    for rating in sorted(set(ratings)):
        same = ratings.count(rating)
        ranks[rating] = below + Fraction(same + 1, 2)
        below += same
    return ranks
