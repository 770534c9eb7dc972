"""What a member sends while writing an opinion."""

from typing import Any, Literal

from pydantic import Field

from panel.core.forms import Form
from panel.opinions.rules import LONGEST, OVERALL

Rating = Literal["1", "2", "3", "4", "5", "cannot_judge", ""]
Sure = Literal["high", "fair", "low", ""]


class CheckedForm(Form):
    """The opinion as it was shown for checking."""

    revision: int = Field(default=0, ge=0)


class StepForm(Form):
    """One step of the editor: a consideration, or `overall`. Everything but the step may still be empty."""

    step: str = Field(max_length=40)
    revision: int = Field(default=0, ge=0)
    value: Rating = ""
    sure: Sure = ""
    reason: str = Field(default="", max_length=LONGEST)
    exhibits: list[int] = Field(default_factory=list, max_length=200)
    recommendation: str = Field(default="", max_length=20)
    reasons: str = Field(default="", max_length=LONGEST)
    change: str = Field(default="", max_length=LONGEST)
    next: str = Field(default="", max_length=40)

    @property
    def said(self) -> dict[str, Any]:
        """Return what the step keeps; a consideration without a choice has no `value`, "cannot judge" has None.

        How sure somebody is goes with a rating; "cannot judge" is none.
        """
        if self.step == OVERALL:
            return {"recommendation": self.recommendation, "reasons": self.reasons, "change": self.change}
        kept: dict[str, Any] = {"reason": self.reason, "exhibits": sorted(set(self.exhibits))}
        if self.value == "cannot_judge":
            return {**kept, "value": None}
        if self.sure:
            kept["sure"] = self.sure
        return {**kept, "value": int(self.value)} if self.value else kept
