"""A whole hearing in real browsers at once: the chair, two members (one by phone), the official, and the public.

The pages are never loaded anew by the test while the hearing goes on: what others do arrives by itself, and whoever
leaves the live page for an opinion or a ballot comes back by a link. The six members who have no screen here act
through the writer, as the same people would.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import select

from panel.core import clock
from panel.core.db import writing_engine
from panel.hearings import actions
from panel.hearings import queries as hearings
from panel.opinions import actions as opinions
from panel.record.checkpoint import key_at
from panel.record.events import Level
from panel.record.models import RecordEntry
from panel.verify.check import verify
from panel.verify.export import bundle_of
from panel.votes import actions as votes
from panel.votes.models import Motion
from tests.browser import Screens
from tests.e2e.room import Room, fill, form_of, send, shows, widths
from tests.hearings.course import EVERYBODY, KEYS, come, opine
from tests.serving import served
from tests.verify.stories import token_of

pytestmark = pytest.mark.timeout(600)

PHONE, DESK = "luo", "shi"
ELSEWHERE = tuple(key for key in EVERYBODY if key not in {"chair", PHONE, DESK})
OUT_OF_DISPOSITIONS = {"duan", "jiang"}
CANARIES = ("金丝雀甲：闭门时问的", "金丝雀乙：闭门时答的", "金丝雀丙：闭门时记的")
ASKED = "汛前为什么没有按程序招标？"
BETWEEN = "应急维修由谁验收？"
ANSWERED = "距主汛期只有二十天，招标来不及。"
RESERVED = "结论我同意；补办手续拖了两个月，应当写进理由。"
GIST = "对结论无异议，认为补办手续过迟一节应当写进理由。"
STEP = "form[data-form=next-step] button"
COUNTED = "[data-carried=carried], [data-carried=lost]"
DONE = "已收到"
TURNOUT_MS = 25000
"""The chair votes last, and learns in steps of ten seconds whether the others have."""

RECORD = {
    "cases.case_opened": 1,
    "committees.committee_formed": 1,
    "committees.interests_declared": 9,
    "committees.member_arrived": 9,
    "decisions.decision_issued": 1,
    "decisions.finding_made": 1,
    "dissents.dissent_answered": 1,
    "dissents.dissent_filed": 1,
    "hearings.exhibit_put_away": 1,
    "hearings.exhibit_shown": 1,
    "hearings.floor_given": 4,
    "hearings.floor_left": 4,
    "hearings.floor_requested": 1,
    "hearings.hearing_ended": 1,
    "hearings.hearing_opened": 1,
    "hearings.minutes_confirmed": 9,
    "hearings.minutes_frozen": 1,
    "hearings.minutes_settled": 1,
    "hearings.note_written": 1,
    "hearings.question_answered": 2,
    "hearings.question_asked": 3,
    "hearings.stage_begun": 10,
    "opinions.opinion_submitted": 18,
    "opinions.round_closed": 2,
    "opinions.round_opened": 2,
    "publication.gist_approved": 1,
    "publication.gist_proposed": 1,
    "publication.summary_composed": 1,
    "publication.summary_published": 1,
    "votes.ballot_cast": 18,
    "votes.motion_closed": 3,
    "votes.motion_moved": 3,
    "votes.motion_opened": 3,
    "votes.result_announced": 3,
}
"""How often each kind of event stands on the record at the end: nine members, two questions of fact, a disposition."""


@pytest.fixture
def room(tmp_path: Path, template: Path, screens: Screens) -> Iterator[Room]:
    """The committee before its hearing, first opinions given, everybody at a screen."""
    with served(tmp_path / "room", template) as running:
        running.world.act(opinions.open_round, "secretary", case_id=running.world.case_id, number=1)
        opine(running.world)
        made = Room(running, screens)
        made.sit("chair")
        made.sit(PHONE, size="phone")
        made.sit(DESK)
        made.sit("official")
        made.pages["public"] = screens.open()
        made.visit("public", "/public")
        yield made
        made.close()


def go_on(room: Room, phase: str, told: str) -> None:
    """Let the chair press the large button; every screen follows by itself, as far as it is told."""
    room.pages["chair"].locator(STEP).click()
    for who in ("chair", PHONE, DESK):
        shows(room.pages[who], "#part-now-title", phase)
    shows(room.pages["official"], "#part-now-title", told)


def called_to_order(room: Room) -> None:
    """Come in, declare, reach the quorum."""
    shows(room.pages["chair"], STEP, "开始评议会")
    go_on(room, "开始", "开始")
    for who in ("chair", PHONE, DESK):
        send(room.pages[who], "arrive")
        send(room.pages[who], "declare", conflict="no")
        shows(room.pages[who], "#own-declaration", "我离开会场")
    come(room.world, *ELSEWHERE)
    shows(room.pages["chair"], "#part-attendance", "达到法定人数")
    room.shoot("1-opening")


def heard_in_open(room: Room) -> None:
    """The handler presents, the official explains; the phone shows whose turn it is."""
    go_on(room, "承办人介绍", "承办人介绍")
    send(room.pages["chair"], "give-floor-to", person="高捷")
    for who in ("chair", PHONE, DESK, "official"):
        shows(room.pages[who], "#part-now", "高捷")
    send(room.pages["chair"], "show-exhibit", "巡检记录")
    for who in ("chair", PHONE, DESK, "official"):
        shows(room.pages[who], "#part-exhibit", "巡检记录")
    room.shoot("2-presentation")
    go_on(room, "当事人说明", "当事人说明")
    send(room.pages["chair"], "give-floor-to", person="黄某")
    shows(room.pages["chair"], "#part-now", "黄某")
    shows(room.pages["official"], "#own-hand", "请您发言")
    room.shoot("3-explanation")
    send(room.pages["official"], "end-own-turn")
    shows(room.pages["chair"], "#part-now", "当前无人发言")


def questioned(room: Room) -> None:
    """A hand goes up on the phone; the chair gives the floor; the question is asked and answered."""
    go_on(room, "委员提问", "委员提问")
    chair, phone, official = room.pages["chair"], room.pages[PHONE], room.pages["official"]
    send(phone, "raise-hand-question")
    shows(chair, "#own-chair", "罗正")
    send(chair, "give-floor", "请发言")
    shows(phone, "#own-hand", "请您发言")
    half_typed(room)
    send(phone, "ask")
    shows(official, "#own-question", ASKED)
    expect(phone.locator("#ask-text")).to_have_value("")
    shows(phone, "#receipt", DONE)
    send(official, "answer", text=ANSWERED)
    for who in ("chair", PHONE, DESK):
        shows(room.pages[who], "#part-questions", ANSWERED)
    send(phone, "end-own-turn")
    room.shoot("4-questions")


def half_typed(room: Room) -> None:
    """Somebody else asks while the question on the phone is half typed; the half, its caret and its choice stay."""
    phone, world = room.pages[PHONE], room.world
    fill(form_of(phone, "ask"), asked_of="黄某", text=ASKED[:9])
    phone.locator("#ask-text").evaluate("field => { field.focus(); field.setSelectionRange(4, 4) }")
    world.act(actions.ask, "qin", hearing_id=world.hearing_id, asked_of=world.people["handler"], text=BETWEEN)
    shows(phone, "#part-questions", BETWEEN)
    assert phone.evaluate("[document.activeElement.id, document.activeElement.selectionStart]") == ["ask-text", 4]
    phone.keyboard.press("End")
    phone.keyboard.insert_text(ASKED[9:])
    expect(phone.locator("#ask-text")).to_have_value(ASKED)


def adjourned_to_closed(room: Room) -> None:
    """The doors close: the official sees that there is a closed session, and nothing else."""
    go_on(room, "休会", "休会")
    official = room.pages["official"]
    shows(official, "#part-now", "闭门评议，届时将请您再次入场")
    assert official.locator("form[data-live]:visible").count() == 0
    room.shoot("5-recess")
    go_on(room, "闭门评议", "休会")
    chair, phone = room.pages["chair"], room.pages[PHONE]
    send(chair, "ask", asked_of="罗正", text=CANARIES[0])
    shows(phone, "#own-question", CANARIES[0])
    send(phone, "answer", text=CANARIES[1])
    shows(chair, "#part-questions", CANARIES[1])
    room.world.act(actions.write_note, "recorder", hearing_id=room.world.hearing_id, text=CANARIES[2])
    shows(chair, "#part-minutes", CANARIES[2])
    nothing_leaks(room)
    room.shoot("6-deliberation")


def nothing_leaks(room: Room) -> None:
    """What was said behind closed doors is in nothing that the official or the public can get; the chair gets it."""
    official, public = room.pages["official"], room.pages["public"]
    held = [official.content(), public.content(), *room.heard["official"]]
    held += [text for page in (official, public) for text in answers(room, page)]
    assert [canary for canary in CANARIES for text in held if told(canary, text)] == []
    known = answers(room, room.pages["chair"])
    assert [any(told(canary, text) for text in known) for canary in CANARIES] == [True] * 3
    assert signals(room) != []


def answers(room: Room, page: Page) -> list[str]:
    """Return what the pages of the case answer to whoever sits at this screen."""
    case = f"/cases/{room.world.case_id}"
    after = (f"{room.live}/minutes", f"{case}/finding", f"{case}/decision", "/public")
    paths = (f"{room.live}/changes?since=0&own=1", room.live, case, *after)
    return [page.request.get(room.running.origin + path).text() for path in paths]


def told(canary: str, text: str) -> bool:
    """Say whether a text holds a canary, plainly or as JSON may write it."""
    return canary in text or json.dumps(canary)[1:-1] in text


def signals(room: Room) -> list[str]:
    """Return the events that the official's socket has brought, without its beats."""
    return [frame for frame in room.heard["official"] if frame.startswith("42")]


