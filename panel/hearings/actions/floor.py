"""The floor: raised hands, turns, points of order."""

from panel.committees import queries as committees
from panel.committees.models import Seat
from panel.core.errors import NotFound, Reason, Refused, require
from panel.core.security import Actor
from panel.hearings import queries, rules
from panel.hearings.actions.room import belonging, enter, role, take_part, where
from panel.hearings.events import FloorExtended, FloorGiven, FloorLeft, FloorRequested, FloorRequestWithdrawn
from panel.hearings.models import FloorRequest, Hearing, Phase, RequestKind, Turn
from panel.work import Work


def request_floor(work: Work, actor: Actor, *, hearing_id: str, kind: str) -> FloorRequest:
    """Raise one's hand: to speak, to put a question, or for a point of order."""
    hearing = enter(work, actor, hearing_id, "hearings.request_floor")
    held, wish = take_part(work, actor, hearing), RequestKind(kind)
    waiting = [r.kind for r in queries.requests(work.db, hearing_id) if r.person_id == actor.person_id]
    speaking = any(turn.person_id == actor.person_id for turn in queries.speaking(work.db, hearing_id))
    require(rules.why_not_request(wish, held, waiting, speaking=speaking))
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
    _take_down(work, actor, hearing, request)
    return request


def give_floor(
    work: Work, actor: Actor, *, hearing_id: str, request_id: str = "", person_id: str = "", seconds: int | None = None
) -> Turn:
    """Give the floor: to a raised hand, or to somebody directly. Whoever spoke gives it back; a point of order
    interrupts instead, and the speaker's clock stands still until it ends."""
    hearing = enter(work, actor, hearing_id, "hearings.preside")
    request = _waiting(work, hearing, request_id) if request_id else None
    kind = request.kind if request else RequestKind.SPEECH
    speaker = request.person_id if request else belonging(work, hearing, person_id)
    _require_callable(work, hearing, speaker)
    interrupted = _make_way(work, actor, hearing, kind)
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


def _require_callable(work: Work, hearing: Hearing, person_id: str) -> None:
    held = role(work, Actor(person_id, ""), hearing)
    present = person_id in queries.people_here(work.db, hearing)
    still = queries.stands_still(work.db, hearing.id)
    require(rules.why_not_call(hearing.phase, held, present=present, still=still))


def _make_way(work: Work, actor: Actor, hearing: Hearing, kind: RequestKind) -> Turn | None:
    """End the turns that are on; but a point of order interrupts the speaker, who is returned, and another's ends."""
    on = queries.speaking(work.db, hearing.id)
    interrupted = on[0] if on and kind is RequestKind.POINT_OF_ORDER and on[0].kind is not kind else None
    for turn in reversed(on):
        if turn is not interrupted:
            _end(work, actor, hearing, turn)
    return interrupted


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
    work.record(FloorExtended(**where(hearing, actor), turn=turn.id, seconds=turn.seconds))
    return turn


def end_all(work: Work, actor: Actor, hearing: Hearing) -> None:
    """End whatever turns are on."""
    for turn in reversed(queries.speaking(work.db, hearing.id)):
        _end(work, actor, hearing, turn)


def close_doors(work: Work, actor: Actor, hearing: Hearing, following: Phase) -> None:
    """Take down the raised hands that the doors cut off on the way to this phase."""
    for request in queries.requests(work.db, hearing.id):
        if rules.cut_off(hearing.phase, following, role(work, Actor(request.person_id, ""), hearing)):
            _take_down(work, actor, hearing, request)


def stand_aside(work: Work, actor: Actor, seat: Seat) -> None:
    """Take the floor from a member who is recused, and their hands down (hooks.ON_RECUSAL)."""
    for hearing in queries.of_case(work.db, seat.case_id):
        for turn in queries.speaking(work.db, hearing.id):
            if turn.person_id == seat.person_id:
                _end(work, actor, hearing, turn)
        for request in queries.requests(work.db, hearing.id):
            if request.person_id == seat.person_id:
                _take_down(work, actor, hearing, request)


def _take_down(work: Work, actor: Actor, hearing: Hearing, request: FloorRequest) -> None:
    request.withdrawn_at = work.now
    work.record(FloorRequestWithdrawn(**where(hearing, actor), request=request.id))


def _end(work: Work, actor: Actor, hearing: Hearing, turn: Turn) -> None:
    lasted = queries.Clock(work.db, hearing.id).spoken(turn, work.now)
    turn.ended_at = work.now
    told = {**where(hearing, actor), "closed": turn.closed}
    work.record(FloorLeft(**told, turn=turn.id, person_id=turn.person_id, spoken_seconds=round(lasted)))
