"""Writes: the second factor, a code from an authenticator (RFC 6238), and the recovery codes beside it."""

from collections.abc import Sequence

from sqlmodel import col, delete, select

from panel.accounts import queries, rules
from panel.accounts.actions import sessions
from panel.accounts.actions.news import News, tell
from panel.accounts.events import FactorAdded, FactorRemoved, RecoveryCodesMade, RecoveryCodeUsed
from panel.accounts.models import Person, RecoveryCode, SecondFactor
from panel.core.errors import NotFound, Refused, require
from panel.core.security import Actor
from panel.work import Work


def alone(work: Work, person_id: str) -> None:
    """Let changes of one person's factors follow one another: of two at once, each would count the other's."""
    work.db.exec(select(Person.id).where(Person.id == person_id).with_for_update()).one()


def begin_factor(work: Work, actor: Actor, *, sealed: bytes) -> SecondFactor:
    """Keep the sealed secret of an authenticator that has not been confirmed yet; one begun before is void."""
    alone(work, actor.person_id)
    before = queries.factor_of(work.db, actor.person_id)
    require(rules.why_not_begin_factor(confirmed=before is not None and before.confirmed_at is not None))
    if before is not None:
        work.db.delete(before)
        work.db.flush()
    return work.add_unrecorded(SecondFactor(person_id=actor.person_id, sealed=sealed))


def confirm_factor(work: Work, actor: Actor, *, step: int, code_hashes: Sequence[str]) -> SecondFactor:
    """Confirm an authenticator by a code of it (its time step); every other session of the account ends."""
    alone(work, actor.person_id)
    factor = queries.factor_of(work.db, actor.person_id)
    if factor is None:
        raise NotFound
    require(rules.why_not_begin_factor(confirmed=factor.confirmed_at is not None))
    first = not queries.has_factor(work.db, actor.person_id)
    factor.confirmed_at, factor.last_step = work.now, step
    work.record(FactorAdded(person_id=actor.person_id, actor_id=actor.person_id))
    tell(work, actor.person_id, News.FACTOR_ADDED)
    if first:
        keep_codes(work, actor.person_id, code_hashes)
    sessions.end(work, [s for s in sessions.of(work, actor.person_id) if s.reference_sha256 != actor.session])
    return factor


def use_step(work: Work, actor: Actor | None, *, person_id: str, step: int) -> None:
    """Use up a code: it and those before it hold no more (ASVS 6.5.1)."""
    asked = select(SecondFactor).where(SecondFactor.person_id == person_id).with_for_update()
    factor = work.db.exec(asked).first()
    if factor is None or factor.confirmed_at is None or step <= factor.last_step:
        raise Refused(rules.WRONG_CODE)
    factor.last_step = step


def use_recovery_code(work: Work, actor: Actor | None, *, person_id: str, code_id: str) -> int:
    """Use up a recovery code; returns how many are left."""
    code = work.db.exec(select(RecoveryCode).where(RecoveryCode.id == code_id).with_for_update()).first()
    if code is None or code.person_id != person_id:
        raise Refused(rules.WRONG_CODE)
    work.db.delete(code)
    work.db.flush()
    left = len(queries.recovery_codes(work.db, person_id))
    work.record(RecoveryCodeUsed(person_id=person_id, left=left, actor_id=person_id))
    tell(work, person_id, News.RECOVERY_CODE)
    return left


def renew_codes(work: Work, actor: Actor, *, code_hashes: Sequence[str]) -> None:
    """Make new recovery codes; those from before are void."""
    alone(work, actor.person_id)
    if not queries.has_factor(work.db, actor.person_id):
        raise NotFound
    keep_codes(work, actor.person_id, code_hashes)
    tell(work, actor.person_id, News.RECOVERY_CODES)


def remove_factor(work: Work, actor: Actor | None, *, person_id: str, required: bool) -> None:
    """Remove somebody's authenticator; `required`: they must have a second factor, and this may be the last."""
    alone(work, person_id)
    factor = queries.factor_of(work.db, person_id)
    if factor is None:
        raise NotFound
    last = not queries.passkeys(work.db, person_id)
    require(rules.why_not_remove_factor(required=required and last))
    work.db.delete(factor)
    work.db.flush()
    removed(work, actor, person_id=person_id)


def removed(work: Work, actor: Actor | None, *, person_id: str) -> None:
    """Do what follows when a factor has gone: with the last one the recovery codes go, and every other session ends."""
    if not queries.has_factor(work.db, person_id):
        work.db.execute(delete(RecoveryCode).where(col(RecoveryCode.person_id) == person_id))
    by = actor.person_id if actor else None
    work.record(FactorRemoved(person_id=person_id, actor_id=by))
    tell(work, person_id, News.FACTOR_REMOVED)
    keep = actor.session if actor and actor.person_id == person_id else ""
    sessions.end(work, [s for s in sessions.of(work, person_id) if s.reference_sha256 != keep])


def keep_codes(work: Work, person_id: str, code_hashes: Sequence[str]) -> None:
    """Keep new recovery codes instead of those from before."""
    work.db.execute(delete(RecoveryCode).where(col(RecoveryCode.person_id) == person_id))
    for kept in code_hashes:
        work.add(RecoveryCode(person_id=person_id, code_hash=kept))
    work.record(RecoveryCodesMade(person_id=person_id, codes=len(code_hashes), actor_id=person_id))
