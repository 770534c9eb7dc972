"""The chair's keyboard: what changes the course of the hearing asks for Enter; in a field a key is only a letter."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from panel.hearings.models import Phase
from tests.browser import Screens
from tests.e2e.room import Room, shows
from tests.hearings.course import hold_until
from tests.serving import served

STEP_TOP = "document.querySelector('form[data-form=next-step] button').getBoundingClientRect().top + scrollY"
FOCUSED = "document.activeElement.closest('form')?.dataset.form ?? ''"


@pytest.fixture
def room(tmp_path: Path, template: Path, screens: Screens) -> Iterator[Room]:
    """The official explains."""
    with served(tmp_path / "room", template) as running:
        made = Room(running, screens)
        hold_until(made.world, Phase.EXPLANATION)
        yield made
        made.close()


def press(page: Page, *keys: str) -> None:
    """Press keys on the page, where no field has the focus."""
    page.evaluate("document.activeElement.blur()")
    for key in keys:
        page.keyboard.press(key)


def test_n_goes_to_the_next_step_and_enter_takes_it(room: Room) -> None:
    page = room.sit("chair")
    press(page, "n")
    assert page.evaluate(FOCUSED) == "next-step"
    expect(page.locator("#part-now-title")).to_have_text("当事人说明")
    page.keyboard.press("Enter")
    shows(page, "#part-now-title", "委员提问")


def test_s_pauses_and_resumes_and_b_darkens_and_lights(room: Room) -> None:
    page, projector = room.sit("chair"), room.sit("projector")
    press(page, "s")
    shows(page, "#part-now", "起暂停")
    press(page, "s")
    expect(page.locator("#part-now")).not_to_contain_text("起暂停")
    for dark in (1, 0):
        press(page, "b")
        expect(projector.locator("#part-now[data-dark]")).to_have_count(dark)
        shows(page, "[data-key=b]", "恢复投影" if dark else "关闭投影")
    expect(projector.locator("#part-now-title")).to_have_text("当事人说明")


def test_the_floor_is_given_extended_and_ended_by_keys(room: Room) -> None:
    page = room.sit("chair")
    expect(page.locator("#connection")).to_have_attribute("data-state", "online")
    step = page.evaluate(STEP_TOP)
    press(page, "/")
    assert page.evaluate("document.activeElement.id") == "give-floor-person"
    page.locator("form[data-form=give-floor-to] button").click()
    shows(page, "#part-now", "黄某")
    assert page.evaluate(STEP_TOP) == pytest.approx(step, abs=1), "the step button moved from under the pointer"
    timer = page.locator("#part-now [data-timer]")
    seconds = int(timer.get_attribute("data-seconds") or 0)
    press(page, "+")
    expect(timer).to_have_attribute("data-seconds", str(seconds + 30))
    press(page, "-")
    expect(timer).to_have_attribute("data-seconds", str(seconds))
    press(page, "e")
    shows(page, "#part-now", "当前无人发言")


def test_in_a_field_and_when_turned_off_a_key_is_a_letter(room: Room) -> None:
    page = room.sit("chair")
    page.locator("#ask-text").focus()
    page.keyboard.type("nsb?")
    assert page.input_value("#ask-text") == "nsb?"
    press(page, "?")
    expect(page.locator("#keys")).to_be_visible()
    page.locator("[data-keys-off]").check()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    press(page, "s", "n")
    expect(page.locator("#part-now")).to_contain_text("当前无人发言")
    assert page.evaluate(FOCUSED) == ""
