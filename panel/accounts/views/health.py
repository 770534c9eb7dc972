"""Backups and health: what `panel doctor` and `/readyz` judge, on a page of administration."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlmodel import Session
from starlette.responses import Response
from starlette.routing import Route

from panel import VERSION
from panel.accounts import queries
from panel.accounts.models import Person
from panel.core import clock, health, mail
from panel.core.db import product, time_at, version_of
from panel.core.errors import Label, Reason
from panel.core.health import Aside, Found, Grade
from panel.core.hooks import Problem
from panel.core.mode import REMEDIES, SAID, Trouble
from panel.core.pages import Reading, Site, page
from panel.record import queries as record

PATIENCE = 2.0
"""Seconds for which the page waits for the mail server's answer; it comes into the next page."""

HERE = "/administration/health"
STATES = {Grade.WRONG: Label("wrong"), Grade.CARE: Label("take care"), Grade.FINE: Label("in order")}


@dataclass(frozen=True)
class Line:
    """One thing that was looked at."""

    title: Reason
    found: Found


def problems(db: Session, site: Site) -> list[Problem]:
    """Return what is wrong with the installation itself (hooks.PROBLEMS)."""
    found = []
    disk, backup = _disk(site), health.of_backup(health.noted(site.settings.data, health.BACKUP), clock.now())
    if disk.grade is Grade.WRONG:
        found.append(Problem(disk.told, Reason("See what to do"), HERE, disk.grade))
    if backup.grade is Grade.WRONG and (backup.at is not None or _had_a_night(db)):
        found.append(Problem(backup.told, Reason("See how backups are made"), HERE, backup.grade))
    if count := mail.given_up(db):
        title = Reason("Mails that were given up: %(n)s.", n=count)
        found.append(Problem(title, Reason("See to them"), "/administration/mail"))
    if lacking := queries.lacking_factor(db, site.settings.second_factor):
        title = Reason("People who must have a second factor and have none: %(n)s.", n=len(lacking))
        found.append(Problem(title, Reason("See who"), f"{HERE}#factors"))
    return found


def _had_a_night(db: Session) -> bool:
    """Say whether a nightly backup could have been made: until then there is little to lose and nothing was missed."""
    begun = min((person.created_at for person in queries.people(db)), default=None)
    return begun is not None and clock.now() - begun > health.BACKUP_AGE


@page("accounts.see_administration")
def show(reading: Reading) -> Response:
    """What was looked at, each thing with how it is and what to do; the worst first among its like."""
    site, lacking = reading.site, queries.lacking_factor(reading.db, reading.site.settings.second_factor)
    last = health.noted(site.settings.data, health.BACKUP)
    groups = [
        ("backups", Reason("Backups"), list(_kept(site, last))),
        ("installation", Reason("The installation"), list(_running(reading))),
        ("factors", Reason("Who signs in"), list(_signing_in(site, lacking))),
    ]
    worst = min(line.found.grade for _, _, lines in groups for line in lines)
    return reading.render(
        "accounts/health.html", groups=groups, states=STATES, worst=worst, lacking=lacking, last=last, version=VERSION,
    )  # fmt: skip


def _kept(site: Site, last: health.Noted | None) -> Iterator[Line]:
    now, rehearsed = clock.now(), health.noted(site.settings.data, health.REHEARSAL)
    yield Line(Reason("Last backup"), health.of_backup(last, now))
    yield Line(Reason("Last rehearsal of a restore"), health.of_rehearsal(rehearsed, now))


def _running(reading: Reading) -> Iterator[Line]:
    site = reading.site
    yield Line(Reason("Record"), _record(reading))
    yield Line(Reason("Database"), _database(reading))
    yield Line(Reason("Writing"), _writing(site))
    yield Line(Reason("Disk"), _disk(site))
    yield Line(Reason("Clock"), _clock(reading))
    yield Line(Reason("Several processes"), _processes(site))
    yield Line(Reason("Mail server"), _mail(site))


def _signing_in(site: Site, lacking: Sequence[Person]) -> Iterator[Line]:
    yield Line(Reason("Second factor"), health.of_factors(site.settings.second_factor, len(lacking)))
    yield Line(Reason("Confirming before grave acts"), health.of_proof(site.settings.proof_minutes))


def _record(reading: Reading) -> Found:
    site, size = reading.site, record.head(reading.db).size
    if site.mode.has(Trouble.RECORD):
        return _trouble(Trouble.RECORD)
    if site.areas["ready"].holds("record"):
        return Found(Grade.FINE, Reason("%(n)s entries; found whole when serving began.", n=size))
    return Found(Grade.CARE, Reason("%(n)s entries; they are being read. Look again in a moment.", n=size))


def _database(reading: Reading) -> Found:
    version = version_of(reading.site.reading)
    if (reason := health.why_not_schema(version)) is not None:
        return Found(Grade.WRONG, reason)
    name = product(reading.db.connection())
    return Found(Grade.FINE, Reason("%(database)s, schema %(schema)s as this program has it.", database=name,
                                    schema=version))  # fmt: skip


def _trouble(trouble: Trouble) -> Found:
    return Found(Grade.WRONG, SAID[trouble], REMEDIES[trouble])


def _writing(site: Site) -> Found:
    trouble = site.mode.trouble
    return Found(Grade.FINE, Reason("What is sent is recorded.")) if trouble is None else _trouble(trouble)


def _disk(site: Site) -> Found:
    return health.of_room(shutil.disk_usage(site.settings.data).free)


def _clock(reading: Reading) -> Found:
    if not reading.site.areas["ready"].holds("clock"):
        return _trouble(Trouble.CLOCK)
    theirs = time_at(reading.db.connection())
    if theirs is None:
        return Found(Grade.FINE, Reason("The clock runs evenly."))
    return health.of_offset(theirs, Reason("the database"), clock.now())


def _processes(site: Site) -> Found:
    heard = site.areas["ready"].holds("redis")
    if heard is None:
        return Found(Grade.FINE, Reason("No Redis is set: one process needs none."))
    if heard:
        return Found(Grade.FINE, Reason("Redis is heard: what one process acknowledges, the others show at once."))
    mend = Reason("Look at Redis and the setting redis. Until then processes hear each other once a second.")
    return Found(Grade.WRONG, Reason("Redis is not heard."), mend)


def _mail(site: Site) -> Found:
    if not mail.configured(site.settings):
        return health.of_mail(False, "")
    asked: Aside = site.areas.setdefault("mail_server", Aside(lambda: mail.why_unreachable(site.settings)))
    return health.of_mail(True, asked.answer(PATIENCE))


routes = [Route(HERE, show, name="accounts.health")]
