"""Reads: the finding, the decision, corrective measures; and what the finding is computed from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from panel.cases import queries as cases
from panel.cases.models import Case, FactualQuestion
from panel.decisions.models import CorrectiveMeasure, Decision, Finding
from panel.rulebook import queries as rulebook
from panel.votes import queries as votes
from panel.votes.models import Motion, MotionKind
from panel.votes.tally import CARRIED, Result


def finding(db: Session, case_id: str) -> Finding | None:
    """Return the panel's finding in a case."""
    return db.exec(select(Finding).where(Finding.case_id == case_id)).first()


def decision(db: Session, case_id: str) -> Decision | None:
    """Return the authority's decision in a case."""
    return db.exec(select(Decision).where(Decision.case_id == case_id)).first()


def measures(db: Session, decision_id: str) -> Sequence[CorrectiveMeasure]:
    """Return the corrective measures of a decision by number."""
    ordered = select(CorrectiveMeasure).where(CorrectiveMeasure.decision_id == decision_id)
    return db.exec(ordered.order_by(col(CorrectiveMeasure.number))).all()


def tolerant_outcomes(db: Session, case: Case) -> frozenset[str]:
    """Return the outcomes that go with corrective measures, by the rules that the case runs under."""
    procedure = rulebook.procedure_rules(db, case.rules_id)
    return frozenset(outcome for outcome in procedure.outcomes if procedure.corrective_required(outcome))


@dataclass(frozen=True)
class Found:
    """What the motions say: each question of fact, each disposition that was put, and the outcome that follows."""

    outcome: str
    facts: list[dict[str, Any]]
    motions: list[dict[str, Any]]


def found(db: Session, case_id: str) -> Found:
    """Compute the finding: facts item by item; the first carried disposition gives the outcome, none gives none."""
    motions = votes.of_case(db, case_id)
    results = votes.results(db, motions)
    put = [(m, results[m.id]) for m in motions if m.id in results and m.kind is MotionKind.DISPOSITION]
    return Found(
        outcome=next((m.outcome or "" for m, result in put if result.carried == CARRIED), ""),
        facts=[_fact(question, motions, results) for question in cases.questions(db, case_id)],
        motions=[{"id": m.id, "number": m.number, "outcome": m.outcome, "carried": r.carried} for m, r in put],
    )


def _fact(question: FactualQuestion, motions: Sequence[Motion], results: dict[str, Result]) -> dict[str, Any]:
    """Return what became of a question: the last motion on it that has a result counts."""
    last = next((m for m in reversed(motions) if m.factual_question_id == question.id and m.id in results), None)
    return {
        "number": question.number,
        "question": question.text,
        "motion": last.number if last else None,
        "carried": results[last.id].carried if last else "",
        "settled": results[last.id].settled if last else "",
    }
