"""Motions, ballots, tallies: HTTP in, page out; nothing is decided here."""

from typing import Any

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import Route

from panel.cases import queries as cases
from panel.core import geometry, hooks, words
from panel.core.errors import NotFound
from panel.core.forms import Form
from panel.core.pages import Acting, Reading, act, page
from panel.core.security import may
from panel.votes import actions, queries, rules
from panel.votes.forms import AnnulmentForm, BallotForm, MotionForm, padded
from panel.votes.models import Motion, MotionState, RollEntry, Secrecy
from panel.votes.tally import Rule

SHEET = "/motions/{}/ballot"


def _hearing(motion: Motion) -> str:
    return f"/hearings/{motion.hearing_id}"


@page("motions.show", of=queries.motion)
def show(reading: Reading, motion: Motion) -> Response:
    """Show a motion with its arithmetic, as far as the reader may know it."""
    audience = reading.me.audience_in(motion.case_id)
    shown = queries.shown(reading.db, motion, audience) if audience else None
    if shown is None:
        raise NotFound
    case = cases.case(reading.db, motion.case_id)
    exact = geometry.exact
    return reading.render("votes/motion.html", shown=shown, motion=motion, case=case, words=words, exact=exact)


@page("ballots.show", of=queries.motion)
def sheet(reading: Reading, motion: Motion) -> Response:
    """Show the member's ballot: to be cast, received, or why there is none."""
    seat_id = _seat(reading, motion)
    own, entry = queries.own_ballot(reading.db, motion, seat_id), reading.db.get(RollEntry, (motion.id, seat_id))
    return reading.render(
        "votes/ballot.html",
        motion=motion,
        rule=Rule.from_json(motion.rule),
        own=own,
        entry=entry,
        replacing=own is not None and "replace" in reading.request.query_params,
        why_not=queries.why_no_ballot(reading.db, motion, seat_id),
        may_call=rules.why_not_last_call(motion) is None and may(reading.me, "motions.last_call", motion),
        had_ballot=queries.had_ballot(reading.db, motion, seat_id),
        padded=padded,
        words=words,
    )


@page("ballots.show", of=queries.motion)
def state(reading: Reading, motion: Motion) -> Response:
    """Say whether the member's ballot has been received: read again when an answer stays out."""
    own = queries.own_ballot(reading.db, motion, _seat(reading, motion))
    answer = reading.render("votes/_state.html", own=own, motion=motion)
    # After the end a sealed ballot is destroyed, and may have been counted: the sheet says whether there was one.
    closed = motion.state is not MotionState.OPEN
    answer.headers["Panel-Ballot"] = own.mark if own else "closed" if closed else "none"
    return answer


@page("motions.turnout", of=queries.motion)
def turnout(reading: Reading, motion: Motion) -> Response:
    """Tell the chair the turnout, in steps; of an open vote also who is present and has not voted."""
    told = queries.turnout_of(reading.db, motion, reading.now)
    return reading.render("votes/_turnout.html", motion=motion, turnout=told)


@act("motions.move", of=hooks.hearing, form=MotionForm)
async def move(acting: Acting, hearing: Any, form: MotionForm) -> Response:
    """Put a motion on the list, or all questions of fact."""
    if form.kind == "facts":
        await acting.write(actions.move_facts, hearing_id=hearing.id)
    else:
        what = {"kind": form.kind, "question": form.question, "outcome": form.outcome or None}
        await acting.write(actions.move, hearing_id=hearing.id, **what)
    return acting.received(f"/hearings/{hearing.id}")


@act("motions.open", of=queries.motion)
async def open_motion(acting: Acting, motion: Motion, _form: Form) -> Response:
    """Open voting."""
    await acting.write(actions.open_motion, motion_id=motion.id)
    return acting.received(_hearing(motion))


@act("motions.last_call", of=queries.motion)
async def last_call(acting: Acting, motion: Motion, _form: Form) -> Response:
    """Call for the last ballots."""
    await acting.write(actions.last_call, motion_id=motion.id)
    return acting.received(_hearing(motion))


@act("motions.close", of=queries.motion)
async def close(acting: Acting, motion: Motion, _form: Form) -> Response:
    """Close voting and count."""
    await acting.write(actions.close_motion, motion_id=motion.id)
    return acting.received(_hearing(motion))


@act("motions.annul", of=queries.motion, form=AnnulmentForm)
async def annul(acting: Acting, motion: Motion, form: AnnulmentForm) -> Response:
    """Annul a motion, or take it off the list."""
    await acting.write(actions.annul, motion_id=motion.id, ground=form.ground)
    return acting.received(_hearing(motion))


@act("motions.repeat", of=queries.motion)
async def repeat(acting: Acting, motion: Motion, _form: Form) -> Response:
    """Put a motion that ended without a result on the list again."""
    await acting.write(actions.repeat, motion_id=motion.id)
    return acting.received(_hearing(motion))


@act("ballots.cast", of=queries.motion, form=BallotForm, crowd=True)
async def cast(acting: Acting, motion: Motion, form: BallotForm) -> Response:
    """Take a ballot. A secret one leaves no digest of its form, and nothing of it is shown again."""
    what = {"choice": form.choice, "reason": form.reason, "replaces": form.replaces}
    if motion.secrecy is Secrecy.SEALED:
        await acting.write_unkeyed(actions.cast_sealed, motion_id=motion.id, **what)
    else:
        # A refusal shows again what was written, and not the choice, which is a code.
        acting.request.state.hide_typed = False
        acting.request.state.sent = FormData([("reason", form.reason)])
        await acting.write(actions.cast, motion_id=motion.id, **what)
    return acting.received(SHEET.format(motion.id))


def _seat(reading: Reading, motion: Motion) -> str:
    seat_id = reading.me.seat_in(motion.case_id)
    if seat_id is None:
        raise NotFound
    return seat_id


routes = [
    Route("/hearings/{id}/motions", move, methods=["POST"], name="motions.move"),
    Route("/motions/{id}", show, name="motions.show"),
    Route("/motions/{id}/opening", open_motion, methods=["POST"], name="motions.open"),
    Route("/motions/{id}/last-call", last_call, methods=["POST"], name="motions.last_call"),
    Route("/motions/{id}/closure", close, methods=["POST"], name="motions.close"),
    Route("/motions/{id}/annulment", annul, methods=["POST"], name="motions.annul"),
    Route("/motions/{id}/repetition", repeat, methods=["POST"], name="motions.repeat"),
    Route("/motions/{id}/turnout", turnout, name="motions.turnout"),
    Route("/motions/{id}/ballot", sheet, name="ballots.show"),
    Route("/motions/{id}/ballot/state", state, name="ballots.state"),
    Route("/motions/{id}/ballots", cast, methods=["POST"], name="ballots.cast"),
]
