"""Any course of a committee's votes keeps the invariants: hypothesis plays chair, members and recusals."""

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
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
from sqlalchemy import text
from sqlmodel import col, select

from panel.committees import actions as committees
from panel.committees import queries as committee_queries
from panel.core.errors import Refused
from panel.record import queries as record
from panel.record.events import Event
from panel.record.models import RecordBody, RecordEntry
from panel.verify import audit
from panel.votes import actions, queries, tally
from panel.votes.events import MotionClosed, ResultAnnounced
from panel.votes.models import Ballot, Motion, MotionState, RollEntry, SealedBallot, Secrecy, Tally
from tests.factories import World, make_world
from tests.votes.chamber import EVERYBODY, events, key_file, sit

MEMBERS = st.sampled_from(EVERYBODY)
CHOICES = st.integers(0, 3)
"""Which option of the motion; questions of fact have no fourth, and so a forged one."""

NINE = st.lists(CHOICES, min_size=len(EVERYBODY), max_size=len(EVERYBODY)) | st.lists(
    st.sampled_from((0, 0, 0, 0, 0, 1)), min_size=len(EVERYBODY), max_size=len(EVERYBODY)
)
"""What everybody chooses: anything, or mostly the first option."""

COME_TO_PASS = (
    "cast", "cast_sealed", "open_motion", "annul", "repeat", "recuse", "leave", "late", "announced",
    "carried, open", "lost, open", "carried, sealed", "lost, sealed", "lapsed, sealed",
)  # fmt: skip
"""What must have happened in the courses of one run: what never happens is not tested."""

OUTCOMES = st.sampled_from((None, "exempt", "mitigate", "deny"))


@dataclass
class Model:
    """What the test expects: the choices that were acknowledged, the roll and the recused as they were at opening."""

    choices: dict[str, str] = field(default_factory=dict)
    roll: list[RollEntry] = field(default_factory=list)
    recused: set[str] = field(default_factory=set)

    def entitled(self) -> set[str]:
        """Return the seats that may vote."""
        return {entry.seat_id for entry in self.roll if entry.entitled}


@dataclass(frozen=True)
class Ended:
    """All that a closed motion is, as it is stored: nothing but its announcement may come after."""

    state: MotionState
    closed_at: datetime | None
    tally: Mapping[str, Any]
    participation: Sequence[str]
    ballots: Sequence[tuple[str, str, str]]
    closing: Mapping[str, Any]


