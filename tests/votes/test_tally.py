"""The tally: exact, in the right order, and the same as a naive count."""

import json
from collections import Counter
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.votes import tally as t
from panel.votes.tally import Result, RollLine, Rule

FACT = ("established", "not_established", "undetermined")
DISPOSITION = ("approve", "disapprove", "defer", "abstain")
HALF = Rule(Fraction(1, 2), strict=True, compared=("approve", "disapprove"), quorum=Fraction(2, 3))
TWO_THIRDS = Rule(Fraction(2, 3), strict=False, compared=("approve", "disapprove"), quorum=Fraction(2, 3))
ON_FACTS = Rule(
    Fraction(1, 2), strict=True, passing="established", contrary="not_established", residual="undetermined",
    compared=("established", "not_established"),
)  # fmt: skip


def roll(entitled: int, spectators: int = 0) -> list[RollLine]:
    """A roll of so many voters and so many members who only speak."""
    voters = [RollLine(f"v{n}", True, category="legal") for n in range(entitled)]
    return [*voters, *(RollLine(f"s{n}", False, category="media", reason="category") for n in range(spectators))]


def everybody(of: list[RollLine]) -> set[str]:
    """Return the seats of a roll."""
    return {line.seat for line in of}


def hold(rule: Rule, options: tuple[str, ...], *numbers: int, entitled: int = 9, secret: bool = False) -> Result:
    """Count so many ballots of each option with everybody present."""
    seats = roll(entitled)
    counts = dict(zip(options, numbers, strict=True))
    return t.tally(rule, options, roll=seats, present=everybody(seats), counts=counts, secret=secret)


@pytest.mark.parametrize(
    ("share", "of", "strict", "needed"),
    [
        ("2/3", 9, False, 6), ("2/3", 7, False, 5), ("2/3", 6, False, 4), ("2/3", 9, True, 7),
        ("1/2", 9, True, 5), ("1/2", 8, True, 5), ("1/2", 8, False, 4), ("1/3", 300, False, 100),
        ("1/1", 7, False, 7), ("2/3", 0, False, 0),
    ],
)  # fmt: skip
def test_the_least_number_is_exact(share: str, of: int, strict: bool, needed: int) -> None:
    assert t.least(Fraction(share) * of, strict=strict) == needed


@pytest.mark.parametrize(
    ("rule", "approve", "carried"),
    [(HALF, 4, "lost"), (HALF, 5, "carried"), (TWO_THIRDS, 5, "lost"), (TWO_THIRDS, 6, "carried")],
)
def test_more_than_half_and_two_thirds_of_nine(rule: Rule, approve: int, carried: str) -> None:
    assert hold(rule, DISPOSITION, approve, 1, 0, 0).carried == carried


def test_half_of_eight_is_not_more_than_half() -> None:
    assert hold(HALF, DISPOSITION, 4, 1, 0, 3, entitled=8).carried == "lost"
    assert hold(HALF, DISPOSITION, 5, 1, 0, 2, entitled=8).carried == "carried"


def test_abstaining_deferring_and_absence_stay_in_the_base() -> None:
    result = hold(HALF, DISPOSITION, 4, 0, 2, 2)
    assert (result.base, result.cast, result.not_cast, result.carried) == (9, 8, 1, "lost")


@pytest.mark.parametrize(("base", "expected"), [("due", 9), ("present", 6), ("cast", 5)])
def test_the_base_is_data(base: str, expected: int) -> None:
    seats = roll(9)
    rule = Rule(Fraction(1, 2), strict=True, base=base)
    present = [line.seat for line in seats[:6]]
    assert t.tally(rule, DISPOSITION, roll=seats, present=present, counts={"approve": 5}).base == expected


def test_an_unknown_base_is_no_silent_default() -> None:
    with pytest.raises(t.Miscount):
        hold(Rule(Fraction(1, 2), strict=True, base="attending"), DISPOSITION, 5, 0, 0, 0)


