"""Writes: telling people, by mail, what has changed about how they sign in (ASVS 6.3.7).

With the act itself: who was told, and of what, is as durable as the change. Whoever took over an account cannot
silence it, since the address is not theirs to change. Nobody is told where there is no mail, or no address.
"""

from enum import StrEnum

from panel.accounts import queries
from panel.accounts.models import Person
from panel.core import mail
from panel.core.errors import Reason
from panel.core.i18n import show_datetime, translator
from panel.work import Work


class News(StrEnum):
    """What somebody is told of."""

    PASSWORD = "password"
    FACTOR_ADDED = "factor_added"
    FACTOR_REMOVED = "factor_removed"
    RECOVERY_CODE = "recovery_code"
    RECOVERY_CODES = "recovery_codes"
    NEW_DEVICE = "new_device"


SUBJECTS = {
    News.PASSWORD: Reason("Your password was changed"),
    News.FACTOR_ADDED: Reason("A second factor was added to your account"),
    News.FACTOR_REMOVED: Reason("A second factor was taken from your account"),
    News.RECOVERY_CODE: Reason("A recovery code of yours was used"),
    News.RECOVERY_CODES: Reason("Your recovery codes were made anew"),
    News.NEW_DEVICE: Reason("Your account was used on a device that is new to us"),
}


def tell(work: Work, person_id: str, news: News, *, more: str = "") -> None:
    """Write somebody a mail of what has happened, in their language; `more`: on which device."""
    person, zone = work.db.get(Person, person_id), mail.zone(work.db)
    if person is None or zone is None or not person.mail:
        return
    words, row = translator(person.locale), queries.installation(work.db)
    contact = row.contact if row is not None else ""
    lines = [
        words.reason(Reason("%(name)s:", name=person.name)), "",
        words.reason(SUBJECTS[news]),
        " · ".join(filter(None, (show_datetime(work.now, words.locale, zone), more))), "",
        words.reason(Reason("If that was you, you need do nothing.")),
        words.reason(Reason(
            "If it was not, tell whoever runs this installation at once: %(contact)s", contact=contact or "–"
        )),
    ]  # fmt: skip
    mail.write(work, to=person.mail, subject=words.reason(SUBJECTS[news]), text="\n".join(lines) + "\n")
