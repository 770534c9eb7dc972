"""What every act in the hearing asks first: the hearing, locked; the actor's role now; whether they are in the room."""

from typing import Any

from panel.cases import queries as cases
from panel.committees import queries as committees
from panel.core import security
from panel.core.errors import NotFound, Refused, require
from panel.core.security import Actor, Role
from panel.hearings import queries, rules
from panel.hearings.models import Hearing
from panel.work import Work


def enter(work: Work, actor: Actor, hearing_id: str, action: str) -> Hearing:
    """Return the hearing with its row locked, if the actor may do this now: the standing is read again in the work."""
    if queries.hearing(work.db, hearing_id) is None:
        raise NotFound
    hearing = queries.for_update(work.db, hearing_id)
    security.authorize(now_in(work, actor), action, hearing)
    return hearing


def now_in(work: Work, actor: Actor) -> Actor:
    """Return the actor with the standings that hold at this moment."""
    return Actor(actor.person_id, actor.name, standings=security.standings_of(work.db, actor.person_id))


def role(work: Work, actor: Actor, hearing: Hearing) -> Role | None:
    """Return the actor's role in the hearing's case now."""
    return now_in(work, actor).role_in(hearing.case_id)


def serve(work: Work, actor: Actor, hearing: Hearing) -> None:
    """Refuse who is outside the doors; whoever presides or writes need not be noted as present."""
    require(rules.why_not_take_part(hearing.phase, role(work, actor, hearing)))


def take_part(work: Work, actor: Actor, hearing: Hearing) -> Role:
    """Return the actor's role, if they are in the room: outsiders of a closed session are refused."""
    held = role(work, actor, hearing)
    present = actor.person_id in queries.people_here(work.db, hearing)
    require(rules.why_not_take_part(hearing.phase, held, present=present))
    assert held is not None
    return held


def where(hearing: Hearing, actor: Actor | None) -> dict[str, Any]:
    """Return the fields that every event of the hearing carries."""
    return {
        "case_id": hearing.case_id,
        "hearing_id": hearing.id,
        "closed": hearing.closed,
        "actor_id": actor.person_id if actor else None,
    }


def belonging(work: Work, hearing: Hearing, person_id: str) -> str:
    """Return the person's id, if they sit or have a duty in the hearing's case."""
    seated = {s.person_id for s in committees.seats(work.db, hearing.case_id)}
    assigned = {a.person_id for a in cases.assigned(work.db, hearing.case_id, *rules.ON_DUTY)}
    if person_id not in seated | assigned:
        raise NotFound
    return person_id


def in_room(work: Work, hearing: Hearing, person_id: str) -> str:
    """Return the person's id, if they belong to the case and are in the room now."""
    if belonging(work, hearing, person_id) not in queries.people_here(work.db, hearing):
        raise Refused(rules.NOT_HERE)
    return person_id
