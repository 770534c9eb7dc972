"""Who may read what of the record itself, and when a body may be erased."""

from collections.abc import Mapping

from panel.core.errors import Reason
from panel.core.security import ANYONE, SIGNED_IN, Grant, Role, always
from panel.record.events import BodyErased, KeyRotated, LogBegunAgain
from panel.record.models import RecordBody, RecordEntry

PERMISSIONS: Mapping[str, Grant] = {
    "record.checkpoint": ANYONE,
    "record.tile": ANYONE,
    "record.keys": ANYONE,
    "record.timestamp": ANYONE,
    "record.receipts": SIGNED_IN,
    "record.receipt": SIGNED_IN,
    "record.hand_out": Grant(roles=frozenset({Role.SECRETARY})),
}
"""A receipt is for its holder alone: the view sees to that, and the list shows nobody else's."""

GRAVE = {"record.hand_out": always}
"""A case's record leaves the house."""


def why_not_rotate(ground: str) -> Reason | None:
    """A key is renewed for a stated reason: who compares keys later must know why there are two."""
    return None if ground.strip() else Reason("Please state why the key is renewed.")


def why_not_erase(entry: RecordEntry, body: RecordBody | None, ground: str) -> Reason | None:
    """Say why an entry's body cannot be erased; who erased another, and why, is kept for ever."""
    if body is None:
        return Reason("This entry was erased before.")
    if entry.kind in (BodyErased.kind, KeyRotated.kind, LogBegunAgain.kind):
        return Reason("An entry that records an erasure or another key cannot be erased.")
    if not ground.strip():
        return Reason("Please state the ground of the erasure.")
    return None
