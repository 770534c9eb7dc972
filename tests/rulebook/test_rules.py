"""The typed views against the packs, and what a document may not be."""

import copy
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.committees.models import Category
from panel.rulebook import queries, rules
from panel.rulebook.rules import CATALOGUE, CONSIDERATIONS, PROCEDURE, Considerations, ProcedureRules, Text, Unsuitable
from panel.votes.tally import Rule

BODY = queries.pack("rules_of_procedure")
RULES = ProcedureRules.from_body(BODY)
SIX = Considerations.from_body(queries.pack("six_considerations"))


def changed(**tables: Any) -> ProcedureRules:
    """The rules with some tables changed."""
    body = copy.deepcopy(BODY)
    for name, values in tables.items():
        body[name] |= values
    return ProcedureRules.from_body(body)


def test_the_quorum_is_two_thirds_of_the_members_due_with_three_categories() -> None:
    assert (RULES.quorum, RULES.quorum_strict) == (Fraction(2, 3), False)
    assert RULES.required_categories == ("legal", "expert", "public")
    assert RULES.required_each == 1


def test_seats_by_category_add_up_to_an_odd_number_without_a_majority() -> None:
    seats = {category: RULES.default_seats(category) for category in RULES.categories}
    assert set(seats) == set(Category)
    assert sum(seats.values()) == RULES.seats == 9
    assert RULES.odd
    assert RULES.no_category_majority
    assert 2 * max(seats.values()) <= RULES.seats
    assert not RULES.handlers_may_sit


@pytest.mark.parametrize(
    ("kind", "outcome", "recommended", "line"),
    [
        ("fact", None, None, (Fraction(1, 2), True)),
        ("fact", None, "exempt", (Fraction(1, 2), True)),
        ("disposition", "exempt", "exempt", (Fraction(2, 3), False)),
        ("disposition", "mitigate", "mitigate", (Fraction(1, 2), True)),
        ("disposition", "mitigate", "exempt", (Fraction(2, 3), False)),
        ("disposition", "deny", "mitigate", (Fraction(2, 3), False)),
        ("disposition", "deny", None, (Fraction(1, 2), True)),
    ],
)
def test_the_first_majority_that_matches_decides(
    kind: str, outcome: str | None, recommended: str | None, line: tuple[Fraction, bool]
) -> None:
    assert RULES.majority(kind, outcome, recommended=recommended) == line


def test_stakeholder_and_media_seats_vote_on_facts_only() -> None:
    silent = [c for c in RULES.categories if not RULES.votes_on(c, "disposition")]
    assert silent == ["stakeholder", "media"]
    assert all(RULES.votes_on(category, "fact") for category in RULES.categories)


def test_options_and_secrecy_are_those_of_the_kind() -> None:
    assert RULES.options("fact") == ("established", "not_established", "undetermined")
    assert RULES.options("disposition") == ("approve", "disapprove", "defer", "abstain")
    assert (RULES.secrecy("fact"), RULES.secrecy("disposition")) == ("open", "sealed")
    assert RULES.min_secret == 5


def test_what_a_motion_freezes_is_a_rule_of_the_tally() -> None:
    frozen = Rule.from_json(RULES.motion("disposition", "exempt", recommended="exempt"))
    assert (frozen.majority, frozen.strict, frozen.base, frozen.passing) == (Fraction(2, 3), False, "due", "approve")
    assert (frozen.near_tie, frozen.near_tie_of_base, frozen.revotes) == (0, Fraction(0), 1)
    assert (frozen.quorum, frozen.required_categories) == (Fraction(2, 3), ("legal", "expert", "public"))
    assert frozen.compared == ("approve", "disapprove")
    assert Rule.from_json(RULES.motion("fact")).contrary == "not_established"


@pytest.mark.parametrize(
    ("preset", "margin", "of_base"),
    [("equality", 0, Fraction(0)), ("one_ballot", 1, Fraction(0)), ("tenth_of_base", 0, Fraction(1, 10))],
)
def test_a_near_tie_is_what_the_preset_says(preset: str, margin: int, of_base: Fraction) -> None:
    frozen = Rule.from_json(changed(near_tie={"preset": preset}).motion("disposition"))
    assert (frozen.near_tie, frozen.near_tie_of_base) == (margin, of_base)


