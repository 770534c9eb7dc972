"""A really running server, for what a test client cannot show: handshakes, slow clients, browsers."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from panel.cli.serve import server_of
from tests.factories import World, make_world


def free_port() -> int:
    """Return a port that nobody listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@dataclass
class Served:
    """A world that listens; `origin` is the address that browsers use."""

    world: World
    origin: str
    port: int
    server: uvicorn.Server


@contextmanager
def served(folder: Path, template: Path, *, host: str = "127.0.0.1", **settings: Any) -> Iterator[Served]:
    """Serve a fresh world on a free port of this machine, as `panel serve` does, until the block ends.

    `host` is what browsers call this machine.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        origin = f"http://{host}:{port}"
        world = make_world(folder, template, **{"origins": (origin,), "port": port, **settings})
        world.served = True
        server = server_of(world.app, world.site.settings)
        with running(server, listening):
            yield Served(world, origin, port, server)


@contextmanager
def running(server: uvicorn.Server, listening: socket.socket) -> Iterator[None]:
    """Run a server in a thread until the block ends; its lifespan ends too, so that the writer stops."""
    server.config.timeout_graceful_shutdown = 1
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        _until(lambda: server.started)
        yield
    finally:
        server.should_exit = True
        thread.join(20)


def _until(done: Any, seconds: float = 10) -> None:
    waiting = threading.Event()
    for _ in range(int(seconds / 0.01)):
        if done():
            return
        waiting.wait(0.01)
    raise AssertionError("the server did not start")
