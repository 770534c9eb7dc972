"""Before a grave act somebody proves anew who they are: in the very form, so that nothing typed is lost."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path

import httpx2
import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from panel.accounts import passwords
from panel.accounts.models import Appointment, Person, SignInSession
from panel.core import clock
from panel.core.security import Office
from panel.votes.models import Motion, MotionState
from panel.work import Work
from tests.accounts.test_factors import PASSWORD, code_of, enrol
from tests.factories import World, make_world
from tests.votes.chamber import disposition, facts, sit


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The time, which a test may move on."""
    moment = [clock.now()]
    monkeypatch.setattr(clock, "now", lambda: moment[0])
    return moment


@pytest.fixture
def strict(tmp_path: Path, template: Path) -> Iterator[World]:
    """An installation that asks for a proof of five minutes; its people are real, none with a second factor yet."""
    world = make_world(tmp_path / "strict", template, proof_minutes=5)

    def real(work: Work) -> None:
        for person in work.db.exec(select(Person)).all():
            person.fictional, person.password_hash = False, passwords.hashed(PASSWORD)

    world.work(real)
    yield world
    world.close()


def give(world: World, client: TestClient, **more: str) -> httpx2.Response:
    """Give somebody an office by the form, as the security administrator does."""
    sent = {
        **world.token(client, "/administration/offices"),
        "person": world.people["luo"],
        "office": Office.SECRETARY.value,
    }
    return client.post("/administration/offices", data={**sent, **more}, follow_redirects=False)


def fields(page: httpx2.Response) -> dict[str, str]:
    """Return the hidden fields of the page that asks for the proof."""
    form = re.findall(r'data-form="proof">(.*?)</form>', page.text, re.DOTALL)[0]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form)
    return {name: unescape(value) for name, value in found}


def given(world: World) -> int:
    """Return how many offices the person of the tests holds."""
    with world.db() as db:
        return len(db.exec(select(Appointment).where(Appointment.person_id == world.people["luo"])).all())


def test_14_a_fresh_sign_in_is_proof_enough_and_an_old_one_is_asked_on_a_page(
    strict: World, now: list[datetime]
) -> None:
    client = strict.client("security")
    now[0] += timedelta(minutes=4, seconds=59)
    assert (give(strict, client).status_code, given(strict)) == (303, 1)
    now[0] += timedelta(seconds=1)
    page = give(strict, client)
    assert (page.status_code, given(strict)) == (403, 1)
    assert '<h1 class="title">请确认是您本人</h1>' in page.text
    assert 'type="password" value="" autocomplete="current-password"' in page.text


def test_14_what_was_typed_goes_on_with_the_proof_and_holds_for_a_while(strict: World, now: list[datetime]) -> None:
    client = strict.client("security")
    now[0] += timedelta(minutes=10)
    kept = fields(give(strict, client))
    assert {name: kept[name] for name in ("person", "office")} == {
        "person": strict.people["luo"], "office": Office.SECRETARY.value,
    }  # fmt: skip
    sent = {**kept, "proof": PASSWORD}
    assert client.post("/administration/offices", data=sent, follow_redirects=False).status_code == 303
    assert given(strict) == 1
    with strict.db() as db:
        assert db.exec(select(SignInSession.proved_at)).all() == [now[0]]
    now[0] += timedelta(minutes=4)
    assert give(strict, client).status_code == 409


def test_14_a_wrong_proof_does_nothing_keeps_the_form_and_is_braked(strict: World, now: list[datetime]) -> None:
    client = strict.client("security")
    now[0] += timedelta(minutes=10)
    kept = fields(give(strict, client))
    seen = []
    for _ in range(7):
        answer = client.post("/administration/offices", data={**kept, "proof": "不是这个密码呀呀呀呀呀呀"})
        seen.append(answer.status_code)
        if answer.status_code == 403:
            assert fields(answer) == kept
            assert "不是这个密码" not in answer.text
    assert (seen[:5], seen[-1], given(strict)) == ([403] * 5, 429, 0)


def test_14_with_a_second_factor_a_code_is_asked_for_once_each(strict: World, now: list[datetime]) -> None:
    client = strict.client("security")
    secret, codes = enrol(strict, "security", client)
    now[0] += timedelta(minutes=10)
    page = give(strict, client)
    assert ('autocomplete="one-time-code"' in page.text, 'type="password"' in page.text) == (True, False)
    assert give(strict, client, proof=PASSWORD).status_code == 403
    code = code_of(secret)
    assert (give(strict, client, proof=code).status_code, given(strict)) == (303, 1)
    now[0] += timedelta(minutes=5)
    assert give(strict, client, proof=code).status_code in (403, 429)
    now[0] += timedelta(minutes=5)
    assert give(strict, client, proof=codes[0]).status_code == 409


@pytest.mark.parametrize("secret", [True, False])
def test_14_opening_and_closing_a_secret_motion_asks_an_open_one_does_not(
    strict: World, now: list[datetime], secret: bool
) -> None:
    sit(strict)
    motion = disposition(strict) if secret else facts(strict)[0]
    client = strict.client("chair")
    csrf = strict.token(client, f"/hearings/{strict.hearing_id}")["csrf"]
    for way, states in (("opening", {MotionState.OPEN}), ("closure", {MotionState.CLOSED, MotionState.LAPSED})):
        now[0] += timedelta(minutes=6)
        asked = client.post(f"/motions/{motion.id}/{way}", data={"csrf": csrf}, follow_redirects=False)
        assert asked.status_code == (403 if secret else 303)
        if secret:
            sent = {"csrf": csrf, "proof": PASSWORD}
            done = client.post(f"/motions/{motion.id}/{way}", data=sent, follow_redirects=False)
            assert done.status_code == 303
        with strict.db() as db:
            assert db.get_one(Motion, motion.id).state in states


def test_14_a_page_that_sends_by_itself_is_told_to_send_the_form_as_a_page(strict: World, now: list[datetime]) -> None:
    sit(strict)
    motion = disposition(strict)
    client = strict.client("chair")
    csrf = strict.token(client, f"/hearings/{strict.hearing_id}")["csrf"]
    now[0] += timedelta(minutes=6)
    asked = client.post(f"/motions/{motion.id}/opening", data={"csrf": csrf}, headers={"hx-request": "true"})
    assert (asked.status_code, asked.headers["panel-proof"]) == (403, "asked")
    assert "请确认是您本人。尚未执行任何操作。" in asked.text


def test_14_nobody_is_asked_where_the_setting_is_off_nor_the_characters_of_a_rehearsal(
    world: World, strict: World, now: list[datetime]
) -> None:
    def fictional(work: Work) -> None:
        work.db.get_one(Person, strict.people["security"]).fictional = True

    strict.work(fictional)
    for place in (world, strict):
        client = place.client("security")
        now[0] += timedelta(hours=0, minutes=20)
        assert (give(place, client).status_code, given(place)) == (303, 1)


def test_14_a_proof_alone_is_no_sign_in(strict: World, now: list[datetime]) -> None:
    client = strict.client("security")
    kept = strict.token(client, "/administration/offices")
    now[0] += timedelta(minutes=31)
    sent = {**kept, "person": strict.people["luo"], "office": "secretary", "proof": PASSWORD}
    assert client.post("/administration/offices", data=sent).status_code == 401
    assert given(strict) == 0
