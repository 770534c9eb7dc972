"""A judge of the record whose trees are checked by sigstore, which nobody here wrote.

It reads a JSON list of cases on stdin and writes a list of as many answers, as judge.go does. It judges inclusion, also
of a receipt: to open the receipt's checkpoint is not its matter, it takes size and root as they stand there.
"""

import hashlib
import json
import re
import sys
from base64 import b64decode, b64encode
from types import SimpleNamespace
from typing import Any

from sigstore._internal.merkle import verify_merkle_inclusion

PARTS = ("header", "public", "private")
Case = dict[str, Any]


def inclusion(case: Case) -> tuple[Any, ...]:
    """Judge an inclusion proof; raises whatever it raises. Returns what was read."""
    leaf, root, proof = b64decode(case["Leaf"]), b64decode(case["Root"]), [b64decode(node) for node in case["Proof"]]
    return included(leaf, case["Index"], case["Size"], root, proof)


def included(leaf: bytes, index: int, size: int, root: bytes, proof: list[bytes]) -> tuple[Any, ...]:
    """Let sigstore judge, which leaves it to its caller to see that hashes are hashes and the index is in the tree."""
    if not 0 <= index < size or any(len(node) != 32 for node in proof):
        raise ValueError("no such leaf, or no hash")
    given = SimpleNamespace(log_index=index, tree_size=size, root_hash=root, hashes=proof)
    verify_merkle_inclusion(
        SimpleNamespace(_inner=SimpleNamespace(inclusion_proof=given, canonicalized_body=leaf))  # type: ignore[arg-type]  # all that it reads
    )
    return leaf, index, size, root, proof


def receipt(case: Case) -> tuple[Any, ...]:
    """Judge the inclusion proof of a receipt (C2SP tlog-proof)."""
    head, checkpoint = b64decode(case["File"]).decode().split("\n\n", 1)
    first, extra, index, *proof = head.split("\n")
    if first != "c2sp.org/tlog-proof@v1" or not re.fullmatch("index (0|[1-9][0-9]*)", index, re.ASCII):
        raise ValueError("not a receipt")
    said = json.loads(b64decode(extra.removeprefix("extra ")))
    commitments = {name: b64decode(said["commitments"][name]) for name in PARTS}
    opened = [(part["salt"], part["value"]) for part in map(said["parts"].__getitem__, PARTS) if isinstance(part, dict)]
    leaf = "heyi-leaf/v1\n" + "".join(f"{b64encode(commitments[name]).decode()}\n" for name in PARTS)
    _origin, size, root = checkpoint.split("\n")[:3]
    nodes = [b64decode(node) for node in proof]
    return opened, included(leaf.encode(), int(index.split()[1]), int(size), b64decode(root), nodes)


def answer(case: Case) -> dict[str, Any]:
    """Return whether a case was accepted, why not, and the digest of what was read."""
    try:
        read = repr({"inclusion": inclusion, "receipt": receipt}[case["Kind"]](case))
    except Exception as error:
        return {"Accepted": False, "Why": str(error)[:200], "Read": None}
    return {"Accepted": True, "Why": "", "Read": b64encode(hashlib.sha256(read.encode()).digest()).decode()}


if __name__ == "__main__":
    json.dump([answer(case) for case in json.load(sys.stdin)], sys.stdout)
