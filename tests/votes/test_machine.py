"""Any course of a committee's votes keeps the invariants: hypothesis plays chair, members and recusals."""

import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlmodel import select

from panel.committees import actions as committees
from panel.committees import queries as committee_queries
from panel.core.errors import Refused
from panel.record import queries as record
from panel.verify import audit
from panel.votes import actions, queries, tally
from panel.votes.models import Motion, MotionState, RollEntry, SealedBallot, Secrecy, Tally
from tests.factories import World, make_world
from tests.votes.chamber import EVERYBODY, events, key_file, sit

MEMBERS = st.sampled_from(EVERYBODY)
CHOICES = st.integers(0, 3)
"""Which option of the motion; questions of fact have no fourth, and so a forged one."""

NINE = st.lists(CHOICES, min_size=len(EVERYBODY), max_size=len(EVERYBODY)) | st.lists(
    st.sampled_from((0, 0, 0, 0, 0, 1)), min_size=len(EVERYBODY), max_size=len(EVERYBODY)
)
"""What everybody chooses: anything, or mostly the first option."""

CLOSED = "votes.motion_closed"
COME_TO_PASS = (
    "cast", "cast_sealed", "open_motion", "annul", "repeat", "recuse", "leave", "late", "announced",
    "carried, open", "lost, open", "carried, sealed", "lost, sealed", "lapsed, sealed",
)  # fmt: skip
"""What must have happened in the courses that a run of the test tries."""

OUTCOMES = st.sampled_from((None, "exempt", "mitigate", "deny"))


@dataclass
class Model:
    """What the test expects: the choices that were acknowledged, and the roll as it was at the opening."""

    choices: dict[str, str] = field(default_factory=dict)
    roll: list[RollEntry] = field(default_factory=list)


