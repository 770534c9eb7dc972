"""What the rulebook may put on the record."""

from typing import ClassVar

from panel.record.events import Event, Level


class RuleDocumentLoaded(Event):
    """A version of a rule document came into the rulebook."""

    kind: ClassVar[str] = "rulebook.rule_document_loaded"
    public: ClassVar[frozenset[str]] = frozenset({"key", "version", "body_sha256"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    key: str
    version: int
    body_sha256: str
