"""Writes: passkeys. Each challenge is used up by the act that it opens, in the same transaction."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, select

from panel.accounts import queries, rules
from panel.accounts.actions import factors, sessions
from panel.accounts.actions.news import News, tell
from panel.accounts.events import FactorAdded
from panel.accounts.models import Passkey, UsedChallenge
from panel.accounts.passkeys import SECONDS, Made, Used
from panel.core.errors import NotFound, Refused, require
from panel.core.security import Actor
from panel.core.text import one_line
from panel.work import Work


def add_passkey(work: Work, actor: Actor, *, made: Made, name: str, code_hashes: Sequence[str]) -> Passkey:
    """Keep a new passkey; every other session of the account ends. With the first factor come recovery codes."""
    _use_up(work, made.challenge_sha256)
    factors.alone(work, actor.person_id)
    name = one_line(name)
    require(rules.why_not_add_passkey(len(queries.passkeys(work.db, actor.person_id)), name))
    if queries.passkey(work.db, made.credential_id) is not None:
        raise Refused(rules.WRONG_PASSKEY)
    first = not queries.has_factor(work.db, actor.person_id)
    passkey = work.add(
        Passkey(
            person_id=actor.person_id, credential_id=made.credential_id, public_key=made.public_key,
            sign_count=made.sign_count, name=name,
        )
    )  # fmt: skip
    work.record(FactorAdded(person_id=actor.person_id, actor_id=actor.person_id))
    tell(work, actor.person_id, News.FACTOR_ADDED, more=name)
    if first:
        factors.keep_codes(work, actor.person_id, code_hashes)
    sessions.end(work, [s for s in sessions.of(work, actor.person_id) if s.reference_sha256 != actor.session])
    return passkey


def use_passkey(work: Work, actor: Actor | None, *, passkey_id: str, used: Used) -> str:
    """Use a passkey: its challenge is used up, its count goes on. Returns whose it is.

    Raises Refused for a challenge that was answered before, and for a count that goes back.
    """
    _use_up(work, used.challenge_sha256)
    passkey = work.db.exec(select(Passkey).where(Passkey.id == passkey_id).with_for_update()).first()
    if passkey is None:
        raise Refused(rules.WRONG_PASSKEY)
    require(rules.why_not_count(passkey.sign_count, used.sign_count))
    passkey.sign_count, passkey.used_at = used.sign_count, work.now
    return passkey.person_id


def remove_passkey(work: Work, actor: Actor, *, passkey_id: str, required: bool) -> None:
    """Remove one of one's own passkeys; `required`: this person must have a second factor, and this may be the last."""
    factors.alone(work, actor.person_id)
    passkey = work.db.get(Passkey, passkey_id)
    if passkey is None or passkey.person_id != actor.person_id:
        raise NotFound
    last = len(queries.passkeys(work.db, actor.person_id)) == 1 and not queries.has_authenticator(
        work.db, actor.person_id
    )
    require(rules.why_not_remove_factor(required=required and last))
    work.db.delete(passkey)
    work.db.flush()
    factors.removed(work, actor, person_id=actor.person_id)


def take_factors_away(work: Work, actor: Actor | None, *, person_id: str) -> None:
    """Take every second factor of somebody away, for they have lost it: an administrator's act. All sign-ins end."""
    factors.alone(work, person_id)
    held = queries.factor_of(work.db, person_id)
    passkeys = queries.passkeys(work.db, person_id)
    if held is None and not passkeys:
        raise NotFound
    for each in (*passkeys, *([held] if held is not None else [])):
        work.db.delete(each)
    work.db.flush()
    factors.removed(work, actor, person_id=person_id)


def sweep_challenges(work: Work, actor: Actor | None) -> None:
    """Forget challenges that have expired: no answer to them holds; by a timer."""
    work.db.execute(delete(UsedChallenge).where(col(UsedChallenge.expires_at) <= work.now))


def _use_up(work: Work, challenge_sha256: str) -> None:
    """Use up a challenge. Of two who answer it at once one waits for the other, and is refused by the primary key."""
    if work.db.get(UsedChallenge, challenge_sha256) is not None:
        raise Refused(rules.WRONG_PASSKEY)
    expires_at = work.now + timedelta(seconds=SECONDS)
    work.add_unrecorded(UsedChallenge(challenge_sha256=challenge_sha256, expires_at=expires_at))
    try:
        work.db.flush()
    except IntegrityError:
        raise Refused(rules.WRONG_PASSKEY) from None
