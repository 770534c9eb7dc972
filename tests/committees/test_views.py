"""Seats by their forms: every role, every refusal, nothing that is not theirs."""

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from panel.committees import queries
from panel.core.security import Role
from panel.hearings.models import Phase
from tests.cases.dossier import send
from tests.committees.seats import GROUND, declare, due, present, recuse
from tests.corpus import HUGE, SCRIPTS, TURNING, unescaped
from tests.factories import World
from tests.votes.chamber import events, hidden, to_phase

CANARY = "回避理由的暗语"
READERS = (
    "chair", "luo", "qin", "secretary", "recorder", "handler", "official", "helper", "authority", "observer",
    "projector",
)  # fmt: skip


OUTSIDERS = ("stranger", "he")


def pages(world: World) -> list[str]:
    """Every page where a seat is spoken of."""
    hearing = f"/hearings/{world.hearing_id}"
    return [f"/cases/{world.case_id}", hearing, f"{hearing}/changes?since=0", "/cases", "/"]


def told(world: World, who: str, text: str) -> list[str]:
    """The pages on which somebody finds a text."""
    client = world.client(who)
    return [page for page in pages(world) if text in client.get(page).text]


def seat_path(world: World, who: str, act: str) -> str:
    return f"/seats/{world.seats[who]}/{act}"


def htmx(client: TestClient, world: World, path: str, **fields: str) -> Any:
    token = world.token(client, "/cases")
    return client.post(path, data={"csrf": token["csrf"], **fields}, headers={"hx-request": "true"})


# Declaring


def test_a_member_declares_by_the_form_on_the_case_s_file(world: World) -> None:
    client = world.client("luo")
    page = client.get(f"/cases/{world.case_id}")
    assert "请在评议会开始前完成利益申报。" in page.text
    fields = hidden(page.text, "declare")
    answer = client.post(
        seat_path(world, "luo", "declaration"), data={**fields, "conflict": "no", "ground": "", "statement": ""},
        follow_redirects=False,
    )  # fmt: skip
    assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{world.case_id}")
    assert [e["conflict"] for e in events(world, "committees.interests_declared")] == [False]
    assert "已申报" in client.get(f"/cases/{world.case_id}").text


def test_while_the_hearing_is_on_one_goes_back_to_it(world: World) -> None:
    to_phase(world, Phase.OPENING)
    answer = send(world.client("luo"), world, seat_path(world, "luo", "declaration"), conflict="no")
    assert answer.headers["location"] == f"/hearings/{world.hearing_id}"


def test_a_live_form_is_answered_with_the_time(world: World) -> None:
    answer = htmx(world.client("luo"), world, seat_path(world, "luo", "declaration"), conflict="no")
    assert answer.status_code == 200
    assert answer.headers["hx-trigger"] == "panel:changed"
    assert re.search(r"已收到.*\d\d:\d\d:\d\d", answer.text, re.DOTALL)


def test_a_refusal_to_a_live_form_is_a_sentence(world: World) -> None:
    answer = htmx(world.client("luo"), world, seat_path(world, "luo", "declaration"), conflict="yes", ground="interest")
    assert answer.status_code == 409
    assert "请简要写明有关情况。" in answer.text
    assert "<html" not in answer.text


@pytest.mark.parametrize(
    "fields",
    [{}, {"conflict": "maybe"}, {"conflict": "no", "statement": HUGE[:2001]}, {"conflict": "no", "seat": "x"},
     {"conflict": "no", "statement": TURNING[0]}],
)  # fmt: skip
def test_a_declaration_of_the_wrong_shape(world: World, fields: dict[str, str]) -> None:
    answer = send(world.client("luo"), world, seat_path(world, "luo", "declaration"), **fields)
    assert answer.status_code == 422
    assert events(world, "committees.interests_declared") == []


def test_too_large_a_form_is_refused(world: World) -> None:
    answer = send(world.client("luo"), world, seat_path(world, "luo", "declaration"), conflict="no", statement=HUGE)
    assert answer.status_code == 413
    assert events(world, "committees.interests_declared") == []


def test_a_hostile_statement_stays_text(world: World) -> None:
    hostile = "\n".join(SCRIPTS)
    send(
        world.client("shi"),
        world,
        seat_path(world, "shi", "declaration"),
        conflict="yes",
        ground="other",
        statement=hostile,
    )
    assert len(events(world, "committees.interests_declared")) == 1
    for who in ("chair", "shi"):
        client = world.client(who)
        assert all(unescaped(client.get(page).text) == [] for page in pages(world)[:2])


# Recusal


