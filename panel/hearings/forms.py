"""What people send in a hearing."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from panel.core.forms import Form
from panel.hearings.models import Phase, RequestKind
from panel.hearings.rules import LONGEST


class StepForm(Form):
    """The next step, pressed at this phase."""

    phase: Phase


class PauseForm(Form):
    """A pause, with its reason."""

    reason: str = Field(default="", max_length=500)


class DarkForm(Form):
    """The projector dark, or lit."""

    dark: bool


class AdjournmentForm(Form):
    """An adjournment until a local date and time of the committee's zone."""

    until: datetime
    reason: str = Field(min_length=1, max_length=500)


class RequestForm(Form):
    """A raised hand."""

    kind: RequestKind = RequestKind.SPEECH


class TurnForm(Form):
    """The floor for a raised hand, or for somebody directly."""

    request: str = Field(default="", max_length=32)
    person: str = Field(default="", max_length=32)


class ExtensionForm(Form):
    """More or less time for a speaker, in seconds."""

    seconds: Literal["30", "-30"] = "30"


class QuestionForm(Form):
    """A question to somebody in the room."""

    asked_of: str = Field(min_length=1, max_length=32)
    asked_by: str = Field(default="", max_length=32)
    text: str = Field(min_length=1, max_length=LONGEST)


class TextForm(Form):
    """Some text."""

    text: str = Field(min_length=1, max_length=LONGEST)


class NoteForm(TextForm):
    """A line of the minutes, and whose words it is."""

    speaker: str = Field(default="", max_length=32)


class JottingForm(Form):
    """One's own notes, as of the revision that was shown."""

    text: str = Field(default="", max_length=LONGEST)
    revision: int = Field(default=0, ge=0)


class ShowingForm(Form):
    """An exhibit to be shown."""

    exhibit: str = Field(min_length=1, max_length=32)


class ConfirmationForm(Form):
    """Yes to the minutes, or no with a reason."""

    answer: Literal["confirm", "refuse"]
    reason: str = Field(default="", max_length=LONGEST)
