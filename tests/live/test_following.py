"""Following a hearing: what comes after a revision, what is drawn anew, what a closed door and a restart do to it."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from panel.app import create_app
from panel.committees import actions as committees
from panel.core.security import Audience
from panel.hearings import actions
from panel.hearings.models import Phase
from panel.live import changes, parts
from panel.live.parts import Part
from panel.opinions import actions as opinions
from tests.factories import World
from tests.hearings.course import come, hold_until, step, vote_disposition, vote_facts
from tests.live.reader import Reader, shared

READERS = ("chair", "secretary", "recorder", "luo", "handler", "official", "authority", "observer", "projector")
OUTSIDE = ("handler", "official", "helper", "authority", "observer", "projector")
OWN_OF_LUO = {"own-declaration", "own-opinion", "own-ballot", "own-dissent", "own-hand", "own-question", "own-confirm"}


def note(world: World, text: str = "补充一句。") -> None:
    """Let the recorder add to the minutes."""
    world.act(actions.write_note, "recorder", hearing_id=world.hearing_id, text=text)


@pytest.fixture
def opening(world: World) -> World:
    """A hearing that has been called to order."""
    step(world)
    return world


def test_what_is_newer_comes_and_nothing_else(opening: World) -> None:
    observer = Reader(opening, "observer")
    before = observer.revision()
    come(opening, "luo")
    answer = observer.since(before)
    assert (answer.status, answer.revision) == (200, before + 2)
    assert set(answer.parts) == {"part-attendance", "part-floor"}


@pytest.mark.parametrize(
    "since", ["since=999", "since=-1", "since=abc", "since=", "since=1e3", "since=9999999999999", ""]
)
def test_whoever_holds_what_cannot_be_gets_everything(opening: World, since: str) -> None:
    observer = Reader(opening, "observer")
    answer = observer.ask(since)
    assert (answer.status, answer.revision) == (200, observer.revision())
    assert set(answer.parts) == {f"part-{part.name}" for part in parts.parts_for(Audience.OBSERVER)}


def test_the_readers_own_parts_come_with_every_change(opening: World) -> None:
    luo = Reader(opening, "luo")
    before = luo.revision()
    come(opening, "qin")
    answer = luo.since(before)
    assert set(answer.parts) == {"part-attendance", "part-floor", "part-minutes"} | OWN_OF_LUO


@pytest.mark.parametrize("who", READERS)
def test_the_page_and_the_changes_never_disagree(opening: World, who: str) -> None:
    come(opening)
    reader = Reader(opening, who)
    revision, page = reader.page()
    answer = reader.since(-1)
    assert answer.revision == revision
    assert set(answer.parts) == set(page)
    assert shared(answer.parts) == shared(page)
    assert reader.since(revision).status == 204


def test_revisions_are_the_same_after_a_restart(opening: World) -> None:
    hold_until_questions(opening)
    before = {who: Reader(opening, who).revision() for who in READERS}
    again = make_again(opening)
    assert {who: Reader(again, who).revision() for who in READERS} == before
    again.close()


def hold_until_questions(world: World) -> None:
    """Let something of everything happen in open session."""
    come(world)
    while step(world).phase is not Phase.QUESTIONS:
        pass
    here = {"hearing_id": world.hearing_id}
    world.act(actions.request_floor, "luo", **here, kind="question")
    world.act(actions.give_floor, "chair", **here, person_id=world.people["luo"])
    world.act(actions.ask, "luo", **here, asked_of=world.people["official"], text="何时发现？")
    note(world)


def make_again(world: World) -> World:
    """Start a second process on the same database."""
    app = create_app(world.site.settings)
    return replace(world, app=app, site=app.state.site)


def test_entries_of_the_case_that_name_no_hearing_count_too(world: World) -> None:
    world.act(opinions.open_round, "secretary", case_id=world.case_id, number=1)
    luo, observer = Reader(world, "luo"), Reader(world, "observer")
    before, outside = luo.revision(), observer.revision()
    hold_until(world, Phase.PRESENTATION)
    answer = luo.since(before)
    assert "part-opinions" in answer.parts
    again = make_again(world)
    assert answer.parts["part-opinions"] == Reader(again, "luo").page()[1]["part-opinions"]
    again.close()
    assert observer.since(outside).parts.keys() >= {"part-now", "part-agenda"}


def test_another_cases_entries_do_not_count(opening: World) -> None:
    followed = changes.of(opening.site).follow(opening.hearing_id)
    assert followed is not None
    assert followed.concerned(followed.stream, None)
    assert followed.concerned("another case's", followed.id)
    assert not followed.concerned("another case's", None)
    assert not followed.concerned(followed.stream, "another hearing")


def test_what_the_process_has_put_away_is_replayed(opening: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "KEPT", 1)
    following, observer = changes.of(opening.site), Reader(opening, "observer")
    first = observer.since(-1)
    following._keep(changes.Followed("another", "another", "another"))
    assert following.followed(opening.hearing_id) is None
    assert observer.since(-1) == first
    assert following.followed("another") is None


def test_in_closed_session_nobody_outside_notices_anything(world: World) -> None:
    hold_until(world, Phase.RECESS)
    readers = {who: Reader(world, who) for who in OUTSIDE}
    before = {who: reader.page() for who, reader in readers.items()}
    note(world, "密议一句。")
    step(world)
    world.act(actions.request_floor, "luo", hearing_id=world.hearing_id, kind="speech")
    world.act(actions.give_floor, "chair", hearing_id=world.hearing_id, person_id=world.people["luo"])
    world.act(actions.pause, "chair", hearing_id=world.hearing_id, reason="密议中的暂停")
    world.act(actions.resume, "chair", hearing_id=world.hearing_id)
    world.act(committees.leave, "jiang", hearing_id=world.hearing_id)
    world.act(committees.arrive, "jiang", hearing_id=world.hearing_id)
    world.act(committees.recuse, "chair", seat_id=world.seats["duan"], ground="near_relative", statement="亲属。")
    step(world)
    assert {who: reader.page() for who, reader in readers.items()} == before
    assert {reader.since(before[who][0]).status for who, reader in readers.items()} == {204}
    fresh = make_again(world)
    assert {who: shared(Reader(fresh, who).page()[1]) for who in OUTSIDE} == {
        who: shared(page) for who, (_, page) in before.items()
    }
    fresh.close()


def test_when_the_doors_open_everybody_sees_who_is_there_now(world: World) -> None:
    hold_until(world, Phase.MOTIONS)
    observer = Reader(world, "observer")
    before = observer.page()
    assert "hidden" in before[1]["part-attendance"].split(">")[0]
    vote_facts(world)
    vote_disposition(world)
    world.act(committees.leave, "jiang", hearing_id=world.hearing_id)
    step(world)
    answer = observer.since(before[0])
    assert answer.parts.keys() >= {"part-now", "part-agenda", "part-attendance", "part-floor"}
    assert "实到 8 人" in answer.parts["part-attendance"]


def test_readers_without_parts_of_their_own_ask_no_database(opening: World) -> None:
    observer = Reader(opening, "observer")
    now = observer.revision()
    come(opening, "luo")
    observer.since(now)
    asked: list[str] = []
    event.listen(opening.site.reading, "before_cursor_execute", lambda *sent: asked.append(sent[2]))
    again = observer.since(now)
    assert (again.status, asked) == (200, [])
    luo = Reader(opening, "luo")
    luo.since(-1)
    assert asked != []


def test_only_what_was_touched_is_drawn_again(opening: World) -> None:
    following = changes.of(opening.site)
    followed = following.follow(opening.hearing_id)
    assert followed is not None
    first = following.draw(followed, Audience.OBSERVER, "zh_CN")
    assert following.draw(followed, Audience.OBSERVER, "zh_CN") is first
    come(opening, "luo")
    second = following.draw(followed, Audience.OBSERVER, "zh_CN")
    assert {name for name in first.texts if second.texts[name] is not first.texts[name]} == {"attendance", "floor"}


def test_what_is_committed_during_the_drawing_is_drawn_afterwards(opening: World, monkeypatch: Any) -> None:
    late = iter([True])

    def load(db: Any, hearing_id: str, audience: Any, now: Any) -> dict[str, Any]:
        context = original.load(db, hearing_id, audience, now)
        if next(late, False):
            come(opening, "luo")
        return context

    original = parts.PARTS["attendance"]
    slow = Part(original.name, original.template, original.audiences, original.touched_by, load)
    monkeypatch.setitem(parts.PARTS, "attendance", slow)
    parts.parts_for.cache_clear()
    observer = Reader(opening, "observer")
    early = observer.since(-1)
    assert "实到 0 人" in early.parts["part-attendance"]
    answer = observer.since(early.revision)
    assert "实到 1 人" in answer.parts["part-attendance"]
    monkeypatch.undo()
    parts.parts_for.cache_clear()


def test_only_reading_is_possible(opening: World) -> None:
    observer = Reader(opening, "observer")
    path = f"{observer.page_path}/changes?since=-1"
    assert observer.client.head(path).status_code == 200
    assert observer.client.post(path).status_code == 405
