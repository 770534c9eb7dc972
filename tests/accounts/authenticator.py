"""An authenticator of the tests' own: makes passkeys and answers challenges as a device does, or as a forger would."""

import hashlib
import json
import secrets
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """One passkey on one device. What it does wrong, if anything, a test says by its fields."""

    origin: str
    host: str
    verifies: bool = True
    count: int = 0
    counts: bool = True
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    handle: bytes = b""
    _key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, said: dict[str, Any]) -> str:
        """Answer a challenge for a new passkey; returns the field that a page's script fills."""
        options = said["publicKey"]
        self.handle = raw(options["user"]["id"])
        data = self._data(PRESENT | ATTESTED) + bytes(16) + struct.pack(">H", len(self.id)) + self.id + self._cose()
        attested = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options["challenge"])
        return self._field(said, {"clientDataJSON": b64(client), "attestationObject": b64(attested)})

    def use(self, said: dict[str, Any]) -> str:
        """Answer a challenge with the passkey; returns the field that a page's script fills."""
        self.count += self.counts
        data = self._data(PRESENT)
        client = self._client("webauthn.get", said["publicKey"]["challenge"])
        signed = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        answer = {"clientDataJSON": client, "authenticatorData": data, "signature": signed, "userHandle": self.handle}
        return self._field(said, {name: b64(value) for name, value in answer.items()})

    def _field(self, said: dict[str, Any], response: dict[str, str]) -> str:
        name = b64(self.id)
        credential = {
            "id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {},
        }  # fmt: skip
        return json.dumps({"token": said["token"], "credential": credential})

    def _data(self, flags: int) -> bytes:
        flags |= VERIFIED if self.verifies else 0
        return hashlib.sha256(self.host.encode()).digest() + struct.pack(">BI", flags, self.count)

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _cose(self) -> bytes:
        point = self._key.public_key().public_numbers()
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")})
