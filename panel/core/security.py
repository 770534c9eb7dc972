"""Who may do what: roles, audiences, and the one function that every route asks.

A person's audience follows from role and seat on the server, never from the client.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Session

from panel.core.errors import FactorNeeded, Forbidden, NotFound, Reason, Refused, SignInNeeded

DOOR_KEY = "x-rehearsal"
"""The header in which simulated members bring the key of a rehearsal's door."""


class Role(StrEnum):
    """What a person is in one case (domain: roles)."""

    CHAIR = "chair"
    MEMBER = "member"
    SECRETARY = "secretary"
    RECORDER = "recorder"
    HANDLER = "handler"
    OFFICIAL = "official"
    HELPER = "helper"
    AUTHORITY = "authority"
    OBSERVER = "observer"
    PROJECTOR = "projector"
    RECUSED = "recused"


class Office(StrEnum):
    """What a person is in the installation, whatever the case (domain 8; described in rulepacks/offices.toml)."""

    SYSTEM = "system_administrator"
    SECURITY = "security_administrator"
    AUDIT = "audit_administrator"
    SECRETARY = "secretary"


class Audience(StrEnum):
    """Groups of readers for whom a live page is drawn alike."""

    CHAIR = "chair"
    PANEL = "panel"
    HANDLER = "handler"
    PARTY = "party"
    AUTHORITY = "authority"
    OBSERVER = "observer"
    PUBLIC = "public"
    PROJECTOR = "projector"


AUDIENCE_OF: Mapping[Role, Audience] = {
    Role.CHAIR: Audience.CHAIR,
    Role.SECRETARY: Audience.CHAIR,
    Role.RECORDER: Audience.CHAIR,
    Role.MEMBER: Audience.PANEL,
    Role.HANDLER: Audience.HANDLER,
    Role.OFFICIAL: Audience.PARTY,
    Role.HELPER: Audience.PARTY,
    Role.AUTHORITY: Audience.AUTHORITY,
    Role.OBSERVER: Audience.OBSERVER,
    Role.PROJECTOR: Audience.PROJECTOR,
}
INSIDE = frozenset({Audience.CHAIR, Audience.PANEL})
"""The audiences that stay in the room during closed deliberation."""

EVERY_ROLE = frozenset(Role) - {Role.RECUSED}


@dataclass(frozen=True)
class Standing:
    """What a person is in one case; `seat_id` for members and the chair, `closed` says why its pages are closed."""

    case_id: str
    role: Role
    seat_id: str | None = None
    closed: Reason | None = None


@dataclass(frozen=True)
class Actor:
    """The person behind a request, with their standing in every case; loaded afresh for each request.

    `proved_until`: until when they need not prove anew who they are; None where that is never asked of them.
    `proves`: whether the installation asks for it before every grave act.
    """

    person_id: str
    name: str
    session: str = ""
    locale: str = ""
    large: bool = False
    rehearsing: bool = False
    lacks_factor: bool = False
    proved_until: datetime | None = None
    proves: bool = False
    standings: Mapping[str, Standing] = field(default_factory=dict)
    offices: frozenset[Office] = frozenset()

    def standing_in(self, case_id: str) -> Standing | None:
        """Return the standing in a case, or None."""
        return self.standings.get(case_id)

    def role_in(self, case_id: str) -> Role | None:
        """Return the role in a case, or None."""
        standing = self.standings.get(case_id)
        return standing.role if standing else None

    def seat_in(self, case_id: str) -> str | None:
        """Return the seat's id in a case, or None."""
        standing = self.standings.get(case_id)
        return standing.seat_id if standing else None

    def audience_in(self, case_id: str) -> Audience | None:
        """Return the audience in a case; None for outsiders and the recused."""
        role = self.role_in(case_id)
        return AUDIENCE_OF.get(role) if role else None


@dataclass(frozen=True)
class Grant:
    """Who holds a permission: anyone, everybody signed in, these roles in the object's case, or these offices."""

    roles: frozenset[Role] = frozenset()
    offices: frozenset[Office] = frozenset()
    anyone: bool = False
    signed_in: bool = False


ANYONE = Grant(anyone=True)
SIGNED_IN = Grant(signed_in=True)


def roles(*held_by: Role) -> Grant:
    """Return a grant to these roles in the object's case."""
    return Grant(roles=frozenset(held_by))


def offices(*held_by: Office) -> Grant:
    """Return a grant to the holders of these offices, whatever the case."""
    return Grant(offices=frozenset(held_by))


PERMISSIONS: dict[str, Grant] = {}
"""Filled by app.py from each area's `rules.PERMISSIONS`; nothing is allowed that is not in it."""

WITHOUT_FACTOR: set[str] = set()
"""Filled by app.py: what somebody may do who must set up a second factor first."""

GRAVE: dict[str, Callable[[Any], bool]] = {}
"""Filled by app.py from each area's `rules.GRAVE`: acts before which somebody proves anew who they are, where the
installation asks for it; each says of which things.
"""

ALWAYS_PROVED: set[str] = set()
"""Filled by app.py: grave acts before which they prove it even where the installation does not ask for it."""

STANDINGS: list[Callable[[Session, str], Iterable[Standing]]] = []
"""Filled by app.py: where a person's standings come from (assignments, seats)."""


def standings_of(db: Session, person_id: str) -> dict[str, Standing]:
    """Return a person's standing per case; a seat goes before an assignment."""
    return {s.case_id: s for source in STANDINGS for s in source(db, person_id)}


def authorize(actor: Actor | None, action: str, thing: Any = None) -> None:
    """Let pass or raise: SignInNeeded for strangers, NotFound for outsiders of the case, Forbidden for those in it.

    Unknown actions are refused. An error in here refuses too: nothing is caught.
    """
    grant = PERMISSIONS.get(action)
    if grant is None:
        raise Forbidden(Reason("You may not do this."))
    if grant.anyone:
        return
    if actor is None:
        raise SignInNeeded
    if actor.lacks_factor and action not in WITHOUT_FACTOR:
        raise FactorNeeded
    if grant.signed_in or grant.offices & actor.offices:
        return
    if grant.offices and not grant.roles:
        raise Forbidden(Reason("Your duties do not include this."))
    role = actor.role_in(thing.case_id) if thing is not None else None
    if role is None:
        raise NotFound
    if role not in grant.roles:
        raise Forbidden(_why_not(actor.standings[thing.case_id]))


def must_prove(actor: Actor | None, action: str, thing: Any, now: datetime) -> bool:
    """Say whether somebody must prove anew who they are before this act: it is grave, and their last proof is old."""
    if actor is None or actor.proved_until is None or now < actor.proved_until:
        return False
    return (actor.proves or action in ALWAYS_PROVED) and action in GRAVE and GRAVE[action](thing)


def always(_thing: Any) -> bool:
    """Say that an act is grave whatever it is done to."""
    return True


def admit(actor: Actor | None, action: str) -> None:
    """Turn strangers away before anything is loaded, so that the answer says nothing about what exists."""
    grant = PERMISSIONS.get(action)
    if actor is None and not (grant and grant.anyone):
        raise SignInNeeded


def may(actor: Actor | None, action: str, thing: Any = None) -> bool:
    """Say whether `authorize` would let pass; for drawing buttons."""
    try:
        authorize(actor, action, thing)
    except Refused:
        return False
    return True


def _why_not(standing: Standing) -> Reason:
    if standing.closed is not None:
        return standing.closed
    if standing.role is Role.RECUSED:
        return Reason("You are recused from this case. Its pages are closed to you.")
    return Reason("Your role in this case does not allow this.")
