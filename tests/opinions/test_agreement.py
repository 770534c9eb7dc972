"""Measures of agreement against published vectors and their own definitions."""

from fractions import Fraction
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.opinions.agreement import (
    Between,
    Label,
    Move,
    Ram,
    Split,
    agreement,
    between,
    consensus,
    counts_of,
    disagreement_index,
    kappa,
    label,
    moves,
    ram,
    stability,
)

VECTOR = [30, 40, 210, 130, 530, 50, 10]
COUNTS = st.lists(st.integers(0, 9), min_size=5, max_size=5).filter(any)
RATINGS = st.lists(st.integers(1, 5), min_size=1, max_size=15)


def test_agreement_of_the_published_vector() -> None:
    assert agreement(VECTOR) == pytest.approx(0.6113333, abs=1e-6)


def test_consensus_of_the_published_vector() -> None:
    assert consensus(VECTOR) == pytest.approx(0.7256876, abs=1e-6)


TABLE = [
    (0, 1.0, 1.0, 0.0, Ram.AGREEMENT),
    (1, 0.636, 0.561, 0.0, Ram.AGREEMENT),
    (2, 0.273, 0.316, 0.0, Ram.AGREEMENT),
    (3, -0.091, 0.155, 0.0, Ram.AGREEMENT),
    (4, -0.455, 0.054, 3.40, Ram.DISAGREEMENT),
    (5, -0.818, 0.006, 3.40, Ram.DISAGREEMENT),
]
"""Of eleven members so many at one extreme, the others at the other (deliberation 2.3)."""


@pytest.mark.parametrize(("against", "a", "cns", "index", "rule"), TABLE)
def test_a_panel_of_eleven_with_so_many_at_the_other_extreme(
    against: int, a: float, cns: float, index: float, rule: Ram
) -> None:
    ratings = [1] * against + [5] * (11 - against)
    counts = counts_of(ratings)
    assert agreement(counts) == pytest.approx(a, abs=5e-4)
    assert consensus(counts) == pytest.approx(cns, abs=5e-4)
    assert disagreement_index(ratings) == pytest.approx(index, abs=5e-3)
    assert ram(ratings) is rule


def test_a_uniform_spread_looks_split_to_the_index_alone() -> None:
    ratings = [1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 5]
    counts = counts_of(ratings)
    assert agreement(counts) == pytest.approx(0.09, abs=5e-3)
    assert consensus(counts) == pytest.approx(0.485, abs=5e-4)
    assert disagreement_index(ratings) == pytest.approx(1.70, abs=5e-3)
    assert ram(ratings) is Ram.DISAGREEMENT


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


@given(COUNTS)
def test_consensus_stays_in_its_range_and_reads_both_ways_alike(counts: list[int]) -> None:
    value = consensus(counts)
    assert value is not None
    assert -1e-9 <= value <= 1 + 1e-9
    assert consensus(counts[::-1]) == pytest.approx(value)


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


# The rules of RAND and UCLA


PANEL = st.lists(st.integers(1, 5), min_size=8, max_size=16)


@pytest.mark.parametrize(
    ("ratings", "expected"),
    [
        ([5] * 6 + [3] * 2, Ram.AGREEMENT),
        ([5] * 5 + [3] * 3, Ram.NEITHER),
        ([5] * 5 + [1] * 3, Ram.DISAGREEMENT),
        ([2] * 3 + [3] * 2 + [4] * 3, Ram.DISAGREEMENT),
        ([5] * 8 + [1] * 3, Ram.AGREEMENT),
        ([5] * 7 + [3] + [1] * 3, Ram.NEITHER),
        ([5] * 9 + [1] * 4, Ram.DISAGREEMENT),
        ([5] * 10 + [1] * 4, Ram.AGREEMENT),
        ([5] * 9 + [3] + [1] * 4, Ram.NEITHER),
        ([5] * 11 + [1] * 5, Ram.DISAGREEMENT),
        ([5] * 7, Ram.NOT_APPLICABLE),
        ([5] * 17, Ram.NOT_APPLICABLE),
        ([], Ram.NOT_APPLICABLE),
    ],
)
def test_the_classic_rule_goes_by_the_size_of_the_panel(ratings: list[int], expected: Ram) -> None:
    assert ram(ratings) is expected


