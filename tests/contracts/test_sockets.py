"""Sockets against a really running server: the matrix of handshakes (security A4.1), and what an open socket may do."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from panel.accounts import actions as accounts
from panel.accounts import queries
from panel.committees import actions as committees
from panel.core.security import Actor, Audience
from panel.live.server import BURST, FRAME_BYTES, SOCKETS_PER_SESSION, LiveServer, room_of
from tests.contracts.sockets import QUERY, Socket, connected, opened, shake
from tests.factories import World
from tests.serving import Served, served

EVIL = "https://evil.example"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[Served]:
    """One server for the tests that change nothing which others need."""
    with served(tmp_path_factory.mktemp("sockets"), template) as one:
        yield one


def cookie(running: Served, who: str) -> str:
    return f"pv_session={running.world.sign_in(who)}"


def live(running: Served) -> LiveServer:
    server: LiveServer = running.world.site.areas["live"]
    return server


def hearing(running: Served) -> dict[str, str]:
    return {"hearing": running.world.hearing_id}


def eventually(done: Callable[[], bool], seconds: float = 20.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if done():
            return True
        time.sleep(0.01)
    return False


HANDSHAKES = {
    "ours": ({}, True),
    "foreign": ({"origin": EVIL}, False),
    "null": ({"origin": "null"}, False),
    "absent": ({"origin": None}, False),
    "foreign, forwarded host equal to it": ({"origin": EVIL, "X_Forwarded_Host": "evil.example"}, False),
    "foreign, forwarded protocol and host": (
        {"origin": EVIL, "X_Forwarded_Proto": "https", "X_Forwarded_Host": "evil.example"},
        False,
    ),
    "host and origin foreign (rebinding)": ({"origin": EVIL, "Host": "evil.example"}, False),
    "ours with another port": ({"origin": "http://127.0.0.1:1"}, False),
    "ours with https": ({"origin": "https://127.0.0.1"}, False),
    "polling": ({"query": "EIO=4&transport=polling"}, False),
    "no transport named": ({"query": "EIO=4"}, False),
    "two transports": ({"query": QUERY + "&transport=polling"}, False),
    "jsonp": ({"query": QUERY + "&j=0"}, False),
    "a stolen sid": ({"query": QUERY + "&sid=abc"}, False),
    "an old protocol": ({"query": "EIO=3&transport=websocket"}, False),
}


@pytest.mark.parametrize(("handshake", "accepted"), HANDSHAKES.values(), ids=HANDSHAKES.keys())
def test_19_a_handshake_needs_our_origin(running: Served, handshake: dict[str, str], accepted: bool) -> None:
    assert shake(running, cookie=cookie(running, "luo"), **handshake) is accepted


@pytest.mark.parametrize(
    "sent", ["", "pv_session=", "pv_session=unknown", "other=x", 'pv_session="', "=;;=", "x" * 5000]
)
def test_19_a_handshake_needs_a_session(running: Served, sent: str) -> None:
    assert shake(running, cookie=sent) is False


def test_19_the_digest_of_a_session_is_no_session(running: Served) -> None:
    reference = running.world.sign_in("luo")
    assert shake(running, cookie=f"pv_session={queries.digest(reference)}") is False


@pytest.mark.parametrize("query", ["EIO=4&transport=polling", "EIO=4&transport=polling&j=0", "", QUERY])
def test_21_there_is_no_polling(running: Served, query: str) -> None:
    headers = {"Origin": running.origin, "Cookie": cookie(running, "luo")}
    with pytest.raises(HTTPError) as refused:
        urlopen(Request(f"{running.origin}/socket.io/?{query}", headers=headers))
    assert (refused.value.code, refused.value.read()) == (400, b"")
    assert refused.value.headers["x-content-type-options"] == "nosniff"
    assert refused.value.headers.get_all("set-cookie") is None


def test_20_members_join_the_room_of_their_audience(running: Served) -> None:
    rooms = {"chair": Audience.CHAIR, "luo": Audience.PANEL, "official": Audience.PARTY, "observer": Audience.OBSERVER}
    for who, audience in rooms.items():
        with opened(running, cookie(running, who)) as socket:
            assert socket.ask("join", hearing(running)) == {"ok": True}
            members = live(running).sio.manager.get_participants("/", room_of(running.world.hearing_id, audience))
            assert len(list(members)) == 1


@pytest.mark.parametrize("who", ["stranger", "he"])
def test_20_who_has_no_part_in_the_case_does_not_join(running: Served, who: str) -> None:
    with opened(running, cookie(running, who)) as socket:
        assert socket.ask("join", hearing(running)) == {"ok": False}


def test_24_a_foreign_hearing_answers_like_a_missing_one(running: Served) -> None:
    with opened(running, cookie(running, "stranger")) as socket:
        assert socket.ask("join", hearing(running)) == socket.ask("join", {"hearing": "0" * 32}) == {"ok": False}


PAYLOADS = [
    [],
    [{}],
    [None],
    ["x"],
    [{"hearing": None}],
    [{"hearing": 1}],
    [{"hearing": "short"}],
    [{"hearing": "0" * 31 + "g"}],
    [{"hearing": ["0" * 32]}],
    [{"hearing": "0" * 32, "audience": "chair"}],
    [{"hearing": "0" * 32}, "more"],
    [[{"hearing": "0" * 32}]],
]


@pytest.mark.parametrize("payload", PAYLOADS, ids=json.dumps)
@pytest.mark.parametrize("event", ["join", "leave"])
def test_20_a_payload_of_another_shape_is_dropped(running: Served, event: str, payload: list[object]) -> None:
    with opened(running, cookie(running, "chair")) as socket:
        assert socket.ask(event, *payload) == {"ok": False}
        assert socket.ask("ping") == {"ok": True}


@pytest.mark.parametrize("event", ["revision", "vote_closed", "connect", "disconnect", "", "*", "字" * 100])
def test_20_an_unknown_event_is_dropped(running: Served, event: str) -> None:
    with opened(running, cookie(running, "chair")) as listening, opened(running, cookie(running, "luo")) as forging:
        assert listening.ask("join", hearing(running)) == {"ok": True}
        forging.ask("join", hearing(running))
        forging.send(f"42{json.dumps([event, {**hearing(running), 'revision': 999}])}")
        assert listening.wait("42", seconds=0.2) is None
        assert listening.ask("ping") == {"ok": True}


FRAMES = {
    "too large": "42" + json.dumps(["join", {"hearing": "0" * FRAME_BYTES}]),
    "much too large": "42" + "x" * 1_000_000,
    "binary": b"\x04bytes",
    "announced attachments": '451-["join",{"_placeholder":true,"num":0}]',
    "ten thousand attachments": '4510000-["join",{"_placeholder":true,"num":0}]',
    "binary acknowledgement": '461-0[{"_placeholder":true,"num":0}]',
    "base64 binary": "bAAAA",
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES.keys())
def test_20_anything_but_small_text_ends_the_connection(running: Served, frame: str | bytes) -> None:
    with opened(running, cookie(running, "chair")) as socket:
        socket.send(frame)
        assert socket.closed()


@pytest.mark.parametrize("frame", ["", "4", "42", "42{", "42[]", "9x", "40/admin,", "4x", '42["join"', "\x00" * 10])
def test_20_broken_frames_do_no_harm(running: Served, frame: str) -> None:
    with opened(running, cookie(running, "chair")) as socket, opened(running, cookie(running, "luo")) as other:
        socket.send(frame)
        assert other.ask("join", hearing(running)) == {"ok": True}


def test_20_a_socket_that_sends_without_end_is_closed(running: Served) -> None:
    with opened(running, cookie(running, "observer")) as socket:
        for _ in range(BURST + 5):
            socket.send('42["ping"]')
        assert socket.closed()


def test_a_session_may_not_open_sockets_without_end(running: Served) -> None:
    mine = cookie(running, "projector")
    connections = [opened(running, mine) for _ in range(SOCKETS_PER_SESSION)]
    for connection in connections:
        connection.__enter__()
    try:
        assert shake(running, cookie=mine) is False
        assert shake(running, cookie=cookie(running, "projector")) is True
    finally:
        for connection in connections:
            connection.__exit__(None, None, None)
    assert eventually(lambda: shake(running, cookie=mine))


def test_presence_is_who_is_in_a_hearing_and_nobody_else(running: Served) -> None:
    world, hearing_id = running.world, running.world.hearing_id
    with opened(running, cookie(running, "meng")) as first, opened(running, cookie(running, "meng")) as second:
        for socket in (first, second):
            socket.ask("join", hearing(running))
        since = live(running).presence(hearing_id)[world.people["meng"]]
        first.ask("leave", hearing(running))
        assert live(running).presence(hearing_id) == {world.people["meng"]: since}
        second.ask("leave", hearing(running))
        assert live(running).presence(hearing_id) == {}


def joined(running: Served, socket: Socket) -> None:
    assert socket.ask("join", hearing(running)) == {"ok": True}


def receives(running: Served, socket: Socket, audience: Audience, seconds: float = 20.0) -> bool:
    """Signal a revision to an audience and say whether this socket hears of it."""
    server = live(running)
    assert server._loop is not None
    telling = server.emit_revision(running.world.hearing_id, audience, 7)
    asyncio.run_coroutine_threadsafe(telling, server._loop).result(5)
    heard = socket.wait("42", seconds)
    return heard == json.dumps(
        ["revision", {"hearing": running.world.hearing_id, "revision": 7}], separators=(",", ":")
    )


def test_a_signal_says_the_revision_to_its_audience_and_nothing_to_others(running: Served) -> None:
    with opened(running, cookie(running, "luo")) as member, opened(running, cookie(running, "official")) as official:
        joined(running, member)
        joined(running, official)
        assert receives(running, member, Audience.PANEL)
        assert not receives(running, official, Audience.PANEL, seconds=0.3)
        assert receives(running, official, Audience.PARTY)
        member.ask("leave", hearing(running))
        assert not receives(running, member, Audience.PANEL, seconds=0.3)


@pytest.fixture
def alone(tmp_path: Path, template: Path) -> Iterator[Served]:
    """A server of one's own, for tests that take somebody's standing away."""
    with served(tmp_path, template) as one:
        yield one


def recuse(world: World, who: str) -> None:
    world.act(
        committees.recuse, "chair", seat_id=world.seats[who], ground="near_relative", statement="与当事人有近亲属关系"
    )


def test_12_signing_out_ends_the_sockets_of_that_session_only(alone: Served) -> None:
    world, here, there = alone.world, "here", "there"
    signing_in = partial(accounts.sign_in, actor=None, person_id=world.people["luo"], device="", hours=1)
    for reference in (here, there):
        world.work(partial(signing_in, reference=reference))
    with opened(alone, f"pv_session={here}") as ended, opened(alone, f"pv_session={there}") as kept:
        joined(alone, ended)
        joined(alone, kept)
        mine = Actor(world.people["luo"], "罗正", session=queries.digest(here))
        world.work(partial(accounts.sign_out, actor=mine))
        assert ended.closed()
        assert receives(alone, kept, Audience.PANEL)
    assert shake(alone, cookie=f"pv_session={here}") is False


def test_12_a_recusal_ends_the_members_sockets_and_bars_the_room(alone: Served) -> None:
    mine = cookie(alone, "luo")
    with opened(alone, mine) as socket:
        joined(alone, socket)
        recuse(alone.world, "luo")
        assert socket.closed()
    with opened(alone, mine) as again:
        assert again.ask("join", hearing(alone)) == {"ok": False}
        assert not receives(alone, again, Audience.PANEL, seconds=0.3)


def test_12_a_socket_that_never_said_hello_ends_with_its_session_too(alone: Served) -> None:
    mine = cookie(alone, "luo")
    with connected(alone, cookie=mine) as connection:
        assert Socket(connection).wait("0") is not None
        assert live(alone).connected() == 1
        alone.world.act(accounts.end_sessions_of, "secretary", person_id=alone.world.people["luo"])
        assert Socket(connection).closed()
    assert eventually(lambda: live(alone).connected() == 0)


def test_20_every_event_asks_again_who_it_is(alone: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if a socket's end were missed: without a session neither join nor ping is answered with a yes."""
    with opened(alone, cookie(alone, "luo")) as socket:
        monkeypatch.setattr("panel.core.hooks.END_SESSION_SOCKETS", [])
        alone.world.act(accounts.end_sessions_of, "secretary", person_id=alone.world.people["luo"])
        assert socket.ask("join", hearing(alone)) == {"ok": False}
        assert socket.ask("ping") in ({"ok": False}, None)
        assert socket.closed()
