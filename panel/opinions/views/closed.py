"""A closed round: how the ratings are spread, by whom, who moved since the round before, what they rest on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from panel.cases import queries as cases
from panel.committees import queries as committees
from panel.committees.models import Seat
from panel.core import geometry, words
from panel.core.errors import Forbidden, Label, require
from panel.core.pages import Reading, page
from panel.opinions import agreement, queries, rules
from panel.opinions.models import Opinion, Round
from panel.rulebook.rules import Consideration

LABELS = {
    agreement.Label.NONE: Label("No ratings"),
    agreement.Label.TWO_CAMPS: Label("Two camps"),
    agreement.Label.LONE: Label("Lone reservation"),
    agreement.Label.AGREED: Label("Agreed"),
    agreement.Label.LEANING: Label("Leaning"),
    agreement.Label.SCATTERED: Label("Scattered"),
}
DEFINITIONS = {
    agreement.Label.TWO_CAMPS: Label(
        "at least two members on each side of the midpoint, and at most a quarter of all on it"
    ),
    agreement.Label.LONE: Label("exactly one member on one side, at least 2 points from the median of the others"),
    agreement.Label.AGREED: Label("all within two neighbouring points"),
    agreement.Label.LEANING: Label("A of 0.5 or more"),
    agreement.Label.SCATTERED: Label("everything else"),
}
"""In the order in which they are tested; the first that fits is the label."""
RAMS = {
    agreement.Ram.AGREEMENT: Label("agreement"),
    agreement.Ram.DISAGREEMENT: Label("disagreement"),
    agreement.Ram.NEITHER: Label("neither"),
    agreement.Ram.NOT_APPLICABLE: Label("not applicable"),
}
SPLITS = {
    agreement.Split.BETWEEN: Label("follows seat categories"),
    agreement.Split.PARTLY: Label("partly follows seat categories"),
    agreement.Split.INSIDE: Label("runs inside seat categories"),
    agreement.Split.EQUAL: Label("none: no split"),
    agreement.Split.ONE_GROUP: Label("none: one category only"),
    agreement.Split.SINGLES: Label("none: one member in each category"),
}


@dataclass(frozen=True)
class Panel:
    """The opinions of a round, and whose they are."""

    opinions: Sequence[Opinion]
    seats: dict[str, Seat]
    names: dict[str, str]

    def name(self, seat_id: str) -> str:
        """Return a member's name."""
        return self.names[self.seats[seat_id].person_id]

    def ratings(self, key: str) -> list[int]:
        """Return the ratings of one consideration; members who cannot judge are left out."""
        return [value for value in by_seat(self.opinions, key).values() if value is not None]

    def groups(self, key: str) -> dict[str, list[int]]:
        """Return the ratings of one consideration by seat category, in the order of the categories."""
        found: dict[str, list[int]] = {code: [] for code in words.CATEGORIES if code in self._categories()}
        for seat_id, value in by_seat(self.opinions, key).items():
            if value is not None:
                found[self.seats[seat_id].category.value].append(value)
        return found

    def _categories(self) -> set[str]:
        return {self.seats[opinion.seat_id].category.value for opinion in self.opinions}


def by_seat(opinions: Sequence[Opinion], key: str) -> dict[str, int | None]:
    """Return each member's rating of one consideration; None is "cannot judge"."""
    return {opinion.seat_id: opinion.ratings[key].get("value") for opinion in opinions}


@page("opinions.read_round", of=queries.round_)
def show(reading: Reading, round_: Round) -> Response:
    """Show a closed round to the panel: labels, measures, pictures, and every opinion in full."""
    require(rules.why_not_read(round_), Forbidden)
    items = queries.considerations(reading.db, round_).items
    seats = {seat.id: seat for seat in committees.all_seats(reading.db, round_.case_id)}
    names = cases.people_names(reading.db, [seat.person_id for seat in seats.values()])
    panel = Panel(queries.opinions(reading.db, round_.id), seats, names)
    return reading.render(
        "opinions/round.html",
        case=cases.case(reading.db, round_.case_id),
        round=round_,
        rounds=queries.rounds(reading.db, round_.case_id),
        items=items,
        opinions=[(opinion, seats[opinion.seat_id], panel.name(opinion.seat_id)) for opinion in panel.opinions],
        measures=[_measures(item, panel) for item in items],
        labels=LABELS,
        definitions=DEFINITIONS,
        rams=RAMS,
        splits=SPLITS,
        sure=rules.SURE,
        recommendations=Counter(opinion.recommendation for opinion in panel.opinions),
        stance=geometry.stance([_stance(reading, item, panel) for item in items]),
        heat=_heat(reading, items, panel),
        moved=_moved(reading, round_, items, panel),
        cited=_cited(reading, round_, panel),
    )


