"""From events to a verdict: what anybody can check of a motion, from the JSON of its events alone."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import rfc8785

from panel.votes.tally.count import LAPSED, Miscount, Result, RollLine, Rule, lapsed, tally

Json = Mapping[str, Any]

FROZEN = (
    "motion", "number", "motion_kind", "question_sha256", "outcome", "secrecy",
    "options", "rule", "roll", "public_key", "repeats",
)  # fmt: skip
"""What opening freezes; the names are those of the event `votes.motion_opened`."""


def text_sha256(text: str) -> str:
    """Return the digest (hex) of a text in UTF-8."""
    return sha256(text.encode()).hexdigest()


def frozen_sha256(opened: Json) -> str:
    """Return the digest (hex) of what opening froze, over RFC 8785 JSON; takes `votes.motion_opened`."""
    frozen = {name: opened[name] for name in FROZEN}
    return sha256(rfc8785.dumps(frozen)).hexdigest()


def _roll(opened: Json) -> list[RollLine]:
    return [RollLine.from_json(written) for written in opened["roll"]]


def last_ballots(opened: Json, ballots: Iterable[Json]) -> dict[str, Json]:
    """Follow the chains of replacement, in the order of the record; returns each seat's ballot that counts.

    Raises Miscount at the first ballot that may not be there: not entitled, a second first ballot,
    one that replaces another than the seat's last, an unknown option, or a ballot of another motion.
    """
    entitled = {seat.seat for seat in _roll(opened) if seat.entitled}
    counting: dict[str, Json] = {}
    for ballot in ballots:
        if why := _why_not_counted(opened, entitled, counting.get(ballot["seat"]), ballot):
            raise Miscount(f"ballot {ballot['ballot']}: {why}")
        counting[ballot["seat"]] = ballot
    return counting


def _why_not_counted(opened: Json, entitled: Collection[str], last: Json | None, ballot: Json) -> str:
    frozen = opened["frozen_sha256"]
    if ballot["motion"] != opened["motion"] or ballot.get("frozen_sha256", frozen) != frozen:
        return "belongs to another motion"
    if ballot["seat"] not in entitled:
        return "its seat is not entitled"
    if ballot["choice"] not in opened["options"]:
        return "no such option"
    if ballot["replaces"] != (last["ballot"] if last else None):
        return "does not replace the ballot before it"
    return ""


def recount_open(opened: Json, ballots: Iterable[Json], *, present: Collection[str] | None = None) -> Result:
    """Recount an open motion from the JSON of its events alone. Raises Miscount for a ballot out of place.

    `present` is that of the closing event; without it, those who voted are taken as present.
    """
    counting = last_ballots(opened, ballots)
    counts = Counter(str(ballot["choice"]) for ballot in counting.values())
    here = set(counting) if present is None else set(present) | set(counting)
    rule = Rule.from_json(opened["rule"])
    return tally(rule, opened["options"], roll=_roll(opened), present=here, counts=counts)


@dataclass(frozen=True)
class Problem:
    """Something in a motion's events that does not hold; `code` is stable, `detail` names the numbers."""

    code: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else self.code


def check_opened(opened: Json) -> list[Problem]:
    """Check what opening froze: the digest, the roll's numbers, a secret motion's least number of voters."""
    problems = []
    if frozen_sha256(opened) != opened["frozen_sha256"]:
        problems.append(Problem("frozen_digest", "question, options, rule or roll are not the frozen ones"))
    entitled = sum(seat.entitled for seat in _roll(opened))
    if (len(opened["roll"]), entitled) != (opened["roll_size"], opened["entitled"]):
        problems.append(Problem("roll", f"{opened['entitled']} entitled are told, the roll has {entitled}"))
    if opened["secrecy"] == "sealed" and entitled < Rule.from_json(opened["rule"]).minimum_secret:
        problems.append(Problem("too_few_entitled", f"{entitled} members for a secret vote"))
    if "question" in opened and text_sha256(opened["question"]) != opened["question_sha256"]:
        problems.append(Problem("question", "the question's text is not the one that was frozen"))
    return problems


def check_open(opened: Json, ballots: Iterable[Json], closed: Json) -> list[Problem]:
    """Recount an open motion and hold it against what its closing told."""
    problems = check_opened(opened)
    try:
        recount = recount_open(opened, ballots, present=closed["present"])
    except Miscount as miscount:
        return [*problems, Problem("ballots", str(miscount))]
    return problems + _differences(recount, closed)


def check_sealed(opened: Json, closed: Json) -> list[Problem]:
    """Check what can be checked of a sealed motion: roll, turnout, sum, base, line, outcome, key destroyed.

    Nobody can recount it (不可独立重新计票). Counts that were withheld are taken from `result`, if disclosed.
    """
    problems = check_opened(opened) + _participation(opened, closed)
    if not closed["key_destroyed"]:
        problems.append(Problem("key", "the closing does not tell that the key was destroyed"))
    counts = closed["result"]["counts"] if "result" in closed else closed["counts"]
    if not counts and closed["carried"] != LAPSED:
        return problems
    return problems + _recheck_sealed(opened, closed, counts)


def _recheck_sealed(opened: Json, closed: Json, counts: Mapping[str, int]) -> list[Problem]:
    rule, roll, cast = Rule.from_json(opened["rule"]), _roll(opened), len(closed["participation"])
    here = {*closed["present"], *closed["participation"]}
    if closed["carried"] == LAPSED:
        result = lapsed(rule, roll, here, cast, secret=True)
        reasons = [step for step in result.steps if not step.holds]
        return _differences(result, closed) or ([] if reasons else [Problem("lapsed", "nothing was missing")])
    if sum(counts.values()) != cast:
        return [Problem("turnout", f"{sum(counts.values())} ballots counted of {cast} members who took part")]
    try:
        result = tally(rule, opened["options"], roll=roll, present=here, counts=counts, secret=True)
    except Miscount as miscount:
        return [Problem("counts", str(miscount))]
    return _differences(result, closed)


def _participation(opened: Json, closed: Json) -> list[Problem]:
    took_part = list(closed["participation"])
    entitled = {seat.seat for seat in _roll(opened) if seat.entitled}
    if took_part != sorted(set(took_part)):
        return [Problem("participation", "not sorted, or a member stands twice")]
    strangers = sorted(set(took_part) - entitled)
    return [Problem("participation", f"{seat} is not entitled") for seat in strangers]


def _differences(result: Result, closed: Json) -> list[Problem]:
    problems = []
    told = (closed["carried"], closed["settled"])
    if told != (result.carried, result.settled):
        counted = f"{result.carried}/{result.settled}"
        problems.append(Problem("outcome", f"{'/'.join(told)} is told, {counted} is counted"))
    if "result" in closed and closed["result"] != result.to_json():
        problems.append(Problem("arithmetic", "the result that is told is not the one that the counts give"))
    if closed["counts"] and dict(closed["counts"]) != result.counts:
        problems.append(Problem("counts", "the counts that are told are not those of the ballots"))
    return problems
