"""The order of business, what blocks its next step, and who may do what on the floor. Pure."""

from collections.abc import Collection, Container, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from panel.core.errors import Label, Reason
from panel.core.hooks import phase_told
from panel.core.security import EVERY_ROLE, Audience, Grant, Role, roles
from panel.core.words import CATEGORIES
from panel.hearings.models import CLOSED_PHASES, FloorRequest, Phase, RequestKind, Turn

SEATED = frozenset({Role.CHAIR, Role.MEMBER})
SPEAKERS = (Role.CHAIR, Role.MEMBER, Role.SECRETARY, Role.HANDLER, Role.OFFICIAL, Role.HELPER)
ON_DUTY = (Role.SECRETARY, Role.RECORDER, Role.HANDLER, Role.OFFICIAL, Role.HELPER)
"""Who takes part in a hearing without a seat; observers and the projector are there, but have no part in it."""

CALLED = (Role.OFFICIAL, Role.HELPER, Role.HANDLER, Role.SECRETARY)
"""Who may be called upon and does not sit, in the order in which lists name them."""

WRITERS = (Role.CHAIR, Role.SECRETARY, Role.RECORDER)

PERMISSIONS: dict[str, Grant] = {
    "hearings.read": Grant(roles=EVERY_ROLE),
    "hearings.preside": roles(Role.CHAIR),
    "hearings.schedule": roles(Role.SECRETARY),
    "hearings.request_floor": roles(*SPEAKERS),
    "hearings.ask": roles(Role.CHAIR, Role.MEMBER, Role.RECORDER),
    "hearings.answer": roles(Role.CHAIR, Role.MEMBER, Role.RECORDER, Role.HANDLER, Role.OFFICIAL, Role.HELPER),
    "hearings.show_exhibit": roles(Role.CHAIR, Role.SECRETARY),
    "hearings.write_minutes": roles(*WRITERS),
    "hearings.read_minutes": roles(Role.CHAIR, Role.MEMBER, Role.SECRETARY, Role.RECORDER, Role.AUTHORITY),
    "hearings.jot": roles(*SPEAKERS, Role.RECORDER),
    "hearings.confirm": roles(Role.CHAIR, Role.MEMBER),
    "hearings.settle": roles(Role.CHAIR, Role.SECRETARY),
}

ORDER = tuple(Phase)

STEPS = {
    Phase.SCHEDULED: Label("Call the hearing to order: check attendance and declarations"),
    Phase.OPENING: Label("Open the hearing: the case handler presents"),
    Phase.PRESENTATION: Label("Next: the official explains"),
    Phase.EXPLANATION: Label("Next: the members put questions"),
    Phase.QUESTIONS: Label("Recess: the parties and observers leave, closed session begins"),
    Phase.RECESS: Label("Begin the closed deliberation"),
    Phase.DELIBERATION: Label("Open the second round of opinions"),
    Phase.OPINIONS: Label("Close the round and go to the votes"),
    Phase.MOTIONS: Label("End the closed session: the official's closing statement"),
    Phase.CLOSING_STATEMENT: Label("Sum up: announce the results of the votes to everybody"),
    Phase.SUMMING_UP: Label("End the hearing: lay the minutes before the members"),
}
"""What the chair's button does at each phase."""

NOT_HERE = Reason("This person is not in the room now.")
LONGEST = 8000
"""Characters of a question, an answer, a note or a reason."""


@dataclass(frozen=True)
class Facts:
    """What the order of business asks about before its next step."""

    present: int
    needed: int
    due: int
    missing_categories: tuple[str, ...] = ()
    quorum_met: bool = True
    undeclared: tuple[str, ...] = ()
    pending_recusals: int = 0
    opinions_given: int = 0
    opinions_missing: int = 0
    questions_of_fact: int = 0
    motion_open: int = 0
    facts_unsettled: int = 0
    dispositions_ended: int = 0
    results: int = 0
    minutes_days: int = 0
    paused: bool = False
    adjourned: bool = False


def following(phase: Phase) -> Phase | None:
    """Return the next phase, or None after the last."""
    at = ORDER.index(phase)
    return ORDER[at + 1] if at + 1 < len(ORDER) else None


def told(phase: Phase, audience: Audience) -> Phase:
    """Return the phase as an audience is told it: outside, the whole closed session is one recess."""
    return Phase(phase_told(phase.value, audience))


