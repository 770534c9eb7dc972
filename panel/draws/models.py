"""Draws, what their contributors committed to, and the seats that are offered to whoever was drawn."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field

from panel.committees.models import Category
from panel.core.db import Row


class DrawState(StrEnum):
    """How far a draw has come."""

    PREPARED = "prepared"
    FIXED = "fixed"
    HELD = "held"
    VOID = "void"


class Contributor(StrEnum):
    """Whose secrets make the seed, in this order."""

    CHAIR = "chair"
    SCRUTINEER = "scrutineer"


class OfferState(StrEnum):
    """What became of a seat that was offered."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"


class Draw(Row, table=True):
    """One draw of a case's panel; a void one is followed by another with a new pool.

    `terms` is {"seats": {category: number}, "per_unit": number or null, "held": {unit: number}}; `candidates` is
    [{"id", "category", "unit"}] as the record tells it, `people` maps the ids to persons (ids). `root` (hex) and `size`
    are the checkpoint that was fixed; `drawn` is {"members": {category: [ids]}, "alternates": {category: [ids]}}.
    """

    case_id: str = Field(foreign_key="case.id", index=True)
    number: int
    state: DrawState = DrawState.PREPARED
    chair_id: str = Field(foreign_key="person.id")
    chair_category: Category
    chair_reason: str
    scrutineer_id: str = Field(foreign_key="person.id")
    terms: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    candidates: list[dict[str, str]] = Field(sa_column=Column(JSON, nullable=False))
    people: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    size: int | None = None
    root: str = ""
    seed: str = ""
    drawn: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    ended_at: datetime | None = None
    void_reason: str = ""


class Contribution(Row, table=True):
    """What a contributor committed to (hex), at which entry of the record, and the secret once it is revealed."""

    __table_args__ = (UniqueConstraint("draw_id", "contributor"),)

    draw_id: str = Field(foreign_key="draw.id", index=True)
    contributor: Contributor
    commitment: str = Field(max_length=64)
    entry: int = -1
    secret: str = ""


class SeatOffer(Row, table=True):
    """A seat that is offered to somebody who was drawn, or who is next in their category; numbered as they are made."""

    __tablename__ = "seat_offer"
    __table_args__ = (UniqueConstraint("draw_id", "candidate"),)

    draw_id: str = Field(foreign_key="draw.id", index=True)
    case_id: str = Field(foreign_key="case.id", index=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    number: int
    candidate: str = Field(max_length=32)
    category: Category
    state: OfferState = OfferState.OPEN
    reason: str = ""
    answered_at: datetime | None = None
