"""Writing an opinion page by page; and that a sealed round says nothing to anybody."""

from typing import Any

import pytest
from sqlmodel import select

from panel.committees import actions as committees
from panel.opinions import actions, queries
from panel.opinions.models import OpinionDraft
from tests.corpus import HUGE, SCRIPTS, TURNING, unescaped
from tests.factories import World
from tests.opinions.desk import CANARY, INSIDE, READERS, closed, fill, plain, quietly, sealed, step
from tests.opinions.test_actions import KEYS, give, open_round
from tests.votes.chamber import events, hidden


def drafted(world: World) -> list[dict[str, Any]]:
    """The bodies of all drafts."""
    with world.db() as db:
        return [draft.body for draft in db.exec(select(OpinionDraft))]


# Writing


def test_an_opinion_is_written_step_by_step_checked_and_given(world: World) -> None:
    round_id, client = open_round(world), world.client("luo")
    first = step(client, round_id, "nature", value="5", reason="失误，不是违纪。", exhibits=["2", "1"])
    assert first.headers["location"] == f"/rounds/{round_id}/opinion?step=basis"
    fill(client, round_id)
    check = client.get(f"/rounds/{round_id}/opinion/check").text
    assert "4 · 偏向失误错误" in check
    assert "动机为公。" in check
    answer = client.post(f"/rounds/{round_id}/opinion", data=hidden(check, "submit-opinion"), follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/rounds/{round_id}/opinion/given")
    assert (
        "已收到" in client.get(answer.headers["location"]).text or "收到" in client.get(answer.headers["location"]).text
    )
    (event,) = events(world, "opinions.opinion_submitted")
    assert {key: rating["value"] for key, rating in event["ratings"].items()} == dict.fromkeys(KEYS, 4)
    assert drafted(world) == []


def test_the_editor_opens_at_the_first_step_that_lacks_something(world: World) -> None:
    round_id, client = open_round(world), world.client("luo")
    step(client, round_id, "nature", value="5", reason="失误。")
    page = client.get(f"/rounds/{round_id}/opinion").text
    assert 'name="step" value="basis"' in page
    assert "分清是先行先试还是肆意妄为、是积极作为还是好大喜功" in page


@pytest.mark.parametrize("key", [*KEYS, "overall"])
def test_every_step_has_words_at_every_point(world: World, key: str) -> None:
    round_id = open_round(world)
    page = world.client("luo").get(f"/rounds/{round_id}/opinion?step={key}").text
    assert page.count('type="radio"') == (6 if key != "overall" else 5)
    assert "checked" not in page
    assert unescaped(page) == []


def test_what_was_written_is_there_again(world: World) -> None:
    round_id, client = open_round(world), world.client("luo")
    step(client, round_id, "motive", value="cannot_judge", reason="看不清动机。", exhibits=["2"])
    page = client.get(f"/rounds/{round_id}/opinion?step=motive").text
    assert 'value="cannot_judge" checked' in page
    assert "看不清动机。" in page
    assert page.count(" checked") == 2


def test_an_unfinished_opinion_has_no_button_to_give_it(world: World) -> None:
    round_id, client = open_round(world), world.client("luo")
    step(client, round_id, "motive", value="3", reason="难说。")
    check = client.get(f"/rounds/{round_id}/opinion/check").text
    assert "submit-opinion" not in check
    answer = client.post(
        f"/rounds/{round_id}/opinion", data={"csrf": world.token(client, "/cases")["csrf"]}, follow_redirects=False
    )
    assert answer.status_code == 409
    assert events(world, "opinions.opinion_submitted") == []
    assert len(drafted(world)) == 1


def test_a_newer_opinion_replaces_and_says_its_version(world: World) -> None:
    round_id = open_round(world)
    give(world, "luo", round_id)
    client = world.client("luo")
    step(client, round_id, "motive", value="2", reason="改了看法。")
    check = client.get(f"/rounds/{round_id}/opinion/check").text
    client.post(f"/rounds/{round_id}/opinion", data=hidden(check, "submit-opinion"))
    assert [e["version"] for e in events(world, "opinions.opinion_submitted")] == [1, 2]


def test_after_closing_the_editor_says_so(world: World) -> None:
    round_id = closed(world)
    client = world.client("luo")
    for path in ("", "?step=motive", "/check"):
        answer = client.get(f"/rounds/{round_id}/opinion{path}")
        assert answer.status_code == 403
        assert "第 1 轮" in answer.text
    token = world.token(client, "/cases")["csrf"]
    late = client.post(
        f"/rounds/{round_id}/opinion/draft", data={"csrf": token, "step": "motive", "reason": "来迟了。"}
    )
    assert late.status_code == 403
    assert "来迟了。" in late.text


# Saving by itself


def test_a_step_saves_itself_and_tells_its_number(world: World) -> None:
    round_id, client = open_round(world), world.client("luo")
    answers = [quietly(client, round_id, "motive", n, value="4", reason="出于公心" + "。" * n) for n in range(3)]
    assert [answer.json()["revision"] for answer in answers] == [1, 2, 3]
    assert drafted(world)[0]["ratings"]["motive"]["reason"] == "出于公心。。"
    assert events(world, "opinions.opinion_submitted") == []


def test_two_devices_are_shown_both_texts(world: World) -> None:
    round_id, client = open_round(world), world.client("luo")
    quietly(client, round_id, "motive", 0, value="4", reason="甲设备的文字")
    refused = quietly(client, round_id, "motive", 0, value="2", reason="乙设备的文字")
    assert refused.status_code == 409
    assert refused.json() == {"message": "此项已在另一台设备上修改，请选择保留哪一份。"}
    page = client.get(f"/rounds/{round_id}/opinion?step=motive").text
    data = {**hidden(page, "opinion-step"), "revision": "0", "value": "2", "reason": "乙设备的文字"}
    both = client.post(f"/rounds/{round_id}/opinion/draft", data=data)
    assert both.status_code == 409
    assert [text in both.text for text in ("甲设备的文字", "乙设备的文字")] == [True, True]
    assert drafted(world)[0]["ratings"]["motive"]["reason"] == "甲设备的文字"
    mine = client.post(f"/rounds/{round_id}/opinion/draft", data=hidden(both.text, "opinion-step"))
    assert mine.status_code == 200
    assert drafted(world)[0]["ratings"]["motive"]["reason"] == "乙设备的文字"


def test_a_draft_that_cannot_be_saved_says_why(world: World) -> None:
    round_id, client = open_round(world), world.client("luo")
    page = client.get(f"/rounds/{round_id}/opinion?step=motive").text
    world.act(actions.close_round, "secretary", round_id=round_id)
    data = {**hidden(page, "opinion-step"), "reason": "还没写完"}
    answer = client.post(f"/rounds/{round_id}/opinion/draft", data=data, headers={"accept": "application/json"})
    assert answer.status_code == 403
    assert "第 1 轮" in answer.json()["message"]


# Bad input


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"step": "luck", "value": "4"}, 404),
        ({"step": "motive", "value": "6"}, 422),
        ({"step": "motive", "value": "4", "reason": "长" * 8001}, 422),
        ({"step": "motive", "exhibits": "first"}, 422),
        ({"step": "motive", "revision": "-1"}, 422),
        ({"step": "motive", "seat": "x"}, 422),
        ({}, 422),
        ({"step": "motive", "reason": TURNING[0]}, 422),
        ({"step": "motive", "reason": HUGE}, 413),
    ],
)
def test_a_step_of_the_wrong_shape_is_refused(world: World, fields: dict[str, str], status: int) -> None:
    round_id, client = open_round(world), world.client("luo")
    token = world.token(client, "/cases")["csrf"]
    answer = client.post(f"/rounds/{round_id}/opinion/draft", data={"csrf": token, **fields})
    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    assert drafted(world) == []


