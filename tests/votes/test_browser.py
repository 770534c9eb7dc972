"""The ballot in a real browser: on a phone, by keyboard, without a script, and when the answer stays out."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect
from sqlmodel import delete, func, select

from panel.votes.models import Ballot, Motion, MotionState, SealedBallot
from tests.browser import Screens
from tests.serving import Served, served
from tests.votes.chamber import events, facts, open_sealed, opened, sit

LISTEN = """addEventListener("DOMContentLoaded", () => {
  const label = document.querySelector("form[data-ballot] button span");
  const said = [];
  if (label) new MutationObserver(() => {
    said.push(label.textContent);
    sessionStorage.said = JSON.stringify(said);
  }).observe(label, {childList: true});
});"""
"""Writes down what the button says while an answer stays out: the driver cannot look at a page that is leaving."""


@pytest.fixture
def hall(tmp_path: Path, template: Path) -> Iterator[Served]:
    """A served world with the committee ready to vote."""
    with served(tmp_path / "hall", template) as running:
        sit(running.world)
        yield running


def sheet(hall: Served, page: Page, motion: Motion, who: str = "luo") -> Page:
    """Sign in and open one's ballot."""
    cookie = hall.world.site.settings.cookie
    page.context.add_cookies([{"name": cookie, "value": hall.world.sign_in(who), "url": hall.origin}])
    page.goto(f"{hall.origin}/motions/{motion.id}/ballot")
    return page


def sealed_ballots(hall: Served) -> int:
    """Return how many sealed ballots there are."""
    with hall.world.db() as db:
        return db.exec(select(func.count()).select_from(SealedBallot)).one()


def test_a_sealed_ballot_by_keyboard_on_a_phone(hall: Served, screens: Screens) -> None:
    page = sheet(hall, screens.open("phone"), open_sealed(hall.world))
    assert page.locator("input[type=radio]:checked").count() == 0
    page.locator("input[type=radio]").first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("input[data-choice=disapprove]")).to_be_checked()
    page.locator("summary", has_text="核对").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("将作如下记录")).to_be_visible()
    assert "不同意" not in page.locator("[data-check]").inner_text()
    screens.shoot(page, "checked")
    page.get_by_role("button", name="提交密封票").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"已收到 \d\d:\d\d:\d\d，截止前可以更改。"))).to_be_visible()
    assert page.locator("input[type=radio]").count() == 0
    screens.shoot(page, "received")
    assert sealed_ballots(hall) == 1


def test_the_sheet_fits_320_pixels_and_every_choice_has_its_words(hall: Served, screens: Screens) -> None:
    motion = open_sealed(hall.world)
    page = sheet(hall, screens.open("phone", locale="en"), motion)
    page.set_viewport_size({"width": 320, "height": 568})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    for name in ("Approve", "Disapprove", "Defer", "Abstain"):
        box = page.get_by_role("radio", name=name, exact=True).locator("xpath=..").bounding_box()
        assert box is not None
        assert box["height"] >= 44
    assert page.get_by_role("group", name="Your vote").count() == 1


def test_an_open_ballot_without_a_script(hall: Served, screens: Screens) -> None:
    motion = opened(hall.world, facts(hall.world)[0])
    page = sheet(hall, screens.open("phone", java_script_enabled=False), motion)
    page.get_by_role("radio", name="不属实").check()
    page.get_by_label("理由").fill("会议记录没有采购方式的讨论。")
    page.locator("summary", has_text="核对").click()
    page.get_by_role("button", name="提交选票").click()
    expect(page.get_by_text("会议记录没有采购方式的讨论。")).to_be_visible()
    page.get_by_role("link", name="更改选票").click()
    page.get_by_role("radio", name="属实", exact=True).check()
    page.locator("summary", has_text="核对").click()
    page.get_by_role("button", name="提交选票").click()
    expect(page.get_by_text("已收到")).to_be_visible()
    assert [e["choice"] for e in events(hall.world, "votes.ballot_cast")] == ["not_established", "established"]


