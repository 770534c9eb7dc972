"""Read-only: which failures mean it, when a clock is believed, and what becomes of acts and of mail meanwhile."""

import asyncio
import errno
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from panel import timers
from panel.core import mail
from panel.core.errors import Reason, Refused
from panel.core.mode import JUMP_SECONDS, SAID, STEADY_SECONDS, Mode, NotWritten, Steadiness, Trouble, trouble_of
from panel.hearings import actions
from panel.hearings.models import Phase
from panel.work import Work
from tests.factories import World
from tests.hearings.course import hold_until

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def by_sqlite(code: int) -> Exception:
    failure = sqlite3.OperationalError("said by SQLite")
    failure.sqlite_errorcode = code
    return OperationalError("COMMIT", {}, failure)


def by_postgresql(state: str) -> Exception:
    failure = Exception("said by PostgreSQL")
    failure.sqlstate = state  # type: ignore[attr-defined]  # as the driver's errors have it
    return OperationalError("COMMIT", {}, failure)


@pytest.mark.parametrize(
    ("failure", "means"),
    [
        (by_sqlite(sqlite3.SQLITE_FULL), Trouble.DISK),
        (by_sqlite(sqlite3.SQLITE_IOERR_FSYNC), Trouble.STORAGE),
        (by_sqlite(sqlite3.SQLITE_CORRUPT), Trouble.STORAGE),
        (by_sqlite(sqlite3.SQLITE_BUSY), None),
        (by_sqlite(sqlite3.SQLITE_CONSTRAINT_UNIQUE), None),
        (by_postgresql("53100"), Trouble.DISK),
        (by_postgresql("58030"), Trouble.STORAGE),
        (by_postgresql("23505"), None),
        (OSError(errno.ENOSPC, "no room"), Trouble.DISK),
        (OSError(errno.EROFS, "read-only"), Trouble.STORAGE),
        (OSError(errno.ENOENT, "not there"), None),
        (Refused(Reason("You may not do this.")), None),
    ],
)
def test_a_failure_of_disk_or_storage_is_told_from_every_other(failure: Exception, means: Trouble | None) -> None:
    assert trouble_of(failure) is means


def test_the_cause_of_a_failure_counts_too() -> None:
    failure = RuntimeError("an exhibit was not kept")
    failure.__cause__ = OSError(errno.EDQUOT, "no room")
    assert trouble_of(failure) is Trouble.DISK


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "no room"), OSError(errno.EIO, "broken")])
def test_an_act_that_meets_a_full_disk_is_undone_with_its_whole_commit(world: World, failure: Exception) -> None:
    def fails(work: Work) -> None:
        work.db.connection().exec_driver_sql("UPDATE person SET name = '改了' WHERE login = 'luo'")
        raise failure

    with pytest.raises(NotWritten) as told:
        world.work(fails)
    trouble = trouble_of(failure)
    assert (told.value.status, world.site.mode.trouble) == (503, trouble)
    with world.db() as db:
        changed = db.connection().exec_driver_sql("SELECT count(*) FROM person WHERE name = '改了'").scalar()
    assert changed == 0
    with pytest.raises(NotWritten, match="Read-only"):
        world.work(lambda work: None)
    assert world.site.writer.submit(lambda work: "probed", probing=True).result(5) == "probed"


def test_a_refusal_is_no_trouble(world: World) -> None:
    with pytest.raises(Refused):
        world.act(actions.write_note, "luo", hearing_id=world.hearing_id, text="不是记录员")
    assert world.site.mode.trouble is None


def test_the_gravest_trouble_is_told_and_each_is_left_by_itself() -> None:
    mode, heard = Mode(), list[Trouble | None]()
    mode.changed = lambda: heard.append(mode.trouble)
    for trouble in (Trouble.DISK, Trouble.DISK, Trouble.CLOCK):
        mode.enter(trouble)
    for trouble in (Trouble.CLOCK, Trouble.RECORD, Trouble.DISK):
        mode.leave(trouble)
    assert heard == [Trouble.DISK, Trouble.CLOCK, Trouble.DISK, None]
    assert mode.refusal() is None


