"""The live page by audience, the minutes, and every form of the hearing."""

from starlette.responses import Response
from starlette.routing import Route

from panel.cases import queries as cases
from panel.committees import queries as committees
from panel.core.errors import Reason, Refused, require
from panel.core.forms import Form
from panel.core.pages import Acting, Reading, act, page
from panel.core.security import AUDIENCE_OF, Audience
from panel.hearings import actions, forms, queries
from panel.hearings.models import FloorRequest, Hearing, Minutes, Question, Showing, Turn
from panel.hearings.queries.lines import as_told
from panel.hearings.queries.lines import lines as lines_of
from panel.live.views import page_parts


def _page(hearing_id: str) -> str:
    return f"/hearings/{hearing_id}"


@page("hearings.read", of=queries.hearing)
def show(reading: Reading, hearing: Hearing) -> Response:
    """Show the live page as the reader's audience sees it."""
    parts, revision = page_parts(reading, hearing)
    role = reading.me.role_in(hearing.case_id)
    assert role is not None
    return reading.render(
        "hearings/show.html",
        hearing=hearing,
        case=cases.case(reading.db, hearing.case_id),
        audience=AUDIENCE_OF[role].value,
        parts=parts,
        rest=[name for name in parts if name not in {"now", "exhibit", "motion", "floor"}],
        revision=revision,
        jotting=queries.jotting(reading.db, hearing.id, reading.me.person_id),
    )


@page("hearings.read_minutes", of=queries.hearing)
def minutes(reading: Reading, hearing: Hearing) -> Response:
    """Show the minutes: frozen ones as they were laid before the members, else as they grow."""
    frozen = queries.minutes_of(reading.db, hearing.id)
    audience = reading.me.audience_in(hearing.case_id) or Audience.PUBLIC
    now = lines_of(reading.db, hearing, reading.now)
    every = frozen.lines if frozen else now
    if not queries.sees_closed(audience) and not frozen:
        require(Reason("The minutes are open to you once they are laid before the members."))
    seats = {s.id: s for s in committees.all_seats(reading.db, hearing.case_id)}
    names = cases.people_names(reading.db, [s.person_id for s in seats.values()])
    said = queries.confirmations(reading.db, frozen.id) if frozen else []
    return reading.render(
        "hearings/minutes.html",
        hearing=hearing,
        case=cases.case(reading.db, hearing.case_id),
        frozen=frozen,
        lines=as_told(reading.db, hearing, every, audience),
        added=[line for line in now if line["kind"] in {"dissent", "addendum"} and line not in every],
        overdue=frozen is not None and reading.now >= frozen.confirm_by,
        answers=[(c, seats[c.seat_id].number, names[seats[c.seat_id].person_id]) for c in said],
    )


@act("hearings.preside", of=queries.hearing, form=forms.StepForm)
async def step(acting: Acting, hearing: Hearing, form: forms.StepForm) -> Response:
    """Take the next step."""
    await acting.write(actions.next_step, hearing_id=hearing.id, phase=form.phase.value)
    return acting.received(_page(hearing.id))


@act("hearings.preside", of=queries.hearing, form=forms.PauseForm)
async def pause(acting: Acting, hearing: Hearing, form: forms.PauseForm) -> Response:
    """Pause the hearing."""
    await acting.write(actions.pause, hearing_id=hearing.id, reason=form.reason)
    return acting.received(_page(hearing.id))


@act("hearings.preside", of=queries.hearing)
async def resume(acting: Acting, hearing: Hearing, _form: Form) -> Response:
    """Resume the hearing."""
    await acting.write(actions.resume, hearing_id=hearing.id)
    return acting.received(_page(hearing.id))


@act("hearings.preside", of=queries.hearing, form=forms.DarkForm)
async def darken(acting: Acting, hearing: Hearing, form: forms.DarkForm) -> Response:
    """Darken the projector, or light it."""
    await acting.write(actions.darken, hearing_id=hearing.id, dark=form.dark)
    return acting.received(_page(hearing.id))


@act("hearings.preside", of=queries.hearing, form=forms.AdjournmentForm)
async def adjourn(acting: Acting, hearing: Hearing, form: forms.AdjournmentForm) -> Response:
    """Adjourn the hearing; the form's time is of the committee's zone."""
    until = form.until if form.until.tzinfo else form.until.replace(tzinfo=acting.site.zone)
    await acting.write(actions.adjourn, hearing_id=hearing.id, reason=form.reason, until=until)
    return acting.received(_page(hearing.id))


@act("hearings.request_floor", of=queries.hearing, form=forms.RequestForm)
async def request_floor(acting: Acting, hearing: Hearing, form: forms.RequestForm) -> Response:
    """Raise a hand."""
    await acting.write(actions.request_floor, hearing_id=hearing.id, kind=form.kind.value)
    return acting.received(_page(hearing.id))


@act("hearings.request_floor", of=queries.request)
async def withdraw_request(acting: Acting, request: FloorRequest, _form: Form) -> Response:
    """Take a hand down."""
    await acting.write(actions.withdraw_request, request_id=request.id)
    return acting.received(_page(request.hearing_id))


@act("hearings.preside", of=queries.hearing, form=forms.TurnForm)
async def give_floor(acting: Acting, hearing: Hearing, form: forms.TurnForm) -> Response:
    """Give the floor."""
    await acting.write(actions.give_floor, hearing_id=hearing.id, request_id=form.request, person_id=form.person)
    return acting.received(_page(hearing.id))


