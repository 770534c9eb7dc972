"""Writes: people and what they choose for themselves."""

from collections.abc import Sequence
from functools import partial

from panel.accounts import passwords, queries, rules
from panel.accounts.actions import sessions
from panel.accounts.actions.news import News, tell
from panel.accounts.events import PasswordChanged, PersonAdded, PersonDisabled, PersonEnabled
from panel.accounts.models import Person
from panel.accounts.strength import why_not_password
from panel.core import hooks, text
from panel.core.errors import NotFound, Reason, Refused, require
from panel.core.security import Actor, Office
from panel.work import Work


def add_person(
    work: Work, actor: Actor | None, *, name: str, login: str, password: str = "", password_hash: str = "",
    locale: str = "", fictional: bool = False, mail: str = "",
) -> Person:  # fmt: skip
    """Make an account. A hash may be given instead of the password, where one password serves many (the demo)."""
    name, login = text.one_line(name), text.nfc(login)
    require(rules.why_not_name(name))
    require(rules.why_not_login(login))
    require(rules.why_not_mail(mail))
    require(None if password_hash else why_not_password(password, name, login))
    if queries.person_by_login(work.db, login):
        raise Refused(Reason("Somebody else signs in with this name already."))
    kept = password_hash or passwords.hashed(password)
    person = work.add(Person(name=name, login=login, password_hash=kept, locale=locale, fictional=fictional, mail=mail))
    work.record(PersonAdded(person_id=person.id, name=name, actor_id=actor.person_id if actor else None))
    return person


def invite_people(work: Work, actor: Actor | None, *, people: Sequence[tuple[str, str, str]]) -> list[Person]:
    """Make many accounts at once (name, name to sign in with, mail address), as `invite_person` makes one."""
    made = []
    for name, login, mail in people:
        require(rules.why_not_name(text.one_line(name)))
        require(rules.why_not_login(text.nfc(login)))
        require(rules.why_not_mail(mail))
        kept = text.one_line(name), text.nfc(login)
        made.append(Person(name=kept[0], login=kept[1], mail=mail, password_hash=rules.NO_PASSWORD))
    if queries.people_by_login(work.db, {person.login for person in made}):
        raise Refused(Reason("Somebody else signs in with this name already."))
    by = actor.person_id if actor else None
    for person in made:
        work.add(person)
    work.record_all([PersonAdded(person_id=person.id, name=person.name, actor_id=by) for person in made])
    return made


def change_password(work: Work, actor: Actor, *, password_hash: str, reference: str, device: str, hours: int) -> None:
    """Change one's password: every session of the account ends, and this browser gets a new one."""
    work.db.get_one(Person, actor.person_id).password_hash = password_hash
    sessions.end(work, sessions.of(work, actor.person_id))
    work.record(PasswordChanged(person_id=actor.person_id, actor_id=actor.person_id))
    tell(work, actor.person_id, News.PASSWORD, more=device)
    sessions.sign_in(work, None, person_id=actor.person_id, reference=reference, device=device, hours=hours)


def choose_locale(work: Work, actor: Actor, *, locale: str) -> None:
    """Keep the language that somebody reads in."""
    work.db.get_one(Person, actor.person_id).locale = locale
    work.after_commit(queries.invalidate)


def choose_display(work: Work, actor: Actor, *, large: bool) -> None:
    """Keep whether somebody reads in large letters."""
    work.db.get_one(Person, actor.person_id).large = large
    work.after_commit(queries.invalidate)


def disable(work: Work, actor: Actor | None, *, person_id: str) -> Person:
    """Close an account: nobody signs in with it any more, and every session and socket of it ends."""
    person = _person(work, person_id)
    administers = Office.SYSTEM in queries.offices_of(work.db, person_id)
    require(
        rules.why_not_end_office(Office.SYSTEM, len(queries.holders(work.db, Office.SYSTEM))) if administers else None
    )
    if person.disabled_at is None:
        person.disabled_at = work.now
        sessions.end(work, sessions.of(work, person_id))
        work.record(PersonDisabled(person_id=person_id, actor_id=actor.person_id if actor else None))
        work.after_commit(partial(hooks.end_sockets, person_id))
    return person


def enable(work: Work, actor: Actor | None, *, person_id: str) -> Person:
    """Open an account again."""
    person = _person(work, person_id)
    if person.disabled_at is not None:
        person.disabled_at = None
        work.record(PersonEnabled(person_id=person_id, actor_id=actor.person_id if actor else None))
    return person


def _person(work: Work, person_id: str) -> Person:
    person = work.db.get(Person, person_id)
    if person is None:
        raise NotFound
    return person
