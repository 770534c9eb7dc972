"""In a browser, with an authenticator of the browser's own: a passkey is made, signs in, and confirms a grave act."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect
from sqlmodel import select

from panel.accounts import passwords, queries
from panel.accounts.models import Passkey, Person, SignInSession
from panel.work import Work
from tests.accounts.test_factors import PASSWORD
from tests.browser import Screens
from tests.e2e.look import MIDDLE, NARROW, WIDE, examined, overflow
from tests.e2e.room import form_of, send
from tests.serving import Served, served


@contextmanager
def device(page: Page) -> Iterator[tuple[Any, str]]:
    """Give a browser an authenticator that verifies its person, until the block ends."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
    yield session, made
    session.detach()


def look(screens: Screens, page: Page, name: str) -> None:
    """Look at a page at each width, under axe-core."""
    for size in (NARROW, MIDDLE, WIDE):
        page.set_viewport_size(size)
        assert [*examined(page, name), *overflow(page, name)] == []
        screens.shoot(page, f"{name}-{size['width']}")


def real_people(running: Served) -> None:
    def real(work: Work) -> None:
        for person in work.db.exec(select(Person)).all():
            person.fictional, person.password_hash = False, passwords.hashed(PASSWORD)

    running.world.work(real)


def some_time_later(running: Served) -> None:
    """Let every proof be ten minutes old."""

    def old(work: Work) -> None:
        for row in work.db.exec(select(SignInSession)).all():
            row.created_at -= timedelta(minutes=10)
            row.proved_at = None
        work.after_commit(queries.invalidate)

    running.world.work(old)


def signed_out(page: Page) -> None:
    page.locator("details.account summary").click()
    page.locator("form[data-form=sign-out] button").click()
    expect(page.locator("details.account")).to_have_count(0)


def test_a_passkey_is_made_signs_in_and_confirms(tmp_path: Path, template: Path, screens: Screens) -> None:
    screens.expect_trouble("403")
    with served(tmp_path / "room", template, host="localhost", second_factor="officers", proof_minutes=5) as running:
        real_people(running)
        page = screens.open()
        with device(page) as (session, authenticator):
            page.goto(f"{running.origin}/sign-in")
            expect(form_of(page, "passkey")).to_be_visible()
            look(screens, page, "sign-in")
            send(page, "sign-in", login="system", password=PASSWORD)
            page.goto(f"{running.origin}/administration")
            expect(page.locator("h1")).to_have_text("二次验证")
            look(screens, page, "factors-none")
            send(page, "add-passkey", name="办公室电脑")
            expect(page.locator(".recovery-codes li")).to_have_count(10)
            page.get_by_role("link", name="已保存，继续").click()
            expect(page.locator("h1")).to_have_text("系统管理")
            page.goto(f"{running.origin}/factors")
            look(screens, page, "factors-one")
            signed_out(page)
            page.goto(f"{running.origin}/sign-in")
            form_of(page, "passkey").locator("button").click()
            expect(page.locator(".account-name")).to_be_visible()
            some_time_later(running)
            page.goto(f"{running.origin}/people/{running.world.people['stranger']}")
            send(page, "disable")
            expect(page.locator("form[data-form=proof-by-passkey]")).to_be_visible()
            look(screens, page, "proof")
            form_of(page, "proof-by-passkey").locator("button").click()
            expect(page.locator("form[data-form=enable]")).to_be_visible()
            session.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})
            signed_out(page)
            page.goto(f"{running.origin}/sign-in")
            form_of(page, "passkey").locator("button").click()
            expect(form_of(page, "passkey").locator("[data-message]")).not_to_be_empty()
            look(screens, page, "sign-in-cancelled")
        with running.world.db() as db:
            (kept,) = db.exec(select(Passkey)).all()
            assert (kept.name, kept.used_at is not None) == ("办公室电脑", True)
            assert db.get_one(Person, running.world.people["stranger"]).disabled_at is not None
        page.close()


def test_at_an_address_without_a_name_the_page_says_where_passkeys_work(
    tmp_path: Path, template: Path, screens: Screens
) -> None:
    with served(tmp_path / "room", template) as running:
        running.world.site.settings.origins += (f"http://localhost:{running.port}",)
        page = screens.open(locale="en")
        page.goto(f"{running.origin}/sign-in")
        expect(page.locator("[data-passkey-elsewhere]")).to_contain_text(f"http://localhost:{running.port}")
        expect(page.locator("form[data-passkey]")).to_be_hidden()
        expect(page.locator("[data-passkey-or]")).to_be_hidden()
        look(screens, page, "elsewhere")
        page.close()
