"""The four demonstration cases: what is told and what is made up are kept apart, and each script adds up."""

import re
from itertools import pairwise
from typing import Any

import pytest

from panel.core.security import Role
from tests.rulebook.test_packs import PACKS, RULES, SIX, line, read, tables

CASES = {number: read(f"demo/case_{number:02}.toml") for number in (1, 6, 7, 8)}
CONSIDERATIONS = [item["key"] for item in SIX["considerations"]]
OUTCOMES = {entry["key"] for entry in RULES["outcomes"]}
CATALOGUES = {path.stem for path in (PACKS / "catalogues").glob("*.toml")}
STAGES = [step["key"] for step in RULES["order_of_business"]]
MASKED = re.compile(r"[\u4e00-\u9fff]{1,2}某[甲乙丙丁0-9]?")
KEYS_OF_ACT = {
    "speak": {"text"},
    "declare": {"text"},
    "recuse": {"ground", "text"},
    "grant_recusal": {"seat", "text"},
    "arrive": {"text"},
    "disconnect": set(),
    "reconnect": set(),
    "show_exhibit": {"exhibit"},
    "raise_hand": set(),
    "ask": {"id", "to", "text"},
    "answer": {"question", "text"},
    "point_of_order": {"text"},
    "ruling": {"text"},
    "pause": {"text"},
    "resume": {"text"},
    "note": {"text"},
}
each_case = pytest.mark.parametrize("case", CASES.values(), ids=lambda case: str(case["case"]["key"]))
Body = dict[str, Any]


def fiction(case: Body) -> Body:
    return dict(case["fiction"])


def acts(case: Body, *kinds: str) -> list[Body]:
    return [act for act in fiction(case)["script"] if act["act"] in kinds]


def recused(case: Body) -> set[str]:
    return {act["seat"] for act in acts(case, "grant_recusal")}


def sitting(case: Body) -> list[Body]:
    """The seats that stay to the end: base and roll of every motion."""
    return [seat for seat in fiction(case)["seats"] if seat["id"] not in recused(case)]


def entitled(case: Body, kind: str) -> set[str]:
    return {seat["id"] for seat in sitting(case) if seat["category"] in RULES["motion_kinds"][kind]["voters"]}


def chair(case: Body) -> str:
    return next(str(seat["id"]) for seat in fiction(case)["seats"] if seat.get("chair"))


def required(case: Body, outcome: str, base: int) -> int:
    departs = outcome != fiction(case)["verification"]["recommended"]
    for majority in RULES["motion_kinds"]["disposition"]["majorities"]:
        if majority.get("outcome") == outcome or (majority["when"] == "departs_from_verification" and departs):
            return line(majority, base)
    return line(RULES["motion_kinds"]["disposition"]["majorities"][-1], base)


def carried(case: Body) -> Body | None:
    """The first disposition that carries; a near tie stops the sequence. Recounted apart from the product."""
    for motion in fiction(case)["dispositions"]:
        choices = [motion["ballots"].get(seat) for seat in entitled(case, "disposition")]
        approving, against = choices.count("approve"), choices.count("disapprove")
        if approving == against > 0:
            return None
        if approving >= required(case, motion["outcome"], len(choices)):
            return dict(motion)
    return None


def established(case: Body, ballots: dict[str, str]) -> str:
    voters = entitled(case, "fact")
    needed = line(RULES["motion_kinds"]["fact"]["majorities"][0], len(voters))
    counts = {option: [ballots[seat] for seat in voters].count(option) for option in set(ballots.values())}
    return next((option for option, n in counts.items() if n >= needed), "undetermined")


# Told and made up


@each_case
def test_what_is_told_is_labelled_and_the_script_is_labelled_fictional(case: Body) -> None:
    told = [case["case"], case["verification"], case["published"]]
    told += [*case["timeline"], *case["evidence"], *case["facts"], *case["pointers"]]
    assert {table["origin"] for table in told} <= {"source", "derived", "fiction"}
    assert {exhibit["origin"] for exhibit in case["evidence"]} == {"fiction"}
    assert fiction(case)["label_zh"] == "虚构"
    assert "虚构" in fiction(case)["notice_zh"]


@each_case
def test_the_timeline_and_the_pointers_name_a_source_of_the_case(case: Body) -> None:
    sources = {source["key"] for source in case["sources"]}
    cited = [*case["timeline"], *case["pointers"], case["published"]]
    assert {table["source"] for table in cited} <= sources
    assert {table["origin"] for table in case["timeline"]} == {"source"}
    assert {pointer["consideration"] for pointer in case["pointers"]} <= set(CONSIDERATIONS)


