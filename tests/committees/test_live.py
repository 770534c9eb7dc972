"""The live parts of seats: for whom, with what, touched by which events."""

from datetime import UTC, datetime

import pytest

from panel.committees import live
from panel.committees.events import MemberArrived
from panel.core import hooks
from panel.core.security import INSIDE, Audience, Role
from panel.live.parts import parts_for
from panel.record.events import EVENT_KINDS
from tests.committees.seats import GROUND, arrive, declare, recuse
from tests.factories import World
from tests.people import SEATED
from tests.votes.chamber import hidden

NOW = datetime(2026, 11, 23, 2, 42, tzinfo=UTC)


def revision(world: World, who: str) -> int:
    answer = world.client(who).get(f"/hearings/{world.hearing_id}/changes?since=0")
    return int(answer.headers["panel-revision"])


def changes(world: World, who: str, since: int) -> str:
    return world.client(who).get(f"/hearings/{world.hearing_id}/changes?since={since}").text


@pytest.mark.usefixtures("world")
def test_attendance_has_every_audience_but_the_public() -> None:
    assert {a for a in Audience if "attendance" in {part.name for part in parts_for(a)}} == set(Audience) - {
        Audience.PUBLIC
    }


NOT_SEATS = {
    "committees.committee_formed",
    "committees.seat_taken",
    "committees.roster_member_added",
    "committees.roster_member_changed",
    "committees.roster_member_removed",
}


def test_every_event_about_who_sits_touches_the_part() -> None:
    (part,) = live.PARTS
    kinds = {kind for kind in EVENT_KINDS if kind.startswith("committees.")}
    assert {event.kind for event in part.touched_by} == kinds - NOT_SEATS


def test_outside_nobody_learns_who_has_declared(world: World) -> None:
    arrive(world, "luo")
    with world.db() as db:
        told = {a: live.attendance(db, world.hearing_id, a, NOW) for a in set(Audience) - {Audience.PUBLIC}}
    assert {audience for audience, part in told.items() if part["inside"]} == INSIDE
    assert {audience for audience, part in told.items() if part["named"]} == live.NAMED
    assert {(part["quorum"].present, part["picture"].present) for part in told.values()} == {(1, 1)}
    pages = {
        who: world.client(who).get(f"/hearings/{world.hearing_id}").text for who in ("qin", "official", "observer")
    }
    assert {who for who, page in pages.items() if "未申报" in page} == {"qin"}


def test_the_picture_and_the_sentence_have_the_same_numbers(world: World) -> None:
    for someone in SEATED[:7]:
        arrive(world, someone.key)
    with world.db() as db:
        told = live.attendance(db, world.hearing_id, Audience.CHAIR, NOW)
    quorum, picture = told["quorum"], told["picture"]
    assert (picture.due, picture.present, picture.needed) == (quorum.due, quorum.present, quorum.needed) == (9, 7, 6)
    assert told["why_not_quorum"] is None


def test_a_category_that_is_missing_is_named(world: World) -> None:
    for who in ("chair", "luo", "qin", "qian", "feng", "duan", "jiang"):
        arrive(world, who)
    page = world.client("chair").get(f"/hearings/{world.hearing_id}").text
    assert "必备席位缺席" in page
    assert "未达到会要求：“行业专家”席位无人到会。" in page


def test_an_arrival_reaches_every_audience(world: World) -> None:
    readers = ("chair", "qin", "handler", "official", "authority", "observer", "projector")
    before = {who: revision(world, who) for who in readers}
    arrive(world, "luo")
    assert {who: revision(world, who) - before[who] for who in readers} == dict.fromkeys(readers, 1)
    assert "实到 1 人。" in changes(world, "observer", before["observer"])
    assert MemberArrived.kind in {event.kind for event in live.PARTS[0].touched_by}


def test_the_shared_part_holds_no_form_and_no_token(world: World) -> None:
    declare(world, "shi", conflict=True, **GROUND)
    for who in ("chair", "luo", "official", "observer"):
        page = world.client(who).get(f"/hearings/{world.hearing_id}").text
        part = page[page.index('id="part-attendance"') :]
        part = part[: part.index("</section>")]
        assert "<form" not in part
        assert "csrf" not in part
        assert GROUND["statement"] not in part


def test_who_acts_on_seats_has_a_part_of_their_own(world: World) -> None:
    acting = ("chair", "luo", "secretary", "recorder")
    others = ("handler", "official", "observer", "projector", "authority")
    pages = {who: world.client(who).get(f"/hearings/{world.hearing_id}").text for who in (*acting, *others)}
    assert {who: page.count('id="own-declaration"') for who, page in pages.items() if who in acting} == dict.fromkeys(
        acting, 1
    )
    assert [who for who in others if 'data-form="arrive"' in pages[who] or 'data-form="declare"' in pages[who]] == []


def test_the_chair_sees_who_is_not_connected(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for who in ("luo", "qin"):
        arrive(world, who)
    connected = {world.people["luo"]: NOW}
    monkeypatch.setattr(hooks, "PRESENCE", [lambda hearing_id: connected if hearing_id == world.hearing_id else {}])
    page = world.client("chair").get(f"/hearings/{world.hearing_id}").text
    own = page[page.index('id="own-declaration"') :]
    assert own.count("未连接") == 1
    assert own.count("在线，自") == 1
    assert "10:42:00" in own
    assert "未连接" not in world.client("luo").get(f"/hearings/{world.hearing_id}").text


def test_presence_is_asked_of_whoever_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "PRESENCE", [lambda hearing_id: {"a": NOW}, lambda hearing_id: {"b": NOW}])
    assert hooks.presence("h") == {"a": NOW, "b": NOW}


def test_the_desk_offers_only_what_the_reader_may_do(world: World) -> None:
    declare(world, "shi", conflict=True, **GROUND)
    recuse(world, "chair", "meng")
    with world.db() as db:
        chair, secretary, member = (
            live.desk(db, world.case_id, world.actor(who), world.hearing_id) for who in ("chair", "secretary", "luo")
        )
    assert [p.seat.id for p in chair["decides"]] == [world.seats["shi"]]
    assert [len(desk["orders"]) for desk in (chair, secretary, member)] == [8, 1, 0]
    assert [[p.seat.id for p in desk["alternates"]] for desk in (chair, secretary, member)] == [
        [world.seats["he"]], [world.seats["he"]], [],
    ]  # fmt: skip
    assert [desk["notes"] for desk in (chair, secretary, member)] == [True, True, False]
    assert member["mine"].seat.id == world.seats["luo"]
    assert secretary["mine"] is None
    assert world.actor("secretary").role_in(world.case_id) is Role.SECRETARY


def test_the_own_part_comes_with_the_changes(world: World) -> None:
    before = revision(world, "luo")
    arrive(world, "luo")
    answer = changes(world, "luo", before)
    assert 'id="own-declaration"' in answer
    assert set(hidden(answer, "leave")) == {"csrf", "idem"}
