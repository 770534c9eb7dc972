"""Rounds, drafts, opinions: every refusal, every event with its state."""

from typing import Any

import pytest
from sqlmodel import Session, col, select

from panel.core.errors import Forbidden, Refused
from panel.opinions import actions, queries
from panel.opinions.models import Opinion, OpinionDraft, Round
from panel.record.models import RecordEntry
from tests.factories import World

KEYS = ("nature", "basis", "motive", "process", "consequence", "attitude")


def said(value: int | None = 4, reason: str = "材料可以证明。", exhibits: tuple[int, ...] = (1,)) -> dict[str, Any]:
    """Return one step of an opinion."""
    return {"value": value, "reason": reason, "exhibits": list(exhibits)}


OVERALL = {"recommendation": "exempt", "reasons": "动机为公。", "change": ""}


def open_round(world: World, number: int = 1) -> str:
    """Open a round and return its id."""
    return world.act(actions.open_round, "secretary", case_id=world.case_id, number=number).id


def write(world: World, who: str, round_id: str, value: int = 4, **overall: str) -> None:
    """Write a whole draft."""
    for key in KEYS:
        world.act(actions.save_draft, who, round_id=round_id, step=key, said=said(value), revision=99)
    last = {**OVERALL, **overall}
    world.act(actions.save_draft, who, round_id=round_id, step="overall", said=last, revision=99)


def give(world: World, who: str, round_id: str, value: int = 4, **overall: str) -> Opinion:
    """Write and submit an opinion."""
    write(world, who, round_id, value, **overall)
    return world.act(actions.submit, who, round_id=round_id)


def kinds(db: Session) -> list[str]:
    """Return the kinds of the opinions' events in order."""
    found = db.exec(select(RecordEntry.kind).order_by(col(RecordEntry.index))).all()
    return [kind for kind in found if kind.startswith("opinions.")]


def test_an_opinion_is_given_with_its_event_and_the_draft_is_gone(world: World) -> None:
    round_id = open_round(world)
    opinion = give(world, "luo", round_id)
    with world.db() as db:
        assert kinds(db) == ["opinions.round_opened", "opinions.opinion_submitted"]
        assert db.exec(select(OpinionDraft)).all() == []
        assert (opinion.version, queries.progress(db, round_id)) == (1, (1, 9))


def test_a_draft_leaves_no_event(world: World) -> None:
    round_id = open_round(world)
    write(world, "luo", round_id)
    with world.db() as db:
        assert kinds(db) == ["opinions.round_opened"]


def test_a_newer_opinion_replaces_the_earlier_one_which_is_kept(world: World) -> None:
    round_id = open_round(world)
    give(world, "luo", round_id, 4)
    give(world, "luo", round_id, 2)
    with world.db() as db:
        stored = db.exec(select(Opinion).order_by(col(Opinion.version))).all()
        assert [(o.version, o.ratings["motive"]["value"]) for o in stored] == [(1, 4), (2, 2)]
        latest = queries.mine(db, round_id, world.seats["luo"])
        assert latest is not None
        assert latest.version == 2


def test_closing_counts_the_opinions_and_ends_writing(world: World) -> None:
    round_id = open_round(world)
    give(world, "luo", round_id)
    give(world, "meng", round_id)
    world.act(actions.close_round, "secretary", round_id=round_id)
    with world.db() as db:
        assert db.get_one(Round, round_id).closed_at is not None
        assert kinds(db)[-1] == "opinions.round_closed"
        assert [o.seat_id for o in queries.opinions(db, round_id)] == [world.seats["luo"], world.seats["meng"]]
    with pytest.raises(Forbidden):
        world.act(actions.save_draft, "luo", round_id=round_id, step="motive", said=said(1), revision=99)
    with pytest.raises(Refused):
        world.act(actions.close_round, "secretary", round_id=round_id)


@pytest.mark.parametrize("who", ["secretary", "handler", "official", "observer", "authority", "he", "stranger"])
def test_only_members_with_a_seat_write(world: World, who: str) -> None:
    round_id = open_round(world)
    with pytest.raises(Forbidden):
        world.act(actions.save_draft, who, round_id=round_id, step="motive", said=said(), revision=0)
    with world.db() as db:
        assert db.exec(select(OpinionDraft)).all() == []


