"""A case's record handed out in the browser: by the secretary alone, proved for, and to nobody more than is theirs."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from panel.accounts import passwords
from panel.accounts.models import Person
from panel.core import clock
from panel.record import checkpoint
from panel.verify import check
from panel.work import Work
from tests.accounts.test_factors import PASSWORD
from tests.draws.casting import sign
from tests.factories import World, make_world
from tests.verify.stories import Teller, tell

NOTHING_YET = "本案尚无已签名的记录，一分钟内将完成签名。"


@pytest.fixture
def told(tmp_path: Path, template: Path) -> Iterator[World]:
    """A decided case of an installation that asks for a proof; its secretary is real."""
    world = make_world(tmp_path / "house", template, proof_minutes=5)

    def real(work: Work) -> None:
        secretary = work.db.get_one(Person, world.people["secretary"])
        secretary.fictional, secretary.password_hash = False, passwords.hashed(PASSWORD)

    world.work(real)
    tell(world, Teller(world.case_id).whole())
    checkpoint.make_key(world.site.settings.record_key, "heyi/test")
    yield world
    world.close()


def handed(world: World, client: TestClient, audience: str, **more: str) -> httpx2.Response:
    sent = {**world.token(client, f"/cases/{world.case_id}"), "audience": audience, **more}
    return client.post(f"/cases/{world.case_id}/record", data=sent, follow_redirects=False)


def test_before_anything_is_signed_it_says_so_and_offers_no_button(told: World) -> None:
    client = told.client("secretary")
    page = client.get(f"/cases/{told.case_id}").text
    assert (NOTHING_YET in page, 'data-form="hand-out"' in page) == (True, False)
    answer = handed(told, client, "public")
    assert (answer.status_code, NOTHING_YET in answer.text) == (409, True)


def test_each_audience_gets_a_bundle_that_holds_and_no_more_than_those_after_it(told: World) -> None:
    sign(told)
    client, seen = told.client("secretary"), list[int]()
    assert 'data-form="hand-out"' in client.get(f"/cases/{told.case_id}").text
    for audience in ("public", "party", "panel"):
        answer = handed(told, client, audience)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert answer.headers["content-disposition"].endswith(f'-{audience}.json"')
        key = str(checkpoint.read_key(told.site.settings.record_key).verifier)
        assert check.verify(answer.content, key).holds
        assert json.loads(answer.content)["audience"] == audience
        seen.append(len(answer.content))
    assert seen[0] < seen[1] <= seen[2]


def test_what_is_sealed_from_everybody_is_no_choice(told: World) -> None:
    sign(told)
    assert handed(told, told.client("secretary"), "full").status_code == 422


def test_14_an_old_sign_in_is_asked_first_and_the_choice_goes_on(told: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sign(told)
    client, real = told.client("secretary"), clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(minutes=6))
    page = handed(told, client, "party")
    assert (page.status_code, 'name="audience" value="party"' in page.text) == (403, True)
    assert handed(told, client, "party", proof="不是这个密码呀呀呀").status_code == 403
    answer = handed(told, client, "party", proof=PASSWORD)
    assert (answer.status_code, json.loads(answer.content)["audience"]) == (200, "party")


def test_38_it_is_in_the_security_log_and_nobody_else_gets_it(told: World, capsys: pytest.CaptureFixture[str]) -> None:
    sign(told)
    assert handed(told, told.client("secretary"), "panel").status_code == 200
    logged = [line for line in capsys.readouterr().out.splitlines() if "case_exported" in line]
    assert len(logged) == 1
    assert told.people["secretary"] in logged[0]
    for who in ("chair", "luo", "official", "authority", "handler"):
        client = told.client(who)
        page = client.get(f"/cases/{told.case_id}")
        assert (page.status_code, 'data-form="hand-out"' in page.text) == (200, False)
        assert handed(told, client, "public").status_code == 403
