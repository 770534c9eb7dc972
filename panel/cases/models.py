"""Cases, assignments, exhibits, questions of fact, verification reports with the objections that they examine."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field

from panel.core.db import Row
from panel.core.ids import new_id
from panel.core.security import Role


class Track(StrEnum):
    """How a case came in (双轨制, seed report 一(三))."""

    CONCURRENT = "concurrent"
    APPLICATION = "application"


class Outcome(StrEnum):
    """What may become of a case (domain 5)."""

    EXEMPT = "exempt"
    MITIGATE = "mitigate"
    DENY = "deny"
    CLEAR = "clear"
    SUSPEND = "suspend"


class Case(Row, table=True):
    """A matter before the committee. `record_token` stands for it on the public log and is not the id."""

    number: str = Field(unique=True, max_length=40)
    demo_number: int | None = Field(default=None, unique=True)
    record_token: str = Field(default_factory=new_id, unique=True, max_length=32)
    title: str = Field(max_length=200)
    title_en: str = Field(default="", max_length=200)
    official: str = Field(max_length=80)
    official_post: str = Field(default="", max_length=200)
    place: str = Field(default="", max_length=120)
    track: Track = Track.APPLICATION
    matter: str
    considerations_id: str = Field(foreign_key="rule_document.id")
    rules_id: str = Field(foreign_key="rule_document.id")
    catalogue_id: str = Field(foreign_key="rule_document.id")
    sources: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    fictional: bool = False
    opened_at: datetime

    @property
    def case_id(self) -> str:
        """Return the id, under the name that authorisation asks every object for."""
        return self.id


class Assignment(Row, table=True):
    """A person's duty in a case other than a seat: secretary, recorder, handler, official, helper, authority ..."""

    case_id: str = Field(foreign_key="case.id", index=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    role: Role
    ended_at: datetime | None = None


class Exhibit(Row, table=True):
    """One exhibit (证据材料): text that is read in place, or a stored file; never edited."""

    case_id: str = Field(foreign_key="case.id", index=True)
    number: int
    title: str = Field(max_length=200)
    origin: str = Field(default="", max_length=200)
    text: str = ""
    file_name: str = Field(default="", max_length=200)
    media_type: str = Field(default="text/plain", max_length=100)
    size: int = 0
    sha256: str = Field(max_length=64)
    fictional: bool = False
    filed_by: str = Field(foreign_key="person.id")


class FactualQuestion(Row, table=True):
    """One item of the list of factual questions (事实问题清单), settled before the hearing."""

    __tablename__ = "factual_question"
    __table_args__ = (UniqueConstraint("case_id", "number"),)

    case_id: str = Field(foreign_key="case.id", index=True)
    number: int
    text: str


class VerificationReport(Row, table=True):
    """The handler's report (核实报告): findings, analysis per consideration, recommendation."""

    __tablename__ = "verification_report"

    case_id: str = Field(foreign_key="case.id", unique=True)
    facts: str
    analysis: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    private_benefit: str = ""
    recommendation: Outcome
    reasons: str = ""
    filed_by: str = Field(foreign_key="person.id")


class OriginalObjection(Row, table=True):
    """An objection or reservation in the original decision, as the verification report examined it: evidence.

    Whoever dissented when a seriously mistaken decision was discussed bears less responsibility or none (713号令 §38).
    It is never a dissent of this panel: those are in panel/dissents. `exhibit` is the number of the exhibit that proves
    it, `held_on` a date as text.
    """

    __tablename__ = "original_objection"
    __table_args__ = (UniqueConstraint("report_id", "number"),)

    report_id: str = Field(foreign_key="verification_report.id", index=True)
    case_id: str = Field(index=True)
    number: int
    raised_by: str = Field(max_length=80)
    meeting: str = Field(max_length=200)
    held_on: str = Field(default="", max_length=80)
    exhibit: int | None = None
    wording: str
    proven: bool
    found: str = ""
