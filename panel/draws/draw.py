"""The draw itself: stratified, at random, and the same for everybody who has the seed; standard library only.

Every step is a SHA-256 over lines of text, each ended by a line feed, so that a shell and a table suffice to redo it:

    commitment  heyi-draw-commitment/1, draw, contributor, secret
    seed        heyi-draw-seed/1, draw, root, then the secrets in the order of the contributors
    ticket      heyi-draw-ticket/1, seed, candidate

Tickets order the candidates of a category, the smallest first. In that order each is drawn unless those who remain
could then no longer fill the seats that remain; who is not drawn is an alternate, in the same order. Categories are
filled in the order of their codes.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

SECRET_BYTES = 32
COMMITMENT, SEED, TICKET = "heyi-draw-commitment/1", "heyi-draw-seed/1", "heyi-draw-ticket/1"


@dataclass(frozen=True)
class Candidate:
    """Somebody who can be drawn. `id` and `unit` are made up for one draw: they name nobody outside it."""

    id: str
    category: str
    unit: str = ""


@dataclass(frozen=True)
class Terms:
    """What a draw must fill: `seats` per category.

    `per_unit`: at most so many from one unit, None for any number; `held`: how many of each unit sit already.
    """

    seats: Mapping[str, int]
    per_unit: int | None = None
    held: Mapping[str, int] = field(default_factory=dict)

    def room(self, unit: str) -> int:
        """Return how many more a unit may have; who is of no unit is bound by nothing."""
        every = sum(self.seats.values())
        if self.per_unit is None or not unit:
            return every
        return max(0, self.per_unit - self.held.get(unit, 0))


@dataclass(frozen=True)
class Drawn:
    """What a draw gave, by category: who is drawn, and who follows if somebody declines or stands aside."""

    members: Mapping[str, tuple[str, ...]]
    alternates: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Shortage:
    """Why a draw cannot be held: a category needs more than it has; `by_unit`: enough people, but of too few units."""

    category: str
    needed: int
    available: int
    by_unit: bool = False


class Impossible(ValueError):
    """These candidates cannot fill these seats."""

    def __init__(self, shortage: Shortage) -> None:
        super().__init__(str(shortage))
        self.shortage = shortage


def digest(*lines: str) -> str:
    """Return the SHA-256 (hex) of lines in UTF-8, each ended by a line feed; raises ValueError where one holds one."""
    if any("\n" in line for line in lines):
        raise ValueError("a line of a digest holds a line feed")
    return sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def commitment(draw: str, contributor: str, secret: str) -> str:
    """Return what a contributor says before the reveal. It names draw and contributor: nobody can repeat another's."""
    return digest(COMMITMENT, draw, contributor, secret)


def seed_of(draw: str, root: str, secrets: Sequence[str]) -> str:
    """Return the seed (hex): nobody knew it as long as one secret, or the root, was not known to them."""
    return digest(SEED, draw, root, *secrets)


def ticket(seed: str, candidate: str) -> str:
    """Return a candidate's ticket (hex); the smallest is drawn first."""
    return digest(TICKET, seed, candidate)


def hold(candidates: Sequence[Candidate], terms: Terms, seed: str) -> Drawn:
    """Hold the draw. Raises Impossible where the candidates cannot fill the seats, whatever the seed."""
    if (shortage := why_impossible(candidates, terms)) is not None:
        raise Impossible(shortage)
    order = sorted(candidates, key=lambda one: (ticket(seed, one.id), one.id))
    left, units = dict(terms.seats), Counter[str](dict(terms.held))
    members: dict[str, list[str]] = {category: [] for category in terms.seats}
    alternates: dict[str, list[str]] = {category: [] for category in terms.seats}
    for category in sorted(terms.seats):
        waiting = [one for one in order if one.category == category]
        for number, one in enumerate(waiting):
            if left[category] and _fits(one, waiting[number + 1 :], order, terms, left, units):
                members[category].append(one.id)
                left[category] -= 1
                units[one.unit] += 1
            else:
                alternates[category].append(one.id)
    return Drawn(_tuples(members), _tuples(alternates))


def _fits(
    one: Candidate, after: Sequence[Candidate], order: Sequence[Candidate], terms: Terms, left: Mapping[str, int],
    units: Mapping[str, int],
) -> bool:  # fmt: skip
    """Say whether the seats that remain can still be filled once `one` is drawn."""
    before = Terms(left, terms.per_unit, units)
    if one.unit and before.room(one.unit) == 0:
        return False
    seats = {category: number - (category == one.category) for category, number in left.items()}
    taken = Counter(units)
    taken[one.unit] += 1
    later = [each for each in order if each.category != one.category and left.get(each.category)]
    return why_impossible([*after, *later], Terms(seats, terms.per_unit, taken)) is None


def why_impossible(candidates: Sequence[Candidate], terms: Terms) -> Shortage | None:
    """Say which category cannot be filled, and whether for want of people or of units; None where all can."""
    people = Counter(one.category for one in candidates)
    for category, needed in sorted(terms.seats.items()):
        if people[category] < needed:
            return Shortage(category, needed, people[category])
    filling = _Filling(candidates, terms)
    for category, needed in sorted(terms.seats.items()):
        for filled in range(needed):
            if not filling.one_more(category, set()):
                return Shortage(category, needed, filled, by_unit=True)
    return None


class _Filling:
    """How many seats of each category are filled from each unit: a flow from categories to units."""

    def __init__(self, candidates: Sequence[Candidate], terms: Terms) -> None:
        self._people = Counter((one.category, one.unit) for one in candidates)
        self._room = {unit: terms.room(unit) for _, unit in self._people}
        self._filled: Counter[tuple[str, str]] = Counter()
        self._full: Counter[str] = Counter()

    def one_more(self, category: str, seen: set[str]) -> bool:
        """Fill one more seat of a category; others may move to other units for it, and none is given up."""
        for (of, unit), people in self._people.items():
            if of != category or unit in seen or self._filled[of, unit] >= people:
                continue
            seen.add(unit)
            if self._full[unit] < self._room[unit] or self._moved_out(unit, seen):
                self._filled[of, unit] += 1
                self._full[unit] += 1
                return True
        return False

    def _moved_out(self, unit: str, seen: set[str]) -> bool:
        for (of, there), number in list(self._filled.items()):
            if there == unit and number and self.one_more(of, seen):
                self._filled[of, unit] -= 1
                self._full[unit] -= 1
                return True
        return False


def _tuples(lists: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    return {category: tuple(ids) for category, ids in lists.items()}