def test_who_stands_aside_has_only_their_list_left(world: World) -> None:
    client = world.client("luo")
    client.get(f"/cases/{world.case_id}")
    answer = send(client, world, seat_path(world, "luo", "recusal"), **GROUND)
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases")
    with world.db() as db:
        (recusal,) = queries.recusals(db, world.case_id)
    closed = f"回避事由：本人或者近亲属与本案有利害关系。存证编号：{recusal.entry}。"
    for page in (
        f"/cases/{world.case_id}",
        f"/hearings/{world.hearing_id}",
        f"/hearings/{world.hearing_id}/changes?since=0",
    ):
        refused = client.get(page)
        assert refused.status_code == 403
        assert closed in refused.text
        assert GROUND["statement"] not in refused.text
    assert closed in client.get("/cases").text


def test_the_closed_page_speaks_english(world: World) -> None:
    recuse(world, "chair", "luo")
    client = world.client("luo")
    client.cookies.set("pv_locale", "en")
    assert "Ground: An interest of one&#39;s own or of a near relative." in client.get(f"/cases/{world.case_id}").text


def test_the_chair_grants_a_request_by_its_form(world: World) -> None:
    declare(world, "shi", conflict=True, **GROUND)
    client = world.client("chair")
    page = client.get(f"/cases/{world.case_id}").text
    assert GROUND["statement"] in page
    answer = client.post(
        seat_path(world, "shi", "recusal"), data={**hidden(page, "grant-recusal"), **GROUND}, follow_redirects=False
    )
    assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{world.case_id}")
    assert "shi" not in due(world)
    assert world.client("shi").get(f"/cases/{world.case_id}").status_code == 403


def test_the_chair_refuses_a_request_by_its_form(world: World) -> None:
    declare(world, "shi", conflict=True, **GROUND)
    client = world.client("chair")
    fields = hidden(client.get(f"/hearings/{world.hearing_id}").text, "refuse-recusal")
    answer = client.post(seat_path(world, "shi", "recusal/refusal"), data={**fields, "reason": "不影响公正。"})
    assert answer.status_code == 200
    assert [e["reason"] for e in events(world, "committees.recusal_refused")] == ["不影响公正。"]
    assert "refuse-recusal" not in client.get(f"/hearings/{world.hearing_id}").text


def test_the_secretary_orders_the_chair_s_recusal(world: World) -> None:
    declare(world, "chair", conflict=True, **GROUND)
    assert "grant-recusal" not in world.client("chair").get(f"/cases/{world.case_id}").text
    client = world.client("secretary")
    assert GROUND["statement"] in client.get(f"/cases/{world.case_id}").text
    answer = send(client, world, seat_path(world, "chair", "recusal"), **GROUND, successor=world.seats["qian"])
    assert answer.status_code == 303
    assert world.actor("qian").role_in(world.case_id) is Role.CHAIR


@pytest.mark.parametrize(
    ("act", "fields", "allowed"),
    [
        ("declaration", {"conflict": "no"}, ["luo"]),
        ("recusal", GROUND, ["luo", "chair"]),
        ("recusal/refusal", {"reason": "理由"}, ["chair"]),
        ("succession", {}, []),
    ],
)
def test_who_may_post_what_about_a_member_s_seat(
    world: World, act: str, fields: dict[str, Any], allowed: list[str]
) -> None:
    if act == "recusal/refusal":
        declare(world, "luo", conflict=True, **GROUND)
    before = len(events(world))
    others = [who for who in READERS if who not in allowed]
    answers = {
        who: send(world.client(who), world, seat_path(world, "luo", act), **fields).status_code for who in others
    }
    answers |= {who: send(world.client(who), world, seat_path(world, "luo", act)).status_code for who in OUTSIDERS}
    seated = {"chair": 409, "secretary": 409} if act == "succession" else {}
    assert answers == {**dict.fromkeys(others, 403), **dict.fromkeys(OUTSIDERS, 404), **seated}
    assert len(events(world)) == before
    if allowed:
        assert send(world.client(allowed[-1]), world, seat_path(world, "luo", act), **fields).status_code == 303


@pytest.mark.parametrize("act", ["declaration", "recusal", "recusal/refusal", "succession"])
def test_foreign_and_missing_seats_answer_alike(world: World, act: str) -> None:
    client = world.client("stranger")
    answers = [
        send(client, world, path, **GROUND)
        for path in (seat_path(world, "luo", act), f"/seats/{'0' * 32}/{act}", f"/seats/%00/{act}")
    ]
    assert [answer.status_code for answer in answers] == [404] * 3


@pytest.mark.parametrize("act", ["declaration", "recusal"])
def test_without_a_token_nothing_is_done(world: World, act: str) -> None:
    client = world.client("luo")
    answer = client.post(seat_path(world, "luo", act), data={"conflict": "no", **GROUND})
    assert answer.status_code in {403, 410}
    assert events(world, "committees.interests_declared") == []
    assert len(due(world)) == 9


