"""Typed views of the rule documents. The rules are data; nothing is decided here that a pack does not say."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

from panel.core.errors import Reason
from panel.core.security import SIGNED_IN, Grant

PERMISSIONS: dict[str, Grant] = {"rulebook.read": SIGNED_IN}

PROCEDURE, CONSIDERATIONS, CATALOGUE = "procedure", "considerations", "catalogue"

Json = Mapping[str, Any]


class Unsuitable(ValueError):
    """A body is not what its kind promises."""


@dataclass(frozen=True)
class Text:
    """A text of a pack in both languages; where the pack has no English, the Chinese stands for it."""

    zh: str
    en: str = ""

    def __getitem__(self, locale: str) -> str:
        """Return the text for a locale: `zh`, `zh_CN` or `en`."""
        return self.en if locale.startswith("en") and self.en else self.zh

    def __str__(self) -> str:
        return self.zh


def text_of(table: Json, name: str = "title") -> Text:
    """Return `name_zh` and `name_en` of a table as one text."""
    return Text(table[f"{name}_zh"], table.get(f"{name}_en", ""))


def fraction(written: object) -> Fraction:
    """Read an exact fraction such as "2/3"; decimals and numbers are refused, they are never exact."""
    if not isinstance(written, str) or "." in written:
        raise Unsuitable(f"{written!r} is not an exact fraction")
    return Fraction(written)


def strict(table: Json) -> bool:
    """Say whether the line must be passed (超过) rather than reached (以上)."""
    return {"more_than": True, "at_least": False}[table["comparison"]]


@dataclass(frozen=True)
class Composition:
    """How a panel is drawn; 0, or None, where the rules set no such limit.

    `per_unit`: members from one unit; `cap_per_year`: committees a year; `cool_off_days`: days between two committees.
    """

    per_unit: int | None
    cap_per_year: int
    cool_off_days: int
    alternates_each: int
    undertaking: Text


@dataclass(frozen=True)
class ProcedureRules:
    """The rules of procedure of one version (pack `rules_of_procedure`)."""

    body: Json

    @classmethod
    def from_body(cls, body: Json) -> Self:
        """Return the view of a document's body."""
        return cls(body)

    @property
    def title(self) -> Text:
        """Return the document's title."""
        return text_of(self.body["rules"])

    @property
    def seats(self) -> int:
        """Return the number of seats of a committee, alternates left out."""
        return int(self.body["seats"]["number"])

    @property
    def odd(self) -> bool:
        """Say whether the number of seats must be odd (招标投标法 §37, 公务员申诉规定 §5)."""
        return bool(self.body["seats"]["odd"])

    @property
    def no_category_majority(self) -> bool:
        """Say whether no category may hold a majority of the seats."""
        return bool(self.body["seats"]["no_category_majority"])

    @property
    def handlers_may_sit(self) -> bool:
        """Say whether who handles the case may have a seat (行政处罚法 §64(四))."""
        return bool(self.body["seats"]["handlers_may_sit"])

    @property
    def chair_categories(self) -> tuple[str, ...]:
        """Return the categories from which the chair may come."""
        return tuple(self.body["seats"]["chair_categories"])

    @property
    def categories(self) -> tuple[str, ...]:
        """Return the seat categories in order."""
        return tuple(c["key"] for c in self.body["seat_categories"])

    def default_seats(self, category: str) -> int:
        """Return how many seats a category has by default."""
        return int(_by_key(self.body["seat_categories"], category)["default_seats"])

    @property
    def composition(self) -> "Composition":
        """Return how a panel is drawn; rules that were written before there were draws limit nothing."""
        body = self.body.get("composition", {})
        return Composition(
            body.get("per_unit") or None, body.get("cap_per_year", 0), body.get("cool_off_days", 0),
            body.get("alternates_each", 1), text_of(body, "undertaking") if body else Text(""),
        )  # fmt: skip

    @property
    def quorum(self) -> Fraction:
        """Return the share of the members due that must be present."""
        return fraction(self.body["quorum"]["fraction"])

    @property
    def quorum_strict(self) -> bool:
        """Say whether more than this share is needed."""
        return strict(self.body["quorum"])

    @property
    def published_names(self) -> bool:
        """Say whether the public summary names the authors of dissents (建议: no)."""
        return bool(self.body["dissent"]["published_names"])

    @property
    def required_categories(self) -> tuple[str, ...]:
        """Return the categories without which there is no quorum."""
        return tuple(self.body["quorum"]["required_categories"])

    @property
    def required_each(self) -> int:
        """Return how many members of each required category must be present."""
        return int(self.body["quorum"]["required_each"])

    @property
    def recusal_grounds(self) -> dict[str, Text]:
        """Return the grounds of recusal by key (监察法 §67, 公职人员政务处分法 §47)."""
        return {g["key"]: text_of(g) for g in self.body["recusal_grounds"]}

    @property
    def suspended_until_decided(self) -> bool:
        """Say whether a member who asked for recusal counts as absent until it is decided."""
        return bool(self.body["recusal"]["suspended_until_decided"])

    def votes_on(self, category: str, kind: str) -> bool:
        """Say whether seats of a category vote on this kind of motion."""
        return category in self._kind(kind)["voters"]

    def options(self, kind: str) -> tuple[str, ...]:
        """Return the codes of the options, in the order of the ballot."""
        return tuple(o["key"] for o in self._kind(kind)["options"])

    def secrecy(self, kind: str) -> str:
        """Return `open` (记名) or `sealed` (无记名)."""
        return str(self._kind(kind)["secrecy"])

    @property
    def min_secret(self) -> int:
        """Return how many entitled members a secret vote needs at least."""
        return int(self._kind("disposition")["minimum_eligible_secret"])

    @property
    def advised_secret(self) -> int:
        """Return below how many entitled members the chair is warned before a secret vote."""
        return int(self._kind("disposition").get("advised_eligible_secret", 0))

    def majority(
        self, kind: str, outcome: str | None = None, *, recommended: str | None = None
    ) -> tuple[Fraction, bool]:
        """Return the share that passes and whether it must be exceeded; the first entry that matches decides.

        `recommended` is the outcome that the verification report recommends; without a report nothing departs from it.
        """
        departs = recommended is not None and outcome != recommended
        for entry in self._kind(kind)["majorities"]:
            if _matches(entry, outcome, departs):
                return fraction(entry["fraction"]), strict(entry)
        raise Unsuitable(f"no majority for {kind}")

    def motion(self, kind: str, outcome: str | None = None, *, recommended: str | None = None) -> dict[str, Any]:
        """Return what a motion freezes of these rules, in the shape of `votes.tally.Rule`; fractions as exact text."""
        share, exceeded = self.majority(kind, outcome, recommended=recommended)
        table, near, base = self._kind(kind), self._near_tie, self.body["base"]["of"]
        return {
            "majority": str(share),
            "strict": exceeded,
            "base": {"due_with_vote": "due"}.get(base, base),
            "passing": table["passing"],
            "contrary": table.get("contrary", ""),
            "residual": table.get("residual", ""),
            "compared": list(table["compared"]),
            "near_tie": near.get("margin", 0),
            "near_tie_of_base": str(fraction(near.get("margin_of_base", "0"))),
            "revotes": self.body["near_tie"]["revotes"],
            "quorum": str(self.quorum),
            "quorum_strict": self.quorum_strict,
            "required_categories": list(self.required_categories),
            "required_each": self.required_each,
            "minimum_secret": self.min_secret,
            "reason_required_for": list(table["reason_required_for"]),
            "hide_counts_when": list(self.body["publication"]["hide_counts_when"]),
        }

    @property
    def _near_tie(self) -> Json:
        return _by_key(self.body["near_tie"]["presets"], self.body["near_tie"]["preset"])

    def _kind(self, kind: str) -> Json:
        table: Json = self.body["motion_kinds"][kind]
        return table

    @property
    def speaking_seconds(self) -> int:
        """Return how long a turn lasts where its stage says nothing else."""
        return int(self.body["speaking"]["seconds"])

    def speaking(self, stage: str) -> int:
        """Return how long a turn lasts in a stage, in seconds."""
        return int(self.body["speaking"]["by_stage"].get(stage, self.speaking_seconds))

    @property
    def warn_seconds(self) -> int:
        """Return how many seconds before its end a turn is warned."""
        return int(self.body["speaking"]["warn_seconds"])

    @property
    def minutes_days(self) -> int:
        """Return within how many days the minutes are confirmed (山东省制定地方性法规听证规定 §27)."""
        return int(self.body["minutes"]["confirm_within_days"])

    @property
    def rounds(self) -> int:
        """Return how many rounds of opinions there are."""
        return int(self.body["opinions"]["rounds"])

    @property
    def order_of_business(self) -> tuple[Json, ...]:
        """Return the steps of a hearing in order (检察听证规定 §15)."""
        return tuple(sorted(self.body["order_of_business"], key=lambda step: int(step["number"])))

    @property
    def outcomes(self) -> dict[str, Text]:
        """Return the outcomes by code."""
        return {o["key"]: text_of(o) for o in self.body["outcomes"]}

    def corrective_required(self, outcome: str) -> bool:
        """Say whether a decision for this outcome must carry corrective measures (容纠并举)."""
        return bool(_by_key(self.body["outcomes"], outcome)["corrective_required"])


