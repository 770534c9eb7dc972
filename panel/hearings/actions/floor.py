"""The floor: raised hands, turns, points of order."""

from panel.committees import queries as committees
from panel.core.errors import NotFound, Reason, Refused, require
from panel.core.security import Actor, Role
from panel.hearings import queries, rules
from panel.hearings.actions.room import enter, in_room, take_part, where
from panel.hearings.events import FloorGiven, FloorLeft, FloorRequested, FloorRequestWithdrawn
from panel.hearings.models import FloorRequest, Hearing, RequestKind, Turn
from panel.work import Work


def request_floor(work: Work, actor: Actor, *, hearing_id: str, kind: str) -> FloorRequest:
    """Raise one's hand: to speak, to put a question, or for a point of order."""
    hearing = enter(work, actor, hearing_id, "hearings.request_floor")
    held, wish = take_part(work, actor, hearing), RequestKind(kind)
    waiting = [r.kind for r in queries.requests(work.db, hearing_id) if r.person_id == actor.person_id]
    require(rules.why_not_request(wish, held, waiting))
    request = work.add(
        FloorRequest(hearing_id=hearing.id, case_id=hearing.case_id, person_id=actor.person_id, kind=wish)
    )
    work.record(
        FloorRequested(**where(hearing, actor), request=request.id, request_kind=wish.value, person_id=actor.person_id)
    )
    return request


def withdraw_request(work: Work, actor: Actor, *, request_id: str) -> FloorRequest:
    """Take one's own hand down."""
    request = queries.request(work.db, request_id)
    if request is None or request.person_id != actor.person_id:
        raise NotFound
    hearing = enter(work, actor, request.hearing_id, "hearings.request_floor")
    if request.withdrawn_at or request.served_at:
        raise Refused(Reason("This request is no longer on the list."))
    request.withdrawn_at = work.now
    work.record(FloorRequestWithdrawn(**where(hearing, actor), request=request.id))
    return request


def give_floor(
    work: Work, actor: Actor, *, hearing_id: str, request_id: str = "", person_id: str = "", seconds: int | None = None
) -> Turn:
    """Give the floor: to a raised hand, or to somebody directly. Whoever spoke gives it back; a point of order
    interrupts instead, and the speaker's clock stands still until it ends."""
    hearing = enter(work, actor, hearing_id, "hearings.preside")
    require(rules.why_not_take_part(hearing.phase, Role.CHAIR))
    request = _waiting(work, hearing, request_id) if request_id else None
    kind = request.kind if request else RequestKind.SPEECH
    speaker = request.person_id if request else in_room(work, hearing, person_id)
    interrupted = _interrupted(work, hearing) if kind is RequestKind.POINT_OF_ORDER else None
    if interrupted is None:
        end_all(work, actor, hearing)
    if request is not None:
        request.served_at = work.now
    allowed = seconds or committees.procedure_rules(work.db, hearing.case_id).speaking(hearing.phase.value)
    turn = work.add(
        Turn(
            hearing_id=hearing.id,
            case_id=hearing.case_id,
            person_id=speaker,
            kind=kind,
            phase=hearing.phase,
            closed=hearing.closed,
            seconds=allowed,
            interrupts=interrupted.id if interrupted else None,
            began_at=work.now,
        )
    )
    work.record(
        FloorGiven(**where(hearing, actor), turn=turn.id, person_id=speaker, request_kind=kind.value, seconds=allowed)
    )
    return turn


def _waiting(work: Work, hearing: Hearing, request_id: str) -> FloorRequest:
    request = queries.request(work.db, request_id)
    if request is None or request.hearing_id != hearing.id:
        raise NotFound
    if request.withdrawn_at or request.served_at:
        raise Refused(Reason("This request is no longer on the list."))
    return request


def _interrupted(work: Work, hearing: Hearing) -> Turn | None:
    return next(iter(queries.speaking(work.db, hearing.id)), None)


def end_turn(work: Work, actor: Actor, *, turn_id: str) -> Turn:
    """End a turn: by the chair, or by the speaker. The clock of an interrupted speaker goes on."""
    turn = queries.turn(work.db, turn_id)
    if turn is None:
        raise NotFound
    own = turn.person_id == actor.person_id
    hearing = enter(work, actor, turn.hearing_id, "hearings.request_floor" if own else "hearings.preside")
    require(rules.why_not_end_turn(turn))
    _end(work, actor, hearing, turn)
    return turn


def extend_turn(work: Work, actor: Actor, *, turn_id: str, seconds: int) -> Turn:
    """Give a speaker more time, or less; `seconds` may be negative."""
    turn = queries.turn(work.db, turn_id)
    if turn is None:
        raise NotFound
    hearing = enter(work, actor, turn.hearing_id, "hearings.preside")
    require(rules.why_not_end_turn(turn))
    turn.seconds = max(turn.seconds + seconds, 0)
    work.record(
        FloorGiven(
            **where(hearing, actor),
            turn=turn.id,
            person_id=turn.person_id,
            request_kind=turn.kind.value,
            seconds=turn.seconds,
        )
    )
    return turn


def end_all(work: Work, actor: Actor, hearing: Hearing) -> None:
    """End whatever turns are on."""
    for turn in reversed(queries.speaking(work.db, hearing.id)):
        _end(work, actor, hearing, turn)


def _end(work: Work, actor: Actor, hearing: Hearing, turn: Turn) -> None:
    lasted = queries.Clock(work.db, hearing.id).spoken(turn, work.now)
    turn.ended_at = work.now
    told = {**where(hearing, actor), "closed": turn.closed}
    work.record(FloorLeft(**told, turn=turn.id, person_id=turn.person_id, spoken_seconds=round(lasted)))