def test_what_members_type_is_text(world: World) -> None:
    round_id, client = open_round(world), world.client("luo")
    fill(client, round_id)
    step(client, round_id, "motive", value="4", reason="\n".join(SCRIPTS))
    for path in ("?step=motive", "/check"):
        assert unescaped(client.get(f"/rounds/{round_id}/opinion{path}").text) == []
    world.act(actions.submit, "luo", round_id=round_id)
    world.act(actions.close_round, "secretary", round_id=round_id)
    assert unescaped(world.client("qin").get(f"/rounds/{round_id}").text) == []


@pytest.mark.parametrize("path", ["", "/opinion", "/opinion/check", "/opinion/given"])
def test_rounds_of_other_cases_are_not_there(world: World, path: str) -> None:
    round_id = closed(world)
    stranger = world.client("stranger")
    assert [stranger.get(f"/rounds/{id}{path}").status_code for id in (round_id, "0" * 32)] == [404, 404]


def test_who_has_no_seat_does_not_write(world: World) -> None:
    round_id = open_round(world)
    for who in sorted(set(READERS) - {"chair", "luo", "qin"}):
        client = world.client(who)
        token = world.token(client, "/cases")["csrf"]
        answers = [
            client.get(f"/rounds/{round_id}/opinion"),
            client.post(f"/rounds/{round_id}/opinion/draft", data={"csrf": token, "step": "motive"}),
            client.post(f"/rounds/{round_id}/opinion", data={"csrf": token}),
        ]
        assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert drafted(world) == []


