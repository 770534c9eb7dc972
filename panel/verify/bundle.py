"""The bundle: one canonical JSON file with everything that an audience may check about a case.

Standard library, canonical JSON and the pure parts of the record only: this is what an outsider runs.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from panel.core.errors import Reason
from panel.record.commitment import ERASED, PARTS, SALT_SIZE, WITHHELD, canonical, decode64, encode64
from panel.record.merkle import HASH_SIZE
from panel.record.note import SigningKey

FORMAT = "heyi-bundle/v1"
LENGTH_VERSION = "heyi-length/v1"
AUDIENCES = ("public", "party", "panel", "full")
FIELDS = ("format", "audience", "case", "key", "checkpoint", "entries", "length")
LARGEST = 16 * 1024 * 1024
"""Bytes; a larger file is refused unread."""
MOST_VALUES = 500_000
"""At most about so many JSON values; more would only be there to fill the reader's memory."""

DEEPEST = 64
"""How deeply values may stand in each other."""


class Broken(Exception):
    """Something does not hold; `place` is a JSON path into the bundle, or empty for the whole file."""

    def __init__(self, place: str, reason: Reason) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


@dataclass(frozen=True)
class Part:
    """A part of an event that is disclosed, with the salt that opens its commitment."""

    salt: bytes
    value: dict[str, Any]


@dataclass(frozen=True)
class BundleEntry:
    """One entry: commitments, the parts that are disclosed (else WITHHELD or ERASED), proof. `place` is its path."""

    place: str
    index: int
    commitments: Mapping[str, bytes]
    parts: Mapping[str, Part | str]
    proof: Sequence[bytes]

    @property
    def header(self) -> dict[str, Any]:
        """Return the header, which is always disclosed."""
        part = self.parts["header"]
        assert isinstance(part, Part), "the shape has been checked"
        return part.value

    @property
    def event(self) -> dict[str, Any]:
        """Return what is disclosed of the event, public and private together; empty when nothing is."""
        shown = [part.value for name in ("private", "public") if isinstance(part := self.parts[name], Part)]
        return {key: value for part in shown for key, value in part.items()}

    @property
    def kind(self) -> str:
        """Return the kind of event, or an empty text when the public part is not disclosed."""
        part = self.parts["public"]
        return str(part.value.get("kind", "")) if isinstance(part, Part) else ""


@dataclass(frozen=True)
class Bundle:
    """A bundle whose shape has been checked, and nothing else yet."""

    audience: str
    case: str
    key: str
    checkpoint: str
    entries: Sequence[BundleEntry]
    length: str
    digest: str
    """SHA-256 (hex) of the canonical form of everything but `length`."""


@dataclass(frozen=True)
class Length:
    """What the log states about a bundle: how many events the case has at this size, and the rest's digest."""

    case: str
    events: int
    size: int
    root: bytes
    digest: str

    def __str__(self) -> str:
        lines = (
            LENGTH_VERSION, f"case {self.case}", f"events {self.events}", f"size {self.size}",
            f"root {encode64(self.root)}", f"bundle {self.digest}",
        )  # fmt: skip
        return "".join(f"{line}\n" for line in lines)


def seal(content: Mapping[str, Any], key: SigningKey, *, size: int, root: bytes) -> bytes:
    """Return the bytes of a bundle: the content with the signed statement of its length."""
    stated = Length(content["case"], len(content["entries"]), size, root, digest_of(content))
    return canonical({**content, "length": key.sign(str(stated))}) + b"\n"


def digest_of(content: Mapping[str, Any]) -> str:
    """Return the digest (hex) of a bundle's content without its statement of length."""
    return sha256(canonical({name: value for name, value in content.items() if name != "length"})).hexdigest()


def parse(data: bytes) -> Bundle:
    """Read a bundle: canonical JSON with exactly the fields of this format. Raises Broken with the place."""
    value = json_of(data)
    whole = fields_in(value, "", FIELDS)
    if whole["format"] != FORMAT:
        raise Broken("format", Reason("This version reads bundles of the format %(format)s only.", format=FORMAT))
    if whole["audience"] not in AUDIENCES:
        raise Broken("audience", Reason("There is no such audience."))
    texts = {name: _text(whole[name], name) for name in ("case", "key", "checkpoint", "length")}
    entries = [_entry(entry, f"entries[{at}]") for at, entry in enumerate(_list(whole["entries"], "entries"))]
    return Bundle(audience=whole["audience"], entries=entries, digest=digest_of(whole), **texts)


