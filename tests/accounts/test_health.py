"""Backups and health: each thing is judged as the doctor judges it, becomes a problem, and vanishes when mended."""

import json
import shutil
import socket
import threading
from collections import namedtuple
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from sqlmodel import select

from panel.accounts.models import Person, SecondFactor
from panel.cli import stamps
from panel.core import clock, health, hooks, mail
from panel.core.health import Aside, Grade, Noted
from panel.core.mail import MailState, OutgoingMail
from panel.core.mode import REMEDIES, Trouble
from panel.work import Work
from tests.factories import World
from tests.serving import free_port

PATH = "/administration/health"
TITLES = {
    "disk": "MB are free",
    "none": "There has been no backup yet.",
    "old": "The last backup is too old.",
    "mail": "Mails that were given up",
    "factor": "People who must have a second factor",
}


@pytest.fixture
def real(world: World) -> World:
    """A world of people who are no characters of a rehearsal, and who can sign in."""

    def change(work: Work) -> None:
        for person in work.db.exec(select(Person)).all():
            person.fictional = False

    world.work(change)
    return world


def found(world: World) -> list[str]:
    """Return what of TITLES is a problem now, in the order in which it is shown."""
    with world.db() as db:
        told = [problem.title.msgid for problem in hooks.problems(db, world.site)]
    return [key for title in told for key, begins in TITLES.items() if begins in title]


def days_later(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(days=days))


