"""Forming a committee, standings, alternates moving up."""

import pytest

from panel.committees import actions, queries
from panel.committees.models import Category
from panel.committees.rules import Member
from panel.core.errors import Forbidden, Refused
from panel.core.security import Role
from tests.committees.seats import due, form, nine, recuse
from tests.factories import World
from tests.people import SEATED
from tests.votes.chamber import events

# Forming


def test_a_committee_is_formed_with_its_seats_in_order_and_alternates_last(world: World) -> None:
    waiting = Member(world.people["he"], Category.EXPERT, alternate=True)
    case_id = form(world, waiting, *nine(world))
    with world.db() as db:
        seats = queries.all_seats(db, case_id)
        assert [seat.number for seat in seats] == list(range(1, 11))
        assert [seat.person_id for seat in seats] == [world.people[s.key] for s in SEATED] + [world.people["he"]]
        assert [seat.id for seat in queries.seats(db, case_id)] == [seat.id for seat in seats[:9]]
        chair = queries.chair(db, case_id)
    assert chair is not None
    assert chair.person_id == world.people["chair"]
    formed = events(world, "committees.committee_formed")[-1]
    assert formed["seats"] == {
        "discipline": 1, "expert": 2, "legal": 2, "media": 1, "organization": 1, "public": 1, "stakeholder": 1,
    }  # fmt: skip
    taken = [e for e in events(world, "committees.seat_taken") if e["case_id"] == case_id]
    assert [(e["seat"], e["alternate"]) for e in taken] == [(seat.id, seat.alternate) for seat in seats]


def test_who_handles_the_case_has_no_seat(world: World) -> None:
    members = nine(world)
    members[1] = Member(world.people["handler"], Category.DISCIPLINE)
    with pytest.raises(Refused) as refusal:
        form(world, *members)
    assert refusal.value.reason.msgid == "Who handles the case has no seat in its committee."
    assert len(events(world, "committees.committee_formed")) == 1


def test_an_alternate_is_added_and_waits(world: World) -> None:
    seat = world.work(
        lambda work: actions.seat(
            work, None, committee_id=world.committee_id, person_id=world.people["stranger"], category=Category.PUBLIC
        )
    )
    assert (seat.number, seat.alternate) == (11, True)
    assert world.actor("stranger").role_in(world.case_id) is None
    assert events(world, "committees.seat_taken")[-1]["alternate"] is True


# Standings


def test_seats_give_standings_and_a_waiting_alternate_has_none(world: World) -> None:
    assert world.actor("chair").role_in(world.case_id) is Role.CHAIR
    assert world.actor("luo").role_in(world.case_id) is Role.MEMBER
    assert world.actor("he").role_in(world.case_id) is None
    with world.db() as db:
        assert queries.seat_of(db, world.actor("he"), world.case_id) is None
        seat = queries.seat_of(db, world.actor("luo"), world.case_id)
    assert seat is not None
    assert seat.id == world.seats["luo"] == world.actor("luo").seat_in(world.case_id)


# Alternates


def test_an_alternate_moves_up_into_the_vacant_place(world: World) -> None:
    recuse(world, "chair", "meng")
    seat = world.act(actions.seat_alternate, "chair", seat_id=world.seats["he"])
    assert due(world) == ["chair", "luo", "qin", "qian", "shi", "feng", "duan", "jiang", "he"]
    assert seat.replaces == world.seats["meng"]
    assert world.actor("he").role_in(world.case_id) is Role.MEMBER
    (event,) = events(world, "committees.alternate_seated")
    assert (event["seat"], event["category"], event["replaces"]) == (seat.id, "expert", world.seats["meng"])
    with world.db() as db:
        assert queries.vacant(db, world.case_id) == {}


@pytest.mark.parametrize("gone", ["luo", "feng", ""])
def test_it_moves_up_only_into_its_category(world: World, gone: str) -> None:
    if gone:
        recuse(world, "chair", gone)
    with pytest.raises(Refused) as refusal:
        world.act(actions.seat_alternate, "chair", seat_id=world.seats["he"])
    assert refusal.value.reason.msgid == "No place of the category “%(name)s” is vacant."
    assert events(world, "committees.alternate_seated") == []
    assert world.actor("he").role_in(world.case_id) is None


def test_one_place_is_taken_once(world: World) -> None:
    more = world.work(
        lambda work: actions.seat(
            work, None, committee_id=world.committee_id, person_id=world.people["stranger"], category=Category.EXPERT
        )
    )
    recuse(world, "chair", "meng")
    world.act(actions.seat_alternate, "chair", seat_id=world.seats["he"])
    with pytest.raises(Refused):
        world.act(actions.seat_alternate, "chair", seat_id=more.id)
    with pytest.raises(Refused):
        world.act(actions.seat_alternate, "secretary", seat_id=world.seats["he"])
    assert len(due(world)) == 9


def test_alternates_move_up_in_their_order(world: World) -> None:
    more = world.work(
        lambda work: actions.seat(
            work, None, committee_id=world.committee_id, person_id=world.people["stranger"], category=Category.EXPERT
        )
    )
    recuse(world, "chair", "meng")
    with pytest.raises(Refused, match="Seat 10 is the next alternate"):
        world.act(actions.seat_alternate, "chair", seat_id=more.id)
    assert world.client("chair").get(f"/cases/{world.case_id}").text.count('data-form="seat-alternate"') == 1
    recuse(world, "chair", "he")
    assert world.act(actions.seat_alternate, "chair", seat_id=more.id).replaces == world.seats["meng"]


def test_a_place_whose_alternate_stands_aside_too_is_not_vacant_twice(world: World) -> None:
    recuse(world, "chair", "meng")
    world.act(actions.seat_alternate, "chair", seat_id=world.seats["he"])
    recuse(world, "chair", "he")
    with world.db() as db:
        assert queries.vacant(db, world.case_id) == {world.seats["he"]: Category.EXPERT}
    assert len(due(world)) == 8


def test_who_may_not_move_an_alternate_up(world: World) -> None:
    recuse(world, "chair", "meng")
    for who in ("luo", "handler", "official", "authority"):
        with pytest.raises(Forbidden):
            world.act(actions.seat_alternate, who, seat_id=world.seats["he"])
