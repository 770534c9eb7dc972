"""The parts of the live page that the hearing owns, and which events touch which part."""

from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from sqlmodel import Session

from panel.cases import queries as cases
from panel.committees import events as coming
from panel.committees import queries as committees
from panel.core import geometry, hooks
from panel.core.db import remembered
from panel.core.errors import Reason
from panel.core.security import Actor, Audience, Role
from panel.dissents import events as dissenting
from panel.hearings import events, queries, rules
from panel.hearings.models import CLOSED_PHASES, Hearing, Question, RequestKind, Turn
from panel.hearings.queries.lines import lines, open_lines
from panel.live.parts import Context, OwnPart, Part
from panel.opinions import events as rounds
from panel.opinions import queries as opinions
from panel.record.events import Event
from panel.votes import events as voting
from panel.votes import queries as votes

Events = frozenset[type[Event]]

EVERYBODY = frozenset(Audience)
IN_CASE = EVERYBODY - {Audience.PUBLIC, Audience.PROJECTOR}
COURSE: Events = frozenset(
    {
        events.HearingScheduled, events.HearingOpened, events.StageBegun, events.HearingPaused,
        events.HearingResumed, events.HearingAdjourned, events.HearingEnded, events.ProjectorDarkened,
    }
)  # fmt: skip
DOORS: Events = frozenset({events.StageBegun})
"""What opens and closes the doors: parts that show nothing outside while the session is closed are drawn anew."""
TURNS: Events = frozenset({events.FloorGiven, events.FloorExtended, events.FloorLeft})
FLOOR: Events = TURNS | {events.FloorRequested, events.FloorRequestWithdrawn}
WORDS: Events = frozenset({events.QuestionAsked, events.QuestionAnswered})
SHOWN: Events = frozenset({events.ExhibitShown, events.ExhibitPutAway})
ROOM: Events = frozenset(
    {
        coming.MemberArrived, coming.MemberLeft, coming.SeatRecused, coming.AlternateSeated,
        coming.InterestsDeclared,
    }
)  # fmt: skip
PANEL: Events = frozenset(
    {
        rounds.RoundOpened, rounds.RoundClosed, voting.MotionMoved, voting.MotionOpened,
        voting.MotionClosed, voting.MotionAnnulled, dissenting.DissentFiled, dissenting.DissentJoined,
        dissenting.AddendumFiled, dissenting.DissentWithdrawn,
    }
)  # fmt: skip
MINUTES: Events = frozenset(
    {events.MinutesFrozen, events.MinutesConfirmed, events.MinutesRefused, events.MinutesSettled}
)


@dataclass(frozen=True)
class Speaker:
    """Who has the floor, and the clock: `used` seconds at the moment of drawing."""

    turn: Turn
    name: str
    seat: int | None
    used: int
    running: bool


def _hearing(db: Session, hearing_id: str) -> Hearing:
    return db.get_one(Hearing, hearing_id)


def _hidden(hearing: Hearing, audience: Audience) -> bool:
    """Say whether the room's doors are closed to this audience now."""
    return hearing.closed and not queries.sees_closed(audience)


@remembered
def _names(db: Session, case_id: str) -> dict[str, tuple[str, int | None]]:
    """Return name and seat number of everybody in the case, by person."""
    seats = {s.person_id: s.number for s in committees.all_seats(db, case_id)}
    ids = [*seats, *(a.person_id for a in cases.assigned(db, case_id, *rules.ON_DUTY, ended=True))]
    return {person: (name, seats.get(person)) for person, name in cases.people_names(db, ids).items()}


