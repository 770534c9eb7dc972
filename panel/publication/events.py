"""What publication may put on the record."""

from typing import ClassVar

from panel.record.events import Event, Level


class SummaryComposed(Event):
    """A draft was composed from the record."""

    kind: ClassVar[str] = "publication.summary_composed"
    public: ClassVar[frozenset[str]] = frozenset()
    disclosure: ClassVar[Level] = Level.FULL
    summary: str
    body_sha256: str


class SummaryPublished(Event):
    """The summary was published; its text is bound by its digest."""

    kind: ClassVar[str] = "publication.summary_published"
    public: ClassVar[frozenset[str]] = frozenset({"slug", "body_sha256"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    slug: str
    body_sha256: str


class SummaryWithdrawn(Event):
    """A published summary was withdrawn; a tombstone stays."""

    kind: ClassVar[str] = "publication.summary_withdrawn"
    public: ClassVar[frozenset[str]] = frozenset({"slug", "reason"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    slug: str
    reason: str
