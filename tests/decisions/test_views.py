"""The authority's form, its check, the pages of finding and decision: who reads what."""

import re
from datetime import timedelta
from typing import Any

import pytest

from panel.dissents.actions import join, supplement
from panel.votes import queries as votes
from panel.votes.actions import announce
from tests.corpus import SCRIPTS, unescaped
from tests.decisions.bench import TODAY, decide, found, heard
from tests.dissents.filing import file
from tests.factories import World
from tests.votes.chamber import events

DUE = (TODAY + timedelta(days=30)).isoformat()
FILLED = {
    "outcome": "mitigate", "measure": "谈话提醒", "reasons": "采纳评议意见，理由如下。",
    "corrective_text": ["制定应急采购办法", ""], "corrective_responsible": ["某市河流管理局", ""],
    "corrective_due": [DUE, ""],
}  # fmt: skip


def send(world: World, who: str = "authority", **fields: Any) -> Any:
    """Send the decision's form."""
    client = world.client(who)
    data = {"csrf": world.token(client, "/password")["csrf"], **FILLED, **fields}
    return client.post(f"/cases/{world.case_id}/decision", data=data, follow_redirects=False)


def hidden_fields(page: str, form: str) -> dict[str, list[str]]:
    """Return the hidden fields of a form, each with all its values."""
    found_form = re.search(rf'<form[^>]*data-form="{form}".*?</form>', page, re.DOTALL)
    assert found_form, f"no form {form}"
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', found_form[0]):
        fields.setdefault(name, []).append(value)
    return fields


def test_checking_shows_everything_and_issues_nothing(decidable: World) -> None:
    answer = send(decidable, step="check")
    assert answer.status_code == 200
    assert all(words in answer.text for words in ("采纳评议意见，理由如下。", "制定应急采购办法", "谈话提醒"))
    assert events(decidable, "decisions.decision_issued") == []


def test_a_form_without_a_step_is_only_checked(decidable: World) -> None:
    assert send(decidable).status_code == 200
    assert events(decidable, "decisions.decision_issued") == []


def test_what_was_checked_is_what_is_issued(decidable: World) -> None:
    checked = hidden_fields(send(decidable, step="check").text, "decide")
    client = decidable.client("authority")
    token = decidable.token(client, "/password")["csrf"]
    answer = client.post(
        f"/cases/{decidable.case_id}/decision", data={**checked, "csrf": token}, follow_redirects=False
    )
    assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{decidable.case_id}/decision")
    (event,) = events(decidable, "decisions.decision_issued")
    assert (event["outcome"], event["reasons"], event["measures"]) == ("mitigate", FILLED["reasons"], 1)
    assert event["corrective"][0]["due_on"] == DUE


def test_the_form_comes_back_filled_to_be_changed(decidable: World) -> None:
    changed = hidden_fields(send(decidable, step="check").text, "change-decision")
    client = decidable.client("authority")
    token = decidable.token(client, "/password")["csrf"]
    page = client.post(f"/cases/{decidable.case_id}/decision", data={**changed, "csrf": token}).text
    assert 'data-form="check-decision"' in page
    assert all(words in page for words in ("采纳评议意见，理由如下。", "制定应急采购办法", DUE))


@pytest.mark.parametrize(
    ("language", "said"),
    [("zh-CN", "容错须与纠错并举"), ("en", "Tolerance goes with correction")],
)
def test_checking_refuses_what_issuing_would(decidable: World, language: str, said: str) -> None:
    client = decidable.client("authority")
    client.headers["accept-language"] = language
    token = decidable.token(client, "/password")["csrf"]
    for step in ("check", "issue"):
        data = {"csrf": token, "outcome": "mitigate", "reasons": "理由不能丢", "step": step}
        answer = client.post(f"/cases/{decidable.case_id}/decision", data=data)
        assert (answer.status_code, said in answer.text, "理由不能丢" in answer.text) == (409, True, True)


BROKEN: tuple[dict[str, Any], ...] = (
    {"corrective_due": ["2026-13-45", ""]}, {"corrective_due": ["tomorrow", ""]}, {"corrective_due": [DUE]},
    {"corrective_responsible": ["", ""]}, {"corrective_text": ["长" * 1001, ""]}, {"reasons": ""},
    {"reasons": "长" * 8001}, {"dissent": ["x"]}, {"dissent": ["x"], "answer": ["y", "z"]}, {"step": "publish"},
    {"adopts": "true"}, {"outcome": ["mitigate", "deny"]}, {"corrective_text": ["x"] * 21},
)  # fmt: skip


def test_a_broken_form_is_refused_whole(decidable: World) -> None:
    answers = [send(decidable, **{"step": "issue", **broken}).status_code for broken in BROKEN]
    assert answers == [422] * len(BROKEN)
    assert events(decidable, "decisions.decision_issued") == []


def test_only_the_authority_decides(decidable: World) -> None:
    others = ("chair", "luo", "secretary", "handler", "official", "observer")
    assert [send(decidable, who, step="issue").status_code for who in others] == [403] * len(others)
    assert events(decidable, "decisions.decision_issued") == []


def statuses(world: World, path: str) -> dict[str, int]:
    """Return how a page answers each role."""
    everybody = (
        "chair", "luo", "secretary", "recorder", "authority", "handler", "official", "helper", "observer", "projector",
        "stranger",
    )  # fmt: skip
    return {who: world.client(who).get(f"/cases/{world.case_id}/{path}").status_code for who in everybody}


INSIDE = {"chair": 200, "luo": 200, "secretary": 200, "recorder": 200, "authority": 200}