def test_there_is_no_index_below_eight_raters() -> None:
    assert disagreement_index([1, 1, 1, 5, 5, 5, 5]) is None
    assert disagreement_index([1, 1, 1, 1, 5, 5, 5, 5]) == pytest.approx(8 / 2.35)


def test_percentiles_are_interpolated_between_ranks() -> None:
    # nine raters: P30 stands at rank 2.4 (from 0), P70 at 5.6; on nine points 1 + 0.4 * 8 = 4.2, and 9
    expected = Fraction(24, 5) / (Fraction(47, 20) + Fraction(3, 2) * Fraction(8, 5))
    assert disagreement_index([1, 1, 1, 5, 5, 5, 5, 5, 5]) == pytest.approx(float(expected))


@given(PANEL, st.randoms())
def test_the_rules_read_both_ways_alike_and_in_any_order(ratings: list[int], chance: Any) -> None:
    turned = [6 - rating for rating in ratings]
    chance.shuffle(turned)
    assert ram(turned) is ram(ratings)
    assert disagreement_index(turned) == disagreement_index(ratings)


@given(PANEL)
def test_the_index_stays_in_its_range(ratings: list[int]) -> None:
    index = disagreement_index(ratings)
    assert index is not None
    assert 0 <= index <= 8 / 2.35


@pytest.mark.parametrize("members", range(8, 17))
def test_the_rules_are_blind_to_a_minority_of_less_than_three_in_ten(members: int) -> None:
    """What the page says of them."""
    seen = [
        against for against in range(members) if ram([1] * against + [5] * (members - against)) is not Ram.AGREEMENT
    ]
    few = [against for against in range(members) if 10 * against < 3 * members]
    indices = [disagreement_index([1] * against + [5] * (members - against)) or 0 for against in few]
    assert max(few) < min(seen)
    assert max(indices) <= 1


# The share between groups


def h_of_kruskal_and_wallis(groups: dict[str, list[int]]) -> float:
    """As textbooks write it: ranks of all, their sums per group, and the correction for ties."""
    everybody = sorted(rating for group in groups.values() for rating in group)
    n = len(everybody)
    rank = {r: sum(i for i, other in enumerate(everybody, 1) if other == r) / everybody.count(r) for r in everybody}
    sums = sum(sum(rank[r] for r in group) ** 2 / len(group) for group in groups.values() if group)
    ties = sum(everybody.count(r) ** 3 - everybody.count(r) for r in set(everybody))
    return (12 / (n * (n + 1)) * sums - 3 * (n + 1)) / (1 - ties / (n**3 - n))


def test_the_share_of_a_worked_example() -> None:
    groups = {"a": [1, 2, 2], "b": [3, 4], "c": [5, 5, 4]}
    found = between(groups)
    assert found.share == pytest.approx(h_of_kruskal_and_wallis(groups) / 7)
    assert found.share == pytest.approx(35.2083333 / 40.5)
    assert found.by_chance == pytest.approx(2 / 7)
    assert found.split is Split.BETWEEN


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ({"a": [1, 1], "b": [5, 5]}, Between(Split.BETWEEN, 1.0, 1 / 3)),
        ({"a": [1, 5], "b": [1, 5]}, Between(Split.INSIDE, 0.0, 1 / 3)),
        ({"a": [1, 1, 5], "b": [1, 5, 5], "c": [5]}, Between(Split.INSIDE, 2 / 9, 1 / 3)),
        ({"a": [1, 1, 1], "b": [1, 5, 5]}, Between(Split.PARTLY, 0.5, 0.2)),
        ({"a": [4, 4], "b": [4]}, Between(Split.EQUAL)),
        ({"a": [], "b": []}, Between(Split.EQUAL)),
        ({"a": [1, 2, 5], "b": []}, Between(Split.ONE_GROUP)),
        ({"a": [1], "b": [2], "c": [5]}, Between(Split.SINGLES)),
    ],
)
def test_where_the_split_runs(groups: dict[str, list[int]], expected: Between) -> None:
    assert between(groups) == expected


GROUPS = st.dictionaries(st.sampled_from("abcd"), st.lists(st.integers(1, 5), max_size=5))