def test_members_who_only_speak_count_for_the_quorum_and_not_for_the_base() -> None:
    seats = roll(7, spectators=2)
    result = t.tally(TWO_THIRDS, DISPOSITION, roll=seats, present=everybody(seats), counts={"approve": 5})
    assert (result.due, result.entitled, result.base, result.needed) == (9, 7, 7, 5)
    assert (result.required, result.carried) == (Fraction(14, 3), "carried")


def test_the_recused_count_for_nothing() -> None:
    seats = [*roll(8), RollLine("r", False, due=False, reason="recused")]
    result = t.tally(HALF, DISPOSITION, roll=seats, present=everybody(seats), counts={"approve": 5})
    assert (result.due, result.present, result.base, result.needed) == (8, 8, 8, 5)


def test_quorum_goes_before_near_tie_and_near_tie_before_the_line() -> None:
    seats = roll(9)
    few = [line.seat for line in seats[:5]]
    without = t.tally(HALF, DISPOSITION, roll=seats, present=few, counts={"approve": 2, "disapprove": 2})
    assert (without.carried, without.counts, [s.test for s in without.steps]) == ("lapsed", {}, ["quorum"])
    wide = Rule(Fraction(1, 2), strict=True, compared=("approve", "disapprove"), near_tie=1)
    close = hold(wide, DISPOSITION, 5, 4, 0, 0)
    assert (close.carried, [s.test for s in close.steps]) == ("deferred", ["quorum", "near_tie"])


def test_a_near_tie_is_equality_unless_the_setting_widens_it() -> None:
    assert hold(HALF, DISPOSITION, 3, 3, 3, 0).carried == "deferred"
    assert hold(HALF, DISPOSITION, 4, 3, 2, 0).carried == "lost"
    assert hold(HALF, DISPOSITION, 0, 0, 5, 4).carried == "lost"
    tenth = Rule(Fraction(1, 2), strict=True, compared=("approve", "disapprove"), near_tie_of_base=Fraction(1, 10))
    assert hold(tenth, DISPOSITION, 5, 4, 0, 0, entitled=9).carried == "carried"
    assert hold(tenth, DISPOSITION, 6, 5, 0, 0, entitled=11).carried == "deferred"


def test_a_missing_category_breaks_the_quorum() -> None:
    seats = [RollLine(str(n), True, category="legal" if n < 8 else "expert") for n in range(9)]
    rule = Rule(Fraction(1, 2), strict=True, required_categories=("legal", "expert"))
    all_but_the_expert = [line.seat for line in seats[:8]]
    result = t.tally(rule, DISPOSITION, roll=seats, present=all_but_the_expert, counts={"approve": 8})
    assert (result.carried, result.quorum_met, result.steps[-1].missing) == ("lapsed", False, ("expert",))


def test_a_secret_vote_with_too_few_ballots_is_never_counted() -> None:
    assert hold(HALF, DISPOSITION, 4, 0, 0, 0, secret=True).carried == "lapsed"
    assert hold(HALF, DISPOSITION, 4, 1, 0, 0, secret=True).carried == "lost"


@pytest.mark.parametrize(
    ("numbers", "carried", "settled"),
    [
        ((9, 0, 0), "carried", "established"), ((1, 6, 2), "lost", "not_established"),
        ((4, 3, 2), "lost", "undetermined"), ((0, 0, 9), "lost", "undetermined"), ((4, 4, 1), "deferred", ""),
    ],
)  # fmt: skip
def test_a_question_of_fact_settles_one_way_or_the_other_or_neither(
    numbers: tuple[int, int, int], carried: str, settled: str
) -> None:
    result = hold(ON_FACTS, FACT, *numbers)
    assert (result.carried, result.settled) == (carried, settled)


