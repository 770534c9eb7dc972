"""What the deciding authority sends."""

from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from panel.core.errors import Reason
from panel.core.forms import Form, wrong
from panel.decisions.rules import Measure

MOST_MEASURES = 20
LONGEST = 8000


class DecisionForm(Form):
    """A decision to be checked, changed or issued. The lists run in parallel; empty rows of measures are left out."""

    step: Literal["check", "change", "issue"] = "check"
    number: str = Field(default="", max_length=60)
    outcome: str = Field(min_length=1, max_length=20)
    measure: str = Field(default="", max_length=200)
    reasons: str = Field(min_length=1, max_length=LONGEST)
    departure_reasons: str = Field(default="", max_length=LONGEST)
    approver: str = Field(default="", max_length=80)
    corrective_text: list[str] = Field(default=[], max_length=MOST_MEASURES)
    corrective_responsible: list[str] = Field(default=[], max_length=MOST_MEASURES)
    corrective_due: list[str] = Field(default=[], max_length=MOST_MEASURES)
    dissent: list[str] = Field(default=[], max_length=100)
    answer: list[str] = Field(default=[], max_length=100)

    @model_validator(mode="after")
    def rows_are_whole(self) -> "DecisionForm":
        """Refuse half-filled measures, dates that are none, and answers without a dissent."""
        if len(self.dissent) != len(self.answer) or any(len(text) > LONGEST for text in self.answer):
            raise wrong(Reason("This is not one of the possible answers."))
        for text, responsible, due in self._rows():
            if not (text and responsible and due):
                raise wrong(Reason("Say of every corrective measure what, who and until when."))
            if not _is_day(due) or len(text) > 1000 or len(responsible) > 200:
                raise wrong(Reason("A corrective measure needs a date, and a text of at most 1000 characters."))
        return self

    def _rows(self) -> list[tuple[str, str, str]]:
        columns = (self.corrective_text, self.corrective_responsible, self.corrective_due)
        if len({len(column) for column in columns}) > 1:
            raise wrong(Reason("Say of every corrective measure what, who and until when."))
        return [row for row in zip(*columns, strict=True) if any(row)]

    @property
    def measures(self) -> list[Measure]:
        """Return the corrective measures that were filled in."""
        return [Measure(text, responsible, date.fromisoformat(due)) for text, responsible, due in self._rows()]

    @property
    def answers(self) -> dict[str, str]:
        """Return the answers by dissent; empty ones are none."""
        return {id: text for id, text in zip(self.dissent, self.answer, strict=True) if text}


def _is_day(written: str) -> bool:
    try:
        date.fromisoformat(written)
    except ValueError:
        return False
    return len(written) == len("2026-11-23")
