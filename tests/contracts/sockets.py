"""A bare Socket.IO client: every header and every byte is the test's, nothing is done for it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from tests.serving import Served

QUERY = "EIO=4&transport=websocket"


class Socket:
    """An open connection that has said hello."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self._acks = 0

    def ask(self, event: str, *payload: Any) -> Any:
        """Send an event and return what the server acknowledges; None if it closes or says nothing."""
        self._acks += 1
        self.send(f"42{self._acks}{json.dumps([event, *payload], ensure_ascii=False)}")
        answer = self.wait(f"43{self._acks}")
        return json.loads(answer)[0] if answer else None

    def send(self, text: str | bytes) -> None:
        """Send a frame as it stands; a connection that is closed already takes it silently."""
        try:
            self.connection.send(text)
        except ConnectionClosed:
            return

    def wait(self, prefix: str, seconds: float = 20.0) -> str | None:
        """Wait for a frame that begins so and return the rest; None when it does not come."""
        try:
            while True:
                frame = str(self.connection.recv(timeout=seconds))
                if frame.startswith(prefix):
                    return frame.removeprefix(prefix)
                if frame == "2":
                    self.connection.send("3")
        except (ConnectionClosed, TimeoutError):
            return None

    def closed(self, seconds: float = 20.0) -> bool:
        """Say whether the server closes within so many seconds."""
        try:
            while True:
                self.connection.recv(timeout=seconds)
        except ConnectionClosed:
            return True
        except TimeoutError:
            return False


def shake(served: Served, *, cookie: str = "", origin: str | None = "", query: str = QUERY, **headers: str) -> bool:
    """Try a handshake; say whether it was accepted. The origin is ours unless given; None sends none."""
    try:
        with connected(served, cookie=cookie, origin=origin, query=query, **headers):
            return True
    except InvalidHandshake:
        return False


@contextmanager
def connected(
    served: Served, *, cookie: str, origin: str | None = "", query: str = QUERY, **headers: str
) -> Iterator[ClientConnection]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if cookie:
        sent["Cookie"] = cookie
    if origin is not None:
        sent["Origin"] = origin or served.origin
    address = f"ws://127.0.0.1:{served.port}/socket.io/?{query}"
    with connect(address, additional_headers=sent, proxy=None, compression=None, open_timeout=20) as connection:
        yield connection


@contextmanager
def opened(served: Served, cookie: str, **handshake: Any) -> Iterator[Socket]:
    """Open a socket and say hello in the main namespace."""
    with connected(served, cookie=cookie, **handshake) as connection:
        socket = Socket(connection)
        assert socket.wait("0") is not None
        socket.send("40")
        assert socket.wait("40") is not None
        yield socket