@pytest.mark.parametrize("counts", [{"approve": 10}, {"maybe": 1}, {"approve": -1}])
def test_impossible_counts_are_refused(counts: dict[str, int]) -> None:
    seats = roll(9)
    with pytest.raises(t.Miscount):
        t.tally(HALF, DISPOSITION, roll=seats, present=everybody(seats), counts=counts)


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ((7, 0, 0, 0), "passed_only"), ((6, 1, 0, 0), "passed_only"), ((0, 1, 0, 6), "passed_only"),
        ((5, 1, 1, 0), "full"), ((5, 2, 0, 0), "full"), ((0, 0, 0, 0), "full"),
    ],
)  # fmt: skip
def test_counts_that_would_tell_each_vote_are_withheld(numbers: tuple[int, ...], shown: str) -> None:
    rule = Rule(Fraction(1, 2), strict=True, hide_counts_when=("unanimous", "all_but_one"))
    counts = dict(zip(DISPOSITION, numbers, strict=True))
    assert t.published(rule, counts, secret=True) == shown
    assert t.published(rule, counts, secret=False) == "full"
    assert t.published(HALF, counts, secret=True) == "full"


fractions = st.fractions(min_value=0, max_value=1, max_denominator=12)


@st.composite
def votes(draw: st.DrawFn) -> tuple[Rule, list[RollLine], set[str], dict[str, str]]:
    """A rule, a roll, who is present, and what each voter chose."""
    entitled, spectators = draw(st.integers(1, 25)), draw(st.integers(0, 4))
    seats = roll(entitled, spectators)
    rule = Rule(
        majority=draw(fractions), strict=draw(st.booleans()), base=draw(st.sampled_from(("due", "present", "cast"))),
        compared=draw(st.sampled_from(((), ("approve", "disapprove")))), near_tie=draw(st.integers(0, 2)),
        contrary=draw(st.sampled_from(("", "disapprove"))), residual=draw(st.sampled_from(("", "defer"))),
        quorum=draw(fractions), quorum_strict=draw(st.booleans()), minimum_secret=draw(st.integers(0, 5)),
    )  # fmt: skip
    choices = draw(
        st.dictionaries(st.sampled_from([s.seat for s in seats if s.entitled]), st.sampled_from(DISPOSITION))
    )
    present = draw(st.sets(st.sampled_from([s.seat for s in seats]))) | set(choices)
    return rule, seats, present, choices


def naive(rule: Rule, seats: list[RollLine], present: set[str], choices: dict[str, str], secret: bool) -> str:
    """Decide the same in whole numbers, by cross-multiplication, written down a second time."""
    due = len(seats)
    quorum = len(present) * rule.quorum.denominator - rule.quorum.numerator * due
    if quorum < 0 or due == 0 or (rule.quorum_strict and quorum == 0):
        return "lapsed"
    if secret and len(choices) < rule.minimum_secret:
        return "lapsed"
    voters = [s.seat for s in seats if s.entitled]
    base = {"due": len(voters), "present": len(set(voters) & present), "cast": len(choices)}[rule.base]
    ours = sum(choice == "approve" for choice in choices.values())
    theirs = sum(choice == "disapprove" for choice in choices.values())
    if rule.compared and ours + theirs and abs(ours - theirs) <= rule.near_tie:
        return "deferred"
    over = ours * rule.majority.denominator - rule.majority.numerator * base
    return "carried" if base and (over > 0 or (over == 0 and not rule.strict)) else "lost"


@given(votes(), st.booleans())
def test_the_tally_agrees_with_a_naive_count(
    held: tuple[Rule, list[RollLine], set[str], dict[str, str]], secret: bool
) -> None:
    rule, seats, present, choices = held
    counts = Counter(choices.values())
    result = t.tally(rule, DISPOSITION, roll=seats, present=present, counts=counts, secret=secret)
    assert result.carried == naive(rule, seats, present, choices, secret)
    if result.carried != "lapsed":
        assert sum(result.counts.values()) == result.cast == len(choices)
        assert result.required == rule.majority * result.base


@given(votes())
def test_a_further_approval_never_harms(held: tuple[Rule, list[RollLine], set[str], dict[str, str]]) -> None:
    rule, seats, _, choices = held
    others = [seat for seat, choice in choices.items() if choice == "abstain"]
    if not others or rule.near_tie or rule.compared:
        return
    before = t.tally(rule, DISPOSITION, roll=seats, present=everybody(seats), counts=Counter(choices.values()))
    more = Counter({**choices, others[0]: "approve"}.values())
    after = t.tally(rule, DISPOSITION, roll=seats, present=everybody(seats), counts=more)
    assert before.carried != "carried" or after.carried == "carried"


