"""Writes: who is on the roster from which committees are formed."""

from collections.abc import Sequence

from sqlmodel import col, select

from panel.accounts import actions as accounts
from panel.accounts import queries as people
from panel.accounts.models import Person
from panel.committees import queries, rules
from panel.committees.events import RosterMemberAdded, RosterMemberRemoved
from panel.committees.models import Category, RosterMember
from panel.committees.roster import Line
from panel.core.errors import NotFound, require
from panel.core.security import Actor
from panel.core.text import nfc, one_line
from panel.work import Work


def import_roster(work: Work, actor: Actor | None, *, lines: Sequence[Line]) -> list[Person]:
    """Take a list whole: an account for whoever has none, and a place on the roster. Returns the new accounts."""
    require(rules.why_not_import([problem for _, problem in queries.checked(work.db, lines)]))
    new = []
    for line in lines:
        person = people.person_by_login(work.db, nfc(line.login))
        if person is None:
            person = accounts.invite_person(work, actor, name=line.name, login=line.login, mail=line.mail)
            new.append(person)
        _put(work, actor, person, Category(line.category), one_line(line.unit)[:120])
    return new


def _put(work: Work, actor: Actor | None, person: Person, category: Category, unit: str) -> None:
    """Put somebody on the roster; whoever is on it as something else is that no longer."""
    there = select(RosterMember).where(RosterMember.person_id == person.id, col(RosterMember.ended_at).is_(None))
    before = work.db.exec(there).first()
    if before is not None and (before.category, before.unit) == (category, unit):
        return
    if before is not None:
        before.ended_at = work.now
    work.add(RosterMember(person_id=person.id, category=category, unit=unit))
    by = actor.person_id if actor else None
    work.record(RosterMemberAdded(person_id=person.id, category=category.value, unit=unit, actor_id=by))


def remove_from_roster(work: Work, actor: Actor | None, *, member_id: str) -> RosterMember:
    """Take somebody off the roster; the seats that they hold stay, and so does the account."""
    member = work.db.get(RosterMember, member_id)
    if member is None or member.ended_at is not None:
        raise NotFound
    member.ended_at = work.now
    by = actor.person_id if actor else None
    work.record(RosterMemberRemoved(person_id=member.person_id, category=member.category.value, actor_id=by))
    return member