# Sealed, and opened


def pages(world: World, round_id: str) -> list[str]:
    """Every page that speaks of a round."""
    hearing = f"/hearings/{world.hearing_id}"
    return [
        f"/rounds/{round_id}", f"/rounds/{round_id}/opinion", f"/rounds/{round_id}/opinion/check",
        f"/rounds/{round_id}/opinion/given", f"/cases/{world.case_id}", hearing, f"{hearing}/changes?since=0", "/",
    ]  # fmt: skip


def test_before_the_round_closes_nobody_reads_another_s_opinion(world: World) -> None:
    round_id = sealed(world)
    for who in READERS:
        client = world.client(who)
        assert [page for page in pages(world, round_id) if CANARY in client.get(page).text] == []
    refused = world.client("chair").get(f"/rounds/{round_id}")
    assert refused.status_code == 403
    assert "第 1 轮意见处于封存状态，截止时一并开启。" in refused.text


def test_only_the_chair_s_side_is_told_how_many_have_written(world: World) -> None:
    round_id = open_round(world)
    before = {who: texts(world, who, round_id) for who in READERS}
    give(world, "meng", round_id, reasons=CANARY)
    after = {who: texts(world, who, round_id) for who in READERS}
    counting = {"chair", "secretary", "recorder"}
    assert {who for who in READERS if before[who] != after[who]} == counting
    told = {who: world.client(who).get(f"/hearings/{world.hearing_id}").text for who in READERS}
    assert {who for who, page in told.items() if "9 名委员中已有 1 名提交意见。" in page} == counting


def texts(world: World, who: str, round_id: str) -> list[tuple[int, str]]:
    """What somebody gets from every page that speaks of a round."""
    client = world.client(who)
    answers = [client.get(page) for page in pages(world, round_id)]
    return [(answer.status_code, plain(answer.text)) for answer in answers]


def test_when_the_round_closes_the_panel_reads_everything(world: World) -> None:
    round_id = closed(world)
    found = {who: world.client(who).get(f"/rounds/{round_id}") for who in READERS}
    assert {who for who, page in found.items() if page.status_code == 200} == INSIDE
    assert {who for who, page in found.items() if CANARY in page.text} == INSIDE
    page = found["luo"].text
    assert unescaped(page) == []
    assert page.count("<svg") >= 2
    assert page.count("<table") >= 3


def test_drafts_stay_with_their_authors_for_ever(world: World) -> None:
    round_id = open_round(world)
    world.act(
        actions.save_draft, "shi", round_id=round_id, step="motive", revision=0,
        said={"value": 2, "reason": CANARY, "exhibits": []},
    )  # fmt: skip
    world.act(actions.close_round, "secretary", round_id=round_id)
    for who in (*READERS, "shi"):
        assert CANARY not in world.client(who).get(f"/rounds/{round_id}").text


def test_what_a_recused_member_gave_counts_for_nothing(world: World) -> None:
    round_id = closed(world)
    world.act(committees.recuse, "chair", seat_id=world.seats["meng"], ground="witness", statement="曾作证。")
    page = world.client("luo").get(f"/rounds/{round_id}").text
    assert CANARY not in page
    assert "孟工" not in page
    with world.db() as db:
        assert queries.opinions(db, round_id) == []
    assert [e["reasons"] for e in events(world, "opinions.opinion_submitted")] == [CANARY]
    assert world.client("meng").get(f"/rounds/{round_id}").status_code == 403


def test_the_numbers_in_the_table_are_those_of_the_opinions(world: World) -> None:
    round_id = open_round(world)
    for who, value in {"luo": 1, "qin": 1, "qian": 5, "meng": 5, "shi": 5}.items():
        give(world, who, round_id, value)
    world.act(actions.close_round, "secretary", round_id=round_id)
    page = world.client("luo").get(f"/rounds/{round_id}").text
    row = page[page.index('<th scope="row">问题性质</th>') :]
    cells = row[: row.index("</tr>")]
    assert "两派" in page
    assert cells.count('<td class="number">2</td>') == 1
    assert cells.count('<td class="number">3</td>') == 1


def test_the_pages_speak_english(world: World) -> None:
    round_id = closed(world)
    client = world.client("luo")
    client.cookies.set("pv_locale", "en")
    assert "Opinions of round 1" in client.get(f"/rounds/{round_id}").text


# In the case's file


