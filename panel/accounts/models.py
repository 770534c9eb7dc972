"""People, the offices they hold, their sign-in sessions, and what the installation calls itself."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Column, LargeBinary
from sqlmodel import Field, SQLModel

from panel.core.db import Row
from panel.core.security import Office


class Person(Row, table=True):
    """Somebody who can sign in. Names are NFC, without bidi controls."""

    name: str = Field(max_length=80)
    login: str = Field(unique=True, max_length=80)
    password_hash: str
    locale: str = Field(default="", max_length=8)
    large: bool = False
    fictional: bool = False
    mail: str = Field(default="", max_length=254)
    disabled_at: datetime | None = None


class Appointment(Row, table=True):
    """That somebody holds an office: since `created_at`, until `ended_at`. By whom: empty for the command line."""

    person_id: str = Field(foreign_key="person.id", index=True)
    office: Office
    given_by: str | None = Field(default=None, foreign_key="person.id")
    ended_at: datetime | None = None
    ended_by: str | None = Field(default=None, foreign_key="person.id")


class Installation(SQLModel, table=True):
    """The one row that says what the header and the footer show; settings speak for what is empty here."""

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    organisation: str = Field(default="", max_length=120)
    sponsor: str = Field(default="", max_length=120)
    icp: str = Field(default="", max_length=80)
    police_icp: str = Field(default="", max_length=80)
    contact: str = Field(default="", max_length=200)
    locale: str = Field(default="", max_length=8)


class SignInSession(SQLModel, table=True):
    """A sign-in; the cookie holds a 256-bit reference, the row only its SHA-256 (hex).

    `proved_at`: when its person last proved who they are: at signing in, or since.
    """

    __tablename__ = "sign_in_session"

    reference_sha256: str = Field(primary_key=True, max_length=64)
    person_id: str = Field(foreign_key="person.id", index=True)
    device: str = Field(default="", max_length=200)
    simulated: bool = False
    rehearsing: bool = False
    created_at: datetime
    seen_at: datetime
    proved_at: datetime | None = None
    expires_at: datetime


class LinkPurpose(StrEnum):
    """What a link is for."""

    INVITATION = "invitation"
    RESET = "reset"


class SignInLink(SQLModel, table=True):
    """A link with which somebody chooses a password, once. The row holds only the SHA-256 (hex) of what it carries."""

    __tablename__ = "sign_in_link"

    reference_sha256: str = Field(primary_key=True, max_length=64)
    person_id: str = Field(foreign_key="person.id", index=True)
    purpose: LinkPurpose
    made_by: str | None = Field(default=None, foreign_key="person.id")
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None


class SecondFactor(Row, table=True):
    """Somebody's authenticator. `sealed`: its secret, under a key outside the database; `last_step`: the last used."""

    __tablename__ = "second_factor"

    person_id: str = Field(foreign_key="person.id", unique=True)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    confirmed_at: datetime | None = None
    last_step: int = -1


class Passkey(Row, table=True):
    """Somebody's passkey: the public half only, so that who reads it can sign in as nobody.

    `credential_id` is base64url; `sign_count` is what its authenticator counted last, 0 where it does not count.
    """

    person_id: str = Field(foreign_key="person.id", index=True)
    credential_id: str = Field(unique=True, max_length=1400)
    public_key: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    sign_count: int = Field(default=0, sa_type=BigInteger)
    name: str = Field(max_length=80)
    used_at: datetime | None = None


class UsedChallenge(SQLModel, table=True):
    """A challenge that was answered: no answer to it counts again, on any process. Kept until it would expire."""

    __tablename__ = "used_challenge"

    challenge_sha256: str = Field(primary_key=True, max_length=64)
    expires_at: datetime


class RecoveryCode(Row, table=True):
    """A code for when the authenticator is lost, hashed like a password; gone when it is used."""

    __tablename__ = "recovery_code"

    person_id: str = Field(foreign_key="person.id", index=True)
    code_hash: str
