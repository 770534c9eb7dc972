"""Every screen under axe-core in both languages, at three widths, some in the dark; and a ballot by keyboard alone."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import col, select

from panel.cases import actions as cases
from panel.cases.models import Exhibit
from panel.cases.rules import Objection
from panel.cli.demo import staged
from panel.core import clock
from panel.core.db import Row
from panel.decisions import actions as decisions
from panel.dissents import actions as dissents
from panel.dissents.models import Dissent
from panel.hearings import actions, queries
from panel.hearings.models import Phase
from panel.opinions.models import Round
from panel.publication import actions as publication
from panel.publication.models import Summary
from panel.record import checkpoint
from panel.record import queries as record
from panel.rulebook.models import RuleDocument
from panel.votes import actions as votes
from panel.votes.models import Ballot, Motion
from tests.browser import Screens
from tests.decisions.bench import MEASURE, TODAY
from tests.e2e.look import Look
from tests.factories import World, one
from tests.hearings.course import EVERYBODY, hold_until, opine, step, vote_disposition, vote_facts
from tests.serving import Served, served

pytestmark = pytest.mark.timeout(600)

AUDIENCES = ("chair", "luo", "recorder", "secretary", "handler", "official", "authority", "observer", "projector")


@pytest.fixture
def running(tmp_path: Path, template: Path) -> Iterator[Served]:
    """A served world; each test brings its hearing to where it needs it."""
    with served(tmp_path / "room", template) as one_served:
        yield one_served


def live(world: World) -> str:
    """Return the live page's path."""
    return f"/hearings/{world.hearing_id}"


def ids(world: World, model: type[Row]) -> list[str]:
    """Return the ids of a table's rows, in the order of their making."""
    with world.db() as db:
        return [str(row.id) for row in db.exec(select(model).order_by(col(model.created_at)))]


def test_pages_before_the_hearing(running: Served, screens: Screens) -> None:
    world = running.world
    for status in ("401", "403", "404"):
        screens.expect_trouble(status)
    case = f"/cases/{world.case_id}"
    look = Look(screens, running)
    look.all(
        [
            (None, "/sign-in"), (None, "/public"), (None, "/how-to-verify"), (None, "/no-such-page"),
            ("chair", "/cases"), ("chair", case), ("luo", case), ("handler", case), ("official", case),
            ("chair", f"/exhibits/{ids(world, Exhibit)[0]}"), ("chair", "/devices"), ("chair", "/password"),
            ("handler", f"{case}/verification"), ("chair", f"{case}/questions"), ("luo", live(world)),
            ("projector", live(world)), ("luo", f"{case}/questions"),
            *(("chair", f"/rules/{document}") for document in ids(world, RuleDocument)), ("luo", "/rules/duties"),
        ]
    )  # fmt: skip
    look.after(None, "/sign-in", "sign-in", login="luo", password="wrong")
    objection = Objection("黄某", "局党委会", "2018年4月2日", 2, "不先报告就施工，我不赞成。", True, "会议记录载明。")
    report = {"facts": "查明。", "analysis": {}, "recommendation": "exempt", "reasons": "建议免责。"}
    world.act(cases.file_verification, "handler", case_id=world.case_id, objections=[objection], **report)
    look.all([("meng", case)])


def test_the_start_page_of_the_demo(tmp_path: Path, screens: Screens) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        staged(tmp_path, listening, 6, lan=False) as made,
    ):
        look = Look(screens, made.url)
        look.all([(None, "/demo")])
        look.close()


def test_the_live_page_of_each_audience_in_open_session(running: Served, screens: Screens) -> None:
    world = running.world
    hold_until(world, Phase.QUESTIONS)
    world.act(actions.request_floor, "luo", hearing_id=world.hearing_id, kind="speech")
    world.act(actions.request_floor, "qin", hearing_id=world.hearing_id, kind="point_of_order")
    world.act(actions.give_floor, "chair", hearing_id=world.hearing_id, person_id=world.people["shi"])
    world.act(
        actions.ask, "meng", hearing_id=world.hearing_id, asked_of=world.people["official"], text="何时发现漏水？"
    )
    exhibit = ids(world, Exhibit)[0]
    world.act(actions.show_exhibit, "chair", hearing_id=world.hearing_id, exhibit_id=exhibit)
    Look(screens, running).all([(who, live(world)) for who in AUDIENCES])
    Look(screens, running, color_scheme="dark").all([(who, live(world)) for who in ("chair", "luo")])