def now(db: Session, hearing_id: str, audience: Audience, at: datetime) -> Context:
    """Load what is happening now: phase, speaker, pause."""
    hearing = _hearing(db, hearing_id)
    hidden, phase = _hidden(hearing, audience), rules.told(hearing.phase, audience)
    stage = next((s for s in reversed(queries.stages(db, hearing_id)) if s.phase is phase), None)
    return {
        "hearing": hearing,
        "phase": phase.value,
        "dark": hearing.dark and audience is Audience.PROJECTOR,
        "case": cases.case(db, hearing.case_id),
        "number": rules.ORDER.index(phase),
        "total": len(rules.ORDER) - 2,
        "stage": stage,
        "hidden": hidden,
        "pause": None if hidden else queries.pause(db, hearing_id),
        "adjournment": queries.adjournment(db, hearing_id),
        "speakers": [] if hidden else _speakers(db, hearing, at),
        "at": at,
        "warn": committees.procedure_rules(db, hearing.case_id).warn_seconds,
    }


def _speakers(db: Session, hearing: Hearing, at: datetime) -> list[Speaker]:
    names, clock = _names(db, hearing.case_id), queries.Clock(db, hearing.id)
    on = queries.speaking(db, hearing.id)
    still = queries.pause(db, hearing.id) is not None or queries.adjournment(db, hearing.id) is not None
    return [
        Speaker(
            turn=turn,
            name=names.get(turn.person_id, ("", None))[0],
            seat=names.get(turn.person_id, ("", None))[1],
            used=round(clock.spoken(turn, at)),
            running=not still and turn is on[-1],
        )
        for turn in on
    ]


def agenda(db: Session, hearing_id: str, audience: Audience, _at: datetime) -> Context:
    """Load the order of business with what is done, on, and to come; outside, what the doors hide has no times."""
    hearing = _hearing(db, hearing_id)
    now, began = rules.told(hearing.phase, audience), {s.phase: s.began_at for s in queries.stages(db, hearing_id)}
    told = {phase: at for phase, at in began.items() if rules.told(phase, audience) is phase}
    steps = [
        {
            "phase": phase.value,
            "state": "now" if phase is now else "done" if rules.ORDER.index(phase) < rules.ORDER.index(now) else "next",
            "closed": phase in CLOSED_PHASES,
            "began": told.get(phase),
        }
        for phase in rules.ORDER[1:-1]
    ]
    return {"steps": steps}


def floor(db: Session, hearing_id: str, audience: Audience, at: datetime) -> Context:
    """Load raised hands, who spoke how long, and the median."""
    hearing = _hearing(db, hearing_id)
    if _hidden(hearing, audience):
        return {"hidden": True, "listed": False, "queue": [], "totals": [], "picture": None, "median": 0}
    names = _names(db, hearing.case_id)
    waiting = [
        {
            "name": names.get(r.person_id, ("", None))[0],
            "seat": names.get(r.person_id, ("", None))[1],
            "kind": r.kind.value,
        }
        for r in rules.queue(queries.requests(db, hearing_id), queries.people_here(db, hearing))
    ]
    spent = queries.totals(db, hearing_id, at, closed=queries.sees_closed(audience))
    totals = [(names[person][0], round(seconds)) for person, seconds in spent.items() if person in names]
    return {
        "hidden": False,
        "listed": audience is not Audience.CHAIR,
        "queue": waiting,
        "totals": totals,
        "picture": geometry.speaking(totals) if totals else None,
        "median": round(median(seconds for _, seconds in totals)) if totals else 0,
    }


def questions(db: Session, hearing_id: str, audience: Audience, _at: datetime) -> Context:
    """Load questions and answers."""
    hearing = _hearing(db, hearing_id)
    names = _names(db, hearing.case_id)
    asked = queries.questions(db, hearing_id, closed=queries.sees_closed(audience))
    return {"questions": [_asked(question, names) for question in asked]}


def _asked(question: Question, names: dict[str, tuple[str, int | None]]) -> dict[str, Any]:
    return {
        "question": question,
        "by": names.get(question.asked_by, ("", None)),
        "of": names.get(question.asked_of, ("", None)),
    }


def minutes(db: Session, hearing_id: str, audience: Audience, at: datetime) -> Context:
    """Load the last lines of the minutes as they grow, and how their confirmation stands."""
    hearing = _hearing(db, hearing_id)
    every = lines(db, hearing, at)
    frozen = queries.minutes_of(db, hearing_id)
    return {
        "hearing": hearing,
        "lines": (every if queries.sees_closed(audience) else open_lines(every))[-8:],
        "frozen": frozen,
        "confirmations": queries.confirmations(db, frozen.id) if frozen else [],
        "attended": len(queries.attended(db, hearing)),
        "inside": queries.sees_closed(audience),
    }