# Alternates


def test_the_chair_moves_an_alternate_up_by_the_form(world: World) -> None:
    recuse(world, "chair", "meng")
    client = world.client("chair")
    fields = hidden(client.get(f"/cases/{world.case_id}").text, "seat-alternate")
    assert world.client("he").get(f"/cases/{world.case_id}").status_code == 404
    assert client.post(seat_path(world, "he", "succession"), data=fields, follow_redirects=False).status_code == 303
    assert world.client("he").get(f"/cases/{world.case_id}").status_code == 200
    assert "seat-alternate" not in client.get(f"/cases/{world.case_id}").text


def test_without_a_vacant_place_there_is_no_button(world: World) -> None:
    recuse(world, "chair", "luo")
    assert "seat-alternate" not in world.client("chair").get(f"/cases/{world.case_id}").text


# Coming and going


def test_a_member_signs_in_and_out_by_the_hearing_s_page(world: World) -> None:
    client = world.client("luo")
    page = f"/hearings/{world.hearing_id}"
    answer = client.post(f"{page}/attendance", data=hidden(client.get(page).text, "arrive"), follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    assert present(world) == {"luo"}
    client.post(f"{page}/departure", data=hidden(client.get(page).text, "leave"))
    assert present(world) == set()
    assert "我回到会场" in client.get(page).text


def test_the_recorder_notes_who_comes(world: World) -> None:
    client = world.client("recorder")
    page = f"/hearings/{world.hearing_id}"
    fields = hidden(client.get(page).text, "note-arrive")
    assert fields["seat"] == world.seats["chair"]
    client.post(f"{page}/attendance", data=fields)
    assert present(world) == {"chair"}
    client.post(f"{page}/departure", data=hidden(client.get(page).text, "note-leave"))
    assert present(world) == set()


@pytest.mark.parametrize("act", ["attendance", "departure"])
def test_others_note_nothing(world: World, act: str) -> None:
    for who in ("handler", "official", "helper", "authority", "observer", "projector"):
        answer = send(world.client(who), world, f"/hearings/{world.hearing_id}/{act}", seat=world.seats["luo"])
        assert answer.status_code == 403
    assert present(world) == set()


def test_a_member_notes_nobody_else(world: World) -> None:
    answer = send(world.client("luo"), world, f"/hearings/{world.hearing_id}/attendance", seat=world.seats["qin"])
    assert answer.status_code == 403
    assert "这是其他委员的席位。" in answer.text
    assert present(world) == set()


def test_the_same_form_twice_is_one_arrival(world: World) -> None:
    client = world.client("luo")
    page = f"/hearings/{world.hearing_id}"
    fields = hidden(client.get(page).text, "arrive")
    answers = [client.post(f"{page}/attendance", data=fields, follow_redirects=False) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert len(events(world, "committees.member_arrived")) == 1


# What is told to whom


def test_the_reason_of_a_request_is_read_by_who_asks_and_who_decides(world: World) -> None:
    declare(world, "luo", conflict=True, ground="other", statement=CANARY)
    assert {who for who in READERS if told(world, who, CANARY)} == {"luo", "chair"}


def test_the_reason_of_a_recusal_stays_on_the_record_only(world: World) -> None:
    declare(world, "luo", conflict=True, ground="other", statement=CANARY)
    recuse(world, "chair", "luo", statement=CANARY)
    assert [who for who in (*READERS, "stranger") if told(world, who, CANARY)] == []
    assert [e["statement"] for e in events(world, "committees.seat_recused")] == [CANARY]


def test_observers_and_the_projector_see_numbers_and_no_names(world: World) -> None:
    named = set(READERS) - {"observer", "projector"}
    file, live = ({who: world.client(who).get(page).text for who in READERS} for page in pages(world)[:2])
    assert {who for who, page in file.items() if "江雪" in page} == named
    assert {who for who, page in live.items() if "江雪" in page} == named
    assert all("应到 9 人 × 2/3 = 6，至少 6 人；实到 0 人。" in page for page in live.values())


def test_the_committee_stands_on_the_file_by_category(world: World) -> None:
    recuse(world, "chair", "meng")
    page = world.client("official").get(f"/cases/{world.case_id}").text
    table = page[page.index("委员会组成") :]
    assert re.findall(r'<th scope="row">(.*?)</th>', table) == [
        "纪检监察", "组织人事", "法律人士", "行业专家", "利益关联方代表", "群众代表", "媒体代表",
    ]  # fmt: skip
    assert "已回避" in table
    assert "候补" in table
