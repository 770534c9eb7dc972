"""People and their sign-in sessions."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from panel.core.db import Row


class Person(Row, table=True):
    """Somebody who can sign in. Names are NFC, without bidi controls."""

    name: str = Field(max_length=80)
    login: str = Field(unique=True, max_length=80)
    password_hash: str
    locale: str = Field(default="", max_length=8)
    large: bool = False
    fictional: bool = False


class SignInSession(SQLModel, table=True):
    """A sign-in; the cookie holds a 256-bit reference, the row only its SHA-256 (hex)."""

    __tablename__ = "sign_in_session"

    reference_sha256: str = Field(primary_key=True, max_length=64)
    person_id: str = Field(foreign_key="person.id", index=True)
    device: str = Field(default="", max_length=200)
    simulated: bool = False
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
