"""The edge: who is let in, which forms are taken, what a refusal shows."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from itsdangerous import TimestampSigner
from sqlmodel import select
from starlette.testclient import TestClient

from panel.accounts import queries
from panel.accounts.models import Person
from panel.core import pages, security
from panel.core.errors import NotFound
from panel.core.pages import local_path
from panel.record.models import RecordEntry
from tests.factories import ORIGIN, World


def bare(world: World, who: str | None = None) -> TestClient:
    """A client that sends no header by itself but a session's cookie."""
    client = TestClient(world.app, base_url=ORIGIN)
    if who:
        client.cookies.set(world.site.settings.cookie, world.sign_in(who))
    return client


def locale_of(world: World, who: str) -> str:
    with world.db() as db:
        return db.get_one(Person, world.people[who]).locale


def token(world: World, client: TestClient) -> str:
    return world.token(client, "/sign-in")["csrf"]


ORIGINS = {
    "same-origin": ({"sec-fetch-site": "same-origin"}, 303),
    "typed navigation": ({"sec-fetch-site": "none"}, 303),
    "same-site": ({"sec-fetch-site": "same-site"}, 403),
    "cross-site": ({"sec-fetch-site": "cross-site"}, 403),
    "cross-site with our origin": ({"sec-fetch-site": "cross-site", "origin": ORIGIN}, 403),
    "old browser, our origin": ({"origin": ORIGIN}, 303),
    "old browser, other origin": ({"origin": "https://evil.example"}, 403),
    "old browser, other port": ({"origin": ORIGIN + ":81"}, 403),
    "old browser, null": ({"origin": "null"}, 403),
    "neither header": ({}, 403),
    "empty": ({"sec-fetch-site": "", "origin": ORIGIN}, 403),
}


@pytest.mark.parametrize(("headers", "status"), ORIGINS.values(), ids=ORIGINS.keys())
def test_17_a_form_is_taken_from_our_own_pages_only(world: World, headers: dict[str, str], status: int) -> None:
    client = bare(world, "chair")
    sent = {"csrf": token(world, client), "locale": "en"}
    answer = client.post("/locale", data=sent, headers=headers, follow_redirects=False)
    assert (answer.status_code, locale_of(world, "chair")) == (status, "en" if status == 303 else "")


def test_17_the_token_may_come_in_a_header(world: World) -> None:
    client = world.client("chair")
    headers = {"x-csrf-token": token(world, client)}
    assert client.post("/locale", data={"locale": "en"}, headers=headers, follow_redirects=False).status_code == 303


@pytest.mark.parametrize("forged", ["", "x", "a.b.c", "字"])
def test_17_a_missing_or_forged_token_is_refused(world: World, forged: str) -> None:
    answer = world.client("chair").post("/locale", data={"locale": "en", "csrf": forged})
    assert (answer.status_code, locale_of(world, "chair")) == (410, "")


def test_17_a_token_of_another_session_is_refused(world: World) -> None:
    stolen = token(world, world.client("luo"))
    answer = world.client("chair").post("/locale", data={"locale": "en", "csrf": stolen})
    assert (answer.status_code, locale_of(world, "chair")) == (410, "")


def test_42_a_token_made_for_another_purpose_is_refused(world: World) -> None:
    client = world.client()
    other = str(world.site.tokens("demo").dumps(""))
    assert client.post("/locale", data={"locale": "en", "csrf": other}).status_code == 410


