"""The course of a hearing: every step with its event and what it brings with it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlmodel import col, select

from panel.core import clock
from panel.core.errors import Forbidden, Refused
from panel.decisions import queries as decisions
from panel.hearings import actions, queries
from panel.hearings.models import Hearing, Minutes, Phase, Stage
from panel.opinions import queries as rounds
from panel.record.models import RecordEntry
from panel.votes import queries as motions
from tests.factories import World
from tests.hearings.course import come, hold_until, step


def kinds(world: World) -> list[str]:
    """Return the kinds of the hearing's events in order."""
    with world.db() as db:
        found = db.exec(select(RecordEntry.kind).order_by(col(RecordEntry.index))).all()
    return [kind for kind in found if kind.startswith("hearings.")]


def phase(world: World) -> Phase:
    """Return where the hearing stands."""
    with world.db() as db:
        return db.get_one(Hearing, world.hearing_id).phase


def test_a_whole_hearing_leads_to_a_finding_and_minutes(world: World) -> None:
    hold_until(world, Phase.ENDED)
    with world.db() as db:
        finding = decisions.finding(db, world.case_id)
        assert finding is not None
        assert finding.outcome == "exempt"
        assert [fact["carried"] for fact in finding.facts] == ["carried", "carried"]
        assert queries.minutes_of(db, world.hearing_id) is not None
        assert [stage.phase for stage in queries.stages(db, world.hearing_id)] == list(Phase)[1:-1]
        assert all(stage.ended_at for stage in db.exec(select(Stage)))
    assert kinds(world).count("hearings.stage_begun") == len(Phase) - 2
    assert kinds(world)[-2:] == ["hearings.hearing_ended", "hearings.minutes_frozen"]


def test_calling_to_order_begins_the_opening(world: World) -> None:
    step(world)
    assert (phase(world), kinds(world)) == (Phase.OPENING, ["hearings.stage_begun"])


def test_without_a_quorum_the_hearing_is_not_opened(world: World) -> None:
    step(world)
    come(world, "chair", "luo", "qin", "qian", "meng")
    with pytest.raises(Refused, match="5 of 9"):
        step(world)
    assert (phase(world), kinds(world)) == (Phase.OPENING, ["hearings.stage_begun"])


def test_opening_records_the_quorum_and_closes_the_first_round(world: World) -> None:
    hold_until(world, Phase.PRESENTATION)
    with world.db() as db:
        (round_,) = rounds.rounds(db, world.case_id)
        assert round_.closed_at is not None
    assert kinds(world)[1:3] == ["hearings.hearing_opened", "hearings.stage_begun"]


def test_the_second_round_is_opened_behind_closed_doors_and_closed_before_the_votes(world: World) -> None:
    hold_until(world, Phase.OPINIONS)
    with world.db() as db:
        first, second = rounds.rounds(db, world.case_id)
        assert (first.closed_at is not None, second.closed_at, second.hearing_id) == (True, None, world.hearing_id)
        entry = db.exec(select(RecordEntry).where(RecordEntry.kind == "opinions.round_opened")).all()[-1]
        assert entry.closed
    with pytest.raises(Refused, match="9 members present"):
        step(world)


def test_questions_of_fact_are_put_on_the_list_when_voting_begins(world: World) -> None:
    hold_until(world, Phase.MOTIONS)
    with world.db() as db:
        assert [m.question for m in motions.motions(db, world.hearing_id)] == [
            "闸门是否存在漏水隐患？",
            "黄某是否谋取私利？",
        ]
    with pytest.raises(Refused, match="2 questions of fact"):
        step(world)


def test_results_are_announced_with_the_summing_up(world: World) -> None:
    hold_until(world, Phase.CLOSING_STATEMENT)
    with world.db() as db:
        assert [m.announced_at for m in motions.motions(db, world.hearing_id)] == [None, None, None]
    step(world)
    with world.db() as db:
        assert all(m.announced_at for m in motions.motions(db, world.hearing_id))


