"""A member's own page while others act: what was answered and what is half typed stays, with and without sockets."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from panel.hearings import actions
from panel.hearings.models import Phase
from tests.browser import Screens
from tests.e2e.room import Room, form_of
from tests.hearings.course import hold_until
from tests.serving import served


@pytest.fixture
def room(tmp_path: Path, template: Path, screens: Screens) -> Iterator[Room]:
    """The members put questions."""
    with served(tmp_path / "room", template) as running:
        made = Room(running, screens)
        hold_until(made.world, Phase.QUESTIONS)
        yield made
        made.close()


def give_floor(room: Room, who: str) -> None:
    """Let the chair give somebody the floor, which everybody's page shows."""
    world = room.world
    world.act(actions.give_floor, "chair", hearing_id=world.hearing_id, person_id=world.people[who])


def test_the_receipt_of_an_act_outlives_the_updates_that_follow(room: Room) -> None:
    page = room.sit("luo", size="phone")
    expect(page.locator("#connection")).to_have_attribute("data-state", "online")
    form_of(page, "raise-hand-speech").locator("button").click()
    expect(page.locator("form[data-form=withdraw-hand]")).to_be_visible()
    give_floor(room, "qin")
    expect(page.locator("#part-now")).to_contain_text("秦月")
    expect(page.locator("#receipt")).to_contain_text("已收到")


def test_a_composition_in_the_live_page_survives_a_change_by_somebody_else(room: Room) -> None:
    page = room.sit("luo")
    expect(page.locator("#connection")).to_have_attribute("data-state", "online")
    page.locator("#ask-text").focus()
    keys = page.context.new_cdp_session(page)
    for typed, speaker, name in (("ni", "qin", "秦月"), ("ni hao", "qian", "钱程")):
        keys.send("Input.imeSetComposition", {"text": typed, "selectionStart": len(typed), "selectionEnd": len(typed)})
        give_floor(room, speaker)
        expect(page.locator("#part-now")).to_contain_text(name)
    keys.send("Input.insertText", {"text": "你好"})
    assert page.input_value("#ask-text") == "你好"
    assert page.evaluate("document.activeElement.id") == "ask-text"
    expect(page.locator("#ask-text-count [data-used]")).to_have_text("2")


def test_without_sockets_the_page_polls_and_says_so(room: Room, screens: Screens) -> None:
    screens.expect_trouble("socket.io")
    page = screens.open()
    page.route_web_socket("**/socket.io/**", lambda socket: socket.close())
    room.take("luo", page)
    expect(page.locator("#connection")).to_have_attribute("data-state", "reconnecting")
    page.locator("#ask-text").fill("半句话")
    give_floor(room, "qin")
    expect(page.locator("#part-now")).to_contain_text("秦月")
    assert page.input_value("#ask-text") == "半句话"
