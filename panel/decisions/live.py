"""The part of the live page that decisions own."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from panel.core import hooks, words
from panel.core.security import INSIDE, Audience
from panel.decisions import events, queries
from panel.live.parts import OwnPart, Part


def finding(db: Session, hearing_id: str, audience: Audience, now: datetime) -> dict[str, Any]:
    """Load the finding and whether the authority has decided."""
    hearing = hooks.hearing(db, hearing_id)
    case_id = hearing.case_id if hearing else ""
    return {
        "case_id": case_id,
        "finding": queries.finding(db, case_id),
        "decision": queries.decision(db, case_id),
        "words": words,
    }


PARTS = (
    Part(
        "finding",
        "decisions/_finding.html",
        INSIDE | {Audience.AUTHORITY},
        frozenset({events.FindingMade, events.DecisionIssued}),
        finding,
    ),
)
OWN_PARTS: tuple[OwnPart, ...] = ()
