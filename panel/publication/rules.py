"""When a summary may be composed, published, withdrawn; when the short text of a dissent in it counts."""

from panel.core.errors import Reason
from panel.core.security import ANYONE, Grant, Role, always, roles
from panel.dissents.models import Dissent
from panel.publication.models import Gist, Summary, SummaryState

PERMISSIONS: dict[str, Grant] = {
    "publication.start": ANYONE,
    "publication.read_public": ANYONE,
    "publication.preview": roles(Role.SECRETARY, Role.CHAIR, Role.AUTHORITY),
    "publication.compose": roles(Role.SECRETARY),
    "publication.publish": roles(Role.SECRETARY),
    "publication.withdraw": roles(Role.SECRETARY),
    "publication.propose": roles(Role.SECRETARY),
    "publication.answer": roles(Role.CHAIR, Role.MEMBER),
}


GRAVE = {"publication.publish": always}


def why_not_compose(decided: bool, summary: Summary | None) -> Reason | None:
    """A summary follows the decision, and a published one is not composed again."""
    if not decided:
        return Reason("The authority has not decided yet. A summary is composed from its decision.")
    return why_not_change(summary)


def why_not_change(summary: Summary | None) -> Reason | None:
    """What was published stays as it is."""
    if summary is not None and summary.state is not SummaryState.DRAFT:
        return Reason("The summary has been published and stays as it is.")
    return None


def why_not_publish(summary: Summary | None, body_sha256: str, now_sha256: str) -> Reason | None:
    """Only the very text that was previewed is published, and only while it is what the record says."""
    if summary is None:
        return Reason("There is no summary yet. Compose it first.")
    if summary.state is SummaryState.PUBLISHED:
        return Reason("This summary is published already.")
    if summary.state is SummaryState.WITHDRAWN:
        return Reason("This summary was withdrawn.")
    if summary.body_sha256 != body_sha256:
        return Reason("The summary was composed anew after this preview. Read the new preview first.")
    if summary.body_sha256 != now_sha256:
        return Reason("The record says more than this draft by now. Compose it anew.")
    return None


def why_not_withdraw(summary: Summary | None, reason: str) -> Reason | None:
    """A published summary is withdrawn with a reason, which its tombstone shows."""
    if summary is None or summary.state is not SummaryState.PUBLISHED:
        return Reason("Only a published summary can be withdrawn.")
    if not reason:
        return Reason("Say why the summary is withdrawn; the public reads the reason.")
    return None


def why_not_propose(dissent: Dissent, newest: Gist | None, *, still_open: bool) -> Reason | None:
    """A short text is proposed of a dissent that is complete, until its author has approved one."""
    if dissent.withdrawn_at is not None:
        return Reason("This dissent was withdrawn.")
    if still_open:
        return Reason("The minutes are not settled yet. Until then the author may add to the dissent.")
    if newest is not None and newest.approved:
        return Reason("The author has approved the short text. It stays as it is.")
    return None


def why_not_answer(dissent: Dissent, gist: Gist, newest: Gist, *, author: bool, approves: bool, words: str) -> (
    Reason | None
):  # fmt: skip
    """The author alone answers, once, the newest proposal; sending it back says what is not right."""
    if not author:
        return Reason("Only the author of the dissent answers this.")
    if dissent.withdrawn_at is not None:
        return Reason("This dissent was withdrawn.")
    if gist.id != newest.id:
        return Reason("Another text was proposed meanwhile. Read that one first.")
    if gist.answered_at is not None:
        return Reason("You have answered this already.")
    if not approves and not words:
        return Reason("Say what is not right about it.")
    return None
