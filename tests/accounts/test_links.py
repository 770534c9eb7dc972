"""Links: 32 random bytes, kept as a digest, for one purpose, once, and not for long (requirements 4 and 42)."""

import re
from datetime import timedelta

import httpx2
import pytest
from pydantic import SecretStr
from sqlmodel import select
from starlette.testclient import TestClient

from panel.accounts import actions, passwords, queries, rules
from panel.accounts.models import LinkPurpose, Person, SignInLink, SignInSession
from panel.accounts.views.links import address
from panel.core import clock
from panel.core.mail import OutgoingMail
from tests.factories import ORIGIN, SECRET, World

PASSWORD = "清晨的江面上有三只白鹭在飞翔"


def link(world: World, who: str, purpose: LinkPurpose = LinkPurpose.INVITATION, reference: str = "r" * 43) -> str:
    """Make a link and return its path."""
    world.work(
        lambda work: actions.make_link(work, None, person_id=world.people[who], reference=reference, purpose=purpose)
    )
    return address(world.site, purpose, reference).removeprefix(ORIGIN)


def choose(world: World, path: str, password: str = PASSWORD, again: str = "") -> tuple[TestClient, httpx2.Response]:
    client = world.client()
    csrf = world.token(client, "/sign-in")["csrf"]
    sent = {"csrf": csrf, "password": password, "again": again or password}
    return client, client.post(path, data=sent, follow_redirects=False)


def test_4_a_link_lets_its_person_choose_a_password_and_signs_them_in(world: World) -> None:
    path, other = link(world, "luo"), world.client("luo")
    assert "罗正" in world.client().get(path).text
    client, answer = choose(world, path)
    assert answer.status_code == 303
    assert client.get("/devices").status_code == 200
    assert other.get("/devices", follow_redirects=False).status_code == 401
    with world.db() as db:
        kept = db.get_one(Person, world.people["luo"]).password_hash
    assert passwords._holds(kept, PASSWORD)


@pytest.mark.parametrize(("former", "status"), [((SecretStr(SECRET),), 200), ((), 410)])
def test_41_after_a_change_of_the_secret_links_of_the_former_one_hold_while_it_is_named(
    world: World, former: tuple[SecretStr, ...], status: int
) -> None:
    path, client = link(world, "luo"), world.client("qin")
    changed = {"secret": SecretStr("another secret of the tests, longer than thirty-two characters")}
    world.site.settings = world.site.settings.model_copy(update=changed | {"former_secrets": former})
    world.site._signers.clear()
    assert world.client().get(path).status_code == status
    assert client.get("/devices").status_code == 200, "who is signed in stays signed in"
    assert world.client().get(link(world, "meng", reference="s" * 43)).status_code == 200


def test_4_a_link_holds_once(world: World) -> None:
    path = link(world, "luo")
    assert choose(world, path)[1].status_code == 303
    assert world.client().get(path).status_code == 410
    _, again = choose(world, path, "另一句完全不同的话语在这里")
    assert (again.status_code, "此链接已使用或已过期" in again.text) == (410, True)


@pytest.mark.parametrize("purpose", list(LinkPurpose))
def test_4_a_link_ends_with_its_time(world: World, purpose: LinkPurpose, monkeypatch: pytest.MonkeyPatch) -> None:
    path, now = link(world, "luo", purpose), clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + rules.LINKS_LAST[purpose] - timedelta(seconds=5))
    assert world.client().get(path).status_code == 200
    monkeypatch.setattr(clock, "now", lambda: now + rules.LINKS_LAST[purpose] + timedelta(seconds=5))
    assert (world.client().get(path).status_code, choose(world, path)[1].status_code) == (410, 410)
    world.work(lambda work: actions.sweep_links(work, None))
    with world.db() as db:
        assert db.exec(select(SignInLink)).all() == []


