"""Versioned rule documents."""

from datetime import date
from typing import Any

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field

from panel.core.db import Row


class RuleDocument(Row, table=True):
    """One version of a rule document; a case freezes the versions it runs under. `body` is the pack's TOML as JSON."""

    __tablename__ = "rule_document"
    __table_args__ = (UniqueConstraint("key", "version"),)

    key: str = Field(max_length=60)
    kind: str = Field(max_length=40)
    version: int = 1
    body: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    body_sha256: str = Field(max_length=64)
    effective_from: date | None = None
