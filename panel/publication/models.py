"""Summaries, and the short texts of dissents in them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field

from panel.core.db import Row
from panel.core.ids import new_id


class SummaryState(StrEnum):
    """A summary's life; a withdrawn one leaves a tombstone."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class Summary(Row, table=True):
    """An anonymised summary, composed by a whitelist. `body` is what publication.actions.body_of returns."""

    case_id: str = Field(foreign_key="case.id", unique=True)
    slug: str = Field(default_factory=new_id, unique=True, max_length=32)
    state: SummaryState = SummaryState.DRAFT
    title: str = Field(max_length=200)
    body: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    body_sha256: str = Field(max_length=64)
    published_at: datetime | None = None
    published_by: str | None = None
    withdrawn_at: datetime | None = None
    withdrawal_reason: str = ""
    entry: int = Field(default=-1, description="the record's index of the publication")


class Gist(Row, table=True):
    """A short text of a dissent, proposed for the public summary. Only what the author has approved is published.

    The newest of a dissent counts. `answered_at`: when the author approved it, or sent it back with `words`.
    """

    __table_args__ = (UniqueConstraint("dissent_id", "number"),)

    dissent_id: str = Field(foreign_key="dissent.id", index=True)
    case_id: str = Field(index=True)
    number: int
    text: str
    proposed_by: str = Field(foreign_key="person.id")
    answered_at: datetime | None = None
    approved: bool = False
    words: str = ""
