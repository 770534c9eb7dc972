"""Who may do what with a motion, and when. A refusal is the sentence that the page shows."""

from collections.abc import Collection, Sequence

from panel.core.errors import Reason
from panel.core.hooks import CLOSED_PHASES
from panel.core.security import EVERY_ROLE, Grant, Role, roles
from panel.core.words import CATEGORIES, OUTCOMES
from panel.votes.models import Motion, MotionKind, MotionState, RollEntry, Secrecy
from panel.votes.tally import RollLine, Rule, Step

PERMISSIONS: dict[str, Grant] = {
    "motions.show": Grant(roles=EVERY_ROLE),
    "motions.move": roles(Role.CHAIR),
    "motions.open": roles(Role.CHAIR),
    "motions.last_call": roles(Role.CHAIR),
    "motions.close": roles(Role.CHAIR),
    "motions.annul": roles(Role.CHAIR),
    "motions.repeat": roles(Role.CHAIR),
    "motions.turnout": roles(Role.CHAIR),
    "ballots.show": roles(Role.CHAIR, Role.MEMBER),
    "ballots.cast": roles(Role.CHAIR, Role.MEMBER),
}


def is_secret(motion: Motion) -> bool:
    """Say whether a motion is voted on secretly."""
    return motion.secrecy is Secrecy.SEALED


GRAVE = {"motions.open": is_secret, "motions.close": is_secret}

ABSENT = Reason("You are not recorded as present. Only members who are present vote.")

SUSPENDED = Reason("Your request for recusal is being decided. Until then you do not vote.")

VOTING = "motions"
"""The phase of a hearing in which motions are put to the vote."""


def why_not_move(phase: str, kind: MotionKind, outcome: str | None) -> Reason | None:
    """Motions are moved behind closed doors; a disposition recommends one of the outcomes."""
    if phase not in CLOSED_PHASES:
        return Reason("Motions are moved in closed session. The hearing is not in closed session now.")
    if kind is MotionKind.DISPOSITION and outcome not in OUTCOMES:
        return Reason("Choose the outcome that the motion recommends.")
    return None


def why_not_preside(chairs: bool) -> Reason | None:
    """Motions are led by the chair."""
    return None if chairs else Reason("Only the chair of the committee does this.")


def why_not_ask(asked: Collection[str | None], factual_question_id: str) -> Reason | None:
    """Each question of fact is put once; putting it again is a repetition of its motion."""
    if factual_question_id in asked:
        return Reason("This question of fact is on the list already.")
    return None


def why_not_open(motion: Motion, motions: Sequence[Motion], carried: Collection[str], phase: str) -> Reason | None:
    """One motion at a time, facts before dispositions, and none after a carried disposition."""
    if motion.state is not MotionState.DRAFT:
        return Reason("This motion has been put to the vote already.")
    if phase != VOTING:
        return Reason("Motions are put to the vote at the step “Motions and votes”.")
    if other := next((m for m in motions if m.state is MotionState.OPEN), None):
        return Reason("Motion %(n)s is open. Close it before the next one is opened.", n=other.number)
    return _why_not_disposition(motion, motions, carried)


def _why_not_disposition(motion: Motion, motions: Sequence[Motion], carried: Collection[str]) -> Reason | None:
    if motion.kind is not MotionKind.DISPOSITION:
        return None
    facts = (m for m in motions if m.kind is MotionKind.FACT and m.state is MotionState.DRAFT)
    if fact := next(facts, None):
        return Reason("The questions of fact are voted on first: motion %(n)s is still to be put.", n=fact.number)
    dispositions = (m for m in motions if m.kind is MotionKind.DISPOSITION and m.id in carried)
    if done := next(dispositions, None):
        return Reason("Motion %(n)s has been carried. No other disposition is put to the vote.", n=done.number)
    return None


def why_not_sit(steps: Sequence[Step]) -> Reason | None:
    """Nothing is put to the vote without a quorum (应到会 and the required categories)."""
    for step in steps:
        if step.holds:
            continue
        if step.test == "categories":
            category = CATEGORIES.get(step.missing[0], step.missing[0])
            return Reason("There is no quorum: no member of the category “%(name)s” is present.", name=Reason(category))
        return Reason(
            "There is no quorum: %(present)s members are present, %(needed)s are needed.",
            present=step.value,
            needed=step.needed,
        )
    return None


def warning_entitled(entitled: int, advised: int, secrecy: Secrecy) -> Reason | None:
    """Few voters make a secret vote guessable, though it may be held (security A4.3): the chair is told so."""
    if secrecy is not Secrecy.SEALED or entitled >= advised:
        return None
    return Reason(
        "Only %(n)s members are entitled to vote. With fewer than %(advised)s, the numbers may show how some of them "
        "voted, above all when one of them tells.",
        n=entitled,
        advised=advised,
    )


