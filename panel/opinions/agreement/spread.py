"""How the ratings of one consideration are spread: van der Eijk's A, Tastle and Wierman's Cns, the honest labels."""

import math
from collections.abc import Sequence
from enum import StrEnum
from statistics import median


class Label(StrEnum):
    """What the ratings of a small panel look like (design 8, 建议值); tested in this order."""

    NONE = "none"
    TWO_CAMPS = "two_camps"
    LONE = "lone"
    AGREED = "agreed"
    LEANING = "leaning"
    SCATTERED = "scattered"


def agreement(counts: Sequence[int]) -> float | None:
    """Return van der Eijk's A (2001) of counts per point: 1 full agreement, 0 no pattern, -1 two extremes.

    None for no ratings. The counts are split into layers of equal height; each layer's agreement weighs as its size.
    """
    total, points = sum(counts), len(counts)
    if total == 0 or points < 3:
        return None
    left, result = list(counts), 0.0
    while any(left):
        height = min(count for count in left if count)
        layer = [1 if count else 0 for count in left]
        result += sum(layer) * height / total * _layer(layer)
        left = [count - height if count else 0 for count in left]
    return result


def _layer(layer: Sequence[int]) -> float:
    points, filled = len(layer), sum(layer)
    unimodal = disunimodal = 0
    for i in range(points - 2):
        for j in range(i + 1, points - 1):
            for k in range(j + 1, points):
                pattern = (layer[i], layer[j], layer[k])
                unimodal += pattern in {(1, 1, 0), (0, 1, 1)}
                disunimodal += pattern == (1, 0, 1)
    if unimodal + disunimodal == 0:
        unimodality = 1.0
    else:
        weighed = (points - 2) * unimodal - (points - 1) * disunimodal
        unimodality = weighed / ((points - 2) * (unimodal + disunimodal))
    return unimodality * (1 - (filled - 1) / (points - 1))


def consensus(counts: Sequence[int]) -> float | None:
    """Return Tastle and Wierman's consensus of counts per point, from 0 to 1; None for no ratings."""
    total = sum(counts)
    if total == 0:
        return None
    shares = [count / total for count in counts]
    mean = sum(point * share for point, share in enumerate(shares))
    width = len(counts) - 1
    return 1 + sum(p * math.log2(1 - abs(i - mean) / width) for i, p in enumerate(shares) if p)


def counts_of(ratings: Sequence[int], points: int = 5) -> list[int]:
    """Return how many ratings each point from 1 to `points` has."""
    return [sum(rating == point for rating in ratings) for point in range(1, points + 1)]


def label(ratings: Sequence[int], points: int = 5) -> Label:
    """Return the honest label of a small panel's ratings from 1 to `points` (design 8)."""
    if not ratings:
        return Label.NONE
    middle = (points + 1) / 2
    low, high = [r for r in ratings if r < middle], [r for r in ratings if r > middle]
    if len(low) >= 2 and len(high) >= 2 and 4 * (len(ratings) - len(low) - len(high)) <= len(ratings):
        return Label.TWO_CAMPS
    if any(_lone(side, ratings) for side in (low, high)):
        return Label.LONE
    if max(ratings) - min(ratings) <= 1:
        return Label.AGREED
    return Label.LEANING if (agreement(counts_of(ratings, points)) or 0.0) >= 0.5 else Label.SCATTERED


def _lone(side: Sequence[int], ratings: Sequence[int]) -> bool:
    if len(side) != 1 or len(ratings) < 2:
        return False
    others = list(ratings)
    others.remove(side[0])
    return abs(median(others) - side[0]) >= 2
