"""The summary's way: composed by a whitelist, published as previewed, withdrawn with a tombstone."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from panel.core import clock
from panel.core.errors import Forbidden, Refused
from panel.decisions import actions as decisions
from panel.decisions.rules import Measure
from panel.dissents import actions as dissents
from panel.dissents import queries as filed
from panel.dissents.models import Dissent
from panel.hearings import actions as hearings
from panel.hearings import queries
from panel.hearings.models import Phase
from panel.publication import actions
from panel.publication import queries as queried
from panel.publication.models import Gist, Summary, SummaryState
from panel.record.models import RecordEntry
from panel.rulebook.rules import ProcedureRules
from panel.votes import queries as motions
from tests.corpus import SCRIPTS, unescaped
from tests.factories import World
from tests.hearings.course import EVERYBODY, hold_until
from tests.people import CAST
from tests.votes.chamber import events, hidden

CANARY = "不得外传的保留理由：欧阳岚电话13812345678"
GIST = "保留意见认为程序上尚有瑕疵，欧阳岚的说明不能补足；联系13812345678。"
MASKED = "保留意见认为程序上尚有瑕疵，欧阳某的说明不能补足；联系××。"


def settled(world: World) -> None:
    """Bring the case to its settled minutes, with a reservation by name that must not be told by name."""
    hold_until(world, Phase.SUMMING_UP)
    with world.db() as db:
        motion = motions.motions(db, world.hearing_id)[0]
    about: dict[str, Any] = {"subject_kind": "motion", "subject_id": motion.id}
    world.act(dissents.file, "luo", hearing_id=world.hearing_id, kind="reservation", text=CANARY, **about)
    with world.db() as db:
        phase = queries.phase(db, world.hearing_id)
    world.act(hearings.next_step, "chair", hearing_id=world.hearing_id, phase=phase)
    with world.db() as db:
        minutes = queries.minutes_of(db, world.hearing_id)
        assert minutes is not None
    for key in EVERYBODY:
        world.act(hearings.confirm, key, minutes_id=minutes.id, confirmed=True)


def decided(world: World) -> None:
    """Bring the case to its decision."""
    settled(world)
    decide(world)


def decide(world: World) -> None:
    """Let the authority decide and answer the reservation."""
    today = clock.now().date()
    with world.db() as db:
        answers = {d.id: "已研究。" for d in filed.of_case(db, world.case_id)}
    world.act(
        decisions.decide,
        "authority",
        case_id=world.case_id,
        outcome="exempt",
        measure="批评教育",
        reasons="动机为公，程序有瑕疵，事后补办。",
        today=today,
        measures=[Measure("完善应急采购办法", "某市河流管理局", today + timedelta(days=30))],
        answers=answers,
    )


def the_dissent(world: World) -> Dissent:
    """Return the reservation."""
    with world.db() as db:
        return filed.of_case(db, world.case_id)[0]


def approved(world: World) -> Gist:
    """Let the secretary propose the short text of the reservation, and its author approve it."""
    gist = world.act(actions.propose, "secretary", dissent_id=the_dissent(world).id, text=GIST)
    return world.act(actions.answer, "luo", gist_id=gist.id, approves=True)


def kinds(world: World) -> list[str]:
    """Return the kinds of publication's events in order."""
    with world.db() as db:
        found = db.exec(select(RecordEntry.kind).order_by(col(RecordEntry.index))).all()
    return [kind for kind in found if kind.startswith("publication.")]


def test_before_the_decision_there_is_no_summary(world: World) -> None:
    with pytest.raises(Refused, match="has not decided"):
        world.act(actions.compose, "secretary", case=world.case_id)
    assert kinds(world) == []


