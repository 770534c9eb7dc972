"""Passkeys (W3C Web Authentication): challenges, and what a browser's answer to one proves.

Host and origin come from the settings, never from a request. A challenge is 32 random bytes, signed for its purpose and
its session, valid for five minutes; that it is used once, the unit of work sees to (`actions.passkeys`).
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import webauthn
from itsdangerous import BadSignature, URLSafeTimedSerializer
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

SECONDS = 300
"""For so long a challenge may be answered (ASVS 6.7.2 asks for at least 64 bits, used once; we keep 256)."""

LONGEST = 8192
"""Characters of an answer at most: without attestation it has some hundreds."""


CREDENTIAL_ID = re.compile("[A-Za-z0-9_-]{1,1400}")
"""Base64url: nothing else is looked for in the database."""


class Purpose(StrEnum):
    """What a challenge is for; an answer given for one opens nothing else."""

    SIGN_IN = "sign-in"
    ADD = "add"
    PROOF = "proof"


class Unproven(Exception):
    """An answer proves nothing; the message is for the security log, never for a page."""


@dataclass(frozen=True)
class RelyingParty:
    """The host that passkeys are made for, and the addresses of ours at it."""

    id: str
    origins: Sequence[str]


@dataclass(frozen=True)
class Made:
    """A new passkey, as its authenticator made it."""

    credential_id: str
    public_key: bytes
    sign_count: int
    challenge_sha256: str


@dataclass(frozen=True)
class Used:
    """An answer that was verified: the authenticator's count, and the challenge that it uses up."""

    sign_count: int
    challenge_sha256: str


def relying_party(origins: Sequence[str]) -> RelyingParty | None:
    """Return the host of the first of our addresses that may have passkeys; None where there is none.

    Browsers want TLS or `localhost`, and a name: an IP address cannot have passkeys.
    """
    able = [origin for origin in origins if _able(origin)]
    if not able:
        return None
    host = urlsplit(able[0]).hostname or ""
    return RelyingParty(host, [origin for origin in able if urlsplit(origin).hostname == host])


def _able(origin: str) -> bool:
    address = urlsplit(origin)
    host = address.hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return address.scheme == "https" or host == "localhost"
    return False


def challenge(signer: URLSafeTimedSerializer, purpose: Purpose, session: str) -> tuple[str, bytes]:
    """Return a new challenge as a token that travels with the form, and as bytes for the authenticator."""
    asked = webauthn.helpers.generate_challenge()
    return str(signer.dumps([purpose.value, session, bytes_to_base64url(asked)])), asked


def opened(signer: URLSafeTimedSerializer, purpose: Purpose, session: str, token: str) -> bytes:
    """Return a token's challenge. Raises Unproven where it is forged, too old, or for something or somebody else."""
    try:
        kind, whose, asked = signer.loads(token, max_age=SECONDS)
    except (BadSignature, ValueError):
        raise Unproven("the challenge is forged or too old") from None
    if (kind, whose) != (purpose.value, session):
        raise Unproven("the challenge is for something else")
    return base64url_to_bytes(asked)


def handle(person_id: str) -> bytes:
    """Return what an authenticator keeps of a person: nothing that tells who it is."""
    return sha256(b"passkey " + person_id.encode()).digest()


def creation(party: RelyingParty, *, title: str, login: str, person_id: str, name: str, asked: bytes,
             held: Sequence[str]) -> dict[str, Any]:  # fmt: skip
    """Return what a browser needs to make a passkey: one that finds itself, and that verifies its person."""
    options = webauthn.generate_registration_options(
        rp_id=party.id, rp_name=title, user_id=handle(person_id), user_name=login, user_display_name=name,
        challenge=asked, timeout=SECONDS * 1000, exclude_credentials=_named(held),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, require_resident_key=True,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
    )  # fmt: skip
    return _plain(webauthn.options_to_json(options))


def request(party: RelyingParty, *, asked: bytes, held: Sequence[str] = ()) -> dict[str, Any]:
    """Return what a browser needs to use a passkey: one of those `held`, or any that it knows for us."""
    options = webauthn.generate_authentication_options(
        rp_id=party.id, challenge=asked, timeout=SECONDS * 1000, allow_credentials=_named(held) or None,
        user_verification=UserVerificationRequirement.REQUIRED,
    )  # fmt: skip
    return _plain(webauthn.options_to_json(options))


def _named(held: Sequence[str]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in held]


def _plain(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


def credential_id(answer: str) -> str:
    """Return which passkey an answer claims to come from. Raises Unproven where it is no such answer."""
    try:
        found = json.loads(answer)["id"] if len(answer) <= LONGEST else None
    except (ValueError, KeyError, TypeError, RecursionError):
        found = None
    if not isinstance(found, str) or not CREDENTIAL_ID.fullmatch(found):
        raise Unproven("the answer cannot be read")
    return found


def made(answer: str, *, party: RelyingParty, asked: bytes) -> Made:
    """Return the passkey that was made. Raises Unproven where the answer does not hold for our host and challenge."""
    credential_id(answer)
    try:
        new = webauthn.verify_registration_response(
            credential=answer, expected_challenge=asked, expected_rp_id=party.id, expected_origin=list(party.origins),
            require_user_verification=True,
        )  # fmt: skip
    except (WebAuthnException, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise Unproven(str(problem)[:200]) from None
    return Made(bytes_to_base64url(new.credential_id), new.credential_public_key, new.sign_count, _digest(asked))


def used(answer: str, *, party: RelyingParty, asked: bytes, public_key: bytes, person_id: str) -> Used:
    """Return what an answer proves. Raises Unproven where it does not hold for our host, challenge, key and person.

    The count is compared where it is written, under a lock: here it would be read too early.
    """
    try:
        seen = webauthn.verify_authentication_response(
            credential=answer, expected_challenge=asked, expected_rp_id=party.id, expected_origin=list(party.origins),
            credential_public_key=public_key, credential_current_sign_count=0, require_user_verification=True,
        )  # fmt: skip
        whose = json.loads(answer)["response"].get("userHandle")
    except (WebAuthnException, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise Unproven(str(problem)[:200]) from None
    if whose and whose != bytes_to_base64url(handle(person_id)):
        raise Unproven("the passkey is somebody else's")
    return Used(seen.new_sign_count, _digest(asked))


def _digest(asked: bytes) -> str:
    return sha256(asked).hexdigest()
