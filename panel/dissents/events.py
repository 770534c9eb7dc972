"""What dissents may put on the record."""

from typing import ClassVar

from panel.record.events import Event, Level


class DissentFiled(Event):
    """A member filed a dissent, a reservation or a concurring opinion."""

    kind: ClassVar[str] = "dissents.dissent_filed"
    public: ClassVar[frozenset[str]] = frozenset(
        {"dissent", "number", "dissent_kind", "subject_kind", "consideration", "text_sha256", "waives_secrecy"}
    )
    disclosure: ClassVar[Level] = Level.PUBLIC
    private_disclosure: ClassVar[Level] = Level.PANEL
    dissent: str
    number: int
    dissent_kind: str
    subject_kind: str
    subject: str
    consideration: str
    seat: str
    text: str
    text_sha256: str
    waives_secrecy: bool


class DissentJoined(Event):
    """A member joined a dissent."""

    kind: ClassVar[str] = "dissents.dissent_joined"
    public: ClassVar[frozenset[str]] = frozenset({"dissent"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    private_disclosure: ClassVar[Level] = Level.PANEL
    dissent: str
    seat: str
    waives_secrecy: bool


class AddendumFiled(Event):
    """The author of a dissent added to it; what was filed before stays as it is."""

    kind: ClassVar[str] = "dissents.addendum_filed"
    public: ClassVar[frozenset[str]] = frozenset({"dissent", "number", "text_sha256"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    private_disclosure: ClassVar[Level] = Level.PANEL
    dissent: str
    number: int
    text: str
    text_sha256: str


class DissentWithdrawn(Event):
    """Its author withdrew a dissent, with a reason or without."""

    kind: ClassVar[str] = "dissents.dissent_withdrawn"
    public: ClassVar[frozenset[str]] = frozenset({"dissent"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    private_disclosure: ClassVar[Level] = Level.PANEL
    dissent: str
    reason: str = ""


class DissentAnswered(Event):
    """The deciding authority answered a dissent."""

    kind: ClassVar[str] = "dissents.dissent_answered"
    public: ClassVar[frozenset[str]] = frozenset({"dissent", "text_sha256"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    private_disclosure: ClassVar[Level] = Level.PARTY
    dissent: str
    text: str
    text_sha256: str