def consequence(phase: Phase, facts: Facts) -> Reason | None:
    """Say what else the next step does, in one sentence; None where it does nothing but go on."""
    match phase:
        case Phase.OPENING:
            return Reason(
                "The quorum is put on the record; the first round of opinions closes: %(given)s of %(due)s given.",
                given=facts.opinions_given,
                due=facts.due,
            )
        case Phase.QUESTIONS:
            return Reason(
                "Turns end, exhibits are put away. Until the session is open again, nothing is shown outside."
            )
        case Phase.DELIBERATION:
            return Reason(
                "Each of the %(n)s members present writes again; nobody reads another's before.", n=facts.present
            )
        case Phase.OPINIONS:
            return Reason(
                "The members read one another's opinions; %(n)s questions of fact are listed for the vote.",
                n=facts.questions_of_fact,
            )
        case Phase.MOTIONS:
            return Reason("The others are called in again. The results stay closed until they are announced.")
        case Phase.CLOSING_STATEMENT:
            return Reason("%(n)s results are announced at once, to everybody.", n=facts.results)
        case Phase.SUMMING_UP:
            return Reason(
                "The panel's finding is made. Members who attended confirm the minutes within %(n)s days.",
                n=facts.minutes_days,
            )
        case _:
            return None


def why_not_next(phase: Phase, drawn_for: Phase, facts: Facts) -> Reason | None:
    """Say what blocks the next step, the first thing first; a press for another phase is one that came too late."""
    if phase is Phase.ENDED:
        return Reason("The hearing has ended.")
    if phase is not drawn_for:
        return Reason("The hearing has moved on meanwhile. Look at where it stands before pressing again.")
    if facts.adjourned:
        return Reason("The hearing is adjourned. Resume it first.")
    if facts.paused:
        return Reason("The hearing is paused. Resume it first.")
    if phase is not Phase.SCHEDULED and (reason := why_no_quorum(facts)):
        return reason
    return _why_not_leave(phase, facts)


def why_no_quorum(facts: Facts) -> Reason | None:
    """No quorum, no business: with the arithmetic."""
    if facts.present < facts.needed:
        return Reason(
            "There is no quorum: %(present)s of %(due)s members due are present, %(needed)s are needed.",
            present=facts.present,
            due=facts.due,
            needed=facts.needed,
        )
    if facts.missing_categories:
        return Reason(
            "There is no quorum: nobody is present from the category “%(category)s”.",
            category=Reason(CATEGORIES[facts.missing_categories[0]]),
        )
    return None


def _why_not_leave(phase: Phase, facts: Facts) -> Reason | None:
    match phase:
        case Phase.OPENING if facts.pending_recusals:
            return Reason("%(n)s requests for recusal are not decided yet.", n=facts.pending_recusals)
        case Phase.OPENING if facts.undeclared:
            return Reason(
                "These members have not declared their interests yet: %(names)s.", names=", ".join(facts.undeclared)
            )
        case Phase.OPINIONS if facts.opinions_missing:
            return Reason("%(n)s members present have not given their opinion yet.", n=facts.opinions_missing)
        case Phase.MOTIONS if facts.motion_open:
            return Reason("Motion %(n)s is still open.", n=facts.motion_open)
        case Phase.MOTIONS if facts.facts_unsettled:
            return Reason("%(n)s questions of fact have not been voted on yet.", n=facts.facts_unsettled)
        case Phase.MOTIONS if not facts.dispositions_ended:
            return Reason("No recommended disposition has been voted on yet.")
        case _:
            return None


def in_session(phase: Phase) -> bool:
    """Say whether the hearing is under way."""
    return phase not in {Phase.SCHEDULED, Phase.ENDED}


def why_not_pause(phase: Phase, facts: Facts) -> Reason | None:
    """A hearing that is under way can be paused or adjourned, once."""
    if not in_session(phase):
        return Reason("The hearing is not under way.")
    if facts.paused or facts.adjourned:
        return Reason("The hearing stands still already.")
    if facts.motion_open:
        return Reason("Motion %(n)s is still open.", n=facts.motion_open)
    return None


def why_not_darken(phase: Phase, *, dark: bool, is_dark: bool) -> Reason | None:
    """While the hearing is under way the projector is dark or lit, one change at a time."""
    if not in_session(phase):
        return Reason("The hearing is not under way.")
    if dark is is_dark:
        return Reason("The projector is dark already.") if dark else Reason("The projector is lit already.")
    return None


def why_not_resume(facts: Facts) -> Reason | None:
    """Only what stands still is resumed."""
    return None if facts.paused or facts.adjourned else Reason("The hearing is not paused.")


def why_not_adjourn(until: datetime, now: datetime) -> Reason | None:
    """A hearing is adjourned to a later time."""
    return None if until > now else Reason("Choose a time that is still to come.")


def outside(role: Role) -> bool:
    """Say whether a role leaves the room in closed session."""
    return role not in {Role.CHAIR, Role.MEMBER, Role.SECRETARY, Role.RECORDER}


