"""A slow network that breaks again and again, in a real browser: nothing typed is lost, ballots are answered truly."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import func, select

from panel.opinions import actions as opinions
from panel.opinions.models import OpinionDraft
from panel.votes.models import Ballot, SealedBallot
from tests.browser import Screens
from tests.e2e.room import Room, fill, form_of
from tests.operation.proxy import FaultyNetwork, faulty_network
from tests.serving import served
from tests.votes.chamber import facts, open_sealed, opened, sit

TEXT = "经查阅会议记录和调度令，操作符合当日水情，未发现谋取私利的情形。"
RECEIVED = re.compile(r"已收到 \d\d:\d\d:\d\d")
WELL = 60_000  # ms: longer than any pause between two tries

pytestmark = pytest.mark.timeout(600)


@contextmanager
def reached(folder: Path, template: Path, screens: Screens) -> Iterator[tuple[Room, FaultyNetwork]]:
    """Serve a world that browsers reach through a faulty network only."""
    screens.expect_trouble("ERR_")
    screens.expect_trouble("socket.io")
    screens.expect_trouble("409")
    with faulty_network() as network, served(folder, template, origins=(network.origin,)) as running:
        network.upstream = running.port
        room = Room(replace(running, origin=network.origin), screens)
        yield room, network
        room.close()


@pytest.fixture
def slow(tmp_path: Path, template: Path, screens: Screens) -> Iterator[tuple[Room, FaultyNetwork]]:
    """The same for one test."""
    with reached(tmp_path / "slow", template, screens) as made:
        yield made


def slow_down(network: FaultyNetwork) -> None:
    """400 ms there and back, 64 kbit/s."""
    network.delay, network.rate = 0.2, 8000.0


def speed_up(network: FaultyNetwork) -> None:
    network.delay = network.rate = 0.0


def lose(network: FaultyNetwork) -> None:
    """Cut everything, and let nobody in."""
    network.refusing = True
    network.cut()


def draft_of(room: Room) -> str:
    with room.world.db() as db:
        found = db.exec(select(OpinionDraft)).first()
    return str(found.body["ratings"]["nature"]["reason"]) if found else ""


def until(page: Page, holds: Callable[[], bool]) -> None:
    """Wait until something is so."""
    for _ in range(WELL // 50):
        if holds():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not come to be so")


def opinion(room: Room) -> Page:
    """Open the opinion's editor as a member."""
    world = room.world
    round_ = world.act(opinions.open_round, "secretary", case_id=world.case_id, number=1)
    return room.sit("luo", f"/rounds/{round_.id}/opinion")


def test_what_is_typed_while_the_network_breaks_is_in_the_draft_and_the_page_is_left_only_then(
    slow: tuple[Room, FaultyNetwork],
) -> None:
    room, network = slow
    page = opinion(room)
    form = form_of(page, "opinion-step")
    fill(form, value="4")
    slow_down(network)
    area = form.locator("textarea").first
    for number, piece in enumerate(re.findall(".{1,8}", TEXT)):
        area.press_sequentially(piece, delay=30)
        page.wait_for_timeout(700)
        if number % 2:
            network.cut()
    assert area.input_value() == TEXT
    until(page, lambda: draft_of(room) == TEXT)
    area.press_sequentially("补充一句。", delay=10)
    lose(network)
    form.locator("button[type=submit]").click(no_wait_after=True)
    expect(form.locator("[data-saved]")).to_contain_text("没有网络连接", timeout=WELL)
    assert area.input_value() == TEXT + "补充一句。"
    network.refusing = False
    speed_up(network)
    expect(page.locator("#opinion-basis")).to_be_visible(timeout=WELL)
    assert draft_of(room) == TEXT + "补充一句。"


def test_who_types_without_a_pause_loses_no_more_than_three_seconds(slow: tuple[Room, FaultyNetwork]) -> None:
    room, network = slow
    page = opinion(room)
    area = form_of(page, "opinion-step").locator("textarea").first
    area.press_sequentially("字" * 70, delay=100)
    lose(network)
    assert len(draft_of(room)) >= 70 - 30


def ballots(room: Room) -> list[int]:
    with room.world.db() as db:
        return [db.exec(select(func.count()).select_from(row)).one() for row in (Ballot, SealedBallot)]


def press(page: Page) -> None:
    page.locator("form[data-ballot] button[type=submit]").click(no_wait_after=True)


@pytest.mark.parametrize("secret", [False, True])
def test_a_ballot_is_answered_truly_whatever_becomes_of_the_connection(
    slow: tuple[Room, FaultyNetwork], secret: bool
) -> None:
    room, network = slow
    sit(room.world)
    motion = open_sealed(room.world) if secret else opened(room.world, facts(room.world)[0])
    page = room.sit("luo", f"/motions/{motion.id}/ballot", size="phone")
    page.locator("input[type=radio]").first.check()
    page.locator("summary", has_text="核对").click()
    lose(network)
    press(page)
    expect(page.locator("form[data-ballot] button[type=submit]")).to_contain_text("正在确认是否收到")
    assert ballots(room) == [0, 0]
    network.refusing = False
    expect(page.locator("form[data-ballot] [data-message]")).to_contain_text("没有收到", timeout=WELL)
    assert page.locator("input[type=radio]").first.is_checked()
    assert ballots(room) == [0, 0]
    slow_down(network)
    press(page)
    expect(page.get_by_text(RECEIVED).first).to_be_visible(timeout=WELL)
    assert ballots(room) == ([0, 1] if secret else [1, 0])


def test_an_answer_that_the_network_swallowed_is_found_and_the_ballot_is_there_once(
    slow: tuple[Room, FaultyNetwork],
) -> None:
    room, network = slow
    sit(room.world)
    motion = open_sealed(room.world)
    page = room.sit("luo", f"/motions/{motion.id}/ballot", size="phone")
    page.locator("input[type=radio]").first.check()
    page.locator("summary", has_text="核对").click()
    network.delay = 1.0
    press(page)
    until(page, lambda: ballots(room) == [0, 1])
    network.cut()
    network.delay = 0.0
    # The browser may have sent it again by itself: then it is told that it had been received already.
    expect(page.get_by_text(re.compile(f"{RECEIVED.pattern}|您的选票已经收到")).first).to_be_visible(timeout=WELL)
    assert ballots(room) == [0, 1]


def test_the_strip_says_that_the_connection_is_lost_and_that_it_is_back(slow: tuple[Room, FaultyNetwork]) -> None:
    room, network = slow
    page = room.sit("luo")
    strip = page.locator("#connection")
    expect(strip).to_have_attribute("data-state", "online")
    lose(network)
    expect(strip).to_have_attribute("data-state", "reconnecting")
    network.refusing = False
    expect(strip).to_have_attribute("data-state", "online", timeout=WELL)
