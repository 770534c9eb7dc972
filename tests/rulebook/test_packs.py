"""The rule packs as data: complete, labelled, and nothing said more surely than it was read."""

import tomllib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from panel.cases.models import Outcome, Track
from panel.committees.models import Category
from panel.dissents.models import DissentKind
from panel.hearings.models import CLOSED_PHASES, Phase

PACKS = Path(__file__).parents[2] / "panel" / "rulepacks"
CATALOGUES = sorted((PACKS / "catalogues").glob("*.toml"))
STATUSES = {"已核", "待核", "建议", "待录入"}
STATUS_OF = {"V": "已核", "S": "已核", "P": "待核", "K": "待核", "D": "建议"}


def read(path: str | Path) -> dict[str, Any]:
    return tomllib.loads((PACKS / path).read_text(encoding="utf-8"))


def tables(body: Any) -> Iterator[dict[str, Any]]:
    if isinstance(body, dict):
        yield body
    for child in body.values() if isinstance(body, dict) else body if isinstance(body, list) else ():
        yield from tables(child)


def line(majority: dict[str, str], base: int) -> int:
    """The ballots needed of a base, by exact fractions."""
    needed = Fraction(majority["fraction"]) * base
    return int(needed) + 1 if majority["comparison"] == "more_than" else -int(-needed // 1)


RULES = read("rules_of_procedure.toml")
SIX = read("six_considerations.toml")
PROCEDURE = read("procedure_hubei.toml")
ITEMS = [(path.stem, item) for path in CATALOGUES for item in read(path)["items"]]


@pytest.mark.parametrize("path", sorted(PACKS.rglob("*.toml")), ids=lambda path: path.stem)
def test_every_status_is_one_of_the_four_and_follows_from_the_evidence(path: Path) -> None:
    for table in tables(read(path)):
        if "status" in table:
            assert table["status"] in STATUSES, table
        if "evidence" in table and isinstance(table["evidence"], str):
            assert table["status"] == STATUS_OF[table["evidence"]], table


@pytest.mark.parametrize("path", sorted(PACKS.rglob("*.toml")), ids=lambda path: path.stem)
def test_no_text_has_stray_spaces_or_half_width_punctuation_between_chinese(path: Path) -> None:
    for table in tables(read(path)):
        for key, text in table.items():
            if isinstance(text, str) and key.split("_")[-1] in {"zh", "text", "reason", "name"}:
                assert text == text.strip(" \n"), text
                assert not set(text) & set(",;!?"), text


# The six considerations


def test_the_six_considerations_stand_in_their_order() -> None:
    keys = [item["key"] for item in SIX["considerations"]]
    assert keys == ["nature", "basis", "motive", "process", "consequence", "attitude"]
    assert [item["number"] for item in SIX["considerations"]] == [1, 2, 3, 4, 5, 6]


def test_five_is_the_tolerant_end_of_every_scale() -> None:
    scale = SIX["scale"]
    assert (scale["minimum"], scale["midpoint"], scale["maximum"], scale["towards_tolerance"]) == (1, 3, 5, 5)


@pytest.mark.parametrize("item", SIX["considerations"], ids=lambda item: str(item["key"]))
def test_a_consideration_has_five_distinct_words_in_both_languages_marked_as_suggested(
    item: dict[str, Any],
) -> None:
    assert len(set(item["points_zh"])) == len(set(item["points_en"])) == 5
    assert (item["points_status"], item["status"]) == ("建议", "已核")
    assert len(item["guidance_zh"]) == len(item["guidance_en"]) >= 2


@pytest.mark.parametrize("body", [SIX, RULES], ids=["six", "rules"])
def test_what_pages_show_is_there_in_both_languages(body: dict[str, Any]) -> None:
    shown = ("title", "meaning", "what", "points", "guidance", "tolerant_pole", "other_pole", "cannot_judge")
    for table in tables(body):
        for stem in shown:
            assert bool(table.get(f"{stem}_zh")) == bool(table.get(f"{stem}_en")), table


# Catalogues


def test_no_two_items_of_any_catalogue_share_an_id() -> None:
    ids = [item["id"] for _, item in ITEMS]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(("name", "item"), ITEMS, ids=lambda value: value if isinstance(value, str) else "")
def test_an_item_without_wording_is_a_slot_and_only_a_slot_has_none(name: str, item: dict[str, Any]) -> None:
    assert (item["text_zh"] == "") == (item["status"] == "待录入") == ("evidence" not in item), name
    assert item["source"], name


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_a_catalogue_names_itself_and_its_lists_hold_its_items(path: Path) -> None:
    body = read(path)
    assert body["catalogue"]["key"] == path.stem
    assert body["catalogue"]["test"] in {"three_steps", "cumulative", "any_item", "statements"}
    numbers = {entry["key"]: list(range(1, entry["count"] + 1)) for entry in body["lists"]}
    held = {key: [item["number"] for item in body["items"] if item["list"] == key] for key in numbers}
    assert held == numbers
    assert {item["list"] for item in body["items"]} == set(numbers)


def test_hubei_has_its_eight_four_three_four_and_not_a_word_of_them() -> None:
    body = read("catalogues/hubei_2022.toml")
    counts = {entry["key"]: entry["count"] for entry in body["lists"]}
    assert counts == {"tolerable": 8, "exempt": 4, "mitigate": 3, "excluded": 4}
    ids = [f"HB2022-{letter}{n}" for letter, k in zip("RMJN", (8, 4, 3, 4), strict=True) for n in range(1, k + 1)]
    assert [item["id"] for item in body["items"]] == ids
    assert {item["text_zh"] for item in body["items"]} == {""}
    assert [step["lists"] for step in body["steps"]] == [["tolerable"], ["excluded"], ["exempt", "mitigate"]]


def test_zhejiang_46_holds_only_when_all_five_hold() -> None:
    body = read("catalogues/zhejiang_46.toml")
    assert (body["catalogue"]["test"], len(body["items"])) == ("cumulative", 5)


def test_article_17_stays_to_be_checked() -> None:
    assert {item["status"] for item in read("catalogues/accountability_17.toml")["items"]} == {"待核"}


# The procedure


def test_the_five_parts_and_the_two_tracks() -> None:
    assert [part["title_zh"] for part in PROCEDURE["parts"]] == [
        "容错启动", "调查核实", "征求意见", "决定处置", "反馈结论",
    ]  # fmt: skip
    assert {track["key"] for track in PROCEDURE["tracks"]} == set(Track)


@pytest.mark.parametrize("limit", PROCEDURE["limits"], ids=lambda limit: str(limit["key"]))
def test_a_limit_has_a_unit_a_start_an_anchor_and_is_never_sold_as_a_rule(limit: dict[str, Any]) -> None:
    assert limit["unit"] in {"working_day", "calendar_day", "month"}
    assert limit["amount"] > 0
    assert ("counts_from" in limit) != ("counts_before" in limit)
    assert limit["anchor"]
    assert limit["part"] in {part["key"] for part in PROCEDURE["parts"]}
    assert limit["status"] in {"建议", "待核"}


# Rules of procedure


def test_the_codes_are_those_of_the_code() -> None:
    assert [entry["key"] for entry in RULES["seat_categories"]] == list(Category)
    assert [entry["key"] for entry in RULES["outcomes"]] == list(Outcome)
    assert [entry["key"] for entry in RULES["dissent_kinds"]] == list(DissentKind)


def test_the_order_of_business_is_that_of_the_hearing_and_closes_the_same_steps() -> None:
    order = RULES["order_of_business"]
    assert [step["key"] for step in order] == [phase for phase in Phase if phase not in {"scheduled", "ended"}]
    assert {step["key"] for step in order if step["closed"]} == set(CLOSED_PHASES)


def test_nine_seats_are_shared_out_and_none_has_a_majority() -> None:
    shares = [entry["default_seats"] for entry in RULES["seat_categories"]]
    assert sum(shares) == RULES["seats"]["number"] == 9
    assert max(shares) * 2 < sum(shares)
    assert not {"stakeholder", "media", "discipline"} & set(RULES["seats"]["chair_categories"])


def test_two_thirds_of_nine_due_are_six() -> None:
    assert line(RULES["quorum"], 9) == 6
    assert set(RULES["quorum"]["required_categories"]) <= set(Category)
    assert RULES["base"]["of"] == "due_with_vote"


def test_all_seats_vote_on_facts_and_stakeholder_and_media_not_on_the_disposition() -> None:
    kinds = RULES["motion_kinds"]
    assert set(kinds["fact"]["voters"]) == set(Category)
    assert set(Category) - set(kinds["disposition"]["voters"]) == {"stakeholder", "media"}
    for kind in ("fact", "disposition"):
        voters = [entry["key"] for entry in RULES["seat_categories"] if kind in entry["votes_on"]]
        assert set(voters) == set(kinds[kind]["voters"])


def test_the_options_and_the_secrecy_of_each_kind() -> None:
    facts, dispositions = RULES["motion_kinds"]["fact"], RULES["motion_kinds"]["disposition"]
    assert [entry["title_zh"] for entry in facts["options"]] == ["属实", "不属实", "无法认定"]
    assert [entry["title_zh"] for entry in dispositions["options"]] == ["同意", "不同意", "缓议", "弃权"]
    assert (facts["secrecy"], dispositions["secrecy"]) == ("open", "sealed")
    assert dispositions["minimum_eligible_secret"] == 5
    assert dispositions["advised_eligible_secret"] == 7
    for kind in (facts, dispositions):
        keys = {entry["key"] for entry in kind["options"]}
        assert {kind["passing"], *kind["compared"], *kind["reason_required_for"]} <= keys


def test_exemption_and_departure_need_two_thirds_and_the_rest_more_than_half() -> None:
    exempt, departure, otherwise = RULES["motion_kinds"]["disposition"]["majorities"]
    assert [exempt["outcome"], departure["when"], otherwise["when"]] == [
        "exempt", "departs_from_verification", "otherwise",
    ]  # fmt: skip
    assert [line(exempt, base) for base in (5, 6, 7, 9)] == [4, 4, 5, 6]
    assert [line(departure, base) for base in (6, 7)] == [4, 5]
    assert [line(otherwise, base) for base in (6, 7)] == [4, 4]


def test_every_fraction_is_an_exact_string() -> None:
    fractions = [table["fraction"] for table in tables(RULES) if "fraction" in table]
    assert sorted(set(fractions)) == ["1/2", "2/3"]
    assert all(isinstance(fraction, str) for fraction in fractions)


def test_a_near_tie_is_equality_unless_widened() -> None:
    assert (RULES["near_tie"]["preset"], RULES["near_tie"]["margin"]) == ("equality", 0)
    assert "equality" in [preset["key"] for preset in RULES["near_tie"]["presets"]]
