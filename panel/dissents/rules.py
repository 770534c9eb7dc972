"""When a dissent may be filed, joined, added to, withdrawn, answered (domain 4.4)."""

from panel.core.errors import Reason
from panel.core.security import Grant, Role, roles
from panel.dissents.models import Dissent, SubjectKind

PERMISSIONS: dict[str, Grant] = {
    "dissents.file": roles(Role.CHAIR, Role.MEMBER),
    "dissents.join": roles(Role.CHAIR, Role.MEMBER),
    "dissents.supplement": roles(Role.CHAIR, Role.MEMBER),
    "dissents.withdraw": roles(Role.CHAIR, Role.MEMBER),
}

BEFORE = frozenset({"", "scheduled", "opening", "presentation", "explanation", "questions"})
"""The phases of a hearing in which there is nothing yet to dissent from."""


def why_not_time(phase: str, *, still_open: bool) -> Reason | None:
    """Dissents are filed from the closed deliberation until the minutes are settled."""
    if phase in BEFORE:
        return Reason("Dissents are filed from the closed deliberation on.")
    if not still_open:
        return Reason("The minutes are settled. Dissents could be filed until then.")
    return None


def why_not_about(subject: SubjectKind, *, known: bool, decided: bool) -> Reason | None:
    """A dissent is about something that is there; about what is put to the vote only once voting on it is over."""
    if not known:
        return Reason("What the dissent is about is not part of this case.")
    if subject is SubjectKind.MOTION and not decided:
        return Reason("A dissent on a motion is filed once voting on it has closed.")
    if subject is SubjectKind.QUESTION and not decided:
        return Reason("This question of fact is on the list of motions. A dissent on it is filed once it was voted on.")
    return None


def why_not_named(*, secret: bool, waives: bool) -> Reason | None:
    """A named dissent on a secret vote tells how its author stood: only with an express waiver (votes 3.3)."""
    if secret and not waives:
        return Reason(
            "The vote was secret. A dissent with your name tells others how you stood: "
            "confirm that you waive the secrecy of your own ballot."
        )
    return None


def why_not_join(dissent: Dissent, seat_id: str, *, joined: bool) -> Reason | None:
    """Others join; the author has written it already."""
    if dissent.withdrawn_at is not None:
        return Reason("This dissent was withdrawn.")
    if dissent.seat_id == seat_id:
        return Reason("This is your own dissent.")
    if joined:
        return Reason("You have joined this dissent already.")
    return None


def why_not_supplement(dissent: Dissent, seat_id: str) -> Reason | None:
    """Only its author adds to a dissent; nobody changes what was filed."""
    if dissent.seat_id != seat_id:
        return Reason("Only the author may add to a dissent.")
    return None if dissent.withdrawn_at is None else Reason("This dissent was withdrawn.")


def why_not_withdraw(dissent: Dissent, seat_id: str | None, *, answered: bool) -> Reason | None:
    """Only its author withdraws a dissent, and not once the authority has answered it."""
    if dissent.seat_id != seat_id:
        return Reason("Only the author may withdraw a dissent.")
    if dissent.withdrawn_at is not None:
        return Reason("This dissent was withdrawn.")
    if answered:
        return Reason("The deciding authority has answered this dissent. It stays on the record.")
    return None


def why_not_answer(dissent: Dissent, *, answered: bool) -> Reason | None:
    """Each dissent gets one answer."""
    if dissent.withdrawn_at is not None:
        return Reason("This dissent was withdrawn.")
    return Reason("This dissent has been answered.") if answered else None
