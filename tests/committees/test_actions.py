"""Declaring and standing aside: what changes, what is told, who may."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlmodel import select

from panel.committees import actions, queries
from panel.committees.models import Recusal
from panel.core import hooks
from panel.core.errors import Forbidden, NotFound, Refused
from panel.core.security import Role
from panel.hearings.models import Phase
from tests.committees.seats import GROUND, arrive, declare, due, leave, present, recuse, states
from tests.factories import World
from tests.votes.chamber import disposition, events, kinds, opened, reread, sit, to_phase

# Declaring


def test_a_declaration_of_nothing_is_on_the_record(world: World) -> None:
    made = declare(world, "luo", statement="五年前参加过评审，与本案无关。")
    (event,) = events(world, "committees.interests_declared")
    assert (event["seat"], event["conflict"], event["ground"]) == (world.seats["luo"], False, "")
    assert event["statement"] == made.statement
    assert event["hearing_id"] == made.hearing_id == world.hearing_id
    with world.db() as db:
        assert queries.declarations(db, world.case_id) == {world.seats["luo"]: made}
        assert queries.pending(db, world.case_id) == {}


def test_who_is_present_and_has_not_declared(world: World) -> None:
    for who in ("chair", "luo", "qin"):
        arrive(world, who)
    declare(world, "luo")
    with world.db() as db:
        missing = queries.undeclared(db, world.case_id, world.hearing_id)
    assert [seat.id for seat in missing] == [world.seats["chair"], world.seats["qin"]]


@pytest.mark.parametrize("who", ["qin", "chair"])
def test_nobody_declares_for_another(world: World, who: str) -> None:
    with pytest.raises(Forbidden) as refusal:
        declare(world, who, seat="luo")
    assert refusal.value.reason.msgid == "This is another member's seat."
    assert events(world, "committees.interests_declared") == []


def test_only_members_declare(world: World) -> None:
    for who in ["handler", "official", "secretary", "observer", "authority"]:
        with pytest.raises(Forbidden):
            declare(world, who, seat="luo")


def test_a_stranger_does_not_learn_of_the_seat(world: World) -> None:
    for seat_id in (world.seats["luo"], "0" * 32):
        with pytest.raises(NotFound):
            world.act(actions.declare, "stranger", seat_id=seat_id, conflict=False)


def test_a_request_for_recusal_suspends_until_it_is_decided(world: World) -> None:
    for who in ("chair", "luo", "shi"):
        arrive(world, who)
    declare(world, "shi", conflict=True, **GROUND)
    assert present(world) == {"chair", "luo"}
    assert states(world)["shi"] == "suspended"
    assert "shi" in due(world)
    with world.db() as db:
        assert queries.quorum(db, world.case_id, world.hearing_id).due == 9
        assert list(queries.pending(db, world.case_id)) == [world.seats["shi"]]


def test_a_refused_request_lets_the_member_sit_on(world: World) -> None:
    arrive(world, "shi")
    declare(world, "shi", conflict=True, **GROUND)
    world.act(actions.refuse_recusal, "chair", seat_id=world.seats["shi"], reason="关系疏远，不影响公正。")
    assert present(world) == {"shi"}
    (event,) = events(world, "committees.recusal_refused")
    assert (event["seat"], event["reason"]) == (world.seats["shi"], "关系疏远，不影响公正。")
    with world.db() as db:
        assert queries.pending(db, world.case_id) == {}
        assert queries.recused(db, world.case_id) == set()


def test_a_request_after_a_refusal_is_a_new_one(world: World) -> None:
    declare(world, "shi", conflict=True, **GROUND)
    world.act(actions.refuse_recusal, "chair", seat_id=world.seats["shi"], reason="不影响公正。")
    declare(world, "shi", conflict=True, ground="witness", statement="想起曾作证。")
    with world.db() as db:
        assert [d.ground for d in queries.pending(db, world.case_id).values()] == ["witness"]


def test_the_newest_declaration_holds(world: World) -> None:
    declare(world, "shi", conflict=True, **GROUND)
    declare(world, "shi")
    with world.db() as db:
        assert queries.pending(db, world.case_id) == {}
    assert [e["conflict"] for e in events(world, "committees.interests_declared")] == [True, False]


def test_there_must_be_a_request_to_refuse(world: World) -> None:
    with pytest.raises(Refused) as refusal:
        world.act(actions.refuse_recusal, "chair", seat_id=world.seats["shi"], reason="不影响公正。")
    assert refusal.value.reason.msgid == "There is no request for recusal to decide."
    assert events(world, "committees.recusal_refused") == []


# Standing aside


def test_a_recusal_leaves_roll_quorum_base_and_access_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []
    monkeypatch.setattr(hooks, "END_SOCKETS", [ended.append])
    for who in ("chair", "luo", "qin"):
        arrive(world, who)
    recusal = recuse(world, "luo", "luo")
    assert "luo" not in due(world)
    assert len(due(world)) == 8
    assert present(world) == {"chair", "qin"}
    assert ended == [world.people["luo"]]
    actor = world.actor("luo")
    assert actor.role_in(world.case_id) is Role.RECUSED
    assert actor.audience_in(world.case_id) is None
    closed = actor.standings[world.case_id].closed
    assert closed is not None
    assert closed.params["entry"] == recusal.entry
    event = events(world, "committees.seat_recused")[0]
    assert (event["seat"], event["category"], event["ground"]) == (world.seats["luo"], "discipline", "interest")
    assert event["statement"] == GROUND["statement"]
    assert [e["seat"] for e in events(world, "committees.member_left")] == [world.seats["luo"]]
    with world.db() as db:
        stored = db.exec(select(Recusal)).one()
        assert (stored.entry, stored.ordered_by) == (recusal.entry, world.people["luo"])
        assert queries.quorum(db, world.case_id, world.hearing_id).needed == 6


def test_the_chair_orders_a_recusal_that_was_asked_for(world: World) -> None:
    declare(world, "shi", conflict=True, **GROUND)
    recusal = recuse(world, "chair", "shi")
    assert recusal.ordered_by == world.people["chair"]
    assert states(world)["shi"] == "recused"
    with world.db() as db:
        assert queries.pending(db, world.case_id) == {}


def test_sockets_end_only_after_the_act_is_durable(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []
    monkeypatch.setattr(hooks, "END_SOCKETS", [ended.append])
    monkeypatch.setattr(hooks, "ON_RECUSAL", [lambda work, actor, seat: 1 / 0])
    with pytest.raises(ZeroDivisionError):
        recuse(world, "luo", "luo")
    assert ended == []
    assert "luo" in due(world)
    assert events(world, "committees.seat_recused") == []


def test_a_recusal_annuls_the_motion_that_is_open(world: World) -> None:
    sit(world)
    motion = opened(world, disposition(world))
    recuse(world, "chair", "meng")
    assert reread(world, motion).state.value == "annulled"
    told = [kind for kind in kinds(world, "") if kind.startswith((".votes", "votes", "committees.seat_recused"))]
    assert [kind for kind in told if "annulled" in kind or "recused" in kind] == [
        "votes.motion_annulled", "committees.seat_recused",
    ]  # fmt: skip


def test_behind_closed_doors_only_those_inside_are_told(world: World) -> None:
    arrive(world, "luo")
    recuse(world, "chair", "meng")
    to_phase(world, Phase.DELIBERATION)
    leave(world, "luo")
    recuse(world, "chair", "shi")
    told = {e["seat"]: e["closed"] for e in events(world, "committees.seat_recused")}
    assert told == {world.seats["meng"]: False, world.seats["shi"]: True}
    assert [e["closed"] for e in events(world, "committees.member_left")] == [True]


@pytest.mark.parametrize(("who", "seat"), [("qin", "luo"), ("secretary", "luo"), ("chair", "chair"), ("luo", "chair")])
def test_who_may_not_order_it(world: World, who: str, seat: str) -> None:
    with pytest.raises(Forbidden):
        recuse(world, who, seat)
    assert len(due(world)) == 9
    assert events(world, "committees.seat_recused") == []


def test_parties_order_nothing(world: World) -> None:
    for who in ["handler", "official", "helper", "observer", "recorder"]:
        with pytest.raises(Forbidden):
            recuse(world, who, "luo")


@pytest.mark.parametrize(
    "what", [{"ground": "bad mood"}, {"ground": ""}, {"statement": ""}, {"statement": "长" * 2001}]
)
def test_a_recusal_has_a_ground_in_words(world: World, what: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        recuse(world, "chair", "luo", **what)
    assert len(due(world)) == 9


def test_a_second_recusal_of_a_seat_is_refused(world: World) -> None:
    recuse(world, "chair", "luo")
    with pytest.raises(Refused) as refusal:
        recuse(world, "chair", "luo")
    assert refusal.value.reason.msgid == "This seat is recused already."
    assert len(events(world, "committees.seat_recused")) == 1


def test_who_stands_aside_does_nothing_more(world: World) -> None:
    actor = world.actor("luo")
    recuse(world, "chair", "luo")
    acts: list[Callable[..., Any]] = [
        partial(actions.declare, actor=actor, seat_id=world.seats["luo"], conflict=False),
        partial(actions.recuse, actor=actor, seat_id=world.seats["luo"], ground="other", statement="再次。"),
        partial(actions.arrive, actor=actor, hearing_id=world.hearing_id),
        partial(actions.leave, actor=actor, hearing_id=world.hearing_id),
    ]
    for act in acts:
        with pytest.raises(Forbidden) as refusal:
            world.work(act)
        assert refusal.value.reason.msgid.startswith("You are recused from this case.")


def test_the_chair_s_recusal_names_another_chair(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []
    monkeypatch.setattr(hooks, "END_SOCKETS", [ended.append])
    recuse(world, "secretary", "chair", successor=world.seats["qian"])
    assert world.actor("chair").role_in(world.case_id) is Role.RECUSED
    assert world.actor("qian").role_in(world.case_id) is Role.CHAIR
    with world.db() as db:
        chair = queries.chair(db, world.case_id)
        assert [seat.id for seat in queries.all_seats(db, world.case_id) if seat.chair] == [world.seats["qian"]]
    assert chair is not None
    assert chair.id == world.seats["qian"]
    assert [e["seat"] for e in events(world, "committees.chair_named")] == [world.seats["qian"]]
    assert set(ended) == {world.people["chair"], world.people["qian"]}
    recuse(world, "qian", "luo")
    assert len(due(world)) == 7


@pytest.mark.parametrize("successor", [None, "chair", "jiang", "he"])
def test_the_chair_s_place_is_not_left_empty(world: World, successor: str | None) -> None:
    with pytest.raises(Refused):
        recuse(world, "authority", "chair", successor=world.seats[successor] if successor else None)
    assert world.actor("chair").role_in(world.case_id) is Role.CHAIR
    assert events(world, "committees.seat_recused") == []


def test_two_recusals_of_one_seat_at_once_leave_one(world: World) -> None:
    by_chair, by_self = world.actor("chair"), world.actor("luo")
    acts = [
        partial(actions.recuse, actor=actor, seat_id=world.seats["luo"], ground="other", statement="一次。")
        for actor in (by_chair, by_self) * 4
    ]
    failures = [future.exception(timeout=30) for future in map(world.site.writer.submit, acts)]
    assert failures.count(None) == 1
    assert all(isinstance(failure, Refused) for failure in failures if failure)
    assert len(events(world, "committees.seat_recused")) == 1
