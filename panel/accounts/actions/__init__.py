"""Writes: people, passwords, offices, sign-in sessions."""

from panel.accounts.actions.factors import (
    begin_factor,
    confirm_factor,
    remove_factor,
    renew_codes,
    use_recovery_code,
    use_step,
)
from panel.accounts.actions.links import choose_password, invite_person, make_link, sweep_links
from panel.accounts.actions.offices import add_administrator, describe, end_office, give_office
from panel.accounts.actions.passkeys import (
    add_passkey,
    remove_passkey,
    sweep_challenges,
    take_factors_away,
    use_passkey,
)
from panel.accounts.actions.people import (
    add_person,
    change_password,
    choose_display,
    choose_locale,
    disable,
    enable,
    invite_people,
)
from panel.accounts.actions.sessions import (
    end_other_sessions,
    end_session,
    end_sessions_of,
    keep_seen,
    prove,
    sign_in,
    sign_out,
)

__all__ = [
    "add_administrator",
    "add_passkey",
    "add_person",
    "begin_factor",
    "change_password",
    "choose_display",
    "choose_locale",
    "choose_password",
    "confirm_factor",
    "describe",
    "disable",
    "enable",
    "end_office",
    "end_other_sessions",
    "end_session",
    "end_sessions_of",
    "give_office",
    "invite_people",
    "invite_person",
    "keep_seen",
    "make_link",
    "prove",
    "remove_factor",
    "remove_passkey",
    "renew_codes",
    "sign_in",
    "sign_out",
    "sweep_challenges",
    "sweep_links",
    "take_factors_away",
    "use_passkey",
    "use_recovery_code",
    "use_step",
]
