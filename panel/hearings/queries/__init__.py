"""Reads of the hearing."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from panel.cases import queries as cases
from panel.committees import queries as committees
from panel.core import clock
from panel.core.db import remembered
from panel.core.security import INSIDE, Actor, Audience
from panel.hearings.models import (
    Adjournment,
    Confirmation,
    FloorRequest,
    Hearing,
    Jotting,
    Minutes,
    Note,
    Pause,
    Phase,
    Question,
    Showing,
    Stage,
    Turn,
)
from panel.hearings.rules import ON_DUTY, Facts, outside, spoken
from panel.opinions import queries as opinions
from panel.opinions.models import Round
from panel.votes import queries as votes
from panel.votes.models import MotionKind, MotionState


@remembered
def hearing(db: Session, hearing_id: str) -> Hearing | None:
    """Return a hearing."""
    return db.get(Hearing, hearing_id)


def for_update(db: Session, hearing_id: str) -> Hearing:
    """Return a hearing with its row locked: of two presses at once, the second waits."""
    found = select(Hearing).where(Hearing.id == hearing_id).with_for_update()
    return db.exec(found.execution_options(populate_existing=True)).one()


def of_case(db: Session, case_id: str) -> Sequence[Hearing]:
    """Return the hearings of a case in order."""
    return db.exec(select(Hearing).where(Hearing.case_id == case_id).order_by(col(Hearing.scheduled_at))).all()


@remembered
def phase(db: Session, hearing_id: str) -> str:
    """Return a hearing's phase (hooks.PHASE_OF)."""
    return str(db.exec(select(Hearing.phase).where(Hearing.id == hearing_id)).one())


def under_way(db: Session, actor: Actor) -> str | None:
    """Return the path of the hearing under way that this person belongs to (hooks.LIVE_HEARING)."""
    mine = [case_id for case_id in actor.standings if actor.audience_in(case_id)]
    live = col(Hearing.phase).not_in([Phase.SCHEDULED, Phase.ENDED])
    found = db.exec(select(Hearing.id).where(col(Hearing.case_id).in_(mine), live)).first()
    return f"/hearings/{found}" if found else None


@remembered
def stages(db: Session, hearing_id: str) -> Sequence[Stage]:
    """Return the steps that were held, in order."""
    return db.exec(select(Stage).where(Stage.hearing_id == hearing_id).order_by(col(Stage.began_at))).all()


@remembered
def pause(db: Session, hearing_id: str) -> Pause | None:
    """Return the pause that is on."""
    return db.exec(select(Pause).where(Pause.hearing_id == hearing_id, col(Pause.ended_at).is_(None))).first()


@remembered
def adjournment(db: Session, hearing_id: str) -> Adjournment | None:
    """Return the adjournment that is on."""
    found = select(Adjournment).where(Adjournment.hearing_id == hearing_id, col(Adjournment.resumed_at).is_(None))
    return db.exec(found).first()


def stands_still(db: Session, hearing_id: str) -> bool:
    """Say whether every clock stands still: the hearing is paused or adjourned."""
    return pause(db, hearing_id) is not None or adjournment(db, hearing_id) is not None


def people_here(db: Session, of: Hearing) -> frozenset[str]:
    """Return who may take part now: members who have come, and everybody on duty whom the doors let in."""
    return _people_here(db, of.case_id, of.id, of.closed)


@remembered
def _people_here(db: Session, case_id: str, hearing_id: str, closed: bool) -> frozenset[str]:
    here = committees.present(db, hearing_id)
    members = {s.person_id for s in committees.seats(db, case_id) if s.id in here}
    duties = cases.assigned(db, case_id, *ON_DUTY)
    return frozenset(members | {a.person_id for a in duties if not (closed and outside(a.role))})


