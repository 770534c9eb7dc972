"""Cases told as events alone: what an honest log would hold, and what a lying one would."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from panel.cases.models import Case
from panel.decisions.events import DecisionIssued, FindingMade
from panel.decisions.models import Finding
from panel.dissents.events import DissentFiled
from panel.hearings.events import StageBegun
from panel.record import checkpoint, queries
from panel.record.commitment import canonical
from panel.record.events import Event, Level
from panel.record.note import SigningKey
from panel.verify.bundle import seal
from panel.verify.export import export_case
from panel.votes import tally
from panel.votes.events import BallotCast, MotionClosed, MotionOpened, ResultAnnounced
from panel.votes.models import Motion, MotionKind, MotionState, Secrecy, Tally
from panel.votes.tally import RollLine, Rule
from panel.work import Work
from tests.factories import World
from tests.record.sayings import NOON, note

KEY = SigningKey("heyi/test", bytes(range(32)))
CATEGORIES = ("legal", "discipline", "organization", "legal", "expert", "expert", "public", "stakeholder", "media")
SEATS = tuple(f"{number:032x}" for number in range(1, 10))
OUTSIDE = frozenset({"stakeholder", "media"})
FACT = Rule.from_json({"majority": "1/2", "strict": True, "passing": "established", "contrary": "not_established"})
DISPOSITION = Rule.from_json({"majority": "2/3", "strict": False, "compared": ["approve", "disapprove"]})
FACT_OPTIONS = ["established", "not_established", "undetermined"]
OPTIONS = ["approve", "disapprove", "defer", "abstain"]

CANARY = "金丝雀"
"""Stands in every text that a public bundle must not show."""


@dataclass(frozen=True)
class Teller:
    """Who tells the story: knows the case's ids, which stand in every event."""

    case_id: str

    @property
    def common(self) -> dict[str, Any]:
        """Return what every event carries."""
        return {"case_id": self.case_id, "hearing_id": "e" * 32, "actor_id": "a" * 32, "closed": True}

    def opened(self, number: int, *, sealed: bool = False, **change: Any) -> MotionOpened:
        """Return the opening of a motion, frozen as the product freezes it."""
        roll = [
            RollLine(seat, not (sealed and category in OUTSIDE), category=category)
            for seat, category in zip(SEATS, CATEGORIES, strict=True)
        ]
        question = f"第{number}问：{CANARY}是否属实？"
        frozen: dict[str, Any] = {
            "motion": f"{number:x}" * 32, "number": number, "motion_kind": "disposition" if sealed else "fact",
            "question_sha256": tally.text_sha256(question), "outcome": "mitigate" if sealed else None,
            "secrecy": "sealed" if sealed else "open", "options": OPTIONS if sealed else FACT_OPTIONS,
            "rule": (DISPOSITION if sealed else FACT).to_json(), "roll": [line.to_json() for line in roll],
            "public_key": "b" * 64 if sealed else "", "repeats": None,
        }  # fmt: skip
        entitled = sum(line.entitled for line in roll)
        told = {"roll_size": 9, "entitled": entitled, "frozen_sha256": tally.frozen_sha256(frozen)}
        return MotionOpened(**{**frozen, "question": question, **told, **change, **self.common})

    def cast(self, opened: MotionOpened, seat: int, choice: str, *, name: str = "", replaces: str = "") -> BallotCast:
        """Return an open ballot of a seat (1 to 9)."""
        return BallotCast(
            motion=opened.motion, ballot=name or f"ballot {seat}", seat=SEATS[seat - 1], choice=choice,
            reason=f"{CANARY}理由", replaces=replaces or None, frozen_sha256=opened.frozen_sha256, **self.common,
        )  # fmt: skip

    def closed(
        self, opened: MotionOpened, counted: Mapping[str, int], seats: Iterable[int], **change: Any
    ) -> MotionClosed:
        """Return the closing that such counts give; `change` lies about it."""
        sealed = opened.secrecy == "sealed"
        rule, roll = Rule.from_json(opened.rule), [RollLine.from_json(line) for line in opened.roll]
        result = tally.tally(rule, opened.options, roll=roll, present=SEATS, counts=counted, secret=sealed)
        told: dict[str, Any] = {
            "motion": opened.motion, "number": opened.number, "carried": result.carried, "settled": result.settled,
            "outcome_published": tally.FULL, "counts": result.counts, "present": sorted(SEATS),
            "participation": sorted(SEATS[seat - 1] for seat in seats), "key_destroyed": sealed,
            "result": result.to_json(),
        }  # fmt: skip
        return MotionClosed(**{**told, **change, **self.common})

    def open_vote(self, number: int = 1, **change: Any) -> list[Event]:
        """Return a question of fact: nine ballots, one of them replaced; 6 to 2 with 1 undetermined."""
        opened = self.opened(number)
        choices = ["established"] * 5 + ["not_established"] * 3 + ["undetermined"]
        ballots = [self.cast(opened, seat, choice) for seat, choice in enumerate(choices, start=1)]
        again = self.cast(opened, 6, "established", name="ballot 6 again", replaces="ballot 6")
        counts = {"established": 6, "not_established": 2, "undetermined": 1}
        return [opened, *ballots, again, self.closed(opened, counts, range(1, 10), **change)]

    def sealed_vote(self, number: int = 2, **change: Any) -> list[Event]:
        """Return a disposition in a sealed vote: 5 to 1 with 1 abstention, of the seven who may vote."""
        opened = self.opened(number, sealed=True)
        return [opened, self.closed(opened, {"approve": 5, "disapprove": 1, "abstain": 1}, range(1, 8), **change)]

    def announced(self, number: int) -> ResultAnnounced:
        """Return the announcement of a motion's result outside the panel."""
        return ResultAnnounced(motion=f"{number:x}" * 32, number=number, **self.common)

    def finding(self, **change: Any) -> FindingMade:
        """Return the finding that follows from the two votes, with one dissent."""
        fact = {
            "number": 1, "question_sha256": self.opened(1).question_sha256, "motion": 1, "carried": "carried",
            "settled": "established",
        }  # fmt: skip
        disposition = {"id": "2" * 32, "number": 2, "outcome": "mitigate", "carried": "carried"}
        told = {"finding": "f", "outcome": "mitigate", "facts": [fact], "motions": [disposition], "dissents": 1}
        return FindingMade(**{**told, **change, **self.common})

    def decision(self, **change: Any) -> DecisionIssued:
        """Return a decision that adopts the finding."""
        told: dict[str, Any] = {
            "decision": "d", "number": "容决〔2026〕1号", "outcome": "mitigate", "measure": "", "adopts": True,
            "reasons": f"{CANARY}理由", "reasons_sha256": "0" * 64, "departure_reasons": "", "approver": "",
            "measures": 0, "corrective": [],
        }  # fmt: skip
        return DecisionIssued(**{**told, **change, **self.common})

    def dissent(self) -> DissentFiled:
        """Return a dissent on the disposition."""
        return DissentFiled(
            dissent="d1", number=1, dissent_kind="dissent", subject_kind="motion", subject="2" * 32, seat=SEATS[2],
            consideration="", waives_secrecy=False, text=f"{CANARY}不同意见", text_sha256="0" * 64, **self.common,
        )  # fmt: skip

    def whole(self) -> list[Event]:
        """Return a case from deliberation to decision."""
        return [
            StageBegun(phase="motions", **self.common),
            note(f"{CANARY}第一", case=self.case_id),
            *self.open_vote(), *self.sealed_vote(), self.dissent(), note(CANARY, case=self.case_id),
            self.announced(1), self.announced(2), self.finding(), self.decision(),
        ]  # fmt: skip


