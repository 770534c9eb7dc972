"""Quorums in exact fractions, and every refusal about seats."""

from collections import Counter
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.committees import rules
from panel.committees.models import Category, Seat
from panel.committees.rules import Member, Quorum
from panel.core.security import Role
from panel.rulebook import queries as rulebook
from panel.rulebook.rules import ProcedureRules

RULES = ProcedureRules.from_body(rulebook.pack("rules_of_procedure"))
NINE = (
    "legal", "discipline", "organization", "legal", "expert", "expert", "public", "stakeholder", "media",
)  # fmt: skip
SITTING = [
    Seat(
        id=f"s{n}", committee_id="c", case_id="c", person_id=f"p{n}", number=n, category=Category(category),
        chair=n == 1,
    )
    for n, category in enumerate(NINE, start=1)
]  # fmt: skip
CHAIR, MEMBER = SITTING[0], SITTING[1]
ALL = {seat.id for seat in SITTING}


def members(*categories: str) -> list[Member]:
    return [Member(f"p{n}", Category(category), chair=n == 1) for n, category in enumerate(categories, start=1)]


def said(reason: Any) -> str:
    return getattr(reason, "msgid", "")


# Quorum


@pytest.mark.parametrize(
    ("present", "needed", "met"),
    [(9, 6, True), (6, 6, True), (5, 6, False), (0, 6, False)],
)
def test_two_thirds_of_nine_are_six(present: int, needed: int, met: bool) -> None:
    required = ["s1", "s5", "s7"]
    here = set([*required, *sorted(ALL - set(required))][:present])
    found = rules.quorum(RULES, SITTING, here)
    assert (found.due, found.present, found.exact, found.needed) == (9, present, Fraction(6), needed)
    assert found.met is met


@pytest.mark.parametrize(
    ("due", "exact", "needed"), [(8, Fraction(16, 3), 6), (7, Fraction(14, 3), 5), (1, Fraction(2, 3), 1)]
)
def test_the_line_is_never_rounded_down(due: int, exact: Fraction, needed: int) -> None:
    found = Quorum(due, 0, Fraction(2, 3), False, ())
    assert (found.exact, found.needed) == (exact, needed)


def test_more_than_half_of_eight_are_five_and_at_least_half_are_four() -> None:
    assert Quorum(8, 0, Fraction(1, 2), True, ()).needed == 5
    assert Quorum(8, 0, Fraction(1, 2), False, ()).needed == 4


@given(st.integers(1, 40), st.fractions(0, 1), st.booleans())
def test_the_line_is_the_least_number_that_reaches_it(due: int, share: Fraction, strict: bool) -> None:
    needed = Quorum(due, 0, share, strict, ()).needed
    line = share * due
    assert (needed > line) if strict else (needed >= line)
    assert (needed - 1 <= line) if strict else (needed - 1 < line)


@pytest.mark.parametrize(
    ("away", "missing"), [({"s5", "s6"}, ("expert",)), ({"s7"}, ("public",)), ({"s5"}, ()), ({"s1", "s4"}, ("legal",))]
)
def test_every_required_category_must_be_there(away: set[str], missing: tuple[str, ...]) -> None:
    found = rules.quorum(RULES, SITTING, ALL - away)
    assert found.missing_categories == missing
    assert found.present >= found.needed
    assert found.met is (not missing)
    refusal = rules.why_not_quorum(found)
    assert said(refusal) == ("There is no quorum: nobody of the category “%(name)s” is present." if missing else "")


def test_a_quorum_that_is_missed_says_its_numbers() -> None:
    refusal = rules.why_not_quorum(rules.quorum(RULES, SITTING, {"s1"}))
    assert refusal is not None
    assert str(refusal) == "There is no quorum: 1 of 9 members due are present, 6 are needed."


def test_who_has_no_seat_does_not_count() -> None:
    assert rules.quorum(RULES, SITTING, {"s1", "elsewhere"}).present == 1


def test_without_seats_there_is_no_quorum() -> None:
    found = rules.quorum(RULES, [], set())
    assert not found.met
    assert said(rules.why_not_quorum(found)) != ""


