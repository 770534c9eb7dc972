"""The real pages in a real browser under their own headers: what is injected does nothing, what is over is gone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

from tests.browser import Screens
from tests.serving import Served, served

INJECTED = """
<script>window.ran = "inline script"</script>
<img src="/favicon.ico" onerror="window.ran = 'handler'">
<svg onload="window.ran = 'svg handler'"></svg>
<a id="link" href="javascript:window.ran='link'">x</a>
<span id="get" hx-get="/injected-get" hx-trigger="load"></span>
<form id="away" action="https://evil.example/" method="post"><button>x</button></form>
<style>body { display: none }</style>
<base href="https://evil.example/">
<iframe src="/devices"></iframe>
"""


@pytest.fixture
def running(tmp_path: Path, template: Path) -> Iterator[Served]:
    with served(tmp_path, template) as one:
        yield one


def signed_in(running: Served, screens: Screens, who: str) -> Page:
    """Open a screen of somebody who is signed in."""
    page = screens.open()
    cookie = {"name": "pv_session", "value": running.world.sign_in(who), "url": running.origin}
    page.context.add_cookies([cookie])  # type: ignore[list-item]  # a cookie with an address
    return page


def inject(route: Route) -> None:
    """Put hostile markup into the middle of a page, as if a template had let it through."""
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text().replace("</main>", INJECTED + "</main>", 1))


@pytest.mark.parametrize("path", ["/devices", "hearing"])
def test_28_injected_markup_neither_runs_nor_asks_nor_leads_away(running: Served, screens: Screens, path: str) -> None:
    page, asked = signed_in(running, screens, "chair"), []
    screens.expect_trouble("")
    page.on("request", lambda request: asked.append(request.url))
    address = running.origin + (f"/hearings/{running.world.hearing_id}" if path == "hearing" else path)
    page.route(address, inject)
    page.goto(address)
    page.wait_for_timeout(500)
    page.evaluate("document.getElementById('link').click()")
    page.evaluate("document.querySelector('#away button').click()")
    page.wait_for_timeout(300)
    assert page.evaluate("window.ran") is None
    assert page.url == address
    assert page.evaluate("getComputedStyle(document.body).display") != "none"
    assert [url for url in asked if "injected" in url or "evil" in url] == []


def test_28_no_page_of_ours_breaks_its_own_policy(running: Served, screens: Screens) -> None:
    page = signed_in(running, screens, "chair")
    for path in ("/devices", "/password", "/cases", f"/cases/{running.world.case_id}", "/public", "/how-to-verify"):
        assert page.goto(running.origin + path) is not None
    page.goto(f"{running.origin}/hearings/{running.world.hearing_id}")
    page.wait_for_timeout(800)


def test_31_after_signing_out_the_back_button_shows_nothing(running: Served, screens: Screens) -> None:
    page = signed_in(running, screens, "chair")
    screens.expect_trouble("401")
    page.goto(f"{running.origin}/cases/{running.world.case_id}")
    assert "黄某水库闸门" in page.content()
    page.click("details.account summary")
    page.click("form[data-form=sign-out] button")
    page.wait_for_url(f"{running.origin}/public")
    page.go_back()
    page.wait_for_load_state()
    assert "黄某水库闸门" not in page.content()
    assert "欧阳岚" not in page.content()


def test_signing_in_works_without_any_script(running: Served, screens: Screens) -> None:
    from panel.accounts import passwords
    from panel.accounts.models import Person

    def known(work: object) -> None:
        person = work.db.get_one(Person, running.world.people["chair"])  # type: ignore[attr-defined]  # a Work
        person.password_hash = passwords.hashed("一句只有我自己才知道的话")

    running.world.work(known)
    page = screens.open("phone", java_script_enabled=False)
    page.goto(f"{running.origin}/sign-in")
    page.fill("#login", "chair")
    page.fill("#password", "一句只有我自己才知道的话")
    page.click("form[data-form=sign-in] button")
    page.wait_for_url(lambda url: not url.endswith("/sign-in"))
    page.goto(f"{running.origin}/devices")
    assert "欧阳岚" in page.content()