@pytest.mark.parametrize("who", ["secretary", "luo", "handler", "official", "observer", "authority"])
def test_only_the_chair_takes_the_next_step(world: World, who: str) -> None:
    with pytest.raises(Forbidden):
        step(world, who)
    assert phase(world) is Phase.SCHEDULED


def test_of_two_presses_at_once_one_moves_the_hearing(world: World) -> None:
    def press(_n: int) -> str:
        try:
            world.act(actions.next_step, "chair", hearing_id=world.hearing_id, phase="scheduled")
        except Refused as refused:
            return str(refused)
        return "moved"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(press, range(8)))
    assert answers.count("moved") == 1
    assert sum("moved on meanwhile" in answer for answer in answers) == 7
    assert phase(world) is Phase.OPENING


def test_a_pause_blocks_the_next_step_until_it_is_over(world: World) -> None:
    hold_until(world, Phase.QUESTIONS)
    world.act(actions.pause, "chair", hearing_id=world.hearing_id, reason="设备故障")
    with pytest.raises(Refused, match="paused"):
        step(world)
    with pytest.raises(Refused, match="stands still"):
        world.act(actions.pause, "chair", hearing_id=world.hearing_id)
    world.act(actions.resume, "chair", hearing_id=world.hearing_id)
    assert step(world).phase is Phase.RECESS
    assert kinds(world)[-3:] == ["hearings.hearing_paused", "hearings.hearing_resumed", "hearings.stage_begun"]


def test_an_adjournment_is_to_a_later_time_and_ends_with_resuming(world: World) -> None:
    hold_until(world, Phase.QUESTIONS)
    yesterday, tomorrow = clock.now() - timedelta(days=1), clock.now() + timedelta(days=1)
    with pytest.raises(Refused, match="still to come"):
        world.act(actions.adjourn, "chair", hearing_id=world.hearing_id, reason="时间已晚", until=yesterday)
    world.act(actions.adjourn, "chair", hearing_id=world.hearing_id, reason="时间已晚", until=tomorrow)
    with pytest.raises(Refused, match="adjourned"):
        step(world)
    world.act(actions.resume, "chair", hearing_id=world.hearing_id)
    with pytest.raises(Refused, match="0 of 9"):
        step(world)
    come(world)
    assert step(world).phase is Phase.RECESS
    assert kinds(world)[-3:] == ["hearings.hearing_adjourned", "hearings.hearing_resumed", "hearings.stage_begun"]


def test_minutes_settle_when_every_attending_member_has_answered(world: World) -> None:
    hold_until(world, Phase.ENDED)
    with world.db() as db:
        minutes = db.exec(select(Minutes)).one()
    with pytest.raises(Refused, match="Say why"):
        world.act(actions.confirm, "luo", minutes_id=minutes.id, confirmed=False)
    world.act(actions.confirm, "luo", minutes_id=minutes.id, confirmed=False, reason="漏记一句。")
    for key in ("qin", "qian", "meng", "shi", "feng", "duan", "jiang"):
        world.act(actions.confirm, key, minutes_id=minutes.id, confirmed=True)
    with world.db() as db:
        assert queries.dissents_open(db, world.hearing_id)
    with pytest.raises(Refused, match="still have time"):
        world.act(actions.settle, "secretary", minutes_id=minutes.id)
    world.act(actions.confirm, "chair", minutes_id=minutes.id, confirmed=True)
    with world.db() as db:
        assert not queries.dissents_open(db, world.hearing_id)
    assert kinds(world)[-2:] == ["hearings.minutes_confirmed", "hearings.minutes_settled"]
    assert kinds(world).count("hearings.minutes_refused") == 1
    with pytest.raises(Refused, match="settled"):
        world.act(actions.confirm, "luo", minutes_id=minutes.id, confirmed=True)
