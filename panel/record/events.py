"""Events: what may stand on the record."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


class Level(IntEnum):
    """To whom a part of an event may be handed out; each level includes those before it."""

    PUBLIC = 0
    PARTY = 1
    PANEL = 2
    FULL = 3


EVENT_KINDS: dict[str, type["Event"]] = {}
"""Every kind of event, by its name."""


Opener = tuple[str, str, Any]
"""An event that opens another: its kind, a field of its public part, and that field's value."""


class Event(BaseModel):
    """One act on the record. `public` names the fields of its public part; the rest is its private part."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[str] = ""
    public: ClassVar[frozenset[str]] = frozenset()
    disclosure: ClassVar[Level] = Level.FULL
    private_disclosure: ClassVar[Level] = Level.FULL

    case_id: str | None = None
    hearing_id: str | None = None
    closed: bool = False
    actor_id: str | None = None

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Register the kind; two events may not share one. A public part names fields that are there."""
        if cls.kind in EVENT_KINDS or not cls.kind:
            raise TypeError(f"the kind {cls.kind!r} of {cls.__name__} is empty or taken")
        if unknown := cls.public - set(cls.model_fields):
            raise TypeError(f"{cls.__name__} has no field {min(unknown)!r} to make public")
        EVENT_KINDS[cls.kind] = cls

    @classmethod
    def private_level(cls, public: Mapping[str, Any]) -> Level:
        """Say to whom the private part of one such event may be handed out; its public part may narrow it."""
        return cls.private_disclosure

    @classmethod
    def opener(cls, public: Mapping[str, Any], level: Level) -> Opener | None:
        """Name the later event that opens one such event to an audience; None where it need not wait for any."""
        return None

    def public_part(self) -> dict[str, Any]:
        """Return the public part as JSON values."""
        return {"kind": self.kind, **self.model_dump(mode="json", include=set(self.public))}

    def private_part(self) -> dict[str, Any]:
        """Return the private part as JSON values."""
        return self.model_dump(mode="json", exclude=set(self.public))


class KeyRotated(Event):
    """The log's key was renewed; the checkpoint that covers this is the last that the former key signs."""

    kind: ClassVar[str] = "record.key_rotated"
    public: ClassVar[frozenset[str]] = frozenset({"former", "key", "ground"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    former: str
    key: str
    ground: str


class BodyErased(Event):
    """The body of an entry was erased; the entry itself still verifies. Who erased it and why stays."""

    kind: ClassVar[str] = "record.body_erased"
    public: ClassVar[frozenset[str]] = frozenset({"index", "ground"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    index: int
    ground: str


class LogBegunAgain(Event):
    """A backup was restored: the record goes on under another origin and key; names the last checkpoint of the former.

    What the former log published beyond `size` is not in this one: whoever holds such a checkpoint can show it.
    """

    kind: ClassVar[str] = "record.log_begun_again"
    public: ClassVar[frozenset[str]] = frozenset({"origin", "size", "root", "key", "made_at"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    origin: str
    size: int
    root: str
    key: str
    made_at: str
