"""A server that is told to stop: red at once, pages are told, what was begun is finished, and it ends with 0."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import expect

import run
from panel.hearings.models import Phase
from panel.record import checkpoint
from tests.browser import Screens
from tests.contracts.sockets import opened
from tests.factories import SECRET, make_world
from tests.serving import Served, free_port, served
from tests.votes.chamber import open_fact, sit, to_phase

ENDS = 15.0


@pytest.fixture
def serving(tmp_path: Path, template: Path) -> "Iterator[tuple[Served, subprocess.Popen[bytes]]]":
    """`panel serve` in a process of its own, at a hearing where a question is open."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    world = sit(make_world(tmp_path / "world", template, origins=(origin,), port=port))
    open_fact(world)
    cookie = world.sign_in("luo")
    world.close()
    settings = world.site.settings
    settings.keys.mkdir(mode=0o700, exist_ok=True)
    checkpoint.key_at(settings.record_key)
    command = [sys.executable, "-c", run.START, "serve", "--data", str(world.folder), "--port", str(port)]
    told = {**os.environ, "PANEL_SECRET": SECRET, "PYTHONPATH": str(run.ROOT)}
    with subprocess.Popen(command, env=told, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until_alive(origin, process)
            made = Served(world, origin, port, None)  # type: ignore[arg-type]  # another process's
            world.people["cookie"] = cookie
            yield made, process
        finally:
            process.kill()


def until_alive(origin: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx2.get(f"{origin}/healthz").status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")


def test_who_is_connected_is_told_and_may_still_act_and_the_server_ends_with_nought(
    serving: "tuple[Served, subprocess.Popen[bytes]]",
) -> None:
    running, process = serving
    cookie = f"{running.world.site.settings.cookie}={running.world.people['cookie']}"
    with opened(running, cookie) as socket, httpx2.Client(headers={"cookie": cookie}, timeout=10) as browser:
        page = f"{running.origin}/hearings/{running.world.hearing_id}"
        assert browser.get(page).status_code == 200
        process.terminate()
        assert socket.wait('42["restart"', ENDS) is not None
        assert browser.get(f"{running.origin}/readyz").json()["missing"][0] == "draining"
        assert browser.get(page).status_code == 200
        assert socket.closed(ENDS)
    assert process.wait(ENDS) == 0


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_a_page_says_that_the_server_is_about_to_restart(
    screens: Screens, tmp_path: Path, template: Path, locale: str
) -> None:
    said = {"zh-CN": "系统即将重启", "en": "About to restart"}[locale]
    with served(tmp_path / "world", template) as running:
        to_phase(running.world, Phase.OPENING)
        page = screens.open("phone", locale=locale)
        cookie = running.world.site.settings.cookie
        page.context.add_cookies([{"name": cookie, "value": running.world.sign_in("luo"), "url": running.origin}])
        page.goto(f"{running.origin}/hearings/{running.world.hearing_id}")
        strip = page.locator("#connection")
        expect(strip).to_have_attribute("data-state", "online")
        screens.expect_trouble("WebSocket")
        threading.Timer(0.2, lambda: setattr(running.server, "should_exit", True)).start()
        expect(strip.get_by_text(said)).to_be_visible()
        screens.shoot(page, f"restart-{locale}")
