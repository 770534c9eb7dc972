"""What findings and decisions may put on the record."""

from typing import Any, ClassVar

from panel.record.events import Event, Level


class FindingMade(Event):
    """The panel's finding was computed from the motions and handed to the authority."""

    kind: ClassVar[str] = "decisions.finding_made"
    public: ClassVar[frozenset[str]] = frozenset({"outcome", "facts", "motions", "dissents"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    finding: str
    outcome: str
    facts: list[dict[str, Any]]
    """[{"number", "question_sha256", "motion", "carried", "settled"}] by the number of the question."""
    motions: list[dict[str, Any]]
    """[{"id", "number", "outcome", "carried"}] by the number of the motion."""
    dissents: int


class DecisionIssued(Event):
    """The authority decided."""

    kind: ClassVar[str] = "decisions.decision_issued"
    public: ClassVar[frozenset[str]] = frozenset({"outcome", "adopts", "measures", "reasons_sha256"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    private_disclosure: ClassVar[Level] = Level.PARTY
    decision: str
    number: str
    outcome: str
    measure: str
    adopts: bool
    reasons: str
    reasons_sha256: str
    departure_reasons: str
    approver: str
    measures: int
    corrective: list[dict[str, Any]]
    """[{"number", "text", "responsible", "due_on"}]."""
