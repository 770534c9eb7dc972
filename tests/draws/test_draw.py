"""The draw: the same for everybody, fair, within its terms, and honest about what cannot be."""

import itertools
import subprocess
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.draws.draw import (
    Candidate,
    Impossible,
    Shortage,
    Terms,
    commitment,
    digest,
    hold,
    seed_of,
    ticket,
    why_impossible,
)

CATEGORIES = ("legal", "expert", "public")
UNITS = ("", "a", "b", "c")


@st.composite
def pools(draw: st.DrawFn, most: int = 9) -> list[Candidate]:
    """A pool of a few people of a few units."""
    kinds = draw(st.lists(st.tuples(st.sampled_from(CATEGORIES), st.sampled_from(UNITS)), max_size=most))
    return [Candidate(f"{number:02}", category, unit) for number, (category, unit) in enumerate(kinds)]


@st.composite
def demands(draw: st.DrawFn) -> Terms:
    """What must be filled."""
    seats = {category: draw(st.integers(0, 3)) for category in CATEGORIES}
    held = draw(st.dictionaries(st.sampled_from(UNITS[1:]), st.integers(1, 2), max_size=2))
    return Terms(seats, draw(st.none() | st.integers(1, 2)), held)


SEEDS = st.integers(0, 1 << 64).map(lambda number: digest(str(number)))


def panels(pool: list[Candidate], terms: Terms) -> list[set[str]]:
    """Return every panel that the terms allow, by trying them all."""
    each = [
        list(itertools.combinations([one for one in pool if one.category == category], number))
        for category, number in terms.seats.items()
    ]
    found = []
    for groups in itertools.product(*each):
        chosen = [one for group in groups for one in group]
        units = Counter(one.unit for one in chosen if one.unit)
        if all(number <= terms.room(unit) for unit, number in units.items()):
            found.append({one.id for one in chosen})
    return found


@given(pools(), demands(), SEEDS)
def test_a_draw_is_held_exactly_where_a_panel_is_possible_and_is_one_of_those(
    pool: list[Candidate], terms: Terms, seed: str
) -> None:
    possible = panels(pool, terms)
    if not possible:
        with pytest.raises(Impossible):
            hold(pool, terms, seed)
        return
    drawn = hold(pool, terms, seed)
    assert {one for ids in drawn.members.values() for one in ids} in possible
    for category, number in terms.seats.items():
        of = {one.id for one in pool if one.category == category}
        assert len(drawn.members[category]) == number
        assert sorted([*drawn.members[category], *drawn.alternates[category]]) == sorted(of)
        for ids in (drawn.members[category], drawn.alternates[category]):
            assert list(ids) == sorted(ids, key=lambda one: ticket(seed, one))


@given(pools(), demands(), SEEDS, st.randoms())
def test_it_does_not_matter_in_which_order_the_pool_is_given(
    pool: list[Candidate], terms: Terms, seed: str, random: object
) -> None:
    shuffled = list(pool)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a Random
    if why_impossible(pool, terms) is None:
        assert hold(pool, terms, seed) == hold(shuffled, terms, seed)


@given(pools(), demands(), SEEDS)
def test_nobody_is_passed_over_but_for_those_who_would_make_a_panel_impossible(
    pool: list[Candidate], terms: Terms, seed: str
) -> None:
    """Within the categories before and this one, the panel drawn is the first that is possible, ticket by ticket."""
    possible = panels(pool, terms)
    if not possible:
        return
    drawn, chosen = hold(pool, terms, seed), set[str]()
    for category, number in sorted(terms.seats.items()):
        order = sorted((one.id for one in pool if one.category == category), key=lambda one: ticket(seed, one))
        taken = list[str]()
        for one in order:
            if len(taken) < number and any({*chosen, *taken, one} <= panel for panel in possible):
                taken.append(one)
        assert drawn.members[category] == tuple(taken)
        chosen |= set(taken)


def test_a_seat_of_one_kind_gives_way_where_the_other_could_not_be_filled() -> None:
    """The only expert is of unit a, and a unit has one seat: whatever the seed, the lawyer is of unit b."""
    pool = [Candidate("1", "legal", "a"), Candidate("2", "legal", "b"), Candidate("3", "expert", "a")]
    for number in range(20):
        drawn = hold(pool, Terms({"legal": 1, "expert": 1}, per_unit=1), digest(str(number)))
        assert drawn.members == {"legal": ("2",), "expert": ("3",)}
        assert drawn.alternates == {"legal": ("1",), "expert": ()}


@pytest.mark.parametrize(
    ("pool", "terms", "shortage"),
    [
        ([], Terms({"legal": 1}), Shortage("legal", 1, 0)),
        ([Candidate("1", "legal")], Terms({"legal": 2}), Shortage("legal", 2, 1)),
        (
            [Candidate("1", "legal", "a"), Candidate("2", "legal", "a")],
            Terms({"legal": 2}, per_unit=1),
            Shortage("legal", 2, 1, by_unit=True),
        ),
        (
            [Candidate("1", "legal", "a"), Candidate("2", "expert", "a")],
            Terms({"legal": 1, "expert": 1}, per_unit=1),
            Shortage("legal", 1, 0, by_unit=True),
        ),
        (
            [Candidate("1", "legal", "a")],
            Terms({"legal": 1}, per_unit=1, held={"a": 1}),
            Shortage("legal", 1, 0, by_unit=True),
        ),
    ],
)
def test_what_cannot_be_is_named(pool: list[Candidate], terms: Terms, shortage: Shortage) -> None:
    assert why_impossible(pool, terms) == shortage
    with pytest.raises(Impossible) as impossible:
        hold(pool, terms, digest("seed"))
    assert impossible.value.shortage == shortage


def test_everybody_is_drawn_about_as_often_as_anybody_else() -> None:
    """Chi-squared over 3,000 seeds for one seat of six: 5 degrees of freedom, 20.5 is passed once in a thousand."""
    pool, times = [Candidate(str(number), "legal") for number in range(6)], 3000
    drawn = Counter(hold(pool, Terms({"legal": 1}), digest(str(n))).members["legal"][0] for n in range(times))
    expected = times / len(pool)
    assert sum((drawn[one.id] - expected) ** 2 / expected for one in pool) < 20.5


def test_a_shell_and_a_table_suffice_to_redo_it() -> None:
    """As docs/verify.md tells a reader to."""
    secrets = ["11" * 32, "22" * 32]
    seed = seed_of("d1", "ab" * 32, secrets)
    lines = ("heyi-draw-seed/1", "d1", "ab" * 32, *secrets)
    quoted = " ".join(f"'{line}'" for line in lines)
    told = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {quoted} | sha256sum"], capture_output=True, text=True, check=True
    ).stdout.split()[0]
    assert seed == told
    assert commitment("d1", "chair", secrets[0]) != commitment("d1", "scrutineer", secrets[0])
    assert commitment("d1", "chair", secrets[0]) != commitment("d2", "chair", secrets[0])


def test_no_line_hides_another() -> None:
    with pytest.raises(ValueError, match="line feed"):
        digest("heyi-draw-ticket/1", "seed\nid")
