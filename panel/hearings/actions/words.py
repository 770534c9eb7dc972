"""What is said and shown: questions, answers, notes, exhibits."""

from panel.cases import queries as cases
from panel.core.errors import NotFound, require
from panel.core.security import Actor
from panel.hearings import queries, rules
from panel.hearings.actions.room import enter, in_room, serve, take_part, where
from panel.hearings.events import ExhibitPutAway, ExhibitShown, NoteWritten, QuestionAnswered, QuestionAsked
from panel.hearings.models import Hearing, Jotting, Note, Question, Showing
from panel.work import Work


def ask(work: Work, actor: Actor, *, hearing_id: str, asked_of: str, text: str, asked_by: str = "") -> Question:
    """Put a question to somebody in the room; the recorder names who put it."""
    hearing = enter(work, actor, hearing_id, "hearings.ask")
    held = take_part(work, actor, hearing)
    speaker = in_room(work, hearing, asked_by) if asked_by else actor.person_id
    require(rules.why_not_ask_for(held, own=speaker == actor.person_id))
    number = len(queries.questions(work.db, hearing.id, closed=True)) + 1
    question = work.add(
        Question(
            hearing_id=hearing.id,
            case_id=hearing.case_id,
            number=number,
            asked_by=speaker,
            asked_of=in_room(work, hearing, asked_of),
            closed=hearing.closed,
            text=text,
        )
    )
    work.record(
        QuestionAsked(
            **where(hearing, actor),
            question=question.id,
            number=number,
            asked_by=speaker,
            asked_of=asked_of,
            text=text,
        )
    )
    return question


def answer(work: Work, actor: Actor, *, question_id: str, text: str) -> Question:
    """Answer a question: the one who was asked, or the recorder for them."""
    question = queries.question(work.db, question_id)
    if question is None:
        raise NotFound
    hearing = enter(work, actor, question.hearing_id, "hearings.answer")
    held = take_part(work, actor, hearing)
    asked = question.asked_of == actor.person_id
    require(rules.why_not_answer(answered=question.answered_at is not None, asked=asked, role=held))
    question.answer, question.answered_at, question.answered_by = text, work.now, question.asked_of
    told = {**where(hearing, actor), "closed": question.closed}
    work.record(
        QuestionAnswered(**told, question=question.id, number=question.number, answered_by=question.asked_of, text=text)
    )
    return question


def write_note(work: Work, actor: Actor, *, hearing_id: str, text: str, speaker_id: str = "") -> Note:
    """Add a line to the minutes; `speaker_id` names whose words they are."""
    hearing = enter(work, actor, hearing_id, "hearings.write_minutes")
    serve(work, actor, hearing)
    speaker = in_room(work, hearing, speaker_id) if speaker_id else None
    note = work.add(
        Note(
            hearing_id=hearing.id,
            case_id=hearing.case_id,
            speaker_id=speaker,
            phase=hearing.phase,
            closed=hearing.closed,
            text=text,
            written_by=actor.person_id,
        )
    )
    work.record(NoteWritten(**where(hearing, actor), note=note.id, speaker_id=speaker, text=text))
    return note


def jot(work: Work, actor: Actor, *, hearing_id: str, text: str, revision: int) -> Jotting:
    """Keep what the actor notes for themselves; refuses an older text over one that another device has saved."""
    hearing = enter(work, actor, hearing_id, "hearings.jot")
    saved = queries.jotting(work.db, hearing.id, actor.person_id)
    if saved is None:
        saved = work.add_unrecorded(Jotting(hearing_id=hearing.id, person_id=actor.person_id, saved_at=work.now))
    require(rules.why_not_jot(saved.revision, revision, same=saved.text == text))
    saved.text, saved.revision, saved.saved_at = text, saved.revision + 1, work.now
    return saved


def show_exhibit(work: Work, actor: Actor, *, hearing_id: str, exhibit_id: str) -> Showing:
    """Show an exhibit to everybody in the room; the one before is put away."""
    hearing = enter(work, actor, hearing_id, "hearings.show_exhibit")
    serve(work, actor, hearing)
    exhibit = cases.exhibit(work.db, exhibit_id)
    if exhibit is None or exhibit.case_id != hearing.case_id:
        raise NotFound
    put_all_away(work, actor, hearing)
    shown = Showing(hearing_id=hearing.id, case_id=hearing.case_id, exhibit_id=exhibit.id, closed=hearing.closed)
    work.add(shown)
    work.record(ExhibitShown(**where(hearing, actor), exhibit=exhibit.id, number=exhibit.number))
    return shown


def put_away(work: Work, actor: Actor, *, showing_id: str) -> Showing:
    """Put the exhibit away."""
    showing = queries.showing_by_id(work.db, showing_id)
    if showing is None:
        raise NotFound
    hearing = enter(work, actor, showing.hearing_id, "hearings.show_exhibit")
    put_all_away(work, actor, hearing)
    return showing


def put_all_away(work: Work, actor: Actor, hearing: Hearing) -> None:
    """Put away whatever is being shown."""
    while (showing := queries.showing(work.db, hearing.id)) is not None:
        showing.ended_at = work.now
        told = {**where(hearing, actor), "closed": showing.closed}
        work.record(ExhibitPutAway(**told, exhibit=showing.exhibit_id))
