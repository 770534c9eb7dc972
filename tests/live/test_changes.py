"""What changed since: revisions by audience, equal after a restart, drawn once, and silent about closed session."""

import re

import pytest
from sqlalchemy import event

from panel.app import stream_of
from panel.committees import actions as committees
from panel.committees import queries as seats
from panel.core import clock
from panel.core.db import snapshot
from panel.core.security import Audience, Role
from panel.hearings import actions as hearings
from panel.hearings.models import Phase
from panel.live import changes
from panel.live.changes import Changes
from panel.live.parts import own_parts_for
from tests.factories import World
from tests.hearings.course import EVERYBODY, come, hold_until, step

OUTSIDE = ("handler", "official", "helper", "authority", "observer", "projector")
CANARY = "闭门阶段才说的话"


def ask(world: World, who: str, since: object, *, own: bool = False) -> tuple[int, int, str]:
    """Ask what changed; return status, revision and text."""
    answer = world.client(who).get(f"/hearings/{world.hearing_id}/changes?since={since}{'&own=1' if own else ''}")
    return answer.status_code, int(answer.headers.get("panel-revision", -1)), answer.text


def parts(text: str) -> list[str]:
    """Return the ids of the parts in an answer."""
    return re.findall(r'<section data-part[^>]*?id="((?:part|own)-[a-z]+)"', text)


def test_nothing_newer_is_204(world: World) -> None:
    step(world)
    _, revision, _ = ask(world, "observer", -1)
    assert ask(world, "observer", revision) == (204, revision, "")


def test_only_parts_that_are_newer_come(world: World) -> None:
    step(world)
    come(world)
    _, before, _ = ask(world, "observer", -1)
    world.act(hearings.request_floor, "luo", hearing_id=world.hearing_id, kind="speech")
    status, revision, text = ask(world, "observer", before)
    assert (status, revision) == (200, before + 1)
    assert "part-floor" in parts(text)
    assert "part-agenda" not in parts(text)


@pytest.mark.parametrize("since", [99999, -1, "garbage", ""])
def test_a_since_that_cannot_be_gets_every_part(world: World, since: object) -> None:
    step(world)
    whole = {name for name in parts(ask(world, "observer", -1)[2]) if name.startswith("part-")}
    assert {"part-now", "part-agenda", "part-floor"} <= whole
    assert {name for name in parts(ask(world, "observer", since)[2]) if name.startswith("part-")} == whole


def test_the_page_and_the_changes_agree(world: World) -> None:
    hold_until(world, Phase.QUESTIONS)
    for who in ("chair", "luo", "official", "observer", "projector"):
        page = world.client(who).get(f"/hearings/{world.hearing_id}").text
        revision = int(re.findall(r'data-revision="(\d+)"', page)[0])
        status, told, text = ask(world, who, -1)
        assert (status, told) == (200, revision)
        for part in re.findall(r'<section data-part[^>]*id="part-[a-z]+".*?</section>', text, re.DOTALL):
            assert part in page


def test_own_parts_come_only_to_their_reader(world: World) -> None:
    hold_until(world, Phase.QUESTIONS)
    assert {name for name in parts(ask(world, "chair", -1)[2]) if name == "own-chair"} == {"own-chair"}
    assert [name for name in parts(ask(world, "luo", -1)[2]) if name == "own-chair"] == []
    assert [name for name in parts(ask(world, "observer", -1)[2]) if name.startswith("own-")] == []


def test_own_parts_can_be_asked_for_without_a_newer_revision(world: World) -> None:
    hold_until(world, Phase.QUESTIONS)
    _, revision, _ = ask(world, "luo", -1)
    status, _, text = ask(world, "luo", revision, own=True)
    assert status == 200
    assert all(name.startswith("own-") for name in parts(text))


def test_what_own_parts_ask_alike_is_asked_once_for_all_their_readers(world: World) -> None:
    hold_until(world, Phase.QUESTIONS)
    asked: list[str] = []
    event.listen(world.site.reading, "before_cursor_execute", lambda c, cursor, said, *rest: asked.append(said))

    def statements(*readers: str) -> int:
        actors = [world.actor(who) for who in readers]
        asked.clear()
        with snapshot(world.site.reading) as db:
            for actor in actors:
                for part in own_parts_for(Role.MEMBER):
                    part.load(db, world.hearing_id, actor, clock.now())
        return len(asked)

    one, eight = statements("luo"), statements(*(key for key in EVERYBODY if key != "chair"))
    assert eight < 2 * one, (one, eight)