def test_pages_of_the_closed_session(running: Served, screens: Screens) -> None:
    world = running.world
    hold_until(world, Phase.OPINIONS)
    editor = f"/rounds/{ids(world, Round)[-1]}/opinion"
    look = Look(screens, running)
    look.all(
        [
            *((who, live(world)) for who in ("chair", "luo", "official", "observer", "projector")),
            ("luo", editor), ("luo", f"{editor}?step=overall"), ("luo", f"{editor}/check"),
        ]
    )  # fmt: skip
    opine(world)
    look.all([("luo", f"{editor}/check"), ("luo", f"{editor}/given")])
    Look(screens, running, color_scheme="dark").all([("luo", editor), ("luo", f"{editor}/check")])


def test_pages_of_the_votes(running: Served, screens: Screens) -> None:
    world = running.world
    hold_until(world, Phase.OPINIONS)
    opine(world)
    step(world)
    first = ids(world, Motion)[0]
    world.act(votes.open_motion, "chair", motion_id=first)
    screens.expect_trouble("/turnout")  # the chair's page asks once more while the screen passes to another member
    look = Look(screens, running)
    round_ = f"/rounds/{ids(world, Round)[-1]}"
    look.all([(who, live(world)) for who in ("chair", "luo")] + [("luo", f"/motions/{first}/ballot"), ("luo", round_)])
    world.act(votes.cast, "luo", motion_id=first, choice="established")
    look.all([("luo", f"/motions/{first}/ballot")])
    world.act(votes.annul, "chair", motion_id=first, ground="问题表述有误")
    vote_facts(world)
    vote_disposition(world, against=1)
    disposition = ids(world, Motion)[-1]
    look.all([(who, live(world)) for who in ("chair", "luo")] + [("luo", f"/motions/{first}")])
    others = [("chair", f"/motions/{disposition}"), ("chair", live(world)), ("luo", round_)]
    look.all([("luo", f"/motions/{disposition}")])
    Look(screens, running, color_scheme="dark").all(others)


def ended(world: World) -> None:
    """Hold the hearing to its end, with a dissent; the minutes are settled."""
    hold_until(world, Phase.MOTIONS)
    vote_facts(world)
    vote_disposition(world, against=1)
    subject = {"subject_kind": "motion", "subject_id": ids(world, Motion)[0]}
    text = "补办手续拖了两个月，应当写进理由。"
    filed = world.act(dissents.file, "shi", hearing_id=world.hearing_id, kind="reservation", text=text, **subject)
    world.act(dissents.join, "qin", dissent_id=filed.id)
    world.act(dissents.supplement, "shi", dissent_id=filed.id, text="补充：监理单位当时也提出过书面意见。")
    world.act(dissents.join, "meng", dissent_id=filed.id)
    while step(world).phase is not Phase.ENDED:
        pass


