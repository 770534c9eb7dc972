"""What a draw may put on the record. The pool is told by ids that were made up for this draw and name nobody."""

from typing import Any, ClassVar

from panel.record.events import Event, Level


class DrawPrepared(Event):
    """The terms and the pool of a draw were fixed, and who contributes to its seed."""

    kind: ClassVar[str] = "draws.draw_prepared"
    public: ClassVar[frozenset[str]] = frozenset(
        {"draw", "number", "terms", "candidates", "excluded", "chair_category"}
    )
    disclosure: ClassVar[Level] = Level.PUBLIC
    private_disclosure: ClassVar[Level] = Level.PARTY
    draw: str
    number: int
    terms: dict[str, Any]
    candidates: list[dict[str, str]]
    """[{"id", "category", "unit"}] by id; `unit` "" where none is known."""
    excluded: dict[str, int]
    """How many of the pool could not be drawn, by ground."""
    chair_category: str
    chair_id: str
    chair_reason: str
    scrutineer_id: str
    people: dict[str, str]
    """Whom the ids stand for: persons (ids)."""


class ContributionCommitted(Event):
    """A contributor said what their secret hashes to."""

    kind: ClassVar[str] = "draws.contribution_committed"
    public: ClassVar[frozenset[str]] = frozenset({"draw", "contributor", "commitment"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    draw: str
    contributor: str
    commitment: str


class DrawFixed(Event):
    """A signed root of the record, made after both commitments, was fixed for the seed; nobody could know it before."""

    kind: ClassVar[str] = "draws.draw_fixed"
    public: ClassVar[frozenset[str]] = frozenset({"draw", "size", "root", "note"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    draw: str
    size: int
    root: str
    note: str
    """The checkpoint as it was signed."""


class ContributionRevealed(Event):
    """A contributor revealed their secret; it is told when the draw is held, so that the other cannot wait for it."""

    kind: ClassVar[str] = "draws.contribution_revealed"
    public: ClassVar[frozenset[str]] = frozenset({"draw", "contributor"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    draw: str
    contributor: str


class DrawHeld(Event):
    """The draw was held: anybody who has the events of this draw can hold it again."""

    kind: ClassVar[str] = "draws.draw_held"
    public: ClassVar[frozenset[str]] = frozenset({"draw", "secrets", "seed", "members", "alternates"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    draw: str
    secrets: list[str]
    seed: str
    members: dict[str, list[str]]
    alternates: dict[str, list[str]]


class DrawVoided(Event):
    """A draw was voided before it was held: a reveal is missing, or its pool was wrong."""

    kind: ClassVar[str] = "draws.draw_voided"
    public: ClassVar[frozenset[str]] = frozenset({"draw", "missing"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    private_disclosure: ClassVar[Level] = Level.PARTY
    draw: str
    missing: list[str]
    """Which contributors had not revealed their secret."""
    reason: str


class SeatOffered(Event):
    """A seat was offered to a candidate: drawn, or the next alternate of the category."""

    kind: ClassVar[str] = "draws.seat_offered"
    public: ClassVar[frozenset[str]] = frozenset({"draw", "candidate", "category"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    draw: str
    candidate: str
    category: str


class OfferAnswered(Event):
    """Somebody accepted a seat and undertook to keep the case confidential, or declined it."""

    kind: ClassVar[str] = "draws.offer_answered"
    public: ClassVar[frozenset[str]] = frozenset({"draw", "candidate", "accepted"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    private_disclosure: ClassVar[Level] = Level.PARTY
    draw: str
    candidate: str
    accepted: bool
    reason: str
    undertaking: str
    """The words of the undertaking that was accepted."""
