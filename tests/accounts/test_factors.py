"""The second factor: codes of an authenticator once each, recovery codes once each, and no way past either."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx2
import pyotp
import pytest
from sqlmodel import col, select
from starlette.testclient import TestClient

from panel.accounts import actions, factors, passwords, queries
from panel.accounts.models import LinkPurpose, Person, RecoveryCode, SecondFactor
from panel.core import clock
from panel.core.errors import Busy, Reason
from panel.core.pages import Acting
from panel.record.models import RecordEntry
from panel.work import Work
from tests.accounts.test_links import choose, link
from tests.factories import World, make_world

PASSWORD = "清晨的江面上有三只白鹭在飞翔"


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The time, which a test may move on."""
    moment = [clock.now()]
    monkeypatch.setattr(clock, "now", lambda: moment[0])
    return moment


@pytest.fixture
def guarded(tmp_path: Path, template: Path) -> Iterator[World]:
    """An installation that asks officers, chairs and secretaries for a second factor; its people are real."""
    world = make_world(tmp_path / "guarded", template, second_factor="officers")

    def real(work: Work) -> None:
        for person in work.db.exec(select(Person)).all():
            person.fictional, person.password_hash = False, passwords.hashed(PASSWORD)

    world.work(real)
    yield world
    world.close()


def enrol(world: World, who: str, client: TestClient | None = None) -> tuple[str, list[str]]:
    """Set up an authenticator by the pages; returns its secret and the recovery codes."""
    client = client or world.client(who)
    assert client.post("/factors", data={**world.token(client, "/factors"), "next": ""}).status_code == 200
    page = client.get("/factors").text
    secret = re.sub(r"\s", "", re.findall(r"<code>([A-Z2-7 ]+)</code>", page)[0])
    sent = {**world.token(client, "/factors"), "code": code_of(secret), "next": ""}
    answer = client.post("/factors/confirmation", data=sent)
    assert answer.status_code == 200
    return secret, re.findall(r"<code>([a-z0-9]{5}-[a-z0-9]{5})</code>", answer.text)


def code_of(secret: str) -> str:
    return pyotp.TOTP(secret).at(int(clock.now().timestamp()))


def password(world: World, who: str) -> tuple[TestClient, httpx2.Response]:
    client = world.client()
    csrf = world.token(client, "/sign-in")["csrf"]
    sent = {"csrf": csrf, "login": who, "password": PASSWORD, "next": ""}
    return client, client.post("/sign-in", data=sent, follow_redirects=False)


def second(world: World, client: TestClient, page: httpx2.Response, code: str) -> httpx2.Response:
    token = re.findall(r'name="token" value="([^"]+)"', page.text)[0]
    csrf = world.token(client, "/sign-in")["csrf"]
    sent = {"csrf": csrf, "token": token, "code": code, "next": ""}
    return client.post("/sign-in/second-step", data=sent, follow_redirects=False)


def test_5_with_an_authenticator_the_password_alone_opens_nothing(guarded: World, now: list[datetime]) -> None:
    secret, codes = enrol(guarded, "luo")
    assert (len(codes), len(set(codes))) == (10, 10)
    client, page = password(guarded, "luo")
    assert (page.status_code, "第二步：验证身份" in page.text) == (200, True)
    assert "pv_session" not in client.cookies
    assert client.get("/devices", follow_redirects=False).status_code == 401
    now[0] += timedelta(seconds=60)
    assert second(guarded, client, page, code_of(secret)).status_code == 303
    assert client.get("/devices").status_code == 200


def test_5_a_code_is_taken_once(guarded: World, now: list[datetime]) -> None:
    secret, _ = enrol(guarded, "luo")
    now[0] += timedelta(seconds=60)
    code = code_of(secret)
    client, page = password(guarded, "luo")
    assert second(guarded, client, page, code).status_code == 303
    for _ in range(2):
        client, page = password(guarded, "luo")
        assert second(guarded, client, page, code).status_code == 401


def test_5_the_code_that_confirmed_it_signs_nobody_in(guarded: World, now: list[datetime]) -> None:
    secret, _ = enrol(guarded, "luo")
    client, page = password(guarded, "luo")
    assert second(guarded, client, page, code_of(secret)).status_code == 401


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_5_a_clock_may_differ_by_one_step(guarded: World, now: list[datetime], steps: int, taken: bool) -> None:
    secret, _ = enrol(guarded, "luo")
    now[0] += timedelta(minutes=10)
    code = pyotp.TOTP(secret).at(int(now[0].timestamp()) + steps * factors.STEP)
    client, page = password(guarded, "luo")
    assert (second(guarded, client, page, code).status_code == 303) is taken