def test_revisions_are_equal_in_a_process_that_starts_later(world: World) -> None:
    step(world)
    ask(world, "observer", -1)
    come(world)
    running = changes.of(world.site).followed(world.hearing_id)
    assert running is not None

    async def silent(_hearing: str, _audience: Audience, _revision: int) -> None:
        return None

    replayed = Changes(world.site, silent, stream_of, lambda *_: 0).follow(world.hearing_id)
    assert replayed is not None
    assert {a: s.revision for a, s in replayed.seen.items()} == {a: s.revision for a, s in running.seen.items()}
    assert {a: s.touched for a, s in replayed.seen.items()} == {a: s.touched for a, s in running.seen.items()}


def test_what_happens_in_closed_session_advances_nothing_outside(world: World) -> None:
    hold_until(world, Phase.DELIBERATION)
    before = {who: ask(world, who, -1)[1] for who in OUTSIDE}
    inside = ask(world, "luo", -1)[1]
    world.act(hearings.request_floor, "luo", hearing_id=world.hearing_id, kind="speech")
    world.act(hearings.write_note, "recorder", hearing_id=world.hearing_id, text=CANARY)
    world.act(hearings.ask, "luo", hearing_id=world.hearing_id, asked_of=world.people["qin"], text=CANARY)
    assert {who: ask(world, who, -1)[1] for who in OUTSIDE} == before
    assert ask(world, "luo", -1)[1] > inside


@pytest.mark.parametrize("who", OUTSIDE)
def test_what_is_said_in_closed_session_is_nowhere_outside(world: World, who: str) -> None:
    hold_until(world, Phase.DELIBERATION)
    world.act(hearings.write_note, "recorder", hearing_id=world.hearing_id, text=CANARY)
    world.act(hearings.ask, "luo", hearing_id=world.hearing_id, asked_of=world.people["qin"], text=CANARY)
    assert CANARY in ask(world, "luo", -1)[2]
    for _ in range(2):
        assert CANARY not in ask(world, who, -1)[2]
        assert CANARY not in world.client(who).get(f"/hearings/{world.hearing_id}").text
        hold_on(world)
    minutes = world.client(who).get(f"/hearings/{world.hearing_id}/minutes")
    assert CANARY not in minutes.text


def hold_on(world: World) -> None:
    """Draw something anew for everybody: a pause and its end are told to all."""
    world.act(hearings.pause, "chair", hearing_id=world.hearing_id, reason="换水")
    world.act(hearings.resume, "chair", hearing_id=world.hearing_id)


def test_a_shared_part_is_drawn_once_for_many_readers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    step(world)
    following = changes.of(world.site)
    drawn: list[str] = []
    draw = following._draw

    def counted(*args: object) -> str:
        drawn.append(args[-1].name)  # type: ignore[attr-defined]  # the part is the last argument
        return draw(*args)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(following, "_draw", counted)
    for _ in range(5):
        ask(world, "observer", -1)
    assert sorted(drawn) == sorted(set(drawn))


def test_two_languages_and_two_audiences_never_share_a_drawing(world: World) -> None:
    step(world)
    client = world.client("observer")
    address = f"/hearings/{world.hearing_id}/changes?since=-1"
    english = client.get(address, headers={"accept-language": "en"}).text
    chinese = client.get(address, headers={"accept-language": "zh-CN"}).text
    assert "Agenda of the hearing" in english
    assert "Agenda of the hearing" not in chinese
    assert ask(world, "luo", -1)[2] != chinese


def test_a_recused_member_is_turned_away_at_once(world: World) -> None:
    step(world)
    come(world)
    assert ask(world, "luo", -1)[0] == 200
    statement = "与当事人是近亲属。"
    with world.db() as db:
        ground = next(iter(seats.procedure_rules(db, world.case_id).recusal_grounds))
    world.act(committees.recuse, "luo", seat_id=world.seats["luo"], ground=ground, statement=statement)
    assert ask(world, "luo", -1)[0] in {403, 404}


def test_strangers_and_outsiders_are_turned_away(world: World) -> None:
    step(world)
    address = f"/hearings/{world.hearing_id}/changes?since=-1"
    assert world.client().get(address).status_code == 401
    assert world.client("stranger").get(address).status_code == 404
    assert world.client("chair").get(f"/hearings/{'0' * 32}/changes?since=-1").status_code == 404
