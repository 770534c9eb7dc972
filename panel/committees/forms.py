"""The shape of what members and the chair send about seats."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from panel.committees.rules import LONGEST_LIST, LONGEST_STATEMENT
from panel.core.forms import Chosen, Form

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
