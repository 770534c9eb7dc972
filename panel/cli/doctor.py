"""The doctor: looks at everything that an installation needs, and tells on one screen what is wrong, worst first."""

import json
import platform
import shutil
import socket
import ssl
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from sqlalchemy import Engine, make_url
from sqlmodel import Session

from panel import VERSION
from panel.cli.record import Data, Locale, installed, usage
from panel.cli.serve import why_not_keys, why_not_schema, why_not_serve
from panel.core import clock, health, mail
from panel.core.config import Misconfigured, Settings, load
from panel.core.db import product, reading_engine, time_at, version_of
from panel.core.errors import Reason, Refused
from panel.core.health import Found, Grade
from panel.core.i18n import DEFAULT_LOCALE, Translator
from panel.record import checkpoint, queries
from panel.verify import audit as auditing

PATIENCE = 5.0
"""Seconds that another server may take to answer."""

CERTIFICATE_LEFT = timedelta(days=14)
"""A certificate that ends sooner than this should have been renewed."""


MARKS = {Grade.WRONG: "✗", Grade.CARE: "!", Grade.FINE: "✓"}


@dataclass(frozen=True)
class Patient:
    """An installation that is looked at."""

    settings: Settings
    engine: Engine
    http_date: str = ""


Look = Callable[[Patient], Iterator[Found]]


def doctor(
    http_date: Annotated[str, typer.Option(help="An http(s) address whose Date the clock is compared with.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, settings included.")] = False,
    data: Data = None,
    locale: Locale = DEFAULT_LOCALE,
) -> None:
    """Look at everything an installation needs; the worst first, with what to do. Exit 1: something is wrong."""
    settings, words = installed(data, locale)
    if http_date and urlsplit(http_date).scheme not in {"http", "https"}:
        usage(words.reason(Reason("%(address)s is no http or https address.", address=http_date)))
    patient = Patient(settings, reading_engine(settings.database_url), http_date)
    try:
        found = sorted(examined(patient), key=lambda each: each[1].grade)
    finally:
        patient.engine.dispose()
    if as_json:
        typer.echo(json.dumps(_as_json(found, settings, words), ensure_ascii=False, indent=2))
    else:
        typer.echo("\n".join(_lines(found, settings, words)))
    raise typer.Exit(1 if any(each.grade is Grade.WRONG for _, each in found) else 0)


def examined(patient: Patient) -> Iterator[tuple[str, Found]]:
    """Take every look; one that fails is itself something wrong, and hides no other."""
    for code, look in LOOKS.items():
        try:
            for each in look(patient):
                yield code, each
        except Exception as problem:
            yield code, Found(Grade.WRONG, Reason("This could not be looked at: %(why)s", why=_why(problem)))


def _why(problem: Exception) -> Reason | str:
    return problem.reason if isinstance(problem, Refused) else f"{type(problem).__name__}: {problem}".splitlines()[0]


def _lines(found: list[tuple[str, Found]], settings: Settings, words: Translator) -> Iterator[str]:
    for code, each in found:
        at = f" {clock.rfc3339(each.at)}" if each.at else ""
        yield f"{MARKS[each.grade]} {code:<10} {words.reason(each.told)}{at}"
        if each.mend is not None:
            yield f"  {'':<10} → {words.reason(each.mend)}"
    changed = {name: value for name, value in _told(settings).items() if value != _default(name)}
    yield words.reason(Reason("Settings that are not as they come:"))
    yield from (f"  {name} = {json.dumps(value, ensure_ascii=False)}" for name, value in changed.items())


def _as_json(found: list[tuple[str, Found]], settings: Settings, words: Translator) -> dict[str, Any]:
    looks = [
        {"check": code, "grade": each.grade.name.lower(), "told": words.reason(each.told),
         "mend": words.reason(each.mend) if each.mend else None,
         "at": clock.rfc3339(each.at) if each.at else None}
        for code, each in found
    ]  # fmt: skip
    return {
        "well": all(each.grade is not Grade.WRONG for _, each in found),
        "found": looks,
        "settings": _told(settings),
    }


def _told(settings: Settings) -> dict[str, Any]:
    """Return the settings as they may be read aloud over the telephone."""
    told = {name: value for name, value in settings.told().items() if name not in {"secret", "former_secrets"}}
    database = make_url(settings.database_url).set(query={}).render_as_string(hide_password=True)
    hosts: dict[str, Any] = {
        "checkpoint_hooks": [_host(each) for each in settings.checkpoint_hooks],
        "timestamp_authority": _host(settings.timestamp_authority),
    }
    return {**told, "database": database, **hosts}


def _host(address: str) -> str:
    return f"{urlsplit(address).scheme}://{urlsplit(address).hostname}" if address else ""


def _default(name: str) -> Any:
    field = Settings.model_fields[name]
    value = "" if field.is_required() else field.get_default()
    return str(value) if isinstance(value, Path) else [] if value == () else "" if name == "smtp_password" else value