def chair(db: Session, hearing_id: str, actor: Actor, at: datetime) -> Context | None:
    """Load the chair's next step and what blocks it, and the controls of floor, pause and adjournment."""
    hearing = _hearing(db, hearing_id)
    facts = queries.facts(db, hearing)
    names, here = _names(db, hearing.case_id), queries.people_here(db, hearing)
    hands = rules.queue(queries.requests(db, hearing_id), here)
    return {
        "hearing": hearing,
        "facts": facts,
        "step": rules.STEPS.get(hearing.phase, ""),
        "consequence": rules.consequence(hearing.phase, facts),
        "why_not": rules.why_not_next(hearing.phase, hearing.phase, facts),
        "why_not_pause": rules.why_not_pause(hearing.phase, facts),
        "queue": [(r, names.get(r.person_id, ("", None))) for r in hands],
        "speakers": _speakers(db, hearing, at),
        "people": in_the_room(db, hearing),
        "lost": [(*names[person], since) for person, since in hooks.lost(hearing_id).items() if person in here],
        "in_session": rules.in_session(hearing.phase),
        "at": at,
    }


def in_the_room(db: Session, hearing: Hearing) -> list[tuple[str, str]]:
    """Return (person, name) of those who may be given the floor now: first who is called in, then members present."""
    return _in_the_room(db, hearing.case_id, queries.people_here(db, hearing))


@remembered
def _in_the_room(db: Session, case_id: str, here: frozenset[str]) -> list[tuple[str, str]]:
    names, duties = _names(db, case_id), cases.assigned(db, case_id, *rules.CALLED)
    called = {a.person_id: rules.CALLED.index(a.role) for a in duties}
    members = [s.person_id for s in committees.seats(db, case_id)]
    every = [*sorted(called, key=called.__getitem__), *members]
    return [(person, names[person][0]) for person in dict.fromkeys(every) if person in here]


def hand(db: Session, hearing_id: str, actor: Actor, _at: datetime) -> Context | None:
    """Load my own raised hands, my turn, and what I may ask for."""
    hearing = _hearing(db, hearing_id)
    role = _taking_part(db, hearing, actor)
    if role is None:
        return None
    hands = rules.queue(queries.requests(db, hearing_id), queries.people_here(db, hearing))
    mine = [(place, r) for place, r in enumerate(hands, start=1) if r.person_id == actor.person_id]
    turn = next((t for t in queries.speaking(db, hearing_id) if t.person_id == actor.person_id), None)
    waiting, speaking = [r.kind for _, r in mine], turn is not None
    kinds = [kind for kind in RequestKind if rules.why_not_request(kind, role, waiting, speaking=speaking) is None]
    return {
        "hearing": hearing,
        "mine": mine,
        "turn": turn,
        "kinds": [kind.value for kind in kinds],
        "ballot": _ballot_to_cast(db, hearing, actor),
        "opinion": _opinion_to_give(db, hearing, actor),
    }


def _ballot_to_cast(db: Session, hearing: Hearing, actor: Actor) -> str:
    """Return the motion that the actor may vote on now and has not, or an empty text."""
    motion, seat_id = votes.open_motion(db, hearing.id), actor.seat_in(hearing.case_id)
    if motion is None or seat_id is None or votes.why_no_ballot(db, motion, seat_id) is not None:
        return ""
    return "" if votes.own_ballot(db, motion, seat_id) else motion.id


def _opinion_to_give(db: Session, hearing: Hearing, actor: Actor) -> str:
    """Return the open round in which the actor has given no opinion yet, or an empty text."""
    round_, seat_id = opinions.current(db, hearing.case_id), actor.seat_in(hearing.case_id)
    if round_ is None or seat_id is None or opinions.mine(db, round_.id, seat_id) is not None:
        return ""
    return round_.id


