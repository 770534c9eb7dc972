"""The shape of what members and the chair send about seats."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, field_validator

from panel.committees.models import Category
from panel.committees.roster import day
from panel.committees.rules import LONGEST, LONGEST_LIST, LONGEST_STATEMENT, line_reason
from panel.core.forms import Chosen, Form, wrong

Statement = Annotated[str, Field(max_length=LONGEST_STATEMENT)]


class DeclarationForm(Form):
    """A declaration of interests; `conflict` yes asks the chair for a recusal."""

    conflict: Literal["no", "yes"]
    ground: Annotated[str, Field(max_length=40)] = ""
    statement: Statement = ""


class RecusalForm(Form):
    """A recusal with its ground; `successor` is the seat that takes the chair when the chair's stands aside."""

    ground: Annotated[str, Field(max_length=40)] = ""
    statement: Statement = ""
    successor: Annotated[str, Field(max_length=32)] = ""


class RefusalForm(Form):
    """Why a request for recusal is refused."""

    reason: Statement = ""


class AttendanceForm(Form):
    """Whose coming or leaving is noted; empty for one's own."""

    seat: Annotated[str, Field(max_length=32)] = ""


class RosterForm(Form):
    """A list, pasted or in a file, which goes before; `look` shows how it is read, `take` takes what was pasted."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, arbitrary_types_allowed=True)

    pasted: Annotated[str, StringConstraints(strip_whitespace=False, max_length=LONGEST_LIST)] = ""
    file: Chosen = None
    step: Literal["look", "take"] = "look"
    first_run: Literal["", "1"] = ""

    @field_validator("*", mode="before")
    @classmethod
    def one_spelling(cls, typed: Any) -> Any:
        """Leave the list as it is: what is wrong in it is told line by line."""
        return typed


def _day(typed: Any) -> Any:
    if not isinstance(typed, str) or not typed.strip():
        return None
    found = day(typed)
    if found is None:
        raise wrong(line_reason("no_day", typed[:40]))
    return found


Day = Annotated[date | None, BeforeValidator(_day)]


class RosterMemberForm(Form):
    """What the roster says of somebody."""

    category: Category
    unit: Annotated[str, Field(max_length=LONGEST["unit"])] = ""
    expertise: Annotated[str, Field(max_length=LONGEST["expertise"])] = ""
    term_from: Day = None
    term_until: Day = None
    away_until: Day = None
    away_why: Annotated[str, Field(max_length=LONGEST["away_why"])] = ""


class RosterFileForm(Form):
    """As what kind of file the roster is saved."""

    kind: Literal["csv", "xlsx"]
