"""What accounts may put on the record."""

from typing import ClassVar

from panel.record.events import Event, Level


class PersonAdded(Event):
    """An account was made."""

    kind: ClassVar[str] = "accounts.person_added"
    public: ClassVar[frozenset[str]] = frozenset()
    disclosure: ClassVar[Level] = Level.FULL
    person_id: str
    name: str


class PasswordChanged(Event):
    """A password was changed; every session of the account ended."""

    kind: ClassVar[str] = "accounts.password_changed"
    public: ClassVar[frozenset[str]] = frozenset()
    disclosure: ClassVar[Level] = Level.FULL
    person_id: str


class SessionsEnded(Event):
    """Somebody ended other sessions of an account."""

    kind: ClassVar[str] = "accounts.sessions_ended"
    public: ClassVar[frozenset[str]] = frozenset()
    disclosure: ClassVar[Level] = Level.FULL
    person_id: str
    sessions: int