@each_case
def test_no_person_of_the_script_is_named_among_what_is_told(case: Body) -> None:
    told = str({key: value for key, value in case.items() if key != "fiction"})
    invented = [person["name"] for person in [*fiction(case)["seats"], *fiction(case)["people"]]]
    assert [name for name in invented if name in told and not MASKED.fullmatch(name)] == []


@each_case
def test_the_official_concerned_is_masked_everywhere(case: Body) -> None:
    official = next(person for person in fiction(case)["people"] if person["id"] == "official")
    assert MASKED.fullmatch(official["name"])
    assert case["case"]["official_zh"] in {official["name"], ""}
    assert re.match(r"某|[A-Z]市", case["case"]["place_zh"])


def test_the_same_key_is_the_same_person_and_another_key_another() -> None:
    people = [person for case in CASES.values() for person in [*fiction(case)["seats"], *fiction(case)["people"]]]
    names = {(person["person"], person["name"]) for person in people}
    assert len({key for key, _ in names}) == len({name for _, name in names}) == len(names)


def test_the_cast_has_a_compound_surname_and_a_name_of_a_minority() -> None:
    names = {seat["name"] for case in CASES.values() for seat in fiction(case)["seats"]}
    assert {"欧阳澜", "阿依努尔·热合曼"} <= names


# Who sits


@each_case
def test_nine_members_sit_and_a_neutral_one_is_in_the_chair(case: Body) -> None:
    seats = fiction(case)["seats"]
    assert [seat["id"] for seat in seats] == [f"s{n}" for n in range(1, 10)]
    assert len({seat["person"] for seat in seats}) == 9
    assert {seat["category"] for seat in seats} == {entry["key"] for entry in RULES["seat_categories"]}
    (presiding,) = [seat for seat in seats if seat.get("chair")]
    assert presiding["category"] in RULES["seats"]["chair_categories"]


@each_case
def test_every_duty_is_taken_and_nobody_has_a_seat_and_a_duty(case: Body) -> None:
    people = {person["id"]: person for person in fiction(case)["people"]}
    roles = ["secretary", "recorder", "handler", "handler", "official", "helper", "authority", "authority", "observer"]
    assert [person["role"] for person in people.values()] == roles
    assert set(roles) <= set(Role)
    members = {seat["person"] for seat in fiction(case)["seats"]}
    assert members & {person["person"] for person in people.values()} == set()
    assert fiction(case)["verification"]["handlers"] == ["handler_1", "handler_2"]
    assert fiction(case)["authority"]["catalogue"] in CATALOGUES


@each_case
def test_quorum_holds_at_the_opening_and_after_every_recusal(case: Body) -> None:
    away = {*fiction(case)["attendance"]["late"], *fiction(case)["attendance"]["absent"]}
    present = [seat for seat in sitting(case) if seat["id"] not in away]
    assert len(present) >= line(RULES["quorum"], len(sitting(case)))
    assert {seat["category"] for seat in present} >= set(RULES["quorum"]["required_categories"])
    minimum = RULES["motion_kinds"]["disposition"]["minimum_eligible_secret"]
    assert len(entitled(case, "disposition")) >= minimum


# The course of the hearing


@each_case
def test_the_acts_follow_the_order_of_business(case: Body) -> None:
    order = [STAGES.index(act["stage"]) for act in fiction(case)["script"]]
    assert order == sorted(order)
    assert {"opening", "presentation", "explanation", "questions", "deliberation"} <= {
        act["stage"] for act in fiction(case)["script"]
    }


@each_case
def test_every_act_has_its_keys_and_people_who_are_there(case: Body) -> None:
    known = {entry["id"] for entry in [*fiction(case)["seats"], *fiction(case)["people"]]}
    gone: set[str] = set()
    for act in fiction(case)["script"]:
        assert set(act) == {"stage", "act", "by"} | KEYS_OF_ACT[act["act"]], act
        assert {act["by"], act.get("to", act["by"]), act.get("seat", act["by"])} <= known - gone, act
        gone |= {act["seat"]} if act["act"] == "grant_recusal" else set()


@each_case
def test_parties_and_observers_are_silent_behind_closed_doors(case: Body) -> None:
    closed = {step["key"] for step in RULES["order_of_business"] if step["closed"]}
    heard = {act["by"] for act in fiction(case)["script"] if act["stage"] in closed}
    assert heard <= {seat["id"] for seat in sitting(case)}


@each_case
def test_every_question_is_answered_by_the_person_asked(case: Body) -> None:
    asked = [(act["id"], act["to"]) for act in acts(case, "ask")]
    assert [(act["question"], act["by"]) for act in acts(case, "answer")] == asked
    assert len(asked) >= 3


