"""The course of the hearing: scheduling, the next step, pauses, adjournments."""

from datetime import datetime

from panel.cases.models import Case
from panel.committees import actions as coming
from panel.committees import queries as committees
from panel.core import clock, hooks
from panel.core.errors import require
from panel.core.security import Actor
from panel.hearings import queries, rules
from panel.hearings.actions import floor, minutes, words
from panel.hearings.actions.room import enter, where
from panel.hearings.events import (
    HearingAdjourned,
    HearingEnded,
    HearingOpened,
    HearingPaused,
    HearingResumed,
    HearingScheduled,
    ProjectorDarkened,
    StageBegun,
)
from panel.hearings.models import Adjournment, Hearing, Pause, Phase, Stage
from panel.opinions import actions as opinions
from panel.opinions import queries as rounds
from panel.votes import actions as votes
from panel.work import Work


def schedule(work: Work, actor: Actor | None, *, case_id: str, scheduled_at: datetime) -> Hearing:
    """Set a hearing of a case; `scheduled_at` is aware."""
    case = work.db.get_one(Case, case_id)
    committee = committees.committee_of(work.db, case.id)
    assert committee is not None, "a hearing needs a committee"
    procedure = committees.procedure_rules(work.db, case_id)
    hearing = work.add(
        Hearing(
            case_id=case_id,
            committee_id=committee.id,
            scheduled_at=scheduled_at,
            speaking_seconds=procedure.speaking_seconds,
        )
    )
    work.record(
        HearingScheduled(
            case_id=case_id,
            hearing_id=hearing.id,
            actor_id=actor.person_id if actor else None,
            scheduled_at=clock.rfc3339(scheduled_at),
        )
    )
    return hearing


def next_step(work: Work, actor: Actor, *, hearing_id: str, phase: str) -> Hearing:
    """Take the next step of the order of business; `phase` is the one that the button was drawn for."""
    hearing = enter(work, actor, hearing_id, "hearings.preside")
    require(rules.why_not_next(hearing.phase, Phase(phase), queries.facts(work.db, hearing)))
    following = rules.following(hearing.phase)
    assert following is not None
    _leave(work, actor, hearing, following)
    hearing.phase = following
    _begin(work, actor, hearing)
    return hearing


def _leave(work: Work, actor: Actor, hearing: Hearing, following: Phase) -> None:
    """Do what ends with a phase: turns and showings end; the opening becomes effective; rounds close."""
    floor.end_all(work, actor, hearing)
    floor.close_doors(work, actor, hearing, following)
    words.put_all_away(work, actor, hearing)
    for stage in queries.stages(work.db, hearing.id):
        stage.ended_at = stage.ended_at or work.now
    if hearing.phase is Phase.OPENING:
        _open(work, actor, hearing)
    round_ = rounds.current(work.db, hearing.case_id)
    if round_ is not None and hearing.phase in {Phase.OPENING, Phase.OPINIONS}:
        opinions.close_round(work, actor, round_id=round_.id)


def _open(work: Work, actor: Actor, hearing: Hearing) -> None:
    quorum = committees.quorum(work.db, hearing.case_id, hearing.id)
    hearing.opened_at = work.now
    work.record(HearingOpened(**where(hearing, actor), due=quorum.due, present=quorum.present, needed=quorum.needed))


def _begin(work: Work, actor: Actor, hearing: Hearing) -> None:
    """Do what begins with a phase. That the doors close everybody is told; what follows behind them nobody outside."""
    if hearing.phase is Phase.ENDED:
        _end(work, actor, hearing)
        return
    work.add(Stage(hearing_id=hearing.id, case_id=hearing.case_id, phase=hearing.phase, began_at=work.now))
    told = where(hearing, actor) | ({"closed": False} if hearing.phase is Phase.RECESS else {})
    work.record(StageBegun(**told, phase=hearing.phase.value))
    if hearing.phase is Phase.OPINIONS:
        number = len(rounds.rounds(work.db, hearing.case_id)) + 1
        opinions.open_round(work, actor, case_id=hearing.case_id, number=number, hearing_id=hearing.id)
    if hearing.phase is Phase.MOTIONS:
        votes.move_facts(work, actor, hearing_id=hearing.id)
    if hearing.phase is Phase.SUMMING_UP:
        votes.announce(work, actor, hearing_id=hearing.id)


def _end(work: Work, actor: Actor, hearing: Hearing) -> None:
    hearing.ended_at = work.now
    work.record(HearingEnded(**where(hearing, actor)))
    hooks.hearing_ended(work, actor, hearing.id)
    minutes.freeze(work, actor, hearing)


def pause(work: Work, actor: Actor, *, hearing_id: str, reason: str = "") -> Pause:
    """Let the hearing stand still; every clock stops."""
    hearing = enter(work, actor, hearing_id, "hearings.preside")
    require(rules.why_not_pause(hearing.phase, queries.facts(work.db, hearing)))
    paused = work.add(Pause(hearing_id=hearing.id, case_id=hearing.case_id, reason=reason, began_at=work.now))
    work.record(HearingPaused(**where(hearing, actor), reason=reason))
    return paused


def adjourn(work: Work, actor: Actor, *, hearing_id: str, reason: str, until: datetime) -> Adjournment:
    """Adjourn the hearing to another time; turns end, and everybody leaves: they will be noted again that day.

    Everybody is told, in closed session too: who waits outside goes home.
    """
    hearing = enter(work, actor, hearing_id, "hearings.preside")
    require(rules.why_not_pause(hearing.phase, queries.facts(work.db, hearing)))
    require(rules.why_not_adjourn(until, work.now))
    floor.end_all(work, actor, hearing)
    words.put_all_away(work, actor, hearing)
    for seat_id in sorted(committees.present(work.db, hearing.id)):
        coming.leave(work, actor, hearing_id=hearing.id, seat_id=seat_id)
    away = work.add(Adjournment(hearing_id=hearing.id, case_id=hearing.case_id, reason=reason, until=until))
    told = {**where(hearing, actor), "closed": False}
    work.record(HearingAdjourned(**told, until=clock.rfc3339(until), reason=reason))
    return away


def darken(work: Work, actor: Actor, *, hearing_id: str, dark: bool) -> Hearing:
    """Darken the projector, or light it again; it notices in closed session, too."""
    hearing = enter(work, actor, hearing_id, "hearings.preside")
    require(rules.why_not_darken(hearing.phase, dark=dark, is_dark=hearing.dark))
    hearing.dark = dark
    work.record(ProjectorDarkened(**{**where(hearing, actor), "closed": False}, dark=dark))
    return hearing


def resume(work: Work, actor: Actor, *, hearing_id: str) -> Hearing:
    """Go on after a pause or an adjournment."""
    hearing = enter(work, actor, hearing_id, "hearings.preside")
    require(rules.why_not_resume(queries.facts(work.db, hearing)))
    told = where(hearing, actor)
    if (paused := queries.pause(work.db, hearing.id)) is not None:
        paused.ended_at = work.now
    if (away := queries.adjournment(work.db, hearing.id)) is not None:
        away.resumed_at, told["closed"] = work.now, False
    work.record(HearingResumed(**told))
    return hearing
