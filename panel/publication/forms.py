"""What people send about summaries."""

from typing import Literal

from pydantic import Field

from panel.core.forms import Form


class PublicationForm(Form):
    """Publish the text with this digest (hex): the one that was previewed."""

    body_sha256: str = Field(min_length=64, max_length=64)


class WithdrawalForm(Form):
    """Withdraw with a reason that the public reads."""

    reason: str = Field(min_length=1, max_length=2000)


class GistForm(Form):
    """Propose a short text of a dissent."""

    text: str = Field(min_length=1, max_length=1000)


class GistAnswerForm(Form):
    """Approve it, or send it back with words."""

    answer: Literal["approve", "return"]
    words: str = Field(default="", max_length=2000)
