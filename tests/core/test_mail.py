"""The outbox over real SMTP: delivered, refused, a server that hangs, one that is not there."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlmodel import select

from panel.core import clock, mail
from panel.core.mail import MailState, OutgoingMail
from tests.factories import World
from tests.serving import free_port

TEXT = "链接：https://heyi.example/links/reset/一次性的内容"


class Mailbox:
    """What the server took; it refuses what goes to `refused`."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("refused"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("busy"):
            return "451 4.3.0 try again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        return "250 OK"


@pytest.fixture
def box(world: World) -> Iterator[Mailbox]:
    """A mail server that this world knows."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    point(world, controller.port)
    yield mailbox
    controller.stop()


def point(world: World, port: int) -> None:
    settings = world.site.settings
    settings.smtp_host, settings.smtp_port, settings.smtp_tls = "127.0.0.1", port, "none"
    settings.mail_from = "heyi@example.cn"


def write(world: World, *to: str) -> None:
    def act(work: Any) -> None:
        for address in to:
            mail.write(work, to=address, subject="重设密码", text=TEXT)

    world.work(act)


def post(world: World) -> None:
    """Do what the timer does."""
    with world.db() as db:
        due = mail.due(db, clock.now())
        db.expunge_all()
    world.work(partial(mail.settle, actor=None, said=mail.send(world.site.settings, due)))


def rows(world: World) -> list[OutgoingMail]:
    with world.db() as db:
        found = list(db.exec(select(OutgoingMail)).all())
        db.expunge_all()
    return sorted(found, key=lambda row: row.to)


def test_a_mail_arrives_whole_and_leaves_no_text_behind(world: World, box: Mailbox) -> None:
    write(world, "luo@example.cn")
    post(world)
    (message,) = box.taken
    assert (message["to"], message["subject"], message.get_content().strip()) == ("luo@example.cn", "重设密码", TEXT)
    (row,) = rows(world)
    assert (row.state, row.text, row.tries, row.problem) == (MailState.SENT, "", 1, "")
    post(world)
    assert len(box.taken) == 1


def test_one_that_is_refused_for_good_is_given_up_and_holds_up_no_other(world: World, box: Mailbox) -> None:
    write(world, "busy@example.cn", "luo@example.cn", "refused@example.cn")
    post(world)
    busy, sent, refused = rows(world)
    assert [row.state for row in (busy, sent, refused)] == [MailState.WAITING, MailState.SENT, MailState.FAILED]
    assert (refused.problem, refused.text) == ("550 5.1.1 no such mailbox", "")
    assert (busy.problem, busy.text) == ("451 4.3.0 try again", TEXT)
    assert busy.next_try_at > clock.now() + mail.DELAYS[0] - timedelta(seconds=30)
    assert [message["to"] for message in box.taken] == ["luo@example.cn"]


def test_a_mail_that_never_goes_is_given_up_after_its_last_delay(world: World) -> None:
    point(world, free_port())
    write(world, "luo@example.cn")
    for _ in range(len(mail.DELAYS) + 1):
        world.work(partial(mail.try_again, actor=None))
        post(world)
    (row,) = rows(world)
    assert (row.state, row.tries, row.text) == (MailState.FAILED, len(mail.DELAYS) + 1, "")


@contextmanager
def hanging() -> Iterator[int]:
    """A server that takes a connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        taken: list[socket.socket] = []
        threading.Thread(target=lambda: taken.append(listening.accept()[0]), daemon=True).start()
        yield int(listening.getsockname()[1])
        for each in taken:
            each.close()


def test_a_server_that_hangs_is_given_up_after_its_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "PATIENCE", 0.3)
    write(world, "luo@example.cn")
    with hanging() as port:
        point(world, port)
        post(world)
    (row,) = rows(world)
    assert (row.state, row.tries, row.text) == (MailState.WAITING, 1, TEXT)
    assert "timed out" in row.problem


def test_the_administrator_sees_what_waits_and_why_but_no_text(world: World) -> None:
    point(world, free_port())
    write(world, "luo@example.cn")
    post(world)
    client = world.client("system")
    page = client.get("/administration/mail").text
    assert "luo@example.cn" in page
    assert "待发送" in page
    assert "refused" in page
    assert "links/reset" not in page
    fields = world.token(client, "/administration/mail")
    assert client.post("/administration/mail", data=fields, follow_redirects=False).status_code == 303
    assert rows(world)[0].next_try_at <= clock.now()


def test_an_act_that_is_refused_writes_no_mail(world: World) -> None:
    def act(work: Any) -> None:
        mail.write(work, to="luo@example.cn", subject="x", text=TEXT)
        raise ValueError

    with pytest.raises(ValueError):
        world.work(act)
    assert rows(world) == []
