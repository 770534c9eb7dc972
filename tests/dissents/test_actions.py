"""Filing, joining, adding, withdrawing: verbatim, by name, in time, and never under a secret vote by mistake."""

from typing import Any

import pytest

from panel.cases import queries as cases
from panel.committees import actions as committees
from panel.core.errors import Forbidden, Refused
from panel.dissents import actions, queries
from panel.hearings.models import Phase
from panel.rulebook.rules import ProcedureRules
from panel.votes import actions as votes
from panel.votes.models import Motion
from tests.dissents.filing import TEXT, file
from tests.factories import World
from tests.votes.chamber import EVERYBODY, events, facts, open_fact, opened, sit, to_phase, voted


def refusal(world: World, action: Any, who: str, **what: Any) -> str:
    """Return the sentence with which an act is refused; it left nothing on the record."""
    before = len(events(world))
    with pytest.raises(Refused) as refused:
        world.act(action, who, **what)
    assert len(events(world)) == before
    return str(refused.value.reason)


def test_a_dissent_is_kept_and_recorded_word_for_word(world: World, fact: Motion) -> None:
    dissent = file(world, "luo", fact, consideration="process")
    (event,) = events(world, "dissents.dissent_filed")
    told = {k: event[k] for k in ("dissent", "number", "dissent_kind", "subject_kind", "subject", "seat", "text")}
    assert told == {
        "dissent": dissent.id, "number": 1, "dissent_kind": "reservation", "subject_kind": "motion",
        "subject": fact.id, "seat": world.seats["luo"], "text": TEXT,
    }  # fmt: skip
    assert (event["consideration"], event["text_sha256"]) == ("process", actions.text_sha256(TEXT))
    with world.db() as db:
        assert [(d.text, d.seat_id, d.number) for d in queries.of_case(db, world.case_id)] == [
            (TEXT, world.seats["luo"], 1)
        ]


def test_dissents_are_numbered_in_the_case(world: World, fact: Motion) -> None:
    assert [file(world, key, fact).number for key in ("luo", "qin", "luo")] == [1, 2, 3]


def test_a_secret_vote_needs_an_express_waiver(world: World, secret: Motion) -> None:
    what = {"kind": "dissent", "subject_kind": "motion", "subject_id": secret.id, "text": TEXT}
    said = refusal(world, actions.file, "luo", hearing_id=world.hearing_id, **what)
    assert said.startswith("The vote was secret.")
    assert file(world, "luo", secret, waives_secrecy=True).waives_secrecy is True
    (event,) = events(world, "dissents.dissent_filed")
    assert event["waives_secrecy"] is True


def test_a_dissent_on_the_finding_needs_the_waiver_too(world: World, secret: Motion) -> None:
    what = {"kind": "dissent", "subject_kind": "finding", "subject_id": "", "text": TEXT}
    said = refusal(world, actions.file, "luo", hearing_id=world.hearing_id, **what)
    assert said.startswith("The vote was secret.")
    world.act(actions.file, "luo", hearing_id=world.hearing_id, waives_secrecy=True, **what)
    assert [e["subject_kind"] for e in events(world, "dissents.dissent_filed")] == ["finding"]


def test_joining_a_dissent_on_a_secret_vote_needs_the_waiver(world: World, secret: Motion) -> None:
    dissent = file(world, "luo", secret, waives_secrecy=True)
    assert refusal(world, actions.join, "qin", dissent_id=dissent.id).startswith("The vote was secret.")
    world.act(actions.join, "qin", dissent_id=dissent.id, waives_secrecy=True)
    (event,) = events(world, "dissents.dissent_joined")
    assert (event["seat"], event["waives_secrecy"]) == (world.seats["qin"], True)


def test_stakeholders_and_media_may_dissent_though_they_do_not_vote(world: World, secret: Motion) -> None:
    assert file(world, "duan", secret, waives_secrecy=True).number == 1