def wrote_again(room: Room) -> None:
    """The two members write their second opinion in the editor, the others elsewhere."""
    go_on(room, "第二轮意见", "休会")
    opine(room.world, "chair", *ELSEWHERE)
    for who in (PHONE, DESK):
        page = room.pages[who]
        page.locator("[data-act=write-opinion]").click()
        for key in KEYS:
            expect(page.locator(f"#opinion-{key}")).to_be_visible()
            send(page, "opinion-step", value="4", reason=f"材料可以证明（{key}）。")
        expect(page.locator("#opinion-overall")).to_be_visible()
        fill(form_of(page, "opinion-step"), recommendation="exempt", reasons="动机为公，未谋私利。")
        fill(form_of(page, "opinion-step"), change="听证后没有变化。")
        room.screens.shoot(page, f"7-opinion-{who}")
        send(page, "opinion-step")
        send(page, "submit-opinion")
        expect(page.locator("h1")).to_have_text("意见已收到")
        page.locator(f"main a[href='/cases/{room.world.case_id}']").click()
        page.locator(f"main a[href='{room.live}']").first.click()
        shows(page, "#part-now-title", "第二轮意见")


def voted(room: Room) -> None:
    """Both questions of fact by name, then the disposition in secret; a reservation is filed on the first."""
    go_on(room, "表决", "休会")
    put_to_vote(room, 1, "established", "属实")
    put_to_vote(room, 2, "not_established", "不属实", "未发现个人得利。")
    reserve(room)
    chair = room.pages["chair"]
    send(chair, "move-disposition", outcome="容错免责", question="建议予以容错免责。")
    put_to_vote(room, 3, "approve", "通过")
    nothing_leaks(room)


