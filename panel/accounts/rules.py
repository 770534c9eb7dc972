"""Who may do what with accounts, and what a password must be."""

from panel.core import text
from panel.core.errors import Reason
from panel.core.security import ANYONE, SIGNED_IN, Grant

PERMISSIONS: dict[str, Grant] = {
    "accounts.see_sign_in": ANYONE,
    "accounts.sign_in": ANYONE,
    "accounts.sign_out": SIGNED_IN,
    "accounts.choose_locale": ANYONE,
    "accounts.choose_display": ANYONE,
    "accounts.see_devices": SIGNED_IN,
    "accounts.end_session": SIGNED_IN,
    "accounts.see_password": SIGNED_IN,
    "accounts.change_password": SIGNED_IN,
    "accounts.see_demo": ANYONE,
    "accounts.enter_demo": ANYONE,
    "accounts.give_back_seat": ANYONE,
}
"""The demo's three are open to anyone: their pages exist in demo mode only, and only nearby (docs/security.md)."""

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256
"""In characters after NFC; ASVS 6.2.1 asks for at least 8 and advises 15, 6.2.9 for at most 64 or more."""


def why_not_password(password: str) -> Reason | None:
    """Say why a person may not choose this password: length only, no rule of composition (ASVS 6.2.5)."""
    length = len(text.nfc(password))
    if length < SHORTEST_PASSWORD:
        return Reason("A password has at least %(n)s characters.", n=SHORTEST_PASSWORD)
    if length > LONGEST_PASSWORD:
        return Reason("A password has at most %(n)s characters.", n=LONGEST_PASSWORD)
    return None


def why_not_name(name: str) -> Reason | None:
    """Say why this cannot be somebody's name."""
    return text.why_not_title(name, longest=80)


def why_not_login(login: str) -> Reason | None:
    """Say why this cannot be a name to sign in with."""
    if not login or any(mark.isspace() for mark in login):
        return Reason("A name to sign in with has no spaces.")
    return text.why_not_title(login, longest=80)