@each_case
def test_a_point_of_order_gets_a_ruling_a_recusal_a_grant_and_a_latecomer_arrives(case: Body) -> None:
    follows = {"point_of_order": "ruling", "recuse": "grant_recusal"}
    for act, following in pairwise(fiction(case)["script"]):
        assert following["act"] == follows.get(act["act"], following["act"])
    assert {act["by"] for act in acts(case, "recuse")} == recused(case)
    assert [act["by"] for act in acts(case, "arrive")] == fiction(case)["attendance"]["late"]
    assert {act["by"] for act in acts(case, "ruling", "grant_recusal")} <= {chair(case)}
    assert {act["ground"] for act in acts(case, "recuse")} <= {g["key"] for g in RULES["recusal_grounds"]}


def test_the_events_of_life_are_spread_over_the_cases() -> None:
    seen = {number: {act["act"] for act in fiction(case)["script"]} for number, case in CASES.items()}
    assert {number for number, kinds in seen.items() if "arrive" in kinds} == {6}
    assert {number for number, kinds in seen.items() if "recuse" in kinds} == {1, 8}
    assert {number for number, kinds in seen.items() if "reconnect" in kinds} == {7}
    assert {number for number, kinds in seen.items() if "point_of_order" in kinds} == {1, 6, 7, 8}
    assert [act["stage"] for number in (1, 8) for act in acts(CASES[number], "recuse")] == ["opening", "questions"]


@each_case
def test_every_citation_is_of_an_exhibit_of_the_case(case: Body) -> None:
    exhibits = [exhibit["id"] for exhibit in case["evidence"]]
    assert exhibits == [f"E{n}" for n in range(1, len(exhibits) + 1)]
    cited = [cite for table in tables(fiction(case)) for cite in table.get("cites", [])]
    cited += [cite for fact in case["facts"] for cite in fact["evidence"]]
    cited += [act["exhibit"] for act in acts(case, "show_exhibit")]
    assert set(cited) == set(exhibits)


# Opinions


@each_case
def test_round_one_is_complete_and_round_two_says_only_what_changed(case: Body) -> None:
    first = {entry["by"]: entry for entry in fiction(case)["opinions"] if entry["round"] == 1}
    second = {entry["by"]: entry for entry in fiction(case)["opinions"] if entry["round"] == 2}
    assert list(first) == [seat["id"] for seat in fiction(case)["seats"]]
    assert list(second) == [seat["id"] for seat in sitting(case)]
    for seat, entry in first.items():
        assert set(CONSIDERATIONS) <= set(entry), seat
    for seat, entry in second.items():
        for key in set(CONSIDERATIONS) & set(entry):
            assert entry[key]["rating"] != first[seat][key]["rating"], (seat, key)
    assert any(set(CONSIDERATIONS) & set(entry) for entry in second.values())


@each_case
def test_every_rating_is_on_the_scale_or_cannot_be_judged_and_has_its_reason(case: Body) -> None:
    for entry in fiction(case)["opinions"]:
        assert entry["outcome"] in OUTCOMES
        assert entry["overall_zh"]
        for key in set(CONSIDERATIONS) & set(entry):
            assert entry[key]["rating"] in {1, 2, 3, 4, 5, SIX["scale"]["cannot_judge"]}, entry
            assert entry[key]["reason"], entry


def test_no_two_members_give_a_consideration_the_same_reason_in_one_case() -> None:
    for case in CASES.values():
        reasons = [
            table["reason"] for entry in fiction(case)["opinions"] for table in tables(entry) if "cites" in table
        ]
        assert len(reasons) == len(set(reasons))


# Ballots and what they come to


@each_case
def test_only_entitled_seats_have_ballots_and_on_facts_the_chair_is_last(case: Body) -> None:
    options = {kind: {o["key"] for o in RULES["motion_kinds"][kind]["options"]} for kind in ("fact", "disposition")}
    assert [entry["fact"] for entry in fiction(case)["fact_ballots"]] == [fact["id"] for fact in case["facts"]]
    for entry in fiction(case)["fact_ballots"]:
        assert set(entry["ballots"]) == entitled(case, "fact")
        assert set(entry["ballots"].values()) <= options["fact"]
        assert list(entry["ballots"])[-1] == chair(case)
    for motion in fiction(case)["dispositions"]:
        assert set(motion["ballots"]) == entitled(case, "disposition")
        assert set(motion["ballots"].values()) <= options["disposition"]
        assert motion["outcome"] in OUTCOMES


@each_case
def test_a_reason_stands_beside_every_ballot_that_needs_one_and_no_other(case: Body) -> None:
    needing = RULES["motion_kinds"]["fact"]["reason_required_for"]
    for entry in fiction(case)["fact_ballots"]:
        expected = {seat for seat, choice in entry["ballots"].items() if choice in needing}
        assert set(entry["reasons"]) == expected, entry["fact"]


