"""The opinion's editor while its draft is being saved."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect
from sqlmodel import select

from panel.opinions import actions as opinions
from panel.opinions.models import OpinionDraft
from tests.browser import Screens
from tests.e2e.room import Room, fill, form_of
from tests.serving import served


@pytest.fixture
def room(tmp_path: Path, template: Path, screens: Screens) -> Iterator[Room]:
    """The first round of opinions is open."""
    with served(tmp_path / "room", template) as running:
        made = Room(running, screens)
        yield made
        made.close()


def test_going_on_while_the_draft_is_being_saved_does_not_conflict_with_it(room: Room) -> None:
    world, saves = room.world, list[Route]()
    round_ = world.act(opinions.open_round, "secretary", case_id=world.case_id, number=1)
    page = room.sit("luo", f"/rounds/{round_.id}/opinion")

    def hold(route: Route) -> None:
        first = "json" in route.request.headers["accept"] and not saves
        saves.append(route) if first else route.continue_()

    page.route("**/opinion/draft", hold)
    form = form_of(page, "opinion-step")
    fill(form, value="4")
    form.locator("textarea").focus()
    fill(form, reason="材料可以证明。")
    form.locator("button[type=submit]").click(no_wait_after=True)
    assert len(saves) == 1
    saves[0].continue_()
    expect(page.locator("#opinion-basis")).to_be_visible()
    with world.db() as db:
        draft = db.exec(select(OpinionDraft)).one()
    assert draft.body["ratings"]["nature"] == {"value": 4, "reason": "材料可以证明。", "exhibits": []}
    assert draft.revision == 3, "what was typed meanwhile was saved before the page was left"


def test_a_page_that_refuses_every_save_is_left_and_says_why_and_a_long_text_is_saved(room: Room) -> None:
    world, refused = room.world, list[str]()
    round_ = world.act(opinions.open_round, "secretary", case_id=world.case_id, number=1)
    room.screens.expect_trouble("401")
    page = room.sit("luo", f"/rounds/{round_.id}/opinion")
    form = form_of(page, "opinion-step")
    fill(form, value="4", reason="字" * 7900)
    form.locator("textarea").first.blur()
    expect(form.locator("[data-saved]")).to_contain_text("已保存")

    def refuse(route: Route) -> None:
        if "json" not in route.request.headers["accept"]:
            route.continue_()
            return
        refused.append(route.request.url)
        route.fulfill(status=401, content_type="text/html", body="<p>登录已结束</p>")

    page.route("**/opinion/draft", refuse)
    fill(form, reason="材料可以证明。")
    form.locator("button[type=submit]").click(no_wait_after=True)
    expect(page.locator("#opinion-basis")).to_be_visible()
    assert len(refused) in {1, 2}
