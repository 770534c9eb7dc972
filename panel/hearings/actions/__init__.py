"""Writes of the hearing: its course, the floor, what is said, the minutes."""

from panel.hearings.actions.course import adjourn, next_step, pause, resume, schedule
from panel.hearings.actions.floor import end_turn, extend_turn, give_floor, request_floor, withdraw_request
from panel.hearings.actions.minutes import confirm, settle
from panel.hearings.actions.words import answer, ask, put_away, show_exhibit, write_note

__all__ = [
    "adjourn",
    "answer",
    "ask",
    "confirm",
    "end_turn",
    "extend_turn",
    "give_floor",
    "next_step",
    "pause",
    "put_away",
    "request_floor",
    "resume",
    "schedule",
    "settle",
    "show_exhibit",
    "withdraw_request",
    "write_note",
]