def test_the_very_text_that_was_previewed_is_published(world: World) -> None:
    decided(world)
    draft = world.act(actions.compose, "secretary", case=world.case_id)
    with pytest.raises(Refused, match="composed anew"):
        world.act(actions.publish, "secretary", case=world.case_id, body_sha256="0" * 64)
    published = world.act(actions.publish, "secretary", case=world.case_id, body_sha256=draft.body_sha256)
    assert (published.state, published.body_sha256) == (SummaryState.PUBLISHED, draft.body_sha256)
    assert kinds(world) == ["publication.summary_composed", "publication.summary_published"]
    with pytest.raises(Refused, match="stays as it is"):
        world.act(actions.compose, "secretary", case=world.case_id)
    page = world.client().get(f"/public/{published.slug}")
    assert page.status_code == 200
    assert "set-cookie" not in page.headers
    assert "容错免责" in page.text


def test_the_public_reads_no_name_and_no_number(world: World) -> None:
    decided(world)
    approved(world)
    draft = world.act(actions.compose, "secretary", case=world.case_id)
    world.act(actions.publish, "secretary", case=world.case_id, body_sha256=draft.body_sha256)
    page = world.client().get(f"/public/{draft.slug}").text
    assert (MASKED in page, "不得外传" in page) == (True, False)
    names = [someone.name for someone in CAST if someone.name not in {"黄某", "投影"}]
    assert [name for name in names if name in page] == []
    assert world.case_id not in page
    assert world.hearing_id not in page


def test_a_secret_count_that_would_betray_members_is_not_told(world: World) -> None:
    decided(world)
    draft = world.act(actions.compose, "secretary", case=world.case_id)
    (disposition,) = draft.body["dispositions"]
    assert (disposition["carried"], disposition["shown"]) == ("carried", "passed_only")
    assert "counts" not in disposition
    assert all("counts" in fact for fact in draft.body["facts"])


def test_a_draft_is_not_public(world: World) -> None:
    decided(world)
    draft = world.act(actions.compose, "secretary", case=world.case_id)
    client = world.client()
    assert client.get(f"/public/{draft.slug}").status_code == 404
    assert draft.title not in client.get("/public").text


def test_a_withdrawn_summary_leaves_a_tombstone_with_its_reason(world: World) -> None:
    decided(world)
    draft = world.act(actions.compose, "secretary", case=world.case_id)
    world.act(actions.publish, "secretary", case=world.case_id, body_sha256=draft.body_sha256)
    with pytest.raises(Refused, match="Say why"):
        world.act(actions.withdraw, "secretary", case=world.case_id, reason="")
    world.act(actions.withdraw, "secretary", case=world.case_id, reason="决定已变更。")
    page = world.client().get(f"/public/{draft.slug}")
    assert page.status_code == 410
    assert "决定已变更。" in page.text
    assert draft.body["matter"] not in page.text
    assert kinds(world)[-1] == "publication.summary_withdrawn"
    with world.db() as db:
        assert db.exec(select(Summary.state)).one() is SummaryState.WITHDRAWN


def test_only_the_secretary_publishes(world: World) -> None:
    decided(world)
    for who in ("chair", "luo", "handler", "official", "authority", "observer"):
        client = world.client(who)
        token = world.token(client, "/devices")
        answer = client.post(f"/cases/{world.case_id}/summary/composition", data={"csrf": token["csrf"], "idem": "x"})
        assert answer.status_code == 403
    assert kinds(world) == []


# What the public reads of a dissent


def refusal(world: World, action: Any, who: str, **what: Any) -> str:
    """Return the sentence with which an act is refused; it left nothing on the record."""
    before = len(events(world))
    with pytest.raises(Refused) as refused:
        world.act(action, who, **what)
    assert len(events(world)) == before
    return str(refused.value.reason)


def told(world: World) -> list[dict[str, Any]]:
    """Compose the summary and return what it tells of dissents."""
    return list(world.act(actions.compose, "secretary", case=world.case_id).body["dissents"])


def test_what_its_author_approved_is_published_to_the_letter_with_the_answer(world: World) -> None:
    decided(world)
    gist = approved(world)
    assert (gist.text, gist.approved) == (MASKED, True)
    (proposal,), (approval,) = (events(world, f"publication.gist_{what}") for what in ("proposed", "approved"))
    assert (proposal["text"], proposal["dissent"]) == (MASKED, gist.dissent_id)
    assert approval["text_sha256"] == dissents.text_sha256(MASKED)
    assert told(world) == [
        {"number": 1, "kind": "reservation", "text": MASKED, "by": "", "joined": 0, "answer": "已研究。"}
    ]


