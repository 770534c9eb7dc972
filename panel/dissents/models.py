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
    QUESTION = "question"


class Dissent(Row, table=True):
    """A member's dissent, verbatim; never edited, added to and withdrawn by its author only.

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
    withdrawal_reason: str = ""


class Addendum(Row, table=True):
    """Text that the author of a dissent added later; what was filed before stays as it is."""

    __table_args__ = (UniqueConstraint("dissent_id", "number"),)

    dissent_id: str = Field(foreign_key="dissent.id", index=True)
    case_id: str = Field(index=True)
    number: int
    text: str


class Joining(Row, table=True):
    """A member who joins a dissent as it stands then; `addenda` is how many it had: no later one binds them."""

    __table_args__ = (UniqueConstraint("dissent_id", "seat_id"),)

    dissent_id: str = Field(foreign_key="dissent.id", index=True)
    case_id: str = Field(index=True)
    seat_id: str
    addenda: int = 0
    waives_secrecy: bool = False


class Answer(Row, table=True):
    """The authority's answer to a dissent (对不同意见的研究情况); one each, given with the decision."""

    dissent_id: str = Field(foreign_key="dissent.id", unique=True)
    case_id: str = Field(index=True)
    text: str
