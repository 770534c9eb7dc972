"""What a leaf commits to: header, public and private part of an event, each under a salt of its own."""

import base64
import binascii
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import rfc8785

from panel.core.errors import Label

PARTS = ("header", "public", "private")
WITHHELD, ERASED = "withheld", "erased"
"""What stands in a file in the place of a part that is not disclosed."""
LEAF_VERSION = "heyi-leaf/v1"
SALT_SIZE = 32
INTEGER_MAX = 2**53 - 1
"""The largest whole number that every JSON reader keeps exactly (RFC 8785)."""


def canonical(value: Any) -> bytes:
    """Return the RFC 8785 form of a JSON value; raises ValueError for fractions, huge numbers, lone surrogates."""
    if _plain(value):
        return _WRITE(value).encode()
    refuse_fractions(value)
    return rfc8785.dumps(value)


_WRITE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


def _plain(value: Any) -> bool:
    """Say whether the standard library writes this as RFC 8785 asks: names in ASCII sort alike, numbers are exact."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return bool(-INTEGER_MAX <= value <= INTEGER_MAX)
    if kind is dict:
        return all(type(name) is str and name.isascii() and _plain(inner) for name, inner in value.items())
    return kind is list and all(map(_plain, value))


def refuse_fractions(value: Any) -> None:
    """Raise ValueError when a value holds a float: fractions are texts such as "2/3", so that every reader agrees."""
    if isinstance(value, float):
        raise ValueError("a fraction stands on the record as a text, never as a float")
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ():
        refuse_fractions(inner)


def header(stream: str, seq: int, time: str) -> dict[str, Any]:
    """Return the header part: the case's record token or "system", the stream's own number from 1, the time."""
    return {"case": stream, "seq": seq, "time": time}


def commit(part: str, salt: bytes, value: Any) -> bytes:
    """Return the commitment to one part of an event: SHA-256(domain, 0, salt, canonical JSON)."""
    return commit_canonical(part, salt, canonical(value))


def commit_canonical(part: str, salt: bytes, text: bytes) -> bytes:
    """Return the commitment to a part that is in canonical form already."""
    if len(salt) != SALT_SIZE:
        raise ValueError(f"a salt has {SALT_SIZE} bytes")
    return sha256(b"heyi:%b:v1\x00" % part.encode() + salt + text).digest()


def leaf_data(commitments: Mapping[str, bytes]) -> bytes:
    """Return the bytes of a leaf: four lines, the version and the three commitments."""
    lines = [LEAF_VERSION, *(encode64(commitments[part]) for part in PARTS)]
    return "".join(f"{line}\n" for line in lines).encode()


def commitments_of(leaf: bytes) -> dict[str, bytes]:
    """Return the three commitments that a leaf's data holds; raises ValueError for anything but a leaf."""
    version, *lines = leaf.decode().split("\n")
    found = {part: decode64(line) for part, line in zip(PARTS, lines, strict=False)}
    if len(found) != len(PARTS) or version != LEAF_VERSION or leaf_data(found) != leaf:
        raise ValueError("not a leaf of this version")
    return found


def encode64(data: bytes) -> str:
    """Write bytes in standard base64 with padding (RFC 4648, 4)."""
    return base64.b64encode(data).decode()


def decode64(text: str) -> bytes:
    """Read standard base64; raises ValueError unless the text is the one way to write these bytes."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(Label("not base64")) from None
    if encode64(data) != text:
        raise ValueError(Label("base64 with stray bits"))
    return data
