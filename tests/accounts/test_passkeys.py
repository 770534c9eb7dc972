"""Passkeys: one is made, opens the account alone, confirms a grave act; and nothing else opens anything."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from panel.accounts import actions, passkeys, passwords, rules
from panel.accounts.models import Passkey, Person, RecoveryCode, SecondFactor, SignInSession, UsedChallenge
from panel.accounts.views import passkeys as passkey_views
from panel.core import clock
from panel.core.errors import Refused
from panel.record.models import RecordEntry
from panel.work import Work
from tests.accounts.authenticator import Authenticator
from tests.accounts.test_factors import PASSWORD, enrol
from tests.factories import World, make_world

HOST = "heyi.example.cn"
ORIGIN = f"https://{HOST}"


@pytest.fixture
def site(tmp_path: Path, template: Path) -> Iterator[World]:
    """An installation at an address with a name, which asks officers for a second factor; its people are real."""
    world = make_world(
        tmp_path / "site", template, origins=(ORIGIN, "http://testserver"), second_factor="officers", proof_minutes=5
    )

    def real(work: Work) -> None:
        kept = passwords.hashed(PASSWORD)
        for person in work.db.exec(select(Person)).all():
            person.fictional, person.password_hash = False, kept

    world.work(real)
    yield world
    world.close()


def device(**wrong: Any) -> Authenticator:
    return Authenticator(**{"origin": ORIGIN, "host": HOST, **wrong})


def browser(site: World, who: str | None = None) -> TestClient:
    """Return a browser at the address, over TLS."""
    client = site.client()
    client.base_url = httpx2.URL(ORIGIN)
    if who is not None:
        client.cookies.set(site.site.settings.cookie, site.sign_in(who), domain=HOST)
    return client


def add(site: World, client: TestClient, key: Authenticator, name: str = "手机") -> httpx2.Response:
    sent = {**site.token(client, "/factors"), "next": "", "name": name}
    sent["passkey"] = key.make(client.get("/passkeys/new").json())
    return client.post("/passkeys", data=sent, follow_redirects=False)


def holder(site: World, who: str = "luo") -> Authenticator:
    """Return somebody's passkey."""
    key = device()
    assert add(site, browser(site, who), key).status_code == 200
    return key


def sign_in(site: World, answer: Callable[[dict[str, Any]], str], client: TestClient | None = None) -> httpx2.Response:
    client = client or browser(site)
    sent = {"csrf": site.token(client, "/sign-in")["csrf"], "next": "/devices"}
    sent["passkey"] = answer(client.get("/sign-in/passkey").json())
    return client.post("/sign-in/passkey", data=sent, follow_redirects=False)


def sessions(site: World) -> int:
    with site.db() as db:
        return len(db.exec(select(SignInSession)).all())


def test_6_a_passkey_is_made_and_opens_the_account_alone(site: World) -> None:
    client, key = browser(site, "luo"), device()
    answer = add(site, client, key)
    assert answer.status_code == 200
    assert len(re.findall(r"<code>[a-z0-9]{5}-[a-z0-9]{5}</code>", answer.text)) == 10
    assert "手机" in client.get("/factors").text
    found = sign_in(site, key.use)
    assert (found.status_code, found.headers["location"]) == (303, "/devices")
    with site.db() as db:
        (kept,) = db.exec(select(Passkey)).all()
        kinds = db.exec(select(RecordEntry.kind)).all()
    assert (kept.sign_count, kept.used_at is not None, kinds.count("accounts.factor_added")) == (1, True, 1)


def test_what_a_challenge_says_names_nobody(site: World) -> None:
    said = json.dumps(browser(site).get("/sign-in/passkey").json())
    assert "allowCredentials" not in said or '"allowCredentials": []' in said
    own = browser(site, "luo").get("/passkeys/new").json()["publicKey"]
    assert own["rp"] == {"name": "某市评估委员会", "id": HOST}
    assert (
        own["authenticatorSelection"]["userVerification"] == own["authenticatorSelection"]["residentKey"] == "required"
    )
    assert site.people["luo"] not in json.dumps(own)


def forged(key: Authenticator, **wrong: Any) -> Callable[[dict[str, Any]], str]:
    return replace(key, **wrong).use


def with_signature_of(key: Authenticator) -> Callable[[dict[str, Any]], str]:
    stranger = replace(device(), id=key.id, handle=key.handle)
    return stranger.use