def put_to_vote(room: Room, number: int, choice: str, result: str, reason: str = "") -> None:
    """Open a motion, let everybody vote, the chair last, close it; every screen shows how it came out."""
    chair = room.pages["chair"]
    send(chair, "open-motion", f"第{number}项")
    shows(chair, "#own-motions", "0 / ")
    for who in (PHONE, DESK):
        ballot(room, who, number, choice, reason)
    votes_elsewhere(room, number, choice, reason)
    ballot(room, "chair", number, choice, reason)
    send(chair, "close-motion")
    for who in ("chair", PHONE, DESK):
        done = room.pages[who].locator("#part-motion ol.motions > li", has=room.pages[who].locator(COUNTED))
        expect(done).to_have_count(number)
        expect(done.last).to_contain_text(result)
    room.shoot(f"8-motion-{number}")


def ballot(room: Room, who: str, number: int, choice: str, reason: str) -> None:
    """Go to one's ballot by the live page, cast it, and come back."""
    page = room.pages[who]
    page.locator("[data-go=ballot]").click(timeout=TURNOUT_MS)
    page.locator(f"[data-choice={choice}]").check()
    if reason:
        page.locator("[name=reason]").fill(reason)
    page.locator("[data-check] > summary").click()
    room.screens.shoot(page, f"8-ballot-{number}-{who}")
    page.locator("form[data-ballot] button[type=submit]").click()
    expect(page.get_by_text(re.compile(r"已收到 \d\d:\d\d:\d\d，截止前可以更改。"))).to_be_visible()
    page.locator(f"main a[href='{room.live}']").click()


def votes_elsewhere(room: Room, number: int, choice: str, reason: str) -> None:
    """Let those without a screen vote."""
    world = room.world
    with world.db() as db:
        motion = db.exec(select(Motion).where(Motion.number == number)).one()
    secret = motion.secrecy.value == "sealed"
    for key in ELSEWHERE:
        if not (secret and key in OUT_OF_DISPOSITIONS):
            cast = votes.cast_sealed if secret else votes.cast
            world.act(cast, key, motion_id=motion.id, choice=choice, reason=reason)


def reserve(room: Room) -> None:
    """File a reservation; the panel reads it at once."""
    send(room.pages[DESK], "file-dissent", kind="reservation", about="第1项", text=RESERVED)
    for who in ("chair", PHONE, DESK):
        shows(room.pages[who], "#part-dissents", RESERVED)


