"""The finding is computed, the decision is issued. The panel advises, the authority decides (谁追责问责、谁容错)."""

from collections.abc import Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import Any

from sqlmodel import Session, select

from panel.cases.models import Case
from panel.committees import queries as committees
from panel.core import hooks
from panel.core.errors import NotFound, Reason, require
from panel.core.security import Actor
from panel.decisions import queries, rules
from panel.decisions.events import DecisionIssued, FindingMade
from panel.decisions.models import CorrectiveMeasure, Decision, Finding
from panel.decisions.rules import Measure
from panel.dissents import actions as dissenting
from panel.dissents import queries as dissents
from panel.rulebook import queries as rulebook
from panel.votes import queries as votes
from panel.work import Work


def make_finding(work: Work, actor: Actor, *, hearing_id: str) -> Finding:
    """Compute the panel's finding (评议意见书) from the motions and hand it to the authority; nothing is typed."""
    hearing = hooks.hearing(work.db, hearing_id)
    if hearing is None:
        raise NotFound
    made = queries.finding(work.db, hearing.case_id) is not None
    voting = votes.open_motion(work.db, hearing_id) is not None
    require(rules.why_not_find(hooks.phase_of(work.db, hearing_id), made=made, voting=voting))
    found = queries.found(work.db, hearing.case_id)
    filed = len(dissents.standing(work.db, hearing.case_id))
    finding = work.add(
        Finding(
            case_id=hearing.case_id, hearing_id=hearing_id, outcome=found.outcome, facts=found.facts,
            motions=found.motions, dissents=filed,
        )
    )  # fmt: skip
    work.record(
        FindingMade(
            case_id=finding.case_id, hearing_id=hearing_id, actor_id=actor.person_id, finding=finding.id,
            outcome=found.outcome, facts=[_bound(fact) for fact in found.facts], motions=found.motions, dissents=filed,
        )
    )  # fmt: skip
    return finding


def decide(
    work: Work, actor: Actor, *, case_id: str, outcome: str, measure: str, reasons: str, today: date,
    departure_reasons: str = "", approver: str = "", number: str = "",
    measures: Sequence[Measure] = (), answers: Mapping[str, str] | None = None,
) -> Decision:  # fmt: skip
    """Issue the authority's decision, with the corrective measures and an answer to every dissent, all or nothing."""
    case = work.db.exec(select(Case).where(Case.id == case_id).with_for_update()).first()
    if case is None:
        raise NotFound
    given = answers or {}
    require(
        why_not_decide(
            work.db, case, outcome=outcome, departure_reasons=departure_reasons, approver=approver,
            measures=measures, answers=given, today=today,
        )
    )  # fmt: skip
    finding = queries.finding(work.db, case_id)
    assert finding is not None
    for dissent in dissents.unanswered(work.db, case_id):
        dissenting.answer(work, actor, dissent_id=dissent.id, text=given[dissent.id])
    decision = work.add(
        Decision(
            case_id=case_id, finding_id=finding.id, number=number, outcome=outcome, measure=measure, reasons=reasons,
            adopts=outcome == finding.outcome, departure_reasons=departure_reasons, approver=approver,
            decided_by=actor.person_id, created_at=work.now,
        )
    )  # fmt: skip
    work.db.flush()  # the measures refer to the row
    for position, ordered in enumerate(measures, start=1):
        work.add(
            CorrectiveMeasure(
                decision_id=decision.id, case_id=case_id, number=position, text=ordered.text,
                responsible=ordered.responsible, due_on=ordered.due_on,
            )
        )  # fmt: skip
    work.record(_issued(decision, finding.hearing_id, actor, measures))
    return decision


def why_not_decide(
    db: Session, case: Case, *, outcome: str, departure_reasons: str, approver: str, measures: Sequence[Measure],
    answers: Mapping[str, str], today: date, **_texts: str,
) -> Reason | None:  # fmt: skip
    """Return why this decision cannot be issued as it stands; the page that checks it asks the same."""
    finding = queries.finding(db, case.id)
    decided = queries.decision(db, case.id) is not None
    still_open = finding is not None and hooks.dissents_open(db, finding.hearing_id)
    if reason := rules.why_not_decide_now(found=finding is not None, decided=decided, dissents_open=still_open):
        return reason
    assert finding is not None
    unanswered = dissents.unanswered(db, case.id)
    answered = [dissent.number for dissent in unanswered if answers.get(dissent.id)]
    return (
        rules.why_not_outcome(finding.outcome, outcome, departure_reasons, approver)
        or rules.why_not_approver(rulebook.duty_rules(), approver, committees.duties_by_name(db, case.id))
        or rules.why_not_measures(outcome, measures, queries.tolerant_outcomes(db, case), today)
        or rules.why_not_answered([dissent.number for dissent in unanswered], answered)
    )


def _bound(fact: Mapping[str, Any]) -> dict[str, Any]:
    """Return a fact for the public part of the record: bound to the question's text, without it."""
    told = {key: value for key, value in fact.items() if key != "question"}
    return {**told, "question_sha256": sha256(str(fact["question"]).encode()).hexdigest()}


def _issued(decision: Decision, hearing_id: str, actor: Actor, measures: Sequence[Measure]) -> DecisionIssued:
    return DecisionIssued(
        case_id=decision.case_id, hearing_id=hearing_id, actor_id=actor.person_id, decision=decision.id,
        number=decision.number, outcome=decision.outcome, measure=decision.measure, adopts=decision.adopts,
        reasons=decision.reasons, reasons_sha256=sha256(decision.reasons.encode()).hexdigest(),
        departure_reasons=decision.departure_reasons, approver=decision.approver, measures=len(measures),
        corrective=[
            {"number": n, "text": m.text, "responsible": m.responsible, "due_on": m.due_on.isoformat()}
            for n, m in enumerate(measures, start=1)
        ],
    )  # fmt: skip
