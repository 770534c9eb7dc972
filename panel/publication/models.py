"""Summaries."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column
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