def test_the_finding_is_for_the_panel_and_the_authority(decidable: World) -> None:
    assert statuses(decidable, "finding") == {
        **INSIDE, "handler": 403, "official": 403, "helper": 403, "observer": 403, "projector": 403, "stranger": 404,
    }  # fmt: skip


def test_there_is_no_finding_page_before_the_finding(world: World) -> None:
    heard(world)
    assert {statuses(world, "finding")[who] for who in INSIDE} == {404}


def test_the_decision_is_for_everybody_in_the_case_once_issued(decidable: World) -> None:
    before = statuses(decidable, "decision")
    assert {who: before[who] for who in ("authority", "chair", "official")} == {
        "authority": 200, "chair": 404, "official": 404,
    }  # fmt: skip
    decide(decidable)
    assert statuses(decidable, "decision") == {
        **INSIDE, "handler": 200, "official": 200, "helper": 200, "observer": 403, "projector": 403, "stranger": 404,
    }  # fmt: skip


def test_the_finding_withholds_counts_from_the_authority_that_would_tell_each_vote(world: World) -> None:
    found(heard(world, choices=["approve"] * 7))
    world.act(announce, "chair", hearing_id=world.hearing_id)
    pages = {who: world.client(who).get(f"/cases/{world.case_id}/finding").text for who in ("luo", "authority")}
    section = {who: page.split("<h3>")[1] for who, page in pages.items()}
    assert {who: "picture-gauge" in text for who, text in section.items()} == {"luo": True, "authority": False}
    assert {who: "票数不公开" in text for who, text in section.items()} == {"luo": False, "authority": True}


def test_the_party_reads_dissents_and_answers_without_names(world: World, request: pytest.FixtureRequest) -> None:
    heard(world)
    with world.db() as db:
        motion = votes.of_case(db, world.case_id)[0]
    dissent = file(world, "luo", motion, text="保留意见全文")
    found(world)
    request.getfixturevalue("settled")
    decide(world, answers={dissent.id: "对意见的答复"})
    pages = {who: world.client(who).get(f"/cases/{world.case_id}/decision").text for who in ("authority", "official")}
    for page in pages.values():
        assert ("保留意见全文" in page, "对意见的答复" in page) == (True, True)
    assert {who: "罗正" in page for who, page in pages.items()} == {"authority": True, "official": False}


def test_outside_the_panel_an_addendum_is_read_without_any_name(world: World, request: pytest.FixtureRequest) -> None:
    heard(world)
    with world.db() as db:
        motion = votes.of_case(db, world.case_id)[0]
    dissent = file(world, "luo", motion, text="保留意见全文")
    for who, text in (("qin", "补充其一"), ("shi", "补充其二")):
        world.act(join, who, dissent_id=dissent.id)
        world.act(supplement, "luo", dissent_id=dissent.id, text=text)
    found(world)
    request.getfixturevalue("settled")
    decide(world, answers={dissent.id: "已研究"})
    pages = {
        who: world.client(who).get(f"/cases/{world.case_id}/decision").text
        for who in ("authority", "official", "handler")
    }
    words, names = ("保留意见全文", "补充其一", "补充其二"), ("罗正", "秦月", "石磊")
    assert {who: [text in page for text in words] for who, page in pages.items()} == {who: [True] * 3 for who in pages}
    named = {who: [name for name in names if name in page] for who, page in pages.items()}
    assert named == {"authority": list(names), "official": [], "handler": []}


def test_the_form_asks_for_an_answer_to_every_dissent(world: World, request: pytest.FixtureRequest) -> None:
    heard(world)
    with world.db() as db:
        motion = votes.of_case(db, world.case_id)[0]
    dissent = file(world, "luo", motion, text="保留意见全文")
    found(world)
    request.getfixturevalue("settled")
    page = world.client("authority").get(f"/cases/{world.case_id}/decision").text
    assert (f'name="dissent" value="{dissent.id}"' in page, "保留意见全文" in page) == (True, True)
    assert send(world, step="issue", dissent=[dissent.id], answer=["已研究"]).status_code == 303


def test_before_the_minutes_are_settled_the_form_says_so(world: World) -> None:
    found(heard(world))
    page = world.client("authority").get(f"/cases/{world.case_id}/decision").text
    assert ("笔录尚未确认" in page, 'data-form="check-decision"' in page) == (True, False)


def test_hostile_reasons_are_text(decidable: World) -> None:
    typed: dict[str, Any] = {
        "reasons": "\n".join(SCRIPTS), "measure": SCRIPTS[0], "number": SCRIPTS[1], "corrective_text": [*SCRIPTS],
        "corrective_responsible": [*SCRIPTS], "corrective_due": [DUE] * len(SCRIPTS),
    }  # fmt: skip
    checked, changed = send(decidable, step="check", **typed), send(decidable, step="change", **typed)
    assert (checked.status_code, changed.status_code) == (200, 200)
    assert send(decidable, step="issue", **typed).status_code == 303
    shown = decidable.client("luo").get(f"/cases/{decidable.case_id}/decision").text
    assert "onerror=alert(1)&gt;" in shown
    assert unescaped(checked.text) + unescaped(changed.text) + unescaped(shown) == []


def test_the_live_page_leads_to_finding_and_decision(decidable: World) -> None:
    page = decidable.client("luo").get(f"/hearings/{decidable.hearing_id}").text
    assert (f"/cases/{decidable.case_id}/finding" in page, f"/cases/{decidable.case_id}/decision" in page) == (
        True,
        False,
    )
    decide(decidable)
    assert (
        f"/cases/{decidable.case_id}/decision" in decidable.client("luo").get(f"/hearings/{decidable.hearing_id}").text
    )