def test_pages_after_the_hearing(running: Served, screens: Screens) -> None:
    world = running.world
    ended(world)
    case, look = f"/cases/{world.case_id}", Look(screens, running)
    look.all([(who, live(world)) for who in ("chair", "luo", "shi", "official", "observer", "projector")])
    look.all(
        [
            ("luo", f"{live(world)}/minutes"),
            ("authority", f"{case}/finding"),
            ("authority", f"{case}/decision"),
            ("luo", case),
        ]
    )
    confirmed(world)
    look.after(
        "authority", f"{case}/decision", "check-decision", outcome="exempt", reasons="采纳评议意见。",
        corrective_text=MEASURE.text, corrective_responsible=MEASURE.responsible,
        corrective_due=MEASURE.due_on.isoformat(), answer="已写入理由。",
    )  # fmt: skip
    decided(world)
    look.all([("authority", f"{case}/decision"), ("official", f"{case}/decision")])
    with world.db() as db:
        dissent = one(db, Dissent)
    look.all([("secretary", case), ("secretary", f"{case}/summary")])
    short = world.act(publication.propose, "secretary", dissent_id=dissent.id, text="认为补办手续过迟应当写进理由。")
    look.all([("shi", case)])
    world.act(publication.answer, "shi", gist_id=short.id, approves=False, words="漏了监理单位的意见。")
    world.act(publication.compose, "secretary", case=world.case_id)
    look.all([("secretary", f"{case}/summary")])
    gist = "认为补办手续过迟、监理单位的意见未获重视，应当写进理由。"
    short = world.act(publication.propose, "secretary", dissent_id=dissent.id, text=gist)
    world.act(publication.answer, "shi", gist_id=short.id, approves=True)
    world.act(publication.compose, "secretary", case=world.case_id)
    look.all([("secretary", f"{case}/summary")])
    with world.db() as db:
        summary = one(db, Summary)
    world.act(publication.publish, "secretary", case=world.case_id, body_sha256=summary.body_sha256)
    public = [(None, "/public"), (None, f"/public/{summary.slug}")]
    look.all(public)
    Look(screens, running, color_scheme="dark").all([*public, ("luo", f"{case}/finding")])
    world.act(publication.withdraw, "secretary", case=world.case_id, reason="当事人姓名未隐去。")
    screens.expect_trouble("410")
    look.all([("secretary", f"{case}/summary"), public[1]])


def test_receipts(running: Served, screens: Screens) -> None:
    world = running.world
    hold_until(world, Phase.PRESENTATION)
    with world.db() as db:
        (arrived, _), *_ = record.acknowledgements(db, world.people["luo"])
    look = Look(screens, running)
    look.all([("luo", "/receipts"), ("observer", "/receipts"), ("luo", f"/receipts/{arrived.id}")])
    checkpoint.publish(world.site.writer._engine, checkpoint.key_at(world.site.settings.record_key), clock.now())  # type: ignore[attr-defined]  # the writer's own
    look.all([("luo", "/receipts"), ("luo", f"/receipts/{arrived.id}")])
    Look(screens, running, color_scheme="dark").all([("luo", f"/receipts/{arrived.id}")])


def confirmed(world: World) -> None:
    """Let everybody confirm the minutes."""
    with world.db() as db:
        frozen = queries.minutes_of(db, world.hearing_id)
        assert frozen is not None
    for key in EVERYBODY:
        world.act(actions.confirm, key, minutes_id=frozen.id, confirmed=True)


def decided(world: World) -> None:
    """Let the authority adopt the finding."""
    with world.db() as db:
        dissent = one(db, Dissent)
    world.act(
        decisions.decide, "authority", case_id=world.case_id, outcome="exempt", measure="",
        reasons="采纳评议意见。", today=TODAY,
        measures=(MEASURE,), answers={dissent.id: "已写入理由。"},
    )  # fmt: skip


def test_a_ballot_is_cast_with_tab_space_and_enter_alone(running: Served, screens: Screens) -> None:
    world = running.world
    hold_until(world, Phase.MOTIONS)
    motion = ids(world, Motion)[0]
    world.act(votes.open_motion, "chair", motion_id=motion)
    page = Look(screens, running).at("luo", f"/motions/{motion}/ballot")
    tab_to(page, "input[type=radio]")
    page.keyboard.press("Space")
    expect(page.locator("[data-choice=established]")).to_be_checked()
    tab_to(page, "[data-check] > summary")
    page.keyboard.press("Enter")
    expect(page.get_by_text("将作如下记录")).to_be_visible()
    tab_to(page, "form[data-ballot] button[type=submit]")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"已收到 \d\d:\d\d:\d\d，截止前可以更改。"))).to_be_visible()
    with world.db() as db:
        assert [(b.choice, b.seat_id) for b in db.exec(select(Ballot))] == [("established", world.seats["luo"])]


def tab_to(page: Page, wanted: str, most: int = 40) -> None:
    """Press Tab until this has the focus, and the focus can be seen."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            beside = page.evaluate(
                "getComputedStyle(document.activeElement.nextElementSibling ?? document.body).outlineStyle"
            )
            assert (outline, beside) != ("none", "none")
            return
    raise AssertionError(f"Tab does not reach {wanted}")
