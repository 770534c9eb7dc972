"""Codes of an authenticator (RFC 6238) and recovery codes; secrets are sealed by a key outside the database."""

import hmac
import secrets
from datetime import datetime
from pathlib import Path

import pyotp
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox
from nacl.utils import random

from panel.core.files import write_whole

STEP = 30
"""Seconds for which a code is shown (RFC 6238's default)."""

WINDOW = (0, -1, 1)
"""Steps beside the present one whose codes are taken: clocks differ, and people type slowly."""

CODES = 10
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
GROUP = 5


def sealing_key(file: Path) -> bytes:
    """Return the key that seals authenticators' secrets; made at first use, readable by its owner only."""
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(file, random(SecretBox.KEY_SIZE), mode=0o600)
    return file.read_bytes()


def new_secret() -> str:
    """Return a new authenticator's secret: 160 bits, in base 32."""
    return pyotp.random_base32()


def seal(key: bytes, secret: str) -> bytes:
    """Seal a secret for the database."""
    return bytes(SecretBox(key).encrypt(secret.encode()))


def unseal(key: bytes, sealed: bytes) -> str | None:
    """Open a sealed secret; None where the key is another one, so that no code fits."""
    try:
        return SecretBox(key).decrypt(sealed).decode()
    except CryptoError:
        return None


def uri(secret: str, login: str, issuer: str) -> str:
    """Return the address that an authenticator reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=issuer)


def step_of(secret: str | None, code: str, now: datetime) -> int | None:
    """Return the time step whose code this is, or None. Every candidate is compared, in constant time."""
    typed, found = "".join(code.split()), None
    for offset in WINDOW:
        step = int(now.timestamp()) // STEP + offset
        right = pyotp.TOTP(secret).at(step * STEP) if secret else "no code"
        if hmac.compare_digest(right.encode(), typed.encode()) and found is None:
            found = step
    return found


def new_codes() -> list[str]:
    """Return ten recovery codes of some 49 bits each: `abcde-fghjk`."""
    return ["-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(2)) for _ in range(CODES)]


def spelled(code: str) -> str:
    """Return a recovery code as it was made, however it was typed."""
    typed = "".join(mark for mark in code.casefold() if mark.isalnum())
    return f"{typed[:GROUP]}-{typed[GROUP:]}"
