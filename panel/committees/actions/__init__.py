"""Writes: forming a committee and what happens on its seats; keeping the roster."""

from panel.committees.actions.roster import change_roster_member, import_roster, remove_from_roster
from panel.committees.actions.seats import (
    arrive,
    declare,
    form_committee,
    leave,
    recuse,
    refuse_recusal,
    seat,
    seat_alternate,
)

__all__ = [
    "arrive",
    "change_roster_member",
    "declare",
    "form_committee",
    "import_roster",
    "leave",
    "recuse",
    "refuse_recusal",
    "remove_from_roster",
    "seat",
    "seat_alternate",
]