def test_7_a_recovery_code_opens_once_and_is_recorded(guarded: World) -> None:
    _, codes = enrol(guarded, "luo")
    client, page = password(guarded, "luo")
    assert second(guarded, client, page, codes[3].upper().replace("-", " ")).status_code == 303
    client, page = password(guarded, "luo")
    assert second(guarded, client, page, codes[3]).status_code == 401
    with guarded.db() as db:
        newest = db.exec(select(RecordEntry).order_by(col(RecordEntry.index).desc())).first()
        left = db.exec(select(RecoveryCode)).all()
    assert newest is not None
    assert (newest.kind, len(left)) == ("accounts.recovery_code_used", 9)


def test_7_the_database_holds_neither_secret_nor_codes(guarded: World) -> None:
    secret, codes = enrol(guarded, "luo")
    content = b"".join(file.read_bytes() for file in guarded.folder.glob("panel.sqlite*"))
    assert [text for text in (secret, *codes) if text.encode() in content] == []
    with guarded.db() as db:
        kept = [code.code_hash for code in db.exec(select(RecoveryCode)).all()]
        sealed = db.exec(select(SecondFactor)).one().sealed
    assert {hash_[:30] for hash_ in kept} == {"$argon2id$v=19$m=19456,t=2,p=1"}
    assert factors.unseal(factors.sealing_key(guarded.site.settings.factors_key), sealed) == secret
    assert factors.unseal(b"x" * 32, sealed) is None
    assert guarded.site.settings.factors_key.stat().st_mode & 0o777 == 0o600


def test_9_guessing_codes_gets_slower(guarded: World) -> None:
    enrol(guarded, "luo")
    statuses = []
    for number in range(8):
        client, page = password(guarded, "luo")
        statuses.append(second(guarded, client, page, f"{number:06}").status_code)
    assert statuses[0] == 401
    assert statuses[-1] == 429


def test_42_the_token_of_the_second_step_is_no_session_and_ends(guarded: World, now: list[datetime]) -> None:
    secret, _ = enrol(guarded, "luo")
    client, page = password(guarded, "luo")
    token = re.findall(r'name="token" value="([^"]+)"', page.text)[0]
    client.cookies.set(guarded.site.settings.cookie, token)
    assert client.get("/devices", follow_redirects=False).status_code == 401
    client.cookies.clear()
    csrf = guarded.token(client, "/sign-in")["csrf"]
    forged = guarded.site.tokens("csrf").dumps(guarded.people["luo"])
    sent = {"csrf": csrf, "token": forged, "code": code_of(secret), "next": ""}
    assert client.post("/sign-in/second-step", data=sent).status_code == 410


