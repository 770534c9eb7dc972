"""In a browser: the chair opens a secret vote long after signing in, and is asked who they are on a page of its own."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import select

from panel.accounts import passwords, queries
from panel.accounts.models import Person, SignInSession
from panel.work import Work
from tests.accounts.test_factors import PASSWORD
from tests.browser import Screens
from tests.e2e.look import MIDDLE, NARROW, WIDE, examined, overflow
from tests.e2e.room import Room, form_of, send
from tests.serving import served
from tests.votes.chamber import disposition, sit


@pytest.fixture
def room(tmp_path: Path, template: Path, screens: Screens) -> Iterator[Room]:
    """The committee at its votes, a secret motion on the list; the chair is a real person with a password."""
    with served(tmp_path / "room", template, proof_minutes=5) as running:
        made = Room(running, screens)
        screens.expect_trouble("403")
        sit(made.world)
        disposition(made.world)

        def real(work: Work) -> None:
            chair = work.db.get_one(Person, made.world.people["chair"])
            chair.fictional, chair.password_hash = False, passwords.hashed(PASSWORD)

        made.world.work(real)
        yield made
        made.close()


def ten_minutes_later(room: Room) -> None:
    """Let every proof be ten minutes old."""

    def old(work: Work) -> None:
        for row in work.db.exec(select(SignInSession)).all():
            row.created_at -= timedelta(minutes=10)
            row.proved_at = None
        work.after_commit(queries.invalidate)

    room.world.work(old)


def without_fault(room: Room, page: Page, name: str) -> None:
    """Look at a page at each width, under axe-core."""
    for size in (WIDE, MIDDLE, NARROW):
        page.set_viewport_size(size)
        assert [*examined(page, name), *overflow(page, name)] == []
        room.screens.shoot(page, f"{name}-{size['width']}")


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_the_chair_confirms_and_the_secret_vote_opens(room: Room, locale: str) -> None:
    page = room.sit("chair", locale=locale)
    ten_minutes_later(room)
    form_of(page, "open-motion").locator("button").first.click()
    proof = page.locator("form[data-form=proof]")
    expect(proof.locator("#proof")).to_be_focused()
    without_fault(room, page, f"proof-{locale}")
    send(page, "proof", proof="不是这个密码呀呀呀呀呀呀")
    expect(page.locator(".error-summary")).to_be_visible()
    without_fault(room, page, f"proof-wrong-{locale}")
    page.set_viewport_size(WIDE)
    send(page, "proof", proof=PASSWORD)
    page.wait_for_url(f"**{room.live}")
    expect(form_of(page, "close-motion").locator("button").first).to_be_visible()


def test_whoever_does_not_confirm_goes_back_and_nothing_is_open(room: Room) -> None:
    page = room.sit("chair")
    ten_minutes_later(room)
    form_of(page, "open-motion").locator("button").first.click()
    page.locator("form[data-form=proof] + p a").click()
    page.wait_for_url(f"**{room.live}")
    expect(form_of(page, "open-motion").locator("button").first).to_be_visible()
