"""Signed notes and checkpoints: C2SP signed-note and tlog-checkpoint, with Ed25519."""

import re
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from panel.core.errors import Label
from panel.record.commitment import decode64, encode64
from panel.record.merkle import HASH_SIZE

ED25519 = b"\x01"
"""The signature type of Ed25519 in signed-note."""
SIGNATURE = "— "
NAME = re.compile(r"[!-*,-~]{1,200}")
PRIVATE_KEY_MARK = "PRIVATE+KEY"


class BadNote(ValueError):
    """A note, key or checkpoint that is not in its one right form, or whose signature does not hold."""


def key_id(name: str, public: bytes, kind: bytes = ED25519) -> bytes:
    """Return the four bytes that tell keys of the same name apart."""
    return sha256(name.encode() + b"\n" + kind + public).digest()[:4]


@dataclass(frozen=True)
class VerifierKey:
    """A public key with its name; its text form is `name+id+base64`."""

    name: str
    public: bytes

    def __str__(self) -> str:
        return f"{self.name}+{key_id(self.name, self.public).hex()}+{encode64(ED25519 + self.public)}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read a key's text form; raises BadNote."""
        name, identity, key = _fields(text, 3)
        found = cls(name, _key_bytes(key))
        if identity != key_id(name, found.public).hex():
            raise BadNote(Label("the key's id does not belong to its name and bytes"))
        return found

    def verifies(self, signature: bytes, text: str) -> bool:
        """Say whether this key made the signature over the text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class SigningKey:
    """A private key with its name; kept in a file of its own, outside the database and its backups."""

    name: str
    seed: bytes

    def __repr__(self) -> str:
        return f"SigningKey({self.name!r})"

    @classmethod
    def new(cls, name: str) -> "SigningKey":
        """Make a key; the name is the log's origin: no blanks, no plus sign."""
        if not NAME.fullmatch(name):
            raise BadNote(Label("a key's name has no blanks and no plus sign"))
        return cls(name, Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def parse(cls, text: str) -> "SigningKey":
        """Read the private text form `PRIVATE+KEY+name+id+base64`; raises BadNote."""
        if not text.startswith(f"{PRIVATE_KEY_MARK}+"):
            raise BadNote(Label("not a private key"))
        name, identity, key = _fields(text.removeprefix(f"{PRIVATE_KEY_MARK}+"), 3)
        found = cls(name, _key_bytes(key))
        if identity != key_id(name, found.verifier.public).hex():
            raise BadNote(Label("the key's id does not belong to its name and bytes"))
        return found

    @property
    def private_text(self) -> str:
        """Return the private text form."""
        identity = key_id(self.name, self.verifier.public).hex()
        return f"{PRIVATE_KEY_MARK}+{self.name}+{identity}+{encode64(ED25519 + self.seed)}"

    @property
    def verifier(self) -> VerifierKey:
        """Return the public half."""
        private = Ed25519PrivateKey.from_private_bytes(self.seed)
        return VerifierKey(self.name, private.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """Return the signed note: the text, a blank line, one signature line."""
        _require_note_text(text)
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())
        signed = key_id(self.name, self.verifier.public) + signature
        return f"{text}\n{SIGNATURE}{self.name} {encode64(signed)}\n"


def open_note(note: str, key: VerifierKey) -> str:
    """Return a note's text after verifying the signature of this key; lines of other keys are passed over."""
    text, lines = parted(note)
    mine = [s for name, s in lines if name == key.name and s[:4] == key_id(key.name, key.public)]
    if len(mine) != 1:
        raise BadNote(Label("two signatures of this key") if mine else Label("no signature of this key"))
    if not key.verifies(mine[0][4:], text):
        raise BadNote(Label("the signature does not belong to the text"))
    return text


def parted(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Return a note's text and its signatures, by name, unverified; raises BadNote."""
    text, split, signatures = note.rpartition("\n\n")
    text += "\n"
    if not split or not signatures.endswith("\n"):
        raise BadNote(Label("not a signed note"))
    _require_note_text(text)
    return text, [_signature_line(line) for line in signatures[:-1].split("\n")]


def signed_by(note: str, key: VerifierKey) -> bool:
    """Say whether a key has signed a note."""
    try:
        open_note(note, key)
    except BadNote:
        return False
    return True


@dataclass(frozen=True)
class CheckpointText:
    """What a checkpoint states: the log's origin, its size and its root."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{encode64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> "CheckpointText":
        """Read a checkpoint's text; extension lines are not written and not accepted; raises BadNote."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not re.fullmatch(r"0|[1-9][0-9]{0,17}", lines[1]):
            raise BadNote(Label("not a checkpoint"))
        found = cls(lines[0], int(lines[1]), _decode(lines[2]))
        if len(found.root) != HASH_SIZE:
            raise BadNote(Label("the root has a wrong length"))
        return found


def _fields(text: str, count: int) -> list[str]:
    fields = text.split("+", count - 1)
    if len(fields) != count or not NAME.fullmatch(fields[0]):
        raise BadNote(Label("not a key"))
    return fields


def _key_bytes(text: str) -> bytes:
    data = _decode(text)
    if len(data) != 33 or data[:1] != ED25519:
        raise BadNote(Label("not an Ed25519 key"))
    return data[1:]


def _decode(text: str) -> bytes:
    try:
        return decode64(text)
    except ValueError as problem:
        raise BadNote(str(problem)) from None


def _signature_line(line: str) -> tuple[str, bytes]:
    name, blank, signature = line.removeprefix(SIGNATURE).partition(" ")
    if not line.startswith(SIGNATURE) or not blank or not NAME.fullmatch(name):
        raise BadNote(Label("not a signature line"))
    data = _decode(signature)
    if len(data) < 5:
        raise BadNote(Label("the signature is too short"))
    return name, data


def _require_note_text(text: str) -> None:
    if not text.endswith("\n") or re.search(r"[\x00-\x09\x0b-\x1f]", text):
        raise BadNote(Label("a note's text ends its last line and has no control characters"))
