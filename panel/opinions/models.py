"""Rounds, opinions, drafts."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from panel.core.db import Row


class Round(Row, table=True):
    """A round of opinions: sealed until it closes, for everybody."""

    __table_args__ = (UniqueConstraint("case_id", "number"),)

    case_id: str = Field(index=True)
    number: int
    hearing_id: str | None = None
    closed_at: datetime | None = None


class Opinion(Row, table=True):
    """A member's opinion in a round; replaced by a newer version until the round closes.

    `ratings` maps a consideration's key to {"value": 1..5 or null (cannot judge), "reason", "exhibits": [numbers]},
    and where the member says so "sure": "high", "fair" or "low".
    """

    __table_args__ = (UniqueConstraint("round_id", "seat_id", "version"),)

    round_id: str = Field(foreign_key="round.id", index=True)
    seat_id: str = Field(index=True)
    case_id: str = Field(index=True)
    version: int = 1
    ratings: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    recommendation: str = Field(max_length=20)
    reasons: str = ""
    change: str = ""


class OpinionDraft(SQLModel, table=True):
    """An unfinished opinion; saved by itself, never on the record."""

    __tablename__ = "opinion_draft"

    round_id: str = Field(primary_key=True, max_length=32)
    seat_id: str = Field(primary_key=True, max_length=32)
    body: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    revision: int = 0
    saved_at: datetime