def test_a_motion_must_be_closed_and_of_this_case(world: World) -> None:
    motion = open_fact(sit(world))
    what = {"kind": "dissent", "subject_kind": "motion", "text": TEXT, "hearing_id": world.hearing_id}
    said = refusal(world, actions.file, "luo", subject_id=motion.id, **what)
    assert said == "A dissent on a motion is filed once voting on it has closed."
    said = refusal(world, actions.file, "luo", subject_id="0" * 32, **what)
    assert said == "What the dissent is about is not part of this case."


def test_what_it_is_about_must_be_known(world: World, fact: Motion) -> None:
    for kind, named in (("consideration", "luck"), ("consideration", ""), ("finding", "x")):
        what = {"kind": "dissent", "text": TEXT, "subject_kind": kind, "subject_id": named}
        said = refusal(world, actions.file, "luo", hearing_id=world.hearing_id, **what)
        assert said == "What the dissent is about is not part of this case."


def question(world: World, number: int) -> str:
    """Return the id of a question of fact."""
    with world.db() as db:
        return next(q.id for q in cases.questions(db, world.case_id) if q.number == number)


def test_a_dissent_may_be_about_a_question_of_fact_that_was_never_put(world: World) -> None:
    to_phase(sit(world), Phase.DELIBERATION)
    asked = question(world, 2)
    filed = file_about(world, "luo", asked)
    (event,) = events(world, "dissents.dissent_filed")
    assert (event["subject_kind"], event["subject"], event["dissent"]) == ("question", asked, filed)
    with world.db() as db:
        (told,) = queries.told(db, world.case_id)
        offered = [q.number for q in queries.questions(db, world.case_id)]
    assert (told.question.number if told.question else 0, told.motion, told.secret, offered) == (2, None, False, [1, 2])


def test_a_question_of_fact_that_is_put_waits_for_its_vote(world: World) -> None:
    first, _ = facts(sit(world))
    said = "This question of fact is on the list of motions. A dissent on it is filed once it was voted on."
    assert refusal(world, actions.file, "luo", **about(world, question(world, 1))) == said
    opened(world, first)
    assert refusal(world, actions.file, "luo", **about(world, question(world, 1))) == said
    with world.db() as db:
        assert queries.questions(db, world.case_id) == []
    world.act(votes.annul, "chair", motion_id=first.id, ground="材料有误")
    with world.db() as db:
        assert [q.number for q in queries.questions(db, world.case_id)] == [1]
    again = world.act(votes.repeat, "chair", motion_id=first.id)
    assert refusal(world, actions.file, "luo", **about(world, question(world, 1))) == said
    voted(world, again, *["established"] * 9, by=EVERYBODY)
    assert file_about(world, "luo", question(world, 1))


def test_a_question_of_another_case_or_of_none_is_refused(world: World, fact: Motion) -> None:
    for id in ("0" * 32, fact.id, ""):
        said = refusal(world, actions.file, "luo", **about(world, id))
        assert said == "What the dissent is about is not part of this case."


def test_where_facts_are_voted_on_in_secret_a_dissent_on_one_needs_the_waiver_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ProcedureRules, "secrecy", lambda rules, kind: "sealed")
    first, second = facts(sit(world))
    voted(world, first, *["established"] * 9, by=EVERYBODY)
    assert first.secrecy == "sealed"
    said = refusal(world, actions.file, "luo", **about(world, question(world, 1)))
    assert said.startswith("The vote was secret.")
    world.act(votes.annul, "chair", motion_id=opened(world, second).id, ground="材料有误")
    said = refusal(world, actions.file, "luo", **about(world, question(world, 2)))
    assert said.startswith("The vote was secret.")
    assert file_about(world, "luo", question(world, 2), waives_secrecy=True)


