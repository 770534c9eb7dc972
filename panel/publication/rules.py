"""When a summary may be composed, published, withdrawn."""

from panel.core.errors import Reason
from panel.core.security import ANYONE, Grant, Role, always, roles
from panel.publication.models import Summary, SummaryState

PERMISSIONS: dict[str, Grant] = {
    "publication.start": ANYONE,
    "publication.read_public": ANYONE,
    "publication.preview": roles(Role.SECRETARY, Role.CHAIR, Role.AUTHORITY),
    "publication.compose": roles(Role.SECRETARY),
    "publication.publish": roles(Role.SECRETARY),
    "publication.withdraw": roles(Role.SECRETARY),
}


GRAVE = {"publication.publish": always}


def why_not_compose(decided: bool, summary: Summary | None) -> Reason | None:
    """A summary follows the decision, and a published one is not composed again."""
    if not decided:
        return Reason("The authority has not decided yet. A summary is composed from its decision.")
    if summary is not None and summary.state is not SummaryState.DRAFT:
        return Reason("The summary has been published and stays as it is.")
    return None


def why_not_publish(summary: Summary | None, body_sha256: str) -> Reason | None:
    """Only the very text that was previewed is published."""
    if summary is None:
        return Reason("There is no summary yet. Compose it first.")
    if summary.state is SummaryState.PUBLISHED:
        return Reason("This summary is published already.")
    if summary.state is SummaryState.WITHDRAWN:
        return Reason("This summary was withdrawn.")
    if summary.body_sha256 != body_sha256:
        return Reason("The summary was composed anew after this preview. Read the new preview first.")
    return None


def why_not_withdraw(summary: Summary | None, reason: str) -> Reason | None:
    """A published summary is withdrawn with a reason, which its tombstone shows."""
    if summary is None or summary.state is not SummaryState.PUBLISHED:
        return Reason("Only a published summary can be withdrawn.")
    if not reason:
        return Reason("Say why the summary is withdrawn; the public reads the reason.")
    return None
