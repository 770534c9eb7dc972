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


class GistProposed(Event):
    """A short text of a dissent was proposed for the public summary; nobody but its author reads it yet."""

    kind: ClassVar[str] = "publication.gist_proposed"
    public: ClassVar[frozenset[str]] = frozenset({"dissent", "number"})
    disclosure: ClassVar[Level] = Level.PANEL
    dissent: str
    number: int
    text: str


class GistApproved(Event):
    """The author of a dissent approved its short text; what is published of the dissent has this digest."""

    kind: ClassVar[str] = "publication.gist_approved"
    public: ClassVar[frozenset[str]] = frozenset({"dissent", "number", "text_sha256"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    dissent: str
    number: int
    text_sha256: str


class GistReturned(Event):
    """The author of a dissent sent its short text back, with words."""

    kind: ClassVar[str] = "publication.gist_returned"
    public: ClassVar[frozenset[str]] = frozenset({"dissent", "number"})
    disclosure: ClassVar[Level] = Level.PANEL
    dissent: str
    number: int
    words: str
