"""The demo's doors: in demo mode only, nearby only, and nothing happens by reading the start page."""

import json
import re

import httpx2
import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from panel.accounts import queries
from panel.accounts.models import SignInSession
from panel.accounts.queries import Demo, DemoPlace
from panel.accounts.views.demo import entry_path, entry_token
from panel.accounts.views.desk import desk
from panel.core.errors import Reason
from tests.factories import ORIGIN, World

COMMITTEE, OTHERS = Reason("Committee"), Reason("Others")
PLACES = (
    DemoPlace("chair", "欧阳岚", Reason("Chair"), COMMITTEE),
    DemoPlace("luo", "罗正", Reason("Member, seat %(n)s", n=2), COMMITTEE),
    DemoPlace("observer", "游览", Reason("Observer"), OTHERS),
)
LOOPBACK, LAN, ABROAD = "127.0.0.1", "192.168.1.20", "8.8.8.8"


@pytest.fixture
def demo(world: World) -> World:
    """The world, turned into a demo."""
    desk(world.site).demo = Demo(PLACES, "演示密码演示密码演示密码")
    world.site.settings.demo = True
    return world


def client(world: World, address: str = LOOPBACK) -> TestClient:
    headers = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
    return TestClient(world.app, base_url=ORIGIN, headers=headers, client=(address, 40000))


def token(world: World, visitor: TestClient) -> dict[str, str]:
    return {"csrf": world.token(visitor, "/sign-in")["csrf"]}


def sessions(world: World) -> list[tuple[str, bool]]:
    with world.db() as db:
        rows = db.exec(select(SignInSession)).all()
    return sorted((row.person_id, row.simulated) for row in rows)


def enter(world: World, visitor: TestClient, login: str, **more: str) -> httpx2.Response:
    sent = {**token(world, visitor), "token": entry_token(world.site, login), **more}
    return visitor.post("/demo/entries", data=sent, follow_redirects=False)


def test_the_start_page_offers_every_place_and_the_passwords(demo: World) -> None:
    page = client(demo).get("/demo")
    links = re.findall(r'href="/demo/enter/([^"]+)"', page.text)
    logins = [demo.site.tokens("demo").loads(link) for link in links]
    assert (page.status_code, logins) == (200, ["chair", "luo", "observer"])
    assert [text in page.text for text in ("欧阳岚", "虚构", "演示密码演示密码演示密码", 'href="/public"')] == [
        True
    ] * 4


def test_18_reading_the_start_page_takes_no_place(demo: World) -> None:
    visitor = client(demo)
    for path in ("/demo", "/demo/seats.json", "/sign-in"):
        assert visitor.get(path).status_code == 200
    assert (sessions(demo), dict(visitor.cookies)) == ([], {})


def test_one_click_takes_a_place(demo: World) -> None:
    visitor = client(demo)
    answer = visitor.get(entry_path(demo.site, "luo"), headers={"sec-fetch-site": "none"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert sessions(demo) == [(demo.people["luo"], False)]
    assert "罗正" in visitor.get("/devices").text


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "same-origin", "sec-purpose": "prefetch"},
        {"sec-fetch-site": "same-origin", "sec-purpose": "prefetch;prerender"},
        {"sec-fetch-site": "none", "purpose": "prefetch"},
    ],
)
def test_18_a_link_is_followed_by_a_person_not_by_a_page_or_a_prefetch(demo: World, headers: dict[str, str]) -> None:
    answer = client(demo).get(entry_path(demo.site, "luo"), headers=headers)
    assert (answer.status_code, sessions(demo)) == (404, [])


@pytest.mark.parametrize("path", ["/demo", "/demo/seats.json", "link"])
@pytest.mark.parametrize(
    ("is_demo", "lan", "address", "status"),
    [
        (True, False, LOOPBACK, 200),
        (True, False, "::1", 200),
        (True, False, LAN, 404),
        (True, True, LAN, 200),
        (True, True, "fe80::1%eth0", 200),
        (True, True, ABROAD, 404),
        (False, False, LOOPBACK, 404),
        (False, True, LAN, 404),
    ],
)
def test_the_doors_exist_in_demo_mode_only_and_nearby_only(
    demo: World, path: str, is_demo: bool, lan: bool, address: str, status: int
) -> None:
    demo.site.settings.demo, demo.site.settings.lan = is_demo, lan
    path = entry_path(demo.site, "luo") if path == "link" else path
    answer = client(demo, address).get(path, headers={"x-forwarded-for": LOOPBACK}, follow_redirects=False)
    assert answer.status_code == (303 if status == 200 and path not in {"/demo", "/demo/seats.json"} else status)


