"""What a lower area asks of a higher one; app.py fills these. They are few, and each is named."""

from collections.abc import Callable
from typing import Any

from sqlmodel import Session

ON_RECUSAL: list[Callable[[Any, Any, Any], None]] = []
"""Called inside the work with (work, actor, seat) when a seat stands aside; votes annul the open motion."""

PHASE_OF: list[Callable[[Session, str], str]] = []
"""Answers a hearing's phase from its id."""

DISSENTS_OPEN: list[Callable[[Session, str], bool]] = []
"""Answers whether dissents may still be filed in a hearing: until its minutes are settled."""

END_SOCKETS: list[Callable[[str], None]] = []
"""Ends every socket of a person (by person id), on every process."""

CLOSED_PHASES = frozenset({"recess", "deliberation", "opinions", "motions"})
"""The closed session (domain 10.6), as lower areas need to know it."""


def phase_of(db: Session, hearing_id: str) -> str:
    """Return the phase of a hearing, or an empty text when no hearings are installed."""
    return next((answer(db, hearing_id) for answer in PHASE_OF), "")


def in_closed_session(db: Session, hearing_id: str) -> bool:
    """Say whether the hearing is in closed session."""
    return phase_of(db, hearing_id) in CLOSED_PHASES


def dissents_open(db: Session, hearing_id: str) -> bool:
    """Say whether dissents may still be filed."""
    return all(answer(db, hearing_id) for answer in DISSENTS_OPEN)


def end_sockets(person_id: str) -> None:
    """End every socket of a person."""
    for end in END_SOCKETS:
        end(person_id)
