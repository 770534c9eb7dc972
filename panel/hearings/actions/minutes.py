"""The minutes: laid before the members, confirmed or refused, settled."""

from datetime import timedelta
from hashlib import sha256

import rfc8785

from panel.committees import queries as committees
from panel.core import security
from panel.core.errors import NotFound, require
from panel.core.security import Actor
from panel.hearings import queries, rules
from panel.hearings.actions.room import enter, now_in, where
from panel.hearings.events import MinutesConfirmed, MinutesFrozen, MinutesRefused, MinutesSettled
from panel.hearings.models import Confirmation, Hearing, Minutes
from panel.hearings.queries.lines import lines as lines_of
from panel.work import Work


def freeze(work: Work, actor: Actor, hearing: Hearing) -> Minutes:
    """Lay the minutes before the members who attended; they have the days that the rules give."""
    work.db.flush()
    lines = lines_of(work.db, hearing, work.now)
    days = committees.procedure_rules(work.db, hearing.case_id).minutes_days
    frozen = work.add(
        Minutes(
            hearing_id=hearing.id,
            case_id=hearing.case_id,
            lines=lines,
            sha256=sha256(rfc8785.dumps(lines)).hexdigest(),
            confirm_by=work.now + timedelta(days=days),
        )
    )
    work.record(MinutesFrozen(**where(hearing, actor), sha256=frozen.sha256, lines=len(lines)))
    return frozen


def confirm(work: Work, actor: Actor, *, minutes_id: str, confirmed: bool, reason: str = "") -> Confirmation:
    """Confirm the minutes, or refuse with a reason; the last answer settles them."""
    frozen = queries.minutes(work.db, minutes_id)
    if frozen is None:
        raise NotFound
    hearing = enter(work, actor, frozen.hearing_id, "hearings.confirm")
    seat = committees.seat_of(work.db, actor, hearing.case_id)
    answered = {c.seat_id for c in queries.confirmations(work.db, minutes_id)}
    require(
        rules.why_not_confirm(
            attended=seat is not None and seat.id in queries.attended(work.db, hearing),
            done=seat is not None and seat.id in answered,
            settled=frozen.confirmed_at is not None,
            confirmed=confirmed,
            reason=reason,
        )
    )
    assert seat is not None
    said = Confirmation(
        minutes_id=minutes_id,
        case_id=hearing.case_id,
        seat_id=seat.id,
        confirmed=confirmed,
        reason="" if confirmed else reason,
    )
    work.add(said)
    if confirmed:
        work.record(MinutesConfirmed(**where(hearing, actor), seat=seat.id))
    else:
        work.record(MinutesRefused(**where(hearing, actor), seat=seat.id, reason=reason))
    if rules.settled(queries.attended(work.db, hearing), answered | {seat.id}, frozen.confirm_by, work.now):
        _settle(work, actor, hearing, frozen)
    return said


def settle(work: Work, actor: Actor, *, minutes_id: str) -> Minutes:
    """Settle minutes whose limit has passed; silence is recorded as silence, never as assent (domain 10.5)."""
    frozen = queries.minutes(work.db, minutes_id)
    if frozen is None:
        raise NotFound
    hearing = queries.for_update(work.db, frozen.hearing_id)
    security.authorize(now_in(work, actor), "hearings.settle", hearing)
    answered = {c.seat_id for c in queries.confirmations(work.db, minutes_id)}
    due = rules.settled(queries.attended(work.db, hearing), answered, frozen.confirm_by, work.now)
    require(rules.why_not_settle(due=due, done=frozen.confirmed_at is not None))
    _settle(work, actor, hearing, frozen)
    return frozen


def settle_overdue(work: Work, actor: Actor | None = None) -> int:
    """Settle every hearing's minutes whose limit has passed; returns how many. Nobody's act: the timer's."""
    due = queries.overdue(work.db, work.now)
    for frozen in due:
        _settle(work, actor, queries.for_update(work.db, frozen.hearing_id), frozen)
    return len(due)


def _settle(work: Work, actor: Actor | None, hearing: Hearing, frozen: Minutes) -> None:
    work.db.flush()
    said = queries.confirmations(work.db, frozen.id)
    confirmed = sum(c.confirmed for c in said)
    attended = queries.attended(work.db, hearing)
    frozen.confirmed_at = work.now
    silent = len(attended - {c.seat_id for c in said})
    refused = len(said) - confirmed
    work.record(MinutesSettled(**where(hearing, actor), confirmed=confirmed, refused=refused, silent=silent))