@given(votes())
def test_rules_and_results_survive_json(held: tuple[Rule, list[RollLine], set[str], dict[str, str]]) -> None:
    rule, seats, present, choices = held
    result = t.tally(rule, DISPOSITION, roll=seats, present=present, counts=Counter(choices.values()))
    assert Rule.from_json(json.loads(json.dumps(rule.to_json()))) == rule
    assert Result.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_a_rule_with_an_unknown_word_is_refused() -> None:
    with pytest.raises(TypeError):
        Rule.from_json({"majority": "1/2", "strict": True, "proxies": True})


def opened(rule: Rule = ON_FACTS, options: tuple[str, ...] = FACT, secrecy: str = "open") -> dict[str, Any]:
    """The event of an opened motion with nine voters."""
    lines = [{"seat": s.seat, "entitled": True, "due": True, "category": "legal", "reason": ""} for s in roll(9)]
    event: dict[str, Any] = {
        "motion": "m1", "number": 1, "motion_kind": "fact", "question": "漏水属实？", "outcome": None,
        "question_sha256": t.text_sha256("漏水属实？"), "secrecy": secrecy, "options": list(options),
        "rule": rule.to_json(), "roll": lines, "roll_size": 9, "entitled": 9, "public_key": "", "repeats": None,
    }  # fmt: skip
    return {**event, "frozen_sha256": t.frozen_sha256(event)}


def ballot(of: dict[str, Any], seat: str, choice: str, replaces: str | None = None, name: str = "") -> dict[str, Any]:
    """The event of one open ballot."""
    return {
        "motion": of["motion"], "ballot": name or f"b-{seat}", "seat": seat, "choice": choice, "reason": "",
        "replaces": replaces, "frozen_sha256": of["frozen_sha256"],
    }  # fmt: skip


def closed(result: Result, took_part: list[str], shown: str = "full") -> dict[str, Any]:
    """The event of a closed motion."""
    return {
        "motion": "m1", "number": 1, "carried": result.carried, "settled": result.settled, "outcome_published": shown,
        "counts": result.counts if shown == "full" else {}, "result": result.to_json(),
        "participation": sorted(took_part), "present": [f"v{n}" for n in range(9)], "key_destroyed": True,
    }  # fmt: skip


def test_the_frozen_digest_is_over_canonical_json() -> None:
    event = {**opened(), "rule": {"\ufb33": 1, "😀": 2}}  # RFC 8785 sorts names by UTF-16 units: the face comes first
    written = {
        name: json.dumps(event[name], ensure_ascii=False, sort_keys=True, separators=(",", ":")) for name in t.FROZEN
    }
    written["rule"] = '{"😀":2,"\ufb33":1}'
    told = ",".join(f'"{name}":{written[name]}' for name in sorted(written))
    assert t.frozen_sha256(event) == t.text_sha256("{" + told + "}")


@given(st.lists(st.tuples(st.integers(0, 8), st.sampled_from(FACT)), max_size=30))
def test_a_recount_follows_the_chains_of_replacement(acts: list[tuple[int, str]]) -> None:
    event, last, ballots = opened(), dict[str, str](), []
    expected: dict[str, str] = {}
    for index, (number, choice) in enumerate(acts):
        seat = f"v{number}"
        ballots.append(ballot(event, seat, choice, last.get(seat), name=f"b{index}"))
        last[seat], expected[seat] = f"b{index}", choice
    present = [f"v{n}" for n in range(9)]
    recount = t.recount_open(event, ballots, present=present)
    assert {k: n for k, n in recount.counts.items() if n} == Counter(expected.values())
    assert t.check_open(event, ballots, closed(recount, list(expected))) == []


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"seat": "stranger"}, "its seat is not entitled"), ({"choice": "approve"}, "no such option"),
        ({"motion": "m2"}, "belongs to another motion"), ({"frozen_sha256": "0" * 64}, "belongs to another motion"),
        ({"replaces": "b-v1"}, "does not replace the ballot before it"),
        ({"seat": "v1"}, "does not replace the ballot before it"),
    ],
)  # fmt: skip
def test_a_recount_names_the_ballot_that_may_not_be_there(changed: dict[str, Any], why: str) -> None:
    event = opened()
    ballots = [ballot(event, "v1", "established"), ballot(event, "v2", "established") | changed]
    with pytest.raises(t.Miscount) as refused:
        t.recount_open(event, ballots)
    assert str(refused.value) == f"ballot b-v2: {why}"


