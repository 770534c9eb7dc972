"""The faulty network is as faulty as it says."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from tests.operation.proxy import FaultyNetwork, faulty_network


@pytest.fixture
def network() -> Iterator[FaultyNetwork]:
    """A faulty network before a server that says back what it hears."""
    listening = socket.create_server(("127.0.0.1", 0))

    def echo(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            while data := connection.recv(65536):
                connection.sendall(data)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=echo, args=(listening.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    with faulty_network() as made:
        made.upstream = listening.getsockname()[1]
        yield made
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()


def connect(network: FaultyNetwork) -> "closing[socket.socket]":
    return closing(socket.create_connection(("127.0.0.1", network.port), 30))


def round_trip(connection: socket.socket, size: int) -> float:
    began, left = time.monotonic(), size
    connection.sendall(b"x" * size)
    while left:
        left -= len(connection.recv(65536))
    return time.monotonic() - began


def test_it_delays_each_way_and_only_while_it_is_told_to(network: FaultyNetwork) -> None:
    with connect(network) as connection:
        quick = round_trip(connection, 10)
        network.delay = 0.2
        slow = round_trip(connection, 10)
        assert 0.4 <= slow < 0.4 + 10 * quick + 2
        network.delay = 0.0
        assert round_trip(connection, 10) < slow


def test_it_lets_no_more_pass_than_its_rate(network: FaultyNetwork) -> None:
    with connect(network) as connection:
        quick = round_trip(connection, 16_384)
        network.rate = 16_384
        assert round_trip(connection, 16_384) >= 1.0 > quick


def test_it_cuts_and_refuses_and_lets_in_again(network: FaultyNetwork) -> None:
    with connect(network) as connection:
        assert round_trip(connection, 10) > 0
        network.refusing = True
        assert network.cut() == 1
        with suppress(ConnectionResetError):
            assert connection.recv(10) == b""
    with connect(network) as refused, suppress(ConnectionResetError):
        assert refused.recv(10) == b""
    network.refusing = False
    with connect(network) as again:
        assert round_trip(again, 10) > 0


def test_it_swallows_in_silence(network: FaultyNetwork) -> None:
    with connect(network) as connection:
        network.silent = True
        connection.sendall(b"lost")
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):
            connection.recv(10)
        network.silent = False
        connection.settimeout(30)
        assert round_trip(connection, 10) > 0
