"""`panel serve` in a process of its own, to which something happens: a disk that is full, writes that fail, a clock."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

import run
from panel.hearings.models import Phase
from panel.record import checkpoint
from tests.factories import SECRET, World, make_world
from tests.hearings.course import hold_until
from tests.serving import free_port

WITHIN = 60.0
"""Seconds in which a server enters or leaves read-only on a busy machine; it looks every second."""


@dataclass
class Hardship:
    """A running server of a world, and what its recorder was told."""

    world: World
    origin: str
    cookie: str
    process: "subprocess.Popen[bytes]"
    folder: Path
    """Where the server's data are, as seen from here."""
    acknowledged: list[str] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)

    def browser(self) -> httpx2.Client:
        """Return the recorder's browser."""
        headers = {"origin": self.origin, "sec-fetch-site": "same-origin", "cookie": self.cookie}
        return httpx2.Client(base_url=self.origin, headers=headers, timeout=30)

    def write(self, browser: httpx2.Client, csrf: str, text: str) -> int:
        """Write a line of the minutes; notes what was answered."""
        path = f"/hearings/{self.world.hearing_id}/notes"
        answer = browser.post(path, data={"csrf": csrf, "text": text}, follow_redirects=False)
        if answer.status_code == 303:
            self.acknowledged.append(text)
        else:
            self.refused.append((answer.status_code, answer.text))
        return answer.status_code

    def csrf(self, browser: httpx2.Client) -> str:
        """Return the token of the recorder's forms."""
        page = browser.get(f"/hearings/{self.world.hearing_id}").text
        return str(re.findall(r'name="csrf" value="([^"]*)"', page)[0])

    def missing(self) -> list[str]:
        """Return what the server says it lacks."""
        return list(httpx2.get(f"{self.origin}/readyz", timeout=30).json()["missing"])

    def until(self, holds: Callable[[], bool]) -> float:
        """Wait until something is so; returns after how many seconds."""
        began = time.monotonic()
        while not holds():
            assert time.monotonic() - began < WITHIN, "it did not come to be so"
            time.sleep(0.1)
        return time.monotonic() - began

    @contextmanager
    def again(self) -> Iterator["Hardship"]:
        """Start the server anew, now that nothing happens to it; it is ready when the whole record holds."""
        with serving([sys.executable, "-c", run.START], self.world, self.origin, self.cookie) as hard:
            yield hard

    @contextmanager
    def load(self, writers: int = 3) -> Iterator[None]:
        """Let the recorder write lines without pause, from several threads, until the block ends."""
        ended = threading.Event()

        def go(number: int) -> None:
            with self.browser() as browser:
                csrf, count = self.csrf(browser), 0
                while not ended.is_set():
                    count += 1
                    self.write(browser, csrf, f"第 {number} 人第 {count} 行")

        threads = [threading.Thread(target=go, args=(number,)) for number in range(writers)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            ended.set()
            for thread in threads:
                thread.join(40)


@contextmanager
def suffering(
    folder: Path, template: Path, *, before: Sequence[str] = (),
    prepared: Callable[[World], None] = lambda world: None, lacks: Collection[str] = (),
) -> Iterator[Hardship]:  # fmt: skip
    """Serve a world at its questions: by a command `before` it.

    `prepared` does something to it beforehand; then it `lacks` something to be ready.
    """
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    world = make_world(folder, template, origins=(origin,), port=port)
    hold_until(world, Phase.QUESTIONS)
    cookie = f"{world.site.settings.cookie}={world.sign_in('recorder')}"
    prepared(world)
    world.close()
    settings = world.site.settings
    settings.keys.mkdir(mode=0o700, exist_ok=True)
    checkpoint.key_at(settings.record_key)
    with serving([*before, sys.executable, "-c", run.START], world, origin, cookie, lacks) as hard:
        yield hard


@contextmanager
def serving(
    made: Sequence[str], world: World, origin: str, cookie: str, lacks: Collection[str] = ()
) -> Iterator[Hardship]:
    """Run `panel serve`, made by these words, on a world's data until the block ends; then it is killed."""
    folder = Path(world.site.settings.data)
    command = [*made, "serve", "--data", str(folder), "--port", origin.rpartition(":")[2]]
    told = {**os.environ, "PANEL_SECRET": SECRET, "PANEL_ORIGINS": f'["{origin}"]', "PYTHONPATH": str(run.ROOT)}
    with (folder.parent / f"{folder.name}.log").open("wb") as lines:
        process = subprocess.Popen(command, env=told, stdout=lines, stderr=subprocess.STDOUT)
        try:
            hard = Hardship(world, origin, cookie, process, folder)
            _until_ready(hard, {"disk", *lacks})
            yield hard
        finally:
            process.kill()
            process.wait()


def _until_ready(made: Hardship, without: Collection[str]) -> None:
    # Where the machine's own clock is set meanwhile, the server believes it after five minutes.
    deadline = time.monotonic() + 400
    while time.monotonic() < deadline and made.process.poll() is None:
        try:
            if not set(made.missing()) - set(without):
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    log = made.folder.parent / f"{made.folder.name}.log"
    raise AssertionError(f"the server did not start: {log.read_text(encoding='utf-8')}")