@given(st.sets(st.sampled_from(sorted(ALL))), st.sets(st.sampled_from(sorted(ALL))))
def test_a_recusal_lowers_the_line_and_never_the_presence_of_others(here: set[str], aside: set[str]) -> None:
    left = [seat for seat in SITTING if seat.id not in aside]
    before, after = rules.quorum(RULES, SITTING, here), rules.quorum(RULES, left, here)
    assert after.due == before.due - len(aside)
    assert after.needed <= before.needed
    assert after.present == len(here - aside)


# Forming


def test_the_usual_nine_are_a_committee() -> None:
    assert rules.why_not_form(RULES, members(*NINE), handlers=set()) is None
    assert Counter(NINE) == {category: RULES.default_seats(category) for category in RULES.categories}


@pytest.mark.parametrize(
    ("given_members", "refusal"),
    [
        (members(*NINE[:8]), "A committee has %(n)s seats; there are %(given)s."),
        (members(*NINE, "public"), "A committee has %(n)s seats; there are %(given)s."),
        ([*members(*NINE[:8]), Member("p1", Category.MEDIA)], "Somebody would have two seats."),
        ([*members(*NINE[:8]), Member("h", Category.MEDIA)], "Who handles the case has no seat in its committee."),
        ([Member(f"p{n}", Category(c)) for n, c in enumerate(NINE)], "A committee has one chair."),
        (members("media", *NINE[1:]), "The chair does not come from the category “%(name)s”."),
        (members(*["legal"] * 5, *NINE[5:]), "No category may hold a majority of the seats; “%(name)s” would."),
    ],
)
def test_who_cannot_be_a_committee(given_members: list[Member], refusal: str) -> None:
    assert said(rules.why_not_form(RULES, given_members, handlers={"h"})) == refusal


def test_alternates_are_no_seats_yet() -> None:
    waiting = Member("p10", Category.EXPERT, alternate=True)
    assert rules.why_not_form(RULES, [*members(*NINE), waiting], handlers=set()) is None


def test_the_number_of_seats_is_odd() -> None:
    body = {**RULES.body, "seats": {**RULES.body["seats"], "number": 8}}
    even = ProcedureRules.from_body(body)
    assert said(rules.why_not_form(even, members(*NINE[:8]), handlers=set())) == "The number of seats is odd."


# Declaring, standing aside


@pytest.mark.parametrize(
    ("conflict", "ground", "statement", "phase", "refusal"),
    [
        (False, "", "", "opening", ""),
        (False, "", "五年前参加过评审。", "", ""),
        (True, "interest", "配偶任职。", "deliberation", ""),
        (True, "", "配偶任职。", "opening", "Choose the ground of the recusal."),
        (True, "bad mood", "配偶任职。", "opening", "Choose the ground of the recusal."),
        (True, "interest", "", "opening", "Say in a few words what the circumstances are."),
        (True, "interest", "长" * 2001, "opening", "This is too long: at most %(n)s characters."),
        (False, "", "长" * 2001, "opening", "This is too long: at most %(n)s characters."),
        (False, "", "", "ended", "The hearing has ended."),
    ],
)
def test_a_conflict_names_its_ground(conflict: bool, ground: str, statement: str, phase: str, refusal: str) -> None:
    reason = rules.why_not_declare(RULES, conflict=conflict, ground=ground, statement=statement, phase=phase)
    assert said(reason) == refusal


def test_every_ground_of_the_rules_has_words() -> None:
    assert set(RULES.recusal_grounds) == set(rules.GROUNDS)


@pytest.mark.parametrize(
    ("seat", "role", "own", "refusal"),
    [
        (MEMBER, Role.MEMBER, MEMBER.id, ""),
        (MEMBER, Role.CHAIR, CHAIR.id, ""),
        (MEMBER, Role.MEMBER, "s3", "The chair decides on the recusal of a member."),
        (MEMBER, Role.SECRETARY, None, "The chair decides on the recusal of a member."),
        (CHAIR, Role.SECRETARY, None, ""),
        (CHAIR, Role.AUTHORITY, None, ""),
        (CHAIR, Role.CHAIR, CHAIR.id, "The organ decides on the chair's recusal: ask the secretary."),
        (CHAIR, Role.MEMBER, "s3", "The organ decides on the chair's recusal: ask the secretary."),
    ],
)
def test_who_orders_a_recusal(seat: Seat, role: Role, own: str | None, refusal: str) -> None:
    assert said(rules.why_not_order(seat, role, own)) == refusal