def changed(key: Authenticator, change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], str]:
    def answer(said: dict[str, Any]) -> str:
        found = json.loads(key.use(said))
        change(found)
        return json.dumps(found)

    return answer


ATTACKS: dict[str, Callable[[Authenticator], Callable[[dict[str, Any]], str]]] = {
    "another origin": lambda key: forged(key, origin="https://evil.example"),
    "a look-alike below ours": lambda key: forged(key, origin=f"https://x.{HOST}"),
    "plain HTTP": lambda key: forged(key, origin=f"http://{HOST}"),
    "another host": lambda key: forged(key, host="evil.example"),
    "nobody was verified": lambda key: forged(key, verifies=False),
    "another key": with_signature_of,
    "an unknown passkey": lambda key: device(handle=key.handle).use,
    "somebody else's handle": lambda key: forged(key, handle=b"x" * 32),
    "another challenge": lambda key: lambda said: key.use({**said, "publicKey": {"challenge": "eA" * 22}}),
    "a forged token": lambda key: changed(key, lambda found: found.update(token=found["token"][:-2] + "xx")),
    "no token": lambda key: changed(key, lambda found: found.pop("token")),
    "no signature": lambda key: changed(key, lambda found: found["credential"]["response"].pop("signature")),
    "no response": lambda key: changed(key, lambda found: found["credential"].pop("response")),
    "a list": lambda key: lambda said: "[]",
    "an id that is no text": lambda key: changed(key, lambda found: found["credential"].update(id="\ud800")),
    "an id with a nought": lambda key: changed(key, lambda found: found["credential"].update(id="a\x00")),
    "nested too deep": lambda key: lambda said: "[" * 11_000,
    "nothing": lambda key: lambda said: "",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_6_nothing_else_opens_it_and_all_is_told_alike(site: World, attack: str) -> None:
    key, before = holder(site), sessions(site)
    answer = sign_in(site, ATTACKS[attack](key))
    assert answer.status_code == 401
    assert "通行密钥验证未通过" in answer.text
    assert sessions(site) == before
    assert sign_in(site, key.use).status_code == 303, "and the right one still does"


def test_6_an_answer_counts_once(site: World) -> None:
    key, client = holder(site), browser(site)
    kept: list[str] = []

    def once(said: dict[str, Any]) -> str:
        kept.append(key.use(said))
        return kept[0]

    assert sign_in(site, once, client).status_code == 303
    assert sign_in(site, lambda said: kept[0]).status_code == 401
    key.counts, key.count = False, 0
    with site.db() as db:
        assert len(db.exec(select(UsedChallenge)).all()) == 2


def test_an_answer_for_one_purpose_or_session_opens_no_other(site: World) -> None:
    key = holder(site)
    mine = browser(site, "luo").get("/passkeys/proof").json()
    assert sign_in(site, lambda said: key.use(mine)).status_code == 401
    client = browser(site, "luo")
    sent = {**site.token(client, "/factors"), "next": "", "name": "x"}
    other = browser(site, "luo").get("/passkeys/new").json()
    refused = client.post("/passkeys", data={**sent, "passkey": device().make(other)}, follow_redirects=False)
    assert refused.status_code == 409


def test_6_a_challenge_lasts_five_minutes(site: World, monkeypatch: pytest.MonkeyPatch) -> None:
    key, client = holder(site), browser(site)
    said = client.get("/sign-in/passkey").json()
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: clock.now().timestamp() + passkeys.SECONDS + 1)
    assert sign_in(site, lambda _: key.use(said)).status_code == 401


def test_6_a_count_that_goes_back_is_refused_and_told_to_the_log(
    site: World, capsys: pytest.CaptureFixture[str]
) -> None:
    key = holder(site)
    copy = replace(key)
    assert [sign_in(site, key.use).status_code for _ in range(2)] == [303, 303]
    assert sign_in(site, copy.use).status_code == 401
    assert "passkey_count_went_back" in capsys.readouterr().out
    assert sign_in(site, key.use).status_code == 303


def test_one_that_does_not_count_is_used_again_and_again(site: World) -> None:
    key = device(counts=False)
    assert add(site, browser(site, "luo"), key).status_code == 200
    assert [sign_in(site, key.use).status_code for _ in range(2)] == [303, 303]


