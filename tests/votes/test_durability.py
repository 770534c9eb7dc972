"""No acknowledgement leaves before its act is on the disk; a closing that was cut short is finished at the start."""

import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlmodel import select

from panel.core import clock
from panel.votes import actions, queries
from panel.votes.actions import keys
from panel.votes.forms import padded
from panel.votes.models import MotionState, SealedBallot, Secrecy
from tests.factories import make_world
from tests.votes.chamber import VOTERS, cast_all, key_file, open_fact, open_sealed, sit
from tests.votes.kills import Browser, nursery, token
from tests.votes.syscalls import TRACED, Call, acknowledged, calls, early, early_in_a_crowd, synced

BALLOTS = 20
ROUNDS = 6
PATIENCE = 60.0


@contextmanager
def traced(pid: int, to: Path) -> Iterator[list[Call]]:
    """Trace a server's system calls into a file while this lasts; the list that it yields is filled at the end."""
    if sys.platform != "linux":
        pytest.skip("only Linux has strace")
    strace = shutil.which("strace")
    if strace is None:
        pytest.fail("There is no strace. Run: python3 run.py test", pytrace=False)
    tracer = subprocess.Popen(
        [strace, "-f", "-y", "-s", "16", "-e", f"trace={TRACED}", "-o", str(to), "-p", str(pid)], stderr=subprocess.PIPE
    )
    assert tracer.stderr is not None
    said = tracer.stderr.readline().decode()
    if "attached" not in said:
        tracer.wait()
        pytest.skip(f"this machine lets nobody trace a process: {said.strip()}")
    found: list[Call] = []
    yield found
    tracer.send_signal(signal.SIGINT)
    tracer.wait(PATIENCE)
    tracer.stderr.close()
    found += calls(to.read_text(errors="replace").splitlines())


@pytest.mark.timeout(600)
@pytest.mark.parametrize("secrecy", [Secrecy.OPEN, Secrecy.SEALED])
def test_no_acknowledgement_leaves_before_its_act_is_durable(tmp_path: Path, template: Path, secrecy: Secrecy) -> None:
    world = sit(make_world(tmp_path / "world", template))
    motion = open_sealed(world) if secrecy is Secrecy.SEALED else open_fact(world)
    cookie = f"{world.site.settings.cookie}={world.sign_in('luo')}"
    world.close()
    with nursery(world.folder) as servers:
        servers.start()
        with closing(Browser(servers.port, cookie)) as browser:
            csrf = token(browser.get(f"/motions/{motion.id}/ballot")[1])
            with traced(servers.pid, tmp_path / "trace") as found:
                for number in range(BALLOTS):
                    state = browser.ask("GET", f"/motions/{motion.id}/ballot/state")[2]["panel-ballot"]
                    form = {
                        "csrf": csrf, "idem": secrets.token_hex(16), "replaces": state.removeprefix("none"),
                        "choice": padded(motion.options[number % 2]),
                        "reason": "有据可查。" if secrecy is Secrecy.OPEN else "",
                    }  # fmt: skip
                    assert browser.post(f"/motions/{motion.id}/ballots", form) == 303
    assert acknowledged(found) == BALLOTS
    assert early(found) == []
    assert len(early([call for call in found if "sync" not in call.name])) == BALLOTS


@pytest.mark.timeout(600)
def test_no_acknowledgement_of_a_crowd_leaves_before_a_commit_that_holds_its_act(
    tmp_path: Path, template: Path
) -> None:
    """Everybody at once, so that several acts share one commit."""
    world = sit(make_world(tmp_path / "world", template))
    motion = open_sealed(world)
    cookies = [f"{world.site.settings.cookie}={world.sign_in(who)}" for who in VOTERS if who != "chair"]
    world.close()
    with nursery(world.folder) as servers, ExitStack() as stack:
        servers.start()
        browsers = [stack.enter_context(closing(Browser(servers.port, cookie))) for cookie in cookies]
        csrf = [token(browser.get(f"/motions/{motion.id}/ballot")[1]) for browser in browsers]
        with traced(servers.pid, tmp_path / "trace") as found, ThreadPoolExecutor(len(browsers)) as pool:
            for number in range(ROUNDS):
                marks = [b.ask("GET", f"/motions/{motion.id}/ballot/state")[2]["panel-ballot"] for b in browsers]
                choice = padded(motion.options[number % 2])
                forms = [
                    {"csrf": mine, "idem": secrets.token_hex(16), "replaces": mark.removeprefix("none"),
                     "choice": choice, "reason": ""}
                    for mine, mark in zip(csrf, marks, strict=True)
                ]  # fmt: skip
                posts = [partial(browser.post, f"/motions/{motion.id}/ballots") for browser in browsers]
                assert set(pool.map(lambda post, form: post(form), posts, forms)) == {303}
    assert acknowledged(found) == ROUNDS * len(cookies)
    assert early_in_a_crowd(found) == []
    assert synced(found) < acknowledged(found), "no commit was shared: nothing was shown of a crowd"
    assert len(early_in_a_crowd([call for call in found if "sync" not in call.name])) == acknowledged(found)


def test_the_order_is_read_from_a_trace_as_it_is() -> None:
    def of(*names: str) -> list[Call]:
        told = {"w": ("pwrite64", "3</x/panel.sqlite-wal>"), "s": ("fdatasync", "3</x/panel.sqlite-wal>) = 0"),
                "x": ("fdatasync", "3</x/panel.sqlite-wal>) = -1 EIO"),
                "a": ("write", '5<socket:[1]>, "HTTP/1.1 303 "')}  # fmt: skip
        return [Call(*told[name], at, at) for at, name in enumerate(names)]

    orders = {"wsa": 0, "wa": 1, "wswa": 1, "wsaa": 0, "swa": 1, "wwsa": 0, "wxa": 1}
    assert {order: len(early(of(*order))) for order in orders} == orders
    lines = [
        "7 pwrite64(3</d/panel.sqlite-wal>, ..., 24, 0) = 24", "7 fdatasync(3</d/panel.sqlite-wal> <unfinished ...>",
        '8 write(5<socket:[1]>, "HTTP/1.1 303 See"..., 99) = 99', "7 <... fdatasync resumed>) = 0",
    ]  # fmt: skip
    assert len(early(calls(lines))) == 1
    assert early(calls([*lines[:2], lines[3], lines[2]])) == []


def test_a_server_killed_between_the_closing_and_the_destruction_destroys_the_key_when_it_starts(
    tmp_path: Path, template: Path
) -> None:
    world = sit(make_world(tmp_path / "world", template))
    motion = open_sealed(world)
    cast_all(world, motion, dict.fromkeys(VOTERS, "approve"))
    path = key_file(world, motion)
    kept = path.read_bytes()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "destroy", lambda where, motion_id: None)
        world.act(actions.close_motion, "chair", motion_id=motion.id)
    world.close()
    assert path.read_bytes() == kept
    with nursery(world.folder) as servers:
        servers.start()
        deadline = clock.monotonic() + PATIENCE
        while path.exists():
            assert clock.monotonic() < deadline, "the key is still there"
            time.sleep(0.01)
        servers.kill()
    with world.db() as db:
        found = queries.motion(db, motion.id)
        assert found is not None
        assert found.state is MotionState.CLOSED
        assert db.exec(select(SealedBallot)).all() == []
