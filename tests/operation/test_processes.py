"""Two servers hold one hearing together, behind one address; Valkey may be lost under them."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func
from sqlmodel import select
from websockets.exceptions import ConnectionClosed

from panel.committees.models import Attendance
from panel.hearings.models import Phase
from tests.contracts.sockets import Socket, opened
from tests.operation.cluster import Cluster, pair, until
from tests.people import SEATED
from tests.postgres import copy_of, drop
from tests.serving import Served
from tests.votes.chamber import to_phase

RECUSED, SEEN, WITHOUT, AGAIN, *OTHERS = (someone.key for someone in SEATED if someone.key != "chair")
AT_ONE_TIME, ONE_BY_ONE = OTHERS[:2], OTHERS[2:]
"""Members, each of whom one test is about."""

AT_ONCE, STALE, RED = 2.0, 15.0, 10.0
"""Seconds: for a recusal to end sockets elsewhere; for a screen without Valkey; for /readyz, which keeps its answer."""

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, template: Path, postgres_template: str) -> Iterator[Cluster]:
    """Two servers at a hearing that has been opened; each test is about other people."""
    database = copy_of(postgres_template)
    with pair(tmp_path_factory.mktemp("pair") / "world", template, database) as running:
        to_phase(running.world, Phase.OPENING)
        yield running
    drop(database)


def joined(stack: ExitStack, cluster: Cluster, who: str, port: int) -> Socket:
    """Follow the hearing by a socket at one of the servers."""
    at = Served(cluster.world, f"http://127.0.0.1:{port}", port, None)  # type: ignore[arg-type]  # another process's
    socket = stack.enter_context(opened(at, cluster.cookie(who)))
    assert socket.ask("join", {"hearing": cluster.world.hearing_id}) == {"ok": True}
    return socket


def signals(socket: Socket, upto: int, seconds: float) -> list[int]:
    """Return the revisions that a socket is told of, until it hears of this one."""
    told, deadline = list[int](), time.monotonic() + seconds
    while (not told or told[-1] < upto) and time.monotonic() < deadline:
        frame = socket.wait("42", max(0.1, deadline - time.monotonic()))
        said: Any = json.loads(frame) if frame else ["", {}]
        if said[0] == "revision":
            told.append(said[1]["revision"])
    return told


def come(cluster: Cluster, who: str, port: int | None = None) -> int:
    """Let a member come into the room, over HTTP."""
    page = f"/hearings/{cluster.world.hearing_id}"
    return cluster.post(who, f"{page}/attendance", page, port)


def present(cluster: Cluster) -> int:
    with cluster.world.db() as db:
        return db.exec(select(func.count()).select_from(Attendance)).one()


def test_members_at_both_servers_are_one_hearing_and_every_signal_comes_in_order(cluster: Cluster) -> None:
    a, b = cluster.ports
    with ExitStack() as stack:
        listening = [joined(stack, cluster, "chair", a), joined(stack, cluster, "secretary", b)]
        before, there = cluster.revision("chair", a), present(cluster)
        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(lambda who: come(cluster, who), AT_ONE_TIME)) == {303}
        after = cluster.revision("chair", a)
        assert (after - before, present(cluster) - there) == (len(AT_ONE_TIME), len(AT_ONE_TIME))
        assert cluster.revision("chair", b) == after
        heard = [signals(socket, after, AT_ONCE) for socket in listening]
    assert [told[-1] for told in heard] == [after, after]
    assert [told == sorted(set(told)) for told in heard] == [True, True]


def test_what_one_server_has_acknowledged_the_other_shows_at_once(cluster: Cluster) -> None:
    a, b = cluster.ports
    for number, who in enumerate(ONE_BY_ONE):
        here, there = ((a, b), (b, a))[number % 2]
        before = cluster.revision("chair", there)
        assert come(cluster, who, here) == 303
        assert cluster.revision("chair", there) == before + 1


def test_a_recusal_at_one_server_ends_sockets_and_page_at_the_other(cluster: Cluster) -> None:
    a, b = cluster.ports
    seat, page = cluster.world.seats[RECUSED], f"/hearings/{cluster.world.hearing_id}"
    with ExitStack() as stack:
        recused, other = joined(stack, cluster, RECUSED, b), joined(stack, cluster, "secretary", b)
        said = {"ground": "near_relative", "statement": "近亲属。"}
        assert cluster.post("chair", f"/seats/{seat}/recusal", page, a, **said) == 303
        assert recused.closed(AT_ONCE)
        assert other.ask("join", {"hearing": cluster.world.hearing_id}) == {"ok": True}
    with cluster.browser(RECUSED, b) as browser:
        assert browser.get(page).status_code == 403


def test_who_signs_out_at_one_server_is_out_at_the_other_with_every_socket(cluster: Cluster) -> None:
    a, b = cluster.ports
    with ExitStack() as stack:
        recorder = joined(stack, cluster, "recorder", b)
        with cluster.browser("recorder", b) as browser:
            assert browser.get("/devices").status_code == 200
        assert cluster.post("recorder", "/sign-out", "/devices", a) == 303
        assert recorder.closed(AT_ONCE)
        with cluster.browser("recorder", b) as browser:
            assert browser.get("/devices").status_code == 401


def test_who_is_connected_at_one_server_is_seen_by_the_chair_at_the_other(cluster: Cluster) -> None:
    a, b = cluster.ports
    assert come(cluster, SEEN) == 303
    with ExitStack() as stack:
        chair = joined(stack, cluster, "chair", a)
        joined(stack, cluster, SEEN, b)
        assert chair.wait('42["presence"', STALE) is not None


def test_without_valkey_no_act_is_lost_no_screen_stays_stale_and_health_says_so(
    cluster: Cluster, record_property: Any
) -> None:
    a, b = cluster.ports
    until(lambda: (cluster.missing(a), cluster.missing(b)) == ([], []), RED)
    with ExitStack() as stack:
        chair, there = joined(stack, cluster, "chair", b), present(cluster)
        cluster.valkey.terminate()
        red = until(lambda: cluster.missing(a) == cluster.missing(b) == ["redis"], RED)
        before = cluster.revision("chair", b)
        assert come(cluster, WITHOUT, a) == 303
        began = time.monotonic()
        assert signals(chair, before + 1, STALE)[-1] == before + 1
        stale = time.monotonic() - began
        cluster.valkey.start()
        green = until(lambda: cluster.missing(a) == cluster.missing(b) == [], RED)
        assert come(cluster, AGAIN, a) == 303
        assert signals(chair, before + 2, AT_ONCE)[-1] == before + 2
        with pytest.raises((TimeoutError, ConnectionClosed)):
            chair.connection.recv(timeout=0.2)
    assert present(cluster) == there + 2
    told = f"Valkey killed: red after {red:.1f} s, a signal {stale:.1f} s late, green {green:.1f} s after its start"
    record_property("counted", told)