class Votes(RuleBasedStateMachine):
    """A committee that opens, casts, replaces, recuses, closes, announces, annuls and repeats in any order."""

    template: Path
    seen: ClassVar[Counter[str]] = Counter()
    """How often something came to pass in all the courses together: what never happens is not tested."""

    @initialize(outcome=OUTCOMES, choices=NINE, ends=st.booleans())
    def come_together(self, outcome: str | None, choices: list[int], ends: bool) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.world: World = sit(make_world(self.folder / "world", self.template))
        self.models: dict[str, Model] = {}
        self.recused: set[str] = set()
        self.ends: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
        self.read = (-1, list[dict[str, Any]]())
        self.put(outcome)
        self.all_vote(choices)
        if ends:
            self.close()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.check_every_closed_motion()
            self.audit_holds()
            self.world.close()
            shutil.rmtree(self.folder)

    def attempt(self, action: Any, who: str, **what: Any) -> Any:
        """Do something that may be refused; a refusal leaves nothing on the record."""
        before = self.size()
        try:
            done = self.world.act(action, who, **what)
        except Refused:
            assert self.size() == before
            return None
        self.seen[action.__name__] += 1
        return done

    def size(self) -> int:
        """Return how many entries the record has."""
        with self.world.db() as db:
            return record.head(db).size

    def told(self, kind: str = "") -> list[dict[str, Any]]:
        """Return the record's events of a kind (or area); none before the committee has come together."""
        if not hasattr(self, "world"):
            return []
        if (size := self.size()) != self.read[0]:
            self.read = size, events(self.world)
        return [event for event in self.read[1] if event["kind"].startswith(kind)]

    def motions(self) -> list[Motion]:
        """Return the motions by number."""
        with self.world.db() as db:
            return list(queries.motions(db, self.world.hearing_id))

    def open(self) -> Motion | None:
        """Return the motion that is open."""
        return next((m for m in self.motions() if m.state is MotionState.OPEN), None)

    @rule(outcome=OUTCOMES)
    def put(self, outcome: str | None) -> None:
        self.move(outcome)
        self.open_one(newest=True)

    def move(self, outcome: str | None) -> None:
        kind = "fact" if outcome is None else "disposition"
        what = {"kind": kind, "question": "问题", "outcome": outcome}
        assert self.attempt(actions.move, "chair", hearing_id=self.world.hearing_id, **what) is not None

    @rule(newest=st.booleans())
    def open_one(self, newest: bool) -> None:
        drafts = [m for m in self.motions() if m.state is MotionState.DRAFT]
        if not drafts:
            return
        busy = self.open() is not None
        opened = self.attempt(actions.open_motion, "chair", motion_id=drafts[-1 if newest else 0].id)
        if opened is not None:
            assert not busy
            with self.world.db() as db:
                self.models[opened.id] = Model(roll=list(queries.roll(db, opened.id)))

    @precondition(lambda self: self.open() is not None)
    @rule(choices=NINE)
    def all_vote(self, choices: list[int]) -> None:
        for who, choice in zip(reversed(EVERYBODY), choices, strict=True):
            self.cast(who, choice, names=False)

    @precondition(lambda self: self.open() is not None)
    @rule(choices=NINE)
    def all_vote_and_close(self, choices: list[int]) -> None:
        self.all_vote(choices)
        self.close()

    @precondition(lambda self: self.open() is not None)
    @rule(who=MEMBERS, choice=CHOICES, names=st.booleans())
    def vote(self, who: str, choice: int, names: bool) -> None:
        self.cast(who, choice, names=names)

    def cast(self, who: str, chosen: int, *, names: bool) -> None:
        motion = self.open()
        assert motion is not None
        choice = [*motion.options, "forged"][chosen]
        model, seat = self.models[motion.id], self.world.seats[who]
        sealed = motion.secrecy is Secrecy.SEALED
        replaces = self._mark(motion, seat) if names else ""
        act, why = (actions.cast_sealed, "") if sealed else (actions.cast, "理由")
        done = self.attempt(act, who, motion_id=motion.id, choice=choice, reason=why, replaces=replaces)
        entry = next((e for e in model.roll if e.seat_id == seat), None)
        if done is None:
            return
        assert entry is not None and entry.entitled and choice in motion.options and who not in self.recused  # noqa: PT018
        assert (seat in model.choices) == bool(replaces)
        model.choices[seat] = choice

    def _mark(self, motion: Motion, seat: str) -> str:
        with self.world.db() as db:
            own = queries.own_ballot(db, motion, seat)
            return own.mark if own else ""

    @precondition(lambda self: self.open() is not None)
    @rule()
    def call_last(self) -> None:
        motion = self.open()
        assert motion is not None
        self.attempt(actions.last_call, "chair", motion_id=motion.id)

    @precondition(lambda self: self.open() is not None)
    @rule()
    def close(self) -> None:
        motion = self.open()
        assert motion is not None
        result = self.world.act(actions.close_motion, "chair", motion_id=motion.id)
        choices = self.models[motion.id].choices
        assert result.cast == len(choices)
        counted = {option: n for option, n in result.counts.items() if n}
        assert counted == Counter(choices.values()) if result.carried != "lapsed" else result.counts == {}
        self.ends[motion.id] = self.end_of(motion.id)
        self.seen[f"{result.carried}, {motion.secrecy.value}"] += 1

    def end_of(self, motion_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return how a motion ended: its one closing event, and its tally as it is stored."""
        (closing,) = (e for e in self.told(CLOSED) if e["motion"] == motion_id)
        with self.world.db() as db:
            return closing, db.exec(select(Tally).where(Tally.motion_id == motion_id)).one().model_dump()

    @precondition(lambda self: self.ends)
    @rule(who=MEMBERS, newest=st.booleans())
    def vote_late(self, who: str, newest: bool) -> None:
        ended = next(m for m in self.motions() if m.id == list(self.ends)[-1 if newest else 0])
        act, why = (actions.cast_sealed, "") if ended.secrecy is Secrecy.SEALED else (actions.cast, "理由")
        mark = self._mark(ended, self.world.seats[who])
        late = {"motion_id": ended.id, "choice": ended.options[0], "reason": why, "replaces": mark}
        assert self.attempt(act, who, **late) is None
        self.seen["late"] += 1

    @rule()
    def announce(self) -> None:
        announced = self.world.act(actions.announce, "chair", hearing_id=self.world.hearing_id)
        assert all(motion.state in {MotionState.CLOSED, MotionState.LAPSED} for motion in announced)
        self.seen["announced"] += len(announced)

    @rule(newest=st.booleans())
    def annul(self, newest: bool) -> None:
        motions = self.motions()
        if motions:
            self.attempt(actions.annul, "chair", motion_id=motions[-1 if newest else 0].id, ground="理由")

    @rule(newest=st.booleans())
    def put_again(self, newest: bool) -> None:
        ended = [m for m in self.motions() if m.state in {MotionState.ANNULLED, MotionState.LAPSED, MotionState.CLOSED}]
        if ended:
            self.attempt(actions.repeat, "chair", motion_id=ended[-1 if newest else 0].id)

    @precondition(lambda self: len(self.recused) < 2)
    @rule(who=st.sampled_from(EVERYBODY[1:]))
    def recuse(self, who: str) -> None:
        before = self.open()
        what = {"seat_id": self.world.seats[who], "ground": "interest", "statement": "回避"}
        if self.attempt(committees.recuse, who, **what) is not None:
            self.recused.add(who)
            assert self.open() is None
            if before is not None:
                self.models.pop(before.id)

    @rule(who=MEMBERS)
    def come_or_go(self, who: str) -> None:
        with self.world.db() as db:
            away = len(EVERYBODY) - len(self.recused) - len(committee_queries.present(db, self.world.hearing_id))
        if away > 2 or self.attempt(committees.leave, who, hearing_id=self.world.hearing_id) is None:
            for key in EVERYBODY:
                self.attempt(committees.arrive, key, hearing_id=self.world.hearing_id)

    @invariant()
    def at_most_one_motion_is_open(self) -> None:
        if hasattr(self, "world"):
            assert sum(m.state is MotionState.OPEN for m in self.motions()) <= 1

    @invariant()
    def sealed_ballots_and_keys_are_there_only_while_their_motion_is_open(self) -> None:
        if not hasattr(self, "world"):
            return
        open_one = self.open()
        secret = open_one if open_one is not None and open_one.secrecy is Secrecy.SEALED else None
        with self.world.db() as db:
            seats = {row.seat_id for row in db.exec(select(SealedBallot)).all()}
        assert seats == (set(self.models[secret.id].choices) if secret else set())
        held = [m.id for m in self.motions() if key_file(self.world, m).exists()]
        assert held == ([secret.id] if secret else [])

    @invariant()
    def rolls_never_change(self) -> None:
        if hasattr(self, "world"):
            with self.world.db() as db:
                assert all(list(queries.roll(db, id)) == model.roll for id, model in self.models.items())

    @invariant()
    def nobody_off_the_roll_is_counted(self) -> None:
        for closing in self.told(CLOSED):
            entitled = {e.seat_id for e in self.models[closing["motion"]].roll if e.entitled}
            assert set(closing["participation"]) <= entitled

    @invariant()
    def participation_is_sorted_and_names_nobody_twice(self) -> None:
        for closing in self.told(CLOSED):
            assert closing["participation"] == sorted(set(closing["participation"]))

    @invariant()
    def counts_sum_to_the_turnout(self) -> None:
        for closing in self.told(CLOSED):
            counts = closing["result"]["counts"]
            assert closing["result"]["cast"] == len(closing["participation"])
            assert sum(counts.values()) == len(closing["participation"]) or (counts, closing["carried"]) == (
                {},
                "lapsed",
            )

    @invariant()
    def nobody_counts_who_was_recused_before_the_closing(self) -> None:
        recused: set[str] = set()
        for event in self.told():
            if event["kind"] == "committees.seat_recused":
                recused.add(event["seat"])
            assert event["kind"] != CLOSED or not recused & set(event["participation"])
        assert len(recused) == len(self.recused) if hasattr(self, "world") else True

    @invariant()
    def nothing_is_accepted_after_closing(self) -> None:
        over: set[str] = set()
        for event in self.told("votes."):
            if event["kind"] in {CLOSED, "votes.motion_annulled"}:
                over.add(event["motion"])
            assert event["kind"] != "votes.ballot_cast" or event["motion"] not in over

    @invariant()
    def a_closed_result_never_changes(self) -> None:
        if hasattr(self, "world"):
            assert {id: self.end_of(id) for id in self.ends} == self.ends
            assert {closing["motion"] for closing in self.told(CLOSED)} == set(self.ends)

    def audit_holds(self) -> None:
        """Audit the installation as its operator would: record, checkpoints, every tally, keys."""
        with self.world.db() as db:
            audited = list(audit.audit(db, ballot_keys=self.world.site.settings.ballot_keys))
        assert [str(one.problem) for one in audited if one.problem] == []

    def check_every_closed_motion(self) -> None:
        """Recheck everything from the record alone, as an outsider would."""
        told = self.told("votes.")
        opened = {e["motion"]: e for e in told if e["kind"] == "votes.motion_opened"}
        for closing in (e for e in told if e["kind"] == CLOSED):
            opening = opened[closing["motion"]]
            if opening["secrecy"] == "sealed":
                assert tally.check_sealed(opening, closing) == []
                assert not any(e["kind"] == "votes.ballot_cast" and e["motion"] == closing["motion"] for e in told)
            else:
                ballots = [e for e in told if e["kind"] == "votes.ballot_cast" and e["motion"] == closing["motion"]]
                assert tally.check_open(opening, ballots, closing) == []


@pytest.mark.timeout(300)
def test_any_course_of_votes_keeps_the_invariants(template: Path) -> None:
    Votes.template = template
    Votes.seen.clear()
    few = settings(
        max_examples=24,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    run_state_machine_as_test(Votes, settings=few)
    print(dict(Votes.seen))
    assert [what for what in COME_TO_PASS if not Votes.seen[what]] == []
