"""The rules of the RAND/UCLA appropriateness method (RAM manual MR-1269, Fitch 2001).

Its scale has nine points; ratings from 1 to 5 stand on its 1, 3, 5, 7, 9. Both rules look at the middle of the panel
and miss every minority of less than 30 %: three of eleven in total opposition have the index 0. They are never shown
without the distribution and A.
"""

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction
from statistics import median

FEWEST = 8
"""Raters; the rules say nothing of fewer (design 8)."""
SIZES = ((8, 10, 2, 3), (11, 13, 3, 4), (14, 16, 4, 5))
"""Raters from, to; how many at most outside the median's region agree; how many in each extreme third disagree."""
AT_THE_MIDDLE, PER_POINT = Fraction(47, 20), Fraction(3, 2)
"""2.35, what an even spread about the middle gives; 1.5 more for each point between its centre and the middle."""


class Ram(StrEnum):
    """What the classic rule says of a panel."""

    AGREEMENT = "agreement"
    DISAGREEMENT = "disagreement"
    NEITHER = "neither"
    NOT_APPLICABLE = "not_applicable"


def disagreement_index(ratings: Sequence[int]) -> float | None:
    """Return IPR / IPRAS of ratings from 1 to 5: more than 1 is disagreement; None below 8 raters.

    IPR = P70 - P30, and IPRAS = 2.35 + 1.5 * AI, where AI is the distance of (P30 + P70) / 2 from 5. Percentiles are
    interpolated between the ranks about (n - 1) * p (Hyndman and Fan's type 7, the default of R and of spreadsheets):
    for eleven raters 0 for three against eight, 3.40 for four against seven, 1.70 for the uniform row. Of the types
    that interpolate (4 to 9) it alone gives these values; the steps of types 1 and 2 give them as well.
    """
    if len(ratings) < FEWEST:
        return None
    nine = sorted(map(_on_nine, ratings))
    low, high = _percentile(nine, Fraction(3, 10)), _percentile(nine, Fraction(7, 10))
    asymmetry = abs(5 - (low + high) / 2)
    return float((high - low) / (AT_THE_MIDDLE + PER_POINT * asymmetry))


def ram(ratings: Sequence[int]) -> Ram:
    """Return what the classic rule says of 8 to 16 ratings from 1 to 5.

    Agreement: at most so many outside the three points about the median (1-3, 4-6 or 7-9 of nine). Disagreement: at
    least so many in each extreme third. How many, depends on the size of the panel.
    """
    found = next((row for row in SIZES if row[0] <= len(ratings) <= row[1]), None)
    if found is None:
        return Ram.NOT_APPLICABLE
    _, _, outside, each = found
    nine = [_on_nine(rating) for rating in ratings]
    thirds = [_third(point) for point in nine]
    if min(thirds.count(-1), thirds.count(1)) >= each:
        return Ram.DISAGREEMENT
    return Ram.AGREEMENT if len(nine) - thirds.count(_third(median(nine))) <= outside else Ram.NEITHER


def _on_nine(rating: int) -> int:
    return 2 * rating - 1


def _third(point: float) -> int:
    return -1 if point <= 3 else 1 if point >= 7 else 0


def _percentile(ordered: Sequence[int], share: Fraction) -> Fraction:
    at, rest = divmod((len(ordered) - 1) * share, 1)
    below, above = ordered[at], ordered[min(at + 1, len(ordered) - 1)]
    return below + rest * (above - below)
