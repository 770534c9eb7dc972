"""What opinions may put on the record."""

from collections.abc import Mapping
from typing import Any, ClassVar

from panel.record.events import Event, Level, Opener


class RoundOpened(Event):
    """A round of opinions was opened."""

    kind: ClassVar[str] = "opinions.round_opened"
    public: ClassVar[frozenset[str]] = frozenset({"number"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    round_id: str
    number: int


class OpinionSubmitted(Event):
    """A member gave an opinion; what it says is disclosed to the panel when the round closes."""

    kind: ClassVar[str] = "opinions.opinion_submitted"
    public: ClassVar[frozenset[str]] = frozenset({"round", "version"})
    disclosure: ClassVar[Level] = Level.PANEL
    private_disclosure: ClassVar[Level] = Level.PANEL
    round: int
    version: int
    seat: str
    ratings: dict[str, Any]
    recommendation: str
    reasons: str
    change: str

    @classmethod
    def opener(cls, public: Mapping[str, Any], level: Level) -> Opener | None:
        """Name the round's closing: before it nobody reads another's opinion, whatever they may read later."""
        return RoundClosed.kind, "number", public["round"]


class RoundClosed(Event):
    """A round closed with so many opinions; their contents were opened together."""

    kind: ClassVar[str] = "opinions.round_closed"
    public: ClassVar[frozenset[str]] = frozenset({"number", "opinions"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    round_id: str
    number: int
    opinions: int
