"""Receipts: one entry with its proof, in the text format of C2SP tlog-proof (c2sp.org/tlog-proof@v1).

The proof needs nothing of ours. What the entry says, and how its leaf follows from it, stands in the `extra` line.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from panel.core.errors import Label
from panel.record.commitment import canonical, decode64, encode64
from panel.record.merkle import HASH_SIZE

FIRST_LINE = "c2sp.org/tlog-proof@v1"
FORMAT = "heyi-receipt/v1"
SUFFIX = ".tlog-proof"
LONGEST_PROOF = 63


class BadReceipt(ValueError):
    """A text that is no receipt in its one right form."""


@dataclass(frozen=True)
class Receipt:
    """One entry of the log: where it stands, the way from its leaf to the root, and the checkpoint with that root.

    `extra` is the text of the extra line's value, decoded: not authenticated by the format, but every word of it is
    held against the leaf by whoever verifies.
    """

    index: int
    proof: Sequence[bytes]
    checkpoint: str
    extra: bytes

    def __str__(self) -> str:
        lines = [FIRST_LINE, f"extra {encode64(self.extra)}", f"index {self.index}", *map(encode64, self.proof)]
        return "".join(f"{line}\n" for line in lines) + "\n" + self.checkpoint

    @classmethod
    def parse(cls, text: str) -> "Receipt":
        """Read a receipt; raises BadReceipt."""
        head, split, checkpoint = text.partition("\n\n")
        first, *lines = head.split("\n")
        if first != FIRST_LINE or not split:
            raise BadReceipt(Label("not a receipt"))
        extra = b""
        if lines and lines[0].startswith("extra "):
            extra = _decoded(lines.pop(0).removeprefix("extra "))
        if not lines or not (index := re.fullmatch(r"index (0|[1-9][0-9]{0,17})", lines.pop(0))):
            raise BadReceipt(Label("no index"))
        return cls(int(index[1]), _hashes(lines), checkpoint, extra)


def short_form(origin: str, index: int, leaf_hash: bytes) -> str:
    """Return a receipt's short form, for a picture to scan: which leaf stands where, to be held against the tiles."""
    return f"{FORMAT} {origin} {index} {encode64(leaf_hash)}"


def extra_of(key: str, commitments: Mapping[str, bytes], parts: Mapping[str, Any]) -> bytes:
    """Return the extra line's value: the log's key, the commitments of the leaf, and the parts that are disclosed."""
    told = {name: encode64(value) for name, value in commitments.items()}
    return canonical({"format": FORMAT, "key": key, "commitments": told, "parts": parts})


def _hashes(lines: Sequence[str]) -> list[bytes]:
    proof = [_decoded(line) for line in lines]
    if len(proof) > LONGEST_PROOF or any(len(node) != HASH_SIZE for node in proof):
        raise BadReceipt(Label("the proof has a wrong length"))
    return proof


def _decoded(text: str) -> bytes:
    try:
        return decode64(text)
    except ValueError as problem:
        raise BadReceipt(str(problem)) from None
