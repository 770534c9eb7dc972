"""In a browser: an open page says by itself that nothing is written, and takes it back by itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from panel.core.mode import Trouble
from panel.hearings.models import Phase
from tests.browser import Screens
from tests.e2e.look import MIDDLE, NARROW, WIDE, examined, overflow
from tests.e2e.room import Room, form_of
from tests.hearings.course import hold_until
from tests.serving import served

SAID = {"zh-CN": "只读：记录核验不成立。现在提交的内容不会被记录。", "en-GB": "Read-only: the record does not hold."}
"""Of the troubles the one that a server does not look away from by itself."""


@pytest.fixture
def room(tmp_path: Path, template: Path, screens: Screens) -> Iterator[Room]:
    """The committee at its questions."""
    with served(tmp_path / "room", template) as running:
        made = Room(running, screens)
        screens.expect_trouble("503")
        hold_until(made.world, Phase.QUESTIONS)
        yield made
        made.close()


@pytest.mark.parametrize("locale", list(SAID))
def test_an_open_page_says_so_keeps_what_is_typed_and_goes_on_afterwards(room: Room, locale: str) -> None:
    page = room.sit("recorder", locale=locale)
    band, text = page.locator("#read-only"), "黄某说：当时没有先例。"
    expect(page.locator("#connection")).to_have_attribute("data-state", "online")
    note = form_of(page, "note")
    note.locator("textarea").fill(text)
    room.world.site.mode.enter(Trouble.RECORD)
    expect(band.get_by_text(SAID[locale])).to_be_visible()
    note.locator("button[type=submit]").first.click()
    expect(note.locator("[data-message]")).to_contain_text(SAID[locale])
    expect(note.locator("textarea")).to_have_value(text)
    for size in (WIDE, MIDDLE, NARROW):
        page.set_viewport_size(size)
        assert [*examined(page, "read-only"), *overflow(page, "read-only")] == []
        room.screens.shoot(page, f"read-only-{locale}-{size['width']}")
    room.world.site.mode.leave(Trouble.RECORD)
    expect(band.get_by_text(SAID[locale])).to_be_hidden()
    note.locator("button[type=submit]").first.click()
    expect(page.locator("#part-notes, #own-notes, main").get_by_text(text).first).to_be_visible()
    expect(note.locator("textarea")).to_have_value("")
