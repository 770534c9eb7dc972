"""Commands beside a server that runs: what they end is ended there within seconds, and live pages hear of it."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import socketio

import run
from panel.hearings.models import Phase
from tests.factories import SECRET
from tests.hearings.course import hold_until
from tests.serving import Served, served

RECUSE = """
import sys
from pathlib import Path
from panel.accounts.queries import person
from panel.app import create_site, register
from panel.committees.actions import recuse
from panel.core.config import load
from panel.core.security import Actor, standings_of

def act(work):
    chair = Actor(sys.argv[2], "", standings=standings_of(work.db, sys.argv[2]))
    recuse(work, chair, seat_id=sys.argv[3], ground="near_relative", statement="a near relative")

register()
site = create_site(load(Path(sys.argv[1])), committed=lambda indexes: None)
site.writer.submit(act).result(30)
site.writer.close()
"""
"""A second process that writes to the same database."""

SOON = 10.0
"""Seconds; a server looks every second, and a busy machine is slow."""


@pytest.fixture
def running(tmp_path: Path, template: Path) -> Iterator[Served]:
    """A hearing that is being served."""
    with served(tmp_path / "room", template) as one:
        hold_until(one.world, Phase.QUESTIONS)
        yield one


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(run.ROOT), "PANEL_SECRET": SECRET}


def get(running: Served, cookie: str, path: str) -> httpx2.Response:
    name = running.world.site.settings.cookie
    return httpx2.get(running.origin + path, cookies={name: cookie}, follow_redirects=False)


def until(status: int, running: Served, cookie: str, path: str) -> int:
    """Ask again until the answer has this status; returns the last one."""
    deadline = time.monotonic() + SOON
    while (answer := get(running, cookie, path).status_code) != status and time.monotonic() < deadline:
        time.sleep(0.1)
    return answer


async def ended(running: Served, cookie: str, act: object) -> bool:
    """Join the hearing by a socket, do something, and say whether the server closes the socket soon."""
    client, gone = socketio.AsyncClient(reconnection=False), asyncio.Event()
    client.on("disconnect", lambda *_: gone.set())
    headers = {"cookie": f"{running.world.site.settings.cookie}={cookie}", "origin": running.origin}
    await client.connect(running.origin, headers=headers, transports=["websocket"])
    joined = await client.call("join", {"hearing": running.world.hearing_id})
    assert joined == {"ok": True}
    await asyncio.to_thread(act)  # type: ignore[arg-type]  # any call
    try:
        await asyncio.wait_for(gone.wait(), SOON)
    except TimeoutError:
        return False
    finally:
        await client.disconnect()
    return True


def test_12_an_account_that_a_command_closes_is_out_of_the_server_with_its_sockets(
    running: Served,
) -> None:
    world, cookie = running.world, running.world.sign_in("luo")
    page = f"/hearings/{world.hearing_id}"
    assert get(running, cookie, page).status_code == 200

    def close() -> None:
        panel = [sys.executable, "-c", run.START, "account", "close", "luo", "--data", str(world.folder)]
        subprocess.run(panel, check=True, capture_output=True, env=environment())

    assert asyncio.run(ended(running, cookie, close))
    assert until(401, running, cookie, page) == 401


def test_12_a_recusal_in_another_process_closes_the_case_here_and_the_page_hears_of_it(running: Served) -> None:
    world, cookie, chair = running.world, running.world.sign_in("luo"), running.world.sign_in("chair")
    page = f"/hearings/{world.hearing_id}"
    assert get(running, cookie, page).status_code == 200
    since = get(running, chair, f"{page}/changes?since=-1").headers["panel-revision"]
    words = [str(world.folder), world.people["chair"], world.seats["luo"]]
    subprocess.run([sys.executable, "-c", RECUSE, *words], check=True, capture_output=True, env=environment())
    assert until(403, running, cookie, page) == 403
    assert until(200, running, chair, f"{page}/changes?since={since}") == 200
    later = get(running, chair, f"{page}/changes?since={since}")
    assert "回避" in later.text
