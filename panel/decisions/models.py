"""The finding, the decision, corrective measures."""

from datetime import date
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field

from panel.core.db import Row


class Finding(Row, table=True):
    """The panel's finding (评议意见书): what the motions say, computed, never typed. `outcome` empty: no majority.

    `facts` is [{"number", "question", "motion", "carried", "settled"}], `settled` being the option that prevailed
    ("" where the question was not put or ended without a result); `motions` is [{"id", "number", "outcome",
    "carried"}].
    """

    case_id: str = Field(foreign_key="case.id", unique=True)
    hearing_id: str = Field(index=True)
    outcome: str = ""
    facts: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))
    motions: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))
    dissents: int = 0


class Decision(Row, table=True):
    """The authority's decision (谁追责问责、谁容错). A departure carries reasons and an approver.

    Where the panel found no majority, there is nothing to adopt or to depart from: `adopts` is false, and
    `departure_reasons` stays empty.
    """

    case_id: str = Field(foreign_key="case.id", unique=True)
    finding_id: str = Field(foreign_key="finding.id")
    number: str = Field(default="", max_length=60)
    outcome: str
    measure: str = ""
    reasons: str
    adopts: bool
    departure_reasons: str = ""
    approver: str = ""
    decided_by: str = Field(foreign_key="person.id")


class CorrectiveMeasure(Row, table=True):
    """What must be put right, by whom, until when (容纠并举, seed report 三(二)3)."""

    __tablename__ = "corrective_measure"

    decision_id: str = Field(foreign_key="decision.id", index=True)
    case_id: str = Field(index=True)
    number: int
    text: str
    responsible: str
    due_on: date