@each_case
def test_the_ballots_come_to_what_the_case_expects(case: Body) -> None:
    expected = fiction(case)["expected"]
    motion = carried(case)
    assert motion is not None
    assert (motion["id"], motion["outcome"]) == (expected["carried"], expected["outcome"])
    facts = {entry["fact"]: established(case, entry["ballots"]) for entry in fiction(case)["fact_ballots"]}
    assert facts == expected["facts"]


def test_the_four_outcomes() -> None:
    outcomes = {number: fiction(case)["expected"]["outcome"] for number, case in CASES.items()}
    assert outcomes == {1: "exempt", 6: "exempt", 7: "exempt", 8: "deny"}


@pytest.mark.parametrize(
    ("number", "changed", "outcome"),
    [
        (6, {"s1": "disapprove", "s2": "disapprove", "s5": "disapprove", "s8": "disapprove"}, "mitigate"),
        (1, {"s4": "abstain"}, "mitigate"),
        (1, {"s4": "disapprove"}, None),
        (1, {"s1": "disapprove", "s4": "disapprove"}, "mitigate"),
        (7, {"s8": "abstain"}, "mitigate"),
        (8, {"s1": "approve", "s2": "approve", "s8": "approve"}, "mitigate"),
    ],
)
def test_changed_ballots_change_the_outcome(number: int, changed: dict[str, str], outcome: str | None) -> None:
    case = read(f"demo/case_{number:02}.toml")
    first = case["fiction"]["dispositions"][0]
    first["ballots"] |= changed
    motion = carried(case)
    assert (motion or {}).get("outcome") == outcome


# Dissents, minutes, decision


@each_case
def test_a_dissent_has_its_kind_its_author_its_motion_and_its_answer(case: Body) -> None:
    kinds = {kind["key"] for kind in RULES["dissent_kinds"]}
    sealed = {motion["id"] for motion in fiction(case)["dispositions"]}
    members = {seat["id"] for seat in sitting(case)}
    for dissent in fiction(case)["dissents"]:
        assert dissent["kind"] in kinds
        assert {dissent["by"], *dissent["joiners"]} <= members
        assert dissent["by"] not in dissent["joiners"]
        assert dissent["on"] in sealed | {fact["id"] for fact in case["facts"]}
        assert dissent["waives_secrecy"] == (dissent["on"] in sealed)
        assert dissent.get("consideration", "nature") in CONSIDERATIONS
        assert 0 < len(dissent["gist_zh"]) < len(dissent["text_zh"])
    filed = [dissent["id"] for dissent in fiction(case)["dissents"]]
    assert [answer["dissent"] for answer in fiction(case)["answers"]] == filed


@pytest.mark.parametrize("number", [1, 7])
def test_a_reservation_and_a_joined_dissent_stand_in_cases_one_and_seven(number: int) -> None:
    kinds = {dissent["kind"]: dissent for dissent in fiction(CASES[number])["dissents"]}
    assert set(kinds) == {"dissent", "reservation"}
    assert kinds["dissent"]["joiners"] == ["s3"]


def test_a_joined_dissent_is_added_to_in_case_eight() -> None:
    added = [dissent for dissent in fiction(CASES[8])["dissents"] if dissent.get("addendum_zh")]
    assert [(dissent["id"], dissent["joiners"]) for dissent in added] == [("X1", ["s1"])]


@each_case
def test_whoever_stayed_confirms_the_minutes_or_says_why_not(case: Body) -> None:
    minutes = fiction(case)["minutes"]
    assert [entry["by"] for entry in minutes] == [seat["id"] for seat in sitting(case)]
    for entry in minutes:
        assert bool(entry.get("reason")) == (not entry["confirms"])


def test_one_member_refuses_to_confirm() -> None:
    refusals = [(n, e["by"]) for n, case in CASES.items() for e in fiction(case)["minutes"] if not e["confirms"]]
    assert refusals == [(7, "s7")]


@each_case
def test_the_decision_adopts_or_says_why_it_departs_and_demands_correction(case: Body) -> None:
    decision, expected = fiction(case)["decision"], fiction(case)["expected"]
    departs = decision["stance"] == "depart"
    assert departs == ("departs_to" in decision) == ("departure_reasons_zh" in decision)
    assert expected["decision"] == (decision["departs_to"] if departs else expected["outcome"])
    assert (decision["by"], decision["approver"]) == ("decider", "approver")
    measures = fiction(case)["corrective"]
    assert [measure["id"] for measure in measures] == [f"C{n}" for n in range(1, len(measures) + 1)]
    assert min(measure["due_days"] for measure in measures) > 0


def test_the_authority_departs_in_case_seven_only() -> None:
    stances = {number: fiction(case)["decision"]["stance"] for number, case in CASES.items()}
    assert stances == {1: "adopt", 6: "adopt", 7: "depart", 8: "adopt"}
