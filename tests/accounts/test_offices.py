"""Offices: who may hold which (三员分立), who gives them, and what goes with one that is lost."""

from collections.abc import Iterator

import pytest
from sqlmodel import select

from panel.accounts import actions, queries, rules
from panel.accounts.models import Appointment, Person, SignInSession
from panel.cases import actions as cases
from panel.committees import actions as committees
from panel.committees.models import Category
from panel.core import hooks
from panel.core.errors import Forbidden, NotFound, Refused
from panel.core.security import Office, Role
from panel.record.models import RecordEntry
from tests.factories import World
from tests.people import OFFICERS


@pytest.fixture
def ended() -> Iterator[list[str]]:
    """The people whose sockets were ended."""
    people: list[str] = []
    hooks.END_SOCKETS.append(people.append)
    yield people
    hooks.END_SOCKETS.remove(people.append)


def kinds(world: World, after: int = 0) -> list[str]:
    with world.db() as db:
        entries = db.exec(select(RecordEntry).where(RecordEntry.index >= after).order_by(RecordEntry.index)).all()  # type: ignore[arg-type]  # a column, not its value
        return [entry.kind for entry in entries]


def held(world: World, who: str) -> frozenset[Office]:
    with world.db() as db:
        return queries.offices_of(db, world.people[who])


def appointment(world: World, who: str) -> str:
    with world.db() as db:
        return db.exec(select(Appointment.id).where(Appointment.person_id == world.people[who])).one()


def give(world: World, by: str, who: str, office: Office) -> Appointment:
    return world.act(actions.give_office, by, person_id=world.people[who], office=office)


def test_an_office_is_given_recorded_and_told_with_who_gave_it(world: World) -> None:
    before = len(kinds(world))
    give(world, "security", "stranger", Office.SECRETARY)
    with world.db() as db:
        given = db.exec(select(Appointment).where(Appointment.person_id == world.people["stranger"])).one()
    assert (given.office, given.given_by, given.ended_at) == (Office.SECRETARY, world.people["security"], None)
    assert kinds(world, before) == ["accounts.office_given"]
    page = world.client("audit").get("/administration/offices").text
    assert f"由{_name(world, 'security')}授予" in page


def _name(world: World, who: str) -> str:
    with world.db() as db:
        return db.get_one(Person, world.people[who]).name


@pytest.mark.parametrize(
    ("who", "office"), [("audit", Office.SYSTEM), ("system", Office.AUDIT), ("system", Office.SECURITY)]
)
def test_nobody_holds_two_of_the_three_administrators_offices(world: World, who: str, office: Office) -> None:
    before = held(world, who)
    with pytest.raises(Refused, match="Nobody is"):
        give(world, "security", who, office)
    assert held(world, who) == before


@pytest.mark.parametrize("office", [Office.SYSTEM, Office.SECURITY, Office.AUDIT])
def test_who_has_a_part_in_a_case_administers_nothing(world: World, office: Office) -> None:
    with pytest.raises(Refused, match="part in a case"):
        give(world, "security", "luo", office)
    give(world, "security", "luo", Office.SECRETARY)
    assert held(world, "luo") == {Office.SECRETARY}


def test_the_system_administrator_gives_offices_only_until_there_is_who_keeps_the_rights(world: World) -> None:
    with pytest.raises(Forbidden):
        give(world, "system", "stranger", Office.SECRETARY)
    world.act(actions.end_office, "security", appointment_id=appointment(world, "security"))
    give(world, "system", "stranger", Office.SECURITY)
    with pytest.raises(Forbidden):
        give(world, "system", "security", Office.SECRETARY)
    assert held(world, "stranger") == {Office.SECURITY}


def test_the_last_system_administrator_stays(world: World) -> None:
    with pytest.raises(Refused, match="last system administrator"):
        world.act(actions.end_office, "security", appointment_id=appointment(world, "system"))
    with pytest.raises(Refused, match="last system administrator"):
        world.act(actions.disable, "system", person_id=world.people["system"])
    give(world, "security", "stranger", Office.SYSTEM)
    world.act(actions.end_office, "security", appointment_id=appointment(world, "system"))
    assert held(world, "system") == frozenset()


