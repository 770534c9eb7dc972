"""What the dossier may put on the record."""

from typing import ClassVar

from panel.record.events import Event, Level


class CaseOpened(Event):
    """A case was opened under these versions of the rules."""

    kind: ClassVar[str] = "cases.case_opened"
    public: ClassVar[frozenset[str]] = frozenset(
        {"number", "track", "considerations_sha256", "rules_sha256", "catalogue_sha256", "fictional"}
    )
    disclosure: ClassVar[Level] = Level.PUBLIC
    number: str
    track: str
    title: str
    official: str
    matter_sha256: str
    considerations_sha256: str
    rules_sha256: str
    catalogue_sha256: str
    fictional: bool


class PersonAssigned(Event):
    """A person got a duty in the case."""

    kind: ClassVar[str] = "cases.person_assigned"
    public: ClassVar[frozenset[str]] = frozenset({"role"})
    disclosure: ClassVar[Level] = Level.PARTY
    role: str
    person_id: str


class ExhibitFiled(Event):
    """An exhibit was filed; its bytes are bound by their digest."""

    kind: ClassVar[str] = "cases.exhibit_filed"
    public: ClassVar[frozenset[str]] = frozenset({"number", "sha256", "size"})
    disclosure: ClassVar[Level] = Level.PARTY
    exhibit_id: str
    number: int
    title: str
    sha256: str
    size: int


class QuestionsListed(Event):
    """The list of factual questions was settled."""

    kind: ClassVar[str] = "cases.questions_listed"
    public: ClassVar[frozenset[str]] = frozenset({"texts_sha256"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    texts: list[str]
    texts_sha256: list[str]


class VerificationFiled(Event):
    """The verification report was filed."""

    kind: ClassVar[str] = "cases.verification_filed"
    public: ClassVar[frozenset[str]] = frozenset({"recommendation"})
    disclosure: ClassVar[Level] = Level.PANEL
    recommendation: str
    report_sha256: str


class ObjectionExamined(Event):
    """The verification report examined an objection or reservation that was raised in the original decision."""

    kind: ClassVar[str] = "cases.objection_examined"
    public: ClassVar[frozenset[str]] = frozenset({"number", "proven"})
    disclosure: ClassVar[Level] = Level.PANEL
    private_disclosure: ClassVar[Level] = Level.PANEL
    number: int
    proven: bool
    raised_by: str
    meeting: str
    held_on: str
    exhibit: int | None
    wording: str
    found: str
