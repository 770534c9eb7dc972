"""What an opening is judged by: seats, presence, motions and rules as they stand, read once for every motion."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from panel.committees import queries as committees
from panel.committees.models import Seat
from panel.core import hooks
from panel.core.errors import Reason
from panel.rulebook.rules import ProcedureRules
from panel.votes import rules, tally
from panel.votes.models import Motion, RollEntry
from panel.votes.queries import rows
from panel.votes.tally import CARRIED, DEFERRED, Result, RollLine, Rule


def lines_of(roll: Sequence[RollEntry]) -> list[RollLine]:
    """Return a roll as the tally reads it."""
    return [RollLine(e.seat_id, e.entitled, due=e.due, category=e.category, reason=e.reason) for e in roll]


@dataclass(frozen=True)
class Chamber:
    """The committee at this moment, as far as votes ask."""

    phase: str
    procedure: ProcedureRules
    seats: Sequence[Seat]
    recused: frozenset[str]
    present: frozenset[str]
    motions: Sequence[Motion]
    results: dict[str, Result]

    def ended(self, carried: str) -> set[str]:
        """Return the ids of the motions that ended so."""
        return {id for id, result in self.results.items() if result.carried == carried}

    def roll(self, motion: Motion) -> list[RollEntry]:
        """Return the roll as it would be frozen now, by seat number; recused seats stand on it with the reason."""
        return [self._entry(motion, seat) for seat in self.seats if not seat.alternate]

    def _entry(self, motion: Motion, seat: Seat) -> RollEntry:
        votes = self.procedure.votes_on(seat.category, motion.kind)
        reason = "recused" if seat.id in self.recused else "" if votes else "category"
        return RollEntry(
            motion_id=motion.id, seat_id=seat.id, person_id=seat.person_id, number=seat.number,
            category=seat.category, due=seat.id not in self.recused, entitled=not reason, reason=reason,
        )  # fmt: skip

    def why_not_open(self, motion: Motion, roll: Sequence[RollEntry]) -> Reason | None:
        """Return why voting on a motion cannot be opened now: order of business, quorum, number of voters."""
        rule = Rule.from_json(motion.rule)
        return (
            rules.why_not_open(motion, self.motions, self.ended(CARRIED), self.phase)
            or rules.why_not_sit(tally.sitting(rule, lines_of(roll), self.present))
            or rules.why_not_entitled(sum(entry.entitled for entry in roll), rule, motion.secrecy)
        )

    def why_not_repeat(self, motion: Motion) -> Reason | None:
        """Return why a motion is not put again."""
        return rules.why_not_repeat(motion, self.motions, self.ended(DEFERRED), Rule.from_json(motion.rule))


def chamber(db: Session, case_id: str, hearing_id: str) -> Chamber:
    """Read the committee as it stands."""
    motions = rows.motions(db, hearing_id)
    return Chamber(
        phase=hooks.phase_of(db, hearing_id),
        procedure=committees.procedure_rules(db, case_id),
        seats=committees.all_seats(db, case_id),
        recused=frozenset(committees.recused(db, case_id)),
        present=frozenset(committees.present(db, hearing_id)),
        motions=motions,
        results=rows.results(db, motions),
    )
