"""Committees, seats, declarations of interest, recusals, attendance."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from panel.core.db import Row


class Category(StrEnum):
    """Seat categories of the committee (seed report 一(三), 荆门)."""

    DISCIPLINE = "discipline"
    ORGANIZATION = "organization"
    LEGAL = "legal"
    EXPERT = "expert"
    STAKEHOLDER = "stakeholder"
    PUBLIC = "public"
    MEDIA = "media"


class RosterMember(Row, table=True):
    """Somebody who may sit on committees: on the roster since `created_at`, until `ended_at`.

    The term and an absence end with their last day, in the committee's zone; without days a term has no end.
    """

    __tablename__ = "roster_member"

    person_id: str = Field(foreign_key="person.id", index=True)
    category: Category
    unit: str = Field(default="", max_length=120)
    expertise: str = Field(default="", max_length=80)
    term_from: date | None = None
    term_until: date | None = None
    away_until: date | None = None
    away_why: str = Field(default="", max_length=80)
    ended_at: datetime | None = None


class Committee(Row, table=True):
    """One case, one committee (公务员申诉规定 §5 as model)."""

    case_id: str = Field(foreign_key="case.id", unique=True)
    name: str = Field(max_length=120)


class Seat(Row, table=True):
    """A member's seat. An alternate's seat counts only once it has moved up (`alternate` false)."""

    __table_args__ = (UniqueConstraint("committee_id", "number"),)

    committee_id: str = Field(foreign_key="committee.id", index=True)
    case_id: str = Field(foreign_key="case.id", index=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    number: int
    category: Category
    unit: str = Field(default="", max_length=120)
    chair: bool = False
    alternate: bool = False
    replaces: str | None = Field(default=None, description="the recused seat for which an alternate moved up")


class InterestDeclaration(Row, table=True):
    """A member's declaration of interests; `conflict` asks the chair for a recusal. The newest of a seat holds."""

    __tablename__ = "interest_declaration"

    seat_id: str = Field(foreign_key="seat.id", index=True)
    case_id: str = Field(index=True)
    hearing_id: str = Field(index=True)
    conflict: bool
    ground: str = Field(default="", max_length=40)
    statement: str = ""


class RecusalRefusal(Row, table=True):
    """A request for recusal that was heard and refused: the member sits on (公职人员政务处分法 §48)."""

    __tablename__ = "recusal_refusal"

    declaration_id: str = Field(foreign_key="interest_declaration.id", unique=True)
    seat_id: str = Field(foreign_key="seat.id", index=True)
    case_id: str = Field(index=True)
    reason: str
    refused_by: str = Field(foreign_key="person.id")


class Recusal(Row, table=True):
    """A seat that stands aside: it leaves roll, quorum and base at once, and its access ends (domain 4.5)."""

    seat_id: str = Field(foreign_key="seat.id", unique=True)
    case_id: str = Field(index=True)
    ground: str
    statement: str = ""
    ordered_by: str = Field(foreign_key="person.id")
    entry: int = Field(default=-1, description="the record's index of the recusal")


class Attendance(Row, table=True):
    """A stretch of presence of one seat in one hearing."""

    seat_id: str = Field(foreign_key="seat.id", index=True)
    case_id: str = Field(index=True)
    hearing_id: str = Field(index=True)
    arrived_at: datetime
    left_at: datetime | None = None
