"""Cosignatures of witnesses: C2SP tlog-cosignature, with Ed25519.

A witness says: at this time, the largest tree of this log that I have seen, and found consistent with all before, had
this root.
"""

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from panel.core.errors import Label
from panel.record.commitment import decode64, encode64
from panel.record.note import NAME, SIGNATURE, BadNote, SigningKey, key_id, parted

COSIGNATURE = b"\x04"
"""The signature type of an Ed25519 cosignature."""
SIZE = 4 + 8 + 64
"""Bytes of a cosignature: key id, time, signature."""


@dataclass(frozen=True)
class WitnessKey:
    """A witness's public key with its name; its text form is `name+id+base64`."""

    name: str
    public: bytes

    def __str__(self) -> str:
        identity = key_id(self.name, self.public, COSIGNATURE).hex()
        return f"{self.name}+{identity}+{encode64(COSIGNATURE + self.public)}"

    @classmethod
    def parse(cls, text: str) -> "WitnessKey":
        """Read a witness key's text form; raises BadNote."""
        name, _, rest = text.partition("+")
        identity, _, key = rest.partition("+")
        try:
            data = decode64(key)
        except ValueError as problem:
            raise BadNote(str(problem)) from None
        found = cls(name, data[1:])
        if not NAME.fullmatch(name) or len(data) != 33 or data[:1] != COSIGNATURE:
            raise BadNote(Label("not the key of a witness"))
        if identity != key_id(name, found.public, COSIGNATURE).hex():
            raise BadNote(Label("the key's id does not belong to its name and bytes"))
        return found

    def time_of(self, note: str) -> int:
        """Return when this witness cosigned a checkpoint (seconds since 1970, UTC); raises BadNote if it has not."""
        text, lines = parted(note)
        mine = [s for name, s in lines if name == self.name and s[:4] == key_id(self.name, self.public, COSIGNATURE)]
        if len(mine) != 1 or len(mine[0]) != SIZE:
            raise BadNote(Label("no cosignature of this witness"))
        at = int.from_bytes(mine[0][4:12], "big")
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(mine[0][12:], _message(text, at))
        except (InvalidSignature, ValueError):
            raise BadNote(Label("the cosignature does not belong to the checkpoint")) from None
        return at


def witness_key(key: SigningKey) -> WitnessKey:
    """Return the public half of a key as a witness's."""
    return WitnessKey(key.name, key.verifier.public)


def cosign(key: SigningKey, text: str, at: int) -> str:
    """Return the line with which a witness cosigns a checkpoint's text at a time (seconds since 1970, UTC)."""
    signature = Ed25519PrivateKey.from_private_bytes(key.seed).sign(_message(text, at))
    identity = key_id(key.name, key.verifier.public, COSIGNATURE)
    return f"{SIGNATURE}{key.name} {encode64(identity + at.to_bytes(8, 'big') + signature)}\n"


def _message(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()
