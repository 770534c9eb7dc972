"""What people send about a draw."""

from typing import Literal

from pydantic import Field

from panel.accounts.forms import SecretForm
from panel.core.forms import Form


class DrawForm(Form):
    """Preparing a draw: who of the pool takes the chair and why, and who is the scrutineer (a person)."""

    chair: str = Field(min_length=1, max_length=32)
    chair_reason: str = Field(min_length=1, max_length=1000)
    scrutineer: str = Field(min_length=1, max_length=32)


class CommitmentForm(Form):
    """What the page's script has made of a secret that stays in the browser (hex)."""

    commitment: str = Field(default="", max_length=64)


class SecretOfDrawForm(SecretForm):
    """The secret that a contributor reveals (hex)."""

    secret: str = Field(default="", max_length=64)


class VoidForm(Form):
    """Why a draw is voided."""

    reason: str = Field(min_length=1, max_length=1000)


class OfferForm(Form):
    """Taking a seat with an undertaking, or declining it with a reason."""

    answer: Literal["accept", "decline"]
    undertakes: Literal["", "yes"] = ""
    reason: str = Field(default="", max_length=1000)


class FormingForm(Form):
    """What the committee is called."""

    name: str = Field(min_length=1, max_length=120)
