"""Forms about seats: declaring, standing aside, moving up, coming and going."""

from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from panel.committees import actions, queries
from panel.committees.forms import AttendanceForm, DeclarationForm, RecusalForm, RefusalForm
from panel.committees.models import Seat
from panel.core import hooks
from panel.core.forms import Form
from panel.core.pages import Acting, act


async def _page_of(acting: Acting, case_id: str) -> str:
    """Return where somebody acts on a case's seats: in its hearing while that is on, else in its file."""
    hearing_id = await acting.ask(lambda db: queries.hearing_now(db, case_id))
    phase = await acting.ask(lambda db: hooks.phase_of(db, hearing_id)) if hearing_id else ""
    return f"/hearings/{hearing_id}" if phase not in {"", queries.SCHEDULED} else f"/cases/{case_id}"


@act("interests.declare", of=queries.seat, form=DeclarationForm)
async def declare(acting: Acting, seat: Seat, form: DeclarationForm) -> Response:
    """Declare one's interests."""
    conflict = form.conflict == "yes"
    await acting.write(
        actions.declare, seat_id=seat.id, conflict=conflict, ground=form.ground, statement=form.statement
    )
    return acting.received(await _page_of(acting, seat.case_id))


@act("recusals.order", of=queries.seat, form=RecusalForm)
async def recuse(acting: Acting, seat: Seat, form: RecusalForm) -> Response:
    """Stand aside, or order a recusal. Who stands aside has no page of the case to go back to."""
    await acting.write(
        actions.recuse,
        seat_id=seat.id,
        ground=form.ground,
        statement=form.statement,
        successor=form.successor or None,
    )
    own = acting.me.seat_in(seat.case_id) == seat.id
    return acting.received("/cases" if own else await _page_of(acting, seat.case_id))


@act("recusals.refuse", of=queries.seat, form=RefusalForm)
async def refuse_recusal(acting: Acting, seat: Seat, form: RefusalForm) -> Response:
    """Refuse a request for recusal."""
    await acting.write(actions.refuse_recusal, seat_id=seat.id, reason=form.reason)
    return acting.received(await _page_of(acting, seat.case_id))


@act("alternates.seat", of=queries.seat)
async def seat_alternate(acting: Acting, seat: Seat, _form: Form) -> Response:
    """Move an alternate up."""
    await acting.write(actions.seat_alternate, seat_id=seat.id)
    return acting.received(await _page_of(acting, seat.case_id))


@act("attendance.record", of=hooks.hearing, form=AttendanceForm)
async def arrive(acting: Acting, hearing: Any, form: AttendanceForm) -> Response:
    """Note that a member is in the room."""
    await acting.write(actions.arrive, hearing_id=hearing.id, seat_id=form.seat or None)
    return acting.received(f"/hearings/{hearing.id}")


@act("attendance.record", of=hooks.hearing, form=AttendanceForm)
async def leave(acting: Acting, hearing: Any, form: AttendanceForm) -> Response:
    """Note that a member has left the room."""
    await acting.write(actions.leave, hearing_id=hearing.id, seat_id=form.seat or None)
    return acting.received(f"/hearings/{hearing.id}")


routes = [
    Route("/seats/{id}/declaration", declare, methods=["POST"], name="committees.declare"),
    Route("/seats/{id}/recusal", recuse, methods=["POST"], name="committees.recuse"),
    Route("/seats/{id}/recusal/refusal", refuse_recusal, methods=["POST"], name="committees.refuse_recusal"),
    Route("/seats/{id}/succession", seat_alternate, methods=["POST"], name="committees.seat_alternate"),
    Route("/hearings/{id}/attendance", arrive, methods=["POST"], name="committees.arrive"),
    Route("/hearings/{id}/departure", leave, methods=["POST"], name="committees.leave"),
]
