"""The hearing and what happens in it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field

from panel.core.db import Row


class Phase(StrEnum):
    """The order of business (检察听证规定 §15; domain 4.6)."""

    SCHEDULED = "scheduled"
    OPENING = "opening"
    PRESENTATION = "presentation"
    EXPLANATION = "explanation"
    QUESTIONS = "questions"
    RECESS = "recess"
    DELIBERATION = "deliberation"
    OPINIONS = "opinions"
    MOTIONS = "motions"
    CLOSING_STATEMENT = "closing_statement"
    SUMMING_UP = "summing_up"
    ENDED = "ended"


CLOSED_PHASES = frozenset({Phase.RECESS, Phase.DELIBERATION, Phase.OPINIONS, Phase.MOTIONS})
"""Closed session: only the panel, the chair, the secretary and the recorder are in the room (domain 10.6)."""


class Hearing(Row, table=True):
    """One hearing of a case. Times in UTC, shown in the installation's zone; durations in seconds."""

    case_id: str = Field(foreign_key="case.id", index=True)
    committee_id: str = Field(foreign_key="committee.id")
    phase: Phase = Phase.SCHEDULED
    scheduled_at: datetime
    opened_at: datetime | None = None
    ended_at: datetime | None = None
    speaking_seconds: int = 300
    dark: bool = False
    """The projector shows nothing of the hearing for now."""

    @property
    def closed(self) -> bool:
        """Say whether the hearing is in closed session."""
        return self.phase in CLOSED_PHASES


class Stage(Row, table=True):
    """One step of the order of business as it was held."""

    hearing_id: str = Field(foreign_key="hearing.id", index=True)
    case_id: str = Field(index=True)
    phase: Phase
    began_at: datetime
    ended_at: datetime | None = None


class Pause(Row, table=True):
    """A pause of the whole hearing; stops every clock."""

    hearing_id: str = Field(foreign_key="hearing.id", index=True)
    case_id: str = Field(index=True)
    reason: str = ""
    began_at: datetime
    ended_at: datetime | None = None


class Adjournment(Row, table=True):
    """The hearing was adjourned to another time."""

    hearing_id: str = Field(foreign_key="hearing.id", index=True)
    case_id: str = Field(index=True)
    reason: str
    until: datetime
    resumed_at: datetime | None = None


class RequestKind(StrEnum):
    """Why somebody asks for the floor."""

    SPEECH = "speech"
    QUESTION = "question"
    POINT_OF_ORDER = "point_of_order"


class FloorRequest(Row, table=True):
    """A raised hand; a point of order goes first and stops the speaker's clock while it has the floor."""

    __tablename__ = "floor_request"

    hearing_id: str = Field(foreign_key="hearing.id", index=True)
    case_id: str = Field(index=True)
    person_id: str
    kind: RequestKind = RequestKind.SPEECH
    withdrawn_at: datetime | None = None
    served_at: datetime | None = None


class Turn(Row, table=True):
    """A stretch in which somebody has the floor. `interrupts` names the turn whose clock stands still meanwhile."""

    hearing_id: str = Field(foreign_key="hearing.id", index=True)
    case_id: str = Field(index=True)
    person_id: str
    kind: RequestKind = RequestKind.SPEECH
    phase: Phase
    closed: bool = False
    seconds: int
    interrupts: str | None = None
    began_at: datetime
    ended_at: datetime | None = None


class Question(Row, table=True):
    """A question put in the hearing, and its answer, as typed by the recorder or the speaker."""

    hearing_id: str = Field(foreign_key="hearing.id", index=True)
    case_id: str = Field(index=True)
    number: int
    asked_by: str
    asked_of: str
    closed: bool = False
    text: str
    answer: str = ""
    answered_by: str | None = None
    answered_at: datetime | None = None


class Showing(Row, table=True):
    """An exhibit shown to everybody in the hearing."""

    hearing_id: str = Field(foreign_key="hearing.id", index=True)
    case_id: str = Field(index=True)
    exhibit_id: str
    closed: bool = False
    ended_at: datetime | None = None


class Note(Row, table=True):
    """Something the recorder or a speaker adds to the minutes."""

    hearing_id: str = Field(foreign_key="hearing.id", index=True)
    case_id: str = Field(index=True)
    speaker_id: str | None = None
    phase: Phase
    closed: bool = False
    text: str
    written_by: str


class Jotting(Row, table=True):
    """What somebody notes for themselves during a hearing: nobody else reads it, and it is not on the record."""

    __table_args__ = (UniqueConstraint("hearing_id", "person_id"),)

    hearing_id: str = Field(foreign_key="hearing.id", index=True)
    person_id: str
    text: str = ""
    revision: int = 0
    saved_at: datetime


class Minutes(Row, table=True):
    """The minutes, frozen for confirmation: `lines` are what the record told at that moment."""

    hearing_id: str = Field(foreign_key="hearing.id", unique=True)
    case_id: str = Field(index=True)
    lines: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))
    sha256: str = Field(max_length=64)
    confirmed_at: datetime | None = None
    confirm_by: datetime


class Confirmation(Row, table=True):
    """A member's confirmation of the minutes, or the refusal with its reason (处罚法 §64)."""

    __table_args__ = (UniqueConstraint("minutes_id", "seat_id"),)

    minutes_id: str = Field(foreign_key="minutes.id", index=True)
    case_id: str = Field(index=True)
    seat_id: str
    confirmed: bool
    reason: str = ""