def facts(db: Session, of: Hearing) -> Facts:
    """Return what the order of business asks about before the next step."""
    quorum = committees.quorum(db, of.case_id, of.id)
    here = committees.present(db, of.id)
    names = {place.seat.id: place.name for place in committees.places(db, of.case_id, of.id)}
    undeclared = [names[s.id] for s in committees.undeclared(db, of.case_id, of.id) if s.id in here]
    motions = votes.motions(db, of.id)
    open_motion = next((m.number for m in motions if m.state is MotionState.OPEN), 0)
    drafts = [m for m in motions if m.state is MotionState.DRAFT and m.kind is MotionKind.FACT]
    ended = [m for m in motions if m.state in {MotionState.CLOSED, MotionState.LAPSED}]
    round_ = opinions.current(db, of.case_id)
    return Facts(
        present=quorum.present,
        needed=quorum.needed,
        due=quorum.due,
        missing_categories=quorum.missing_categories,
        quorum_met=quorum.met,
        undeclared=tuple(undeclared),
        pending_recusals=len(committees.pending(db, of.case_id)),
        opinions_given=opinions.progress(db, round_.id)[0] if round_ else 0,
        opinions_missing=_opinions_missing(db, round_, here),
        questions_of_fact=len(cases.questions(db, of.case_id)),
        motion_open=open_motion,
        facts_unsettled=len(drafts),
        dispositions_ended=sum(m.kind is MotionKind.DISPOSITION for m in ended),
        results=len(ended),
        minutes_days=committees.procedure_rules(db, of.case_id).minutes_days,
        paused=pause(db, of.id) is not None,
        adjourned=adjournment(db, of.id) is not None,
    )


def _opinions_missing(db: Session, round_: Round | None, here: set[str]) -> int:
    if round_ is None:
        return 0
    return sum(opinions.mine(db, round_.id, seat_id) is None for seat_id in here)


@remembered
def requests(db: Session, hearing_id: str) -> Sequence[FloorRequest]:
    """Return every request for the floor that still waits."""
    waiting = col(FloorRequest.withdrawn_at).is_(None), col(FloorRequest.served_at).is_(None)
    return db.exec(select(FloorRequest).where(FloorRequest.hearing_id == hearing_id, *waiting)).all()


def request(db: Session, request_id: str) -> FloorRequest | None:
    """Return a request for the floor."""
    return db.get(FloorRequest, request_id)


def turn(db: Session, turn_id: str) -> Turn | None:
    """Return a turn."""
    return db.get(Turn, turn_id)


@remembered
def turns(db: Session, hearing_id: str) -> Sequence[Turn]:
    """Return every turn in order."""
    return db.exec(select(Turn).where(Turn.hearing_id == hearing_id).order_by(col(Turn.began_at))).all()


@remembered
def speaking(db: Session, hearing_id: str) -> Sequence[Turn]:
    """Return the turns that have not ended: the speaker, and the point of order that interrupts, last."""
    on = select(Turn).where(Turn.hearing_id == hearing_id, col(Turn.ended_at).is_(None))
    return db.exec(on.order_by(col(Turn.began_at))).all()


class Clock:
    """The stretches in which clocks stood still: in pauses and adjournments all, in a point of order the speaker's."""

    def __init__(self, db: Session, hearing_id: str) -> None:
        self._all = [(pause.began_at, pause.ended_at) for pause in pauses(db, hearing_id)]
        self._all += [(away.created_at, away.resumed_at) for away in adjournments(db, hearing_id)]
        interrupting = select(Turn).where(Turn.hearing_id == hearing_id, col(Turn.interrupts).is_not(None))
        self._one: dict[str, list[tuple[datetime, datetime | None]]] = {}
        for turn in db.exec(interrupting):
            self._one.setdefault(turn.interrupts or "", []).append((turn.began_at, turn.ended_at))

    def spoken(self, turn: Turn, now: datetime) -> float:
        """Return the seconds that a turn has lasted."""
        return spoken(turn, [*self._all, *self._one.get(turn.id, [])], now)


def totals(db: Session, hearing_id: str, now: datetime, *, closed: bool) -> dict[str, float]:
    """Return the seconds that each person has spoken; those of closed session only where `closed` says so."""
    clocks, spent = Clock(db, hearing_id), dict[str, float]()
    for turn in turns(db, hearing_id):
        if closed or not turn.closed:
            spent[turn.person_id] = spent.get(turn.person_id, 0) + clocks.spoken(turn, now)
    return spent