def announced(room: Room) -> None:
    """The official is called in again, speaks last, and hears the results."""
    official = room.pages["official"]
    go_on(room, "当事人最后陈述", "当事人最后陈述")
    send(room.pages["chair"], "give-floor-to", person="黄某")
    shows(official, "#own-hand", "请您发言")
    room.shoot("9-closing-statement")
    assert official.locator("[data-carried]").count() == 0
    go_on(room, "总结与宣布", "总结与宣布")
    expect(official.locator("[data-carried]")).to_have_count(3)
    expect(official.locator(COUNTED)).to_have_count(3)
    room.shoot("10-summing-up")
    go_on(room, "已结束", "已结束")
    nothing_leaks(room)


def confirmed(room: Room) -> None:
    """The minutes are confirmed: one member by phone, the others elsewhere."""
    with room.world.db() as db:
        frozen = hearings.minutes_of(db, room.world.hearing_id)
        assert frozen is not None
    send(room.pages[PHONE], "confirm-minutes", answer="confirm")
    shows(room.pages[PHONE], "#own-confirm", "您已于")
    for key in EVERYBODY:
        if key != PHONE:
            room.world.act(actions.confirm, key, minutes_id=frozen.id, confirmed=True)
    for who in ("chair", PHONE, DESK):
        shows(room.pages[who], "#part-minutes", "已确认完毕")
    room.shoot("11-minutes")


def decided(room: Room) -> None:
    """The authority adopts the finding, orders a measure, answers the reservation."""
    page = room.sit("authority", f"/cases/{room.world.case_id}/decision")
    due = (clock.now() + timedelta(days=60)).date().isoformat()
    send(
        page, "check-decision", outcome="exempt", reasons="采纳评议意见。", answer="已写入理由。",
        corrective_text="制定应急采购办法", corrective_responsible="某市河流管理局", corrective_due=due,
    )  # fmt: skip
    room.screens.shoot(page, "12-check-decision")
    send(page, "decide")
    shows(page, "main", "决定机关采纳评议意见")
    room.screens.shoot(page, "12-decision")


def published(room: Room) -> None:
    """The author approves what is told of the reservation; the secretary publishes the summary that they have read."""
    case = f"/cases/{room.world.case_id}"
    page = room.sit("secretary", f"{case}/summary")
    send(page, "propose-gist", text=GIST)
    shows(page, "main", "等待提出人核对")
    room.visit(DESK, case)
    send(room.pages[DESK], "answer-gist", answer="approve")
    expect(room.pages[DESK].locator("[data-form=answer-gist]")).to_have_count(0)
    send(page, "compose-summary")
    shows(page, "main", "提出人已同意")
    room.screens.shoot(page, "13-preview")
    send(page, "publish-summary")
    shows(page, "main", "已公布")
    public = room.pages["public"]
    public.reload()  # the list may be kept for a minute
    public.locator("main li a").first.click()
    for words in ("容错免责", GIST, "已写入理由。", "制定应急采购办法"):
        shows(public, "main", words)
    for name in ("欧阳岚", "罗正", "石磊", RESERVED):
        assert name not in public.content()
    room.screens.shoot(public, "14-public")


def test_a_whole_hearing_in_five_browsers_at_once(room: Room) -> None:
    loads = count_loads(room)
    called_to_order(room)
    heard_in_open(room)
    questioned(room)
    adjourned_to_closed(room)
    assert loads == {}
    outside = len(signals(room))
    wrote_again(room)
    voted(room)
    assert len(signals(room)) == outside
    announced(room)
    assert set(loads) <= {"chair", PHONE, DESK}
    assert widths(room.pages[PHONE]) == (360, 360)
    confirmed(room)
    decided(room)
    published(room)
    nothing_leaks(room)
    the_record_holds(room)


def count_loads(room: Room) -> Counter[str]:
    """Count from now on how often each screen loads a page."""
    loads: Counter[str] = Counter()
    for who, page in room.pages.items():
        page.on("load", partial(_loaded, loads, who))
    return loads


def _loaded(loads: Counter[str], who: str, _page: Page) -> None:
    loads[who] += 1


def the_record_holds(room: Room) -> None:
    """What happened is on the record once, and a bundle of it verifies; its public level tells no canary."""
    world = room.world
    stream = token_of(world)
    with world.db() as db:
        kinds = Counter(db.exec(select(RecordEntry.kind).where(RecordEntry.stream == stream)))
    assert kinds == RECORD
    engine, key = writing_engine(world.site.settings.database_url), key_at(world.site.settings.record_key)
    for level in (Level.PUBLIC, Level.FULL):
        bundle = bundle_of(engine, key, stream=stream, level=level, now=clock.now())
        assert verify(bundle, str(key.verifier)).failure is None
        assert [canary in bundle.decode() for canary in CANARIES] == [level is Level.FULL] * 3
    engine.dispose()
