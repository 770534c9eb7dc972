"""What people send about motions and ballots."""

from typing import ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from panel.core.errors import Reason
from panel.core.forms import Form, wrong

CHOICE_WIDTH = 16
"""Options are sent padded with dots to this width, so that the size of a request tells nothing of the choice."""


def padded(option: str) -> str:
    """Return an option's code as a ballot's form sends it."""
    return f"{option:.<{CHOICE_WIDTH}}"


class MotionForm(Form):
    """Move one motion, or every question of fact (`facts`)."""

    kind: Literal["fact", "disposition", "facts"]
    question: str = Field(default="", max_length=1000)
    outcome: str = Field(default="", max_length=20)

    @model_validator(mode="after")
    def asks(self) -> "MotionForm":
        """Refuse a motion without a question."""
        if self.kind != "facts" and not self.question:
            raise wrong(Reason("Write the question that is put to the vote."))
        return self


class BallotForm(Form):
    """A ballot; `replaces` names the one that it replaces. Never echoed: it may be a secret one."""

    echoed: ClassVar[bool] = False

    choice: str = Field(min_length=1, max_length=40)
    reason: str = Field(default="", max_length=2000)
    replaces: str = Field(default="", max_length=32)

    @field_validator("choice")
    @classmethod
    def without_padding(cls, sent: str) -> str:
        """Take away the dots that make every choice equally long."""
        return sent.rstrip(".")


class AnnulmentForm(Form):
    """Annul a motion, with the ground that stands on the record."""

    ground: str = Field(min_length=1, max_length=1000)
