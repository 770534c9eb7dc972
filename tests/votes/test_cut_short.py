"""A closing that loses its power once it is durable: the next start destroys what it had not got round to."""

import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlmodel import select

from panel.votes import queries
from panel.votes.forms import padded
from panel.votes.models import Motion, MotionState, SealedBallot
from tests.factories import SECRET, World, make_world
from tests.votes import cut_short
from tests.votes.chamber import VOTERS, cast_all, key_file, open_sealed, reread, sit
from tests.votes.kills import Browser, nursery, token
from tests.votes.test_kills import hold_record

PATIENCE = 60.0


@contextmanager
def doomed(world: World, where: str) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """Serve the installation by a process that dies at this place of a closing; yields its port, and the process."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        **os.environ, "PANEL_SECRET": SECRET, "PANEL_DATA": str(world.folder), "PANEL_PORT": str(port),
        "PANEL_ORIGINS": f'["http://127.0.0.1:{port}"]', "PANEL_CHECKPOINT_SECONDS": "0.2",
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.votes.cut_short", where]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until_answers(port)
            yield port, process
        finally:
            process.kill()


def until_answers(port: int) -> None:
    """Wait until a server listens there."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with socket.socket() as trying:
            if trying.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("the server did not start")


def vote_anew(world: World, port: int, motion: Motion, cookie: str) -> None:
    """Replace a member's ballot over HTTP."""
    with closing(Browser(port, cookie)) as browser:
        mark = browser.ask("GET", f"/motions/{motion.id}/ballot/state")[2]["panel-ballot"]
        form = {"csrf": token(browser.get(f"/motions/{motion.id}/ballot?replace=1")[1]), "replaces": mark, "reason": "",
                "idem": secrets.token_hex(16), "choice": padded("disapprove")}  # fmt: skip
        assert browser.post(f"/motions/{motion.id}/ballots", form) == 303


def close_and_die(world: World, port: int, motion: Motion, cookie: str) -> None:
    """Ask the server to close the motion; it never answers."""
    with closing(Browser(port, cookie)) as browser:
        form = {"csrf": token(browser.get(f"/hearings/{world.hearing_id}")[1]), "idem": secrets.token_hex(16)}
        with pytest.raises((OSError, http.client.HTTPException)):
            browser.post(f"/motions/{motion.id}/closure", form)


def stored(world: World) -> set[bytes]:
    """Return the ciphertexts of the sealed ballots."""
    with world.db() as db:
        return set(db.exec(select(SealedBallot.sealed)).all())


def holding(world: World, ciphertexts: set[bytes]) -> set[str]:
    """Return the names of the files of the installation that hold any of these."""
    files = {path.name: path.read_bytes() for path in world.folder.rglob("*") if path.is_file()}
    return {name for name, data in files.items() if any(one in data for one in ciphertexts)}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("where", [cut_short.BEFORE_KEY, cut_short.IN_CHECKPOINT])
def test_the_next_start_destroys_what_a_closing_cut_short_has_left(tmp_path: Path, template: Path, where: str) -> None:
    world = sit(make_world(tmp_path / "world", template))
    motion = open_sealed(world)
    cast_all(world, motion, dict.fromkeys(VOTERS, "approve"))
    member, chair = (f"{world.site.settings.cookie}={world.sign_in(who)}" for who in ("luo", "chair"))
    world.close()
    ciphertexts, key = stored(world), key_file(world, motion).read_bytes()
    with doomed(world, where) as (port, process):
        vote_anew(world, port, motion, member)
        ciphertexts |= stored(world)
        close_and_die(world, port, motion, chair)
        assert process.wait(PATIENCE) == -signal.SIGKILL

    assert len(ciphertexts) == len(VOTERS) + 1
    assert holding(world, ciphertexts) != set(), "what was deleted is still there: nothing would be shown below"
    assert holding(world, {key}) == ({key_file(world, motion).name} if where == cut_short.BEFORE_KEY else set())
    with nursery(world.folder) as servers:
        servers.start()
        servers.kill()
    assert key_file(world, motion).exists() is False
    assert holding(world, ciphertexts | {key}) == set()
    assert stored(world) == set()
    assert reread(world, motion).state is MotionState.CLOSED
    with world.db() as db:
        result = queries.tally_of(db, motion.id)
    assert result is not None
    assert {option: n for option, n in result.counts.items() if n} == {"approve": len(VOTERS) - 1, "disapprove": 1}
    hold_record(world)
