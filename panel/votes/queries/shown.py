"""What a reader sees of a motion: the one place that every page, part and file asks (security A3: one serializer)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from panel.cases import queries as cases
from panel.core import geometry
from panel.core.geometry import Gauge, Hemicycle, Place
from panel.core.geometry.votes import MOST_SEATS
from panel.core.security import INSIDE, Audience
from panel.votes.models import Annulment, Ballot, Motion, MotionState, RollEntry, Secrecy
from panel.votes.queries import rows
from panel.votes.tally import FULL, Result, Rule, published

NAMED = INSIDE | {Audience.AUTHORITY}
"""Who reads an open vote by name; for everybody else it is numbers."""


@dataclass(frozen=True)
class Line:
    """One seat on the roll, as a reader sees it; `choice` and `why` of open ballots only."""

    seat_id: str
    number: int
    name: str
    category: str
    entitled: bool
    reason: str
    took_part: bool
    choice: str = ""
    why: str = ""


@dataclass(frozen=True)
class Shown:
    """What a reader sees of a motion. `counts` false: of its result only the outcome."""

    motion: Motion
    rule: Rule
    result: Result | None
    counts: bool
    named: bool
    lines: Sequence[Line]
    hemicycle: Hemicycle | None
    gauge: Gauge | None
    annulment: Annulment | None
    repeats: Motion | None
    repetition: Motion | None

    @property
    def entitled(self) -> int:
        """Return how many seats may vote."""
        return sum(line.entitled for line in self.lines)

    @property
    def recused(self) -> int:
        """Return how many seats on the roll stand aside."""
        return sum(line.reason == "recused" for line in self.lines)

    @property
    def secret(self) -> bool:
        """Say whether the vote is secret."""
        return self.motion.secrecy is Secrecy.SEALED

    @property
    def by_number(self) -> bool:
        """Say whether there is a count to show."""
        return self.counts and self.result is not None and bool(self.result.counts)


def visible(of: Motion, audience: Audience) -> bool:
    """Say whether an audience may know of a motion: outside the panel, announced ones only."""
    return audience in INSIDE or of.announced_at is not None


def counts_shown(of: Motion, result: Result, audience: Audience) -> bool:
    """Say whether an audience sees the numbers of a result (small-number rule, votes 3.3)."""
    if audience in INSIDE:
        return True
    return published(Rule.from_json(of.rule), result.counts, secret=of.secrecy is Secrecy.SEALED) == FULL


def shown(db: Session, of: Motion, audience: Audience) -> Shown | None:
    """Return what an audience sees of a motion, or None where it is not to know of it."""
    if not visible(of, audience):
        return None
    result = rows.tally_of(db, of.id) if of.closed_at else None
    counts = result is not None and counts_shown(of, result, audience)
    named = audience in NAMED
    lines = _lines(db, of, closed=result is not None)
    return Shown(
        motion=of, rule=Rule.from_json(of.rule), result=result, counts=counts, named=named, lines=lines,
        hemicycle=_hemicycle(of, result, lines, named=named) if counts else None,
        gauge=_gauge(of, result) if counts else None,
        annulment=rows.annulment(db, of.id) if of.state is MotionState.ANNULLED else None,
        repeats=rows.motion(db, of.repeats) if of.repeats else None,
        repetition=rows.repetition(db, of.id) if of.closed_at else None,
    )  # fmt: skip


def all_shown(db: Session, hearing_id: str, audience: Audience) -> list[Shown]:
    """Return what an audience sees of a hearing's motions, by number."""
    every = (shown(db, motion, audience) for motion in rows.motions(db, hearing_id))
    return [one for one in every if one is not None]


def _lines(db: Session, of: Motion, *, closed: bool) -> list[Line]:
    roll = rows.roll(db, of.id) if of.opened_at else []
    if not roll:
        return []
    names = cases.people_names(db, {entry.person_id for entry in roll})
    ballots = {b.seat_id: b for b in rows.counting_ballots(db, of.id)} if closed else {}
    took_part = {*rows.participation(db, of.id), *ballots}
    return [_line(e, names.get(e.person_id, ""), ballots.get(e.seat_id), e.seat_id in took_part) for e in roll]


def _line(entry: RollEntry, name: str, ballot: Ballot | None, took_part: bool) -> Line:
    return Line(
        seat_id=entry.seat_id, number=entry.number, name=name, category=entry.category, entitled=entry.entitled,
        reason=entry.reason, took_part=took_part, choice=ballot.choice if ballot else "",
        why=ballot.reason if ballot else "",
    )  # fmt: skip


def _hemicycle(of: Motion, result: Result | None, lines: Sequence[Line], *, named: bool) -> Hemicycle | None:
    if result is None or not result.counts or len(lines) > MOST_SEATS:
        return None
    if of.secrecy is Secrecy.OPEN and named:
        seated = [Place(_stand(line), name=line.name, seat=line.number) for line in lines if line.reason != "category"]
        return geometry.hemicycle(seated, named=True)
    recused = sum(line.reason == "recused" for line in lines)
    counts = Counter({**result.counts, "not_cast": result.not_cast, "recused": recused})
    return geometry.hemicycle([Place(option) for option in counts.elements()])


def _stand(line: Line) -> str:
    return "recused" if line.reason == "recused" else line.choice or "not_cast"


def _gauge(of: Motion, result: Result | None) -> Gauge | None:
    if result is None or not result.counts or not result.base:
        return None
    rule = Rule.from_json(of.rule)
    return geometry.gauge(
        counts=result.counts, passing=rule.passing, base=result.base, required=result.required, strict=rule.strict
    )
