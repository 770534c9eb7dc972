"""One's own notes: saved while typing, never overwritten by an older text, read by nobody else; the dark projector."""

import pytest
from sqlmodel import select

from panel.core.errors import Forbidden, Refused
from panel.hearings import actions
from panel.hearings.models import Hearing, Jotting, Phase
from panel.record.models import RecordEntry
from tests.factories import World
from tests.hearings.course import hold_until

CANARY = "金丝雀：我自己的笔记"
EVERYBODY_ELSE = ("chair", "qin", "secretary", "recorder", "handler", "official", "authority", "observer", "projector")


def events(world: World) -> list[str]:
    """Return the kinds of every event."""
    with world.db() as db:
        return list(db.exec(select(RecordEntry.kind).order_by(RecordEntry.index)))  # type: ignore[arg-type]  # a column


def test_notes_are_read_by_their_author_alone_and_leave_no_event(world: World) -> None:
    hold_until(world, Phase.DELIBERATION)
    before = events(world)
    client, path = world.client("luo"), f"/hearings/{world.hearing_id}"
    sent = world.token(client, path) | {"text": CANARY, "revision": "0"}
    answer = client.post(f"{path}/jottings", data=sent, headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["revision"]) == (200, 1)
    assert events(world) == before
    assert CANARY in client.get(path).text
    pages = {who: world.client(who).get(path).text for who in EVERYBODY_ELSE}
    changes = {who: world.client(who).get(f"{path}/changes?since=-1&own=1").text for who in EVERYBODY_ELSE}
    assert [who for who in EVERYBODY_ELSE if CANARY in pages[who] + changes[who]] == []


def test_an_older_text_does_not_overwrite_a_newer_one(world: World) -> None:
    hearing = {"hearing_id": world.hearing_id}
    world.act(actions.jot, "luo", **hearing, text="手机上写的", revision=0)
    with pytest.raises(Refused, match="another device"):
        world.act(actions.jot, "luo", **hearing, text="电脑上写的", revision=0)
    world.act(actions.jot, "luo", **hearing, text="手机上写的", revision=0)
    world.act(actions.jot, "luo", **hearing, text="合在一起", revision=2)
    with world.db() as db:
        assert [(j.text, j.revision) for j in db.exec(select(Jotting))] == [("合在一起", 3)]


@pytest.mark.parametrize("who", ["observer", "projector", "authority"])
def test_who_only_watches_keeps_no_notes_here(world: World, who: str) -> None:
    with pytest.raises(Forbidden):
        world.act(actions.jot, who, hearing_id=world.hearing_id, text="旁听笔记", revision=0)
    assert 'id="jotting"' not in world.client(who).get(f"/hearings/{world.hearing_id}").text


def test_a_dark_projector_shows_nothing_of_the_hearing_until_it_is_lit(world: World) -> None:
    hold_until(world, Phase.QUESTIONS)
    world.act(actions.give_floor, "chair", hearing_id=world.hearing_id, person_id=world.people["qin"])
    path = f"/hearings/{world.hearing_id}"
    shown = [_now(world, "projector", path)]
    for dark in (True, False):
        world.act(actions.darken, "chair", hearing_id=world.hearing_id, dark=dark)
        shown.append(_now(world, "projector", path))
        with pytest.raises(Refused):
            world.act(actions.darken, "chair", hearing_id=world.hearing_id, dark=dark)
    assert ["秦月" in part for part in shown] == [True, False, True]
    assert ["data-dark" in part for part in shown] == [False, True, False]
    assert events(world)[-2:] == ["hearings.projector_darkened"] * 2
    with world.db() as db:
        assert db.exec(select(Hearing.dark)).one() is False


def test_a_dark_projector_is_dark_for_nobody_else(world: World) -> None:
    hold_until(world, Phase.QUESTIONS)
    world.act(actions.darken, "chair", hearing_id=world.hearing_id, dark=True)
    path = f"/hearings/{world.hearing_id}"
    assert ["data-dark" in _now(world, who, path) for who in ("luo", "official", "observer", "chair")] == [False] * 4


def _now(world: World, who: str, path: str) -> str:
    """Return the part that says what is happening, as a reader gets it."""
    text = world.client(who).get(f"{path}/changes?since=-1").text
    return text[text.index('id="part-now"') :].split("</section>")[0]
