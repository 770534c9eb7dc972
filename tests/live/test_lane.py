"""The quick way gives the ordinary way's answers, and gives none where the ordinary way would refuse or wait."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from panel.committees import actions as committees
from panel.hearings import actions
from panel.hearings.models import Phase
from panel.live.lane import Lane
from tests.factories import World
from tests.hearings.course import hold_until

HOST = (b"host", b"testserver")
Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture
def asking(world: World) -> World:
    """The members put questions; who follows is known and everything is drawn."""
    hold_until(world, Phase.QUESTIONS)
    return world


async def _none(scope: Scope, receive: Receive, send: Send) -> None:
    """Stand where the application would: whatever comes here went the ordinary way."""
    await send({"type": "http.response.start", "status": 599, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def ask(world: World, app: Any, cookie: str, query: str, *headers: tuple[bytes, bytes], **other: Any) -> Answer:
    """Send one request to an ASGI application and return status, headers and body."""
    path = f"/hearings/{world.hearing_id}/changes"
    sent = [HOST, (b"cookie", f"pv_session={cookie}".encode()), *headers] if cookie else [HOST, *headers]
    scope: dict[str, Any] = {
        "type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": sent,
        "app": world.app, "state": {}, "root_path": "", "scheme": "http", "http_version": "1.1", **other,
    }  # fmt: skip
    got: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        got.append(message)

    asyncio.run(app(scope, receive, send))
    headers_of = {name.decode(): value.decode() for name, value in got[0]["headers"]}
    return got[0]["status"], headers_of, b"".join(message.get("body", b"") for message in got[1:])


def lane(world: World) -> Lane:
    """Return the quick way alone: 599 says that it left a request to the application."""
    return Lane(_none, settings=world.site.settings)


def known(world: World, who: str, query: str = "since=-1") -> str:
    """Let somebody ask once the ordinary way, so that everything about them is known; return their cookie."""
    client = world.client(who)
    assert client.get(f"/hearings/{world.hearing_id}/changes?{query}").status_code == 200
    return str(client.cookies["pv_session"])


TWICE = ((b"accept-language", b"zh-CN"), (b"accept-language", b"zh-CN"))
"""Makes the application answer in the ordinary way."""

PER_ANSWER = {"x-request-id", "content-security-policy"}


@pytest.mark.parametrize("query", ["since=-1", "since=3", "since=abc", ""])
def test_both_ways_give_the_same_answer(asking: World, query: str) -> None:
    cookie = known(asking, "observer")
    status, headers, body = ask(asking, lane(asking), cookie, query)
    ordinary = ask(asking, asking.app, cookie, query, *TWICE)
    assert (status, body) == (ordinary[0], ordinary[2])
    assert (status, body) != (599, b"")
    same = {name: value for name, value in ordinary[1].items() if name not in PER_ANSWER}
    assert {name: value for name, value in headers.items() if name not in PER_ANSWER} == same
    assert set(headers) == set(ordinary[1])
    assert "script-src" not in headers["content-security-policy"]


def test_nothing_new_is_answered_without_a_body(asking: World) -> None:
    cookie = known(asking, "observer")
    revision = ask(asking, lane(asking), cookie, "since=-1")[1]["panel-revision"]
    status, headers, body = ask(asking, lane(asking), cookie, f"since={revision}")
    assert (status, headers["panel-revision"], headers["cache-control"], body) == (204, revision, "no-store", b"")


def test_what_would_have_to_be_drawn_goes_the_ordinary_way(asking: World) -> None:
    cookie = known(asking, "observer")
    asking.act(actions.give_floor, "chair", hearing_id=asking.hearing_id, person_id=asking.people["qin"])
    assert ask(asking, lane(asking), cookie, "since=3")[0] == 599
    assert known(asking, "observer") != cookie
    assert "秦月" in ask(asking, lane(asking), cookie, "since=3")[2].decode()


@pytest.mark.parametrize("who", ["chair", "luo", "official"])
def test_readers_with_parts_of_their_own_get_them_the_ordinary_way(asking: World, who: str) -> None:
    cookie = known(asking, who)
    assert ask(asking, lane(asking), cookie, "since=3")[0] == 599


def test_strangers_outsiders_and_the_recused_go_the_ordinary_way(asking: World) -> None:
    assert ask(asking, lane(asking), "", "since=3")[0] == 599
    assert ask(asking, lane(asking), "not-a-session", "since=3")[0] == 599
    stranger = asking.client("stranger")
    assert stranger.get(f"/hearings/{asking.hearing_id}/changes?since=3").status_code == 404
    assert ask(asking, lane(asking), str(stranger.cookies["pv_session"]), "since=3")[0] == 599
    client = asking.client("luo")
    path = f"/hearings/{asking.hearing_id}/changes"
    revision = client.get(f"{path}?since=-1").headers["panel-revision"]
    luo = str(client.cookies["pv_session"])
    assert ask(asking, lane(asking), luo, f"since={revision}")[0] == 204
    asking.act(
        committees.recuse,
        "chair",
        seat_id=asking.seats["luo"],
        ground="near_relative",
        statement="与当事人有近亲属关系",
    )
    assert ask(asking, lane(asking), luo, f"since={revision}")[0] == 599


@pytest.mark.parametrize(
    "doubt",
    [
        {"headers": [(b"host", b"evil.example")]},
        {"headers": [HOST, HOST]},
        {"headers": [HOST, (b"content-length", b"3")]},
        {"headers": [HOST, (b"transfer-encoding", b"chunked")]},
        {"method": "POST"},
        {"method": "HEAD"},
        {"path": "/hearings/%2e%2e/changes"},
    ],
    ids=str,
)
def test_every_doubt_goes_the_ordinary_way(asking: World, doubt: dict[str, Any]) -> None:
    cookie = known(asking, "observer")
    if "headers" in doubt:
        doubt = {"headers": [*doubt["headers"], (b"cookie", f"pv_session={cookie}".encode())]}
    assert ask(asking, lane(asking), cookie, "since=3")[0] == 200
    assert ask(asking, lane(asking), cookie, "since=3", **doubt)[0] == 599


def test_a_second_cookie_header_goes_the_ordinary_way(asking: World) -> None:
    cookie = known(asking, "observer")
    assert ask(asking, lane(asking), cookie, "since=3", (b"cookie", b"pv_session=another"))[0] == 599
