"""The first run: one code, one administrator, once; what the installation calls itself stands on every page."""

import re

import httpx2
import pytest
from sqlmodel import col, delete, select
from starlette.testclient import TestClient

from panel.accounts import actions, queries
from panel.accounts.models import Appointment, Person
from panel.accounts.views.set_up import ALPHABET, LENGTH, new_code, path_with
from panel.core.errors import Gone
from panel.core.security import Office
from panel.record.models import RecordEntry
from panel.work import Work
from tests.factories import World

PASSWORD = "清晨的江面上有三只白鹭在飞翔"
LETTERHEAD = {
    "organisation": "某市容错减责评估委员会", "sponsor": "某市纪委监委", "contact": "办公室 0724-0000000",
    "icp": "鄂ICP备00000000号", "police_icp": "", "locale": "en",
}  # fmt: skip
PERSON = {"name": "管理员甲", "login": "guanli", "mail": "", "password": PASSWORD, "again": PASSWORD}


@pytest.fixture
def fresh(world: World) -> World:
    """An installation that nobody administers."""
    world.work(lambda work: work.db.execute(delete(Appointment)))
    return world


def code_of(world: World) -> str:
    return new_code(world.site.settings.set_up_code)


def send(world: World, client: TestClient, path: str, code: str, **fields: str) -> httpx2.Response:
    csrf = world.token(client, "/sign-in")["csrf"]
    return client.post(path, data={"csrf": csrf, "code": code, **fields}, follow_redirects=False)


def test_the_code_is_long_random_and_only_its_owner_reads_it(world: World) -> None:
    codes = {code_of(world) for _ in range(20)}
    file = world.site.settings.set_up_code
    assert len(codes) == 20
    assert {len(code) for code in codes} == {LENGTH}
    assert set("".join(codes)) <= set(ALPHABET)
    assert file.stat().st_mode & 0o777 == 0o600


def test_with_the_code_two_pages_make_an_administrator_who_is_signed_in(fresh: World) -> None:
    code, client = code_of(fresh), fresh.client()
    assert client.get(path_with(code)).status_code == 200
    answer = send(fresh, client, "/set-up", code, **LETTERHEAD)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/set-up/administrator?code={code}")
    answer = send(fresh, client, "/set-up/administrator", code, **PERSON)
    assert (answer.status_code, answer.headers["location"]) == (303, "/administration/roster/import?step=3")
    with fresh.db() as db:
        (administrator,) = queries.holders(db, Office.SYSTEM)
        events = [entry.kind for entry in db.exec(select(RecordEntry).order_by(col(RecordEntry.index))).all()][-3:]
    assert (administrator.name, administrator.login, administrator.fictional) == ("管理员甲", "guanli", False)
    assert events == ["accounts.installation_described", "accounts.person_added", "accounts.office_given"]
    page = client.get("/administration")
    assert page.status_code == 200
    assert all(text in page.text for text in LETTERHEAD.values() if text not in {"", "en"})
    assert not fresh.site.settings.set_up_code.exists()


def test_strangers_are_spoken_to_in_the_language_of_the_installation(fresh: World) -> None:
    send(fresh, fresh.client(), "/set-up", code_of(fresh), **LETTERHEAD)
    stranger = fresh.client()
    stranger.headers["accept-language"] = "fr"
    assert '<html lang="en"' in stranger.get("/sign-in").text
    stranger.headers["accept-language"] = "zh"
    assert '<html lang="zh-CN"' in stranger.get("/sign-in").text


def test_afterwards_the_code_is_void_and_the_pages_are_gone(fresh: World) -> None:
    code = code_of(fresh)
    assert send(fresh, fresh.client(), "/set-up/administrator", code, **PERSON).status_code == 303
    code, other = code_of(fresh), {**PERSON, "login": "second"}
    assert fresh.client().get(path_with(code)).status_code == 410
    assert send(fresh, fresh.client(), "/set-up/administrator", code, **other).status_code == 404
    assert send(fresh, fresh.client(), "/set-up", code, **LETTERHEAD).status_code == 404
    with pytest.raises(Gone):
        fresh.work(
            lambda work: actions.add_administrator(
                work, None, name="乙", login="second", mail="", password_hash="x", locale="zh_CN"
            )
        )


def test_a_wrong_code_opens_nothing_and_guessing_gets_slower(fresh: World) -> None:
    right = code_of(fresh)
    client = fresh.client()
    statuses = [client.get(path_with("2" * LENGTH)).status_code for _ in range(8)]
    assert statuses[:5] == [403] * 5
    assert statuses[-1] == 429
    assert send(fresh, client, "/set-up", right, **LETTERHEAD).status_code == 429
    with fresh.db() as db:
        assert queries.installation(db) is None


def test_without_a_code_on_the_disk_none_holds(fresh: World) -> None:
    fresh.site.settings.set_up_code.unlink(missing_ok=True)
    assert fresh.client().get("/set-up?code=").status_code == 403


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("password", "短", "密码至少 12 个字符。"),
        ("again", "另一句完全不同的话语在这里", "两次输入的密码不一致。"),
        ("name", "", "请填写此项。"),
        ("login", "有 空格", "登录名不能包含空格。"),
        ("login", "luo", "这个登录名已有人使用。"),
        ("mail", "nowhere", "邮箱地址不正确。"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(fresh: World, field: str, typed: str, said: str) -> None:
    code = code_of(fresh)
    answer = send(fresh, fresh.client(), "/set-up/administrator", code, **{**PERSON, field: typed})
    assert answer.status_code == 422
    assert said in answer.text
    assert all(
        f'value="{value}"' in answer.text for name, value in PERSON.items() if name in {"name", "login"} - {field}
    )
    assert PASSWORD not in answer.text
    with fresh.db() as db:
        assert queries.holders(db, Office.SYSTEM) == []
    assert fresh.site.settings.set_up_code.exists()


def test_the_letterhead_can_be_changed_and_the_change_is_recorded(world: World) -> None:
    client = world.client("system")
    fields = {**world.token(client, "/administration/letterhead"), **LETTERHEAD, "organisation": "另一个委员会"}
    assert client.post("/administration/letterhead", data=fields, follow_redirects=False).status_code == 303
    assert "另一个委员会" in world.client().get("/sign-in").text
    with world.db() as db:
        newest = db.exec(select(RecordEntry).order_by(col(RecordEntry.index).desc())).first()
    assert newest is not None
    assert newest.kind == "accounts.installation_described"


def test_two_administrators_at_once_are_one(fresh: World) -> None:
    def make(number: int) -> object:
        def act(work: Work) -> Person:
            return actions.add_administrator(
                work, None, name=f"甲{number}", login=f"a{number}", mail="", password_hash="x", locale=""
            )

        return fresh.site.writer.submit(act)

    outcomes = [make(number) for number in range(5)]
    failures = [outcome.exception(timeout=30) for outcome in outcomes]  # type: ignore[attr-defined]  # futures
    assert [type(failure) for failure in failures].count(type(None)) == 1
    with fresh.db() as db:
        assert len(queries.holders(db, Office.SYSTEM)) == 1
    assert re.fullmatch(r"a\d", _logins(fresh))


def _logins(world: World) -> str:
    with world.db() as db:
        return "".join(person.login for person in queries.holders(db, Office.SYSTEM))