def test_an_unfinished_opinion_is_refused_and_kept_as_draft(world: World) -> None:
    round_id = open_round(world)
    world.act(actions.save_draft, "luo", round_id=round_id, step="motive", said=said(), revision=0)
    with pytest.raises(Refused, match="6 steps"):
        world.act(actions.submit, "luo", round_id=round_id)
    with world.db() as db:
        assert db.exec(select(OpinionDraft.revision)).one() == 1
        assert db.exec(select(Opinion)).all() == []


def test_cannot_judge_counts_as_an_answer(world: World) -> None:
    round_id = open_round(world)
    write(world, "luo", round_id)
    world.act(actions.save_draft, "luo", round_id=round_id, step="motive", said=said(None), revision=99)
    opinion = world.act(actions.submit, "luo", round_id=round_id)
    assert opinion.ratings["motive"]["value"] is None


def test_a_foreign_exhibit_cannot_be_cited(world: World) -> None:
    round_id = open_round(world)
    write(world, "luo", round_id)
    world.act(actions.save_draft, "luo", round_id=round_id, step="basis", said=said(exhibits=(1, 77)), revision=99)
    with pytest.raises(Refused, match="not in this case"):
        world.act(actions.submit, "luo", round_id=round_id)


def test_the_second_round_starts_from_the_first_and_asks_why_when_changing(world: World) -> None:
    first = open_round(world)
    give(world, "luo", first, 4)
    world.act(actions.close_round, "secretary", round_id=first)
    second = open_round(world, 2)
    world.act(actions.save_draft, "luo", round_id=second, step="motive", said=said(2), revision=0)
    with pytest.raises(Refused, match="otherwise"):
        world.act(actions.submit, "luo", round_id=second)
    world.act(
        actions.save_draft,
        "luo",
        round_id=second,
        step="overall",
        said={**OVERALL, "change": "听证后改变。"},
        revision=9,
    )
    opinion = world.act(actions.submit, "luo", round_id=second)
    values = {key: opinion.ratings[key]["value"] for key in KEYS}
    assert (values, opinion.change) == ({**dict.fromkeys(KEYS, 4), "motive": 2}, "听证后改变。")


def test_a_confirmed_opinion_needs_no_reason_and_keeps_none(world: World) -> None:
    first = open_round(world)
    give(world, "luo", first)
    world.act(actions.close_round, "secretary", round_id=first)
    second = open_round(world, 2)
    opinion = world.act(actions.submit, "luo", round_id=second)
    assert (opinion.version, opinion.change) == (1, "")


def test_two_devices_get_a_conflict_and_nothing_is_lost(world: World) -> None:
    round_id = open_round(world)
    first = world.act(actions.save_draft, "luo", round_id=round_id, step="motive", said=said(4, "甲"), revision=0)
    with pytest.raises(actions.DraftConflict) as conflict:
        world.act(actions.save_draft, "luo", round_id=round_id, step="motive", said=said(2, "乙"), revision=0)
    assert (conflict.value.theirs["reason"], conflict.value.revision) == ("甲", first.revision)
    chosen = world.act(
        actions.save_draft, "luo", round_id=round_id, step="motive", said=said(2, "乙"), revision=first.revision
    )
    assert chosen.body["ratings"]["motive"]["reason"] == "乙"


def test_another_step_of_another_device_is_no_conflict(world: World) -> None:
    round_id = open_round(world)
    world.act(actions.save_draft, "luo", round_id=round_id, step="motive", said=said(4, "甲"), revision=0)
    draft = world.act(actions.save_draft, "luo", round_id=round_id, step="basis", said=said(2, "乙"), revision=0)
    assert {key: rating["reason"] for key, rating in draft.body["ratings"].items()} == {"motive": "甲", "basis": "乙"}


def test_rounds_follow_one_another(world: World) -> None:
    with pytest.raises(Refused, match="round 1"):
        open_round(world, 2)
    open_round(world)
    with pytest.raises(Refused, match="open already"):
        open_round(world, 2)