@pytest.mark.parametrize(
    ("seat", "successor", "recused", "refusal"),
    [
        (MEMBER, None, False, ""),
        (MEMBER, None, True, "This seat is recused already."),
        (CHAIR, None, False, "Name the member who takes the chair."),
        (CHAIR, CHAIR, False, "Name the member who takes the chair."),
        (CHAIR, SITTING[3], False, ""),
        (CHAIR, SITTING[8], False, "The chair does not come from the category “%(name)s”."),
        (CHAIR, Seat(id="x", committee_id="c", case_id="d", person_id="q", number=3, category=Category.LEGAL), False,
         "Name the member who takes the chair."),
    ],
)  # fmt: skip
def test_a_hearing_always_has_a_chair(seat: Seat, successor: Seat | None, recused: bool, refusal: str) -> None:
    categories = RULES.chair_categories
    reason = rules.why_not_recuse(seat, successor, recused=recused, sitting=ALL, chair_categories=categories)
    assert said(reason) == refusal


@pytest.mark.parametrize(
    ("pending", "reason", "refusal"),
    [
        (True, "关系不足以影响公正。", ""),
        (False, "理由", "There is no request for recusal to decide."),
        (True, "", "Give the reason."),
        (True, "长" * 2001, "This is too long: at most %(n)s characters."),
    ],
)
def test_a_request_is_refused_with_a_reason(pending: bool, reason: str, refusal: str) -> None:
    assert said(rules.why_not_refuse(pending=pending, reason=reason)) == refusal


# Moving up, coming and going

WAITING = Seat(
    id="s10", committee_id="c", case_id="c", person_id="p10", number=10, category=Category.EXPERT, alternate=True
)


@pytest.mark.parametrize(
    ("seat", "vacant", "recused", "refusal"),
    [
        (WAITING, {"s5": Category.EXPERT}, {"s5"}, ""),
        (WAITING, {"s7": Category.PUBLIC}, {"s7"}, "No place of the category “%(name)s” is vacant."),
        (WAITING, {}, set(), "No place of the category “%(name)s” is vacant."),
        (WAITING, {"s5": Category.EXPERT}, {"s5", "s10"}, "This seat is recused already."),
        (MEMBER, {"s5": Category.DISCIPLINE}, {"s5"}, "This seat is in the committee already."),
    ],
)
def test_an_alternate_takes_a_place_of_the_same_category(
    seat: Seat, vacant: dict[str, Category], recused: set[str], refusal: str
) -> None:
    assert said(rules.why_not_move_up(seat, vacant, recused, [seat])) == refusal


@pytest.mark.parametrize(
    ("seat", "state", "refusal"),
    [
        (MEMBER, {}, ""),
        (MEMBER, {"phase": "scheduled"}, ""),
        (MEMBER, {"phase": "motions"}, ""),
        (MEMBER, {"phase": "ended"}, "The hearing has ended."),
        (MEMBER, {"present": True}, "You are recorded as present already."),
        (MEMBER, {"recused": True}, "This seat is recused already."),
        (WAITING, {}, "An alternate comes in once they have moved up."),
    ],
)
def test_members_come_in_until_the_end(seat: Seat, state: dict[str, Any], refusal: str) -> None:
    usual = {"recused": False, "present": False, "phase": "opening"}
    assert said(rules.why_not_arrive(seat, **{**usual, **state})) == refusal


@pytest.mark.parametrize("role", [Role.CHAIR, Role.SECRETARY, Role.RECORDER])
def test_the_clerks_note_it_of_others(role: Role) -> None:
    assert rules.why_not_note(MEMBER, None, role) is None


@pytest.mark.parametrize("role", [Role.MEMBER, Role.OBSERVER, Role.HANDLER, None])
def test_nobody_else_does(role: Role | None) -> None:
    assert said(rules.why_not_note(MEMBER, "s3", role)) == "This is another member's seat."
    assert rules.why_not_note(MEMBER, MEMBER.id, role) is None