@act("hearings.request_floor", of=queries.turn)
async def end_turn(acting: Acting, turn: Turn, _form: Form) -> Response:
    """End a turn: one's own, or as chair anybody's."""
    await acting.write(actions.end_turn, turn_id=turn.id)
    return acting.received(_page(turn.hearing_id))


@act("hearings.preside", of=queries.turn, form=forms.ExtensionForm)
async def extend_turn(acting: Acting, turn: Turn, form: forms.ExtensionForm) -> Response:
    """Give a speaker half a minute more or less."""
    await acting.write(actions.extend_turn, turn_id=turn.id, seconds=int(form.seconds))
    return acting.received(_page(turn.hearing_id))


@act("hearings.ask", of=queries.hearing, form=forms.QuestionForm)
async def ask(acting: Acting, hearing: Hearing, form: forms.QuestionForm) -> Response:
    """Put a question."""
    await acting.write(
        actions.ask, hearing_id=hearing.id, asked_of=form.asked_of, asked_by=form.asked_by, text=form.text
    )
    return acting.received(_page(hearing.id))


@act("hearings.answer", of=queries.question, form=forms.TextForm)
async def answer(acting: Acting, question: Question, form: forms.TextForm) -> Response:
    """Answer a question."""
    await acting.write(actions.answer, question_id=question.id, text=form.text)
    return acting.received(_page(question.hearing_id))


@act("hearings.write_minutes", of=queries.hearing, form=forms.NoteForm)
async def note(acting: Acting, hearing: Hearing, form: forms.NoteForm) -> Response:
    """Add to the minutes."""
    await acting.write(actions.write_note, hearing_id=hearing.id, text=form.text, speaker_id=form.speaker)
    return acting.received(_page(hearing.id))


@act("hearings.jot", of=queries.hearing, form=forms.JottingForm)
async def jot(acting: Acting, hearing: Hearing, form: forms.JottingForm) -> Response:
    """Keep one's own notes: by itself while typing (JSON), or with the button."""
    try:
        saved = await acting.write_unkeyed(actions.jot, hearing_id=hearing.id, text=form.text, revision=form.revision)
    except Refused as refused:
        if acting.by_itself:
            return acting.not_kept(refused)
        raise
    return acting.kept(saved.revision, saved.saved_at) if acting.by_itself else acting.received(_page(hearing.id))


@act("hearings.show_exhibit", of=queries.hearing, form=forms.ShowingForm)
async def show_exhibit(acting: Acting, hearing: Hearing, form: forms.ShowingForm) -> Response:
    """Show an exhibit to everybody in the room."""
    await acting.write(actions.show_exhibit, hearing_id=hearing.id, exhibit_id=form.exhibit)
    return acting.received(_page(hearing.id))


@act("hearings.show_exhibit", of=queries.showing_by_id)
async def put_away(acting: Acting, showing: Showing, _form: Form) -> Response:
    """Put the exhibit away."""
    await acting.write(actions.put_away, showing_id=showing.id)
    return acting.received(_page(showing.hearing_id))


@act("hearings.confirm", of=queries.minutes, form=forms.ConfirmationForm)
async def confirm(acting: Acting, frozen: Minutes, form: forms.ConfirmationForm) -> Response:
    """Confirm the minutes or refuse."""
    confirmed = form.answer == "confirm"
    await acting.write(actions.confirm, minutes_id=frozen.id, confirmed=confirmed, reason=form.reason)
    return acting.received(_page(frozen.hearing_id))


@act("hearings.settle", of=queries.minutes)
async def settle(acting: Acting, frozen: Minutes, _form: Form) -> Response:
    """Settle minutes whose limit has passed."""
    await acting.write(actions.settle, minutes_id=frozen.id)
    return acting.received(f"{_page(frozen.hearing_id)}/minutes")


POST = ["POST"]
routes = [
    Route("/hearings/{id}", show, name="hearings.show"),
    Route("/hearings/{id}/minutes", minutes, name="hearings.minutes"),
    Route("/hearings/{id}/steps", step, methods=POST, name="hearings.steps"),
    Route("/hearings/{id}/pauses", pause, methods=POST, name="hearings.pauses"),
    Route("/hearings/{id}/resumption", resume, methods=POST, name="hearings.resumption"),
    Route("/hearings/{id}/adjournment", adjourn, methods=POST, name="hearings.adjournment"),
    Route("/hearings/{id}/projector", darken, methods=POST, name="hearings.projector"),
    Route("/hearings/{id}/jottings", jot, methods=POST, name="hearings.jottings"),
    Route("/hearings/{id}/floor-requests", request_floor, methods=POST, name="hearings.requests"),
    Route("/floor-requests/{id}/withdrawal", withdraw_request, methods=POST, name="hearings.request_withdrawal"),
    Route("/hearings/{id}/turns", give_floor, methods=POST, name="hearings.turns"),
    Route("/turns/{id}/end", end_turn, methods=POST, name="hearings.turn_end"),
    Route("/turns/{id}/extension", extend_turn, methods=POST, name="hearings.turn_extension"),
    Route("/hearings/{id}/questions", ask, methods=POST, name="hearings.questions"),
    Route("/questions/{id}/answer", answer, methods=POST, name="hearings.question_answer"),
    Route("/hearings/{id}/notes", note, methods=POST, name="hearings.notes"),
    Route("/hearings/{id}/showings", show_exhibit, methods=POST, name="hearings.showings"),
    Route("/showings/{id}/end", put_away, methods=POST, name="hearings.showing_end"),
    Route("/minutes/{id}/confirmation", confirm, methods=POST, name="hearings.confirmation"),
    Route("/minutes/{id}/settlement", settle, methods=POST, name="hearings.settlement"),
]
