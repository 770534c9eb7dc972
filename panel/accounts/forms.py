"""The shapes of the accounts' forms."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints, field_validator

from panel.core.forms import Form

Password = Annotated[str, StringConstraints(strip_whitespace=False, max_length=1024)]
"""As typed: spaces at its ends count (ASVS 6.2.8)."""


class SecretForm(Form):
    """A form that is never shown again and whose texts stay exactly as typed."""

    echoed: ClassVar[bool] = False

    @field_validator("*", mode="before")
    @classmethod
    def one_spelling(cls, typed: Any) -> Any:
        """Leave what was typed alone."""
        return typed


class SignInForm(SecretForm):
    """A name and a password. Missing ones are wrong credentials like any other."""

    login: str = Field(default="", max_length=200)
    password: Password = ""
    next: str = Field(default="", max_length=500)


class PasswordForm(SecretForm):
    """A change of one's password."""

    current: Password = ""
    password: Password = ""
    again: Password = ""


class LocaleForm(Form):
    """A choice of language, and where to go back to."""

    locale: Literal["zh_CN", "en"]
    back: str = Field(default="", max_length=500)


class DisplayForm(Form):
    """A choice of letter size, and where to go back to."""

    size: Literal["normal", "large"]
    back: str = Field(default="", max_length=500)


class EntryForm(Form):
    """Taking a seat of the demo by its token; `simulation` marks the session of a simulated member."""

    token: str = Field(max_length=500)
    simulation: Literal["", "1"] = ""
