"""When the panel's finding is made, and what the authority's decision must carry."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from panel.core.errors import Reason
from panel.core.security import Grant, Role, roles
from panel.core.text import one_line
from panel.core.words import OUTCOMES
from panel.rulebook.rules import DutyRules, why_apart

PERMISSIONS: dict[str, Grant] = {
    "decisions.find": roles(Role.CHAIR),
    "decisions.show_finding": roles(Role.CHAIR, Role.MEMBER, Role.SECRETARY, Role.RECORDER, Role.AUTHORITY),
    "decisions.decide": roles(Role.AUTHORITY),
    "decisions.show": roles(
        Role.CHAIR, Role.MEMBER, Role.SECRETARY, Role.RECORDER, Role.HANDLER, Role.AUTHORITY, Role.OFFICIAL, Role.HELPER
    ),
}

AFTER_VOTING = frozenset({"summing_up", "ended"})
"""The phases of a hearing in which the panel's finding is made."""


@dataclass(frozen=True)
class Measure:
    """A corrective measure as it is ordered: what, by whom, until when."""

    text: str
    responsible: str
    due_on: date


def why_not_find(phase: str, *, made: bool, voting: bool) -> Reason | None:
    """The finding is made once, after the votes are announced."""
    if made:
        return Reason("The panel's finding has been made.")
    if voting:
        return Reason("A motion is still open.")
    if phase not in AFTER_VOTING:
        return Reason("The finding is made at the summing up, after the results are announced.")
    return None


def why_not_decide_now(*, found: bool, decided: bool, dissents_open: bool) -> Reason | None:
    """A decision follows the finding and the settled minutes, and is issued once."""
    if decided:
        return Reason("The decision has been issued.")
    if not found:
        return Reason("The panel has not made its finding yet.")
    if dissents_open:
        return Reason("The minutes are not settled yet. Until then members may file dissents, and each gets an answer.")
    return None


def departs(finding: str, outcome: str) -> bool:
    """Say whether an outcome departs from the panel's majority; without a majority there is nothing to depart from."""
    return finding not in {"", outcome}


def why_not_outcome(finding: str, outcome: str, departure_reasons: str, approver: str) -> Reason | None:
    """A departure from the panel's majority carries reasons and an approver (domain 10.1)."""
    if outcome not in OUTCOMES:
        return Reason("Choose the outcome.")
    if departs(finding, outcome) and not departure_reasons:
        return Reason("This outcome departs from the panel's finding. Give the reasons for the departure.")
    if departs(finding, outcome) and not approver:
        return Reason("This outcome departs from the panel's finding. Name who approved the departure.")
    if not departs(finding, outcome) and departure_reasons:
        return Reason(
            "This outcome does not depart from a finding of the panel: leave the reasons for a departure empty."
        )
    return None


def why_not_approver(duties: DutyRules, approver: str, seats: Mapping[str, str]) -> Reason | None:
    """Who approves the decision is nobody who sat on the panel; `seats`: the members' duties, by name."""
    seat = seats.get(one_line(approver))
    return why_apart(duties, Role.AUTHORITY, seat) if seat else None


def why_not_measures(
    outcome: str, measures: Sequence[Measure], tolerant: Collection[str], today: date
) -> Reason | None:
    """Tolerance goes with correction (容纠并举, seed report 三(二)3): measures with dates are compulsory with it."""
    if outcome in tolerant and not measures:
        return Reason("Tolerance goes with correction: order at least one corrective measure with a date.")
    if early := next((m for m in measures if m.due_on < today), None):
        return Reason("A corrective measure is due on %(day)s, which is past.", day=early.due_on.isoformat())
    return None


def why_not_answered(unanswered: Collection[int], answered: Collection[int]) -> Reason | None:
    """Every dissent gets an answer (对不同意见的研究情况)."""
    left = sorted(set(unanswered) - set(answered))
    if not left:
        return None
    return Reason("Dissent no. %(n)s has no answer yet. Every dissent gets one.", n=left[0])
