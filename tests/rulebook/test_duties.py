"""Duties in a case: the pack describes what the product knows, its pairs hold wherever a duty is given, in words."""

from typing import Any

import pytest

from panel.cases import actions as cases
from panel.cases import rules as case_rules
from panel.committees import actions as committees
from panel.committees import rules as committee_rules
from panel.committees.models import Category
from panel.committees.rules import Member
from panel.core.errors import Reason, Refused
from panel.core.i18n import translator
from panel.core.security import Role
from panel.rulebook.queries import duty_rules, pack
from panel.rulebook.rules import DutyRules, Unsuitable, why_apart, why_not_duty
from tests.committees.seats import recuse
from tests.corpus import unescaped
from tests.factories import World
from tests.votes.chamber import events

BODY = pack("duties")
RULES = duty_rules()
IN_USE = [code for code, duty in RULES.duties.items() if duty.in_use]
NAMED = {
    ("handler", "chair"), ("handler", "member"), ("secretary", "scrutineer"), ("authority", "member"),
    ("authority", "chair"), ("secrecy_reviewer", "drafter"), ("handler", "alternate"), ("authority", "alternate"),
}  # fmt: skip
"""The conflicts of the field's own list (domain 8); an alternate is a member who waits."""


def pairs_alone() -> DutyRules:
    """The same rules without the one that nobody has two duties."""
    return DutyRules.from_body({key: value for key, value in BODY.items() if key != "one_duty"})


def test_the_duties_in_use_are_the_roles_of_the_product_and_alternates() -> None:
    assert set(IN_USE) == {role.value for role in Role} - {"recused"} | {"alternate"}
    assert set(RULES.separate) == set(map(frozenset, NAMED))


def test_every_duty_has_its_title_and_one_that_is_not_in_use_has_no_invented_wording() -> None:
    for code, duty in RULES.duties.items():
        assert all(duty.title.values()), code
        assert [bool(text) for text in duty.does.values()] == [duty.in_use] * 2, code
        assert (duty.status == "待录入") is not duty.in_use, code
    assert all(said.source and said.status in {"已核", "建议"} for said in RULES.separate.values())
    assert RULES.separate[frozenset({"handler", "chair"})].status == "已核"
    assert "第64条第四项" in RULES.separate[frozenset({"handler", "chair"})].source


@pytest.mark.parametrize("body", [{"duties": ["handler", "nobody"]}, {"duties": ["handler"]}])
def test_a_pair_names_two_duties_that_are_described(body: dict[str, Any]) -> None:
    with pytest.raises(Unsuitable):
        DutyRules.from_body({**BODY, "separate": [{**body, "source": "x", "status": "建议"}]})


@pytest.mark.parametrize("duty", RULES.duties)
def test_every_pair_is_judged_as_the_table_says_and_both_are_named(duty: str) -> None:
    for other in RULES.duties.keys() - {duty}:
        apart = why_apart(RULES, duty, other)
        assert (apart is not None) is ((duty, other) in NAMED or (other, duty) in NAMED)
        assert why_not_duty(pairs_alone(), duty, other) == apart
        for locale in ("zh_CN", "en"):
            words = translator(locale).reason(why_not_duty(RULES, duty, other) or Reason(""))
            assert RULES.duties[duty].title[locale] in words
            assert RULES.duties[other].title[locale] in words


@pytest.mark.parametrize("held", [role for role in Role if role is not Role.RECUSED])
def test_assignments_and_seats_ask_the_same_table(held: Role) -> None:
    alone = pairs_alone()
    for role in Role:
        if role not in {Role.CHAIR, Role.MEMBER, Role.RECUSED, held}:
            assert case_rules.why_not_assign(alone, role, held) == why_apart(alone, role, held)
            assert case_rules.why_not_assign(RULES, role, held) is not None
    if held not in {Role.CHAIR, Role.MEMBER}:
        for member in (Member("x", Category.LEGAL, chair=True), Member("x", Category.LEGAL, alternate=True)):
            seat = committee_rules.duty_of(member)
            assert committee_rules.why_not_seat(alone, member, held) == why_apart(alone, seat, held)


