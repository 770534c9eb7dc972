"""The parts of the live page that cases own. Which events touch them, the hearings above know; app.py says it."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from panel.cases import inspection, queries
from panel.core import hooks
from panel.core.security import INSIDE, Actor, Audience, Role
from panel.live.parts import OwnPart, Part
from panel.record.events import Event


def exhibit(db: Session, hearing_id: str, audience: Audience, now: datetime) -> dict[str, Any]:
    """Load the exhibit that is being shown now; outside nobody sees what is shown in closed session."""
    showing = hooks.showing(db, hearing_id)
    if showing is not None and audience not in INSIDE and (showing.closed or hooks.in_closed_session(db, hearing_id)):
        showing = None
    found = queries.exhibit(db, showing.exhibit_id) if showing else None
    return {"chosen": found, "images": inspection.IMAGES, "projected": audience is Audience.PROJECTOR}


def exhibits(db: Session, hearing_id: str, actor: Actor, now: datetime) -> dict[str, Any] | None:
    """Load the chair's picker while the hearing is on: every exhibit, and which of them is being shown."""
    if hooks.phase_of(db, hearing_id) in {"scheduled", "ended"}:
        return None
    listed = queries.exhibits(db, hooks.hearing(db, hearing_id).case_id)
    showing = hooks.showing(db, hearing_id)
    return {"hearing_id": hearing_id, "exhibits": listed, "showing": showing} if listed else None


def exhibit_part(touched_by: frozenset[type[Event]]) -> Part:
    """Return the part `exhibit`, drawn anew at these events."""
    return Part("exhibit", "cases/_exhibit.html", frozenset(Audience) - {Audience.PUBLIC}, touched_by, exhibit)


OWN_PARTS = (OwnPart("exhibits", "cases/_exhibits.html", frozenset({Role.CHAIR, Role.SECRETARY}), exhibits),)
