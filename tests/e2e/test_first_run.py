"""From nothing to a rehearsal, as a newcomer does it: two commands, one printed address, four steps in the browser."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Page, expect

import run
from panel.committees import actions, queries
from panel.committees.roster import read
from tests.browser import Screens
from tests.e2e.look import Look
from tests.e2e.room import fill, form_of, send
from tests.factories import World
from tests.serving import free_port, served

PASSWORD = "清晨的江面上有三只白鹭在飞翔"
PASTED = "姓名\t席位类别\t单位\n欧阳岚\t法律专业人士\t某律师事务所\n罗正\t纪检监察\t市纪委\n孟工\t行业专家\t某设计院"
ROSTER = (
    "姓名,类别,单位,登录名,专长,任期起,任期止,暂不可用至,暂不可用原因\n"
    "欧阳岚,法律,某市律师协会,ouyang,行政法与国家赔偿,2025-01-01,2029-12-31,,\n"
    "阿卜杜拉·买买提,行业专家,某省水利水电勘测设计研究院有限责任公司,abdulla,水利工程造价,,,2099-01-01,出国进修\n"
    "司徒静,群众,,situ,,2020-01-01,2024-12-31,,\n"
)
COMES = 300_000  # ms: simulated members give their opinions before anybody opens the hearing


def panel(*words: str) -> list[str]:
    """Return the command line of a `panel` command in a clean environment."""
    return [sys.executable, "-c", run.START, *words]


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PANEL_")} | {
        "PYTHONPATH": str(Path(run.ROOT)), "PYTHONUNBUFFERED": "1",
    }  # fmt: skip


@contextmanager
def installed(data: Path) -> Iterator[str]:
    """Make an installation and serve it as the commands do; yields the one-time address that is printed."""
    subprocess.run(panel("init", "--data", str(data)), env=environment(), check=True, capture_output=True)
    serving = panel("serve", "--data", str(data), "--port", str(free_port()))
    with subprocess.Popen(
        serving, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        try:
            printed = [server.stdout.readline() for _ in range(2)]
            found = re.search(r"http://\S+/set-up\?code=\S+", printed[1])
            assert found, printed
            yield found[0]
        finally:
            server.terminate()
            server.wait(30)


def reached(page: Page, address: str) -> None:
    """Open the printed address as soon as the server answers there."""
    for _ in range(100):
        try:
            page.goto(address)
            return
        except Exception as problem:
            if "ERR_CONNECTION_REFUSED" not in str(problem):
                raise
            page.wait_for_timeout(100)
    raise AssertionError("the server did not start")


def set_up(page: Page, address: str) -> str:
    """Go through the first two steps as the administrator, second factor included; returns the site's origin."""
    reached(page, address)
    send(page, "set-up", organisation="某市容错减责评估委员会", contact="办公室 0724-0000000")
    expect(page.locator("h1")).to_have_text("管理员")
    send(page, "administrator", name="管理员甲", login="guanli", password=PASSWORD, again=PASSWORD)
    send(page, "begin-factor")
    secret = re.sub(r"\s", "", page.locator("main code").inner_text())
    send(page, "confirm-factor", code=pyotp.TOTP(secret).now())
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    page.get_by_role("link", name="已保存，继续").click()
    expect(page.locator("h1")).to_have_text("委员会由谁组成")
    return address.partition("/set-up")[0]


def import_list(page: Page) -> list[str]:
    """Paste the list, look at it, take it; returns the links of the slips."""
    form = form_of(page, "roster")
    fill(form, pasted=PASTED)
    form.get_by_role("button", name="预览").click()
    expect(page.locator("tbody tr")).to_have_count(3)
    form_of(page, "roster").get_by_role("button", name="导入这 3 人").click()
    expect(page.locator("h1")).to_have_text("名单已导入")
    return page.locator(".slip-sheet .wrap bdi").all_inner_texts()


@pytest.mark.timeout(600)
def test_a_newcomer_has_a_rehearsal_going(tmp_path: Path, screens: Screens) -> None:
    with installed(tmp_path / "data") as address:
        page = screens.open()
        origin = set_up(page, address)
        links = import_list(page)
        assert len(links) == 3
        screens.shoot(page, "slips")
        phone = screens.open("phone")
        phone.goto(links[0])
        send(phone, "choose-password", password=PASSWORD, again=PASSWORD)
        page.goto(f"{origin}/rehearsal?step=4")
        send(page, "begin-rehearsal")
        expect(page.locator("form[data-form=take-seat]")).to_have_count(19)
        phone.goto(f"{origin}/rehearsal")
        phone.locator(".card", has_text="委员9").locator("form[data-form=take-seat] button").click()
        expect(phone.locator("#part-now-title")).to_have_text("开始", timeout=COMES)
        screens.shoot(phone, "seat")
        expect(phone.get_by_role("complementary", name="演练")).to_be_visible()
        phone.locator(".demo-band form[data-form=leave-seat] button").click()
        expect(phone.locator(".account-name")).to_have_text("欧阳岚")
        page.goto(f"{origin}/rehearsal")
        send(page, "wipe-rehearsal")
        expect(page.get_by_role("button", name="开始演练")).to_be_visible()
        expect(page.locator("form[data-form=wipe-rehearsal]")).to_have_count(0)


def test_pages_of_administration(tmp_path: Path, template: Path, screens: Screens) -> None:
    with served(tmp_path / "room", template) as running:
        world: World = running.world
        look = Look(screens, running)
        screens.expect_trouble("422")
        pages = (
            "",
            "/offices",
            "/people",
            "/sessions",
            "/mail",
            "/letterhead",
            "/roster",
            "/roster/import",
            "/health",
            "/committees",
        )
        look.all(
            [
                *(("system", f"/administration{page}") for page in pages),
                ("system", f"/people/{world.people['stranger']}"), ("clerk", "/rules"), (None, "/forgotten"),
            ]
        )  # fmt: skip
        look.after("clerk", "/administration/roster/import", "roster", pasted="罗正\t行家\n孟工\t行业专家\t某设计院")
        world.act(actions.import_roster, "clerk", lines=read(ROSTER, queries.roster_words()))
        with world.db() as db:
            member = queries.roster(db)[1][0]
        look.all(
            [
                ("clerk", "/administration/roster"), ("clerk", "/administration/roster?q=nobody"),
                ("clerk", f"/roster/{member.id}"),
            ]
        )  # fmt: skip
        look.after("clerk", "/administration/roster/import", "roster", pasted=ROSTER + "欧阳岚,法律,某市律师协会,o2")
        look.after("clerk", f"/roster/{member.id}", "roster-member", away_why="")
        assert look.faults == []
        look.close()
