"""The finding is what the votes say; the decision carries what it must, or is refused in words."""

from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from sqlmodel import select

from panel.cases import queries as cases
from panel.core.errors import Refused
from panel.decisions import actions, queries
from panel.decisions.models import CorrectiveMeasure, Decision
from panel.decisions.rules import Measure
from panel.dissents import queries as dissents
from panel.dissents.actions import join, supplement, withdraw
from panel.hearings.models import Phase
from panel.rulebook.queries import duty_rules
from panel.rulebook.rules import why_apart
from panel.votes import actions as votes
from panel.votes import queries as vote_queries
from tests.decisions.bench import LOST, MEASURE, TODAY, decide, found, heard
from tests.dissents.filing import file
from tests.factories import World
from tests.votes.chamber import EVERYBODY, disposition, events, facts, open_sealed, reread, sit, to_phase, voted


def refusal(world: World, **what: Any) -> str:
    """Return the sentence with which a decision is refused; it left nothing."""
    before = len(events(world))
    with pytest.raises(Refused) as refused:
        decide(world, **what)
    with world.db() as db:
        assert (queries.decision(db, world.case_id), len(events(world))) == (None, before)
    return str(refused.value.reason)


# The finding


def test_the_finding_is_computed_from_the_motions(world: World) -> None:
    finding = found(heard(world))
    assert finding.outcome == "mitigate"
    assert [(f["number"], f["motion"], f["carried"], f["settled"]) for f in finding.facts] == [
        (1, 1, "carried", "established"), (2, 2, "lost", "not_established"),
    ]  # fmt: skip
    assert [(m["number"], m["outcome"], m["carried"]) for m in finding.motions] == [(3, "mitigate", "carried")]
    (event,) = events(world, "decisions.finding_made")
    assert (event["outcome"], event["motions"], event["dissents"]) == ("mitigate", finding.motions, 0)
    question = "闸门是否存在漏水隐患？"
    assert event["facts"][0] == {
        "number": 1, "motion": 1, "carried": "carried", "settled": "established",
        "question_sha256": sha256(question.encode()).hexdigest(),
    }  # fmt: skip


def test_the_first_carried_disposition_gives_the_outcome(world: World) -> None:
    heard(world, outcome="exempt", choices=LOST)
    voted(world, disposition(world, "mitigate"), *LOST)
    voted(world, disposition(world, "deny"), *["approve"] * 5, "disapprove", "disapprove")
    finding = found(world)
    assert (finding.outcome, [m["carried"] for m in finding.motions]) == ("deny", ["lost", "lost", "carried"])


def test_no_carried_disposition_is_no_majority(world: World) -> None:
    assert found(heard(world, choices=LOST)).outcome == ""


def test_another_ballot_is_another_outcome(world: World) -> None:
    """Four of seven carry a mitigation (more than half); three do not."""
    heard(world, choices=["approve"] * 3 + ["disapprove"] * 2 + ["defer"] * 2)
    assert found(world).outcome == ""


def test_the_last_vote_on_a_question_counts(world: World) -> None:
    first, _ = facts(sit(world))
    tie = ["established"] * 4 + ["not_established"] * 4 + ["undetermined"]
    assert voted(world, first, *tie, by=reversed(EVERYBODY)).carried == "deferred"
    again = world.act(votes.repeat, "chair", motion_id=first.id)
    voted(world, again, *["established"] * 9, by=EVERYBODY)
    finding = found(world)
    assert [(f["motion"], f["settled"], f["carried"]) for f in finding.facts] == [
        (again.number, "established", "carried"), (None, "", ""),
    ]  # fmt: skip


def test_an_annulled_motion_finds_nothing(world: World) -> None:
    motion = open_sealed(sit(world))
    world.act(votes.annul, "chair", motion_id=motion.id, ground="试")
    assert (found(world).motions, reread(world, motion).state) == ([], "annulled")


def test_the_finding_is_made_once_and_at_the_end(world: World) -> None:
    heard(world)
    with pytest.raises(Refused) as refused:
        world.act(actions.make_finding, "chair", hearing_id=world.hearing_id)
    assert str(refused.value) == "The finding is made at the summing up, after the results are announced."
    found(world)
    with pytest.raises(Refused) as refused:
        found(world)
    assert str(refused.value) == "The panel's finding has been made."
    assert len(events(world, "decisions.")) == 1


def test_no_finding_while_a_motion_is_open(world: World) -> None:
    open_sealed(sit(world))
    with pytest.raises(Refused) as refused:
        found(world)
    assert str(refused.value) == "A motion is still open."


def test_the_finding_counts_the_dissents(world: World) -> None:
    motion = facts(sit(world))[0]
    voted(world, motion, *["established"] * 9, by=EVERYBODY)
    file(world, "luo", motion)
    assert found(world).dissents == 1


# The decision


def test_a_decision_adopts_and_is_recorded_with_its_measures(decidable: World) -> None:
    decision = decide(decidable, number="某决〔2026〕1号")
    assert (decision.adopts, decision.outcome, decision.decided_by) == (True, "mitigate", decidable.people["authority"])
    (event,) = events(decidable, "decisions.decision_issued")
    told = {k: event[k] for k in ("outcome", "adopts", "measure", "measures", "reasons", "number", "corrective")}
    assert told == {
        "outcome": "mitigate", "adopts": True, "measure": "谈话提醒", "measures": 1, "reasons": "采纳评议意见。",
        "number": "某决〔2026〕1号",
        "corrective": [{**vars(MEASURE), "number": 1, "due_on": MEASURE.due_on.isoformat()}],
    }  # fmt: skip
    with decidable.db() as db:
        assert db.exec(select(Decision)).one() == decision
        assert [m.text for m in queries.measures(db, decision.id)] == [MEASURE.text]