def _taking_part(db: Session, hearing: Hearing, actor: Actor) -> Role | None:
    """Return the reader's role, if they take part in the hearing now."""
    role, present = actor.role_in(hearing.case_id), actor.person_id in queries.people_here(db, hearing)
    return None if rules.why_not_take_part(hearing.phase, role, present=present) else role


def question(db: Session, hearing_id: str, actor: Actor, _at: datetime) -> Context | None:
    """Load what I may ask whom, and which questions wait for my answer."""
    hearing = _hearing(db, hearing_id)
    role = _taking_part(db, hearing, actor)
    if role is None:
        return None
    names = _names(db, hearing.case_id)
    asked = queries.questions(db, hearing_id, closed=not rules.outside(role))
    waiting = [q for q in asked if not _why_not_answer(q, actor, role)]
    may_ask = role in {Role.CHAIR, Role.MEMBER, Role.RECORDER}
    if not (may_ask or waiting):
        return None
    return {
        "hearing": hearing,
        "waiting": [_asked(q, names) for q in waiting],
        "may_ask": may_ask,
        "names_asker": role is Role.RECORDER,
        "people": [one for one in in_the_room(db, hearing) if one[0] != actor.person_id],
    }


def _why_not_answer(asked: Question, actor: Actor, role: Role) -> Reason | None:
    own = asked.asked_of == actor.person_id
    return rules.why_not_answer(answered=asked.answered_at is not None, asked=own, role=role)


def notes(db: Session, hearing_id: str, actor: Actor, _at: datetime) -> Context | None:
    """Load the recorder's form for adding to the minutes."""
    hearing = _hearing(db, hearing_id)
    if not rules.in_session(hearing.phase):
        return None
    return {"hearing": hearing, "people": in_the_room(db, hearing)}


def confirm(db: Session, hearing_id: str, actor: Actor, _at: datetime) -> Context | None:
    """Load whether I still have to confirm the minutes."""
    hearing = _hearing(db, hearing_id)
    frozen, seat_id = queries.minutes_of(db, hearing_id), actor.seat_in(hearing.case_id)
    if frozen is None or seat_id is None:
        return None
    said = next((c for c in queries.confirmations(db, frozen.id) if c.seat_id == seat_id), None)
    attended = seat_id in queries.attended(db, hearing)
    why_not: Reason | None = rules.why_not_confirm(
        attended=attended, done=said is not None, settled=frozen.confirmed_at is not None, confirmed=True, reason=""
    )
    return {"frozen": frozen, "said": said, "why_not": why_not, "hearing": hearing} if attended else None


PARTS = (
    Part("now", "hearings/_now.html", EVERYBODY, COURSE | TURNS, now),
    Part("agenda", "hearings/_agenda.html", EVERYBODY, COURSE, agenda),
    Part("floor", "hearings/_floor.html", EVERYBODY - {Audience.PUBLIC}, COURSE | FLOOR | ROOM, floor),
    Part("questions", "hearings/_questions.html", IN_CASE, COURSE | WORDS, questions),
    Part(
        "minutes",
        "hearings/_minutes.html",
        IN_CASE - {Audience.OBSERVER},
        COURSE | TURNS | WORDS | SHOWN | ROOM | PANEL | MINUTES | {events.NoteWritten},
        minutes,
    ),
)
OWN_PARTS = (
    OwnPart("chair", "hearings/_chair.html", frozenset({Role.CHAIR}), chair),
    OwnPart("hand", "hearings/_hand.html", frozenset(rules.SPEAKERS) - {Role.CHAIR}, hand),
    OwnPart(
        "question",
        "hearings/_question.html",
        frozenset({Role.CHAIR, Role.MEMBER, Role.RECORDER, Role.HANDLER, Role.OFFICIAL, Role.HELPER}),
        question,
    ),
    OwnPart("notes", "hearings/_notes.html", frozenset({Role.RECORDER, Role.SECRETARY}), notes),
    OwnPart("confirm", "hearings/_confirm.html", frozenset({Role.CHAIR, Role.MEMBER}), confirm),
)
