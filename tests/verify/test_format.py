"""A second verifier, written from docs/record-format.md alone: no line of it is the product's."""

import base64
import json
from hashlib import sha256
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from panel.record.events import Level
from tests.factories import World
from tests.verify.stories import Teller, bundle, tell


def digest(*pieces: bytes) -> bytes:
    """SHA-256 of the pieces."""
    return sha256(b"".join(pieces)).digest()


def plain(value: Any) -> bytes:
    """Canonical JSON of values whose keys are ASCII and whose numbers are whole."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def signed_text(note: str, key: str) -> str:
    """The text of a note, after its one signature was verified."""
    name, identity, public = key.split("+", 2)
    raw = base64.b64decode(public)
    assert digest(name.encode(), b"\n", raw)[:4].hex() == identity
    text, line = note[: note.index("\n\n") + 1], note[note.index("\n\n") + 2 :]
    signature = base64.b64decode(line.removeprefix(f"— {name} ").removesuffix("\n"))
    assert signature[:4].hex() == identity
    Ed25519PublicKey.from_public_bytes(raw[1:]).verify(signature[4:], text.encode())
    return text


def leaf_of(entry: Any) -> bytes:
    """The leaf's hash, from the commitments; disclosed parts must give theirs."""
    lines = ["heyi-leaf/v1", *(entry["commitments"][part] for part in ("header", "public", "private"))]
    for part, shown in entry["parts"].items():
        if isinstance(shown, dict):
            opened = digest(f"heyi:{part}:v1\0".encode(), base64.b64decode(shown["salt"]), plain(shown["value"]))
            assert base64.b64encode(opened).decode() == entry["commitments"][part]
    return digest(b"\0", "".join(f"{line}\n" for line in lines).encode())


def root_from(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    """The root that a proof leads to: RFC 6962's recursion, read from the top down."""
    if size == 1:
        return leaf
    half = 1 << (size - 1).bit_length() - 1
    if index < half:
        return digest(b"\1", root_from(leaf, index, half, proof[:-1]), proof[-1])
    return digest(b"\1", proof[-1], root_from(leaf, index - half, size - half, proof[:-1]))


def second_opinion(data: bytes) -> None:
    """Verify a bundle up to its digest; raises when it does not hold."""
    value = json.loads(data)
    assert data == plain(value) + b"\n"
    origin, size, root, _ = signed_text(value["checkpoint"], value["key"]).split("\n")
    assert origin == value["key"].split("+")[0]
    for number, entry in enumerate(value["entries"], start=1):
        header = entry["parts"]["header"]["value"]
        assert (header["case"], header["seq"]) == (value["case"], number)
        proof = [base64.b64decode(node) for node in entry["proof"]]
        assert base64.b64encode(root_from(leaf_of(entry), entry["index"], int(size), proof)).decode() == root
    rest = sha256(plain({name: part for name, part in value.items() if name != "length"})).hexdigest()
    expected = [
        "heyi-length/v1", f"case {value['case']}", f"events {len(value['entries'])}", f"size {size}", f"root {root}",
        f"bundle {rest}", "",
    ]  # fmt: skip
    assert signed_text(value["length"], value["key"]).split("\n") == expected


@pytest.mark.parametrize("level", Level)
def test_a_verifier_written_from_the_description_agrees(world: World, level: Level) -> None:
    tell(world, Teller(world.case_id).whole())
    second_opinion(bundle(world, level))


@pytest.mark.parametrize(
    "change", [(b"motion_opened", b"motion_opened"[::-1]), (b'"seq":3', b'"seq":4'), (b'"proof":["', b'"proof":["A')]
)
def test_it_refuses_what_was_changed(world: World, change: tuple[bytes, bytes]) -> None:
    tell(world, Teller(world.case_id).whole())
    changed = bundle(world).replace(*change, 1)
    assert changed != bundle(world)
    with pytest.raises((AssertionError, ValueError, InvalidSignature)):
        second_opinion(changed)