def too_large(data: bytes) -> bool:
    """Say whether this is more than any reader has to bear; nothing larger is made or read."""
    return len(data) > LARGEST or sum(map(data.count, (b",", b"[", b"{"))) > MOST_VALUES


def json_of(data: bytes) -> Any:
    """Read canonical JSON that ends in one line end; raises Broken."""
    if too_large(data):
        raise Broken("", Reason("The file is larger than any bundle."))
    try:
        text = data.decode()
        value = json.loads(text, object_pairs_hook=_no_doubles, parse_float=_no_number, parse_constant=_no_number)
        _require_shallow(value, DEEPEST)
        again = canonical(value) + b"\n"
    except UnicodeDecodeError as problem:
        raise Broken("", Reason("The file is not UTF-8 at byte %(byte)s.", byte=problem.start)) from None
    except json.JSONDecodeError as problem:
        raise Broken("", Reason("The file is not JSON at character %(character)s.", character=problem.pos)) from None
    except RecursionError:
        raise Broken("", Reason("The file is nested too deeply.")) from None
    except ValueError:
        raise Broken("", Reason("The file holds a number that is no whole number, or a broken text.")) from None
    if again != data:
        raise Broken("", Reason("The file is not in canonical form from byte %(byte)s on.", byte=_differ(again, data)))
    return value


def _require_shallow(value: Any, left: int) -> None:
    if not left:
        raise RecursionError
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _require_shallow(inner, left - 1)


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Broken("", Reason("The file names a field twice."))
    return made


def _no_number(text: str) -> Any:
    raise ValueError(text)


def _differ(one: bytes, other: bytes) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _entry(value: Any, place: str) -> BundleEntry:
    fields = fields_in(value, place, ("index", "commitments", "parts", "proof"))
    proof = _list(fields["proof"], f"{place}.proof")
    return BundleEntry(
        place=place,
        index=_number(fields["index"], f"{place}.index"),
        commitments=commitments_in(fields["commitments"], f"{place}.commitments"),
        parts=parts_in(fields["parts"], f"{place}.parts"),
        proof=[_bytes(node, f"{place}.proof[{at}]", HASH_SIZE) for at, node in enumerate(proof)],
    )


def commitments_in(value: Any, place: str) -> dict[str, bytes]:
    """Read the three commitments of a leaf; raises Broken."""
    told = fields_in(value, place, PARTS)
    return {name: _bytes(told[name], f"{place}.{name}", HASH_SIZE) for name in PARTS}


def parts_in(value: Any, place: str) -> dict[str, Part | str]:
    """Read the three parts of an event, each disclosed, withheld or erased; raises Broken."""
    told = fields_in(value, place, PARTS)
    return {name: _part(told[name], f"{place}.{name}", header=name == "header") for name in PARTS}


def _part(value: Any, place: str, *, header: bool) -> Part | str:
    if not header and value in (WITHHELD, ERASED):
        return str(value)
    fields = fields_in(value, place, ("salt", "value"))
    if not isinstance(fields["value"], dict):
        raise Broken(f"{place}.value", Reason("There is no object here."))
    if header:
        _header(fields["value"], f"{place}.value")
    return Part(_bytes(fields["salt"], f"{place}.salt", SALT_SIZE), fields["value"])


def _header(value: Any, place: str) -> None:
    fields = fields_in(value, place, ("case", "seq", "time"))
    _text(fields["case"], f"{place}.case")
    _number(fields["seq"], f"{place}.seq")
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", _text(fields["time"], f"{place}.time"), re.ASCII):
        raise Broken(f"{place}.time", Reason("There is no time here."))


def fields_in(value: Any, place: str, names: Sequence[str]) -> dict[str, Any]:
    """Return an object that has exactly these fields; raises Broken."""
    if not isinstance(value, dict) or set(value) != set(names):
        raise Broken(
            place, Reason("There is no object with exactly the fields %(names)s here.", names=", ".join(names))
        )
    return value


def _list(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise Broken(place, Reason("There is no list here."))
    return value


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise Broken(place, Reason("There is no text here."))
    return value


def _number(value: Any, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Broken(place, Reason("There is no whole number here."))
    return value


def _bytes(value: Any, place: str, size: int) -> bytes:
    try:
        data = decode64(_text(value, place))
    except ValueError:
        raise Broken(place, Reason("This is not base64 in its one form.")) from None
    if len(data) != size:
        raise Broken(place, Reason("There are not %(size)s bytes here.", size=size))
    return data
