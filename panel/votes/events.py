"""What votes may put on the record. A sealed ballot has no event."""

from collections.abc import Mapping
from typing import Any, ClassVar

from panel.record.events import Event, Level, Opener

ANNOUNCED = "votes.result_announced"


class BehindDoors:
    """What is put, voted and closed in closed session: those outside have it once the result is announced."""

    @classmethod
    def opener(cls, public: Mapping[str, Any], level: Level) -> Opener | None:
        """Name the announcement, for those outside the panel."""
        return None if level >= Level.PANEL else (ANNOUNCED, "motion", public["motion"])


class MotionMoved(Event):
    """A motion was put on the list."""

    kind: ClassVar[str] = "votes.motion_moved"
    public: ClassVar[frozenset[str]] = frozenset({"motion", "number", "motion_kind", "repeats"})
    disclosure: ClassVar[Level] = Level.PANEL
    private_disclosure: ClassVar[Level] = Level.PANEL
    motion: str
    number: int
    motion_kind: str
    question: str
    repeats: str | None = None


class MotionOpened(BehindDoors, Event):
    """Voting opened: question, options, rule and roll are frozen from here on."""

    kind: ClassVar[str] = "votes.motion_opened"
    public: ClassVar[frozenset[str]] = frozenset(
        {
            "motion", "number", "motion_kind", "question_sha256", "outcome", "secrecy",
            "options", "rule", "roll", "roll_size", "entitled", "public_key", "frozen_sha256", "repeats",
        }
    )  # fmt: skip
    disclosure: ClassVar[Level] = Level.PUBLIC
    private_disclosure: ClassVar[Level] = Level.PARTY
    motion: str
    number: int
    motion_kind: str
    question: str
    question_sha256: str
    outcome: str | None
    secrecy: str
    options: list[str]
    rule: dict[str, Any]
    roll: list[dict[str, Any]]
    """[{"seat", "entitled", "due", "category", "reason"}] in the order of seat numbers (tally.RollLine)."""
    roll_size: int
    entitled: int
    public_key: str
    frozen_sha256: str
    repeats: str | None


class BallotCast(Event):
    """An open ballot; one that replaces another names it."""

    kind: ClassVar[str] = "votes.ballot_cast"
    public: ClassVar[frozenset[str]] = frozenset({"motion", "ballot", "seat", "choice", "replaces", "frozen_sha256"})
    disclosure: ClassVar[Level] = Level.PARTY
    private_disclosure: ClassVar[Level] = Level.PANEL
    motion: str
    ballot: str
    seat: str
    choice: str
    reason: str
    replaces: str | None
    frozen_sha256: str

    @classmethod
    def opener(cls, public: Mapping[str, Any], level: Level) -> Opener | None:
        """Name the closing for the panel, which sees nobody's vote before, and the announcement for those outside."""
        return (MotionClosed.kind if level >= Level.PANEL else ANNOUNCED), "motion", public["motion"]


class LastCallMade(Event):
    """The chair called for the last ballots; the chair may now vote."""

    kind: ClassVar[str] = "votes.last_call_made"
    public: ClassVar[frozenset[str]] = frozenset({"motion"})
    disclosure: ClassVar[Level] = Level.PANEL
    motion: str


class MotionClosed(BehindDoors, Event):
    """Voting closed, with the tally. What would tell each vote of a secret motion stands in `result` only."""

    kind: ClassVar[str] = "votes.motion_closed"
    public: ClassVar[frozenset[str]] = frozenset(
        {
            "motion", "number", "carried", "settled", "outcome_published", "counts", "participation", "present",
            "key_destroyed",
        }
    )  # fmt: skip
    disclosure: ClassVar[Level] = Level.PUBLIC
    private_disclosure: ClassVar[Level] = Level.PANEL
    motion: str
    number: int
    carried: str
    """carried, lost, deferred (near tie), lapsed (no quorum, or too few sealed ballots)."""
    settled: str
    """The option that the result stands for, or empty."""
    outcome_published: str
    """How the count may be shown outside: full, or passed_only (small-number rule)."""
    counts: dict[str, int]
    """Empty when they are withheld, and when nothing was counted."""
    participation: list[str]
    """Seats that took part, sorted; of a sealed motion without order or time."""
    present: list[str]
    """Seats that were in the room at closing, sorted."""
    key_destroyed: bool
    result: dict[str, Any]
    """The shape of votes/tally.Result."""


class MotionAnnulled(BehindDoors, Event):
    """An open motion was annulled; nothing was counted."""

    kind: ClassVar[str] = "votes.motion_annulled"
    public: ClassVar[frozenset[str]] = frozenset({"motion", "number"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    private_disclosure: ClassVar[Level] = Level.PARTY
    motion: str
    number: int
    ground: str


class ResultAnnounced(Event):
    """The result was announced outside the closed session."""

    kind: ClassVar[str] = ANNOUNCED
    public: ClassVar[frozenset[str]] = frozenset({"motion", "number"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    motion: str
    number: int