def test_9_a_check_that_fails_leaves_nothing_under_way(site: World, monkeypatch: pytest.MonkeyPatch) -> None:
    key = holder(site)
    with monkeypatch.context() as failing:
        failing.setattr("panel.accounts.views.passkeys._known", lambda db, name: 1 / 0)
        assert {sign_in(site, key.use).status_code for _ in range(21)} == {500}
    assert sign_in(site, key.use).status_code == 303


def test_14_whoever_has_a_session_alone_gets_no_authenticator_and_no_codes(
    site: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, key = browser(site, "luo"), device()
    assert add(site, client, key).status_code == 200
    enrolled = browser(site, "qin")
    enrol(site, "qin", enrolled)
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(minutes=6))
    for browser_, path in ((client, "/factors"), (client, "/factors/recovery-codes"), (enrolled, "/factors/removal")):
        sent = site.token(browser_, "/factors")
        answer = browser_.post(path, data=sent, follow_redirects=False)
        assert (answer.status_code, 'data-form="proof"' in answer.text) == (403, True)


def test_whoever_lost_the_phone_removes_its_authenticator_by_a_passkey(
    site: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, key = browser(site, "chair"), device()
    enrol(site, "chair", client)
    assert add(site, client, key).status_code == 303
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(minutes=6))
    proof = key.use(client.get("/passkeys/proof").json())
    sent = {**site.token(client, "/factors"), "proof": proof}
    assert client.post("/factors/removal", data=sent, follow_redirects=False).status_code == 303
    with site.db() as db:
        assert (len(db.exec(select(SecondFactor)).all()), len(db.exec(select(RecoveryCode)).all())) == (0, 10)


def test_a_wrong_code_does_not_keep_the_passkey_out(site: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client, key = browser(site, "luo"), device()
    assert add(site, client, key).status_code == 200
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(minutes=6))
    statuses = list[int]()
    while 429 not in statuses and len(statuses) < 15:
        sent = {**site.token(client, "/factors"), "proof": "000000"}
        statuses.append(client.post("/factors/recovery-codes", data=sent).status_code)
    assert statuses[-1] == 429
    proof = key.use(client.get("/passkeys/proof").json())
    answer = client.post("/factors/recovery-codes", data={**site.token(client, "/factors"), "proof": proof})
    assert answer.status_code == 200


