"""Writes: moving, opening, casting, closing, annulling, announcing."""

from panel.votes.actions.ballots import cast, cast_sealed
from panel.votes.actions.closing import announce, annul, annul_for_recusal, close_motion, sweep
from panel.votes.actions.motions import last_call, move, move_facts, open_motion, repeat

__all__ = [
    "announce",
    "annul",
    "annul_for_recusal",
    "cast",
    "cast_sealed",
    "close_motion",
    "last_call",
    "move",
    "move_facts",
    "open_motion",
    "repeat",
    "sweep",
]
