"""Writes: links with which people choose their password. Nobody else ever chooses it."""

from sqlmodel import col, select

from panel.accounts import queries, rules
from panel.accounts.actions import people, sessions
from panel.accounts.actions.news import News, tell
from panel.accounts.events import LinkMade, PasswordChosen
from panel.accounts.models import LinkPurpose, Person, SignInLink
from panel.core import mail
from panel.core.errors import Gone, NotFound, Reason, require
from panel.core.security import Actor
from panel.work import Work

OVER = Reason("This link has been used or has expired. Ask for a new one.")


def make_link(
    work: Work, actor: Actor | None, *, person_id: str, reference: str, purpose: LinkPurpose,
    letter: tuple[str, str] | None = None,
) -> SignInLink:  # fmt: skip
    """Make a link from a reference; an earlier one of this person is void. `letter`: its mail's subject and text."""
    person = work.db.get(Person, person_id)
    if person is None:
        raise NotFound
    require(rules.why_not_link(disabled=person.disabled_at is not None))
    for earlier in work.db.exec(select(SignInLink).where(SignInLink.person_id == person_id)).all():
        work.db.delete(earlier)
    by = actor.person_id if actor else None
    link = work.add(
        SignInLink(
            reference_sha256=queries.digest(reference), person_id=person_id, purpose=purpose, made_by=by,
            created_at=work.now, expires_at=work.now + rules.LINKS_LAST[purpose],
        )
    )  # fmt: skip
    work.record(LinkMade(person_id=person_id, purpose=purpose.value, actor_id=by))
    if letter is not None and person.mail:
        subject, text = letter
        mail.write(work, to=person.mail, subject=subject, text=text)
    return link


def invite_person(work: Work, actor: Actor | None, *, name: str, login: str, mail: str = "") -> Person:
    """Make an account that nobody can sign in with until its person has chosen a password by a link."""
    return people.add_person(work, actor, name=name, login=login, mail=mail, password_hash=rules.NO_PASSWORD)


def choose_password(
    work: Work, actor: Actor | None, *, reference: str, password_hash: str, session: str, device: str, hours: int
) -> Person:
    """Choose a password by a link, which is used up with it; every session of the account ends.

    A session begins, except for who has a second factor: the link stands for the password alone (ASVS 6.4.3).
    """
    asked = select(SignInLink).where(SignInLink.reference_sha256 == queries.digest(reference))
    link = work.db.exec(asked.with_for_update()).first()
    if link is None or link.used_at is not None or link.expires_at <= work.now:
        raise Gone(OVER)
    person = work.db.get_one(Person, link.person_id)
    if person.disabled_at is not None:
        raise Gone(OVER)
    link.used_at = work.now
    person.password_hash = password_hash
    sessions.end(work, sessions.of(work, person.id))
    work.record(PasswordChosen(person_id=person.id, purpose=link.purpose.value, actor_id=person.id))
    if link.purpose is LinkPurpose.RESET:
        tell(work, person.id, News.PASSWORD, more=device)
    if not queries.has_factor(work.db, person.id):
        sessions.sign_in(work, None, person_id=person.id, reference=session, device=device, hours=hours)
    return person


def sweep_links(work: Work, actor: Actor | None) -> None:
    """Forget links that have expired; by a timer."""
    for link in work.db.exec(select(SignInLink).where(col(SignInLink.expires_at) <= work.now)).all():
        work.db.delete(link)