def test_a_large_count_is_kept_and_one_of_an_account_closed_meanwhile_begins_no_session(
    site: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = holder(site)
    key.count = 2**32 - 3
    assert sign_in(site, key.use).status_code == 303
    used = passkey_views._use

    async def closed_meanwhile(*told: Any) -> None:
        await used(*told)
        site.act(actions.disable, "system", person_id=site.people["luo"])

    monkeypatch.setattr(passkey_views, "_use", closed_meanwhile)
    before = sessions(site)
    assert sign_in(site, key.use).status_code == 409
    assert sessions(site) <= before


def test_a_closed_account_stays_closed(site: World) -> None:
    key = holder(site)
    site.act(actions.disable, "system", person_id=site.people["luo"])
    assert sign_in(site, key.use).status_code == 401


def test_9_guesses_at_an_account_do_not_keep_its_passkey_out(site: World) -> None:
    key = holder(site)
    statuses = list[int]()
    while 429 not in statuses and len(statuses) < 15:
        client = browser(site)
        sent = {"csrf": site.token(client, "/sign-in")["csrf"], "login": "luo", "password": "falsch", "next": ""}
        statuses.append(client.post("/sign-in", data=sent).status_code)
    assert statuses[-1] == 429, "the pauses grow: on a slow machine the first ones pass by themselves"
    assert sign_in(site, key.use).status_code == 303


def test_with_a_passkey_alone_the_password_leads_to_the_second_step_only(site: World) -> None:
    key, client, before = holder(site), browser(site), sessions(site)
    sent = {"csrf": site.token(client, "/sign-in")["csrf"], "login": "luo", "password": PASSWORD, "next": ""}
    page = client.post("/sign-in", data=sent, follow_redirects=False)
    assert (page.status_code, 'data-form="second-step"' in page.text) == (200, True)
    assert 'action="/sign-in/passkey"' in page.text
    assert sessions(site) == before
    assert sign_in(site, key.use, client).status_code == 303


def test_5_who_must_have_a_second_factor_has_one_with_a_passkey_and_keeps_the_last(site: World) -> None:
    assert browser(site, "chair").get("/cases", follow_redirects=False).status_code == 303
    client, key = browser(site, "chair"), device()
    assert add(site, client, key).status_code == 200
    assert client.get("/cases", follow_redirects=False).status_code == 200
    assert 'data-form="remove-passkey"' not in client.get("/factors").text
    with site.db() as db:
        (kept,) = db.exec(select(Passkey)).all()
    with pytest.raises(Refused):
        site.act(actions.remove_passkey, "chair", passkey_id=kept.id, required=True)
    assert add(site, client, device(), "另一台").status_code == 303
    gone = client.post(f"/passkeys/{kept.id}/removal", data=site.token(client, "/factors"), follow_redirects=False)
    assert gone.status_code == 303
    assert sign_in(site, key.use).status_code == 401
    with site.db() as db:
        assert len(db.exec(select(RecoveryCode)).all()) == 10, "a factor is left, and so are its codes"


def test_nobody_removes_another_ones(site: World) -> None:
    holder(site)
    with site.db() as db:
        (kept,) = db.exec(select(Passkey)).all()
    client = browser(site, "qin")
    answer = client.post(f"/passkeys/{kept.id}/removal", data=site.token(client, "/factors"))
    assert answer.status_code == 404


def test_what_is_lost_an_administrator_takes_away_all_of_it(site: World) -> None:
    client = browser(site, "luo")
    enrol(site, "luo", client)
    key = device()
    assert add(site, client, key).status_code == 303, "the codes were shown with the authenticator"
    assert sessions(site) == 1
    site.act(actions.take_factors_away, "system", person_id=site.people["luo"])
    assert sessions(site) == 0
    assert sign_in(site, key.use).status_code == 401
    with site.db() as db:
        left = [len(db.exec(select(row)).all()) for row in (Passkey, RecoveryCode)]
    assert left == [0, 0]


def test_14_a_passkey_confirms_a_grave_act_and_what_was_typed_goes_on(
    site: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, key = browser(site, "luo"), device()
    assert add(site, client, key).status_code == 200
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(minutes=6))
    second = device()
    sent = {**site.token(client, "/factors"), "next": "", "name": "第二把"}
    sent["passkey"] = second.make(client.get("/passkeys/new").json())
    asked = client.post("/passkeys", data=sent, follow_redirects=False)
    assert (asked.status_code, 'data-form="proof-by-passkey"' in asked.text) == (403, True)
    assert "第二把" in asked.text
    proof = forged(key, origin="https://evil.example")(client.get("/passkeys/proof").json())
    wrong = client.post("/passkeys", data={**sent, "proof": proof}, follow_redirects=False)
    assert (wrong.status_code, "通行密钥验证未通过" in wrong.text) == (403, True)
    right = {**sent, "proof": key.use(client.get("/passkeys/proof").json())}
    assert client.post("/passkeys", data=right, follow_redirects=False).status_code == 303
    with site.db() as db:
        assert {one.name for one in db.exec(select(Passkey)).all()} == {"手机", "第二把"}


def test_a_passkey_is_not_kept_twice_and_not_without_a_name(site: World) -> None:
    client, key = browser(site, "luo"), device()
    assert add(site, client, key).status_code == 200
    assert add(site, client, key).status_code == 409
    assert add(site, client, device(), "").status_code in {409, 422}
    assert add(site, browser(site, "qin"), key).status_code == 409


@pytest.mark.parametrize(
    ("origins", "host"),
    [
        (("https://a.example", "https://b.example"), "a.example"),
        (("http://127.0.0.1:8000", "http://localhost:8000"), "localhost"),
        (("https://10.0.0.1", "https://[::1]"), None),
        (("http://heyi.example.cn",), None),
    ],
)
def test_the_host_comes_from_the_settings(origins: tuple[str, ...], host: str | None) -> None:
    party = passkeys.relying_party(origins)
    assert (party.id if party else None) == host


def test_where_there_can_be_none_the_page_says_so(world: World) -> None:
    client = world.client("luo")
    assert "data-passkey" not in client.get("/factors").text
    assert "带域名并启用 TLS" in client.get("/factors").text
    assert client.get("/passkeys/new").status_code == client.get("/sign-in/passkey").status_code == 404
    assert "data-passkey" not in world.client().get("/sign-in").text


def test_a_count_never_stands_still_once_it_is_counted() -> None:
    assert rules.why_not_count(0, 0) is None
    assert rules.why_not_count(0, 1) is None
    assert [rules.why_not_count(3, now) is None for now in (0, 2, 3, 4)] == [False, False, False, True]