def why_not_take_part(phase: Phase, role: Role | None, *, present: bool = True) -> Reason | None:
    """Who is outside takes no part in closed session, nor a member who has not come; nobody before or after."""
    if not in_session(phase):
        return Reason("The hearing is not under way.")
    if role is None or (phase in CLOSED_PHASES and outside(role)):
        return Reason("The panel is in closed session. You will be called in again.")
    if role in SEATED and not present:
        return Reason("You are not noted as present. Say first that you are here.")
    return None


def why_not_call(phase: Phase, role: Role | None, *, present: bool, still: bool) -> Reason | None:
    """The floor is given to who is in the room, while the hearing does not stand still."""
    if still:
        return Reason("The hearing stands still. Resume it first.")
    if in_session(phase) and why_not_take_part(phase, role, present=present) is not None:
        return NOT_HERE
    return why_not_take_part(phase, role, present=present)


def why_not_request(
    kind: RequestKind, role: Role, waiting: Collection[RequestKind], *, speaking: bool
) -> Reason | None:
    """One raised hand of a kind at a time; questions are put by members; who has the floor need not ask for it."""
    if kind in waiting:
        return Reason("You are on the list already.")
    if kind is RequestKind.SPEECH and speaking:
        return Reason("You have the floor.")
    if kind is RequestKind.QUESTION and role not in {Role.CHAIR, Role.MEMBER}:
        return Reason("Questions are put by members of the panel.")
    return None


def queue(requests: Sequence[FloorRequest], here: Container[str]) -> list[FloorRequest]:
    """Return the raised hands in the order in which they are called: points of order first, then as they came.

    `here` are the people in the room; the hand of somebody who has gone out counts again when they are back.
    """
    waiting = [r for r in requests if r.withdrawn_at is None and r.served_at is None and r.person_id in here]
    return sorted(waiting, key=lambda r: (r.kind is not RequestKind.POINT_OF_ORDER, r.created_at, r.id))


def spoken(turn: Turn, stops: Sequence[tuple[datetime, datetime | None]], now: datetime) -> float:
    """Return the seconds that a turn has lasted, the stretches in which its clock stood still left out.

    `stops` are the pauses and the points of order, as (began, ended or None), in any order; they may overlap.
    """
    end = turn.ended_at or now
    total = end - turn.began_at
    reached = turn.began_at
    for began, ended in sorted(stops, key=lambda stop: stop[0]):
        start, stop = max(began, reached), min(ended or end, end)
        if stop > start:
            total -= stop - start
            reached = stop
    return max(total, timedelta()).total_seconds()


def why_not_end_turn(turn: Turn) -> Reason | None:
    """A turn ends once."""
    return None if turn.ended_at is None else Reason("This turn has ended already.")


def why_not_answer(*, answered: bool, asked: bool, role: Role | None) -> Reason | None:
    """A question is answered once, by the one whom it was put to, or by the recorder for them."""
    if not asked and role is not Role.RECORDER:
        return Reason("This question was put to somebody else.")
    return Reason("This question has been answered already.") if answered else None


def why_not_ask_for(role: Role | None, *, own: bool) -> Reason | None:
    """Only the recorder writes down a question that somebody else has put."""
    return None if own or role is Role.RECORDER else Reason("You can only put questions of your own.")


def why_not_jot(saved: int, revision: int, *, same: bool) -> Reason | None:
    """One's own notes are not overwritten by an older text from another device."""
    if same or revision == saved:
        return None
    return Reason(
        "These notes were changed on another device meanwhile. Copy what you typed here and load the page anew."
    )


def cut_off(phase: Phase, following: Phase, role: Role | None) -> bool:
    """Say whether the doors take a raised hand down: those outside when they close, everybody's when they open."""
    if phase in CLOSED_PHASES:
        return following not in CLOSED_PHASES
    return following in CLOSED_PHASES and (role is None or outside(role))


def why_not_confirm(*, attended: bool, done: bool, settled: bool, confirmed: bool, reason: str) -> Reason | None:
    """Members who attended confirm the minutes or refuse with a reason (行政处罚法 §64), until they are settled."""
    if settled:
        return Reason("The minutes are settled.")
    if not attended:
        return Reason("Only members who attended the hearing confirm its minutes.")
    if done:
        return Reason("You have answered already.")
    if not confirmed and not reason:
        return Reason("Say why you do not confirm the minutes; the reason is recorded.")
    return None


def settled(attended: Collection[str], answered: Collection[str], confirm_by: datetime, now: datetime) -> bool:
    """Say whether the minutes are settled: everybody who attended has answered, or the limit has passed (design 8)."""
    return set(attended) <= set(answered) or now >= confirm_by


def why_not_settle(*, due: bool, done: bool) -> Reason | None:
    """Minutes are settled when everybody has answered or the limit has passed."""
    if done:
        return Reason("The minutes are settled.")
    return None if due else Reason("Members still have time to confirm the minutes.")
