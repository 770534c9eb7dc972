"""Who may give an opinion, when, and what is missing from it."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from panel.core.errors import Label, Reason
from panel.core.security import Grant, Role, roles
from panel.core.words import OUTCOMES
from panel.opinions.models import Round

PERMISSIONS: dict[str, Grant] = {
    "opinions.write": roles(Role.CHAIR, Role.MEMBER),
    "opinions.read_round": roles(Role.CHAIR, Role.MEMBER, Role.SECRETARY, Role.RECORDER),
}

SURE = {"high": Label("sure"), "fair": Label("fairly sure"), "low": Label("not sure")}
"""How sure a member is of a rating; saying it is optional, and it enters no measure."""

OVERALL = "overall"
"""The last step of the editor, after the considerations: the recommendation."""

LONGEST = 8000
LARGEST = 64 * 1024
"""Bytes of a whole opinion (security requirement 36)."""
"""Characters of one reason."""


def why_not_write(round_: Round, seated: bool, *, declared: bool = True) -> Reason | None:
    """Only members with a seat write, before the round closes, and only after declaring their interests."""
    if not seated:
        return Reason("Only members with a seat give an opinion.")
    if round_.closed_at is not None:
        return Reason("Round %(n)s has closed. What you gave before stands; nothing can be added.", n=round_.number)
    return None if declared else Reason("Declare your interests first.")


def why_not_read(round_: Round) -> Reason | None:
    """Nobody sees another's opinion before the round closes, chair and secretary included."""
    if round_.closed_at is None:
        return Reason("Round %(n)s is sealed. Its opinions are opened together when it closes.", n=round_.number)
    return None


def missing(body: Mapping[str, Any], keys: Sequence[str]) -> list[str]:
    """Return the steps that are not complete: each consideration has a rating or "cannot judge", and a reason."""
    ratings = body.get("ratings", {})
    lacking = [key for key in keys if not ratings.get(key, {}).get("reason") or "value" not in ratings[key]]
    return lacking if body.get("recommendation") in OUTCOMES else [*lacking, OVERALL]


def changed(before: Mapping[str, Any] | None, body: Mapping[str, Any]) -> bool:
    """Say whether a later opinion rates or recommends otherwise than the earlier one."""
    if before is None:
        return False
    values = {key: rating.get("value") for key, rating in before["ratings"].items()}
    now = {key: rating.get("value") for key, rating in body.get("ratings", {}).items()}
    return values != now or before["recommendation"] != body.get("recommendation")


def why_not_submit(
    body: Mapping[str, Any], keys: Sequence[str], exhibits: Collection[int], before: Mapping[str, Any] | None
) -> Reason | None:
    """An opinion is whole, cites exhibits of this case, and says why where it departs from the earlier round."""
    if lacking := missing(body, keys):
        return Reason("%(n)s steps are not complete yet: each needs a rating and a reason.", n=len(lacking))
    cited = {number for rating in body["ratings"].values() for number in rating.get("exhibits", ())}
    if cited - set(exhibits):
        return Reason("An exhibit that is cited is not in this case.")
    if changed(before, body) and not body.get("change"):
        return Reason("You rate otherwise than in the earlier round. Say why in the last step.")
    return None


def why_not_keep(body: Mapping[str, Any]) -> Reason | None:
    """A whole opinion has a size that everybody can read."""
    if len(json.dumps(body, ensure_ascii=False).encode()) > LARGEST:
        return Reason(
            "The opinion is too long in all: at most %(n)s kB. Nothing of what was saved before is lost.", n=64
        )
    return None


def why_not_checked(saved: int, shown: int | None) -> Reason | None:
    """What is given is what was shown for checking, not what another device has written since."""
    if shown is None or shown == saved:
        return None
    return Reason("The draft was changed on another device after you checked it. Check it once more.")


def why_not_open(rounds: Sequence[Round], number: int) -> Reason | None:
    """Rounds follow one another, one open at a time."""
    if any(r.closed_at is None for r in rounds):
        return Reason("A round is open already.")
    if number != len(rounds) + 1:
        return Reason("Rounds follow one another. The next one is round %(n)s.", n=len(rounds) + 1)
    return None


def why_not_close(round_: Round) -> Reason | None:
    """A round closes once."""
    return None if round_.closed_at is None else Reason("Round %(n)s has closed already.", n=round_.number)