def test_without_its_authors_approval_only_number_and_kind_are_published(world: World) -> None:
    decided(world)
    bare = [{"number": 1, "kind": "reservation", "text": ""}]
    assert told(world) == bare
    gist = world.act(actions.propose, "secretary", dissent_id=the_dissent(world).id, text=GIST)
    assert told(world) == bare
    world.act(actions.answer, "luo", gist_id=gist.id, approves=False, words="漏了第二点")
    assert told(world) == bare
    draft = world.act(actions.compose, "secretary", case=world.case_id)
    world.act(actions.publish, "secretary", case=world.case_id, body_sha256=draft.body_sha256)
    page = world.client().get(f"/public/{draft.slug}").text
    assert [text for text in (MASKED, "不得外传", "已研究", "漏了第二点") if text in page] == []
    assert "提出人未同意公开要点" in page


def test_an_author_sends_it_back_with_words_and_another_is_proposed(world: World) -> None:
    settled(world)
    dissent = the_dissent(world)
    first = world.act(actions.propose, "secretary", dissent_id=dissent.id, text=GIST)
    assert refusal(world, actions.answer, "luo", gist_id=first.id, approves=False) == "Say what is not right about it."
    world.act(actions.answer, "luo", gist_id=first.id, approves=False, words="漏了第二点")
    (event,) = events(world, "publication.gist_returned")
    assert (event["words"], event["number"]) == ("漏了第二点", 1)
    second = world.act(actions.propose, "secretary", dissent_id=dissent.id, text="另一种写法")
    said = refusal(world, actions.answer, "luo", gist_id=first.id, approves=True)
    assert said == "Another text was proposed meanwhile. Read that one first."
    world.act(actions.answer, "luo", gist_id=second.id, approves=True)
    said = refusal(world, actions.answer, "luo", gist_id=second.id, approves=False, words="改主意")
    assert said == "You have answered this already."
    said = refusal(world, actions.propose, "secretary", dissent_id=dissent.id, text="再改")
    assert said == "The author has approved the short text. It stays as it is."
    decide(world)
    assert [dissent["text"] for dissent in told(world)] == ["另一种写法"]


def test_nobody_but_its_author_approves(world: World) -> None:
    settled(world)
    gist = world.act(actions.propose, "secretary", dissent_id=the_dissent(world).id, text=GIST)
    for who in ("qin", "chair", "secretary", "authority"):
        with pytest.raises(Forbidden):
            world.act(actions.answer, who, gist_id=gist.id, approves=True)
    assert events(world, "publication.gist_approved") == []


def test_nothing_is_proposed_while_the_author_may_add_to_it_or_after_a_withdrawal(world: World) -> None:
    hold_until(world, Phase.SUMMING_UP)
    with world.db() as db:
        motion = motions.motions(db, world.hearing_id)[0]
    about: dict[str, Any] = {"subject_kind": "motion", "subject_id": motion.id}
    dissent = world.act(
        dissents.file, "luo", hearing_id=world.hearing_id, kind="reservation", text=CANARY, **about
    )  # fmt: skip
    said = refusal(world, actions.propose, "secretary", dissent_id=dissent.id, text=GIST)
    assert said == "The minutes are not settled yet. Until then the author may add to the dissent."
    world.act(dissents.withdraw, "luo", dissent_id=dissent.id)
    said = refusal(world, actions.propose, "secretary", dissent_id=dissent.id, text=GIST)
    assert said == "This dissent was withdrawn."


def test_what_was_approved_of_a_dissent_that_is_then_withdrawn_is_not_published(world: World) -> None:
    settled(world)
    approved(world)
    world.act(dissents.withdraw, "luo", dissent_id=the_dissent(world).id)
    decide(world)
    assert told(world) == []


def test_a_draft_from_before_an_approval_is_not_published(world: World) -> None:
    decided(world)
    draft = world.act(actions.compose, "secretary", case=world.case_id)
    approved(world)
    said = refusal(world, actions.publish, "secretary", case=world.case_id, body_sha256=draft.body_sha256)
    assert said == "The record says more than this draft by now. Compose it anew."


