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


class PersonDisabled(Event):
    """An account was closed: its person no longer signs in, and every session of it ended."""

    kind: ClassVar[str] = "accounts.person_disabled"
    public: ClassVar[frozenset[str]] = frozenset()
    disclosure: ClassVar[Level] = Level.FULL
    person_id: str


class PersonEnabled(Event):
    """An account that was closed is open again."""

    kind: ClassVar[str] = "accounts.person_enabled"
    public: ClassVar[frozenset[str]] = frozenset()
    disclosure: ClassVar[Level] = Level.FULL
    person_id: str


class OfficeGiven(Event):
    """Somebody was given an office of the installation."""

    kind: ClassVar[str] = "accounts.office_given"
    public: ClassVar[frozenset[str]] = frozenset({"office"})
    disclosure: ClassVar[Level] = Level.FULL
    person_id: str
    office: str


class OfficeEnded(Event):
    """Somebody no longer holds an office."""

    kind: ClassVar[str] = "accounts.office_ended"
    public: ClassVar[frozenset[str]] = frozenset({"office"})
    disclosure: ClassVar[Level] = Level.FULL
    person_id: str
    office: str


class InstallationDescribed(Event):
    """What the header and the footer show was changed; none of it names a person."""

    kind: ClassVar[str] = "accounts.installation_described"
    public: ClassVar[frozenset[str]] = frozenset({"organisation", "sponsor", "icp", "police_icp", "contact", "locale"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    organisation: str
    sponsor: str
    icp: str
    police_icp: str
    contact: str
    locale: str


class LinkMade(Event):
    """Somebody was given a link with which they choose a password."""

    kind: ClassVar[str] = "accounts.link_made"
    public: ClassVar[frozenset[str]] = frozenset()
    disclosure: ClassVar[Level] = Level.FULL
    person_id: str
    purpose: str


class PasswordChosen(Event):
    """Somebody chose a password by a link; every session of the account ended."""

    kind: ClassVar[str] = "accounts.password_chosen"
    public: ClassVar[frozenset[str]] = frozenset()
    disclosure: ClassVar[Level] = Level.FULL
    person_id: str
    purpose: str


class RehearsalWiped(Event):
    """The rows of a rehearsal were deleted and the bodies of its entries erased; so many entries lost theirs."""

    kind: ClassVar[str] = "accounts.rehearsal_wiped"
    public: ClassVar[frozenset[str]] = frozenset({"entries"})
    disclosure: ClassVar[Level] = Level.FULL
    entries: int


class FactorAdded(Event):
    """Somebody confirmed an authenticator as second factor."""

    kind: ClassVar[str] = "accounts.factor_added"
    public: ClassVar[frozenset[str]] = frozenset()
    disclosure: ClassVar[Level] = Level.FULL
    person_id: str


class FactorRemoved(Event):
    """Somebody's second factor was taken away."""

    kind: ClassVar[str] = "accounts.factor_removed"
    public: ClassVar[frozenset[str]] = frozenset()
    disclosure: ClassVar[Level] = Level.FULL
    person_id: str


class RecoveryCodesMade(Event):
    """Somebody was given new recovery codes; those from before are void."""

    kind: ClassVar[str] = "accounts.recovery_codes_made"
    public: ClassVar[frozenset[str]] = frozenset()
    disclosure: ClassVar[Level] = Level.FULL
    person_id: str
    codes: int


class RecoveryCodeUsed(Event):
    """Somebody signed in by a recovery code; so many are left."""

    kind: ClassVar[str] = "accounts.recovery_code_used"
    public: ClassVar[frozenset[str]] = frozenset()
    disclosure: ClassVar[Level] = Level.FULL
    person_id: str
    left: int
