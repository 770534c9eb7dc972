"""Writes of the hearing: its course, the floor, what is said, the minutes."""

from panel.hearings.actions.course import adjourn, darken, next_step, pause, resume, schedule
from panel.hearings.actions.floor import (
    end_turn,
    extend_turn,
    give_floor,
    request_floor,
    stand_aside,
    withdraw_request,
)
from panel.hearings.actions.minutes import confirm, settle, settle_overdue
from panel.hearings.actions.words import answer, ask, jot, put_away, show_exhibit, write_note

__all__ = [
    "adjourn",
    "answer",
    "ask",
    "confirm",
    "darken",
    "end_turn",
    "extend_turn",
    "give_floor",
    "jot",
    "next_step",
    "pause",
    "put_away",
    "request_floor",
    "resume",
    "schedule",
    "settle",
    "settle_overdue",
    "show_exhibit",
    "stand_aside",
    "withdraw_request",
    "write_note",
]