def test_a_new_installation_is_not_told_off_before_its_first_night(
    real: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found(real) == []
    days_later(monkeypatch, 1.2)
    assert found(real) == ["none"]
    stamps.note(real.folder, stamps.BACKUP)
    assert found(real) == []
    days_later(monkeypatch, 1.2)
    assert found(real) == ["old"]


def test_a_disk_that_is_nearly_full_comes_first(real: World, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda folder: usage(10**9, 10**9, 10**8))
        assert found(real) == ["disk"]
        page = real.client("system").get("/administration").text
        assert page.index(f'href="{PATH}"') < page.index("task-list")
    assert found(real) == []


def write(world: World, to: str, state: MailState) -> None:
    world.work(lambda work: work.add_unrecorded(OutgoingMail(to=to, subject="账户", text="", state=state)))


def test_a_mail_that_was_given_up_is_a_problem_until_the_address_is_reached(real: World) -> None:
    write(real, "a@example.cn", MailState.FAILED)
    assert found(real) == ["mail"]
    write(real, "b@example.cn", MailState.SENT)
    assert found(real) == ["mail"]
    write(real, "a@example.cn", MailState.SENT)
    assert found(real) == []


def test_a_mail_that_was_given_up_is_struck_by_who_has_seen_to_it(real: World) -> None:
    write(real, "a@example.cn", MailState.FAILED)
    client = real.client("system")
    fields = real.token(client, "/administration/mail")
    answer = client.post("/administration/mail/striking", data=fields, follow_redirects=False)
    assert (answer.status_code, found(real)) == (303, [])
    with real.db() as db:
        assert mail.queue(db) == []


@pytest.mark.parametrize(
    ("setting", "people"),
    [("off", set()), ("officers", {"chair", "secretary", "system", "security", "audit", "clerk"})],
)
def test_who_lacks_a_second_factor_is_named_until_they_have_one(real: World, setting: str, people: set[str]) -> None:
    real.site.settings.second_factor = setting  # type: ignore[assignment]  # one of its words
    assert found(real) == (["factor"] if people else [])
    names = {key: name for key, name in _names(real).items() if key in people}
    page = real.client("audit").get(PATH).text.partition('id="factors"')[2]
    assert {key for key, name in _names(real).items() if f"<bdi>{name}</bdi>" in page} == set(names)

    def set_up(work: Work) -> None:
        for key in people:
            work.add_unrecorded(SecondFactor(person_id=real.people[key], sealed=b"x", confirmed_at=clock.now()))

    real.work(set_up)
    assert found(real) == []


def _names(world: World) -> dict[str, str]:
    with world.db() as db:
        return {key: db.get_one(Person, id).name for key, id in world.people.items()}


def shown(world: World, who: str = "audit") -> str:
    answer = world.client(who).get(PATH, headers={"accept-language": "en"})
    assert answer.status_code == 200
    return answer.text


def test_without_a_backup_the_page_says_how_one_is_made(world: World) -> None:
    page = shown(world)
    assert "There has been no backup yet." in page
    assert "panel backup FOLDER --data DATA --keep 14" in page


def test_a_backup_is_told_with_size_and_command_and_without_paths(world: World) -> None:
    stamps.note(world.folder, stamps.BACKUP, by="panel migrate", size=12_345_678)
    page = shown(world)
    assert [word for word in ("12.3 MB", "panel migrate", "recent enough") if word not in page] == []
    hidden = (str(world.folder), world.site.settings.secret.get_secret_value(), "panel.sqlite")
    assert [word for word in hidden if word in page] == []


def test_a_note_that_cannot_be_read_is_no_backup(world: World) -> None:
    for spoilt in ("{", "[]", '{"at": 7}'):
        (world.folder / stamps.BACKUP).write_text(spoilt)
        assert health.noted(world.folder, health.BACKUP) is None
    (world.folder / stamps.BACKUP).write_text(json.dumps({"at": clock.rfc3339(clock.now())}))
    assert "recent enough" in shown(world)


@pytest.mark.parametrize("trouble", list(Trouble))
def test_read_only_is_told_with_what_to_do(world: World, trouble: Trouble) -> None:
    client = world.client("audit")
    client.headers["accept-language"] = "en"
    assert "What is sent is recorded." in client.get(PATH).text
    world.site.mode.enter(trouble)
    page = unescape(client.get(PATH).text)
    assert ("What is sent is recorded." in page, REMEDIES[trouble].msgid.split("(")[0] in page) == (False, True)


@pytest.fixture
def hanging() -> Iterator[int]:
    """A mail server that takes the call and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def point(world: World, port: int) -> None:
    settings = world.site.settings
    settings.smtp_host, settings.smtp_port, settings.smtp_tls = "127.0.0.1", port, "none"
    settings.mail_from = "heyi@example.cn"


def test_a_mail_server_that_hangs_holds_the_page_up_for_no_longer_than_its_patience(
    world: World, hanging: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("panel.accounts.views.health.PATIENCE", 0.2)
    point(world, hanging)
    begun = clock.monotonic()
    assert "has not answered yet" in shown(world)
    assert clock.monotonic() - begun < mail.PATIENCE / 2


def test_a_mail_server_that_is_not_there_is_told(world: World) -> None:
    point(world, free_port())
    assert "does not take mail" in shown(world)


def test_a_look_is_made_once_at_a_time_and_its_answer_kept() -> None:
    go, looks = threading.Event(), list[int]()

    def look() -> str:
        looks.append(1)
        go.wait(30)
        return "answered"

    aside = Aside(look)
    assert [aside.answer(0.01), aside.answer(0.01)] == [None, None]
    go.set()
    assert [aside.answer(30), aside.answer(30), len(looks)] == ["answered", "answered", 1]
    assert Aside(lambda: str(1 // 0)).answer(30) == "ZeroDivisionError"


@pytest.mark.parametrize(
    ("hours", "grade"), [(0, Grade.FINE), (25.9, Grade.FINE), (26.1, Grade.WRONG), (None, Grade.WRONG)]
)
def test_the_age_of_a_backup_is_judged_in_one_place(hours: float | None, grade: Grade) -> None:
    now = clock.now()
    last = None if hours is None else Noted(now - timedelta(hours=hours))
    assert health.of_backup(last, now).grade is grade


def test_the_page_and_the_doctor_say_the_same_of_disk_backup_and_rehearsal(world: World) -> None:
    page = shown(world)
    now = clock.now()
    for judged in (health.of_backup(None, now), health.of_rehearsal(None, now)):
        assert judged.told.msgid in page
