"""From counts to a result: rule, roll, and the steps of the arithmetic as data."""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any, Self

CARRIED, LOST, DEFERRED, LAPSED = "carried", "lost", "deferred", "lapsed"
FULL, PASSED_ONLY = "full", "passed_only"


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


@dataclass(frozen=True)
class Rule:
    """The frozen part of the rules of procedure under which a motion is voted on.

    `base`: due (应到会有表决权委员), present or cast. `contrary`: the option that settles the
    question the other way when it reaches the line itself; `residual`: what holds when neither does.
    A difference of the `compared` options of at most `near_tie` ballots (or `near_tie_of_base` of the
    base) is a near tie.
    """

    majority: Fraction
    strict: bool
    base: str = "due"
    passing: str = "approve"
    contrary: str = ""
    residual: str = ""
    compared: tuple[str, ...] = ()
    near_tie: int = 0
    near_tie_of_base: Fraction = Fraction(0)
    revotes: int = 1
    quorum: Fraction = Fraction(2, 3)
    quorum_strict: bool = False
    required_categories: tuple[str, ...] = ()
    required_each: int = 1
    minimum_secret: int = 5
    reason_required_for: tuple[str, ...] = ()
    hide_counts_when: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return JSON values; fractions as exact text."""
        return {key: _plain(value) for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Self:
        """Read a rule; what is left out has its default, what is unknown is refused."""
        values: dict[str, Any] = dict(written)
        for name in ("majority", "near_tie_of_base", "quorum"):
            if name in values:
                values[name] = Fraction(values[name])
        for name in ("compared", "required_categories", "reason_required_for", "hide_counts_when"):
            if name in values:
                values[name] = tuple(values[name])
        return cls(**values)


@dataclass(frozen=True)
class RollLine:
    """One seat on the roll. `due`: counts for the quorum; `entitled`: may vote, else `reason` says why."""

    seat: str
    entitled: bool
    due: bool = True
    category: str = ""
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Self:
        """Read a line of a roll."""
        known = cls.__dataclass_fields__
        return cls(**{key: value for key, value in written.items() if key in known})


@dataclass(frozen=True)
class Step:
    """One step: `value` against `needed`, the whole number that `share` of `of` asks for (`exact`)."""

    test: str
    holds: bool
    value: int
    needed: int
    option: str = ""
    against: str = ""
    share: Fraction = Fraction(0)
    of: int = 0
    exact: Fraction = Fraction(0)
    strict: bool = False
    missing: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Self:
        """Read a step."""
        values = dict(written)
        values |= {"share": Fraction(values["share"]), "exact": Fraction(values["exact"])}
        return cls(**{**values, "missing": tuple(values["missing"])})


@dataclass(frozen=True)
class Result:
    """A motion's result with its arithmetic. `settled` is the option that the result stands for, or empty."""

    carried: str
    settled: str
    counts: dict[str, int]
    due: int
    entitled: int
    present: int
    cast: int
    base: int
    required: Fraction
    needed: int
    quorum_needed: Fraction
    quorum_met: bool
    steps: tuple[Step, ...] = field(default_factory=tuple)

    @property
    def not_cast(self) -> int:
        """Return how many entitled members cast no ballot."""
        return self.entitled - self.cast

    def to_json(self) -> dict[str, Any]:
        """Return JSON values; fractions as exact text."""
        return {key: _plain(value) for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Self:
        """Read a result."""
        values = dict(written)
        for name in ("required", "quorum_needed"):
            values[name] = Fraction(values[name])
        values["steps"] = tuple(Step.from_json(step) for step in values["steps"])
        return cls(**values)


class Miscount(ValueError):
    """What was handed in cannot be the ballots of this motion."""


def least(exact: Fraction, *, strict: bool) -> int:
    """Return the least whole number that reaches a line: more than it (超过), or at least it (以上)."""
    return math.floor(exact) + 1 if strict else math.ceil(exact)


def line(test: str, option: str, value: int, share: Fraction, of: int, *, strict: bool) -> Step:
    """Return the step that holds a number against a share of a base. An empty base is never enough."""
    exact = share * of
    needed = least(exact, strict=strict)
    holds = of > 0 and value >= needed
    return Step(test, holds, value, needed, option, share=share, of=of, exact=exact, strict=strict)


def sitting(rule: Rule, roll: Sequence[RollLine], present: Collection[str]) -> tuple[Step, ...]:
    """Return the steps of the quorum: enough members present, and every required category among them."""
    due = [seat for seat in roll if seat.due]
    here = [seat for seat in due if seat.seat in present]
    steps = [line("quorum", "", len(here), rule.quorum, len(due), strict=rule.quorum_strict)]
    if rule.required_categories:
        held = Counter(seat.category for seat in here)
        missing = tuple(c for c in rule.required_categories if held[c] < rule.required_each)
        asked = len(rule.required_categories)
        steps.append(Step("categories", not missing, asked - len(missing), asked, missing=missing))
    return tuple(steps)


def standing(
    rule: Rule, roll: Sequence[RollLine], present: Collection[str], turnout: int, *, secret: bool
) -> tuple[Step, ...]:
    """Return the steps that must hold before counting; a secret vote also needs a least turnout."""
    steps = sitting(rule, roll, present)
    if not secret:
        return steps
    return (*steps, Step("minimum", turnout >= rule.minimum_secret, turnout, rule.minimum_secret))


def near_tie(rule: Rule, counts: Mapping[str, int], base: int) -> Step | None:
    """Return the step that compares two sides; it holds when they are too close. None: no such test."""
    if len(rule.compared) != 2:
        return None
    first, second = rule.compared
    ours, theirs = counts.get(first, 0), counts.get(second, 0)
    margin = max(rule.near_tie, math.floor(rule.near_tie_of_base * base))
    difference = abs(ours - theirs)
    close = difference <= margin and ours + theirs > 0
    return Step("near_tie", close, difference, margin, first, second, share=rule.near_tie_of_base, of=base)


def tally(
    rule: Rule,
    options: Sequence[str],
    *,
    roll: Sequence[RollLine],
    present: Collection[str],
    counts: Mapping[str, int],
    secret: bool = False,
) -> Result:
    """Count a motion. Raises Miscount for unknown options and for more ballots than entitled members."""
    cast = _checked(options, roll, counts)
    before = standing(rule, roll, present, cast, secret=secret)
    if not all(step.holds for step in before):
        return lapsed(rule, roll, present, cast, secret=secret)
    every = {option: counts.get(option, 0) for option in options}
    base = _base(rule, roll, present, cast)
    carried, settled, steps = _decide(rule, every, base)
    return _result(rule, roll, present, cast, base, carried, settled, every, (*before, *steps))


def lapsed(rule: Rule, roll: Sequence[RollLine], present: Collection[str], turnout: int, *, secret: bool) -> Result:
    """Return the result of a motion that is not counted, for want of a quorum or of ballots."""
    steps = standing(rule, roll, present, turnout, secret=secret)
    base = _base(rule, roll, present, turnout)
    return _result(rule, roll, present, turnout, base, LAPSED, "", {}, steps)


def _checked(options: Sequence[str], roll: Sequence[RollLine], counts: Mapping[str, int]) -> int:
    if unknown := set(counts) - set(options):
        raise Miscount(f"no such option: {min(unknown)}")
    if any(n < 0 for n in counts.values()):
        raise Miscount("a count is negative")
    cast = sum(counts.values())
    if cast > (entitled := sum(seat.entitled for seat in roll)):
        raise Miscount(f"{cast} ballots of {entitled} entitled members")
    return cast


def _base(rule: Rule, roll: Sequence[RollLine], present: Collection[str], cast: int) -> int:
    if rule.base == "due":
        return sum(seat.entitled for seat in roll)
    if rule.base == "present":
        return sum(seat.entitled and seat.seat in present for seat in roll)
    if rule.base == "cast":
        return cast
    raise Miscount(f"no such base: {rule.base}")


def _decide(rule: Rule, counts: Mapping[str, int], base: int) -> tuple[str, str, tuple[Step, ...]]:
    close = near_tie(rule, counts, base)
    steps = () if close is None else (close,)
    if close is not None and close.holds:
        return DEFERRED, "", steps
    passing = _side("line", rule, rule.passing, counts, base)
    if passing.holds:
        return CARRIED, rule.passing, (*steps, passing)
    if not rule.contrary:
        return LOST, rule.residual, (*steps, passing)
    contrary = _side("contrary", rule, rule.contrary, counts, base)
    return LOST, rule.contrary if contrary.holds else rule.residual, (*steps, passing, contrary)


def _side(test: str, rule: Rule, option: str, counts: Mapping[str, int], base: int) -> Step:
    return line(test, option, counts.get(option, 0), rule.majority, base, strict=rule.strict)


def _result(
    rule: Rule, roll: Sequence[RollLine], present: Collection[str], cast: int, base: int,
    carried: str, settled: str, counts: dict[str, int], steps: tuple[Step, ...],
) -> Result:  # fmt: skip
    quorum, required = steps[0], rule.majority * base
    return Result(
        carried=carried, settled=settled, counts=counts, due=quorum.of, present=quorum.value,
        entitled=sum(seat.entitled for seat in roll), cast=cast, base=base, required=required,
        needed=least(required, strict=rule.strict), quorum_needed=quorum.exact,
        quorum_met=all(s.holds for s in steps if s.test in {"quorum", "categories"}), steps=steps,
    )  # fmt: skip


def published(rule: Rule, counts: Mapping[str, int], *, secret: bool) -> str:
    """Say what outsiders see (small-number rule): only the outcome, where counts would tell each vote."""
    cast = sum(counts.values())
    most = max(counts.values(), default=0)
    unanimous = "unanimous" in rule.hide_counts_when and most == cast
    nearly = "all_but_one" in rule.hide_counts_when and most >= cast - 1
    return PASSED_ONLY if secret and cast and (unanimous or nearly) else FULL