def _settings(patient: Patient) -> Iterator[Found]:
    try:
        settings = load(patient.settings.data)
    except Misconfigured as wrong:
        for name, problem in wrong.problems:
            yield Found(Grade.WRONG, Reason("%(name)s: %(problem)s", name=name, problem=problem), MEND_SETTINGS)
        return
    if (reason := why_not_serve(settings)) is not None:
        yield Found(Grade.WRONG, reason, MEND_SETTINGS)
    else:
        yield Found(Grade.FINE, Reason("The settings hold."))


MEND_SETTINGS = Reason("Mend it in settings.toml or in the environment, and start the server again.")


def _versions(patient: Patient) -> Iterator[Found]:
    if (reason := why_not_schema(patient.settings)) is not None:
        yield Found(Grade.WRONG, reason)
    with patient.engine.connect() as connection:
        python, database = platform.python_version(), product(connection)
    schema = version_of(patient.engine)
    told = Reason("Heyi %(version)s, Python %(python)s, %(database)s, schema %(schema)s", version=VERSION,
                  python=python, database=database, schema=schema)  # fmt: skip
    yield Found(Grade.FINE, told)


def _disk(patient: Patient) -> Iterator[Found]:
    yield health.of_room(shutil.disk_usage(patient.settings.data).free)


def _clock(patient: Patient) -> Iterator[Found]:
    with patient.engine.connect() as connection:
        theirs = time_at(connection)
    if theirs is not None:
        yield _offset(theirs, Reason("the database"))
    if patient.http_date:
        yield _offset(_date_of(patient.http_date), urlsplit(patient.http_date).hostname or "")
    elif theirs is None:
        yield Found(Grade.FINE, Reason("The clock was compared with none: name one with --http-date."))


def _offset(theirs: datetime, whose: Reason | str) -> Found:
    return health.of_offset(theirs, whose, clock.now())


def _date_of(address: str) -> datetime:
    asked = urllib.request.Request(address, method="HEAD")
    with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
        return parsedate_to_datetime(answer.headers["Date"]).astimezone(UTC)


def _tls(patient: Patient) -> Iterator[Found]:
    for origin in patient.settings.origins:
        if origin.startswith("https://"):
            yield _certificate(origin)


def _certificate(origin: str) -> Found:
    address = urlsplit(origin)
    try:
        ends = _ends(address.hostname or "", address.port or 443)
    except OSError as problem:
        told = Reason("%(origin)s: no TLS that a browser would trust: %(why)s", origin=origin, why=problem)
        return Found(Grade.WRONG, told, Reason("Look at the proxy and its certificate."))
    told = Reason("%(origin)s: the certificate holds until %(day)s.", origin=origin, day=ends.date().isoformat())
    if ends - clock.now() > CERTIFICATE_LEFT:
        return Found(Grade.FINE, told)
    return Found(Grade.CARE, told, Reason("Renew it, and see that it is renewed by itself."))


def _ends(host: str, port: int) -> datetime:
    """Return when a host's certificate ends; raises OSError where it cannot be reached or is not to be trusted."""
    context = ssl.create_default_context()
    with (
        socket.create_connection((host, port), PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        certificate = secured.getpeercert()
    assert certificate is not None, "a context that verifies has the certificate"
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)


def _backup(patient: Patient) -> Iterator[Found]:
    yield health.of_backup(health.noted(patient.settings.data, health.BACKUP), clock.now())


def _rehearsal(patient: Patient) -> Iterator[Found]:
    yield health.of_rehearsal(health.noted(patient.settings.data, health.REHEARSAL), clock.now())


def _record(patient: Patient) -> Iterator[Found]:
    settings = patient.settings
    key = checkpoint.read_key(settings.record_key).verifier
    with Session(patient.engine) as db:
        size = queries.head(db).size
        audited = list(auditing.audit(db, key=key, ballot_keys=settings.ballot_keys))
    broken = [each.problem for each in audited if each.problem is not None]
    for problem in broken:
        yield Found(Grade.WRONG, problem, Reason("Change nothing, keep a copy of everything, and run panel audit."))
    if not broken:
        yield Found(Grade.FINE, Reason("The record holds: %(n)s entries; every open tally was counted again.", n=size))


def _mail(patient: Patient) -> Iterator[Found]:
    configured = mail.configured(patient.settings)
    yield health.of_mail(configured, mail.why_unreachable(patient.settings) if configured else "")


def _keys(patient: Patient) -> Iterator[Found]:
    if (reason := why_not_keys(patient.settings)) is not None:
        yield Found(Grade.WRONG, reason)
    else:
        yield Found(Grade.FINE, Reason("Nobody but their owner may read the keys."))


LOOKS: dict[str, Look] = {
    "settings": _settings,
    "keys": _keys,
    "record": _record,
    "versions": _versions,
    "disk": _disk,
    "clock": _clock,
    "tls": _tls,
    "backup": _backup,
    "rehearsal": _rehearsal,
    "mail": _mail,
}
"""By its code, what is looked at; among equally bad things the order in which they are told."""
