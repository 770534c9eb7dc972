"""Writes: people, passwords, sign-in sessions."""

from panel.accounts.actions.people import add_person, change_password, choose_display, choose_locale
from panel.accounts.actions.sessions import (
    end_other_sessions,
    end_session,
    end_sessions_of,
    keep_seen,
    sign_in,
    sign_out,
)

__all__ = [
    "add_person",
    "change_password",
    "choose_display",
    "choose_locale",
    "end_other_sessions",
    "end_session",
    "end_sessions_of",
    "keep_seen",
    "sign_in",
    "sign_out",
]
