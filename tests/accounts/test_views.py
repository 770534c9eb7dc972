"""The pages where one signs in, sees one's devices, changes the password."""

import math
import re
import time
from datetime import timedelta

import httpx2
import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from panel.accounts import passwords, queries
from panel.accounts.models import Person, SignInSession
from panel.accounts.throttle import Throttle
from panel.accounts.views.desk import desk
from panel.core import clock, hooks
from panel.work import Work
from tests import corpus
from tests.factories import ORIGIN, World
from tests.people import CAST

PASSWORD = "一句只有我自己才知道的话"
WRONG = "登录名或密码不正确。"
KEPT = passwords.hashed(PASSWORD)
TURNS, MOST_TURNS, ALIKE = 25, 400, 1.2
"""So many turns at least and at most, and the ratio under which two times are alike."""


@pytest.fixture(autouse=True)
def with_passwords(world: World) -> None:
    """Give everybody of the cast the same password."""
    keep(world, KEPT, *(someone.key for someone in CAST))


def keep(world: World, password_hash: str, *whose: str) -> None:
    def kept(work: Work) -> None:
        for who in whose:
            work.db.get_one(Person, world.people[who]).password_hash = password_hash

    world.work(kept)


def sign_in(world: World, client: TestClient, login: str, password: str, **more: str) -> httpx2.Response:
    sent = {"csrf": world.token(client, "/sign-in")["csrf"], "login": login, "password": password, **more}
    return client.post("/sign-in", data=sent, follow_redirects=False)


def sessions(world: World) -> list[str]:
    with world.db() as db:
        return list(db.exec(select(SignInSession.reference_sha256)).all())


def test_signing_in_leads_home_with_a_cookie_that_scripts_cannot_read(world: World) -> None:
    client = world.client()
    answer = sign_in(world, client, "chair", PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = client.cookies["pv_session"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", cookie)
    assert f"pv_session={cookie}; HttpOnly; Path=/; SameSite=lax" in answer.headers.get_list("set-cookie")
    assert sessions(world) == [queries.digest(cookie)]
    assert "欧阳岚" in client.get("/devices").text


def test_signing_in_leads_to_the_page_that_was_asked_for(world: World) -> None:
    client = world.client()
    asked = client.get("/devices")
    assert asked.status_code == 401
    assert 'name="next" value="/devices"' in asked.text
    assert sign_in(world, client, "chair", PASSWORD, next="/devices").headers["location"] == "/devices"


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"])
def test_signing_in_leads_nowhere_else(world: World, elsewhere: str) -> None:
    assert sign_in(world, world.client(), "chair", PASSWORD, next=elsewhere).headers["location"] == "/"


def test_signing_in_leads_to_the_hearing_that_is_under_way(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "LIVE_HEARING", [lambda db, actor: f"/hearings/of-{actor.person_id}"])
    assert (
        sign_in(world, world.client(), "chair", PASSWORD).headers["location"] == f"/hearings/of-{world.people['chair']}"
    )


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("chair", "wrong"),
        ("nobody", PASSWORD),
        ("", ""),
        ("chair", ""),
        ("CHAIR", PASSWORD),
        ("chair", PASSWORD + " "),
        ("chair'--", PASSWORD),
        ("chair", "x" * 1024),
    ],
)
def test_8_every_wrong_credential_gets_the_same_answer(world: World, login: str, password: str) -> None:
    client = world.client()
    answer = sign_in(world, client, login, password)
    assert (answer.status_code, answer.text.count(WRONG) > 0) == (401, True)
    assert "pv_session" not in client.cookies
    assert sessions(world) == []


def test_8_a_known_and_an_unknown_name_differ_in_nothing_but_the_name(world: World) -> None:
    known, unknown = (sign_in(world, world.client(), login, "wrong") for login in ("chair", "nobo1"))
    bodies = [
        re.sub(r'value="[\w-]+\.[\w-]+\.[\w-]+"|nonce="[^"]*"|[0-9a-f]{16}', "", answer.text).replace(login, "")
        for answer, login in ((known, "chair"), (unknown, "nobo1"))
    ]
    assert bodies[0] == bodies[1]
    assert known.headers.keys() == unknown.headers.keys()


def test_8_a_known_and_an_unknown_name_take_the_same_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The least of many times: whatever else the machine does only ever adds to a time.

    A busy machine is given more turns. Were either name spared the hashing, no number of turns would make them alike.
    """
    monkeypatch.setattr(Throttle, "begin", lambda self, keys, now: 0)
    client = world.client()
    sent = {"csrf": world.token(client, "/sign-in")["csrf"], "password": "wrong"}
    least = {"chair": math.inf, "nobody": math.inf}
    for turn in range(MOST_TURNS):
        for login in sorted(least, reverse=turn % 2 == 1):
            began = time.perf_counter()
            client.post("/sign-in", data={**sent, "login": login})
            least[login] = min(least[login], time.perf_counter() - began)
        if turn >= TURNS and max(least.values()) < ALIKE * min(least.values()):
            break
    assert max(least.values()) < ALIKE * min(least.values()), least


def test_9_after_some_wrong_guesses_one_waits_and_is_told_how_long(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.monotonic()
    monkeypatch.setattr(clock, "monotonic", lambda: now)
    client = world.client()
    answers = [sign_in(world, client, "chair", "wrong") for _ in range(7)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 2
    assert answers[-1].headers["retry-after"] == "1"
    assert "请等待 1 秒" in answers[-1].text
    assert sign_in(world, client, "chair", PASSWORD).status_code == 429
    monkeypatch.setattr(clock, "monotonic", lambda: now + 1)
    assert sign_in(world, client, "chair", PASSWORD).status_code == 303


@pytest.fixture
def no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no pause pass by itself, however slow the machine is."""
    moment = clock.monotonic()
    monkeypatch.setattr(clock, "monotonic", lambda: moment)