def test_after_publication_nothing_is_proposed_or_approved(world: World) -> None:
    decided(world)
    dissent = the_dissent(world)
    gist = world.act(actions.propose, "secretary", dissent_id=dissent.id, text=GIST)
    draft = world.act(actions.compose, "secretary", case=world.case_id)
    world.act(actions.publish, "secretary", case=world.case_id, body_sha256=draft.body_sha256)
    late = "The summary has been published and stays as it is."
    assert refusal(world, actions.propose, "secretary", dissent_id=dissent.id, text=GIST) == late
    assert refusal(world, actions.answer, "luo", gist_id=gist.id, approves=True) == late


def test_names_of_authors_are_published_where_the_rules_say_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    decided(world)
    approved(world)
    monkeypatch.setattr(ProcedureRules, "published_names", True)
    assert [dissent["by"] for dissent in told(world)] == ["罗正"]


def test_before_publication_only_the_author_and_the_secretary_read_a_short_text(world: World) -> None:
    decided(world)
    gist = world.act(actions.propose, "secretary", dissent_id=the_dissent(world).id, text=GIST)
    world.act(actions.compose, "secretary", case=world.case_id)
    everybody = (
        "chair", "luo", "qin", "secretary", "recorder", "handler", "official", "helper", "authority", "observer", None,
    )  # fmt: skip
    case, hearing = f"/cases/{world.case_id}", f"/hearings/{world.hearing_id}"
    paths = (case, f"{case}/summary", f"{case}/finding", f"{case}/decision", hearing, f"{hearing}/minutes", "/public")
    clients = {who: world.client(who) for who in everybody}
    readers = [who for who in everybody if any(MASKED in clients[who].get(path).text for path in paths)]
    assert readers == ["luo", "secretary"]
    world.act(actions.answer, "luo", gist_id=gist.id, approves=False, words="不得外传的退回理由")
    told_why = [who for who in everybody if any("不得外传的退回理由" in clients[who].get(path).text for path in paths)]
    assert told_why == ["secretary"]


def test_hostile_short_texts_are_text(world: World) -> None:
    settled(world)
    hostile = "\n".join(SCRIPTS)
    gist = world.act(actions.propose, "secretary", dissent_id=the_dissent(world).id, text=hostile)
    asked = world.client("luo").get(f"/cases/{world.case_id}").text
    world.act(actions.answer, "luo", gist_id=gist.id, approves=False, words=hostile)
    returned = world.client("secretary").get(f"/cases/{world.case_id}/summary").text
    assert ("onerror=alert(1)&gt;" in asked, "onerror=alert(1)&gt;" in returned) == (True, True)
    assert unescaped(asked) + unescaped(returned) == []


def test_the_author_and_the_secretary_agree_by_their_forms(world: World) -> None:
    settled(world)
    secretary, author = world.client("secretary"), world.client("luo")
    case, dissent = f"/cases/{world.case_id}", the_dissent(world)
    fields = hidden(secretary.get(f"{case}/summary").text, "propose-gist")
    sent = secretary.post(f"/dissents/{dissent.id}/gists", data={**fields, "text": GIST}, follow_redirects=False)
    assert sent.status_code == 303
    with world.db() as db:
        gist = queried.newest_gists(db, world.case_id)[dissent.id]
    fields = hidden(author.get(case).text, "answer-gist")
    path = f"/gists/{gist.id}/answer"
    assert author.post(path, data={**fields, "answer": "return"}, follow_redirects=False).status_code == 409
    assert author.post(path, data={**fields, "answer": "perhaps"}, follow_redirects=False).status_code == 422
    fields = hidden(author.get(case).text, "answer-gist")
    assert author.post(path, data={**fields, "answer": "approve"}, follow_redirects=False).status_code == 303
    assert 'data-form="answer-gist"' not in author.get(case).text
    assert 'data-form="propose-gist"' not in secretary.get(f"{case}/summary").text
