"""The shape of what members and the chair send about seats."""

from typing import Annotated, Literal

from pydantic import Field

from panel.committees.rules import LONGEST_STATEMENT
from panel.core.forms import Form

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
    """A pasted list; `look` shows how it is read, `take` takes it."""

    pasted: str = Field(default="", max_length=200_000)
    step: Literal["look", "take"] = "look"
    first_run: Literal["", "1"] = ""
