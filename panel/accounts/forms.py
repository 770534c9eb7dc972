"""The shapes of the accounts' forms."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints, field_validator

from panel.core.forms import Form, Title
from panel.core.security import Office

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


class LetterheadForm(Form):
    """What the header and the footer show, and the language for strangers."""

    organisation: Title = Field(default="", max_length=120)
    sponsor: Title = Field(default="", max_length=120)
    icp: Title = Field(default="", max_length=80)
    police_icp: Title = Field(default="", max_length=80)
    contact: Title = Field(default="", max_length=200)
    locale: Literal["zh_CN", "en"] = "zh_CN"


class FirstLetterheadForm(LetterheadForm):
    """The same at the first run, with the one-time code."""

    code: str = Field(default="", max_length=100)


class AdministratorForm(SecretForm):
    """The first administrator, with the one-time code."""

    code: str = Field(default="", max_length=100)
    name: str = Field(default="", max_length=200)
    login: str = Field(default="", max_length=200)
    mail: str = Field(default="", max_length=300)
    password: Password = ""
    again: Password = ""


class OfficeForm(Form):
    """Giving somebody an office."""

    person: str = Field(min_length=1, max_length=32)
    office: Office


class PersonForm(Form):
    """A new account; no password, for its person chooses it."""

    name: Title = Field(min_length=1, max_length=80)
    login: str = Field(min_length=1, max_length=80)
    mail: str = Field(default="", max_length=254)


class ForgottenForm(Form):
    """Asking for a link because one has forgotten the password."""

    login: str = Field(default="", max_length=200)


class ChosenPasswordForm(SecretForm):
    """A password chosen by a link."""

    password: Password = ""
    again: Password = ""


class FactorForm(Form):
    """Beginning an authenticator, and where to go on afterwards."""

    next: str = Field(default="", max_length=500)


class CodeForm(SecretForm):
    """A code of one's authenticator, and where to go on afterwards."""

    code: str = Field(default="", max_length=40)
    next: str = Field(default="", max_length=500)


class PasskeyForm(SecretForm):
    """What a page's script has put into the form (`views.passkeys.Answer`), and where to go on afterwards."""

    passkey: str = Field(default="", max_length=12_000)
    next: str = Field(default="", max_length=500)


class NewPasskeyForm(PasskeyForm):
    """A new passkey, and what its person calls it."""

    name: str = Field(default="", max_length=200)


class SecondStepForm(CodeForm):
    """The second step of signing in: `token` says whose password was right a moment ago."""

    token: str = Field(default="", max_length=500)
