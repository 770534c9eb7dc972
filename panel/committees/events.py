"""What a committee may put on the record."""

from typing import ClassVar

from panel.record.events import Event, Level


class CommitteeFormed(Event):
    """A committee was formed."""

    kind: ClassVar[str] = "committees.committee_formed"
    public: ClassVar[frozenset[str]] = frozenset({"seats"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    committee_id: str
    name: str
    seats: dict[str, int]
    """Number of seats per category, alternates left out."""


class SeatTaken(Event):
    """A person took a seat."""

    kind: ClassVar[str] = "committees.seat_taken"
    public: ClassVar[frozenset[str]] = frozenset({"seat", "category", "chair", "alternate"})
    disclosure: ClassVar[Level] = Level.PARTY
    seat: str
    person_id: str
    category: str
    chair: bool
    alternate: bool


class InterestsDeclared(Event):
    """A member declared interests."""

    kind: ClassVar[str] = "committees.interests_declared"
    public: ClassVar[frozenset[str]] = frozenset({"seat", "conflict"})
    disclosure: ClassVar[Level] = Level.PARTY
    seat: str
    conflict: bool
    ground: str
    statement: str


class SeatRecused(Event):
    """A seat stands aside."""

    kind: ClassVar[str] = "committees.seat_recused"
    public: ClassVar[frozenset[str]] = frozenset({"seat", "category"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    seat: str
    category: str
    ground: str
    statement: str


class RecusalRefused(Event):
    """A member's request for recusal was refused with a reason."""

    kind: ClassVar[str] = "committees.recusal_refused"
    public: ClassVar[frozenset[str]] = frozenset({"seat"})
    disclosure: ClassVar[Level] = Level.PARTY
    seat: str
    reason: str


class ChairNamed(Event):
    """Another member took the chair of a committee whose chair stands aside."""

    kind: ClassVar[str] = "committees.chair_named"
    public: ClassVar[frozenset[str]] = frozenset({"seat"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    seat: str


class AlternateSeated(Event):
    """An alternate moved up into the roll."""

    kind: ClassVar[str] = "committees.alternate_seated"
    public: ClassVar[frozenset[str]] = frozenset({"seat", "category", "replaces"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    seat: str
    category: str
    replaces: str


class MemberArrived(Event):
    """A member came into the hearing."""

    kind: ClassVar[str] = "committees.member_arrived"
    public: ClassVar[frozenset[str]] = frozenset({"seat"})
    disclosure: ClassVar[Level] = Level.PARTY
    seat: str


class MemberLeft(Event):
    """A member left the hearing."""

    kind: ClassVar[str] = "committees.member_left"
    public: ClassVar[frozenset[str]] = frozenset({"seat"})
    disclosure: ClassVar[Level] = Level.PARTY
    seat: str


class RosterMemberAdded(Event):
    """Somebody was put on the roster from which committees are formed."""

    kind: ClassVar[str] = "committees.roster_member_added"
    public: ClassVar[frozenset[str]] = frozenset({"category"})
    disclosure: ClassVar[Level] = Level.FULL
    person_id: str
    category: str
    unit: str
    expertise: str = ""
    term_from: str | None = None
    """A day as 2026-01-31, like those after it."""
    term_until: str | None = None
    away_until: str | None = None
    away_why: str = ""


class RosterMemberChanged(Event):
    """What the roster says of somebody was changed; the event says how it stands since, and names what is new."""

    kind: ClassVar[str] = "committees.roster_member_changed"
    public: ClassVar[frozenset[str]] = frozenset({"category"})
    disclosure: ClassVar[Level] = Level.FULL
    person_id: str
    category: str
    unit: str
    expertise: str
    term_from: str | None
    term_until: str | None
    away_until: str | None
    away_why: str
    changed: list[str]


class RosterMemberRemoved(Event):
    """Somebody was taken off the roster; the seats that they hold stay."""

    kind: ClassVar[str] = "committees.roster_member_removed"
    public: ClassVar[frozenset[str]] = frozenset({"category"})
    disclosure: ClassVar[Level] = Level.FULL
    person_id: str
    category: str