def test_what_was_typed_is_kept_and_the_page_says_when_to_try_again(world: World) -> None:
    hold_until(world, Phase.QUESTIONS)
    client = world.client("recorder")
    world.site.mode.enter(Trouble.DISK)
    page = client.get(f"/hearings/{world.hearing_id}")
    assert 'class="read-only" id="read-only" data-trouble="disk"' in page.text
    sent = {**world.token(client, f"/hearings/{world.hearing_id}"), "text": "黄某说：当时没有先例。"}
    answer = client.post(f"/hearings/{world.hearing_id}/notes", data=sent)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert "只读：磁盘已满。现在提交的内容不会被记录。" in answer.text
    assert '<li class="typed plain-text">黄某说：当时没有先例。</li>' in answer.text
    changes = client.get(f"/hearings/{world.hearing_id}/changes?since=-1")
    assert changes.headers["panel-trouble"] == "disk"
    world.site.mode.leave(Trouble.DISK)
    assert client.post(f"/hearings/{world.hearing_id}/notes", data=sent, follow_redirects=False).status_code == 303
    assert "panel-trouble" not in client.get(f"/hearings/{world.hearing_id}/changes?since=-1").headers


def test_an_administrator_reads_what_to_do_and_the_public_nothing(world: World) -> None:
    client = world.client("system")
    world.site.mode.enter(Trouble.RECORD)
    page = client.get("/administration").text
    assert "请停止服务，原样保留现有数据" in page
    assert "read-only" not in world.client().get("/public").text


@pytest.mark.parametrize("trouble", [None, Trouble.DISK])
def test_no_mail_leaves_that_could_not_be_noted_as_sent(
    world: World, monkeypatch: pytest.MonkeyPatch, trouble: Trouble | None
) -> None:
    """A mail that was handed over and cannot be noted would be handed over again and again."""
    settings = world.site.settings.model_copy(update={"smtp_host": "127.0.0.1", "mail_from": "heyi@example.org"})
    monkeypatch.setattr(world.site, "settings", settings)
    monkeypatch.setattr(timers, "MAIL_SECONDS", 0.01)
    given_out: list[Any] = []

    def send(_settings: Any, mails: list[mail.OutgoingMail]) -> dict[str, str]:
        given_out.extend(mails)
        return {}

    monkeypatch.setattr(mail, "send", send)
    world.work(lambda work: mail.write(work, to="luo@example.org", subject="邀请", text="链接"))
    if trouble is not None:
        world.site.mode.enter(trouble)
    duty: Any = type("OnDuty", (), {"held": staticmethod(lambda: True)})()

    async def a_while() -> None:
        task = asyncio.create_task(timers.keep_mail(world.site, duty))
        await asyncio.sleep(0.5)
        task.cancel()

    asyncio.run(a_while())
    assert bool(given_out) is (trouble is None)


def test_a_clock_that_runs_evenly_is_believed_whatever_it_says() -> None:
    steady = Steadiness()
    for second in range(10):
        assert steady.holds(NOON + timedelta(seconds=second), 1000.0 + second, NOON)


@pytest.mark.parametrize("jump", [-3600, -11, 11, 3600, 86400 * 365])
def test_a_jump_is_not_believed_until_it_goes_back_or_has_been_steady(jump: int) -> None:
    steady = Steadiness()
    assert steady.holds(NOON, 0.0, None)
    assert not steady.holds(NOON + timedelta(seconds=jump + 1), 1.0, None)
    assert steady.holds(NOON + timedelta(seconds=2), 2.0, None)
    seen = [steady.holds(NOON + timedelta(seconds=jump + at), float(at), None) for at in range(3, 310)]
    assert (seen.index(True), all(seen[seen.index(True) :])) == (int(STEADY_SECONDS), True)


def test_a_clock_that_jumps_again_and_again_is_not_believed() -> None:
    steady = Steadiness()
    steady.holds(NOON, 0.0, None)
    assert not any(steady.holds(NOON + timedelta(seconds=at * 60), float(at), None) for at in range(1, 1000))


def test_nothing_is_written_before_the_last_entry_of_the_record() -> None:
    steady = Steadiness()
    newest = NOON + timedelta(hours=1)
    assert [steady.holds(NOON + timedelta(minutes=at), at * 60.0, newest) for at in (0, 30, 59, 60)] == [
        False, False, False, True,
    ]  # fmt: skip


@given(st.lists(st.floats(-JUMP_SECONDS / 4, JUMP_SECONDS / 4), max_size=50))
def test_a_clock_that_is_slewed_has_not_jumped(steps: list[float]) -> None:
    steady, wall = Steadiness(), NOON
    for at, step in enumerate(steps):
        wall += timedelta(seconds=1 + step)
        assert steady.holds(wall, float(at), None)


def test_every_trouble_is_told_in_words() -> None:
    assert set(SAID) == set(Trouble)