def why_not_entitled(entitled: int, rule: Rule, secrecy: Secrecy) -> Reason | None:
    """Too few voters would undo the secrecy of a secret vote (votes 3.3)."""
    if secrecy is Secrecy.SEALED and entitled < rule.minimum_secret:
        return Reason(
            "A secret vote needs at least %(needed)s members entitled to vote; there are %(n)s. "
            "With fewer, the result would tell how each of them voted.",
            needed=rule.minimum_secret,
            n=entitled,
        )
    if entitled == 0:
        return Reason("Nobody is entitled to vote on this motion.")
    return None


def why_not_open_to(line: RollEntry | RollLine | None) -> Reason | None:
    """Only seats that the roll entitles vote."""
    if line is None:
        return Reason("Your seat is not on the roll of this motion.")
    if line.entitled:
        return None
    if line.reason == "recused":
        return Reason("A recused seat does not vote.")
    return Reason("Your seat speaks on the recommended disposition and does not vote on it.")


def why_not_voting(state: MotionState, *, had_ballot: bool) -> Reason | None:
    """Ballots are taken while the motion is open; a late one is told whether an earlier ballot stands."""
    if state is MotionState.OPEN:
        return None
    if state is MotionState.DRAFT:
        return Reason("Voting on this motion has not been opened.")
    if state is MotionState.ANNULLED:
        return Reason("This motion was annulled. No ballot in it was counted.")
    if had_ballot:
        return Reason("Voting has closed. Your earlier ballot stands; this one was not accepted.")
    return Reason("Voting has closed. This ballot was not accepted, and you have no other in this vote.")


def why_not_cast(motion: Motion, rule: Rule, choice: str, reason: str, *, present: bool) -> Reason | None:
    """Who votes is in the room; the choice is one of the options; open ballots may need a reason, sealed have none."""
    if not present:
        return ABSENT
    if choice not in motion.options:
        return Reason("This is not one of the options of this motion.")
    if motion.secrecy is Secrecy.SEALED and reason:
        return Reason("A secret ballot carries no text.")
    if motion.secrecy is Secrecy.OPEN and choice in rule.reason_required_for and not reason:
        return Reason("Give a reason: with this choice it is required, and it is recorded with your name.")
    return None


def why_not_replace(earlier: str | None, replaces: str) -> Reason | None:
    """A ballot replaces another only by a form that names it."""
    if earlier is None and replaces:
        return Reason("You have no ballot in this vote that could be replaced. Open your ballot again.")
    if earlier is not None and not replaces:
        return Reason("Your ballot has been received already. To change it, open your ballot and replace it.")
    if earlier is not None and replaces != earlier:
        return Reason("Your ballot has been replaced since this form was opened. Open your ballot again.")
    return None


def why_not_chair_yet(motion: Motion, waiting: int) -> Reason | None:
    """The chair votes last on open motions: after every present voter, or a recorded last call (末位表态)."""
    if motion.secrecy is Secrecy.SEALED or motion.last_call_at is not None or waiting == 0:
        return None
    return Reason("The chair votes last: %(n)s members who are present have not voted. Make the last call.", n=waiting)


def why_not_last_call(motion: Motion) -> Reason | None:
    """A last call is made once, while an open motion is open; sealed motions have no order."""
    if motion.state is not MotionState.OPEN:
        return Reason("This motion is not open.")
    if motion.secrecy is Secrecy.SEALED:
        return Reason("A secret vote has no order and so no last call.")
    if motion.last_call_at is not None:
        return Reason("The last call has been made.")
    return None


def why_not_close(motion: Motion) -> Reason | None:
    """Only an open motion is closed, and once."""
    if motion.state is MotionState.OPEN:
        return None
    if motion.state is MotionState.DRAFT:
        return Reason("Voting on this motion has not been opened.")
    return Reason("This motion is closed already.")


def why_not_annul(motion: Motion, ground: str) -> Reason | None:
    """An open motion is annulled, or one still to be put taken off the list, with a ground on the record."""
    if motion.state not in {MotionState.OPEN, MotionState.DRAFT}:
        return Reason("This motion is closed. Its result stands.")
    return None if ground else Reason("Give the ground: it is put on the record.")


def why_not_repeat(motion: Motion, motions: Sequence[Motion], deferred: Collection[str], rule: Rule) -> Reason | None:
    """What ended without a result is put again as a new motion; a near tie only as often as the rules allow."""
    if any(m.repeats == motion.id for m in motions):
        return Reason("This motion has been put on the list again already.")
    if motion.state in {MotionState.ANNULLED, MotionState.LAPSED}:
        return None
    if motion.id not in deferred:
        return Reason("Only a motion that ended without a result is put again.")
    if ties_before(motion, motions, deferred) >= rule.revotes:
        return Reason("The vote was held again and was nearly equal again. The deciding authority rules on it.")
    return None


def ties_before(motion: Motion, motions: Sequence[Motion], deferred: Collection[str]) -> int:
    """Return how many motions that this one repeats, directly or not, ended in a near tie."""
    by_id, ties = {m.id: m for m in motions}, 0
    while (before := by_id.get(motion.repeats or "")) is not None:
        ties += before.id in deferred
        motion = before
    return ties
