"""Who may do what with accounts, what a password must be, and who may hold which office."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from panel.accounts.models import LinkPurpose
from panel.core import text
from panel.core.errors import Reason
from panel.core.security import ANYONE, SIGNED_IN, Grant, Office, Role, always, offices

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
    "accounts.keep_factors": SIGNED_IN,
    "accounts.change_factors": SIGNED_IN,
    "accounts.set_up": ANYONE,
    "accounts.forget": ANYONE,
    "accounts.follow_link": ANYONE,
    "accounts.see_administration": offices(Office.SYSTEM, Office.SECURITY, Office.AUDIT),
    "accounts.see_people": offices(Office.SYSTEM, Office.SECURITY, Office.AUDIT),
    "accounts.add_people": offices(Office.SYSTEM),
    "accounts.close_accounts": offices(Office.SYSTEM),
    "accounts.end_sessions": offices(Office.SYSTEM, Office.SECURITY),
    "accounts.give_offices": offices(Office.SYSTEM, Office.SECURITY),
    "accounts.see_mail": offices(Office.SYSTEM),
    "accounts.rehearse": offices(Office.SYSTEM, Office.SECRETARY),
    "accounts.take_part": SIGNED_IN,
    "accounts.describe": offices(Office.SYSTEM),
}
"""The demo's three are open to anyone: their pages exist in demo mode only, and only nearby; setting up is, too, but
only with the one-time code and until there is an administrator (docs/security.md)."""

GRAVE = {
    "accounts.give_offices": always,
    "accounts.close_accounts": always,
    "accounts.change_factors": always,
}
"""Who may do what, taking a second factor away, and what opens an account."""

ALWAYS_PROVED = frozenset({"accounts.change_factors"})
"""Full re-authentication before a change of what opens an account, whatever the settings say (ASVS 7.5.1)."""

PROOF_LASTS = timedelta(minutes=5)
"""How long a proof holds where the installation asks for none but these."""

NO_PASSWORD = "!"
"""What is kept of an account whose person has not chosen a password yet: no password fits it."""

LINKS_LAST: Mapping[LinkPurpose, timedelta] = {
    LinkPurpose.INVITATION: timedelta(hours=24),
    LinkPurpose.RESET: timedelta(minutes=30),
}
"""How long a link holds (ASVS 6.4.1)."""

WRONG_PASSKEY = Reason("This passkey did not open anything: it is not known here, or the request has expired.")

MOST_PASSKEYS = 20

WRONG_CODE = Reason("This code does not hold. Wait for the next one and type it as it is shown.")

WITHOUT_FACTOR = frozenset(
    {
        "accounts.keep_factors",
        "accounts.change_factors",
        "accounts.sign_out",
        "accounts.see_devices",
        "accounts.end_session",
        "live.connect",
    }
)
"""What somebody may do who must have a second factor and has none yet: set it up, see their devices, sign out."""

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256
"""In characters after NFC; ASVS 6.2.1 asks for at least 8 and advises 15, 6.2.9 for at most 64 or more."""


def why_not_length(password: str) -> Reason | None:
    """Say why a password is too short or too long; there is no rule of composition (ASVS 6.2.5)."""
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


@dataclass(frozen=True)
class OfficeText:
    """What an office is called and what it does, in each locale; whether its holder may have a part in cases."""

    title: Mapping[str, str]
    does: Mapping[str, str]
    in_cases: bool


@dataclass(frozen=True)
class OfficeRules:
    """The offices of an installation (rulepacks/offices.toml): which exclude one another, and who gives them."""

    source: str
    status: str
    texts: Mapping[Office, OfficeText]
    separate: Sequence[frozenset[Office]]
    giver: Office
    until_named: Office

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> "OfficeRules":
        """Read a pack; raises ValueError or KeyError where it describes offices that the product does not know."""
        return cls(
            body["source"], body["status"], {Office(one["code"]): _office(one) for one in body["office"]},
            [frozenset(map(Office, one["offices"])) for one in body["separate"]],
            Office(body["giving"]["by"]), Office(body["giving"]["until_named"]),
        )  # fmt: skip


def _office(body: Mapping[str, Any]) -> OfficeText:
    title, does = ({"zh_CN": body[f"{name}_zh"], "en": body[f"{name}_en"]} for name in ("title", "does"))
    return OfficeText(title, does, body["in_cases"])


def why_not_give(
    rules: OfficeRules, office: Office, held: Collection[Office], *, part_in_cases: bool, disabled: bool
) -> Reason | None:
    """Say why somebody may not be given an office: they hold it, or one that excludes it, or have a part in a case."""
    if disabled:
        return Reason("This account is closed. Open it again first.")
    if office in held:
        return Reason("This person holds this office already.")
    if other := next((o for group in rules.separate if office in group for o in held if o in group), None):
        return Reason(
            "Nobody is %(office)s and %(other)s at once.",
            office=rules.texts[office].title, other=rules.texts[other].title,
        )  # fmt: skip
    if part_in_cases and not rules.texts[office].in_cases:
        return Reason("Who has a part in a case cannot hold this office.")
    return None


def why_not_giver(rules: OfficeRules, giver: Collection[Office], *, named: bool) -> Reason | None:
    """Offices are given by who keeps the rights; by the system administrator only until somebody does."""
    if rules.giver in giver or (rules.until_named in giver and not named):
        return None
    return Reason("Offices are given and ended by the %(office)s.", office=rules.texts[rules.giver].title)


def why_not_end_office(office: Office, holders: int) -> Reason | None:
    """The last system administrator stays: nobody could mend anything afterwards."""
    if office is Office.SYSTEM and holders <= 1:
        return Reason("This is the last system administrator. Name another one first.")
    return None


def why_not_part(rules: OfficeRules, held: Collection[Office]) -> Reason | None:
    """Say why the holder of these offices may have no part in a case: administrators see no case text."""
    barred = next((office for office in sorted(held) if not rules.texts[office].in_cases), None)
    if barred is None:
        return None
    return Reason("The %(office)s has no part in any case.", office=rules.texts[barred].title)


def why_not_link(*, disabled: bool) -> Reason | None:
    """A closed account gets no link."""
    return Reason("This account is closed. Open it again first.") if disabled else None


def must_have_factor(setting: str, offices: Collection[Office], roles: Collection[Role]) -> bool:
    """Say whether the installation asks somebody for a second factor: officers, chairs, secretaries, or everybody."""
    return setting == "all" or (setting == "officers" and bool(offices or {Role.CHAIR, Role.SECRETARY} & set(roles)))


def why_not_begin_factor(*, confirmed: bool) -> Reason | None:
    """One authenticator for each account: another takes its place when it has gone."""
    return Reason("There is an authenticator already. Remove it first.") if confirmed else None


def why_not_add_passkey(held: int, name: str) -> Reason | None:
    """Say why somebody cannot have another passkey, or not under this name."""
    if held >= MOST_PASSKEYS:
        return Reason("An account has at most %(n)s passkeys. Remove one first.", n=MOST_PASSKEYS)
    return text.why_not_title(name, longest=80)


def why_not_count(before: int, now: int) -> Reason | None:
    """An authenticator that counts goes on counting: a count that goes back is a copy's (WebAuthn 6.1.1)."""
    return WRONG_PASSKEY if (before or now) and now <= before else None


def why_not_remove_factor(*, required: bool) -> Reason | None:
    """Who must have a second factor does not go without one."""
    return (
        Reason("Your duties ask for a second factor. An administrator can take it away if it is lost.")
        if required
        else None
    )


def why_not_mail(mail: str) -> Reason | None:
    """Say why this is no address to write to; whether it exists, the first mail shows."""
    name, _, host = mail.rpartition("@")
    fits = bool(name) and "." in host and not any(mark.isspace() or mark in '<>,;"' for mark in mail)
    return None if not mail or (fits and len(mail) <= 254) else Reason("This is not a mail address.")