def test_a_question_that_was_never_put_is_as_secret_as_the_rules_make_its_vote(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_phase(sit(world), Phase.DELIBERATION)
    monkeypatch.setattr(ProcedureRules, "secrecy", lambda rules, kind: "sealed")
    said = refusal(world, actions.file, "luo", **about(world, question(world, 1)))
    assert said.startswith("The vote was secret.")


def about(world: World, question_id: str, **more: Any) -> dict[str, Any]:
    """Return what is sent with a reservation on a question of fact."""
    what = {"kind": "reservation", "subject_kind": "question", "subject_id": question_id, "text": TEXT}
    return {**what, "hearing_id": world.hearing_id, **more}


def file_about(world: World, who: str, question_id: str, **more: Any) -> str:
    """File a reservation on a question of fact; return its id."""
    return str(world.act(actions.file, who, **about(world, question_id, **more)).id)


def test_a_dissent_may_be_about_one_of_the_six_considerations(world: World, fact: Motion) -> None:
    what = {"kind": "concurrence", "subject_kind": "consideration", "subject_id": "motive", "text": TEXT}
    assert world.act(actions.file, "luo", hearing_id=world.hearing_id, **what).subject_id == "motive"


def test_only_members_file(world: World, fact: Motion) -> None:
    for who in ("secretary", "recorder", "handler", "official", "authority", "observer", "he"):
        with pytest.raises(Forbidden):
            file(world, who, fact)


def test_a_recused_member_files_nothing_more(world: World, fact: Motion) -> None:
    world.act(committees.recuse, "luo", seat_id=world.seats["luo"], ground="interest", statement="亲属任职")
    with pytest.raises(Forbidden):
        file(world, "luo", fact)


def test_dissents_come_from_the_deliberation_on(world: World, fact: Motion) -> None:
    for phase in (Phase.SCHEDULED, Phase.OPENING, Phase.QUESTIONS):
        to_phase(world, phase)
        with pytest.raises(Refused) as refused:
            file(world, "luo", fact)
        assert str(refused.value) == "Dissents are filed from the closed deliberation on."


def test_dissents_end_when_the_minutes_are_settled(world: World, fact: Motion, monkeypatch: pytest.MonkeyPatch) -> None:
    dissent = file(world, "luo", fact)
    monkeypatch.setattr("panel.core.hooks.DISSENTS_OPEN", [lambda db, hearing_id: False])
    assert refusal(world, actions.join, "qin", dissent_id=dissent.id).startswith("The minutes are settled.")
    with pytest.raises(Refused) as refused:
        file(world, "qin", fact)
    assert str(refused.value) == "The minutes are settled. Dissents could be filed until then."


def test_others_join_once_and_the_author_not_at_all(world: World, fact: Motion) -> None:
    dissent = file(world, "luo", fact)
    world.act(actions.join, "qin", dissent_id=dissent.id)
    assert refusal(world, actions.join, "qin", dissent_id=dissent.id) == "You have joined this dissent already."
    assert refusal(world, actions.join, "luo", dissent_id=dissent.id) == "This is your own dissent."
    with world.db() as db:
        (told,) = queries.told(db, world.case_id)
    assert (told.author, told.joined) == ("罗正", ("秦月",))


ADDED = "补充：\n　　财政部门的复函亦可佐证。<i>照录</i>"


def test_an_addendum_is_kept_below_what_was_filed_word_for_word(world: World, fact: Motion) -> None:
    dissent = file(world, "luo", fact)
    added = [world.act(actions.supplement, "luo", dissent_id=dissent.id, text=text).number for text in (ADDED, "再补")]
    with world.db() as db:
        (told,) = queries.told(db, world.case_id)
    assert (told.dissent.text, [a.text for a in told.addenda], added) == (TEXT, [ADDED, "再补"], [1, 2])
    told_of = [(e["number"], e["text"], e["text_sha256"]) for e in events(world, "dissents.addendum_filed")]
    assert told_of == [(1, ADDED, actions.text_sha256(ADDED)), (2, "再补", actions.text_sha256("再补"))]


def test_only_the_author_adds_and_only_to_what_was_not_withdrawn(world: World, fact: Motion) -> None:
    dissent = file(world, "luo", fact)
    world.act(actions.join, "qin", dissent_id=dissent.id)
    for who in ("qin", "chair", "shi"):
        said = refusal(world, actions.supplement, who, dissent_id=dissent.id, text=ADDED)
        assert said == "Only the author may add to a dissent."
    with pytest.raises(Forbidden):
        world.act(actions.supplement, "secretary", dissent_id=dissent.id, text=ADDED)
    world.act(actions.withdraw, "luo", dissent_id=dissent.id)
    said = refusal(world, actions.supplement, "luo", dissent_id=dissent.id, text=ADDED)
    assert said == "This dissent was withdrawn."


def test_addenda_end_with_the_filing(world: World, fact: Motion, monkeypatch: pytest.MonkeyPatch) -> None:
    dissent = file(world, "luo", fact)
    monkeypatch.setattr("panel.core.hooks.DISSENTS_OPEN", [lambda db, hearing_id: False])
    said = refusal(world, actions.supplement, "luo", dissent_id=dissent.id, text=ADDED)
    assert said.startswith("The minutes are settled.")


def test_who_joined_before_an_addendum_has_not_joined_it(world: World, fact: Motion) -> None:
    dissent = file(world, "luo", fact)
    for who, text in (("qin", ADDED), ("shi", "再补")):
        world.act(actions.join, who, dissent_id=dissent.id)
        world.act(actions.supplement, "luo", dissent_id=dissent.id, text=text)
    world.act(actions.join, "meng", dissent_id=dissent.id)
    with world.db() as db:
        (told,) = queries.told(db, world.case_id)
    assert (told.joined, [a.joined for a in told.addenda]) == (("秦月",), [("石磊",), ("孟工",)])
    assert told.joined_seats == {world.seats[who] for who in ("qin", "shi", "meng")}


def test_a_withdrawal_may_say_why(world: World, fact: Motion) -> None:
    first, second = file(world, "luo", fact), file(world, "luo", fact)
    world.act(actions.withdraw, "luo", dissent_id=first.id, reason="听取说明后已无异议。")
    world.act(actions.withdraw, "luo", dissent_id=second.id)
    assert [e["reason"] for e in events(world, "dissents.dissent_withdrawn")] == ["听取说明后已无异议。", ""]
    with world.db() as db:
        told = [(t.dissent.text, t.dissent.withdrawal_reason) for t in queries.told(db, world.case_id)]
    assert told == [(TEXT, "听取说明后已无异议。"), (TEXT, "")]


def test_only_the_author_withdraws_and_it_stays_on_the_record(world: World, fact: Motion) -> None:
    dissent = file(world, "luo", fact)
    for who in ("qin", "chair"):
        said = refusal(world, actions.withdraw, who, dissent_id=dissent.id)
        assert said == "Only the author may withdraw a dissent."
    world.act(actions.withdraw, "luo", dissent_id=dissent.id)
    assert [e["kind"] for e in events(world, "dissents.")] == ["dissents.dissent_filed", "dissents.dissent_withdrawn"]
    assert refusal(world, actions.withdraw, "luo", dissent_id=dissent.id) == "This dissent was withdrawn."
    assert refusal(world, actions.join, "qin", dissent_id=dissent.id) == "This dissent was withdrawn."
    with world.db() as db:
        assert (queries.standing(db, world.case_id), queries.unanswered(db, world.case_id)) == ([], [])
        assert [d.text for d in queries.of_case(db, world.case_id)] == [TEXT]


def test_an_answered_dissent_is_not_withdrawn(world: World, fact: Motion) -> None:
    dissent = file(world, "luo", fact)
    world.act(actions.answer, "authority", dissent_id=dissent.id, text="已研究。")
    said = refusal(world, actions.withdraw, "luo", dissent_id=dissent.id)
    assert said == "The deciding authority has answered this dissent. It stays on the record."
    said = refusal(world, actions.answer, "authority", dissent_id=dissent.id, text="再答")
    assert said == "This dissent has been answered."
    assert [e["text"] for e in events(world, "dissents.dissent_answered")] == ["已研究。"]