# In the product


def refused(world: World, **duty: Any) -> str:
    before = len(events(world, "cases.person_assigned"))
    with pytest.raises(Refused) as found:
        world.act(cases.assign, "secretary", case_id=world.case_id, **duty)
    assert len(events(world, "cases.person_assigned")) == before
    return translator("zh_CN").reason(found.value.reason)


def test_a_member_does_not_become_handler_nor_approver(world: World) -> None:
    luo = world.people["luo"]
    assert refused(world, person_id=luo, role=Role.HANDLER) == (
        "同一案件中，任何人不得既是承办人（核实组成员）又是表决委员。"
    )
    assert refused(world, person_id=luo, role=Role.AUTHORITY) == (
        "同一案件中，任何人不得既是决定机关审批人又是表决委员。"
    )
    assert refused(world, person_id=world.people["recorder"], role=Role.OBSERVER) == (
        "此人在本案中已是记录人，不能再任旁听人：一人在一案中只有一项职责。"
    )


@pytest.mark.parametrize("who", ["handler", "authority", "secretary"])
def test_who_has_a_duty_gets_no_seat(world: World, who: str) -> None:
    seat = {"committee_id": world.committee_id, "person_id": world.people[who], "category": Category.PUBLIC}
    with pytest.raises(Refused) as found:
        world.act(committees.seat, "secretary", **seat)
    assert RULES.duties[who].title["zh_CN"] in translator("zh_CN").reason(found.value.reason)


def test_a_waiting_alternate_who_got_another_duty_does_not_move_up(world: World) -> None:
    world.act(cases.assign, "secretary", case_id=world.case_id, person_id=world.people["he"], role=Role.HANDLER)
    recuse(world, "chair", "meng")
    with pytest.raises(Refused) as found:
        world.act(committees.seat_alternate, "chair", seat_id=world.seats["he"])
    assert found.value.reason == why_apart(RULES, "member", "handler")


def test_every_duty_and_seat_is_an_event_with_who_gave_it_and_the_case_s_file_shows_it(world: World) -> None:
    given = {"case_id": world.case_id, "person_id": world.people["stranger"], "role": Role.HANDLER}
    world.act(cases.assign, "secretary", **given)
    seat = {"committee_id": world.committee_id, "person_id": world.people["clerk"], "category": Category.PUBLIC}
    world.act(committees.seat, "secretary", **seat)
    by = world.people["secretary"]
    assert [(e["person_id"], e["actor_id"], e["role"]) for e in events(world, "cases.person_assigned")] == [
        (world.people["stranger"], by, "handler")
    ]
    assert [(e["person_id"], e["actor_id"]) for e in events(world, "committees.seat_taken")] == [
        (world.people["clerk"], by)
    ]
    page = world.client("luo").get(f"/cases/{world.case_id}").text
    assert page.count("由陆青授予") == 2
    assert "路过" in page
    outside = world.client("observer").get(f"/cases/{world.case_id}").text
    assert ("由陆青授予" in outside, "路过" in outside) == (False, False)


def test_the_page_shows_every_duty_with_its_source_in_both_languages(world: World) -> None:
    client = world.client("luo")
    assert 'href="/rules/duties"' in client.get("/rules").text
    page = client.get("/rules/duties").text
    assert all(duty.title["zh_CN"] in page for duty in RULES.duties.values())
    assert all(said.source in page for said in RULES.separate.values())
    assert "承办人（核实组成员） ≠ 主任委员（主持人）" in page
    assert page.count("尚未启用") > 2
    assert unescaped(page) == []
    client.cookies.set("pv_locale", "en")
    page = client.get("/rules/duties").text
    assert all(duty.title["en"] in page for duty in RULES.duties.values())
    assert "not yet in use" in page
