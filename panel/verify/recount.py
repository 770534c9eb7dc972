"""What the disclosed events allow of every motion: open ones are counted again, sealed ones are checked."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from panel.core.errors import Label, Reason
from panel.record.commitment import ERASED
from panel.verify.bundle import Broken, BundleEntry, Part
from panel.votes.tally import FULL, Problem, check_open, check_sealed

OPENED, CAST, CLOSED, ANNULLED = (
    f"votes.{verb}" for verb in ("motion_opened", "ballot_cast", "motion_closed", "motion_annulled")
)
FRACTION = re.compile(r"[0-9]{1,9}(/[1-9][0-9]{0,8})?", re.ASCII)
"""A fraction as rules write it; anything else, such as 1e999999, could keep the reader busy for ever."""

NOT_DISCLOSED = Label("Motion %(number)s: its ballots are not all disclosed here, so it was not recounted.")

PROBLEMS: Mapping[str, Reason] = {
    "frozen_digest": Reason("question, options, rule or roll are not those that were frozen at opening"),
    "roll": Reason("the roll does not agree with its own numbers"),
    "too_few_entitled": Reason("too few members were entitled for a secret vote"),
    "question": Reason("the question is not the one that was frozen"),
    "ballots": Reason("a ballot is out of place"),
    "participation": Reason("the list of those who took part does not agree with the roll"),
    "key": Reason("the closing does not tell that the key was destroyed"),
    "turnout": Reason("the counts do not add up to the number of members who took part"),
    "lapsed": Reason("it is told to have lapsed, though nothing was missing"),
    "counts": Reason("the counts that are told are not those of the ballots"),
    "outcome": Reason("the result that is told is not the one that the ballots give"),
    "arithmetic": Reason("the arithmetic that is told is not the one that the counts give"),
}


@dataclass(frozen=True)
class Verdict:
    """What was found about one motion: `recounted`, `checked` (sealed), or `open` (not disclosed far enough)."""

    number: int
    state: str
    words: Reason


@dataclass
class Story:
    """The events of one motion that a bundle discloses, in the order of the record."""

    opened: BundleEntry | None = None
    ballots: list[BundleEntry] = field(default_factory=list)
    closed: BundleEntry | None = None
    annulled: BundleEntry | None = None

    def hidden(self, entries: Iterable[BundleEntry], *states: str) -> int:
        """Return how many entries between opening and closing are not disclosed, of these states or of any."""
        start, end = (e.index if e else 0 for e in (self.opened, self.closed))
        parts = [entry.parts["public"] for entry in entries if start < entry.index < end]
        return sum(part in states if states else not isinstance(part, Part) for part in parts)


def verdicts(entries: Sequence[BundleEntry]) -> list[Verdict]:
    """Check every motion that was closed. Raises Broken at the first that does not hold."""
    found = [_verdict(story, entries) for story in stories(entries).values() if story.closed]
    return sorted(found, key=lambda verdict: verdict.number)


def stories(entries: Iterable[BundleEntry]) -> dict[str, Story]:
    """Gather the disclosed events of each motion; raises Broken where one stands out of order."""
    told: dict[str, Story] = {}
    for entry in entries:
        if entry.kind in (OPENED, CAST, CLOSED, ANNULLED):
            _tell(told.setdefault(str(entry.event.get("motion")), Story()), entry)
    return told


def _tell(story: Story, entry: BundleEntry) -> None:
    if story.closed or story.annulled or (entry.kind == OPENED and story.opened):
        raise Broken(entry.place, Reason("Entry %(index)s comes after its motion has ended.", index=entry.index))
    if entry.kind == CAST:
        story.ballots.append(entry)
    elif entry.kind == OPENED:
        story.opened = entry
    elif entry.kind == CLOSED:
        story.closed = entry
    else:
        story.annulled = entry


def _verdict(story: Story, entries: Sequence[BundleEntry]) -> Verdict:
    assert story.closed is not None, "only closed motions are judged"
    try:
        return _judge(story, story.closed, entries)
    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError):
        raise Broken(story.closed.place, Reason("The events of this motion have not the shape of a motion.")) from None


def _judge(story: Story, closing: BundleEntry, entries: Sequence[BundleEntry]) -> Verdict:
    closed = closing.event
    number = _number(closed)
    if story.opened is None:
        if any(ERASED in entry.parts.values() for entry in entries):
            return Verdict(number, "open", Reason("Motion %(number)s: its opening was erased.", number=number))
        raise Broken(closing.place, Reason("Motion %(number)s was closed without having been opened.", number=number))
    opened = story.opened.event
    _require_plain_rule(opened, story.opened)
    if opened["secrecy"] == "open":
        return _open_verdict(story, opened, closed, entries)
    if story.ballots:
        raise Broken(story.ballots[0].place, Reason("A sealed motion has no ballots on the record."))
    _require_none(closing, number, check_sealed(opened, closed))
    return Verdict(number, "checked", _sealed_words(number, closed))


def _open_verdict(
    story: Story, opened: Mapping[str, Any], closed: Mapping[str, Any], entries: Sequence[BundleEntry]
) -> Verdict:
    assert story.closed is not None
    number, ballots = _number(closed), [entry.event for entry in story.ballots]
    voted, told = {ballot["seat"] for ballot in ballots}, set(closed["participation"])
    problems = check_open(opened, ballots, closed)
    if (told - voted and story.hidden(entries)) or (story.hidden(entries, ERASED) and _chain_broken(problems)):
        words = Reason(
            "Motion %(number)s: its ballots are not all disclosed here, so it was not recounted.", number=number
        )
        return Verdict(number, "open", words)
    if voted != told:
        reason = Reason("Motion %(number)s: its ballots are not those of the members who took part.", number=number)
        raise Broken(story.closed.place, reason)
    _require_none(story.closed, number, problems)
    words = Reason("Motion %(number)s: recounted from %(n)s ballots.", number=number, n=len(ballots))
    return Verdict(number, "recounted", words)


def _number(closed: Mapping[str, Any]) -> int:
    if not isinstance(closed["number"], int):
        raise TypeError("a motion has a number")
    return closed["number"]


def _chain_broken(problems: Sequence[Problem]) -> bool:
    return bool(problems) and problems[0].code == "ballots"


def _sealed_words(number: int, closed: Mapping[str, Any]) -> Reason:
    if closed["outcome_published"] == FULL or "result" in closed:
        return Reason(
            "Motion %(number)s (sealed): roll, turnout, sum, base, line and outcome agree. "
            "It cannot be recounted independently.", number=number,
        )  # fmt: skip
    return Reason(
        "Motion %(number)s (sealed): roll and turnout agree; its counts are withheld. "
        "It cannot be recounted independently.", number=number,
    )  # fmt: skip


def _require_none(closing: BundleEntry, number: int, problems: Sequence[Problem]) -> None:
    if not problems:
        return
    words = PROBLEMS.get(problems[0].code, Reason("its events do not agree"))
    raise Broken(
        closing.place,
        Reason("Motion %(number)s: %(problem)s (%(detail)s).", number=number, problem=words, detail=str(problems[0])),
    )


def _require_plain_rule(opened: Mapping[str, Any], entry: BundleEntry) -> None:
    for name in ("majority", "near_tie_of_base", "quorum"):
        if name in opened["rule"] and not FRACTION.fullmatch(str(opened["rule"][name])):
            raise Broken(f"{entry.place}.parts.public.value.rule.{name}", Reason("There is no fraction here."))
