"""The lines of the minutes, as the record of the hearing tells them. Codes and facts; their words are drawn later."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from panel.cases import queries as cases
from panel.cases.models import Exhibit
from panel.committees import queries as committees
from panel.core.clock import rfc3339
from panel.core.security import INSIDE, Audience
from panel.dissents import queries as dissents
from panel.hearings import queries
from panel.hearings.models import CLOSED_PHASES, Hearing, Phase
from panel.hearings.rules import ON_DUTY
from panel.votes import queries as votes
from panel.votes.models import Motion, MotionState, Secrecy

Line = dict[str, Any]


def lines(db: Session, of: Hearing, now: datetime) -> list[Line]:
    """Return every line in the order of time: {"at", "kind", "closed", ...}; `at` is RFC 3339 in UTC."""
    who, doors = _Who(db, of), _Doors(db, of)
    every = [
        *_course(db, of, doors),
        *_room(db, of, who, doors),
        *_floor(db, of, who, now),
        *_words(db, of, who),
        *_votes(db, of, who),
        *_dissents(db, of, who),
    ]
    return sorted(every, key=lambda line: line["at"])


def open_lines(every: list[Line]) -> list[Line]:
    """Return the lines of the open session only: what parties and observers may read."""
    return [line for line in every if not line["closed"]]


def as_told(db: Session, of: Hearing, every: list[Line], audience: Audience) -> list[Line]:
    """Return the lines as an audience reads them: outside the panel, without counts that would betray secret votes."""
    if audience in INSIDE:
        return every
    motions = {motion.number: motion for motion in votes.motions(db, of.id)}
    results = votes.results(db, list(motions.values()))

    def betrays(line: Line) -> bool:
        motion = motions[line["number"]]
        result = results.get(motion.id)
        return result is not None and not votes.counts_shown(motion, result, audience)

    return [line | {"counts": {}} if line["kind"] == "voted" and betrays(line) else line for line in every]


def _line(at: datetime, kind: str, *, closed: bool = False, **said: Any) -> Line:
    return {"at": rfc3339(at), "kind": kind, "closed": closed, **said}


class _Who:
    """Names and seat numbers of everybody in the case."""

    def __init__(self, db: Session, of: Hearing) -> None:
        seats = committees.all_seats(db, of.case_id)
        assigned = cases.assigned(db, of.case_id, *ON_DUTY, ended=True)
        self._names = cases.people_names(db, [s.person_id for s in seats] + [a.person_id for a in assigned])
        self._seat_of = {s.person_id: s for s in seats}
        self._by_seat = {s.id: s for s in seats}
        self.by_seat = {s.id: self._names.get(s.person_id, "") for s in seats}

    def person(self, person_id: str | None) -> Line:
        """Return name and seat number of a person."""
        seat = self._seat_of.get(person_id or "")
        return {"who": self._names.get(person_id or "", ""), "seat": seat.number if seat else None}

    def seat(self, seat_id: str) -> Line:
        """Return name and number of a seat."""
        seat = self._by_seat[seat_id]
        return {"who": self._names[seat.person_id], "seat": seat.number}


class _Doors:
    """When the doors were closed: from the beginning of a closed stage to the next one in the open."""

    def __init__(self, db: Session, of: Hearing) -> None:
        self._stages = [(stage.began_at, stage.phase in CLOSED_PHASES) for stage in queries.stages(db, of.id)]

    def closed(self, at: datetime) -> bool:
        """Say whether something happened behind closed doors."""
        before = [closed for began, closed in self._stages if began <= at]
        return bool(before) and before[-1]


def _course(db: Session, of: Hearing, doors: _Doors) -> Iterator[Line]:
    for stage in queries.stages(db, of.id):
        behind = stage.phase in CLOSED_PHASES and stage.phase is not Phase.RECESS
        yield _line(stage.began_at, "stage", closed=behind, phase=stage.phase.value)
    for pause in queries.pauses(db, of.id):
        yield _line(pause.began_at, "paused", closed=doors.closed(pause.began_at), text=pause.reason)
        if pause.ended_at:
            yield _line(pause.ended_at, "resumed", closed=doors.closed(pause.began_at))
    for away in queries.adjournments(db, of.id):
        yield _line(away.created_at, "adjourned", text=away.reason, until=rfc3339(away.until))
        if away.resumed_at:
            yield _line(away.resumed_at, "resumed")


def _room(db: Session, of: Hearing, who: _Who, doors: _Doors) -> Iterator[Line]:
    for stretch in committees.stretches(db, of.id):
        came, went, seat = stretch.arrived_at, stretch.left_at, who.seat(stretch.seat_id)
        yield _line(came, "arrived", closed=doors.closed(came), **seat)
        if went:
            yield _line(went, "left", closed=doors.closed(went), **seat)
    for recusal in committees.recusals(db, of.case_id):
        at = recusal.created_at
        yield _line(at, "recused", closed=doors.closed(at), **who.seat(recusal.seat_id))


def _floor(db: Session, of: Hearing, who: _Who, now: datetime) -> Iterator[Line]:
    clock = queries.Clock(db, of.id)
    for turn in (turn for turn in queries.turns(db, of.id) if turn.ended_at):
        seconds = round(clock.spoken(turn, now))
        said = {"request": turn.kind.value, "seconds": seconds, **who.person(turn.person_id)}
        yield _line(turn.began_at, "spoke", closed=turn.closed, **said)
    exhibits = {e.id: e for e in db.exec(select(Exhibit).where(Exhibit.case_id == of.case_id))}
    for shown in queries.showings(db, of.id):
        exhibit = exhibits[shown.exhibit_id]
        yield _line(shown.created_at, "shown", closed=shown.closed, number=exhibit.number, text=exhibit.title)


def _words(db: Session, of: Hearing, who: _Who) -> Iterator[Line]:
    for question in queries.questions(db, of.id, closed=True):
        asked = {"number": question.number, "to": who.person(question.asked_of)["who"], "text": question.text}
        yield _line(question.created_at, "asked", closed=question.closed, **asked, **who.person(question.asked_by))
        if question.answered_at:
            said = {"number": question.number, "text": question.answer, **who.person(question.answered_by)}
            yield _line(question.answered_at, "answered", closed=question.closed, **said)
    for note in queries.notes(db, of.id):
        yield _line(note.created_at, "noted", closed=note.closed, text=note.text, **who.person(note.speaker_id))


def _votes(db: Session, of: Hearing, who: _Who) -> Iterator[Line]:
    ended = {MotionState.CLOSED, MotionState.LAPSED, MotionState.ANNULLED}
    for motion in votes.motions(db, of.id):
        if motion.state not in ended or motion.closed_at is None:
            continue
        result = votes.tally_of(db, motion.id)
        said: Line = {
            "number": motion.number,
            "text": motion.question,
            "motion_kind": motion.kind.value,
            "secrecy": motion.secrecy.value,
            "carried": result.carried if result else "annulled",
            "settled": result.settled if result else "",
            "counts": result.counts if result else {},
            "ballots": _ballots(db, motion, who) if motion.secrecy is Secrecy.OPEN else [],
        }
        yield _line(motion.closed_at, "voted", closed=True, **said)
        if motion.announced_at is not None:
            known = {key: value for key, value in said.items() if key not in {"secrecy", "counts", "ballots"}}
            yield _line(motion.announced_at, "announced", **known)


def _ballots(db: Session, motion: Motion, who: _Who) -> list[Line]:
    counting = votes.counting_ballots(db, motion.id)
    said = [{**who.seat(b.seat_id), "choice": b.choice, "text": b.reason} for b in counting]
    return sorted(said, key=lambda line: line["seat"])


def _dissents(db: Session, of: Hearing, who: _Who) -> Iterator[Line]:
    """Tell of dissents and addenda, each with who joined before the next addendum."""
    joinings, addenda = dissents.joinings(db, of.case_id), dissents.addenda(db, of.case_id)
    for dissent in dissents.of_case(db, of.case_id):
        seat, number = who.seat(dissent.seat_id), dissent.number
        joined = dissents.joined_after(joinings.get(dissent.id, []), who.by_seat)
        said: Line = {
            "number": number,
            "dissent_kind": dissent.kind.value,
            "text": dissent.text,
            "joined": list(joined.get(0, ())),
            "withdrawn": dissent.withdrawn_at is not None,
        }
        if dissent.withdrawal_reason:
            said["reason"] = dissent.withdrawal_reason
        yield _line(dissent.created_at, "dissent", closed=True, **said, **seat)
        for added in addenda.get(dissent.id, []):
            more: Line = {"number": number, "text": added.text, "joined": list(joined.get(added.number, ()))}
            yield _line(added.created_at, "addendum", closed=True, **more, **seat)
