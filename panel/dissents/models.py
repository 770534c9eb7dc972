"""Dissents and who joins them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from panel.core.db import Row


class DissentKind(StrEnum):
    """不同意见, 保留意见, 补充意见 (domain 4.4)."""

    DISSENT = "dissent"
    RESERVATION = "reservation"
    CONCURRENCE = "concurrence"


class SubjectKind(StrEnum):
    """What a dissent concerns; `subject_id` is opaque here."""

    MOTION = "motion"
    FINDING = "finding"
    CONSIDERATION = "consideration"


class Dissent(Row, table=True):
    """A member's dissent, verbatim; never edited, withdrawn by its author only.

    `consideration` may name the one of the six that it is about. `waives_secrecy`: its author put a name to it although
    the vote was secret.
    """

    case_id: str = Field(index=True)
    hearing_id: str = Field(index=True)
    seat_id: str = Field(index=True)
    kind: DissentKind
    subject_kind: SubjectKind
    subject_id: str
    consideration: str = Field(default="", max_length=40)
    number: int
    text: str
    waives_secrecy: bool = False
    withdrawn_at: datetime | None = None


class Joining(Row, table=True):
    """A member who joins a dissent."""

    __table_args__ = (UniqueConstraint("dissent_id", "seat_id"),)

    dissent_id: str = Field(foreign_key="dissent.id", index=True)
    case_id: str = Field(index=True)
    seat_id: str
    waives_secrecy: bool = False


class Answer(Row, table=True):
    """The authority's answer to a dissent (对不同意见的研究情况); one each, given with the decision."""

    dissent_id: str = Field(foreign_key="dissent.id", unique=True)
    case_id: str = Field(index=True)
    text: str
