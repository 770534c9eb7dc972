"""A witness: it cosigns a checkpoint only if that is consistent with the last one it cosigned (C2SP tlog-witness).

Another organisation runs it. It keeps, per log, the last checkpoint it cosigned; and where a log has signed two that
do not go together, it keeps both as evidence.
"""

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from panel.core.files import write_whole
from panel.record import merkle
from panel.record.commitment import decode64, encode64
from panel.record.cosignature import cosign
from panel.record.note import CheckpointText, SigningKey, VerifierKey, parted, signed_by

LARGEST = 64 * 1024
"""Bytes of a request; a larger one is refused unread."""
MOST_PROOF_LINES = 63
OK, BAD, FORBIDDEN, UNKNOWN, CONFLICT, INCONSISTENT = 200, 400, 403, 404, 409, 422


@dataclass(frozen=True)
class Answer:
    """What a witness answers: an HTTP status, and a text."""

    status: int
    body: str
    media_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Request:
    """What a log asks to be cosigned: the size that the witness should know, the way from there, the checkpoint."""

    old: int
    proof: Sequence[bytes]
    note: str

    def __str__(self) -> str:
        return "".join(f"{line}\n" for line in (f"old {self.old}", *map(encode64, self.proof))) + "\n" + self.note

    @classmethod
    def parse(cls, text: str) -> "Request":
        """Read a request of the protocol; raises ValueError."""
        head, split, note = text.partition("\n\n")
        first, *lines = head.split("\n")
        old = re.fullmatch(r"old (0|[1-9][0-9]{0,17})", first)
        if not split or old is None or len(lines) > MOST_PROOF_LINES:
            raise ValueError("not a request to cosign")
        proof = [decode64(line) for line in lines]
        if any(len(node) != merkle.HASH_SIZE for node in proof):
            raise ValueError("a proof is made of hashes")
        return cls(int(old[1]), proof, note)


@dataclass
class Witness:
    """One witness: its key, the keys of the logs that it watches, the folder in which it keeps what it saw."""

    key: SigningKey
    logs: Sequence[VerifierKey]
    folder: Path
    _one: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def answer(self, text: str, at: int) -> Answer:
        """Check a request, keep the new checkpoint, and only then cosign it (`at`: seconds since 1970, UTC)."""
        try:
            request = Request.parse(text)
            stated = CheckpointText.parse(parted(request.note)[0])
        except ValueError as problem:
            return Answer(BAD, f"{problem}\n")
        keys = [key for key in self.logs if key.name == stated.origin]
        if not keys:
            return Answer(UNKNOWN, "This witness does not watch that log.\n")
        if not any(signed_by(request.note, key) for key in keys):
            return Answer(FORBIDDEN, "No signature of a key that this witness trusts.\n")
        with self._one:
            return self._follow(request, stated, at)

    def last(self, origin: str) -> str | None:
        """Return the last checkpoint of a log that this witness has cosigned, as it was signed."""
        path = self._path(origin)
        return path.read_text(encoding="utf-8") if path.exists() else None

    def _follow(self, request: Request, stated: CheckpointText, at: int) -> Answer:
        before = self.last(stated.origin)
        nothing = CheckpointText(stated.origin, 0, merkle.EMPTY_ROOT)
        known = CheckpointText.parse(parted(before)[0]) if before else nothing
        if before and stated.size == known.size and stated.root != known.root:
            return self._accuse(before, request, CONFLICT, "Another root of the same size has been cosigned.")
        if request.old > stated.size:
            return Answer(BAD, "The old size is larger than the checkpoint.\n")
        if request.old != known.size:
            return Answer(CONFLICT, f"{known.size}\n", "text/x.tlog.size")
        if not _consistent(known, stated, request.proof):
            if before is None:
                return Answer(INCONSISTENT, "From nothing there is nothing to prove.\n")
            return self._accuse(before, request, INCONSISTENT, "The checkpoint is not shown to grow from the last one.")
        write_whole(self._path(stated.origin), request.note.encode())
        return Answer(OK, cosign(self.key, str(stated), at))

    def _accuse(self, before: str, request: Request, status: int, why: str) -> Answer:
        """Keep both checkpoints, and the proof that was offered, as evidence; a log signs only one history."""
        kept = f"{why}\n\n--- cosigned before\n{before}\n--- offered now\n{request}"
        name = sha256(kept.encode()).hexdigest()[:16]
        folder = self.folder / "evidence"
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / f"{name}.txt", kept.encode())
        return Answer(status, f"{why} Both are kept as evidence {name}.\n")

    def _path(self, origin: str) -> Path:
        return self.folder / f"{sha256(origin.encode()).hexdigest()[:32]}.checkpoint"


def _consistent(known: CheckpointText, stated: CheckpointText, proof: Sequence[bytes]) -> bool:
    if known.size == 0:
        return not proof and (stated.size > 0 or stated.root == merkle.EMPTY_ROOT)
    return merkle.verify_consistency(known.size, stated.size, known.root, stated.root, proof)