def sees_closed(audience: Audience) -> bool:
    """Say whether an audience sees what happened in closed session."""
    return audience in INSIDE


def question(db: Session, question_id: str) -> Question | None:
    """Return a question."""
    return db.get(Question, question_id)


@remembered
def questions(db: Session, hearing_id: str, *, closed: bool) -> Sequence[Question]:
    """Return the questions in order; those of closed session only where `closed` says so."""
    found = select(Question).where(Question.hearing_id == hearing_id).order_by(col(Question.number))
    return [q for q in db.exec(found) if closed or not q.closed]


def showing(db: Session, hearing_id: str) -> Showing | None:
    """Return the exhibit's showing that is on (hooks.SHOWING)."""
    found = select(Showing).where(Showing.hearing_id == hearing_id, col(Showing.ended_at).is_(None))
    return db.exec(found).first()


def showing_by_id(db: Session, showing_id: str) -> Showing | None:
    """Return a showing."""
    return db.get(Showing, showing_id)


def shown_in_open_session(db: Session, case_id: str) -> set[str]:
    """Return the exhibits that were shown in open session (hooks.SHOWN_IN_OPEN_SESSION)."""
    found = select(Showing.exhibit_id).where(Showing.case_id == case_id, col(Showing.closed).is_(False))
    return set(db.exec(found))


def notes(db: Session, hearing_id: str) -> Sequence[Note]:
    """Return the notes in order."""
    return db.exec(select(Note).where(Note.hearing_id == hearing_id).order_by(col(Note.created_at))).all()


def jotting(db: Session, hearing_id: str, person_id: str) -> Jotting | None:
    """Return what somebody has noted for themselves; to be asked for oneself only."""
    found = select(Jotting).where(Jotting.hearing_id == hearing_id, Jotting.person_id == person_id)
    return db.exec(found).first()


def showings(db: Session, hearing_id: str) -> Sequence[Showing]:
    """Return every showing in order."""
    return db.exec(select(Showing).where(Showing.hearing_id == hearing_id).order_by(col(Showing.created_at))).all()


@remembered
def pauses(db: Session, hearing_id: str) -> Sequence[Pause]:
    """Return every pause in order."""
    return db.exec(select(Pause).where(Pause.hearing_id == hearing_id).order_by(col(Pause.began_at))).all()


@remembered
def adjournments(db: Session, hearing_id: str) -> Sequence[Adjournment]:
    """Return every adjournment in order."""
    found = select(Adjournment).where(Adjournment.hearing_id == hearing_id)
    return db.exec(found.order_by(col(Adjournment.created_at))).all()


@remembered
def minutes_of(db: Session, hearing_id: str) -> Minutes | None:
    """Return the minutes that were laid before the members."""
    return db.exec(select(Minutes).where(Minutes.hearing_id == hearing_id)).first()


def minutes(db: Session, minutes_id: str) -> Minutes | None:
    """Return minutes by their id."""
    return db.get(Minutes, minutes_id)


def confirmations(db: Session, minutes_id: str) -> Sequence[Confirmation]:
    """Return the members' answers to the minutes."""
    found = select(Confirmation).where(Confirmation.minutes_id == minutes_id)
    return db.exec(found.order_by(col(Confirmation.created_at))).all()


def attended(db: Session, of: Hearing) -> set[str]:
    """Return the seats that attended the hearing and are not recused: those who confirm its minutes."""
    return {s.seat_id for s in committees.stretches(db, of.id)} - committees.recused(db, of.case_id)


def dissents_open(db: Session, hearing_id: str) -> bool:
    """Say whether dissents may still be filed: until the minutes are settled, or due (hooks.DISSENTS_OPEN)."""
    found = minutes_of(db, hearing_id)
    return found is None or (found.confirmed_at is None and clock.now() < found.confirm_by)


def overdue(db: Session, now: datetime) -> Sequence[Minutes]:
    """Return the minutes whose limit has passed and that nobody has settled."""
    unsettled = col(Minutes.confirmed_at).is_(None), col(Minutes.confirm_by) <= now
    return db.exec(select(Minutes).where(*unsettled).order_by(col(Minutes.id))).all()
