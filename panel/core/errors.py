"""Refusals.

Refused (409)
├── Forbidden (403)   may not
├── NotFound (404)    is not there, or is not for this reader: the two answer alike
├── Invalid (422)     what was sent has a wrong shape; names the fields
├── Gone (410)        a link or form that has expired
├── SignInNeeded (401)   nobody is signed in, or no longer
├── FactorNeeded (403)   must set up a second factor first
├── ProofNeeded (403)    must prove anew who they are: the act is grave
├── TooSlow (408)     what was sent came too slowly
├── TooLarge (413)    what was sent is larger than this address takes
└── Busy (429)        too many attempts; says how many seconds to wait
    └── NotWritten (503)   nothing is written at present (core/mode.py)
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True)
class Reason:
    """A sentence for the reader: an English msgid and its named parameters, translated at the edge."""

    msgid: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __init__(self, msgid: str, **params: Any) -> None:
        object.__setattr__(self, "msgid", msgid)
        object.__setattr__(self, "params", params)

    def __str__(self) -> str:
        return self.msgid % self.params if self.params else self.msgid

    def __hash__(self) -> int:
        return hash(str(self))


def Label(msgid: str) -> str:
    """Mark a msgid for translation where it is shown."""
    return msgid


class Refused(Exception):
    """An act or a page is refused; carries the sentence that the reader sees."""

    status: ClassVar[int] = 409

    def __init__(self, reason: Reason) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Forbidden(Refused):
    """The reader may see the thing but may not do this."""

    status = 403


class NotFound(Refused):
    """Missing, or foreign: the answers are equal."""

    status = 404

    def __init__(self, reason: Reason | None = None) -> None:
        super().__init__(reason or Reason("There is no such page, or it is not open to you."))


class Gone(Refused):
    """A link or form that has expired or was used."""

    status = 410


class SignInNeeded(Refused):
    """Nobody is signed in, and the page is not for everybody; says nothing about whether it exists."""

    status = 401

    def __init__(self, reason: Reason | None = None) -> None:
        super().__init__(reason or Reason("Please sign in first."))


class FactorNeeded(Refused):
    """Somebody must set up a second factor before anything else."""

    status = 403

    def __init__(self) -> None:
        super().__init__(Reason("Your duties ask for a second factor. Please set it up first."))


class ProofNeeded(Refused):
    """Somebody must prove anew who they are before a grave act: by a code or a passkey, or by the password.

    `wrong` says why what they sent did not do.
    """

    status = 403

    def __init__(self, *, by_code: bool, by_passkey: bool, wrong: Reason | None = None) -> None:
        super().__init__(Reason("Please confirm that it is you. Nothing has been done yet."))
        self.by_code, self.by_passkey, self.wrong = by_code, by_passkey, wrong


class TooSlow(Refused):
    """What was sent came too slowly."""

    status = 408


class TooLarge(Refused):
    """What was sent is larger than this address takes."""

    status = 413


class Busy(Refused):
    """Too many attempts; may be tried again after some seconds."""

    status = 429

    def __init__(self, reason: Reason, *, seconds: int) -> None:
        super().__init__(reason)
        self.seconds = seconds


class Invalid(Refused):
    """The shape of what was sent is wrong; `fields` says where."""

    status = 422

    def __init__(self, fields: Mapping[str, Reason]) -> None:
        super().__init__(Reason("There is a problem with what you entered."))
        self.fields = dict(fields)


def require(reason: Reason | None, error: type[Refused] = Refused) -> None:
    """Raise `error` with the reason, if there is one."""
    if reason is not None:
        raise error(reason)
