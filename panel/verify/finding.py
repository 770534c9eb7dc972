"""Whether the panel's finding follows from the motions, and the decision tells truly how it stands to the finding."""

from collections.abc import Mapping, Sequence
from typing import Any

from panel.core.errors import Reason
from panel.record.commitment import ERASED
from panel.verify.bundle import Broken, BundleEntry
from panel.verify.recount import stories

FOUND, DECIDED = "decisions.finding_made", "decisions.decision_issued"
FILED, WITHDRAWN = "dissents.dissent_filed", "dissents.dissent_withdrawn"
DISPOSITION, CARRIED = "disposition", "carried"


def follows(entries: Sequence[BundleEntry]) -> None:
    """Derive the finding again from the closed motions, and hold finding and decision against each other."""
    finding = next((entry for entry in entries if entry.kind == FOUND), None)
    if finding is None:
        return
    try:
        _check_finding(finding, entries)
        for decision in (entry for entry in entries if entry.kind == DECIDED):
            _check_decision(finding.event, decision)
    except (KeyError, TypeError, AttributeError, ValueError):
        raise Broken(finding.place, Reason("The finding has not the shape of a finding.")) from None


def _check_finding(finding: BundleEntry, entries: Sequence[BundleEntry]) -> None:
    before = [entry for entry in entries if entry.index < finding.index]
    hole = any(ERASED in entry.parts.values() for entry in before)
    told, closed = finding.event, _closed(before)
    put = [
        {"id": o["motion"], "number": o["number"], "outcome": o["outcome"], "carried": c["carried"]}
        for o, c in closed
        if o["motion_kind"] == DISPOSITION
    ]
    if put != told["motions"] and not hole:
        raise Broken(finding.place, Reason("The finding names other dispositions than those that were voted on."))
    if told["outcome"] != next((m["outcome"] or "" for m in told["motions"] if m["carried"] == CARRIED), ""):
        raise Broken(finding.place, Reason("The finding's outcome is not that of the disposition that was carried."))
    for fact in told["facts"]:
        if fact["motion"] is not None and not hole:
            _check_fact(finding, fact, closed)
    if told["dissents"] != _dissents(before) and not hole:
        raise Broken(finding.place, Reason("The finding tells another number of dissents than stand on the record."))


def _closed(entries: Sequence[BundleEntry]) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Return opening and closing of every motion that was closed, by number."""
    told = stories(entries).values()
    pairs = [(story.opened.event, story.closed.event) for story in told if story.opened and story.closed]
    return sorted(pairs, key=lambda pair: int(pair[0]["number"]))


def _check_fact(
    finding: BundleEntry, fact: Mapping[str, Any], closed: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]
) -> None:
    of = {opened["number"]: (opened["question_sha256"], end["carried"], end["settled"]) for opened, end in closed}
    if of.get(fact["motion"]) != (fact["question_sha256"], fact["carried"], fact["settled"]):
        reason = Reason("Question %(number)s of the finding does not agree with its motion.", number=fact["number"])
        raise Broken(finding.place, reason)


def _dissents(before: Sequence[BundleEntry]) -> int:
    filed = {str(entry.event["dissent"]) for entry in before if entry.kind == FILED}
    return len(filed - {str(entry.event["dissent"]) for entry in before if entry.kind == WITHDRAWN})


def _check_decision(finding: Mapping[str, Any], decision: BundleEntry) -> None:
    told = decision.event
    if told["adopts"] != (told["outcome"] == finding["outcome"]):
        raise Broken(decision.place, Reason("The decision does not tell truly whether it adopts the finding."))