def test_a_departure_needs_reasons_and_an_approver(decidable: World) -> None:
    what: dict[str, Any] = {"outcome": "deny", "measures": ()}
    said = refusal(decidable, **what)
    assert said == "This outcome departs from the panel's finding. Give the reasons for the departure."
    said = refusal(decidable, **what, departure_reasons="新证据")
    assert said == "This outcome departs from the panel's finding. Name who approved the departure."
    decision = decide(decidable, **what, departure_reasons="新证据", approver="贺书记")
    assert decision.adopts is False
    (event,) = events(decidable, "decisions.decision_issued")
    assert (event["adopts"], event["departure_reasons"], event["approver"]) == (False, "新证据", "贺书记")


def test_who_sat_on_the_panel_approves_no_departure_from_it(decidable: World) -> None:
    what: dict[str, Any] = {"outcome": "deny", "measures": (), "departure_reasons": "新证据"}
    for approver, seat in (("罗正", "member"), (" 欧阳岚 ", "chair"), ("何其", "alternate")):
        said = refusal(decidable, **what, approver=approver)
        assert said == str(why_apart(duty_rules(), "authority", seat))
    assert decide(decidable, **what, approver="罗正明").approver == "罗正明"


def test_adopting_gives_no_reasons_for_a_departure(decidable: World) -> None:
    said = refusal(decidable, departure_reasons="其实没有")
    assert said.startswith("This outcome does not depart")


def test_without_a_majority_there_is_nothing_to_depart_from(world: World, request: pytest.FixtureRequest) -> None:
    found(heard(world, choices=LOST))
    request.getfixturevalue("settled")
    decision = decide(world, outcome="deny", measures=())
    assert (decision.adopts, decision.departure_reasons) == (False, "")


def test_tolerance_without_correction_is_refused(decidable: World) -> None:
    departure = {"departure_reasons": "理由", "approver": "贺书记"}
    for what in ({"outcome": "mitigate"}, {"outcome": "exempt", **departure}):
        said = refusal(decidable, measures=(), **what)
        assert said == "Tolerance goes with correction: order at least one corrective measure with a date."


def test_a_measure_is_not_due_in_the_past(decidable: World) -> None:
    late = Measure("补办", "某局", TODAY - timedelta(days=3))
    said = refusal(decidable, measures=(MEASURE, late))
    assert said == f"A corrective measure is due on {late.due_on.isoformat()}, which is past."


def test_the_outcome_is_one_of_the_known(decidable: World) -> None:
    for outcome in ("", "promotion", "EXEMPT"):
        assert refusal(decidable, outcome=outcome) == "Choose the outcome."


def test_every_dissent_gets_an_answer_or_nothing_is_issued(world: World, request: pytest.FixtureRequest) -> None:
    heard(world)
    with world.db() as db:
        motion = vote_queries.of_case(db, world.case_id)[0]
    first, second, third = (file(world, key, motion) for key in ("luo", "qin", "shi"))
    world.act(withdraw, "shi", dissent_id=third.id)
    found(world)
    request.getfixturevalue("settled")
    assert refusal(world) == "Dissent no. 1 has no answer yet. Every dissent gets one."
    assert refusal(world, answers={first.id: "已研究"}) == "Dissent no. 2 has no answer yet. Every dissent gets one."
    decide(world, answers={first.id: "已研究", second.id: "已采纳"})
    assert [e["text"] for e in events(world, "dissents.dissent_answered")] == ["已研究", "已采纳"]
    with world.db() as db:
        assert dissents.unanswered(db, world.case_id) == []


def test_a_joined_and_a_supplemented_dissent_each_want_an_answer(world: World, request: pytest.FixtureRequest) -> None:
    heard(world)
    with world.db() as db:
        motion = vote_queries.of_case(db, world.case_id)[0]
        asked = cases.questions(db, world.case_id)[1].id
    joined, added = file(world, "luo", motion), file(world, "qin", motion)
    on_a_question = file(world, "shi", motion, subject_kind="question", subject_id=asked)
    world.act(join, "meng", dissent_id=joined.id)
    world.act(supplement, "qin", dissent_id=added.id, text="补充")
    found(world)
    request.getfixturevalue("settled")
    answers: dict[str, str] = {}
    for number, dissent in enumerate((joined, added, on_a_question), start=1):
        said = f"Dissent no. {number} has no answer yet. Every dissent gets one."
        assert refusal(world, answers=dict(answers)) == said
        assert refusal(world, answers={**answers, dissent.id: ""}) == said
        answers[dissent.id] = f"答复{number}"
    decide(world, answers=answers)
    assert [e["text"] for e in events(world, "dissents.dissent_answered")] == ["答复1", "答复2", "答复3"]


def test_nothing_is_decided_before_the_minutes_are_settled(world: World) -> None:
    found(heard(world))
    said = refusal(world)
    assert said == ("The minutes are not settled yet. Until then members may file dissents, and each gets an answer.")


def test_nothing_is_decided_before_the_finding(world: World) -> None:
    to_phase(sit(world), Phase.SUMMING_UP)
    assert refusal(world) == "The panel has not made its finding yet."


def test_a_decision_is_issued_once(decidable: World) -> None:
    decide(decidable)
    with pytest.raises(Refused) as refused:
        decide(decidable)
    assert str(refused.value) == "The decision has been issued."
    with decidable.db() as db:
        assert len(db.exec(select(CorrectiveMeasure)).all()) == 1