def test_yesterdays_form_is_refused_in_words(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = world.client("chair")
    yesterday = time.time() - timedelta(hours=24).total_seconds()
    with monkeypatch.context() as then:
        then.setattr(TimestampSigner, "get_timestamp", lambda self: int(yesterday))
        old = token(world, client)
    answer = client.post("/locale", data={"locale": "en", "csrf": old})
    assert (answer.status_code, locale_of(world, "chair")) == (410, "")
    assert "Traceback" not in answer.text


def test_a_form_of_a_sign_in_that_has_ended_says_so_and_keeps_the_text(world: World) -> None:
    client = world.client("chair")
    sent = {"csrf": token(world, client), "locale": "en", "back": "/我写的字"}
    client.cookies.clear()
    answer = client.post("/locale", data=sent)
    assert answer.status_code == 401
    assert "我写的字" in answer.text


def test_22_a_stranger_gets_the_same_answer_for_what_exists_and_what_does_not(world: World) -> None:
    client, real = world.client(), world.sign_in("chair")
    answers = [client.post(f"/devices/{ref}/ending", data={"csrf": token(world, client)}) for ref in (real, "0" * 64)]
    assert [answer.status_code for answer in answers] == [401, 401]


def test_22_what_no_permission_names_is_refused(world: World) -> None:
    assert not security.may(world.actor("chair"), "no.such_permission")
    assert not security.may(None, "no.such_permission")


def test_46_an_error_in_authorize_refuses(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(actor: object, action: str, thing: object = None) -> None:
        raise RuntimeError("a secret detail")

    client = world.client("chair")
    sent = {"csrf": token(world, client), "locale": "en"}
    monkeypatch.setattr(security, "authorize", broken)
    read, acted = client.get("/devices"), client.post("/locale", data=sent)
    assert [read.status_code, acted.status_code, locale_of(world, "chair")] == [500, 500, ""]
    assert "a secret detail" not in read.text + acted.text


@pytest.mark.parametrize(
    ("wish", "path"),
    [
        ("/cases/1", "/cases/1"),
        ("//evil.example/x", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("", "/"),
    ],
)
def test_a_redirect_never_leads_elsewhere(wish: str, path: str) -> None:
    assert local_path(wish) == path


def test_the_way_back_is_a_page_of_ours(world: World) -> None:
    client = world.client()
    sent = {"csrf": token(world, client), "locale": "en"}
    leads = [
        client.post("/locale", data=sent, headers={"referer": referer}, follow_redirects=False).headers["location"]
        for referer in (f"{ORIGIN}/public", "https://evil.example/x", f"{ORIGIN}//evil.example", "http://[")
    ]
    assert leads == ["/public", "/", "/", "/"]


@pytest.mark.parametrize(
    ("referer", "links"),
    [(f"{ORIGIN}/public", ["/public", "/"]), ("https://evil.example/x", ["/"]), ("http://[", ["/"])],
)
def test_a_refused_form_leads_back_to_its_page(world: World, referer: str, links: list[str]) -> None:
    client = world.client("chair")
    sent = {"csrf": token(world, client), "locale": "en", "more": "1"}
    answer = client.post("/locale", data=sent, headers={"referer": referer})
    assert answer.status_code == 422
    assert re.findall(r'<a class="button[^"]*" href="([^"]*)"', answer.text) == links


def test_an_unknown_address_greets_whom_it_knows(world: World) -> None:
    assert "欧阳岚" in world.client("chair").get("/no/such/page").text


def test_missing_things_refuse_like_foreign_ones() -> None:
    assert NotFound().status == 404
    assert str(NotFound().reason) == "There is no such page, or it is not open to you."


def test_a_secret_form_is_never_shown_again(world: World) -> None:
    client = world.client()
    answer = client.post("/sign-in", data={"csrf": "old", "login": "chair", "password": "我的真密码一二三四"})
    assert answer.status_code == 410
    assert "我的真密码" not in answer.text


def ended(world: World) -> int:
    with world.db() as db:
        return list(db.exec(select(RecordEntry.kind)).all()).count("accounts.sessions_ended")


def test_27_the_same_form_again_gets_the_same_answer_and_is_done_once(world: World) -> None:
    client = world.client("chair")
    sent = {**world.token(client, "/devices"), "idem": "0" * 32}
    answers = [client.post("/devices/endings", data=sent, follow_redirects=False) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [303] * 3
    assert ended(world) == 1


def test_27_sixty_times_the_same_form_at_once_are_done_once(world: World) -> None:
    client = world.client("chair")
    sent = {**world.token(client, "/devices"), "idem": "1" * 32}
    with ThreadPoolExecutor(12) as threads:
        posts = [threads.submit(client.post, "/devices/endings", data=sent, follow_redirects=False) for _ in range(60)]
        statuses = [post.result().status_code for post in posts]
    assert (statuses, ended(world)) == ([303] * 60, 1)


def test_27_another_form_under_the_same_key_is_refused(world: World) -> None:
    client, other = world.client("chair"), queries.digest(world.sign_in("chair"))
    sent = {**world.token(client, "/devices"), "idem": "2" * 32}
    first = client.post("/devices/endings", data=sent, follow_redirects=False)
    second = client.post(f"/devices/{other}/ending", data=sent, follow_redirects=False)
    assert (first.status_code, second.status_code, ended(world)) == (303, 404, 1)
    mine = queries.digest(client.cookies["pv_session"])
    third = client.post(f"/devices/{mine}/ending", data=sent, follow_redirects=False)
    assert (third.status_code, client.get("/devices").status_code) == (409, 200)


def test_27_a_key_is_the_senders_own(world: World) -> None:
    for who in ("chair", "luo"):
        client = world.client(who)
        sent = {**world.token(client, "/devices"), "idem": "3" * 32}
        assert client.post("/devices/endings", data=sent, follow_redirects=False).status_code == 303
    assert ended(world) == 2


def test_a_forms_token_holds_as_long_as_a_session(world: World) -> None:
    assert world.site.settings.session_hours * 3600 == pages.CSRF_AGE
