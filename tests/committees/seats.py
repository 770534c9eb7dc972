"""What the tests about seats share: doing it, and asking how it stands."""

from typing import Any

from panel.committees import actions, queries
from panel.committees.models import Attendance, Category, InterestDeclaration, Recusal
from panel.committees.rules import Member
from tests.cases.dossier import empty
from tests.factories import World
from tests.people import SEATED

GROUND = {"ground": "interest", "statement": "配偶在施工企业任职。"}


def declare(world: World, who: str, *, seat: str = "", **what: Any) -> InterestDeclaration:
    what = {"conflict": False, **what}
    return world.act(actions.declare, who, seat_id=world.seats[seat or who], **what)


def recuse(world: World, who: str, seat: str, **what: Any) -> Recusal:
    return world.act(actions.recuse, who, seat_id=world.seats[seat], **{**GROUND, **what})


def arrive(world: World, who: str, seat: str = "") -> Attendance:
    return world.act(actions.arrive, who, hearing_id=world.hearing_id, seat_id=world.seats[seat] if seat else None)


def leave(world: World, who: str, seat: str = "") -> Attendance:
    return world.act(actions.leave, who, hearing_id=world.hearing_id, seat_id=world.seats[seat] if seat else None)


def present(world: World) -> set[str]:
    with world.db() as db:
        here = queries.present(db, world.hearing_id)
    return {key for key, id in world.seats.items() if id in here}


def due(world: World) -> list[str]:
    by_id = {id: key for key, id in world.seats.items()}
    with world.db() as db:
        return [by_id[seat.id] for seat in queries.seats(db, world.case_id)]


def states(world: World) -> dict[str, str]:
    by_id = {id: key for key, id in world.seats.items()}
    with world.db() as db:
        return {by_id[p.seat.id]: p.state for p in queries.places(db, world.case_id, world.hearing_id)}


def form(world: World, *members: Member) -> str:
    """Form the committee of a second case."""
    case_id = empty(world)
    world.work(lambda work: actions.form_committee(work, None, case_id=case_id, name="第二委员会", members=members))
    return case_id


def nine(world: World) -> list[Member]:
    return [Member(world.people[s.key], s.category or Category.LEGAL, "单位", chair=s.key == "chair") for s in SEATED]
