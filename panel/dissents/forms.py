"""What people send about dissents."""

from typing import Literal

from pydantic import Field, model_validator

from panel.core.errors import Reason
from panel.core.forms import Form, wrong
from panel.dissents.models import DissentKind, SubjectKind

FINDING = "finding"


class DissentForm(Form):
    """File a dissent. `about` names its subject: `motion:<id>`, `question:<id>`, `consideration:<key>` or `finding`."""

    kind: DissentKind
    about: str = Field(min_length=1, max_length=60)
    consideration: str = Field(default="", max_length=40)
    text: str = Field(min_length=1, max_length=4000)
    waives_secrecy: Literal["", "true"] = ""

    @model_validator(mode="after")
    def names_its_subject(self) -> "DissentForm":
        """Refuse a subject that cannot be read."""
        kind, _, named = self.about.partition(":")
        if kind not in set(SubjectKind) or bool(named) == (kind == FINDING):
            raise wrong(Reason("Say what the dissent is about."))
        return self

    @property
    def subject_kind(self) -> str:
        """Return what kind of thing the dissent is about."""
        return self.about.partition(":")[0]

    @property
    def subject_id(self) -> str:
        """Return which one; empty for the finding, of which a case has one."""
        return self.about.partition(":")[2]


class JoiningForm(Form):
    """Join a dissent."""

    waives_secrecy: Literal["", "true"] = ""


class AddendumForm(Form):
    """Add to one's own dissent."""

    text: str = Field(min_length=1, max_length=4000)


class WithdrawalForm(Form):
    """Withdraw one's own dissent; the reason may be left out."""

    reason: str = Field(default="", max_length=2000)
