"""The words in which a report is told: every check, what it proves and what it does not, and the verdict."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from panel.core.errors import Reason
from panel.verify.audit import Audited
from panel.verify.check import FAILS, HOLDS, NO_KEY_GIVEN, NOT_TRUSTED, Outcome, Report

MARKS = {HOLDS: "✓", FAILS: "✗", NOT_TRUSTED: "!"}

AUDIENCES = {
    "public": Reason("the public"),
    "party": Reason("the parties"),
    "panel": Reason("the panel"),
    "full": Reason("the full record"),
}
NO_CASE = Reason("There is no such case.")


def written(path: Path, size: int) -> Reason:
    """Say that a bundle was written."""
    return Reason("Written: %(path)s (%(n)s bytes)", path=path, n=size)


def unreadable(path: Path, problem: str) -> Reason:
    """Say that a file could not be read or written."""
    return Reason("%(path)s: %(problem)s", path=path, problem=problem)


def no_installation(folder: Path) -> Reason:
    """Say that there is nothing to audit."""
    return Reason("There is no installation in %(folder)s.", folder=folder)


class Words(Protocol):
    """A translator, as a report needs it."""

    def reason(self, reason: Reason) -> str:
        """Translate a sentence."""


def told(report: Report, words: Words) -> Iterator[str]:
    """Yield the lines of a report on a bundle or a receipt."""
    if report.bundle is not None or report.receipt is not None:
        yield from _head(report, words)
    for outcome in report.outcomes:
        yield from _outcome(outcome, words)
        if outcome.check.name == "draws":
            yield from (f"    · {_plain(words.reason(line))}" for line in report.draws)
        if outcome.check.name == "motions":
            yield from (f"    · {_plain(words.reason(verdict.words))}" for verdict in report.verdicts)
    yield from _verdict(report, words)


def told_audited(one: Audited, words: Words) -> Iterator[str]:
    """Yield the lines about one thing that was audited."""
    yield f"{MARKS[FAILS if one.problem else HOLDS]} {_plain(words.reason(one.title))}"
    if one.problem is not None:
        yield f"    {_plain(words.reason(one.problem))}"
    yield from (f"    · {_plain(words.reason(verdict.words))}" for verdict in one.verdicts)


def told_audit(audited: Sequence[Audited], words: Words) -> str:
    """Return the verdict of an audit."""
    problems = sum(one.problem is not None for one in audited)
    if problems:
        return words.reason(Reason("The record does not hold; problems: %(n)s.", n=problems))
    return words.reason(Reason("The record holds."))


def _head(report: Report, words: Words) -> Iterator[str]:
    yield from (_plain(words.reason(line)) for line in _subject(report))
    if report.checkpoint is not None:
        stated = Reason(
            "Checkpoint of %(origin)s, size %(size)s", origin=report.checkpoint.origin, size=report.checkpoint.size
        )
        yield _plain(words.reason(stated))


def _subject(report: Report) -> Iterator[Reason]:
    if (bundle := report.bundle) is not None:
        yield Reason(
            "Bundle for %(audience)s, record token %(case)s, %(n)s entries",
            audience=AUDIENCES[bundle.audience], case=bundle.case, n=len(bundle.entries),
        )  # fmt: skip
    if (entry := report.receipt) is not None:
        yield Reason("Receipt for entry %(index)s, sequenced %(time)s", index=entry.index, time=entry.header["time"])
        yield from (Reason("%(name)s: %(value)s", name=n, value=_json(v)) for n, v in sorted(entry.event.items()))


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _outcome(outcome: Outcome, words: Words) -> Iterator[str]:
    title = words.reason(outcome.check.title)
    yield f"{MARKS.get(outcome.state, '–')} {title}"
    if outcome.state == HOLDS:
        yield "    " + words.reason(Reason("Proves: %(what)s", what=outcome.check.proves))
        yield "    " + words.reason(Reason("Does not prove: %(what)s", what=outcome.check.leaves_open))
    elif outcome.reason is not None:
        yield f"    {_plain(words.reason(outcome.reason))}"
        if outcome.place and outcome.state == FAILS:
            yield "    " + _plain(words.reason(Reason("Place: %(place)s", place=outcome.place)))


def _verdict(report: Report, words: Words) -> Iterator[str]:
    if report.failure is not None:
        title = report.failure.check.title
        yield words.reason(Reason("This file does not hold. The first thing that fails: %(title)s.", title=title))
        return
    if not report.trusted_key:
        yield words.reason(NO_KEY_GIVEN)
        yield f"    {_plain(str(report.key))}"
    yield words.reason(Reason("This file holds."))


def _plain(text: str) -> str:
    """Return a text that cannot steer a terminal: what a hostile bundle says is shown, never obeyed."""
    return "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in text)