def test_an_answer_that_stays_out_is_asked_for(hall: Served, screens: Screens) -> None:
    """The ballot reaches the server, its answer never comes: the page re-reads the truth instead of failing."""
    page = screens.open("phone")
    page.add_init_script(LISTEN)
    sheet(hall, page, open_sealed(hall.world))

    def lose_the_answer(route: Route) -> None:
        route.fetch(max_redirects=0)
        # Neither fulfilled nor aborted: the browser waits for ever.

    page.route("**/ballots", lose_the_answer)
    page.locator("input[type=radio]").first.check()
    page.locator("summary", has_text="核对").click()
    page.locator("form[data-ballot] button[type=submit]").click(no_wait_after=True)
    expect(page.get_by_text(re.compile(r"已收到 \d\d:\d\d:\d\d"))).to_be_visible()
    assert page.evaluate("JSON.parse(sessionStorage.said)") == ["提交中…", "正在确认是否收到…"]
    assert sealed_ballots(hall) == 1


def test_an_error_is_no_answer_and_is_not_taken_for_not_received(hall: Served, screens: Screens) -> None:
    screens.expect_trouble("503")
    screens.expect_trouble("ERR_")
    page, asked = screens.open("phone"), list[str]()
    sheet(hall, page, open_sealed(hall.world))

    def away(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=503, body="") if len(asked) < 4 else route.continue_()

    page.route("**/ballots", lambda route: route.abort())
    page.route("**/ballot/state", away)
    page.locator("input[type=radio]").first.check()
    page.locator("summary", has_text="核对").click()
    page.locator("form[data-ballot] button[type=submit]").click(no_wait_after=True)
    expect(page.locator("form[data-ballot] [data-message]")).to_contain_text("没有收到")
    assert len(asked) == 5, "three errors are no answer; two answers say that it is not there"


def test_a_secret_ballot_that_was_counted_meanwhile_is_never_called_not_received(
    hall: Served, screens: Screens
) -> None:
    screens.expect_trouble("ERR_")
    page, motion = screens.open("phone"), open_sealed(hall.world)
    sheet(hall, page, motion)
    sent = list[str]()

    def lose_the_answer(route: Route) -> None:
        route.fetch(max_redirects=0)
        sent.append(route.request.url)
        hall.world.work(lambda work: setattr(work.db.get_one(Motion, motion.id), "state", MotionState.CLOSED))
        hall.world.work(lambda work: work.db.execute(delete(SealedBallot)))
        route.abort()

    page.route("**/ballots", lose_the_answer)
    page.locator("input[type=radio]").first.check()
    page.locator("summary", has_text="核对").click()
    page.locator("form[data-ballot] button[type=submit]").click(no_wait_after=True)
    expect(page.get_by_text("表决已截止")).to_be_visible()
    assert (len(sent), page.get_by_text("没有收到").count()) == (1, 0)


def test_pressing_twice_sends_once(hall: Served, screens: Screens) -> None:
    motion = opened(hall.world, facts(hall.world)[0])
    page = sheet(hall, screens.open("wide"), motion)
    page.get_by_role("radio", name="属实", exact=True).check()
    page.locator("summary", has_text="核对").click()
    page.get_by_role("button", name="提交选票").dblclick(no_wait_after=True)
    expect(page.get_by_text("已收到")).to_be_visible()
    with hall.world.db() as db:
        assert db.exec(select(func.count()).select_from(Ballot)).one() == 1


def test_coming_back_to_the_sheet_finds_nothing_chosen(hall: Served, screens: Screens) -> None:
    motion = open_sealed(hall.world)
    page = sheet(hall, screens.open("phone"), motion)
    page.locator("input[type=radio]").first.check()
    page.goto(f"{hall.origin}/hearings/{hall.world.hearing_id}")
    page.go_back()
    assert page.locator("input[type=radio]:checked").count() == 0