def test_42_a_link_for_one_purpose_is_none_for_another(world: World) -> None:
    path = link(world, "luo", LinkPurpose.RESET)
    assert world.client().get(path.replace("/reset/", "/invitation/")).status_code == 410
    for purpose in ("csrf", "device", "demo"):
        forged = world.site.tokens(purpose).dumps("r" * 43)
        assert world.client().get(f"/links/reset/{forged}").status_code == 410
    assert world.client().get("/links/other/x").status_code == 410


def test_4_the_database_holds_no_link_that_can_be_used(world: World) -> None:
    reference = "s" * 43
    link(world, "luo", reference=reference)
    content = b"".join((world.folder / name).read_bytes() for name in ("panel.sqlite", "panel.sqlite-wal"))
    assert reference.encode() not in content
    assert queries.digest(reference).encode() in content


def test_a_newer_link_makes_the_earlier_one_void(world: World) -> None:
    first, second = link(world, "luo", reference="a" * 43), link(world, "luo", reference="b" * 43)
    assert (world.client().get(first).status_code, world.client().get(second).status_code) == (410, 200)


def test_a_closed_account_gets_no_link_and_its_old_one_is_void(world: World) -> None:
    path = link(world, "luo")
    world.act(actions.disable, "system", person_id=world.people["luo"])
    assert (world.client().get(path).status_code, choose(world, path)[1].status_code) == (410, 410)


@pytest.mark.parametrize(("password", "again"), [("短", "短"), (PASSWORD, "另一句完全不同的话语在这里")])
def test_a_password_that_does_not_do_leaves_the_link_as_it_is(world: World, password: str, again: str) -> None:
    path = link(world, "luo")
    assert choose(world, path, password, again)[1].status_code == 422
    assert choose(world, path)[1].status_code == 303


def test_an_invitation_is_shown_to_the_administrator_once_and_leads_to_our_own_address(world: World) -> None:
    client = world.client("system")
    person = world.act(actions.invite_person, "system", name="新人", login="xinren")
    fields = world.token(client, f"/people/{person.id}")
    client.headers["x-forwarded-host"] = "evil.example"
    answer = client.post(f"/people/{person.id}/invitations", data=fields)
    (shown,) = re.findall(r"<bdi>(http[^<]+)</bdi>", answer.text)
    assert shown.startswith(f"{ORIGIN}/links/invitation/")
    assert shown not in client.get(f"/people/{person.id}").text
    assert choose(world, shown.removeprefix(ORIGIN))[1].status_code == 303


def test_nobody_signs_in_to_an_account_without_a_password(world: World) -> None:
    world.act(actions.invite_person, "system", name="新人", login="xinren")
    client = world.client()
    for password in (rules.NO_PASSWORD, "", "!!!!!!!!!!!!"):
        csrf = world.token(client, "/sign-in")["csrf"]
        answer = client.post("/sign-in", data={"csrf": csrf, "login": "xinren", "password": password})
        assert answer.status_code == 401
    with world.db() as db:
        assert db.exec(select(SignInSession)).all() == []


def test_who_asks_for_a_new_password_gets_the_same_answer_known_or_not(world: World) -> None:
    world.site.settings.smtp_host, world.site.settings.mail_from = "127.0.0.1", "heyi@example.cn"

    def mailed(work: object) -> None:
        work.db.get_one(Person, world.people["luo"]).mail = "luo@example.cn"  # type: ignore[attr-defined]  # a unit of work

    world.work(mailed)
    answers = []
    for login in ("luo", "qin", "nobody"):
        client = world.client()
        csrf = world.token(client, "/sign-in")["csrf"]
        answers.append(client.post("/forgotten", data={"csrf": csrf, "login": login}))
    bare = [re.sub(r'value="[^"]{40,}"|nonce="[^"]*"|[0-9a-f]{16}', "", answer.text) for answer in answers]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert bare[0] == bare[1] == bare[2]
    with world.db() as db:
        (mail,) = db.exec(select(OutgoingMail)).all()
    assert (mail.to, mail.subject) == ("luo@example.cn", "重设密码")
    (path,) = re.findall(rf"{ORIGIN}(/links/reset/\S+)", mail.text)
    assert choose(world, path)[1].status_code == 303