def _matches(entry: Json, outcome: str | None, departs: bool) -> bool:
    match entry["when"]:
        case "outcome":
            return bool(entry["outcome"] == outcome)
        case "departs_from_verification":
            return departs
        case "otherwise":
            return True
        case unknown:
            raise Unsuitable(f"unknown condition {unknown!r}")


def _by_key(tables: Sequence[Json], key: str) -> Json:
    return next(table for table in tables if table["key"] == key)


@dataclass(frozen=True)
class Consideration:
    """One of the six considerations (六看): a rating from 1 (`other_pole`) to 5 (`tolerant_pole`)."""

    key: str
    number: int
    title: Text
    tolerant_pole: Text
    other_pole: Text
    points: tuple[Text, ...]
    """Five words, for 1, 2, 3, 4, 5 in this order."""
    guidance: tuple[str, ...]
    """What to look at, quoted from the source; Chinese only."""
    source: str

    @property
    def poles(self) -> tuple[Text, Text]:
        """Return the word at 1 and the word at 5."""
        return self.other_pole, self.tolerant_pole

    @classmethod
    def from_table(cls, table: Json) -> Self:
        """Return the view of one table of the pack."""
        points = tuple(map(Text, table["points_zh"], table["points_en"]))
        if len(points) != 5:
            raise Unsuitable(f"{table['key']} has {len(points)} points")
        return cls(
            key=table["key"], number=int(table["number"]), title=text_of(table),
            tolerant_pole=text_of(table, "tolerant_pole"), other_pole=text_of(table, "other_pole"),
            points=points, guidance=tuple(table["guidance_zh"]), source=table["source"],
        )  # fmt: skip