def test_44_a_forwarded_address_does_not_open_the_doors(demo: World) -> None:
    visitor = client(demo, ABROAD)
    headers = {"x-forwarded-for": LOOPBACK, "forwarded": f"for={LOOPBACK}", "x-real-ip": LOOPBACK}
    assert visitor.get("/demo", headers=headers).status_code == 404
    assert enter(demo, visitor, "luo").status_code == 404
    assert "演示密码演示密码演示密码" not in visitor.get("/sign-in").text


@pytest.mark.parametrize("salt", ["csrf", "device", "entry"])
def test_42_a_token_of_another_purpose_opens_nothing(demo: World, salt: str) -> None:
    forged = demo.site.tokens(salt).dumps("luo")
    assert client(demo).get(f"/demo/enter/{forged}").status_code == 410
    assert client(demo).get("/demo/enter/luo").status_code == 410
    assert sessions(demo) == []


def test_42_a_token_for_nobody_opens_nothing(demo: World) -> None:
    assert client(demo).get(entry_path(demo.site, "stranger")).status_code == 404


def test_17_the_form_needs_the_pages_token(demo: World) -> None:
    sent = {"token": entry_token(demo.site, "luo")}
    assert client(demo).post("/demo/entries", data=sent).status_code == 410
    assert sessions(demo) == []


def taken(world: World) -> dict[str, bool]:
    seats = json.loads(client(world).get("/demo/seats.json").text)
    return {login: seat["taken"] for login, seat in seats.items()}


def test_a_simulated_member_steps_back_when_a_person_sits_down_and_returns_when_asked(demo: World) -> None:
    simulated, person = client(demo), client(demo)
    assert enter(demo, simulated, "luo", simulation="1").status_code == 303
    assert (taken(demo)["luo"], sessions(demo)) == (False, [(demo.people["luo"], True)])

    person.get(entry_path(demo.site, "luo"), follow_redirects=False)
    assert (taken(demo)["luo"], sessions(demo)) == (True, [(demo.people["luo"], False)])
    assert simulated.get("/devices").status_code == 401
    assert enter(demo, simulated, "luo", simulation="1").status_code == 409

    form = {**demo.token(person, "/demo"), **token(demo, person)}
    answer = person.post("/demo/seats/luo/simulation", data=form, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/demo")
    assert (taken(demo)["luo"], sessions(demo)) == (False, [])
    assert enter(demo, simulated, "luo", simulation="1").status_code == 303


def test_a_place_outside_the_demo_cannot_be_given_back(demo: World) -> None:
    visitor = client(demo)
    demo.sign_in("stranger")
    answer = visitor.post("/demo/seats/stranger/simulation", data=token(demo, visitor))
    assert (answer.status_code, sessions(demo)) == (404, [(demo.people["stranger"], False)])


def test_with_lan_every_place_has_a_code_for_phones(demo: World) -> None:
    assert 'class="segno"' not in client(demo).get("/demo").text
    demo.site.settings.lan = True
    demo.site.settings.origins = (ORIGIN, "http://127.0.0.1:8000")
    page = client(demo).get("/demo").text
    assert (page.count('class="segno"'), "style=" in page) == (len(PLACES), False)


def test_the_ordinary_page_lists_the_demos_accounts_too(demo: World) -> None:
    page = client(demo).get("/sign-in").text
    assert [text in page for text in ("演示密码演示密码演示密码", "luo", "罗正")] == [True] * 3
    desk(demo.site).demo = None
    assert "演示密码演示密码演示密码" not in client(demo).get("/sign-in").text


def test_a_demo_session_is_a_session_like_any_other(demo: World) -> None:
    visitor = client(demo)
    visitor.get(entry_path(demo.site, "luo"))
    cookie = visitor.cookies["pv_session"]
    with demo.db() as db:
        assert db.get_one(SignInSession, queries.digest(cookie)).simulated is False


def test_the_start_page_tells_the_last_lines_of_the_story(demo: World) -> None:
    offered = desk(demo.site).demo
    assert offered is not None
    assert "模拟进程" not in client(demo).get("/demo").text
    offered.story.extend(f"第{number}件事 <b>" for number in range(1, 9))
    page = client(demo).get("/demo").text
    assert re.findall(r"第(\d)件事 &lt;b&gt;", page) == list("345678")


def test_a_place_leads_to_where_it_sits(demo: World) -> None:
    hearing = f"/hearings/{demo.hearing_id}"
    places = (DemoPlace("luo", "罗正", Reason("Member, seat %(n)s", n=2), COMMITTEE, hearing), *PLACES[2:])
    desk(demo.site).demo = Demo(places, "演示密码演示密码演示密码")
    found = {login: enter(demo, client(demo), login).headers["location"] for login in ("luo", "observer")}
    assert found == {"luo": hearing, "observer": "/"}
