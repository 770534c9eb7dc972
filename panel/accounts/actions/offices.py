"""Writes: who holds which office, and what the installation calls itself."""

from typing import Any

from panel.accounts import queries, rules
from panel.accounts.actions import people, sessions
from panel.accounts.events import InstallationDescribed, OfficeEnded, OfficeGiven
from panel.accounts.models import Appointment, Installation, Person
from panel.core import hooks, security
from panel.core.errors import Forbidden, Gone, NotFound, Reason, require
from panel.core.security import Actor, Office
from panel.work import Work


def give_office(work: Work, actor: Actor | None, *, person_id: str, office: Office) -> Appointment:
    """Give somebody an office. Without an actor it is the command line, or the set-up, that gives it."""
    _may_give(work, actor)
    person = work.db.get(Person, person_id)
    if person is None:
        raise NotFound
    part, held = bool(security.standings_of(work.db, person_id)), queries.offices_of(work.db, person_id)
    disabled = person.disabled_at is not None
    require(rules.why_not_give(queries.office_rules(), office, held, part_in_cases=part, disabled=disabled))
    by = actor.person_id if actor else None
    given = work.add(Appointment(person_id=person_id, office=office, given_by=by, created_at=work.now))
    work.record(OfficeGiven(person_id=person_id, office=office.value, actor_id=by))
    return given


def add_administrator(
    work: Work, actor: Actor | None, *, name: str, login: str, mail: str, password_hash: str, locale: str
) -> Person:
    """Make the first administrator; raises Gone where there is one, for a set-up is done once."""
    if queries.holders(work.db, Office.SYSTEM):
        raise Gone(Reason("This installation is set up. Please sign in."))
    person = people.add_person(
        work, None, name=name, login=login, mail=mail, password_hash=password_hash, locale=locale
    )
    give_office(work, None, person_id=person.id, office=Office.SYSTEM)
    return person


def end_office(work: Work, actor: Actor | None, *, appointment_id: str) -> Appointment:
    """End an appointment: its holder's sessions and sockets end with it, on every process."""
    _may_give(work, actor)
    given = work.db.get(Appointment, appointment_id)
    if given is None or given.ended_at is not None:
        raise NotFound
    require(rules.why_not_end_office(given.office, len(queries.holders(work.db, given.office))))
    given.ended_at, given.ended_by = work.now, actor.person_id if actor else None
    work.record(OfficeEnded(person_id=given.person_id, office=given.office.value, actor_id=given.ended_by))
    sessions.end(work, sessions.of(work, given.person_id))
    work.after_commit(lambda: hooks.end_sockets(given.person_id))
    return given


def _may_give(work: Work, actor: Actor | None) -> None:
    if actor is not None:
        named = bool(queries.holders(work.db, queries.office_rules().giver))
        held = queries.offices_of(work.db, actor.person_id)
        require(rules.why_not_giver(queries.office_rules(), held, named=named), Forbidden)


def describe(
    work: Work, actor: Actor | None, *, organisation: str, sponsor: str, icp: str, police_icp: str, contact: str,
    locale: str,
) -> Installation:  # fmt: skip
    """Say what the header and the footer show, and in which language the installation speaks to strangers."""
    said: dict[str, Any] = {
        "organisation": organisation, "sponsor": sponsor, "icp": icp, "police_icp": police_icp, "contact": contact,
        "locale": locale,
    }  # fmt: skip
    row = work.db.get(Installation, 1) or work.add(Installation(id=1))
    for name, value in said.items():
        setattr(row, name, value)
    work.record(InstallationDescribed(**said, actor_id=actor.person_id if actor else None))
    return row
