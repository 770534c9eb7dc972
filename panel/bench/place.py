"""Where a bench runs: one process on a SQLite file, or several on PostgreSQL with Redis between them."""

import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy import make_url

from panel.bench import measure


@dataclass(frozen=True)
class Place:
    """How many server processes, and on what. `database`: URL of an empty PostgreSQL database; empty: a SQLite file."""

    processes: int = 1
    database: str = ""
    redis: str = ""
    ports: Sequence[int] = field(default_factory=tuple)

    def params(self) -> dict[str, object]:
        """Return what a result says of it; no address and no password."""
        dialect = make_url(self.database).get_backend_name() if self.database else "sqlite"
        return {"processes": self.processes, "database": dialect, "redis": bool(self.redis)}

    def port(self, number: int) -> int:
        """Return the port of the server that the client of this number uses."""
        return self.ports[number % len(self.ports)]


@contextmanager
def placed(processes: int = 1, database: str = "", redis: str = "") -> Iterator[Place]:
    """Find free ports, and make a database of the bench's own on the server that `database` names; dropped at the end.

    Raises psycopg.Error where the server is not there, or its role may make no databases.
    """
    ports = [measure.free_port() for _ in range(processes)]
    if not database:
        yield Place(processes, "", redis, ports)
        return
    name = f"heyi_bench_{secrets.token_hex(6)}"
    plain = make_url(database).set(drivername="postgresql")
    with psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        try:
            own = make_url(database).set(drivername="postgresql+psycopg", database=name)
            yield Place(processes, own.render_as_string(hide_password=False), redis, ports)
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@contextmanager
def serving(place: Place, environment: Mapping[str, str]) -> Iterator[list[int]]:
    """Run the server processes of one installation until the block ends; yields their process ids."""
    with ExitStack() as stack:
        servers = []
        for port in place.ports:
            command = [sys.executable, "-c", "from panel.cli import main; main()", "serve", "--port", str(port)]
            started = subprocess.Popen(command, env=dict(environment), stdout=subprocess.DEVNULL)
            servers.append(stack.enter_context(started))
        try:
            yield [server.pid for server in servers]
        finally:
            for server in servers:
                server.terminate()


def cpu_seconds(pids: Sequence[int]) -> float:
    """Return the processor time that all servers together have used so far, in seconds."""
    return sum(measure.cpu_seconds(pid) for pid in pids)


def memory(pids: Sequence[int]) -> dict[str, Any]:
    """Return the servers' resident memory in MB: of all together, and where there are several, of each."""
    each = [round(measure.resident_mb(pid), 1) for pid in pids]
    return {"server_memory_mb": round(sum(each), 1), **({"server_memory_mb_each": each} if len(each) > 1 else {})}