def test_a_dropped_ballot_is_found() -> None:
    event = opened()
    ballots = [ballot(event, f"v{n}", "established") for n in range(9)]
    told = closed(t.recount_open(event, ballots), [f"v{n}" for n in range(9)])
    assert t.check_open(event, ballots, told) == []
    assert [p.code for p in t.check_open(event, ballots[:-1], told)] == ["arithmetic", "counts"]
    assert [p.code for p in t.check_open(event, ballots[:4], told)] == ["outcome", "arithmetic", "counts"]


SECRET = Rule(Fraction(2, 3), strict=False, compared=("approve", "disapprove"), minimum_secret=5)


def sealed(*numbers: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two events of a sealed motion with nine voters."""
    result = hold(SECRET, DISPOSITION, *numbers, secret=True)
    took_part = [f"v{n}" for n in range(sum(numbers))]
    return opened(SECRET, DISPOSITION, "sealed"), closed(result, took_part)


@pytest.mark.parametrize("numbers", [(6, 2, 1, 0), (4, 4, 0, 0), (2, 1, 0, 0), (5, 1, 0, 1)])
def test_a_sealed_motion_that_holds_has_no_problem(numbers: tuple[int, ...]) -> None:
    event, told = sealed(*numbers)
    assert t.check_sealed(event, told) == []
    assert t.check_sealed(event, {k: v for k, v in told.items() if k != "result"}) == []


@pytest.mark.parametrize(
    ("changed", "codes"),
    [
        ({"carried": "lost", "settled": ""}, ["outcome"]),
        ({"participation": ["v0", "v1"]}, ["turnout"]),
        ({"participation": ["v1", "v0"]}, ["participation", "turnout"]),
        ({"participation": [*(f"v{n}" for n in range(8)), "x"]}, ["participation"]),
        ({"key_destroyed": False}, ["key"]),
        ({"counts": {"approve": 9}}, ["counts"]),
        ({"present": []}, []),
    ],
)  # fmt: skip
def test_a_sealed_motion_that_was_altered_is_found(changed: dict[str, Any], codes: list[str]) -> None:
    event, told = sealed(6, 2, 1, 0)
    assert [p.code for p in t.check_sealed(event, told | changed)] == codes


def test_an_altered_opening_is_found() -> None:
    event, told = sealed(6, 2, 1, 0)
    assert [p.code for p in t.check_sealed(event | {"entitled": 8}, told)] == ["roll"]
    assert [p.code for p in t.check_sealed(event | {"question": "别的问题"}, told)] == ["question"]
    laxer = {**event["rule"], "majority": "1/3"}
    assert [p.code for p in t.check_sealed(event | {"rule": laxer}, told)] == ["frozen_digest", "arithmetic"]


def test_withheld_counts_are_checked_where_the_result_is_disclosed() -> None:
    event, told = sealed(8, 1, 0, 0)
    told |= {"counts": {}, "outcome_published": "passed_only"}
    assert t.check_sealed(event, told) == []
    assert t.check_sealed(event, {k: v for k, v in told.items() if k != "result"}) == []
    assert [p.code for p in t.check_sealed(event, told | {"carried": "lost"})] == ["outcome"]


def test_a_problem_reads_as_a_sentence() -> None:
    assert str(t.Problem("turnout", "5 ballots counted of 6 members who took part")).startswith("turnout: 5")
    assert str(t.Problem("key")) == "key"