@pytest.mark.usefixtures("no_time")
def test_9_throttled_answers_are_the_same_for_names_that_do_not_exist(world: World) -> None:
    statuses = {
        login: [sign_in(world, world.client(), login, "wrong").status_code for _ in range(6)]
        for login in ("chair", "nobody")
    }
    assert statuses["chair"] == statuses["nobody"] == [401] * 5 + [429]


@pytest.mark.usefixtures("no_time")
def test_9_a_browser_that_was_signed_in_before_does_not_wait_for_strangers(world: World) -> None:
    mine = world.client()
    sign_in(world, mine, "chair", PASSWORD)
    mine.post("/sign-out", data=world.token(mine, "/devices"))
    for _ in range(6):
        last = sign_in(world, world.client(), "chair", "wrong")
    assert last.status_code == 429
    assert sign_in(world, mine, "chair", PASSWORD).status_code == 303


@pytest.mark.usefixtures("no_time")
def test_9_a_device_cookie_of_another_account_or_a_forged_one_helps_nothing(world: World) -> None:
    client = world.client()
    sign_in(world, client, "luo", PASSWORD)
    client.cookies.delete("pv_session")
    statuses = [sign_in(world, client, "chair", "wrong").status_code for _ in range(6)]
    client.cookies.set("pv_device", str(world.site.tokens("csrf").dumps([world.people["chair"], "x"])))
    assert [*statuses, sign_in(world, client, "chair", "wrong").status_code] == [401] * 5 + [429] * 2


def test_10_a_reference_that_somebody_planted_is_not_taken_over(world: World) -> None:
    client = world.client()
    client.cookies.set("pv_session", "planted-reference")
    sign_in(world, client, "chair", PASSWORD)
    assert queries.digest("planted-reference") not in sessions(world)
    planted = world.client()
    planted.cookies.set("pv_session", "planted-reference")
    assert planted.get("/devices").status_code == 401


def test_10_signing_in_again_replaces_this_browsers_session(world: World) -> None:
    client = world.client()
    sign_in(world, client, "chair", PASSWORD)
    first = client.cookies["pv_session"]
    sign_in(world, client, "luo", PASSWORD)
    assert sessions(world) == [queries.digest(client.cookies["pv_session"])]
    assert client.cookies["pv_session"] != first


def test_1_a_hash_with_other_parameters_is_renewed_at_sign_in(world: World) -> None:
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    keep(world, weak, "chair")
    assert sign_in(world, world.client(), "chair", PASSWORD).status_code == 303
    with world.db() as db:
        renewed = db.get_one(Person, world.people["chair"]).password_hash
    assert renewed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert sign_in(world, world.client(), "chair", PASSWORD).status_code == 303


