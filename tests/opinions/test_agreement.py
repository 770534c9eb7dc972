"""Measures of agreement against published vectors and their own definitions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.opinions.agreement import Label, agreement, consensus, counts_of, label

VECTOR = [30, 40, 210, 130, 530, 50, 10]
COUNTS = st.lists(st.integers(0, 9), min_size=5, max_size=5).filter(any)
RATINGS = st.lists(st.integers(1, 5), min_size=1, max_size=15)


def test_agreement_of_the_published_vector() -> None:
    assert agreement(VECTOR) == pytest.approx(0.6113333, abs=1e-6)


def test_consensus_of_the_published_vector() -> None:
    assert consensus(VECTOR) == pytest.approx(0.7256876, abs=1e-6)


@pytest.mark.parametrize(
    ("against", "a", "cns"),
    [(0, 1.0, 1.0), (1, 0.636, 0.561), (2, 0.273, 0.316), (3, -0.091, 0.155), (5, -0.818, 0.006)],
)
def test_a_panel_of_eleven_with_so_many_at_the_other_extreme(against: int, a: float, cns: float) -> None:
    counts = [against, 0, 0, 0, 11 - against]
    assert agreement(counts) == pytest.approx(a, abs=5e-4)
    assert consensus(counts) == pytest.approx(cns, abs=5e-4)


def test_a_uniform_spread_has_no_pattern_and_two_extremes_disagree() -> None:
    assert agreement([3, 3, 3, 3, 3]) == pytest.approx(0.0)
    assert agreement([4, 0, 0, 0, 4]) == pytest.approx(-1.0)


def test_no_ratings_have_no_measure() -> None:
    assert (agreement([0] * 5), consensus([0] * 5), label([])) == (None, None, Label.NONE)


@given(COUNTS)
def test_agreement_stays_in_its_range_and_reads_both_ways_alike(counts: list[int]) -> None:
    value = agreement(counts)
    assert value is not None
    assert -1 - 1e-9 <= value <= 1 + 1e-9
    assert agreement(counts[::-1]) == pytest.approx(value)


@given(COUNTS, st.integers(2, 5))
def test_measures_do_not_change_when_everybody_is_doubled(counts: list[int], times: int) -> None:
    many = [count * times for count in counts]
    assert agreement(many) == pytest.approx(agreement(counts))
    assert consensus(many) == pytest.approx(consensus(counts))


@given(COUNTS)
def test_consensus_is_full_only_on_one_point(counts: list[int]) -> None:
    value = consensus(counts)
    assert value is not None
    assert (value > 1 - 1e-12) == (sum(count > 0 for count in counts) == 1)


@given(RATINGS)
def test_counting_loses_nobody(ratings: list[int]) -> None:
    assert sum(counts_of(ratings)) == len(ratings)


@pytest.mark.parametrize(
    ("ratings", "expected"),
    [
        ([5, 5, 5, 4, 4, 5, 5, 4, 5], Label.AGREED),
        ([5, 5, 5, 5, 5, 5, 5, 5, 2], Label.LONE),
        ([1, 1, 2, 5, 5, 4, 5, 3, 3], Label.TWO_CAMPS),
        ([1, 1, 3, 3, 3, 5, 5], Label.SCATTERED),
        ([1, 2, 3, 4, 5, 3, 2, 4, 3], Label.SCATTERED),
        ([2, 3, 3, 3, 3, 3, 3, 4, 4], Label.LEANING),
        ([3], Label.AGREED),
        ([3, 4, 5, 5, 5], Label.LEANING),
    ],
)
def test_the_honest_label(ratings: list[int], expected: Label) -> None:
    assert label(ratings) is expected


@given(RATINGS)
def test_the_label_reads_both_ways_alike(ratings: list[int]) -> None:
    assert label([6 - rating for rating in ratings]) is label(ratings)


@given(RATINGS)
def test_all_on_one_side_are_never_two_camps(ratings: list[int]) -> None:
    assert label([max(3, rating) for rating in ratings]) is not Label.TWO_CAMPS
