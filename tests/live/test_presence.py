"""Who was connected and is not: told to who leads the hearing, with the time, after a grace."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from panel.committees import actions as committees
from panel.hearings.models import Phase
from panel.live import server
from tests.contracts.sockets import Socket, opened
from tests.hearings.course import hold_until
from tests.serving import Served, served

GRACE = timedelta(milliseconds=300)
TOLD = "连接中断"


@pytest.fixture
def running(tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The members put questions; the grace is short."""
    monkeypatch.setattr(server, "GRACE", GRACE)
    with served(tmp_path, template) as one:
        hold_until(one.world, Phase.QUESTIONS)
        yield one


Sit = Callable[[str], Socket]


@pytest.fixture
def sit(running: Served) -> Iterator[Sit]:
    """Opens a socket for somebody and joins the hearing; closed at the end of the test at the latest."""
    with ExitStack() as stack:

        def one(who: str) -> Socket:
            socket = stack.enter_context(opened(running, f"pv_session={running.world.sign_in(who)}"))
            assert socket.ask("join", {"hearing": running.world.hearing_id}) == {"ok": True}
            return socket

        yield one


def chair_reads(running: Served) -> str:
    """Return the chair's own part."""
    path = f"/hearings/{running.world.hearing_id}/changes?since=-1&own=1"
    request = Request(running.origin + path, headers={"cookie": f"pv_session={running.world.sign_in('chair')}"})
    with urlopen(request) as answer:
        text = str(answer.read().decode())
    return text[text.index('id="own-chair"') :].split("</section>")[0]


def eventually(done: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Wait until something holds."""
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def test_the_chair_is_told_who_lost_the_connection_and_that_they_are_back(running: Served, sit: Sit) -> None:
    chair, luo = sit("chair"), sit("luo")
    assert TOLD not in chair_reads(running)
    luo.connection.close()
    signal = chair.wait("42")
    assert signal is not None
    assert json.loads(signal) == ["presence", {"hearing": running.world.hearing_id}]
    told = chair_reads(running).partition(TOLD)[2]
    assert ("罗正" in told, "起中断" in told) == (True, True)
    sit("luo")
    assert chair.wait("42") == signal
    assert TOLD not in chair_reads(running)


def test_going_from_page_to_page_is_no_loss(running: Served, sit: Sit) -> None:
    luo = sit("luo")
    luo.connection.close()
    sit("luo")
    time.sleep(2 * GRACE.total_seconds())
    assert TOLD not in chair_reads(running)


def test_who_left_the_room_is_not_called_lost(running: Served, sit: Sit) -> None:
    world = running.world
    luo = sit("luo")
    luo.connection.close()
    assert eventually(lambda: TOLD in chair_reads(running))
    world.act(committees.leave, "luo", hearing_id=world.hearing_id)
    assert eventually(lambda: TOLD not in chair_reads(running))