class Votes(RuleBasedStateMachine):
    """A committee that opens, casts, replaces, recuses, closes, announces, annuls and repeats in any order."""

    template: Path
    seen: ClassVar[Counter[str]] = Counter()

    @initialize(outcome=OUTCOMES, choices=NINE, ends=st.booleans())
    def come_together(self, outcome: str | None, choices: list[int], ends: bool) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.world: World = sit(make_world(self.folder / "world", self.template))
        self.models: dict[str, Model] = {}
        self.recused: set[str] = set()
        self.ended: dict[str, Ended] = {}
        self.announced: list[str] = []
        self.late: list[str] = []
        self.put(outcome)
        self.all_vote(choices)
        if ends:
            self.close()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                self.check_every_closed_motion()
                self.the_audit_of_the_whole_record_holds()
            finally:
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

    def told(self, kind: type[Event]) -> list[dict[str, Any]]:
        """Return what the record tells in events of a kind, in its order."""
        same = RecordEntry.index == RecordBody.index
        with self.world.db() as db:
            wanted = select(RecordBody).join(RecordEntry, same).where(RecordEntry.kind == kind.kind)  # type: ignore[arg-type]  # SQLModel types columns as values
            bodies = db.exec(wanted.order_by(col(RecordBody.index))).all()
        return [{**json.loads(body.public), **json.loads(body.private)} for body in bodies]

    def stored(self, motion: Motion) -> Ended:
        """Return what is stored of a motion that has ended."""
        (closing,) = (event for event in self.told(MotionClosed) if event["motion"] == motion.id)
        with self.world.db() as db:
            ballots = db.exec(select(Ballot).where(Ballot.motion_id == motion.id)).all()
            return Ended(
                motion.state, motion.closed_at, db.get_one(Tally, motion.id).result, self.participation(motion.id),
                sorted((ballot.id, ballot.seat_id, ballot.choice) for ballot in ballots), closing,
            )  # fmt: skip

    def participation(self, motion_id: str) -> list[str]:
        """Return who took part in a sealed motion, in the order in which the rows lie in the file."""
        rows = text("SELECT seat_id FROM participation WHERE motion_id = :motion ORDER BY rowid")
        with self.world.db() as db:
            return list(db.connection().execute(rows, {"motion": motion_id}).scalars())

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
                self.models[opened.id] = Model(roll=list(queries.roll(db, opened.id)), recused=set(self.recused))

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
        self.cast_on(motion, who, chosen, names=names)

    @precondition(lambda self: self.ended != {})
    @rule(who=MEMBERS, choice=CHOICES, names=st.booleans(), newest=st.booleans())
    def vote_too_late(self, who: str, choice: int, names: bool, newest: bool) -> None:
        over = [motion for motion in self.motions() if motion.id in self.ended]
        self.cast_on(over[-1 if newest else 0], who, choice, names=names)
        self.seen["late"] += 1

    def cast_on(self, motion: Motion, who: str, chosen: int, *, names: bool) -> None:
        choice = [*motion.options, "forged"][chosen]
        model, seat = self.models[motion.id], self.world.seats[who]
        sealed = motion.secrecy is Secrecy.SEALED
        replaces = self._mark(motion, seat) if names else ""
        act, why = (actions.cast_sealed, "") if sealed else (actions.cast, "理由")
        done = self.attempt(act, who, motion_id=motion.id, choice=choice, reason=why, replaces=replaces)
        if done is None:
            return
        if motion.id in self.ended:
            self.late.append(seat)
            return
        assert choice in motion.options
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
        self.seen[f"{result.carried}, {motion.secrecy.value}"] += 1
        self.ended[motion.id] = self.stored(next(m for m in self.motions() if m.id == motion.id))

    @rule()
    def announce(self) -> None:
        due = [id for id in self.ended if id not in self.announced]
        now = self.world.act(actions.announce, "chair", hearing_id=self.world.hearing_id)
        assert sorted(motion.id for motion in now) == sorted(due)
        self.announced += [motion.id for motion in now]
        self.seen["announced"] += len(now)

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
        what = {"seat_id": self.world.seats[who], "ground": "interest", "statement": "回避"}
        if self.attempt(committees.recuse, who, **what) is not None:
            self.recused.add(self.world.seats[who])

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
    def nobody_off_the_roll_is_counted(self) -> None:
        for id, model in self.counting():
            took_part = self.ended[id].closing["participation"] if id in self.ended else []
            assert {*model.choices, *took_part} <= model.entitled()

    @invariant()
    def counts_are_the_acknowledged_choices_and_sum_to_the_turnout(self) -> None:
        for id, ended in self.closed():
            result, acknowledged = ended.closing["result"], self.models[id].choices
            assert result["cast"] == len(ended.closing["participation"]) == len(acknowledged)
            counted = {option: n for option, n in result["counts"].items() if n}
            assert counted == ({} if result["carried"] == "lapsed" else Counter(acknowledged.values()))

    @invariant()
    def participation_is_sorted_and_tells_no_order(self) -> None:
        for id, ended in self.closed():
            told = ended.closing["participation"]
            assert told == sorted(self.models[id].choices)
            assert ended.participation == (told if ended.closing["key_destroyed"] else [])

    @invariant()
    def a_recused_member_never_counts(self) -> None:
        for id, model in self.counting():
            assert not set(model.choices) & (model.recused if id in self.ended else self.recused)

    @invariant()
    def nothing_is_accepted_after_closing(self) -> None:
        for id, ended in self.closed():
            with self.world.db() as db:
                now = db.exec(select(Ballot.id).where(Ballot.motion_id == id)).all()
            assert sorted(now) == [ballot for ballot, _, _ in ended.ballots]
            assert self.late == []

    @invariant()
    def a_closed_result_never_changes(self) -> None:
        if hasattr(self, "world"):
            now = {motion.id: self.stored(motion) for motion in self.motions() if motion.id in self.ended}
            assert now == self.ended

    @invariant()
    def each_result_is_announced_once_and_none_before_its_closing(self) -> None:
        if hasattr(self, "world"):
            assert [event["motion"] for event in self.told(ResultAnnounced)] == self.announced
            assert {m.id for m in self.motions() if m.announced_at} == set(self.announced) <= set(self.ended)

    def closed(self) -> list[tuple[str, Ended]]:
        """Return the motions that were closed, as they were at closing."""
        return list(self.ended.items()) if hasattr(self, "world") else []

    def counting(self) -> list[tuple[str, Model]]:
        """Return the motions whose ballots count or may yet: the open one and those that were closed."""
        if not hasattr(self, "world"):
            return []
        open_one = self.open()
        return [
            (id, model) for id, model in self.models.items() if id in self.ended or (open_one and open_one.id == id)
        ]

    @invariant()
    def rolls_never_change(self) -> None:
        if hasattr(self, "world"):
            with self.world.db() as db:
                assert all(list(queries.roll(db, id)) == model.roll for id, model in self.models.items())

    def the_audit_of_the_whole_record_holds(self) -> None:
        """At the end of each course: it reads everything from the first entry."""
        with self.world.db() as db:
            found = list(audit.audit(db, ballot_keys=self.world.site.settings.ballot_keys))
        assert [one.problem for one in found if one.problem] == []

    def check_every_closed_motion(self) -> None:
        """Recheck everything from the record alone, as an outsider would."""
        told = events(self.world, "votes.")
        opened = {e["motion"]: e for e in told if e["kind"] == "votes.motion_opened"}
        for closing in (e for e in told if e["kind"] == "votes.motion_closed"):
            opening = opened[closing["motion"]]
            if opening["secrecy"] == "sealed":
                assert tally.check_sealed(opening, closing) == []
                assert not any(e["kind"] == "votes.ballot_cast" and e["motion"] == closing["motion"] for e in told)
            else:
                ballots = [e for e in told if e["kind"] == "votes.ballot_cast" and e["motion"] == closing["motion"]]
                assert tally.check_open(opening, ballots, closing) == []


@pytest.mark.timeout(600)
def test_any_course_of_votes_keeps_the_invariants(template: Path) -> None:
    Votes.template = template
    Votes.seen.clear()
    few = settings(
        max_examples=14,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    run_state_machine_as_test(Votes, settings=few)
    assert [what for what in COME_TO_PASS if not Votes.seen[what]] == []
