"""Signals: one per audience that may have noticed, sent when its parts are drawn, with the newest revision."""

import asyncio
from collections.abc import Callable

import pytest

from panel.app import stream_of
from panel.core.security import INSIDE, Audience
from panel.hearings import actions
from panel.hearings.models import Phase
from panel.live.changes import Changes, Drawn, Seen
from tests.factories import World
from tests.hearings.course import come, hold_until, step

Sent = list[tuple[Audience, int]]


def heard(world: World, *acts: Callable[[], object], locale: str = "") -> tuple[Changes, Sent]:
    """Let acts happen one after the other before the loop turns; return what was signalled for them."""
    sent: Sent = []

    async def note(_hearing_id: str, audience: Audience, revision: int) -> None:
        sent.append((audience, revision))

    following = Changes(world.site, note, stream_of, lambda *_: 0)

    async def listen() -> None:
        following.bind()
        followed = following.follow(world.hearing_id)
        assert followed is not None
        if locale:
            following.draw(followed, Audience.OBSERVER, locale)
        world.site.areas["changes"] = following
        for act in acts:
            act()
        while following._tasks or following._waking or not sent:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(listen(), 30))
    return following, sent


def test_who_may_have_noticed_is_told_once(world: World) -> None:
    step(world)
    following, sent = heard(world, lambda: come(world, "luo"))
    followed = following.followed(world.hearing_id)
    assert followed is not None
    assert sorted(sent) == sorted((a, followed.seen[a].revision) for a in Audience if a is not Audience.PUBLIC)


def test_many_changes_before_a_signal_leaves_are_one_signal(world: World) -> None:
    step(world)
    _, sent = heard(world, *(lambda who=who: come(world, who) for who in ("luo", "qin", "qian")))
    told = [audience for audience, _ in sent]
    assert sorted(told) == sorted(set(told))


def test_in_closed_session_only_the_inside_is_told(world: World) -> None:
    hold_until(world, Phase.RECESS)
    here = {"hearing_id": world.hearing_id}
    _, sent = heard(world, lambda: world.act(actions.write_note, "recorder", **here, text="密议"), lambda: step(world))
    assert {audience for audience, _ in sent} == set(INSIDE)


def test_the_answer_is_drawn_before_the_signal_leaves(world: World) -> None:
    step(world)
    following, _ = heard(world, lambda: come(world, "luo"), locale="zh_CN")
    followed = following.followed(world.hearing_id)
    assert followed is not None
    ready = followed.ready(Audience.OBSERVER, "zh_CN")
    assert isinstance(ready, Drawn)
    assert "实到 1 人" in ready.texts["attendance"]


def test_a_part_that_cannot_be_drawn_does_not_keep_the_signal_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> str:
        raise RuntimeError("cannot be drawn")

    step(world)
    monkeypatch.setattr(world.site.templates, "get_template", broken)
    assert {audience for audience, _ in heard(world, lambda: come(world, "luo"))[1]} == set(Audience) - {
        Audience.PUBLIC
    }


def test_what_was_seen_is_replaced_and_never_half_changed() -> None:
    before = Seen(4, {"now": 2})
    after = before.after({"now", "floor"})
    assert (before.revision, before.newer(2)) == (4, ())
    assert (after.revision, set(after.newer(4)), after.newer(5)) == (5, {"now", "floor"}, ())


def test_a_drawing_that_is_done_and_not_yet_forgotten_is_not_waited_for(world: World) -> None:
    """Between the end of a drawing and its removal something newer may be committed; whoever asks then draws anew."""
    hold_until(world, Phase.QUESTIONS)

    async def silent(*_: object) -> None:
        return None

    following = Changes(world.site, silent, stream_of, lambda *_: 0)
    followed = following.follow(world.hearing_id)
    assert followed is not None
    older = following.draw(followed, Audience.OBSERVER, "zh_CN")
    world.site.areas["changes"] = following
    world.act(actions.request_floor, "luo", hearing_id=world.hearing_id, kind="speech")

    async def ask() -> Drawn:
        done = asyncio.get_running_loop().create_task(asyncio.sleep(0, older))
        await done
        following._drawing[followed.id, Audience.OBSERVER, "zh_CN"] = done
        return await following.fresh(followed, Audience.OBSERVER, "zh_CN")

    newer = asyncio.run(ask())
    assert (newer.seen.revision > older.seen.revision, following._drawing) == (True, {})
