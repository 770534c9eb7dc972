"""Coming and going, and the quorum that follows."""

from functools import partial

import pytest
from sqlmodel import select

from panel.committees import actions, queries
from panel.committees.models import Attendance, Seat
from panel.core.errors import Forbidden, NotFound, Refused
from panel.hearings.models import Phase
from tests.committees.seats import GROUND, arrive, declare, form, leave, nine, present, recuse, states
from tests.factories import World
from tests.people import SEATED
from tests.votes.chamber import events, kinds, to_phase

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