@given(GROUPS)
def test_the_share_is_that_of_the_textbook_and_stays_in_its_range(groups: dict[str, list[int]]) -> None:
    found = between(groups)
    if found.share is None:
        return
    assert 0 <= found.share <= 1
    everybody = sum(map(len, groups.values()))
    assert found.share == pytest.approx(h_of_kruskal_and_wallis(groups) / (everybody - 1), abs=1e-9)


@given(GROUPS)
def test_the_share_reads_both_ways_alike_and_in_any_order(groups: dict[str, list[int]]) -> None:
    turned = {key: [6 - rating for rating in reversed(group)] for key, group in reversed(groups.items())}
    assert between(turned) == between(groups)


def test_groups_by_lot_have_on_average_the_share_that_is_said() -> None:
    ratings = [1, 2, 2, 4, 5, 5]
    shares = [between({"a": [*order[:2]], "b": [*order[2:3]], "c": [*order[3:]]}) for order in permutations(ratings)]
    assert sum(found.share or 0 for found in shares) / len(shares) == pytest.approx(shares[0].by_chance)


# Movement between rounds


def pairs(*written: str) -> list[Move]:
    """Return moves as they are written: "25" is from 2 to 5."""
    return [Move(int(both[0]), int(both[1])) for both in written]


def test_only_members_with_a_rating_in_both_rounds_move() -> None:
    before, after = {"a": 4, "b": None, "c": 2, "d": 5}, {"a": 5, "b": 3, "c": None, "e": 1}
    assert moves(before, after) == {"a": Move(4, 5)}
    assert stability([]) is None


def test_who_moved_and_where_to() -> None:
    found = stability(pairs("15", "24", "33", "44", "54", "31"))
    assert found is not None
    assert (found.members, found.moved, found.up, found.down) == (6, 4, 2, 2)
    assert found.towards == 1  # from 5 to 4; the earlier median is 3, and 1 to 5 and 2 to 4 stay as far from it


def test_members_who_change_places_cancel_out_in_the_net_change() -> None:
    swapped, one_way = stability(pairs("15", "51", "33")), stability(pairs("12", "12", "33"))
    assert swapped is not None
    assert one_way is not None
    assert (swapped.moved, swapped.net) == (2, 0)
    assert (one_way.moved, one_way.net) == (2, 2)


def test_kappa_of_a_worked_example() -> None:
    # differences 1, 1, 0, 0: on average 1/2; any earlier with any later: (1+2+3+4) + (0+1+2+3) + (2+1+0+1) + (3+2+1+0)
    assert kappa(pairs("12", "23", "44", "55")) == pytest.approx(1 - Fraction(1, 2) / Fraction(26, 16))


@pytest.mark.parametrize("written", [(), ("44",), ("45",), ("44", "44", "44")])
def test_kappa_is_not_defined_where_nothing_is_expected(written: tuple[str, ...]) -> None:
    assert kappa(pairs(*written)) is None


MOVES = st.lists(st.builds(Move, st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=15)


@given(MOVES)
def test_movement_counts_add_up(moved: list[Move]) -> None:
    found = stability(moved)
    assert found is not None
    assert found.moved == sum(move.before != move.after for move in moved)
    assert 0 <= found.net <= found.moved <= found.members == len(moved)
    assert 0 <= found.towards <= found.moved
    assert found.kappa is None or -1 - 1e-9 <= found.kappa <= 1


@given(MOVES, st.randoms())
def test_movement_reads_both_ways_alike_and_in_any_order(moved: list[Move], chance: Any) -> None:
    turned = [Move(6 - move.before, 6 - move.after) for move in moved]
    chance.shuffle(turned)
    one, other = stability(moved), stability(turned)
    assert one is not None
    assert other is not None
    assert (one.up, one.down, one.towards, one.net, one.kappa) == (
        other.down, other.up, other.towards, other.net, other.kappa,
    )  # fmt: skip


@given(MOVES)
def test_nobody_who_stays_moves_and_kappa_is_full(moved: list[Move]) -> None:
    found = stability([Move(move.before, move.before) for move in moved])
    assert found is not None
    assert (found.moved, found.net, found.towards) == (0, 0, 0)
    assert found.kappa in {None, 1.0}
