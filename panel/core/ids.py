"""Random identifiers."""

import secrets


def new_id() -> str:
    """Return a random 128-bit identifier as 32 hex digits; used for rows and URLs."""
    return secrets.token_hex(16)


def new_reference() -> str:
    """Return a 256-bit random reference (URL-safe text); for sessions and links."""
    return secrets.token_urlsafe(32)