def tell(world: World, events: Sequence[Event]) -> None:
    """Put events on the record of a world's case, each as an act of its own would."""
    world.work(lambda work: [work.record(event) for event in events])


def show(world: World) -> None:
    """Add the rows that the votes and the finding of the whole story would have added."""
    world.work(lambda work: _show(work, world, Teller(world.case_id)))


def _show(work: Work, world: World, teller: Teller) -> None:
    for opened, closed in ((story[0], story[-1]) for story in (teller.open_vote(), teller.sealed_vote())):
        assert isinstance(opened, MotionOpened)
        assert isinstance(closed, MotionClosed)
        work.add(
            Motion(
                id=opened.motion, case_id=world.case_id, hearing_id="e" * 32, number=opened.number,
                kind=MotionKind(opened.motion_kind), question=opened.question, secrecy=Secrecy(opened.secrecy),
                state=MotionState.CLOSED, options=opened.options, rule=opened.rule,
            )
        )  # fmt: skip
        work.db.flush()
        work.add(Tally(motion_id=opened.motion, case_id=world.case_id, result=closed.result))
    finding = teller.finding()
    work.add(
        Finding(
            case_id=world.case_id, hearing_id="e" * 32, outcome=finding.outcome, facts=finding.facts,
            motions=finding.motions, dissents=1,
        )
    )  # fmt: skip


def token_of(world: World) -> str:
    """Return the record token of a world's case."""
    with world.db() as db:
        return db.get_one(Case, world.case_id).record_token


def bundle(world: World, level: Level = Level.PUBLIC, *, stream: str = "") -> bytes:
    """Publish a checkpoint and export the case for an audience."""
    engine = world.site.writer._engine  # type: ignore[attr-defined]  # the writer itself
    published = checkpoint.publish(engine, KEY, NOON)
    with Session(engine) as db:
        return export_case(db, stream=stream or token_of(world), level=level, key=KEY, checkpoint=published)


def resealed(world: World, content: Mapping[str, Any], key: SigningKey = KEY) -> bytes:
    """Sign a changed bundle anew, as only the log itself could."""
    with world.db() as db:
        size = queries.head(db).size
        return seal({k: v for k, v in content.items() if k != "length"}, key, size=size, root=queries.root(db, size))


def rewritten(data: bytes) -> dict[str, Any]:
    """Return a bundle's JSON, to be changed."""
    value: dict[str, Any] = json.loads(data)
    return value


def written(value: object) -> bytes:
    """Return JSON in the form that a bundle has."""
    return canonical(value) + b"\n"
