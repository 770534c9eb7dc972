"""Who prepares a draw, who contributes to it, and when each step is lawful."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from panel.core.errors import Label, Reason
from panel.core.security import EVERY_ROLE, SIGNED_IN, Grant, Role, roles
from panel.core.words import CATEGORIES
from panel.draws.draw import Shortage, commitment
from panel.draws.models import Contribution, Contributor, Draw, DrawState, OfferState, SeatOffer
from panel.rulebook.rules import Composition

PERMISSIONS: dict[str, Grant] = {
    "draws.read": Grant(roles=EVERY_ROLE),
    "draws.prepare": roles(Role.SECRETARY),
    "draws.contribute": SIGNED_IN,
    "draws.answer": SIGNED_IN,
}
"""Who contributes, or answers an offer, is named by the draw: the view shows theirs to nobody else."""

WITNESSES = frozenset({Role.AUTHORITY, Role.OFFICIAL, Role.HELPER, Role.OBSERVER})
"""Who may be the scrutineer: neither the secretary, who holds the draw, nor who handles the case (domain 8)."""

HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)

EXCLUDED = {
    "part": Label("has a part in this case"),
    "office": Label("holds an office that has no part in cases"),
    "closed": Label("the account is closed"),
    "cap": Label("has served as often this year as the rules allow"),
    "cool_off": Label("has served too lately"),
    "unavailable": Label("is not available"),
}
"""Why somebody of the pool cannot be drawn, by its code."""


def excluded(
    composition: Composition, *, part: bool, barred: bool, state: str, this_year: int, since: timedelta | None
) -> str:
    """Say by its code why somebody of the pool cannot be drawn, or an empty text.

    `state`: their availability (committees); `this_year`: in how many committees they serve; `since`: their last seat.
    """
    grounds = {
        "part": part, "office": barred, "closed": state == "closed", "unavailable": state != "available",
        "cap": bool(composition.cap_per_year) and this_year >= composition.cap_per_year,
        "cool_off": since is not None and since < timedelta(days=composition.cool_off_days),
    }  # fmt: skip
    return next((code for code, holds in grounds.items() if holds), "")


def why_not_prepare(draws: Sequence[Draw], *, formed: bool, chair_reason: str) -> Reason | None:
    """One draw at a time, before the committee is formed; the chair is designated, and that needs a reason."""
    if formed:
        return Reason("The committee is formed already.")
    if any(draw.state is not DrawState.VOID for draw in draws):
        return Reason("There is a draw already. It must be held or voided first.")
    if not chair_reason.strip():
        return Reason("The chair is designated, not drawn. Say why this person.")
    return None


def why_not_chair(category: str, categories: Collection[str], excluded_by: str) -> Reason | None:
    """The chair comes from the categories of the rules, and is as free of the case as whoever is drawn."""
    if category not in categories:
        return Reason("The chair does not come from the category “%(name)s”.", name=Reason(CATEGORIES[category]))
    if excluded_by:
        return Reason("This person cannot take the chair: %(why)s.", why=Reason(EXCLUDED[excluded_by]))
    return None


def why_not_contributors(chair: str, scrutineer: str, actor: str, role: Role | None) -> Reason | None:
    """The seed comes from two people, neither of whom holds the draw."""
    if len({chair, scrutineer, actor}) < 3:
        return Reason("Chair, scrutineer and whoever prepares the draw are three people.")
    if role not in WITNESSES:
        return Reason("The scrutineer has a part in the case, but neither handles it nor keeps its files.")
    return None


def why_not_drawn(shortage: Shortage | None) -> Reason | None:
    """Say which constraint cannot be met."""
    if shortage is None:
        return None
    told = {"name": Reason(CATEGORIES[shortage.category]), "n": shortage.needed, "available": shortage.available}
    if shortage.by_unit:
        return Reason(
            "“%(name)s” has %(n)s seats, of which %(available)s can be filled: too many candidates are of the same "
            "units as others who are needed.", **told
        )  # fmt: skip
    return Reason("“%(name)s” has %(n)s seats, and the pool has %(available)s who can be drawn.", **told)


def why_not_commit(draw: Draw, done: Collection[Contributor], mine: Contributor, typed: str) -> Reason | None:
    """A commitment is made once, before the root is fixed."""
    if draw.state is not DrawState.PREPARED:
        return Reason("This draw takes no commitments any more.")
    if mine in done:
        return Reason("You have committed yourself already.")
    return None if HEX.fullmatch(typed) else NO_CONTRIBUTION


NO_CONTRIBUTION = Reason("This is no contribution. The page's script makes it; please let this page run scripts.")


def why_not_fix(draw: Draw, given: Sequence[Contribution], size: int | None) -> Reason | None:
    """The root that goes into the seed is signed after both commitments: nobody could choose them by it."""
    if draw.state is not DrawState.PREPARED:
        return Reason("The root is fixed once, before anything is revealed.")
    if {one.contributor for one in given} != set(Contributor):
        return Reason("Chair and scrutineer have not both committed themselves yet.")
    if size is None or size <= max(one.entry for one in given):
        return Reason("The record is signed within a minute. Fix the root after that.")
    return None


def why_not_reveal(draw: Draw, mine: Contribution | None, typed: str) -> Reason | None:
    """What is revealed is what was committed to, after the root is fixed."""
    if draw.state is not DrawState.FIXED or mine is None:
        return Reason("Nothing is revealed before the root is fixed.")
    if mine.secret:
        return Reason("You have revealed your contribution already.")
    if not HEX.fullmatch(typed) or commitment(draw.id, mine.contributor, typed) != mine.commitment:
        return Reason("This is not what you committed yourself to. Use the browser in which you did.")
    return None


def why_not_void(draw: Draw, reason: str) -> Reason | None:
    """A draw is voided before it is held, with a reason; one that was held stands."""
    if draw.state not in (DrawState.PREPARED, DrawState.FIXED):
        return Reason("This draw was held or voided before.")
    return None if reason.strip() else Reason("Say why the draw is voided. It stays on the record.")


def why_not_answer(offer: SeatOffer, *, accepted: bool, undertakes: bool, reason: str) -> Reason | None:
    """A seat is taken with an undertaking of confidentiality, or declined with a reason."""
    if offer.state is not OfferState.OPEN:
        return Reason("This offer was answered before.")
    if accepted and not undertakes:
        return Reason("Who takes a seat undertakes to keep the case confidential.")
    if not accepted and not reason.strip():
        return Reason("Say why you decline. The reason is for the files, not for the public.")
    return None


def why_not_form(
    draw: Draw | None, wanted: Mapping[str, int], offers: Sequence[SeatOffer], *, formed: bool
) -> Reason | None:
    """A committee is formed once every seat was accepted."""
    if formed:
        return Reason("The committee is formed already.")
    if draw is None or draw.state is not DrawState.HELD:
        return Reason("Nobody has been drawn yet.")
    accepted = sum(offer.state is OfferState.ACCEPTED for offer in offers)
    if accepted < sum(wanted.values()):
        return Reason("%(accepted)s of %(n)s seats are accepted.", accepted=accepted, n=sum(wanted.values()))
    return None
