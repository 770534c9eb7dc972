"""Timestamps of an authority over checkpoints (RFC 3161): when each was there, told by somebody else's clock."""

from hashlib import sha256

from panel.core.errors import Label
from panel.record.note import BadNote

GRANTED = (0, 1)
"""PKIStatus: granted, granted with modifications (RFC 3161, 2.4.2)."""


def query(data: bytes) -> bytes:
    """Return a request for a timestamp over the SHA-256 of this data, with a nonce; asks for the certificate, too."""
    from rfc3161_client import TimestampRequestBuilder
    from rfc3161_client.base import HashAlgorithm

    builder = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256)
    return builder.nonce(nonce=True).cert_request(cert_request=True).build().as_bytes()


def granted(answer: bytes, data: bytes) -> bytes:
    """Return an answer that grants a timestamp over this data; raises BadNote. Whose it is, its readers verify."""
    from rfc3161_client import decode_timestamp_response

    try:
        response = decode_timestamp_response(answer)
        imprint = response.tst_info.message_imprint.message if response.status in GRANTED else b""
    except ValueError:
        imprint = b""
    if imprint != sha256(data).digest():
        raise BadNote(Label("the authority did not grant a timestamp over this checkpoint"))
    return answer