@dataclass(frozen=True)
class Considerations:
    """The considerations of one version (pack `six_considerations`), in order."""

    title: Text
    source: str
    items: tuple[Consideration, ...]

    @classmethod
    def from_body(cls, body: Json) -> Self:
        """Return the view of a document's body."""
        items = sorted(map(Consideration.from_table, body["considerations"]), key=lambda item: item.number)
        return cls(text_of(body), body["source"], tuple(items))

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the keys in order."""
        return tuple(item.key for item in self.items)

    def item(self, key: str) -> Consideration | None:
        """Return the consideration of this key, or None."""
        return next((item for item in self.items if item.key == key), None)


def why_not_load(kind: str, body: Json) -> Reason | None:
    """Say why a body cannot be a document of this kind: a rule that cannot be read must not reach a case."""
    try:
        {PROCEDURE: _try_procedure, CONSIDERATIONS: Considerations.from_body, CATALOGUE: _try_catalogue}[kind](body)
    except (KeyError, TypeError, ValueError, StopIteration, ZeroDivisionError) as error:
        return Reason("This rule document cannot be used: %(why)s", why=repr(error))
    return None


def _try_procedure(body: Json) -> None:
    rules = ProcedureRules.from_body(body)
    for kind in body["motion_kinds"]:
        for outcome in (None, *rules.outcomes):
            rules.motion(kind, outcome, recommended="")
        rules.options(kind), rules.secrecy(kind)


def _try_catalogue(body: Json) -> None:
    text_of(body["catalogue"])


def why_not_replace(before_sha256: str, sha256: str) -> Reason | None:
    """Say why a version cannot be loaded again: what cases run under never changes under them."""
    if before_sha256 == sha256:
        return None
    return Reason("This version of the rule document is in the rulebook with other content. Give it a new version.")


@dataclass(frozen=True)
class Sourced:
    """Where something of a pack comes from, and how well that was read."""

    source: str
    status: str

    @classmethod
    def from_body(cls, table: Json) -> Self:
        """Read the two from a table; what waits for its wording has no source."""
        return cls(table.get("source", ""), table["status"])


@dataclass(frozen=True)
class Duty:
    """A duty in a case: its title and what it does in each locale. One that is not in use has no wording yet."""

    title: Mapping[str, str]
    does: Mapping[str, str]
    in_use: bool
    status: str


@dataclass(frozen=True)
class DutyRules:
    """The duties in a case (rulepacks/duties.toml), by code: those in use are roles, and alternates that wait.

    `separate` says of each pair that nobody may have both, `one_duty` where it comes from that nobody has two at all;
    without it, only the pairs exclude one another.
    """

    about: Sourced
    duties: Mapping[str, Duty]
    separate: Mapping[frozenset[str], Sourced]
    one_duty: Sourced | None

    @classmethod
    def from_body(cls, body: Json) -> Self:
        """Read a pack; raises KeyError or Unsuitable where a pair names a duty that the pack does not describe."""
        duties = {one["code"]: _duty(one) for one in body["duty"]}
        separate = {frozenset(pair["duties"]): Sourced.from_body(pair) for pair in body["separate"]}
        if any(len(pair) != 2 or not pair <= duties.keys() for pair in separate):
            raise Unsuitable("a pair names two duties that the pack describes")
        one = Sourced.from_body(body["one_duty"]) if "one_duty" in body else None
        return cls(Sourced.from_body(body), duties, separate, one)

    def in_use(self, pair: Collection[str]) -> bool:
        """Say whether every duty of a pair is in use."""
        return all(self.duties[code].in_use for code in pair)


def _duty(table: Json) -> Duty:
    told = ({"zh_CN": table.get(f"{name}_zh", ""), "en": table.get(f"{name}_en", "")} for name in ("title", "does"))
    title, does = told
    return Duty(title, does, table["in_use"], table["status"])


def why_apart(rules: DutyRules, duty: str, other: str) -> Reason | None:
    """Say why nobody has these two duties in the same case: the rules name them as a pair."""
    if frozenset({duty, other}) not in rules.separate:
        return None
    return Reason(
        "Nobody is %(duty)s and %(other)s in the same case.",
        duty=rules.duties[duty].title, other=rules.duties[other].title,
    )  # fmt: skip


def why_not_duty(rules: DutyRules, duty: str, held: str) -> Reason | None:
    """Say why somebody who has one duty in a case does not get another: they exclude one another, or nobody has two."""
    if (apart := why_apart(rules, duty, held)) is not None or rules.one_duty is None:
        return apart
    return Reason(
        "This person is %(held)s in the case and cannot be %(duty)s too: nobody has two duties in it.",
        held=rules.duties[held].title, duty=rules.duties[duty].title,
    )  # fmt: skip