@pytest.mark.parametrize("who", ["system", "clerk", "chair", "secretary"])
def test_5_who_must_have_one_gets_nowhere_before_it_is_set_up(guarded: World, who: str) -> None:
    client = guarded.client(who)
    path = f"/cases/{guarded.case_id}" if who in {"chair", "secretary"} else "/administration/roster"
    answer = client.get(path, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/factors?next={path.replace('/', '%2F')}")
    csrf = guarded.token(client, "/factors")["csrf"]
    assert client.post("/administration/offices", data={"csrf": csrf}).status_code == 403
    assert client.get(f"/hearings/{guarded.hearing_id}/changes?since=-1", follow_redirects=False).status_code == 303
    enrol(guarded, who, client)
    assert client.get(path).status_code == 200


def test_who_need_not_have_one_is_not_asked(guarded: World) -> None:
    client = guarded.client("luo")
    assert client.get(f"/cases/{guarded.case_id}").status_code == 200
    assert "您的职责要求" not in client.get("/factors").text


def test_an_authenticator_that_is_not_confirmed_is_none(guarded: World) -> None:
    client = guarded.client("luo")
    client.post("/factors", data={**guarded.token(client, "/factors"), "next": ""})
    sent = {**guarded.token(client, "/factors"), "code": "000000", "next": ""}
    assert client.post("/factors/confirmation", data=sent).status_code == 422
    assert password(guarded, "luo")[1].status_code == 303


def test_new_recovery_codes_make_the_old_ones_void(guarded: World, now: list[datetime]) -> None:
    client = guarded.client("luo")
    secret, old = enrol(guarded, "luo", client)
    now[0] += timedelta(minutes=6)
    sent = guarded.token(client, "/factors")
    assert client.post("/factors/recovery-codes", data=sent).status_code == 403
    answer = client.post("/factors/recovery-codes", data={**sent, "proof": code_of(secret)})
    new = re.findall(r"<code>([a-z0-9]{5}-[a-z0-9]{5})</code>", answer.text)
    assert (len(new), set(new) & set(old)) == (10, set())
    visitor, page = password(guarded, "luo")
    assert second(guarded, visitor, page, old[0]).status_code == 401
    assert second(guarded, visitor, page, new[0]).status_code == 303


def test_one_s_own_is_removed_by_a_proof_unless_duties_ask_for_it(guarded: World, now: list[datetime]) -> None:
    for who, status in (("luo", 303), ("chair", 409)):
        client = guarded.client(who)
        secret, _ = enrol(guarded, who, client)
        now[0] += timedelta(minutes=6)
        sent = guarded.token(client, "/factors")
        for proof in ("", "000000"):
            answer = client.post("/factors/removal", data={**sent, "proof": proof}, follow_redirects=False)
            assert (answer.status_code, 'data-form="proof"' in answer.text) == (403, True)
        answer = client.post("/factors/removal", data={**sent, "proof": code_of(secret)}, follow_redirects=False)
        assert answer.status_code == status


def test_14_what_opens_an_account_is_proved_for_even_where_the_setting_is_off(
    guarded: World, now: list[datetime]
) -> None:
    client = guarded.client("luo")
    assert client.post("/factors", data={**guarded.token(client, "/factors"), "next": ""}).status_code == 200
    secret = re.sub(r"\s", "", re.findall(r"<code>([A-Z2-7 ]+)</code>", client.get("/factors").text)[0])
    now[0] += timedelta(minutes=6)
    begun = {**guarded.token(client, "/factors"), "next": ""}
    sent = {**begun, "code": code_of(secret)}
    for path, fields in (("/factors", begun), ("/factors/confirmation", sent)):
        answer = client.post(path, data=fields, follow_redirects=False)
        assert (answer.status_code, 'data-form="proof"' in answer.text) == (403, True)
    assert client.post("/factors/confirmation", data={**sent, "proof": PASSWORD}).status_code == 200


def test_a_server_too_busy_to_write_is_not_a_wrong_code(guarded: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _, codes = enrol(guarded, "luo")
    client, page = password(guarded, "luo")

    async def full(*_: object, **__: object) -> None:
        raise Busy(Reason("Too many things are waiting."), seconds=1)

    with monkeypatch.context() as busy:
        busy.setattr(Acting, "write_unkeyed", full)
        assert second(guarded, client, page, codes[0]).status_code == 429
    assert second(guarded, client, page, codes[0]).status_code == 303


def test_an_administrator_takes_a_lost_one_away_and_its_person_is_signed_out(guarded: World) -> None:
    other, admin = guarded.client("luo"), guarded.client("system")
    enrol(guarded, "luo", other)
    enrol(guarded, "system", admin)
    fields = guarded.token(admin, f"/people/{guarded.people['luo']}")
    path = f"/people/{guarded.people['luo']}/factor/removal"
    assert admin.post(path, data=fields, follow_redirects=False).status_code == 303
    assert other.get("/devices", follow_redirects=False).status_code == 401
    assert password(guarded, "luo")[1].status_code == 303


def test_4_a_reset_link_does_not_lead_past_the_second_factor(guarded: World, now: list[datetime]) -> None:
    secret, _ = enrol(guarded, "luo")
    client, page = choose(guarded, link(guarded, "luo", LinkPurpose.RESET), PASSWORD)
    assert (page.status_code, "第二步：验证身份" in page.text) == (200, True)
    assert client.get("/devices", follow_redirects=False).status_code == 401
    now[0] += timedelta(seconds=60)
    assert second(guarded, client, page, code_of(secret)).status_code == 303


def test_10_confirming_ends_every_other_session(guarded: World) -> None:
    other, mine = guarded.client("luo"), guarded.client("luo")
    assert other.get("/devices").status_code == 200
    enrol(guarded, "luo", mine)
    assert other.get("/devices", follow_redirects=False).status_code == 401
    assert mine.get("/devices").status_code == 200


def test_two_uses_of_one_code_at_once_are_one(guarded: World, now: list[datetime]) -> None:
    enrol(guarded, "luo")
    with guarded.db() as db:
        factor = queries.factor_of(db, guarded.people["luo"])
    assert factor is not None
    step, submit = factor.last_step + 2, guarded.site.writer.submit
    person = guarded.people["luo"]
    uses = [submit(lambda work: actions.use_step(work, None, person_id=person, step=step)) for _ in range(20)]
    assert [use.exception(timeout=30) for use in uses].count(None) == 1