def test_12_signing_out_ends_the_session_for_good(world: World) -> None:
    client = world.client()
    sign_in(world, client, "chair", PASSWORD)
    captured = client.cookies["pv_session"]
    answer = client.post("/sign-out", data=world.token(client, "/devices"), follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    assert "pv_session" not in client.cookies
    replay = world.client()
    replay.cookies.set("pv_session", captured)
    assert (replay.get("/devices").status_code, sessions(world)) == (401, [])


def test_13_my_devices_shows_mine_and_ends_them(world: World) -> None:
    here, phone = world.client(), world.client()
    here.headers["user-agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    phone.headers["user-agent"] = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1"
    for client in (here, phone):
        sign_in(world, client, "chair", PASSWORD)
    sign_in(world, world.client(), "luo", PASSWORD)
    page = here.get("/devices").text
    assert sorted(re.findall(r'card-title">([^<]*?) *<', page)) == ["Firefox · Linux", "Safari · iPhone"]
    of_phone = queries.digest(phone.cookies["pv_session"])
    here.post(f"/devices/{of_phone}/ending", data=world.token(here, "/devices"))
    assert [here.get("/devices").status_code, phone.get("/devices").status_code] == [200, 401]


def test_24_somebody_elses_device_answers_like_one_that_is_not_there(world: World) -> None:
    client = world.client("chair")
    foreign = queries.digest(world.sign_in("luo"))
    answers = [
        client.post(f"/devices/{ref}/ending", data=world.token(client, "/devices")) for ref in (foreign, "0" * 64)
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert len(sessions(world)) == 2


def test_13_all_others_are_ended_at_once(world: World) -> None:
    here, others = world.client("chair"), [world.client("chair") for _ in range(3)]
    here.post("/devices/endings", data=world.token(here, "/devices"))
    assert [client.get("/devices").status_code for client in (here, *others)] == [200, 401, 401, 401]


def change(world: World, client: TestClient, current: str, new: str, again: str | None = None) -> httpx2.Response:
    sent = {"current": current, "password": new, "again": new if again is None else again}
    return client.post("/password", data={**world.token(client, "/password"), **sent}, follow_redirects=False)


def test_12_a_new_password_ends_the_other_devices(world: World) -> None:
    here, phone = world.client("chair"), world.client("chair")
    assert change(world, here, PASSWORD, "另一句只有我自己才知道的话").status_code == 303
    assert [here.get("/devices").status_code, phone.get("/devices").status_code] == [200, 401]
    assert sign_in(world, world.client(), "chair", PASSWORD).status_code == 401
    assert sign_in(world, world.client(), "chair", "另一句只有我自己才知道的话").status_code == 303


@pytest.mark.parametrize(
    ("current", "new", "again", "said"),
    [
        ("wrong", "另一句只有我自己才知道的话", None, "当前密码不正确。"),
        (PASSWORD, "太短了", None, "密码至少 12 个字符。"),
        (PASSWORD, "另一句只有我自己才知道的话", "又一句", "两次输入的新密码不一致。"),
    ],
)
def test_a_bad_change_of_password_is_refused_at_its_field(
    world: World, current: str, new: str, again: str | None, said: str
) -> None:
    answer = change(world, world.client("chair"), current, new, again)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert [text for text in (current, new) if text != "wrong" and text in answer.text] == []
    assert sign_in(world, world.client(), "chair", PASSWORD).status_code == 303


def test_9_a_stolen_session_cannot_guess_the_password(world: World) -> None:
    client = world.client("chair")
    statuses = [change(world, client, "wrong", "另一句只有我自己才知道的话").status_code for _ in range(7)]
    assert statuses == [422] * 5 + [429] * 2


def test_language_and_letter_size_are_kept_for_whom_nobody_knows_too(world: World) -> None:
    client = world.client()
    client.post("/locale", data={**world.token(client, "/sign-in"), "locale": "en"})
    client.post("/display", data={**world.token(client, "/sign-in"), "size": "large"})
    page = client.get("/sign-in").text
    assert '<html lang="en" class="large">' in page
    assert "Sign in" in page


@pytest.mark.parametrize("typed", corpus.SCRIPTS)
def test_32_what_is_typed_comes_back_as_text_only(world: World, typed: str) -> None:
    answer = sign_in(world, world.client(), typed, "wrong", next=typed)
    assert (answer.status_code, corpus.unescaped(answer.text)) == (401, [])


def test_bad_input_is_refused_in_words_and_writes_nothing(world: World) -> None:
    client = world.client()
    token = world.token(client, "/sign-in")["csrf"]
    forms: list[dict[str, object]] = [
        {"login": "x" * 201, "password": "x"},
        {"login": "chair", "password": "x" * 1025},
        {"login": ["chair", "luo"], "password": PASSWORD},
        {"login": "chair", "password": [PASSWORD, PASSWORD]},
        {"login": "chair", "password": PASSWORD, "person_id": world.people["luo"]},
        {"login": "chair", "password": corpus.HUGE},
    ]
    answers = [client.post("/sign-in", data={"csrf": token, **form}) for form in forms]
    assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 422, 413]
    assert sessions(world) == []


def test_11_an_idle_session_is_told_to_sign_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = world.client("chair")
    assert client.get("/devices").status_code == 200
    then = clock.now() + timedelta(minutes=31)
    monkeypatch.setattr(clock, "now", lambda: then)
    assert client.get("/devices").status_code == 401


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, object]]]:
    from panel.core import log

    seen: list[tuple[str, dict[str, object]]] = []
    monkeypatch.setattr(log, "security", lambda event, **facts: seen.append((event, facts)))
    return seen


def test_38_the_security_log_tells_the_story_without_its_secrets(
    world: World, logged: list[tuple[str, dict[str, object]]]
) -> None:
    client = world.client()
    sign_in(world, client, "chair", "canary-wrong-password")
    sign_in(world, client, "canary-typed-into-the-wrong-field", PASSWORD)
    sign_in(world, client, "chair", PASSWORD)
    reference = client.cookies["pv_session"]
    change(world, client, PASSWORD, "另一句只有我自己才知道的话")
    client.post("/sign-out", data=world.token(client, "/devices"))
    events = [event for event, _ in logged]
    assert events == ["sign_in_failed", "sign_in_failed", "sign_in_succeeded", "password_changed", "signed_out"]
    assert [facts.get("person") for _, facts in logged[:3]] == [world.people["chair"], None, world.people["chair"]]
    secrets = ("canary", PASSWORD, "另一句", reference, queries.digest(reference))
    assert [secret for secret in secrets if secret in repr(logged)] == []


def test_the_desk_is_one_per_installation(world: World) -> None:
    assert desk(world.site) is desk(world.site)
    assert ORIGIN in world.site.settings.origins
