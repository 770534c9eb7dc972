"""The outbox: a mail is written with the act that causes it, and sent by a timer over SMTP.

A server that hangs or refuses delays nobody: the mail waits and is tried again, later each time. What was delivered
keeps its address and subject; its text, which may hold a link, is erased.
"""

import smtplib
import ssl
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, update
from sqlalchemy.orm import aliased
from sqlmodel import Field, Session, col, select

from panel.core import clock
from panel.core.config import Settings
from panel.core.db import Row, unasked
from panel.core.errors import Label

PATIENCE = 10.0
"""Seconds that a mail server may take for each of its answers."""

DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720))
"""How long a mail waits after each attempt that failed; after the last it is given up."""

AT_ONCE = 20


class MailState(StrEnum):
    """What has become of a mail."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


STATES = {"waiting": Label("waiting"), "sent": Label("sent"), "failed": Label("given up")}


@unasked
class OutgoingMail(Row, table=True):
    """A mail on its way. `problem`: what the server said last; never a text of the mail."""

    __tablename__ = "outgoing_mail"

    to: str = Field(max_length=254)
    subject: str = Field(max_length=200)
    text: str
    state: MailState = MailState.WAITING
    tries: int = 0
    next_try_at: datetime = Field(default_factory=clock.now, index=True)
    sent_at: datetime | None = None
    problem: str = Field(default="", max_length=300)


def configured(settings: Settings) -> bool:
    """Say whether this installation sends mail."""
    return bool(settings.smtp_host and settings.mail_from)


def option(settings: Settings) -> Mapping[str, str]:
    """Return what travels with the engine that writes, so that acts know whether mail is sent, and in which zone."""
    return {"mail_zone": settings.zone if configured(settings) else ""}


def zone(db: Session) -> ZoneInfo | None:
    """Return the zone in which mails tell times; None where no mail is sent."""
    name = db.get_bind().get_execution_options().get("mail_zone", "")
    return ZoneInfo(name) if name else None


def due(db: Session, now: datetime) -> list[OutgoingMail]:
    """Return the mails whose time has come, the oldest first, some at once."""
    waiting = select(OutgoingMail).where(OutgoingMail.state == MailState.WAITING, OutgoingMail.next_try_at <= now)
    return list(db.exec(waiting.order_by(col(OutgoingMail.created_at)).limit(AT_ONCE)).all())


def queue(db: Session) -> list[OutgoingMail]:
    """Return the latest mails, the newest first, for administration."""
    return list(db.exec(select(OutgoingMail).order_by(col(OutgoingMail.created_at).desc()).limit(200)).all())


def send(settings: Settings, mails: list[OutgoingMail]) -> dict[str, str]:
    """Hand mails to the server; returns by id what went wrong, an empty text for those that it took."""
    said: dict[str, str] = {}
    try:
        with _server(settings) as server:
            for mail in mails:
                said[mail.id] = _hand_over(server, settings, mail)
    except (OSError, smtplib.SMTPException) as problem:
        return {mail.id: said.get(mail.id, _told(problem)) for mail in mails}
    return said


def why_unreachable(settings: Settings) -> str:
    """Say why the server takes no mail from here; an empty text when it does. Sends none."""
    try:
        with _server(settings) as server:
            server.noop()
    except (OSError, smtplib.SMTPException) as problem:
        return _told(problem)
    return ""


def _server(settings: Settings) -> smtplib.SMTP:
    host, port = settings.smtp_host, settings.smtp_port
    if settings.smtp_tls == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=PATIENCE, context=ssl.create_default_context())
    else:
        server = smtplib.SMTP(host, port, timeout=PATIENCE)
    if settings.smtp_tls == "starttls":
        server.starttls(context=ssl.create_default_context())
    if settings.smtp_user:
        server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
    return server


def _hand_over(server: smtplib.SMTP, settings: Settings, mail: OutgoingMail) -> str:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings.mail_from, mail.to, mail.subject
    message["Date"], message["Message-ID"] = format_datetime(clock.now()), make_msgid(domain="heyi.invalid")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text, cte="base64")
    try:
        server.send_message(message)
    except smtplib.SMTPResponseException as problem:
        return _told(problem)
    except smtplib.SMTPRecipientsRefused as problem:
        code, words = next(iter(problem.recipients.values()))
        return f"{code} {words.decode(errors='replace')}"[:300]
    return ""


def _told(problem: Exception) -> str:
    if isinstance(problem, smtplib.SMTPResponseException):
        words = problem.smtp_error
        return f"{problem.smtp_code} {words.decode(errors='replace') if isinstance(words, bytes) else words}"[:300]
    return (str(problem) or type(problem).__name__)[:300]


def settle(work: Any, actor: Any, *, said: dict[str, str]) -> None:
    """Keep what became of mails that were handed over: sent ones lose their text, the others wait or are given up."""
    for id, problem in said.items():
        mail = work.db.get(OutgoingMail, id)
        if mail is None or mail.state is not MailState.WAITING:
            continue
        mail.tries, mail.problem = mail.tries + 1, problem
        if not problem:
            mail.state, mail.sent_at, mail.text = MailState.SENT, work.now, ""
        elif mail.tries > len(DELAYS) or problem.startswith("5"):
            mail.state, mail.text = MailState.FAILED, ""
        else:
            mail.next_try_at = work.now + DELAYS[mail.tries - 1]


def write(work: Any, *, to: str, subject: str, text: str) -> None:
    """Put a mail into the outbox, with the act that causes it."""
    work.add_unrecorded(OutgoingMail(to=to, subject=subject, text=text))


def given_up(db: Session) -> int:
    """Return how many mails were given up and not made good since by one that reached the same address."""
    later = aliased(OutgoingMail)
    reached = select(later.id).where(
        later.to == OutgoingMail.to, later.state == MailState.SENT, col(later.created_at) > OutgoingMail.created_at
    )
    failed = select(func.count()).select_from(OutgoingMail).where(OutgoingMail.state == MailState.FAILED)
    return db.exec(failed.where(~reached.exists())).one()


def strike(work: Any, actor: Any) -> int:
    """Strike the mails that were given up from the outbox; returns how many."""
    return int(work.db.execute(delete(OutgoingMail).where(col(OutgoingMail.state) == MailState.FAILED)).rowcount)


def try_again(work: Any, actor: Any) -> None:
    """Let every waiting mail be tried at once: the server was mended."""
    waiting = update(OutgoingMail).where(col(OutgoingMail.state) == MailState.WAITING)
    work.db.execute(waiting.values(next_try_at=work.now))