def test_a_lost_office_ends_sign_ins_and_sockets_at_once(world: World, ended: list[str]) -> None:
    client = world.client("audit")
    assert client.get("/administration").status_code == 200
    before = len(kinds(world))
    world.act(actions.end_office, "security", appointment_id=appointment(world, "audit"))
    assert client.get("/administration", follow_redirects=False).status_code == 401
    assert (ended, kinds(world, before)) == ([world.people["audit"]], ["accounts.office_ended"])
    with pytest.raises(NotFound):
        world.act(actions.end_office, "security", appointment_id=appointment(world, "audit"))


def test_a_closed_account_is_out_at_once_and_does_not_come_in_again(world: World, ended: list[str]) -> None:
    client, before = world.client("luo"), len(kinds(world))
    assert client.get(f"/cases/{world.case_id}").status_code == 200
    world.act(actions.disable, "system", person_id=world.people["luo"])
    assert client.get(f"/cases/{world.case_id}").status_code == 401
    assert (ended, kinds(world, before)) == ([world.people["luo"]], ["accounts.person_disabled"])
    with world.db() as db:
        assert db.exec(select(SignInSession).where(SignInSession.person_id == world.people["luo"])).all() == []
    assert world.client("luo").get(f"/cases/{world.case_id}").status_code == 401
    world.act(actions.enable, "system", person_id=world.people["luo"])
    assert world.client("luo").get(f"/cases/{world.case_id}").status_code == 200


def test_administrators_see_no_case_text(world: World) -> None:
    for officer in OFFICERS:
        client = world.client(officer.key)
        found = [client.get(path) for path in (f"/cases/{world.case_id}", f"/hearings/{world.hearing_id}", "/cases")]
        assert [answer.status_code for answer in found] == [404, 404, 200]
        assert not any("水库溢洪道闸门" in answer.text for answer in found)


@pytest.mark.parametrize("who", ["system", "security", "audit"])
def test_administrators_get_neither_a_duty_nor_a_seat_in_a_case(world: World, who: str) -> None:
    with pytest.raises(Refused, match="no part in any case"):
        world.act(cases.assign, "secretary", case_id=world.case_id, person_id=world.people[who], role=Role.OBSERVER)
    with pytest.raises(Refused, match="no part in any case"):
        world.act(
            committees.seat, "secretary", committee_id=world.committee_id, person_id=world.people[who],
            category=Category.EXPERT,
        )  # fmt: skip
    assert world.actor(who).standings == {}
    duty = {"case_id": world.case_id, "person_id": world.people["clerk"], "role": Role.OBSERVER}
    assert world.act(cases.assign, "secretary", **duty).role is Role.OBSERVER


def test_the_pack_describes_every_office_and_nothing_else() -> None:
    described = queries.office_rules()
    assert set(described.texts) == set(Office)
    assert described.status == "待核"
    assert all(set(text.title) == set(text.does) == {"zh_CN", "en"} for text in described.texts.values())


def test_what_needs_mending_comes_first_with_what_mends_it(world: World) -> None:
    world.act(actions.end_office, "security", appointment_id=appointment(world, "audit"))
    page = world.client("system").get("/administration").text
    first, then = page.split("接下来", 1)
    assert "尚未指定审计管理员。" in first
    assert 'href="/administration/offices"' in first
    assert "只有一名系统管理员" in then
    assert "委员名册中还没有人。" in then


@pytest.mark.parametrize(
    ("mail", "fits"),
    [
        ("", True),
        ("a@b.cn", True),
        ("甲@市.中国", True),
        ("a@b", False),
        ("a b@c.cn", False),
        ("a@b.cn,c@d.cn", False),
        (f"{'a' * 250}@b.cn", False),
    ],
)
def test_a_mail_address_is_one_address(mail: str, fits: bool) -> None:
    assert (rules.why_not_mail(mail) is None) is fits