def test_the_file_says_where_my_opinion_stands(world: World) -> None:
    path = f"/cases/{world.case_id}"
    assert "写意见" not in world.client("luo").get(path).text
    round_id = open_round(world)
    link = f'href="/rounds/{round_id}/opinion"'
    told = {who: world.client(who).get(path).text for who in READERS}
    assert {who for who, page in told.items() if link in page} == {"chair", "luo", "qin"}
    assert "写意见" in told["luo"]
    client = world.client("luo")
    step(client, round_id, "motive", value="4", reason="公心。")
    assert "继续写意见" in client.get(path).text
    fill(client, round_id)
    world.act(actions.submit, "luo", round_id=round_id)
    assert "继续写意见" not in client.get(path).text
    world.act(actions.close_round, "secretary", round_id=round_id)
    told = {who: world.client(who).get(path).text for who in READERS}
    assert {who for who, page in told.items() if f'href="/rounds/{round_id}"' in page} == INSIDE


def test_what_another_device_wrote_after_the_check_is_not_given_unseen(world: World) -> None:
    round_id, client = open_round(world), world.client("luo")
    fill(client, round_id)
    checked = hidden(client.get(f"/rounds/{round_id}/opinion/check").text, "submit-opinion")
    later = quietly(client, round_id, "motive", 99, value="1", reason="另一台设备后来写的")
    assert later.status_code == 200
    answer = client.post(f"/rounds/{round_id}/opinion", data=checked)
    assert (answer.status_code, "核对之后" in answer.text) == (409, True)
    assert events(world, "opinions.opinion_submitted") == []
    anew = hidden(client.get(f"/rounds/{round_id}/opinion/check").text, "submit-opinion")
    client.post(f"/rounds/{round_id}/opinion", data=anew)
    (given,) = events(world, "opinions.opinion_submitted")
    assert given["ratings"]["motive"]["reason"] == "另一台设备后来写的"


def test_36_an_opinion_is_64_kilobytes_at_most_in_all(world: World) -> None:
    round_id, client = open_round(world), world.client("luo")
    long = "程" * 8000
    answers = [quietly(client, round_id, key, 99, value="4", reason=long) for key in ("motive", "nature", "basis")]
    assert [answer.status_code for answer in answers] == [200, 200, 413]
    assert "64" in answers[-1].json()["message"]
    (draft,) = drafted(world)
    assert sorted(draft["ratings"]) == ["motive", "nature"]


# How sure


def test_who_says_how_sure_is_read_so_and_nobody_must(world: World) -> None:
    round_id, client = open_round(world), world.client("luo")
    fill(client, round_id)
    step(client, round_id, "motive", value="4", reason="材料可以证明。", sure="low")
    assert (
        '<option value="low" selected>没有把握</option>' in client.get(f"/rounds/{round_id}/opinion?step=motive").text
    )
    check = client.get(f"/rounds/{round_id}/opinion/check").text
    assert check.count("没有把握") == 1
    client.post(f"/rounds/{round_id}/opinion", data=hidden(check, "submit-opinion"))
    (given,) = events(world, "opinions.opinion_submitted")
    assert {key: rating["sure"] for key, rating in given["ratings"].items() if "sure" in rating} == {"motive": "low"}
    world.act(actions.close_round, "secretary", round_id=round_id)
    assert world.client("qin").get(f"/rounds/{round_id}").text.count('<small class="muted">没有把握</small>') == 1


def test_how_sure_waits_for_a_rating_and_goes_with_cannot_judge(world: World) -> None:
    round_id, client = open_round(world), world.client("luo")
    quietly(client, round_id, "motive", 0, sure="fair")
    assert drafted(world)[0]["ratings"]["motive"] == {"reason": "", "exhibits": [], "sure": "fair"}
    quietly(client, round_id, "motive", 1, value="cannot_judge", sure="fair")
    assert drafted(world)[0]["ratings"]["motive"] == {"reason": "", "exhibits": [], "value": None}
    refused = quietly(client, round_id, "motive", 2, value="4", sure="certain")
    assert refused.status_code == 422


def test_two_devices_that_differ_in_it_alone_are_shown_both(world: World) -> None:
    round_id, client = open_round(world), world.client("luo")
    quietly(client, round_id, "motive", 0, value="4", reason="出于公心", sure="high")
    page = client.get(f"/rounds/{round_id}/opinion?step=motive").text
    data = {**hidden(page, "opinion-step"), "revision": "0", "value": "4", "reason": "出于公心", "sure": "low"}
    both = client.post(f"/rounds/{round_id}/opinion/draft", data=data)
    assert both.status_code == 409
    assert ["4 · 有把握" in both.text, "4 · 没有把握" in both.text] == [True, True]
    client.post(f"/rounds/{round_id}/opinion/draft", data=hidden(both.text, "opinion-step"))
    assert drafted(world)[0]["ratings"]["motive"]["sure"] == "low"
