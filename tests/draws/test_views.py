"""The pages of a draw: each step offered to whom it belongs, names for those who are told names, nothing lost."""

import re

import httpx2
import pytest
from starlette.testclient import TestClient

from panel.draws import actions, queries
from panel.draws.draw import commitment
from panel.draws.models import Contributor, Draw, DrawState, OfferState
from tests.draws.casting import CONTRIBUTORS, WHY, drawn, fixed, prepared, secrets, sign
from tests.factories import World


def post(world: World, client: TestClient, page: str, path: str, **typed: str) -> httpx2.Response:
    return client.post(path, data={**world.token(client, page), **typed}, follow_redirects=False)


def of_draw(world: World) -> Draw:
    with world.db() as db:
        found = queries.current(db, world.case_id)
    assert found is not None
    return found


def test_a_panel_is_drawn_by_the_pages_alone(castless: World) -> None:
    world, page = castless, f"/cases/{castless.case_id}/panel"
    secretary = world.client("secretary")
    chairs = dict(re.findall(r'<option value="([0-9a-f]{32})">([^<]+)</option>', secretary.get(page).text))
    chosen = next(member for member, told in chairs.items() if told.startswith("欧阳岚"))
    typed = {"chair": chosen, "chair_reason": WHY, "scrutineer": world.people["observer"]}
    assert post(world, secretary, page, f"/cases/{world.case_id}/draws", **typed).headers["location"] == page
    draw_id = of_draw(world).id
    for contributor, who in CONTRIBUTORS.items():
        client, own = world.client(who), f"/draws/{draw_id}"
        assert f'href="{own}"' in client.get("/cases").text
        assert 'data-step="commit"' in client.get(own).text
        said = commitment(draw_id, contributor, secrets(draw_id)[contributor])
        assert post(world, client, own, f"{own}/commitment", commitment=said).status_code == 303
        assert f'href="{own}"' not in client.get("/cases").text
    assert "记录将在一分钟内签名" in secretary.get(page).text
    sign(world)
    assert post(world, secretary, page, f"/draws/{draw_id}/root").status_code == 303
    for contributor, who in CONTRIBUTORS.items():
        client, own = world.client(who), f"/draws/{draw_id}"
        assert 'data-step="reveal"' in client.get(own).text
        assert post(world, client, own, f"{own}/reveal", secret=secrets(draw_id)[contributor]).status_code == 303
    held = of_draw(world)
    assert held.state is DrawState.HELD
    assert held.seed in secretary.get(page).text
    with world.db() as db:
        offers = queries.offers(db, draw_id)
    logins = {person_id: login for login, person_id in world.people.items()}
    for offer in offers:
        client, own = world.client(logins[offer.person_id]), f"/offers/{offer.id}"
        assert f'href="{own}"' in client.get("/cases").text
        typed = {"answer": "accept", "undertakes": "yes", "reason": ""}
        assert post(world, client, own, f"{own}/answer", **typed).status_code == 303
        assert "您已接受" in client.get(own).text
    formed = post(world, secretary, page, f"/draws/{draw_id}/committee", name="容错减责评估委员会")
    assert formed.headers["location"] == f"/cases/{world.case_id}"
    assert "容错减责评估委员会" in secretary.get(f"/cases/{world.case_id}").text


def test_the_page_tells_names_to_those_who_are_told_them_only(castless: World) -> None:
    world = castless
    drawn(world)
    for who, named in (("secretary", True), ("official", True), ("observer", False)):
        text = world.client(who).get(f"/cases/{world.case_id}/panel").text
        assert ("孟工" in text, "抽中" in text) == (named, True)
    assert world.client("stranger").get(f"/cases/{world.case_id}/panel").status_code == 404


def test_what_belongs_to_a_contributor_or_to_whoever_was_drawn_is_nobody_elses(castless: World) -> None:
    world = castless
    draw_id = drawn(world)
    with world.db() as db:
        offer = queries.offers(db, draw_id)[0]
    for who in ("secretary", "official", "stranger"):
        client = world.client(who)
        assert client.get(f"/draws/{draw_id}").status_code == 404
        assert client.get(f"/offers/{offer.id}").status_code == 404
        answered = post(world, client, "/cases", f"/offers/{offer.id}/answer", answer="accept", undertakes="yes")
        assert answered.status_code == 404


def test_what_was_typed_is_not_lost_and_a_secret_is_not_shown_again(castless: World) -> None:
    world = castless
    draw_id = fixed(world)
    client = world.client("chair")
    answer = post(world, client, f"/draws/{draw_id}", f"/draws/{draw_id}/reveal", secret="ab" * 32)
    assert (answer.status_code, "ab" * 32 in answer.text) == (409, False)
    secretary = world.client("secretary")
    world.act(actions.void, "secretary", draw_id=draw_id, reason="监票人未公开。")
    typed = {"chair": "0" * 32, "chair_reason": WHY, "scrutineer": world.people["observer"]}
    answer = post(world, secretary, f"/cases/{world.case_id}/panel", f"/cases/{world.case_id}/draws", **typed)
    assert (answer.status_code, WHY in answer.text) == (404, True)


def test_before_and_after_a_void_draw_the_page_says_what_was(castless: World) -> None:
    world, page = castless, f"/cases/{castless.case_id}/panel"
    assert "尚未抽取委员" in world.client("official").get(page).text
    draw_id = prepared(world)
    assert "还没有" not in world.client("official").get(page).text
    post(world, world.client("secretary"), page, f"/draws/{draw_id}/voiding", reason="名单有误。")
    assert "第 1 次抽取已作废：名单有误。" in world.client("secretary").get(page).text
    observed = world.client("observer").get(page).text
    assert ("第 1 次抽取已作废：理由见案卷。" in observed, "名单有误" in observed) == (True, False)


def test_who_declines_gives_way_on_every_page(castless: World) -> None:
    world = castless
    draw_id = drawn(world)
    logins = {person_id: login for login, person_id in world.people.items()}
    with world.db() as db:
        offer = next(one for one in queries.offers(db, draw_id) if one.category.value == "expert")
    client, own = world.client(logins[offer.person_id]), f"/offers/{offer.id}"
    typed = {"answer": "decline", "undertakes": "", "reason": ""}
    assert post(world, client, own, f"{own}/answer", **typed).status_code == 409
    assert post(world, client, own, f"{own}/answer", **{**typed, "reason": "出差在外。"}).status_code == 303
    text = client.get(own).text
    assert ("您已谢绝" in text, "data-form" in text.split("<main")[1]) == (True, False)
    with world.db() as db:
        following = queries.offers(db, draw_id)[-1]
        assert (following.state, following.number) == (OfferState.OPEN, 9)
    assert "已谢绝" in world.client("secretary").get(f"/cases/{world.case_id}/panel").text


@pytest.mark.parametrize("contributor", list(Contributor))
def test_nothing_of_a_secret_is_on_any_page_before_the_draw_is_held(castless: World, contributor: Contributor) -> None:
    world = castless
    draw_id = fixed(world)
    mine = secrets(draw_id)[contributor]
    world.act(actions.reveal, CONTRIBUTORS[contributor], draw_id=draw_id, secret=mine)
    for who in ("secretary", "official", "observer", "chair"):
        client = world.client(who)
        for page in (f"/cases/{world.case_id}/panel", f"/draws/{draw_id}", "/record/receipts"):
            assert mine not in client.get(page).text
