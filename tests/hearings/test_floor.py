"""The floor and what is said on it: each act with its event, and who is refused."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlmodel import col, select

from panel.committees import actions as committees
from panel.core import clock
from panel.core.errors import NotFound, Refused
from panel.hearings import actions, queries
from panel.hearings.models import FloorRequest, Minutes, Phase, Question, Turn
from panel.record.models import RecordEntry
from panel.work import Work
from tests.factories import World
from tests.hearings.course import come, hold_until, step, vote_disposition, vote_facts


def last(world: World, count: int) -> list[tuple[str, bool]]:
    """Return kind and closedness of the newest events, oldest first."""
    with world.db() as db:
        newest = db.exec(select(RecordEntry).order_by(col(RecordEntry.index).desc()).limit(count)).all()
    return [(entry.kind, entry.closed) for entry in reversed(newest)]


def raise_hand(world: World, who: str, kind: str = "speech") -> FloorRequest:
    """Raise a hand."""
    return world.act(actions.request_floor, who, hearing_id=world.hearing_id, kind=kind)


def call(world: World, request: FloorRequest) -> Turn:
    """Let the chair give the floor to a raised hand."""
    return world.act(actions.give_floor, "chair", hearing_id=world.hearing_id, request_id=request.id)


def speaking(world: World) -> Sequence[str]:
    """Return who has the floor, the interrupted speaker first."""
    names = {person: key for key, person in world.people.items()}
    with world.db() as db:
        return [names[turn.person_id] for turn in queries.speaking(db, world.hearing_id)]


def waiting(world: World) -> set[str]:
    """Return whose hands are up."""
    names = {person: key for key, person in world.people.items()}
    with world.db() as db:
        return {names[request.person_id] for request in queries.requests(db, world.hearing_id)}


@pytest.fixture
def asking(world: World) -> World:
    """A hearing in which the members put questions."""
    hold_until(world, Phase.QUESTIONS)
    return world


def test_a_point_of_order_interrupts_and_a_second_one_follows_the_first(asking: World) -> None:
    call(asking, raise_hand(asking, "luo"))
    call(asking, raise_hand(asking, "qin", "point_of_order"))
    assert speaking(asking) == ["luo", "qin"]
    call(asking, raise_hand(asking, "qian", "point_of_order"))
    assert speaking(asking) == ["luo", "qian"]
    assert last(asking, 2) == [("hearings.floor_left", False), ("hearings.floor_given", False)]


def test_a_speaker_gives_the_floor_back_when_the_next_is_called(asking: World) -> None:
    call(asking, raise_hand(asking, "luo"))
    call(asking, raise_hand(asking, "qin"))
    assert speaking(asking) == ["qin"]


def test_who_has_the_floor_asks_for_a_point_of_order_but_not_for_the_floor(asking: World) -> None:
    call(asking, raise_hand(asking, "luo"))
    with pytest.raises(Refused, match="You have the floor"):
        raise_hand(asking, "luo")
    raise_hand(asking, "luo", "point_of_order")
    assert waiting(asking) == {"luo"}


def test_more_time_is_recorded_as_more_time(asking: World) -> None:
    turn = call(asking, raise_hand(asking, "luo"))
    longer = asking.act(actions.extend_turn, "chair", turn_id=turn.id, seconds=30)
    assert longer.seconds == turn.seconds + 30
    assert last(asking, 1) == [("hearings.floor_extended", False)]


def test_a_member_who_is_not_noted_as_present_takes_no_part(asking: World) -> None:
    request = raise_hand(asking, "luo")
    asking.act(committees.leave, "luo", hearing_id=asking.hearing_id)
    with pytest.raises(Refused, match="not noted as present"):
        raise_hand(asking, "luo", "question")
    with pytest.raises(Refused, match="not in the room"):
        call(asking, request)
    come(asking, "luo")
    assert call(asking, request).person_id == asking.people["luo"]


def test_nobody_is_called_while_the_hearing_stands_still(asking: World) -> None:
    request = raise_hand(asking, "luo")
    asking.act(actions.pause, "chair", hearing_id=asking.hearing_id)
    with pytest.raises(Refused, match="stands still"):
        call(asking, request)


def test_the_doors_take_down_the_hands_of_those_outside(asking: World) -> None:
    for who in ("luo", "official", "handler"):
        raise_hand(asking, who)
    assert step(asking).phase is Phase.RECESS
    assert waiting(asking) == {"luo"}
    assert last(asking, 3) == [("hearings.floor_request_withdrawn", False)] * 2 + [("hearings.stage_begun", False)]


def test_no_hand_raised_behind_the_doors_is_up_when_they_open(world: World) -> None:
    hold_until(world, Phase.MOTIONS)
    raise_hand(world, "luo")
    vote_facts(world)
    vote_disposition(world)
    step(world)
    assert waiting(world) == set()
    assert last(world, 2) == [("hearings.floor_request_withdrawn", True), ("hearings.stage_begun", False)]


def test_a_party_cannot_be_called_into_closed_session(world: World) -> None:
    hold_until(world, Phase.DELIBERATION)
    with pytest.raises(Refused, match="not in the room"):
        world.act(actions.give_floor, "chair", hearing_id=world.hearing_id, person_id=world.people["official"])


def test_a_recused_member_loses_the_floor_and_the_place_on_the_list(asking: World) -> None:
    call(asking, raise_hand(asking, "luo"))
    raise_hand(asking, "luo", "question")
    asking.act(committees.recuse, "chair", seat_id=asking.seats["luo"], ground="near_relative", statement="亲属。")
    assert (speaking(asking), waiting(asking)) == ([], set())


def test_a_question_is_answered_by_the_one_asked_or_the_recorder(asking: World) -> None:
    put = {"hearing_id": asking.hearing_id, "asked_of": asking.people["official"]}
    first, second = (asking.act(actions.ask, "luo", **put, text=text) for text in ("何时？", "何人？"))
    for who in ("qin", "handler", "chair"):
        with pytest.raises(Refused, match="somebody else"):
            asking.act(actions.answer, who, question_id=first.id, text="代答。")
    asking.act(actions.answer, "official", question_id=first.id, text="汛前。")
    asking.act(actions.answer, "recorder", question_id=second.id, text="检修队。")
    with asking.db() as db:
        answers = [(q.answer, q.answered_by) for q in db.exec(select(Question).order_by(col(Question.number)))]
    assert answers == [("汛前。", asking.people["official"]), ("检修队。", asking.people["official"])]
    assert last(asking, 2) == [("hearings.question_answered", False)] * 2


def test_only_the_recorder_writes_down_anothers_question(asking: World) -> None:
    put = {"hearing_id": asking.hearing_id, "asked_of": asking.people["official"], "text": "何时？"}
    with pytest.raises(Refused, match="questions of your own"):
        asking.act(actions.ask, "luo", **put, asked_by=asking.people["qin"])
    asked = asking.act(actions.ask, "recorder", **put, asked_by=asking.people["qin"])
    assert asked.asked_by == asking.people["qin"]


def test_nobody_takes_down_anothers_hand(asking: World) -> None:
    request = raise_hand(asking, "luo")
    with pytest.raises(NotFound):
        asking.act(actions.withdraw_request, "qin", request_id=request.id)
    asking.act(actions.withdraw_request, "luo", request_id=request.id)
    assert (waiting(asking), last(asking, 1)) == (set(), [("hearings.floor_request_withdrawn", False)])


def test_a_pause_behind_the_doors_is_told_inside_only(world: World) -> None:
    hold_until(world, Phase.DELIBERATION)
    world.act(actions.pause, "chair", hearing_id=world.hearing_id, reason="密议中的暂停")
    world.act(actions.resume, "chair", hearing_id=world.hearing_id)
    assert last(world, 2) == [("hearings.hearing_paused", True), ("hearings.hearing_resumed", True)]


def test_minutes_whose_limit_has_passed_are_settled_by_the_timer(world: World) -> None:
    hold_until(world, Phase.ENDED)
    with world.db() as db:
        minutes = db.exec(select(Minutes)).one()
        assert queries.dissents_open(db, world.hearing_id)
    assert world.work(actions.settle_overdue) == 0

    def pass_the_limit(work: Work) -> None:
        work.db.get_one(Minutes, minutes.id).confirm_by = clock.now() - timedelta(seconds=1)

    world.work(pass_the_limit)
    with world.db() as db:
        assert not queries.dissents_open(db, world.hearing_id)
    assert (world.work(actions.settle_overdue), world.work(actions.settle_overdue)) == (1, 0)
    assert last(world, 1) == [("hearings.minutes_settled", False)]