def _measures(item: Consideration, panel: Panel) -> dict[str, Any]:
    ratings = panel.ratings(item.key)
    counts = agreement.counts_of(ratings)
    return {
        "item": item,
        "counts": counts,
        "cannot_judge": len(panel.opinions) - len(ratings),
        "label": agreement.label(ratings),
        "agreement": agreement.agreement(counts),
        "consensus": agreement.consensus(counts),
        "ram": agreement.ram(ratings),
        "index": agreement.disagreement_index(ratings),
        "between": agreement.between(panel.groups(item.key)),
    }


def _stance(reading: Reading, item: Consideration, panel: Panel) -> geometry.Ratings:
    ratings = panel.ratings(item.key)
    one, two, three, four, five = agreement.counts_of(ratings)
    return geometry.Ratings(
        item.title[reading.locale],
        low=item.other_pole[reading.locale],
        high=item.tolerant_pole[reading.locale],
        counts=(one, two, three, four, five),
        cannot_judge=len(panel.opinions) - len(ratings),
    )


def _heat(reading: Reading, items: Sequence[Consideration], panel: Panel) -> geometry.Grid:
    """Return the heat map consideration by category; the panel sees every cell, others never see this page."""
    groups = {item.key: panel.groups(item.key) for item in items}
    columns = next(iter(groups.values()), {})
    return geometry.heat(
        rows=[item.title[reading.locale] for item in items],
        columns=[reading.gettext(words.CATEGORIES[code]) for code in columns],
        cells=[[_mean(ratings) for ratings in groups[item.key].values()] for item in items],
    )


def _mean(ratings: list[int]) -> geometry.Mean | None:
    return geometry.Mean(sum(ratings) / len(ratings), len(ratings)) if ratings else None


def _moved(reading: Reading, round_: Round, items: Sequence[Consideration], panel: Panel) -> dict[str, Any] | None:
    """Return who moved since the round before, and how many; None where nobody gave an opinion in both."""
    before = queries.before(reading.db, round_)
    earlier = {opinion.seat_id: opinion for opinion in queries.opinions(reading.db, before.id)} if before else {}
    both = [(earlier[later.seat_id], later) for later in panel.opinions if later.seat_id in earlier]
    if before is None or not both:
        return None
    moves = {
        item.key: agreement.moves(by_seat(list(earlier.values()), item.key), by_seat(panel.opinions, item.key))
        for item in items
    }
    picture = geometry.movement(
        rows=[f"{panel.seats[later.seat_id].number} {panel.name(later.seat_id)}" for _, later in both],
        columns=[item.title[reading.locale] for item in items],
        cells=[[_pair(moves[item.key].get(later.seat_id)) for item in items] for _, later in both],
    )
    return {
        "before": before,
        "members": len(both),
        "others": len(earlier.keys() | {opinion.seat_id for opinion in panel.opinions}) - len(both),
        "picture": picture,
        "rows": [(item, agreement.stability(moves[item.key].values())) for item in items],
        "recommendations": [
            (panel.seats[new.seat_id], panel.name(new.seat_id), old.recommendation, new.recommendation)
            for old, new in both
            if old.recommendation != new.recommendation
        ],
    }


def _pair(move: agreement.Move | None) -> geometry.Pair | None:
    return (move.before, move.after) if move else None


def _cited(reading: Reading, round_: Round, panel: Panel) -> dict[str, Any]:
    """Return which opinions cite which exhibit, and the exhibits that nobody cites."""
    counts = {opinion.seat_id: _citations(opinion) for opinion in panel.opinions}
    exhibits = cases.exhibits(reading.db, round_.case_id)
    used = [exhibit for exhibit in exhibits if any(exhibit.number in cited for cited in counts.values())]
    picture = geometry.citations(
        rows=[f"{exhibit.number}. {exhibit.title}" for exhibit in used],
        columns=[str(panel.seats[seat_id].number) for seat_id in counts],
        cells=[[cited[exhibit.number] for cited in counts.values()] for exhibit in used],
    )
    return {"picture": picture, "unused": [exhibit.number for exhibit in exhibits if exhibit not in used]}


def _citations(opinion: Opinion) -> Counter[int]:
    return Counter(number for rating in opinion.ratings.values() for number in set(rating.get("exhibits", ())))


routes = [Route("/rounds/{id}", show, name="opinions.round")]
