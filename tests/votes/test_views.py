"""Sheets, tallies and forms over HTTP: what each reader sees, and what nobody does."""

import re

import pytest
from sqlmodel import func, select

from panel.hearings.models import Phase
from panel.votes import actions, queries
from panel.votes.forms import padded
from panel.votes.models import Ballot, Motion, SealedBallot
from tests.corpus import SCRIPTS, unescaped
from tests.factories import ORIGIN, World
from tests.votes.chamber import (
    EVERYBODY,
    VOTERS,
    cast_all,
    closed,
    disposition,
    events,
    facts,
    hidden,
    open_fact,
    open_sealed,
    opened,
    post_ballot,
    reread,
    to_phase,
    voted,
)

ENGLISH = {"accept-language": "en"}
ALL_YES = dict.fromkeys(EVERYBODY, "established")


def text_of(page: str) -> str:
    """Return a page's words, without markup and without the number of the request."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>|\b[0-9a-f]{16}\b", " ", page))


def announce(world: World) -> None:
    """Sum up: every result is announced."""
    to_phase(world, Phase.SUMMING_UP)
    world.act(actions.announce, "chair", hearing_id=world.hearing_id)


# The sheet


@pytest.mark.parametrize("sealed", [False, True])
def test_the_sheet_offers_every_option_and_chooses_none(session: World, sealed: bool) -> None:
    motion = open_sealed(session) if sealed else open_fact(session)
    page = session.client("luo").get(f"/motions/{motion.id}/ballot")
    assert (page.status_code, page.text.count('type="radio"')) == (200, len(motion.options))
    assert re.findall(r'data-choice="(\w+)"', page.text) == motion.options
    assert (" checked" in page.text, 'autocomplete="off"' in page.text) == (False, True)
    assert page.headers["cache-control"] == "no-store"
    assert motion.question in page.text
    assert ('name="reason"' in page.text, 'name="idem"' in hidden_text(page.text)) == (not sealed, not sealed)


def hidden_text(page: str) -> str:
    """Return the ballot's form."""
    found = re.search(r'<form[^>]*data-form="cast-ballot".*?</form>', page, re.DOTALL)
    assert found
    return found[0]


@pytest.mark.parametrize(
    ("sealed", "locale", "said"),
    [
        (True, "zh_CN", "任何人都看不到"), (False, "zh_CN", "您的姓名、选择和理由记录在案。"),
        (True, "en", "Nobody sees it"), (False, "en", "Your name, your vote and your reason are put on the record."),
    ],
)  # fmt: skip
def test_the_sheet_says_who_will_see_what(session: World, sealed: bool, locale: str, said: str) -> None:
    motion = open_sealed(session) if sealed else open_fact(session)
    page = session.client("luo").get(
        f"/motions/{motion.id}/ballot", headers={"accept-language": locale.replace("_", "-")}
    )
    assert said in text_of(page.text)


def test_an_open_ballot_is_cast_and_shown_as_recorded(session: World) -> None:
    motion, client = open_fact(session), session.client("luo")
    answer = post_ballot(client, motion, "not_established", reason="记录不全")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/motions/{motion.id}/ballot")
    page = text_of(client.get(answer.headers["location"]).text)
    assert all(words in page for words in ("已收到", "不属实", "记录不全"))
    assert [e["choice"] for e in events(session, "votes.ballot_cast")] == ["not_established"]


def test_htmx_gets_the_time_and_nothing_else(session: World) -> None:
    motion, client = open_sealed(session), session.client("luo")
    client.headers["hx-request"] = "true"
    answer = post_ballot(client, motion, padded("approve"))
    assert (answer.status_code, answer.headers["hx-trigger"]) == (200, "panel:changed")
    assert re.fullmatch(r" ?已收到 \d\d:\d\d:\d\d ?", text_of(answer.text))


def test_a_ballot_is_changed_by_its_own_form(session: World) -> None:
    motion, client = open_fact(session), session.client("luo")
    post_ballot(client, motion, "established")
    with session.db() as db:
        first = queries.ballot_of(db, motion.id, session.seats["luo"])
    assert first is not None
    page = client.get(f"/motions/{motion.id}/ballot?replace=1").text
    assert hidden(page, "cast-ballot")["replaces"] == first.id
    answer = post_ballot(client, motion, "undetermined", reason="再想想", replaces=first.id)
    assert answer.status_code == 303
    assert [e["choice"] for e in events(session, "votes.ballot_cast")] == ["established", "undetermined"]


