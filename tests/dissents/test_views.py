"""The dissents' forms and parts over HTTP."""

from panel.cases import queries as cases
from panel.dissents import actions, queries
from panel.hearings.models import Phase
from panel.votes.models import Motion
from tests.corpus import SCRIPTS, unescaped
from tests.dissents.filing import TEXT, file
from tests.factories import World
from tests.votes.chamber import events, hidden, sit, to_phase


def page(world: World, who: str) -> str:
    """Return somebody's live page."""
    answer = world.client(who).get(f"/hearings/{world.hearing_id}")
    assert answer.status_code == 200
    return answer.text


def send(world: World, who: str, **fields: str) -> int:
    """File by the form of the live page."""
    client = world.client(who)
    filled = {**hidden(client.get(f"/hearings/{world.hearing_id}").text, "file-dissent"), "kind": "reservation"}
    path = f"/hearings/{world.hearing_id}/dissents"
    return client.post(path, data={**filled, "text": "保留意见", **fields}, follow_redirects=False).status_code


def test_a_member_files_joins_and_withdraws_on_the_live_page(world: World, secret: Motion) -> None:
    motion_id = secret.id
    assert send(world, "luo", about=f"motion:{motion_id}") == 409
    assert send(world, "luo", about=f"motion:{motion_id}", waives_secrecy="true", consideration="basis") == 303
    with world.db() as db:
        (filed,) = queries.of_case(db, world.case_id)
    for who, form, path, more in (
        ("qin", "join-dissent", "joinings", {"waives_secrecy": "true"}),
        ("luo", "withdraw-dissent", "withdrawal", {}),
    ):
        client = world.client(who)
        fields = hidden(client.get(f"/hearings/{world.hearing_id}").text, form)
        answer = client.post(f"/dissents/{filed.id}/{path}", data={**fields, **more}, follow_redirects=False)
        assert answer.status_code == 303
    assert [e["kind"].removeprefix("dissents.dissent_") for e in events(world, "dissents.")] == [
        "filed", "joined", "withdrawn",
    ]  # fmt: skip


def test_the_author_adds_to_it_and_says_why_it_is_withdrawn_on_the_live_page(world: World, fact: Motion) -> None:
    dissent = file(world, "luo", fact)
    for form, path, more in (
        ("add-to-dissent", "addenda", {"text": "补充一点。"}),
        ("withdraw-dissent", "withdrawal", {"reason": "已无异议。"}),
    ):
        client = world.client("luo")
        fields = hidden(client.get(f"/hearings/{world.hearing_id}").text, form)
        answer = client.post(f"/dissents/{dissent.id}/{path}", data={**fields, **more}, follow_redirects=False)
        assert answer.status_code == 303
    shown = page(world, "qin")
    assert ("补充一点。" in shown, "已无异议。" in shown) == (True, True)
    assert 'data-form="add-to-dissent"' not in page(world, "luo")


def test_a_question_of_fact_is_offered_and_may_be_chosen(world: World) -> None:
    to_phase(sit(world), Phase.DELIBERATION)
    with world.db() as db:
        asked = cases.questions(db, world.case_id)[1].id
    assert f'value="question:{asked}"' in page(world, "luo")
    assert send(world, "luo", about=f"question:{asked}") == 303
    assert "事实问题2" in page(world, "qin")


def test_a_subject_that_cannot_be_read_is_refused(world: World, fact: Motion) -> None:
    unreadable = ("", "motion:", "question:", "finding:x", "case:1", "motion", "consideration:", "motion:" + "0" * 60)
    assert [send(world, "luo", about=about) for about in unreadable] == [422] * len(unreadable)
    assert events(world, "dissents.") == []


def test_only_the_panel_reads_names(world: World, fact: Motion) -> None:
    file(world, "luo", fact)
    first = TEXT.split("\n")[1][:7]
    inside = {who: first in page(world, who) for who in ("chair", "qin", "secretary", "recorder")}
    assert inside == dict.fromkeys(inside, True)
    outside = {who: first in page(world, who) for who in ("handler", "official", "helper", "authority", "observer")}
    assert outside == dict.fromkeys(outside, False)


def test_who_has_no_seat_files_joins_and_withdraws_nothing(world: World, fact: Motion) -> None:
    dissent = file(world, "luo", fact)
    what = {"kind": "dissent", "about": "finding", "text": "x"}
    for who in ("handler", "official", "authority", "observer", "secretary"):
        client = world.client(who)
        token = {"csrf": world.token(client, "/password")["csrf"]}
        answers = [
            client.post(f"/hearings/{world.hearing_id}/dissents", data={**token, **what}),
            client.post(f"/dissents/{dissent.id}/joinings", data=token),
            client.post(f"/dissents/{dissent.id}/addenda", data={**token, "text": "x"}),
            client.post(f"/dissents/{dissent.id}/withdrawal", data=token),
        ]
        assert [answer.status_code for answer in answers] == [403] * 4
    assert len(events(world, "dissents.")) == 1


def test_a_foreign_dissent_answers_like_a_missing_one(world: World, fact: Motion) -> None:
    dissent = file(world, "luo", fact)
    client = world.client("stranger")
    token = {"csrf": world.token(client, "/password")["csrf"]}
    answers = [client.post(f"/dissents/{id}/joinings", data=token).status_code for id in (dissent.id, "0" * 32)]
    assert answers == [404, 404]


def test_hostile_dissents_are_text(world: World, fact: Motion) -> None:
    dissent = file(world, "luo", fact, text="\n".join(SCRIPTS))
    world.act(actions.supplement, "luo", dissent_id=dissent.id, text="\n".join(SCRIPTS))
    world.act(actions.withdraw, "luo", dissent_id=dissent.id, reason="\n".join(SCRIPTS))
    shown = page(world, "qin")
    assert ("onerror=alert(1)&gt;" in shown, unescaped(shown)) == (True, [])


def test_an_answer_is_shown_with_its_dissent(world: World, fact: Motion) -> None:
    dissent = file(world, "luo", fact)
    world.act(actions.answer, "authority", dissent_id=dissent.id, text="已列入整改要求第一项。")
    assert "已列入整改要求第一项。" in page(world, "luo")