def test_speaking_time_is_that_of_the_stage_or_the_usual_one() -> None:
    assert RULES.speaking("presentation") == 900
    assert RULES.speaking("no such stage") == RULES.speaking_seconds == 180
    assert RULES.warn_seconds == 30


def test_tolerance_carries_corrective_measures_and_a_refusal_does_not() -> None:
    needed = {outcome: RULES.corrective_required(outcome) for outcome in RULES.outcomes}
    assert needed == {"exempt": True, "mitigate": True, "deny": False, "clear": False, "suspend": False}


def test_the_order_of_business_is_in_order() -> None:
    assert [step["number"] for step in RULES.order_of_business] == list(range(1, 11))
    assert [step["key"] for step in RULES.order_of_business if step["closed"]] == [
        "recess", "deliberation", "opinions", "motions",
    ]  # fmt: skip


def test_the_six_considerations_have_five_words_each_between_two_poles() -> None:
    assert SIX.keys == ("nature", "basis", "motive", "process", "consequence", "attitude")
    nature = SIX.item("nature")
    assert nature is not None
    assert [str(pole) for pole in nature.poles] == ["违纪违法", "失误错误"]
    assert (nature.points[0]["zh_CN"], nature.points[4]["en"]) == ("属违纪违法", "An error")
    assert nature.guidance[1] == "分清是失误错误还是违纪违法"
    assert all(len(item.points) == 5 for item in SIX.items)
    assert SIX.item("no such consideration") is None


def test_a_text_falls_back_to_chinese() -> None:
    assert (Text("甲", "A")["en"], Text("甲", "A")["zh"], Text("甲")["en"]) == ("A", "甲", "甲")


@pytest.mark.parametrize("written", [0.6667, 2, "0.67", None, "two thirds", ""])
def test_only_exact_fractions_are_read(written: object) -> None:
    with pytest.raises(ValueError):
        rules.fraction(written)


@given(st.fractions(min_value=0, max_value=1))
def test_a_fraction_survives_being_written(share: Fraction) -> None:
    assert rules.fraction(str(share)) == share


def test_every_pack_that_ships_can_be_loaded() -> None:
    names = ["rules_of_procedure", "six_considerations"]
    names += [f"catalogues/{path.stem}" for path in (queries.PACKS / "catalogues").glob("*.toml")]
    for name in names:
        body = queries.pack(name)
        assert rules.why_not_load(queries.kind_of(body), body) is None, name


@pytest.mark.parametrize(
    ("table", "broken"),
    [
        ("quorum", {"fraction": "0.6667"}),
        ("quorum", {"fraction": 0.6667}),
        ("quorum", {"fraction": "2/0"}),
        ("quorum", {"comparison": "about"}),
        ("near_tie", {"preset": "whatever"}),
        ("motion_kinds", {"fact": {"secrecy": "open"}}),
    ],
)
def test_rules_that_cannot_be_counted_with_are_not_loaded(table: str, broken: dict[str, Any]) -> None:
    reason = rules.why_not_load(PROCEDURE, changed(**{table: broken}).body)
    assert reason is not None
    assert reason.msgid == "This rule document cannot be used: %(why)s"


def test_a_majority_with_an_unknown_condition_is_not_loaded() -> None:
    body = copy.deepcopy(BODY)
    body["motion_kinds"]["fact"]["majorities"][0]["when"] = "full moon"
    assert rules.why_not_load(PROCEDURE, body) is not None
    body["motion_kinds"]["fact"]["majorities"] = []
    with pytest.raises(Unsuitable):
        ProcedureRules.from_body(body).motion("fact")
    assert rules.why_not_load(PROCEDURE, body) is not None


def test_considerations_with_four_points_are_not_loaded() -> None:
    body = copy.deepcopy(queries.pack("six_considerations"))
    body["considerations"][0]["points_zh"].pop()
    body["considerations"][0]["points_en"].pop()
    assert rules.why_not_load(CONSIDERATIONS, body) is not None


def test_a_document_of_an_unknown_kind_or_without_a_title_is_not_loaded() -> None:
    assert rules.why_not_load("poem", BODY) is not None
    assert rules.why_not_load(CATALOGUE, {"catalogue": {}}) is not None