@pytest.mark.parametrize(
    ("language", "said"),
    [("zh-CN", "您的选票已经收到。"), ("en", "Your ballot has been received already.")],
)
@pytest.mark.parametrize("sealed", [False, True])
def test_a_second_ballot_is_refused_in_words(session: World, sealed: bool, language: str, said: str) -> None:
    motion, client = (open_sealed(session) if sealed else open_fact(session)), session.client("luo")
    client.headers["accept-language"] = language
    fields = hidden(client.get(f"/motions/{motion.id}/ballot").text, "cast-ballot")
    choice = padded(motion.options[0])
    client.post(f"/motions/{motion.id}/ballots", data={**fields, "choice": choice})
    fields.pop("idem", None)
    answer = client.post(f"/motions/{motion.id}/ballots", data={**fields, "choice": choice})
    assert answer.status_code == 409
    assert said in text_of(answer.text)


def test_the_same_form_twice_is_one_ballot_and_one_answer(session: World) -> None:
    motion, client = open_fact(session), session.client("luo")
    fields = {**hidden(client.get(f"/motions/{motion.id}/ballot").text, "cast-ballot"), "choice": "established"}
    answers = [client.post(f"/motions/{motion.id}/ballots", data=fields, follow_redirects=False) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [303, 303, 303]
    assert len(events(session, "votes.ballot_cast")) == 1


def test_the_same_key_with_another_choice_is_refused(session: World) -> None:
    motion, client = open_fact(session), session.client("luo")
    fields = hidden(client.get(f"/motions/{motion.id}/ballot").text, "cast-ballot")
    client.post(f"/motions/{motion.id}/ballots", data={**fields, "choice": "established"})
    other = client.post(f"/motions/{motion.id}/ballots", data={**fields, "choice": "undetermined", "reason": "改"})
    assert other.status_code == 409
    assert len(events(session, "votes.ballot_cast")) == 1


FORGED: tuple[dict[str, object], ...] = (
    {"choice": ["established", "undetermined"]}, {"seat_id": "x"}, {"weight": "2"}, {"person_id": "x"},
    {"choice": "x" * 200}, {"choice": ""}, {"reason": "长" * 2001}, {"replaces": "f" * 33},
)  # fmt: skip


def test_a_forged_form_is_refused_whole(session: World) -> None:
    motion, client = open_fact(session), session.client("luo")
    for forged in FORGED:
        fields = hidden(client.get(f"/motions/{motion.id}/ballot").text, "cast-ballot")
        answer = client.post(f"/motions/{motion.id}/ballots", data={**fields, "choice": "established", **forged})
        assert answer.status_code == 422
    with session.db() as db:
        assert db.exec(select(func.count()).select_from(Ballot)).one() == 0


def test_an_option_of_another_vote_is_refused(session: World) -> None:
    motion, client = open_fact(session), session.client("luo")
    for choice in ("approve", "NaN", "-1", "1e999", "established\u202e", *SCRIPTS[:3]):
        answer = post_ballot(client, motion, choice)
        assert (answer.status_code in {409, 422}, unescaped(answer.text)) == (True, [])
    assert events(session, "votes.ballot_cast") == []


def test_a_foreign_motion_answers_like_a_missing_one(session: World) -> None:
    motion, stranger, member = open_fact(session), session.client("stranger"), session.client("luo")
    for path in ("", "/ballot", "/ballot/state", "/turnout"):
        foreign, missing = stranger.get(f"/motions/{motion.id}{path}"), stranger.get(f"/motions/{'0' * 32}{path}")
        assert (foreign.status_code, missing.status_code) == (404, 404)
        assert text_of(foreign.text) == text_of(missing.text)
    assert member.get(f"/motions/{'0' * 32}/ballot").status_code == 404


OTHERS = ("secretary", "recorder", "handler", "official", "helper", "authority", "observer", "projector")


def test_only_members_have_a_sheet(session: World) -> None:
    motion = open_fact(session)
    for who in OTHERS:
        client = session.client(who)
        assert client.get(f"/motions/{motion.id}/ballot").status_code == 403
        token = session.token(client, "/password")
        answer = client.post(f"/motions/{motion.id}/ballots", data={**token, "choice": "established"})
        assert answer.status_code == 403
    assert events(session, "votes.ballot_cast") == []


def test_only_the_chair_leads_the_votes(session: World) -> None:
    motion = open_fact(session)
    before = events(session)
    for who in ("luo", *OTHERS):
        client = session.client(who)
        token = session.token(client, "/password")
        for path in ("opening", "closure", "last-call", "annulment", "repetition"):
            data = {**token, "ground": "试"} if path == "annulment" else token
            assert client.post(f"/motions/{motion.id}/{path}", data=data).status_code == 403
        moved = client.post(f"/hearings/{session.hearing_id}/motions", data={**token, "kind": "facts"})
        assert moved.status_code == 403
    assert events(session) == before


def test_the_chair_leads_a_vote_over_http(session: World) -> None:
    chair = session.client("chair")
    token = session.token(chair, "/password")["csrf"]

    def post(path: str, **fields: str) -> int:
        return chair.post(path, data={"csrf": token, **fields}, follow_redirects=False).status_code

    assert post(f"/hearings/{session.hearing_id}/motions", kind="facts") == 303
    what = {"kind": "disposition", "question": "建议容错减责。", "outcome": "mitigate"}
    assert post(f"/hearings/{session.hearing_id}/motions", **what) == 303
    assert post(f"/hearings/{session.hearing_id}/motions", kind="disposition", question=" ", outcome="deny") == 422
    with session.db() as db:
        first, second, third = queries.motions(db, session.hearing_id)
    assert [post(f"/motions/{m.id}/opening") for m in (first, second)] == [303, 409]
    assert [post(f"/motions/{first.id}/last-call") for _ in range(2)] == [303, 409]
    assert [post(f"/motions/{first.id}/closure") for _ in range(2)] == [303, 409]
    assert [post(f"/motions/{m.id}/annulment", ground="撤回") for m in (first, second)] == [409, 303]
    assert post(f"/motions/{third.id}/opening") == 303
    assert [reread(session, m).state for m in (first, second, third)] == ["closed", "annulled", "open"]


def test_two_chairs_pressing_at_once_open_one_motion(session: World) -> None:
    motion, chair = facts(session)[0], session.client("chair")
    token = session.token(chair, "/password")["csrf"]
    answers = [chair.post(f"/motions/{motion.id}/opening", data={"csrf": token}, follow_redirects=False) for _ in "12"]
    assert [answer.status_code for answer in answers] == [303, 409]
    assert len(events(session, "votes.motion_opened")) == 1


# The chair's sheet, the seats that only speak, the closed vote


def test_the_chair_s_sheet_waits_for_the_others(session: World) -> None:
    motion, chair = open_fact(session), session.client("chair")
    page = chair.get(f"/motions/{motion.id}/ballot").text
    assert ('data-form="cast-ballot"' in page, 'data-form="last-call"' in page) == (False, True)
    session.act(actions.last_call, "chair", motion_id=motion.id)
    page = chair.get(f"/motions/{motion.id}/ballot").text
    assert ('data-form="cast-ballot"' in page, 'data-form="last-call"' in page) == (True, False)


def test_a_seat_that_only_speaks_reads_why(session: World) -> None:
    motion = open_sealed(session)
    page = session.client("duan").get(f"/motions/{motion.id}/ballot").text
    assert ('data-form="cast-ballot"' in page, "本席位对处置建议只发表意见，不参加表决。" in page) == (False, True)


def test_after_closing_the_sheet_says_whether_a_ballot_stands(session: World) -> None:
    motion = open_sealed(session)
    cast_all(session, motion, dict.fromkeys(VOTERS[:-1], "approve"))
    closed(session, motion)
    pages = [text_of(session.client(key).get(f"/motions/{motion.id}/ballot").text) for key in ("luo", VOTERS[-1])]
    assert ["您的选票有效。" in page for page in pages] == [True, False]
    assert ["您在这次表决中没有选票。" in page for page in pages] == [False, True]


# Secrecy in what is sent back


def lengths(world: World, motion: Motion, key: str, choice: str) -> tuple[int, int, int, list[str]]:
    """Cast and return the sizes of request and answer, the size of the sheet afterwards, and the headers' names.

    Tokens and names are left out: they differ in length from one to the next, whatever is chosen.
    """
    client = world.client(key)
    answer = post_ballot(client, motion, padded(choice))
    sheet = client.get(f"/motions/{motion.id}/ballot")
    assert answer.status_code == 303
    assert "etag" not in sheet.headers
    without_name = sheet.text.replace(world.actor(key).name, "")
    tokens = re.sub(r'value="[^"]*"|nonce="[^"]*"|data-mark="[^"]*"', "", without_name)
    request = re.sub(rb"csrf=[^&]*", b"", answer.request.content)
    return len(request), len(answer.content), len(tokens), sorted(answer.headers)


def test_request_and_answer_have_the_same_size_for_every_choice(session: World) -> None:
    motion = open_sealed(session)
    seen = [lengths(session, motion, key, choice) for key, choice in zip(VOTERS, motion.options, strict=False)]
    assert len(seen) == 4
    requests, answers, sheets, headers = zip(*seen, strict=True)
    assert (len(set(requests)), len(set(answers)), len(set(sheets)), len({*map(tuple, headers)})) == (1, 1, 1, 1)


@pytest.mark.parametrize(
    "broken", [{"extra": "1"}, {"replaces": "f" * 32}, {"reason": "因为"}, {"csrf": "x"}, {"replaces": "f" * 99}]
)
def test_a_refusal_never_shows_a_sealed_choice_again(session: World, broken: dict[str, str]) -> None:
    motion, client = open_sealed(session), session.client("luo")
    fields = hidden(client.get(f"/motions/{motion.id}/ballot").text, "cast-ballot")
    data = {**fields, "choice": padded("disapprove"), **broken}
    for headers in ({}, {"hx-request": "true"}):
        answer = client.post(f"/motions/{motion.id}/ballots", data=data, headers=headers)
        assert answer.status_code >= 400
        assert all(word not in answer.text for word in ("disapprove", "不同意", "因为"))


def test_a_refused_open_ballot_keeps_its_reason(session: World) -> None:
    motion, client = open_fact(session), session.client("luo")
    answer = post_ballot(client, motion, "approve", reason="很长的理由")
    assert (answer.status_code, "很长的理由" in answer.text) == (409, True)


def test_a_refused_open_ballot_tells_no_code_and_leads_back_to_its_sheet(session: World) -> None:
    motion, client = open_fact(session), session.client("luo")
    sheet = f"/motions/{motion.id}/ballot"
    client.headers["referer"] = f"{ORIGIN}{sheet}"
    answer = post_ballot(client, motion, padded("not_established"))
    assert (answer.status_code, "请写明理由" in answer.text, "not_established" in answer.text) == (409, True, False)
    assert f'href="{sheet}"' in answer.text


def test_the_sheet_of_a_received_sealed_ballot_does_not_know_the_choice(session: World) -> None:
    motion, client = open_sealed(session), session.client("luo")
    post_ballot(client, motion, padded("disapprove"))
    page = text_of(client.get(f"/motions/{motion.id}/ballot").text)
    assert ("已收到" in page, any(word in page for word in ("不同意", "disapprove"))) == (True, False)


def test_the_state_says_whether_a_ballot_was_received(session: World) -> None:
    motion, client = open_sealed(session), session.client("luo")
    assert client.get(f"/motions/{motion.id}/ballot/state").headers["panel-ballot"] == "none"
    post_ballot(client, motion, padded("approve"))
    with session.db() as db:
        mark = db.exec(select(SealedBallot.mark)).one()
    answer = client.get(f"/motions/{motion.id}/ballot/state")
    assert (answer.headers["panel-ballot"], "已收到" in answer.text) == (mark, True)


# Turnout


def test_the_turnout_is_the_chair_s_alone(session: World) -> None:
    motion = open_sealed(session)
    asked = ("chair", "luo", *OTHERS)
    answers = [session.client(who).get(f"/motions/{motion.id}/turnout").status_code for who in asked]
    assert answers == [200, *[403] * (len(asked) - 1)]


def test_the_turnout_goes_in_steps(session: World) -> None:
    motion = open_sealed(session)
    session.act(actions.cast_sealed, "luo", motion_id=motion.id, choice="approve")
    with session.db() as db:
        ballot = db.exec(select(SealedBallot)).one()
        step = queries.TURNOUT_STEP
        assert queries.turnout(db, motion, ballot.first_at + step) == 1
        assert queries.turnout(db, motion, ballot.first_at - step) == 0
        boundary = ballot.first_at.replace(second=ballot.first_at.second // 10 * 10, microsecond=0) + step
        assert queries.turnout(db, motion, boundary - step / 1000) == 0
        assert queries.turnout(db, motion, boundary) == 1


def test_the_turnout_of_an_open_vote_names_who_is_awaited(session: World) -> None:
    motion = open_fact(session)
    cast_all(session, motion, {key: "established" for key in EVERYBODY if key not in {"chair", "luo"}})
    page = text_of(session.client("chair").get(f"/motions/{motion.id}/turnout").text)
    assert ("罗正" in page, "秦月" in page) == (True, False)
    assert "不同意" not in page


# The tally page


def test_nobody_outside_knows_of_a_motion_before_the_announcement(session: World) -> None:
    motion = facts(session)[0]
    voted(session, motion, *["established"] * 9, by=EVERYBODY)
    outside = ("handler", "official", "helper", "authority", "observer", "projector")
    assert {key: session.client(key).get(f"/motions/{motion.id}").status_code for key in outside} == dict.fromkeys(
        outside, 404
    )
    inside = ("chair", "luo", "duan", "secretary", "recorder")
    assert {key: session.client(key).get(f"/motions/{motion.id}").status_code for key in inside} == dict.fromkeys(
        inside, 200
    )
    announce(session)
    assert {key: session.client(key).get(f"/motions/{motion.id}").status_code for key in outside} == dict.fromkeys(
        outside, 200
    )


def test_the_arithmetic_is_shown_in_words(session: World) -> None:
    motion = disposition(session, "exempt")
    voted(session, motion, *["approve"] * 5, "disapprove", "defer")
    page = text_of(session.client("luo").get(f"/motions/{motion.id}", headers=ENGLISH).text)
    assert "At least 2/3 of 9 members due is 6, that is at least 6. Present: 9. There is a quorum." in page
    assert "At least 2/3 of 7 is 4 2/3, that is at least 5. “Approve”: 5. The line is reached." in page
    assert "“Approve” and “Disapprove” differ by 4." in page


def test_an_open_vote_is_by_name_inside_and_by_number_outside(session: World) -> None:
    motion = facts(session)[0]
    opened(session, motion)
    cast_all(session, motion, {**ALL_YES, "luo": "not_established"})
    closed(session, motion)
    announce(session)
    pages = {key: session.client(key).get(f"/motions/{motion.id}").text for key in ("qin", "authority", "official")}
    assert {key: "罗正" in page for key, page in pages.items()} == {"qin": True, "authority": True, "official": False}
    assert {key: "理由见笔录" in page for key, page in pages.items()} == {
        "qin": True, "authority": True, "official": False,
    }  # fmt: skip
    assert all("不属实" in page for page in pages.values())


@pytest.mark.parametrize("choices", [["approve"] * 7, ["approve"] * 6 + ["disapprove"]])
def test_nearly_unanimous_secret_counts_stay_inside(session: World, choices: list[str]) -> None:
    motion = disposition(session)
    voted(session, motion, *choices)
    announce(session)
    assert "picture-gauge" in session.client("luo").get(f"/motions/{motion.id}").text
    for who in ("handler", "official", "authority", "observer", "projector"):
        outside = session.client(who).get(f"/motions/{motion.id}").text
        assert ("picture-gauge" in outside, "票数不公开" in outside, "通过" in outside) == (False, True, True)
        assert "不同意" not in text_of(outside)


def test_a_secret_result_names_nobody_beside_a_choice(session: World) -> None:
    motion = disposition(session)
    voted(session, motion, "approve", "approve", "approve", "approve", "disapprove", "defer", "abstain")
    page = session.client("luo").get(f"/motions/{motion.id}").text
    marks = re.findall(r"<g><title>([^<]*)</title>", page)
    assert marks == []
    rows = re.findall(r"<tr><th scope=\"row\"><span class=\"person\">(.*?)</tr>", page, re.DOTALL)
    assert len(rows) == 9
    assert all(word not in row for row in rows for word in ("同意", "缓议", "弃权"))


def test_an_annulled_motion_says_so_and_leads_on(session: World) -> None:
    motion = open_sealed(session)
    session.act(actions.annul, "chair", motion_id=motion.id, ground="问题表述有误")
    again = session.act(actions.repeat, "chair", motion_id=motion.id)
    page = session.client("luo").get(f"/motions/{motion.id}").text
    assert ("问题表述有误" in page, f"/motions/{again.id}" in page) == (True, True)


def test_hostile_questions_and_grounds_are_text(session: World) -> None:
    hostile = "\n".join(SCRIPTS)
    what = {"kind": "disposition", "question": hostile, "outcome": "deny"}
    motion = opened(session, session.act(actions.move, "chair", hearing_id=session.hearing_id, **what))
    client = session.client("luo")
    pages = [client.get(path).text for path in (f"/motions/{motion.id}/ballot", f"/hearings/{session.hearing_id}")]
    session.act(actions.annul, "chair", motion_id=motion.id, ground=hostile)
    pages.append(client.get(f"/motions/{motion.id}").text)
    assert [("onerror=alert(1)&gt;" in page, unescaped(page)) for page in pages] == [(True, [])] * 3
