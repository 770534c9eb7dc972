"""What changes about how somebody signs in, they are told of by mail: with the act, in their language, and once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import col, delete, select
from starlette.testclient import TestClient

from panel.accounts import actions, passwords
from panel.accounts.models import LinkPurpose, Person
from panel.core.errors import Refused
from panel.core.mail import OutgoingMail
from panel.work import Work
from tests.accounts.test_factors import PASSWORD, enrol
from tests.accounts.test_links import choose, link
from tests.factories import World, make_world

SUBJECT = {"password": "您的密码已更改", "device": "您的账户在一台新设备上登录"}


@pytest.fixture
def told(tmp_path: Path, template: Path) -> Iterator[World]:
    """An installation that sends mail, in which Luo and Qin have an address; Qin reads English."""
    world = make_world(tmp_path / "told", template, smtp_host="127.0.0.1", mail_from="heyi@example.cn")

    def reachable(work: Work) -> None:
        for who, locale in (("luo", "zh_CN"), ("qin", "en")):
            person = work.db.get_one(Person, world.people[who])
            person.mail, person.locale = f"{who}@example.cn", locale
            person.fictional, person.password_hash = False, passwords.hashed(PASSWORD)

    world.work(reachable)
    yield world
    world.close()


def mails(world: World) -> list[tuple[str, str]]:
    """Return whom mails were written to, with their subjects, and empty the outbox."""
    with world.db() as db:
        found = [(m.to, m.subject) for m in db.exec(select(OutgoingMail).order_by(col(OutgoingMail.created_at))).all()]
    world.work(lambda work: work.db.execute(delete(OutgoingMail)))
    return found


def signed_in(world: World, client: TestClient, who: str) -> int:
    sent = {"csrf": world.token(client, "/sign-in")["csrf"], "login": who, "password": PASSWORD}
    return client.post("/sign-in", data=sent, follow_redirects=False).status_code


def test_a_device_is_new_once(told: World) -> None:
    browser = told.client()
    assert signed_in(told, browser, "luo") == 303
    assert mails(told) == [("luo@example.cn", SUBJECT["device"])]
    assert signed_in(told, browser, "luo") == 303
    assert mails(told) == []
    assert signed_in(told, told.client(), "luo") == 303
    assert mails(told) == [("luo@example.cn", SUBJECT["device"])]


def test_a_changed_password_is_told_and_an_invitation_is_not(told: World) -> None:
    told.act(actions.change_password, "luo", password_hash="x", reference="r" * 43, device="Firefox", hours=1)
    assert mails(told) == [("luo@example.cn", SUBJECT["password"])]
    assert choose(told, link(told, "qin", LinkPurpose.RESET))[1].status_code == 303
    assert mails(told) == [("qin@example.cn", "Your password was changed")]
    assert choose(told, link(told, "qin", LinkPurpose.INVITATION))[1].status_code == 303
    assert mails(told) == []


def test_every_change_of_a_second_factor_is_told(told: World) -> None:
    _, codes = enrol(told, "luo")
    assert mails(told) == [("luo@example.cn", "您的账户新增了二次验证")]
    browser = told.client()
    assert signed_in(told, browser, "luo") == 200
    page = browser.post(
        "/sign-in",
        data={"csrf": told.token(browser, "/sign-in")["csrf"], "login": "luo", "password": PASSWORD},
    ).text
    token = page.split('name="token" value="')[1].split('"')[0]
    sent = {"csrf": told.token(browser, "/sign-in")["csrf"], "token": token, "code": codes[0], "next": ""}
    assert browser.post("/sign-in/second-step", data=sent, follow_redirects=False).status_code == 303
    assert mails(told) == [("luo@example.cn", "您的一个恢复码已被使用"), ("luo@example.cn", SUBJECT["device"])]
    told.act(actions.renew_codes, "luo", code_hashes=["x"])
    assert mails(told) == [("luo@example.cn", "您的恢复码已重新生成")]
    told.act(actions.remove_factor, "system", person_id=told.people["luo"], required=False)
    assert mails(told) == [("luo@example.cn", "您的账户移除了二次验证")]


def test_a_mail_says_when_and_on_what_and_whom_to_tell_and_holds_no_secret(told: World) -> None:
    told.act(
        actions.describe, "system", organisation="某市", sponsor="", icp="", police_icp="", contact="0724-1234567",
        locale="",
    )  # fmt: skip
    told.act(actions.change_password, "luo", password_hash="x", reference="r" * 43, device="Firefox", hours=1)
    with told.db() as db:
        (mail,) = db.exec(select(OutgoingMail)).all()
    lines = mail.text.splitlines()
    assert (lines[0], lines[2], lines[3].endswith(" · Firefox")) == ("罗正：", SUBJECT["password"], True)
    assert lines[-1].endswith("0724-1234567")
    assert "rrrr" not in mail.text
    assert "http" not in mail.text


def test_where_no_mail_is_sent_or_nobody_can_be_reached_nothing_is_written(world: World, told: World) -> None:
    change = {"password_hash": "x", "reference": "r" * 43, "device": "Firefox", "hours": 1}
    world.work(lambda work: setattr(work.db.get_one(Person, world.people["luo"]), "mail", "luo@example.cn"))
    world.act(actions.change_password, "luo", **change)
    told.act(actions.change_password, "jiang", **change)
    assert (mails(world), mails(told)) == ([], [])


def test_what_is_refused_is_not_told(told: World) -> None:
    with pytest.raises(Refused):
        told.act(actions.use_recovery_code, "luo", person_id=told.people["luo"], code_id="0" * 32)
    assert mails(told) == []
