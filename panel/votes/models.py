"""Motions, rolls, ballots, tallies."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from panel.core.db import Row, unasked
from panel.core.ids import new_id


class MotionKind(StrEnum):
    """What a motion settles."""

    FACT = "fact"
    DISPOSITION = "disposition"


class Secrecy(StrEnum):
    """记名 (open) or 无记名 (sealed); the motion says which before it opens."""

    OPEN = "open"
    SEALED = "sealed"


class MotionState(StrEnum):
    """Only forward; annulled and lapsed end a motion without a result."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"
    ANNULLED = "annulled"
    LAPSED = "lapsed"


class Motion(Row, table=True):
    """A question put to the vote. Question, options, rule and roll are frozen and hashed at opening.

    `rule` is the frozen part of the rules of procedure for this kind of motion; the shape is that of votes/tally.Rule.
    `outcome` is the outcome that a carried disposition recommends.
    """

    __table_args__ = (UniqueConstraint("case_id", "number"),)

    case_id: str = Field(foreign_key="case.id", index=True)
    hearing_id: str = Field(index=True)
    number: int
    kind: MotionKind
    question: str
    outcome: str | None = None
    factual_question_id: str | None = None
    secrecy: Secrecy
    state: MotionState = MotionState.DRAFT
    options: list[str] = Field(sa_column=Column(JSON, nullable=False))
    rule: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    repeats: str | None = None
    frozen_sha256: str = ""
    public_key: str = ""
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    last_call_at: datetime | None = None
    announced_at: datetime | None = None


class RollEntry(SQLModel, table=True):
    """Whether a seat may vote on a motion, and if not, why; frozen at opening."""

    __tablename__ = "roll_entry"

    motion_id: str = Field(primary_key=True, foreign_key="motion.id", max_length=32)
    seat_id: str = Field(primary_key=True, max_length=32)
    person_id: str
    number: int
    category: str = Field(max_length=20)
    due: bool
    entitled: bool
    reason: str = Field(default="", max_length=20, description="why not entitled: recused, or category")


@unasked
class Ballot(Row, table=True):
    """An open ballot. One that replaces another names it; the replaced one stays and no longer counts."""

    motion_id: str = Field(foreign_key="motion.id", index=True)
    seat_id: str = Field(index=True)
    choice: str = Field(max_length=20)
    reason: str = ""
    replaces: str | None = Field(default=None, unique=True)
    first_of: str | None = Field(
        default=None, unique=True, description="motion:seat for a first ballot; one per member"
    )


class SealedBallot(SQLModel, table=True):
    """A sealed ballot while its motion is open; overwritten when replaced, deleted at closing (votes 3.1)."""

    __tablename__ = "sealed_ballot"

    motion_id: str = Field(primary_key=True, foreign_key="motion.id", max_length=32)
    seat_id: str = Field(primary_key=True, max_length=32)
    mark: str = Field(default_factory=new_id, max_length=32)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    first_at: datetime
    received_at: datetime


class Participation(SQLModel, table=True):
    """Who took part in a sealed motion: written at closing, sorted by member, without time."""

    motion_id: str = Field(primary_key=True, foreign_key="motion.id", max_length=32)
    seat_id: str = Field(primary_key=True, max_length=32)


class Tally(SQLModel, table=True):
    """A closed motion's result with its arithmetic (the shape of votes/tally.Result); never changes."""

    motion_id: str = Field(primary_key=True, foreign_key="motion.id", max_length=32)
    case_id: str = Field(index=True)
    result: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))


class Annulment(Row, table=True):
    """A motion that was annulled while open: sealed ballots destroyed uncounted."""

    motion_id: str = Field(foreign_key="motion.id", unique=True)
    case_id: str = Field(index=True)
    ground: str
    annulled_by: str = Field(foreign_key="person.id")
