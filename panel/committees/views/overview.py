"""Which committees there are, as far as administration may know: sizes and dates, never a case's words."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import Route

from panel.accounts.models import Person
from panel.cases import queries as cases
from panel.cases.models import Case
from panel.committees import queries
from panel.committees.models import Committee
from panel.core import hooks, security
from panel.core.pages import Reading, page


@dataclass(frozen=True)
class Formed:
    """A committee. `seats` by category as it was formed; `phase` of its hearing: none, scheduled, ended, or under_way.

    `case` and `chair` are there for whoever has a role in the case, and for nobody else.
    """

    number: int
    committee: Committee
    fictional: bool
    seats: Mapping[str, int]
    alternates: int
    phase: str
    case: Case | None
    chair: str


@page("committees.see_committees")
def show(reading: Reading) -> Response:
    """Every committee, the newest first."""
    every = [_formed(reading, number, each) for number, each in enumerate(queries.committees(reading.db), start=1)]
    return reading.render("committees/overview.html", committees=every[::-1])


def _formed(reading: Reading, number: int, committee: Committee) -> Formed:
    db, case = reading.db, cases.case(reading.db, committee.case_id)
    assert case is not None, "a committee is of a case"
    every, knows = queries.all_seats(db, case.id), security.may(reading.actor, "committees.read", committee)
    regular = [seat for seat in every if not seat.alternate and seat.replaces is None]
    chair = queries.chair(db, case.id) if knows else None
    return Formed(
        number, committee, case.fictional, Counter(seat.category.value for seat in regular), len(every) - len(regular),
        _phase(reading, case.id), case if knows else None,
        db.get_one(Person, chair.person_id).name if chair else "",
    )  # fmt: skip


def _phase(reading: Reading, case_id: str) -> str:
    phases = [hearing.phase for hearing in hooks.hearings_of_case(reading.db, case_id)]
    if any(phase not in (queries.SCHEDULED, queries.ENDED) for phase in phases):
        return "under_way"
    return queries.SCHEDULED if queries.SCHEDULED in phases else queries.ENDED if phases else "none"


routes = [Route("/administration/committees", show, name="committees.overview")]
