"""In browsers: a panel is drawn; the secrets are made and kept by the chair's and the scrutineer's own browsers."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from panel.draws import queries
from panel.draws.models import Contributor, Draw
from panel.verify import check
from tests.browser import Screens
from tests.draws.casting import WHY, drawn, sign, without_panel
from tests.e2e.look import MIDDLE, NARROW, WIDE, examined, overflow
from tests.e2e.room import Room, send
from tests.serving import served

SECRET = "Object.values(localStorage).join()"


@pytest.fixture
def room(tmp_path: Path, template: Path, screens: Screens) -> Iterator[Room]:
    """A case whose panel is still to be drawn, served."""
    with served(tmp_path / "room", template) as running:
        made = Room(running, screens)
        without_panel(made.world)
        yield made
        made.close()


def without_fault(room: Room, page: Page, name: str) -> None:
    """Look at a page at each width, under axe-core."""
    for size in (WIDE, MIDDLE, NARROW):
        page.set_viewport_size(size)
        assert [*examined(page, name), *overflow(page, name)] == []
        room.screens.shoot(page, f"{name}-{size['width']}")
    page.set_viewport_size(WIDE)


def drawing(room: Room) -> Draw:
    with room.world.db() as db:
        found = queries.current(db, room.world.case_id)
    assert found is not None
    return found


def test_a_panel_is_drawn_in_three_browsers_and_drawn_again_by_a_fourth(room: Room, tmp_path: Path) -> None:
    panel = f"/cases/{room.world.case_id}/panel"
    secretary = room.sit("secretary", panel)
    without_fault(room, secretary, "prepare")
    send(secretary, "prepare-draw", chair="欧阳岚", chair_reason=WHY, scrutineer="游览")
    expect(secretary.locator("#steps")).to_be_visible()
    own = f"/draws/{drawing(room).id}"
    chair, scrutineer = room.sit("chair", own, locale="en-GB"), room.sit("observer", own, size="phone")
    without_fault(room, chair, "commit")
    for page in (chair, scrutineer):
        send(page, "commit")
        expect(page.locator("[data-secret]")).to_have_text(re.compile("^[0-9a-f]{64}$"))
    kept = [page.evaluate(SECRET) for page in (chair, scrutineer)]
    assert len(set(kept)) == 2
    sign(room.world)
    room.visit("secretary", panel)
    send(secretary, "fix-root")
    expect(secretary.locator("form[data-form=fix-root]")).to_have_count(0)
    for who, page in (("chair", chair), ("observer", scrutineer)):
        room.visit(who, own)
        room.screens.shoot(page, f"reveal-{who}")
        send(page, "reveal")
        expect(page.locator("form[data-form=reveal]")).to_have_count(0)
    with room.world.db() as db:
        given = queries.contributions(db, drawing(room).id)
    assert [given[one].secret for one in Contributor] == kept
    room.visit("secretary", panel)
    expect(secretary.locator("#tickets")).to_be_visible()
    without_fault(room, secretary, "drawn")
    without_fault(room, room.sit("authority", panel, locale="en-GB"), "drawn-en")
    sign(room.world)
    room.visit("secretary", f"/cases/{room.world.case_id}")
    with secretary.expect_download() as downloading:
        send(secretary, "hand-out")
    file = tmp_path / "case.json"
    downloading.value.save_as(file)
    assert [str(line) for line in check.verify(file.read_bytes()).draws] == [
        "Draw 1: held again, with the same 8 members."
    ]
    reader = room.screens.open(locale="en")
    reader.goto(f"{room.running.origin}/verify")
    reader.locator("input[type=file]").first.set_input_files(file)
    expect(reader.get_by_text("Draw 1: held again, with the same 8 members.")).to_be_visible()


def test_whoever_was_drawn_answers_on_a_phone(room: Room) -> None:
    draw_id = drawn(room.world)
    with room.world.db() as db:
        offer = queries.offers(db, draw_id)[0]
    login = next(login for login, person_id in room.world.people.items() if person_id == offer.person_id)
    phone = room.sit(login, "/cases", size="phone")
    without_fault(room, phone, "waiting")
    phone.set_viewport_size(NARROW)
    phone.locator("#draws-waiting ~ ul a").first.click()
    without_fault(room, phone, "offer")
    send(phone, "answer-offer", answer="accept", undertakes="yes")
    expect(phone.locator("form[data-form=answer-offer]")).to_have_count(0)
    room.visit(login, "/cases")
    expect(phone.locator("#draws-waiting")).to_have_count(0)
