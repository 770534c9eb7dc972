"""The outermost layer: headers on every answer, the size and pace of bodies, hosts, errors without a trace."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient
from starlette.types import Message

from panel.core import headers as front
from panel.core.assets import fingerprint
from panel.core.config import Settings
from panel.core.errors import TooLarge, TooSlow
from panel.core.headers import FORM_BYTES, Front
from tests.factories import ORIGIN, SECRET, World, make_world

KEY = SecretStr(SECRET)
ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def test_28_the_policy_allows_nothing_inline_and_nothing_from_elsewhere(world: World) -> None:
    answer = world.client().get("/sign-in")
    policy = answer.headers["content-security-policy"]
    nonce = re.findall(r"'nonce-([^']+)'", policy)
    assert policy == (
        f"default-src 'none'; script-src 'nonce-{nonce[0]}' 'strict-dynamic'; require-trusted-types-for 'script'; "
        "trusted-types htmx; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
    )
    assert len(nonce[0]) >= 22


def test_28_every_answer_has_a_nonce_of_its_own_and_its_scripts_carry_it(world: World) -> None:
    first, second = (world.client().get("/sign-in") for _ in range(2))
    nonces = [re.findall(r"'nonce-([^']+)'", each.headers["content-security-policy"])[0] for each in (first, second)]
    assert nonces[0] != nonces[1]
    scripts = re.findall(r"<script([^>]*)>", first.text)
    assert [f'nonce="{nonces[0]}"' in attributes for attributes in scripts] == [True] * len(scripts)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/sign-in", 200),
        ("GET", "/devices", 401),
        ("GET", "/no/such/page", 404),
        ("GET", "/devices/", 404),
        ("GET", "/%2e%2e/devices", 404),
        ("DELETE", "/devices", 405),
        ("POST", "/sign-in", 410),
        ("GET", "/static/no-such-file", 404),
        ("GET", "/static/../panel/app.py", 404),
    ],
)
def test_30_every_answer_carries_the_headers(world: World, method: str, path: str, status: int) -> None:
    answer = world.client().request(method, path, follow_redirects=False)
    assert answer.status_code == status
    assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["x-request-id"])


def test_30_strict_transport_where_the_site_is_behind_tls(tmp_path: Path, template: Path, world: World) -> None:
    assert "strict-transport-security" not in world.client().get("/sign-in").headers
    secure = make_world(tmp_path / "secure", template, origins=(ORIGIN, "https://panel.example"))
    try:
        answer = secure.client().get("/sign-in")
        assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    finally:
        secure.close()


def test_31_nothing_of_a_signed_in_reader_is_stored(world: World) -> None:
    answer = world.client("chair").get("/devices")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["vary"] == "HX-Request"


def test_31_named_static_files_may_be_kept_for_ever_and_others_are_asked_for(world: World) -> None:
    client = world.client()
    style = re.findall(r'href="(/static/css/base\.css\?v=[0-9a-f]{12})"', client.get("/sign-in").text)[0]
    kept = [client.get(path).headers["cache-control"] for path in (style, style.partition("?")[0])]
    assert kept == ["public, max-age=31536000, immutable", "no-cache"]


def test_31_a_static_file_is_not_kept_under_the_name_of_another(world: World) -> None:
    client, digest = world.client(), fingerprint("css/base.css")
    paths = {
        "css/base.css?v=0123456789ab": 200, f"css/base.css?v={digest}&x=1": 200, f"css/forms.css?v={digest}": 200,
        f"css//base.css?v={digest}": 200, f"/css/base.css?v={digest}": 200, f"css/none.css?v={digest}": 404,
    }  # fmt: skip
    got = {path: client.get(f"http://testserver/static/{path}") for path in paths}
    assert {path: (answer.status_code, answer.headers["cache-control"]) for path, answer in got.items()} == {
        path: (status, "no-cache") for path, status in paths.items()
    }


@pytest.mark.parametrize(
    "host", ["evil.example", "testserver.evil.example", "testserver:81", "", "testserver@evil.example", "a/b?c"]
)
def test_44_an_unknown_host_is_turned_away(world: World, host: str) -> None:
    answer = world.client("chair").get("/devices", headers={"host": host, "x-forwarded-host": "testserver"})
    assert (answer.status_code, answer.text) == (421, "421 Misdirected Request")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_44_an_own_address_is_known_without_settings() -> None:
    settings = Settings(secret=KEY, port=8123)
    assert settings.origins == ("http://127.0.0.1:8123", "http://localhost:8123")


def test_41_a_short_or_missing_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PANEL_SECRET", raising=False)
    with pytest.raises(ValueError, match="secret"):
        Settings(secret=SecretStr("short"))
    with pytest.raises(ValueError, match="secret"):
        Settings()  # type: ignore[call-arg]  # the secret is missing on purpose


def test_41_a_secret_is_masked_when_settings_are_shown() -> None:
    assert SECRET not in repr(Settings(secret=KEY))


def test_36_a_body_that_says_it_is_too_large_is_refused_in_words(world: World) -> None:
    answer = world.client("chair").post("/locale", content=b"x" * (FORM_BYTES + 1))
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert "1 MiB" in answer.text


def test_36_a_body_that_does_not_say_how_large_it_is_is_refused_too(world: World) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 65536

    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = world.client("chair").post("/locale", content=pieces(), headers=headers)
    assert answer.status_code == 413


def test_36_only_the_addresses_of_files_take_more(world: World) -> None:
    outer = Front(world.app, settings=world.site.settings, uploads=[(r"/cases/[0-9a-f]{32}/exhibits", 5)])
    paths = ("/cases/" + "0" * 32 + "/exhibits", "/cases/" + "0" * 32 + "/exhibits/x", "/locale")
    assert [outer._most(path) for path in paths] == [5, FORM_BYTES, FORM_BYTES]


def test_36_too_many_fields_and_broken_bodies_are_refused(world: World) -> None:
    client = world.client("chair")
    many = client.post("/locale", data={f"f{n}": "x" for n in range(1001)})
    nameless = b"--x\r\nContent-Disposition: form-data\r\n\r\nv\r\n--x--\r\n"
    broken = client.post("/locale", content=nameless, headers={"content-type": "multipart/form-data; boundary=x"})
    nonsense = client.post("/locale", content=b"\xff" * 50, headers={"content-type": "multipart/form-data"})
    assert [many.status_code, broken.status_code, nonsense.status_code] == [400, 400, 400]
    assert "Traceback" not in many.text + broken.text + nonsense.text


async def _dribble(pieces: int, seconds: float) -> AsyncIterator[Message]:
    for _ in range(pieces):
        await asyncio.sleep(seconds)
        yield {"type": "http.request", "body": b"x", "more_body": True}


def _read_all(body: front._Body) -> None:
    async def reading() -> None:
        while (await body()).get("more_body"):
            pass

    asyncio.run(reading())


def test_36_a_body_that_dribbles_is_given_up() -> None:
    coming = _dribble(1000, 0.02)
    body = front._Body(coming.__anext__, most=FORM_BYTES, patience=0.2)
    with pytest.raises(TooSlow):
        _read_all(body)


def test_36_a_body_that_comes_fast_enough_may_take_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "SLOWEST", 1)
    coming = _dribble(30, 0.02)
    body = front._Body(coming.__anext__, most=20, patience=0.2)
    with pytest.raises(TooLarge):
        _read_all(body)


def test_46_an_error_of_ours_shows_a_number_and_no_trace(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(db: object, cookie: str) -> None:
        raise RuntimeError("secret detail of the inside")

    monkeypatch.setattr(world.site, "sign_in", broken)
    answer = world.client().get("/devices")
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] in answer.text
    assert [mark for mark in ("secret detail", "Traceback", "RuntimeError", ".py") if mark in answer.text] == []
    assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS


def test_46_when_even_the_error_page_fails_one_plain_line_remains(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken template")

    monkeypatch.setattr(world.site.templates, "get_template", broken)
    answer = world.client().get("/sign-in")
    assert (answer.status_code, answer.text) == (500, f"500 {answer.headers['x-request-id']}")
    assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS


def test_16_cookies_are_strict_where_the_site_is_secure(tmp_path: Path, template: Path) -> None:
    secure = make_world(tmp_path / "secure", template, origins=(ORIGIN, "https://panel.example"))
    try:
        assert (secure.site.settings.cookie, secure.site.settings.secure) == ("__Host-pv_session", True)
        client = TestClient(secure.app, base_url=ORIGIN, headers={"origin": ORIGIN})
        sent = {"csrf": secure.token(client, "/sign-in")["csrf"], "locale": "en"}
        set_cookie = client.post("/locale", data=sent, follow_redirects=False).headers["set-cookie"]
        assert set_cookie == "pv_locale=en; HttpOnly; Max-Age=31536000; Path=/; SameSite=lax; Secure"
    finally:
        secure.close()


def test_16_a_demo_or_bare_loopback_has_no_secure_cookies(world: World) -> None:
    assert (world.site.settings.cookie, world.site.settings.secure) == ("pv_session", False)
    assert Settings(secret=KEY, demo=True, host="0.0.0.0", lan=True).secure is False
    assert Settings(secret=KEY, host="0.0.0.0").secure is True
    assert Settings(secret=KEY, trusted_proxies=("127.0.0.1",)).secure is True
