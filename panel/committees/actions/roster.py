"""Writes: who is on the roster from which committees are formed, and what it says of them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from panel.accounts import actions as accounts
from panel.accounts import queries as people
from panel.accounts.models import Person
from panel.committees import queries, rules
from panel.committees.events import RosterMemberAdded, RosterMemberChanged, RosterMemberRemoved
from panel.committees.models import Category, RosterMember
from panel.committees.roster import Line
from panel.core.errors import Invalid, NotFound, require
from panel.core.security import Actor
from panel.core.text import nfc, one_line
from panel.record.events import Event
from panel.work import Work


def import_roster(work: Work, actor: Actor | None, *, lines: Sequence[Line]) -> list[Person]:
    """Take a list whole: an account for whoever has none, and a place on the roster. Returns the new accounts."""
    require(rules.why_not_import([each.problem for each in queries.checked(work.db, lines)]))
    known = people.people_by_login(work.db, {nfc(line.login) for line in lines})
    there = {person.id: member for member, person in queries.roster(work.db)}
    strangers = [(line.name, line.login, line.mail) for line in lines if nfc(line.login) not in known]
    new = accounts.invite_people(work, actor, people=strangers)
    known |= {person.login: person for person in new}
    told: list[Event] = []
    for line in lines:
        person = known[nfc(line.login)]
        told += _put(work, actor, person.id, there.get(person.id), rules.asked(line))
    work.record_all(told)
    return new


def _put(
    work: Work, actor: Actor | None, person_id: str, before: RosterMember | None, said: Mapping[str, Any]
) -> list[Event]:
    """Put somebody on the roster, or change what it says; whoever is on it in another category is that no longer.

    Returns what is to be recorded of it.
    """
    former, by = rules.place_of(before), actor.person_id if actor else None
    place = {**former, **said}
    changed = [column for column in rules.PLACE if place[column] != former[column]]
    if before is not None and not changed:
        return []
    if before is not None and before.category == place["category"]:
        for column in changed:
            setattr(before, column, place[column])
        return [RosterMemberChanged(person_id=person_id, **_told(place), changed=changed, actor_id=by)]
    if before is not None:
        before.ended_at = work.now
    work.add(RosterMember(person_id=person_id, **place))
    return [RosterMemberAdded(person_id=person_id, **_told(place), actor_id=by)]


def _told(place: Mapping[str, Any]) -> dict[str, Any]:
    """Return a place as an event tells it: days as texts."""
    days = {name: day.isoformat() for name, day in place.items() if isinstance(day, date)}
    return {**place, **days, "category": place["category"].value}


def change_roster_member(
    work: Work, actor: Actor | None, *, member_id: str, category: Category, unit: str, expertise: str,
    term_from: date | None, term_until: date | None, away_until: date | None, away_why: str,
) -> None:  # fmt: skip
    """Change what the roster says of somebody; in another category they have a new place on it."""
    member = _there(work, member_id)
    place: dict[str, Any] = {
        "category": category, "unit": one_line(unit), "expertise": one_line(expertise), "term_from": term_from,
        "term_until": term_until, "away_until": away_until, "away_why": one_line(away_why),
    }  # fmt: skip
    if (wrong := rules.why_not_place(**place)) is not None:
        raise Invalid(dict([wrong]))
    work.record_all(_put(work, actor, member.person_id, member, place))


def remove_from_roster(work: Work, actor: Actor | None, *, member_id: str) -> RosterMember:
    """Take somebody off the roster; the seats that they hold stay, and so does the account."""
    member = _there(work, member_id)
    member.ended_at = work.now
    by = actor.person_id if actor else None
    work.record(RosterMemberRemoved(person_id=member.person_id, category=member.category.value, actor_id=by))
    return member


def _there(work: Work, member_id: str) -> RosterMember:
    member = work.db.get(RosterMember, member_id)
    if member is None or member.ended_at is not None:
        raise NotFound
    return member
