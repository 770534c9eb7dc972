"""Seats on the record: what changes, what is told, who may."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlmodel import select

from panel.committees import actions, queries
from panel.committees.models import Attendance, Category, InterestDeclaration, Recusal, Seat
from panel.committees.rules import Member
from panel.core import hooks
from panel.core.errors import Forbidden, NotFound, Refused
from panel.core.security import Role
from panel.hearings.models import Phase
from tests.cases.test_actions import empty
from tests.factories import World
from tests.people import SEATED
from tests.votes.chamber import disposition, events, kinds, opened, reread, sit, to_phase

GROUND = {"ground": "interest", "statement": "配偶在施工企业任职。"}


def declare(world: World, who: str, *, seat: str = "", **what: Any) -> InterestDeclaration:
    what = {"conflict": False, **what}
    return world.act(actions.declare, who, seat_id=world.seats[seat or who], **what)


def recuse(world: World, who: str, seat: str, **what: Any) -> Recusal:
    return world.act(actions.recuse, who, seat_id=world.seats[seat], **{**GROUND, **what})


def arrive(world: World, who: str, seat: str = "") -> Attendance:
    return world.act(actions.arrive, who, hearing_id=world.hearing_id, seat_id=world.seats[seat] if seat else None)


def leave(world: World, who: str, seat: str = "") -> Attendance:
    return world.act(actions.leave, who, hearing_id=world.hearing_id, seat_id=world.seats[seat] if seat else None)


def present(world: World) -> set[str]:
    with world.db() as db:
        here = queries.present(db, world.hearing_id)
    return {key for key, id in world.seats.items() if id in here}


def due(world: World) -> list[str]:
    by_id = {id: key for key, id in world.seats.items()}
    with world.db() as db:
        return [by_id[seat.id] for seat in queries.seats(db, world.case_id)]


def states(world: World) -> dict[str, str]:
    by_id = {id: key for key, id in world.seats.items()}
    with world.db() as db:
        return {by_id[p.seat.id]: p.state for p in queries.places(db, world.case_id, world.hearing_id)}


# Forming


def form(world: World, *members: Member) -> str:
    """Form the committee of a second case."""
    case_id = empty(world)
    world.work(lambda work: actions.form_committee(work, None, case_id=case_id, name="第二委员会", members=members))
    return case_id


def nine(world: World) -> list[Member]:
    return [Member(world.people[s.key], s.category or Category.LEGAL, "单位", chair=s.key == "chair") for s in SEATED]


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


# Coming and going


def test_arriving_leaving_and_coming_back(world: World) -> None:
    arrive(world, "luo")
    assert (present(world), states(world)["luo"]) == ({"luo"}, "present")
    leave(world, "luo")
    assert (present(world), states(world)["luo"]) == (set(), "left")
    arrive(world, "luo")
    assert present(world) == {"luo"}
    with world.db() as db:
        stretches = queries.stretches(db, world.hearing_id)
    assert [stretch.left_at is None for stretch in stretches] == [False, True]
    came = [k for k in kinds(world, "committees") if k.startswith("member_")]
    assert came == ["member_arrived", "member_left", "member_arrived"]
    assert {e["seat"] for e in events(world, "committees.member_arrived")} == {world.seats["luo"]}


@pytest.mark.parametrize("who", ["chair", "secretary", "recorder"])
def test_the_clerks_note_that_others_come_and_go(world: World, who: str) -> None:
    arrive(world, who, "luo")
    assert present(world) == {"luo"}
    assert events(world, "committees.member_arrived")[0]["actor_id"] == world.people[who]
    leave(world, who, "luo")
    assert present(world) == set()


def test_nobody_else_notes_it(world: World) -> None:
    for who in ("qin", "handler", "official", "observer", "authority"):
        with pytest.raises(Forbidden):
            arrive(world, who, "luo")
    assert events(world, "committees.member_arrived") == []


def test_a_seat_of_another_case_is_not_there(world: World) -> None:
    case_id = form(world, *nine(world))
    with world.db() as db:
        foreign = queries.all_seats(db, case_id)[1]
    for seat_id in (foreign.id, "0" * 32):
        with pytest.raises(NotFound):
            world.act(actions.arrive, "chair", hearing_id=world.hearing_id, seat_id=seat_id)
    with pytest.raises(NotFound):
        world.act(actions.arrive, "chair", hearing_id="0" * 32)


def test_twice_is_once(world: World) -> None:
    arrive(world, "luo")
    with pytest.raises(Refused) as refusal:
        arrive(world, "luo")
    assert refusal.value.reason.msgid == "You are recorded as present already."
    leave(world, "luo")
    with pytest.raises(Refused) as refusal:
        leave(world, "luo")
    assert refusal.value.reason.msgid == "This member is not recorded as present."
    assert len(events(world, "committees.member_arrived")) == 1


def test_nobody_comes_to_a_hearing_that_has_ended(world: World) -> None:
    to_phase(world, Phase.ENDED)
    with pytest.raises(Refused) as refusal:
        arrive(world, "luo")
    assert refusal.value.reason.msgid == "The hearing has ended."


@pytest.mark.parametrize("phase", [Phase.SCHEDULED, Phase.PRESENTATION, Phase.DELIBERATION, Phase.SUMMING_UP])
def test_a_member_may_come_late(world: World, phase: Phase) -> None:
    to_phase(world, phase)
    arrive(world, "meng")
    assert present(world) == {"meng"}


def test_an_alternate_waits_outside(world: World) -> None:
    with pytest.raises(Refused) as refusal:
        arrive(world, "chair", "he")
    assert refusal.value.reason.msgid == "An alternate comes in once they have moved up."


def test_eight_arrivals_of_one_member_at_once_are_one(world: World) -> None:
    actor = world.actor("luo")
    acts = [partial(actions.arrive, actor=actor, hearing_id=world.hearing_id) for _ in range(8)]
    failures = [future.exception(timeout=30) for future in map(world.site.writer.submit, acts)]
    assert failures.count(None) == 1
    with world.db() as db:
        assert len(db.exec(select(Attendance)).all()) == 1
    assert len(events(world, "committees.member_arrived")) == 1


def test_the_quorum_follows_who_is_there(world: World) -> None:
    told = []
    for someone in SEATED:
        arrive(world, someone.key)
        with world.db() as db:
            quorum = queries.quorum(db, world.case_id, world.hearing_id)
        told.append((quorum.present, quorum.met))
    assert told == [(n, n >= 7) for n in range(1, 10)]
    recuse(world, "chair", "luo")
    with world.db() as db:
        quorum = queries.quorum(db, world.case_id, world.hearing_id)
    assert (quorum.due, quorum.present, quorum.needed, quorum.met) == (8, 8, 6, True)


def test_every_seat_has_one_state(world: World) -> None:
    for who in ("chair", "luo", "qin"):
        arrive(world, who)
    leave(world, "qin")
    recuse(world, "chair", "meng")
    declare(world, "shi", conflict=True, **GROUND)
    assert states(world) == {
        "chair": "present", "luo": "present", "qin": "left", "qian": "absent", "meng": "recused",
        "shi": "suspended", "feng": "absent", "duan": "absent", "jiang": "absent", "he": "alternate",
    }  # fmt: skip


def test_the_roll_does_not_change_by_itself(world: World) -> None:
    with world.db() as db:
        before = [seat.model_dump() for seat in db.exec(select(Seat).order_by(Seat.number))]  # type: ignore[arg-type]  # SQLModel types columns as values
    for who in ("luo", "qin"):
        arrive(world, who)
    declare(world, "luo")
    with world.db() as db:
        assert [seat.model_dump() for seat in db.exec(select(Seat).order_by(Seat.number))] == before  # type: ignore[arg-type]  # as above
