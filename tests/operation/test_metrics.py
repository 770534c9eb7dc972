"""`/metrics` and the logs: what an operator needs, and nobody's name, hearing, motion, choice, word or secret."""

import asyncio
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy.exc import OperationalError
from starlette.types import Message, Receive, Scope, Send

from panel.accounts import passwords
from panel.accounts.models import Person
from panel.cli import stamps
from panel.cli.gauges import gauges
from panel.cli.serve import measured
from panel.core import clock, log, mail, metrics
from panel.core.metrics import Gauge
from panel.core.security import Audience
from panel.hearings import actions as hearings
from panel.hearings.models import Phase
from panel.record import queries
from panel.votes import actions as votes
from panel.work import Work
from tests.contracts.sockets import opened
from tests.factories import FIRST_EVENTS, SECRET, World, make_world
from tests.hearings.course import EVERYBODY, hold_until, vote_facts
from tests.people import CAST, OFFICERS
from tests.serving import Served, free_port, served

PASSWORD = "canary-password-of-luo"
TYPED = ("canary-question-of-a-motion", "canary-note-of-the-recorder", "canary-mail", "canary-query", PASSWORD)
CHOICES = ("approve", "disapprove", "abstain", "established")
FIGURES = re.compile(r"^(panel_\w+?)(?:_bucket)?(?:\{([^}]*)\})? \S+$", re.MULTILINE)


def exposed(world: World) -> str:
    """Ask for the figures as they are asked for: on a port of their own."""
    with metrics.served("127.0.0.1", 0, gauges(world.site)) as port:
        return httpx2.get(f"http://127.0.0.1:{port}/metrics").text


def value(text: str, series: str) -> float:
    return next((float(n) for n in re.findall(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)), 0.0)


@dataclass
class Lived:
    """A scenario that was lived through: figures before and after, the logs' files, what must be in none of them."""

    before: str
    after: str
    folder: Path
    secret: tuple[str, ...]
    entries: int

    def grown(self, series: str) -> float:
        return value(self.after, series) - value(self.before, series)

    def lines(self, channel: str) -> list[dict[str, Any]]:
        (path,) = self.folder.glob(f"{channel}-*.jsonl")
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[Lived]:
    """A hearing with a motion that is open and secret, sockets, people who sign in and who may not, a mail."""
    folder = tmp_path_factory.mktemp("lived")
    root, channel = logging.getLogger(), logging.getLogger("panel")
    kept = root.handlers, root.level, channel.level
    log.configure(folder=folder / "logs")
    try:
        with served(folder / "room", template) as running:
            yield _live(running, folder / "logs")
    finally:
        root.handlers, root.level = kept[:2]
        channel.setLevel(kept[2])


def _live(running: Served, folder: Path) -> Lived:
    world = running.world
    before = exposed(world)
    hold_until(world, Phase.MOTIONS)
    vote_facts(world)
    here = {"hearing_id": world.hearing_id}
    world.act(hearings.write_note, "recorder", **here, text=TYPED[1])
    motion = world.act(votes.move, "chair", **here, kind="disposition", question=TYPED[0], outcome="exempt")
    world.act(votes.open_motion, "chair", motion_id=motion.id)
    for key in EVERYBODY[1:4]:
        world.act(votes.cast_sealed, key, motion_id=motion.id, choice="disapprove")
    world.work(lambda work: mail.write(work, to="luo@example.cn", subject=TYPED[2], text=TYPED[2]))
    world.work(lambda work: _give_password(work, world.people["luo"]))
    stamps.note(world.folder, stamps.BACKUP)
    tokens = [SECRET, *_sign_in(running)]
    cookie = world.sign_in("luo")
    with opened(running, f"pv_session={cookie}") as socket:
        assert socket.ask("join", {"hearing": world.hearing_id}) == {"ok": True}
        changes = f"{running.origin}/hearings/{world.hearing_id}/changes"
        for _ in range(3):  # the last of them takes the quick way
            httpx2.get(changes, params={"since": "-1", "x": TYPED[3]}, headers={"cookie": f"pv_session={cookie}"})
        httpx2.get(
            f"{running.origin}/cases/{world.case_id}", headers={"cookie": f"pv_session={world.sign_in('stranger')}"}
        )
        httpx2.request("PROPFIND", f"{running.origin}/canary-address?{TYPED[3]}")
        after = exposed(world)
    with world.db() as db:
        entries = queries.head(db).size
    people = [each.name for each in (*CAST, *OFFICERS)]
    ids = [world.hearing_id, world.case_id, motion.id]
    return Lived(before, after, folder, (*people, *ids, *TYPED, *CHOICES, *tokens, cookie, "canary"), entries)


def _give_password(work: Work, id: str) -> None:
    work.db.get_one(Person, id).password_hash = passwords.hashed(PASSWORD)


def _sign_in(running: Served) -> list[str]:
    """Sign in with a wrong password, then with the right one; returns the tokens that were used."""
    with httpx2.Client(base_url=running.origin, headers={"origin": running.origin}) as browser:
        seen = []
        for password in (PASSWORD[:-1], PASSWORD):
            token = re.findall(r'name="csrf" value="([^"]*)"', browser.get("/sign-in").text)[0]
            answer = browser.post("/sign-in", data={"csrf": token, "login": "luo", "password": password})
            seen.append((answer.status_code, token))
        assert [status for status, _ in seen] == [401, 303]
        return [*(token for _, token in seen), *browser.cookies.values()]


def test_what_happened_is_counted(lived: Lived) -> None:
    assert lived.grown('panel_sign_ins_refused_total{why="wrong"}') == 1
    changes = 'panel_requests_total{method="GET",route="/hearings/{id}/changes",status="2xx"}'
    assert lived.grown(changes) == 3
    assert lived.grown('panel_request_seconds_count{route="/hearings/{id}/changes"}') == 3
    assert lived.grown('panel_requests_total{method="POST",route="/sign-in",status="4xx"}') == 1
    assert lived.grown('panel_requests_total{method="other",route="none",status="4xx"}') == 1
    assert value(lived.after, "panel_motions_open") == 1
    assert value(lived.after, "panel_mails_waiting") == 1
    assert value(lived.after, 'panel_sockets{audience="panel"}') == 1
    assert value(lived.after, "panel_record_entries") == lived.entries
    assert value(lived.after, "panel_acts_waiting") == 0
    assert 0 <= value(lived.after, "panel_backup_age_seconds") < 600
    assert "panel_backup_age_seconds" not in lived.before
    assert lived.grown("panel_act_seconds_count") >= lived.grown("panel_commit_seconds_count") > 20


def test_no_person_hearing_motion_option_or_word_is_in_the_figures(lived: Lived) -> None:
    assert [word for word in lived.secret if word in lived.after] == []


def test_labels_come_from_closed_lists(lived: Lived) -> None:
    labels = {pair for _, found in FIGURES.findall(lived.after) for pair in re.findall(r'(\w+)="([^"]*)"', found)}
    assert {name for name, _ in labels} == {"route", "method", "status", "audience", "why", "le"}
    assert {value for name, value in labels if name == "audience"} <= {each.value for each in Audience}
    assert {value for name, value in labels if name == "method"} <= metrics.METHODS | {"other"}
    assert [value for name, value in labels if name == "route" and re.search(r"[0-9a-f]{32}", value)] == []


def test_every_request_has_one_line_and_nothing_else_of_it(lived: Lived) -> None:
    lines = lived.lines("access")
    assert {frozenset(line) for line in lines} == {
        frozenset({"at", "event", "channel", "route", "method", "status", "ms", "request"})
    }
    assert len({line["request"] for line in lines}) == len(lines)
    assert [line["status"] for line in lines if line["route"] == "/sign-in"] == [200, 401, 200, 303]
    assert [line["route"] for line in lines if line["method"] == "other"] == ["none"]


def test_the_security_log_is_apart(lived: Lived) -> None:
    events = [line["event"] for line in lived.lines("security")]
    assert {"sign_in_failed", "sign_in_succeeded", "refused", "votes.motion_opened"} <= set(events)
    assert {line["channel"] for line in lived.lines("security")} == {"security"}
    assert [path.stat().st_mode & 0o777 for path in lived.folder.iterdir()] == [0o600, 0o600]


@pytest.mark.parametrize("channel", ["access", "security"])
def test_no_secret_ballot_password_token_or_text_is_in_a_log(lived: Lived, channel: str) -> None:
    (path,) = lived.folder.glob(f"{channel}-*.jsonl")
    text = path.read_text(encoding="utf-8")
    ids = lived.secret[len(CAST) + len(OFFICERS) :][:3] if channel == "security" else ()
    assert [word for word in lived.secret if word in text and word not in ids] == []


def test_files_are_by_day_and_deleted_when_they_are_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    day = datetime(2026, 11, 23, 23, 59, tzinfo=UTC)
    for moment in (day, day + timedelta(minutes=2), day + timedelta(days=200)):
        monkeypatch.setattr(clock, "now", lambda moment=moment: moment)
        log.configure(folder=tmp_path)
        log.access(route="/", method="GET", status=200, ms=1.0, request="x")
    (tmp_path / "access-letter.jsonl").write_text("mine")
    names = ["access-2026-11-23.jsonl", "access-2026-11-24.jsonl", "access-2027-06-11.jsonl", "access-letter.jsonl"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert log.sweep(tmp_path, 200) == []
    monkeypatch.setattr(clock, "now", lambda: day + timedelta(days=201))
    assert log.sweep(tmp_path, 200) == names[:1]


def test_a_line_goes_into_the_file_of_its_day_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.configure(folder=tmp_path)
    for day in (23, 24):
        monkeypatch.setattr(clock, "now", lambda day=day: datetime(2026, 11, day, tzinfo=UTC))
        log.security("x")
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"security-2026-11-{day}.jsonl" for day in (23, 24)]


def test_the_timer_deletes(tmp_path: Path) -> None:
    (tmp_path / "security-2000-01-01.jsonl").write_text("{}\n")

    async def once() -> None:
        timer = asyncio.create_task(log.keep_swept(tmp_path, 200))
        while list(tmp_path.iterdir()):
            await asyncio.sleep(0.01)
        timer.cancel()

    asyncio.run(asyncio.wait_for(once(), 20))
    assert list(tmp_path.iterdir()) == []


def test_a_gauge_that_cannot_be_read_hides_no_other() -> None:
    def broken() -> float:
        raise RuntimeError("no")

    found = list(
        metrics.Gauges([Gauge("a", "a", broken), Gauge("b", "b", lambda: 2.0), Gauge("c", "c", lambda: None)]).collect()
    )
    assert [(family.name, family.samples[0].value) for family in found] == [("b", 2.0)]


@pytest.mark.parametrize(("said", "counted"), [("database is locked", 1.0), ("disk I/O error", 0.0)])
def test_locks_of_the_database_are_counted(said: str, counted: float) -> None:
    before = metrics.REGISTRY.get_sample_value("panel_database_locked_total") or 0.0
    metrics.count_lock(OperationalError("x", {}, Exception(said)))
    assert (metrics.REGISTRY.get_sample_value("panel_database_locked_total") or 0.0) - before == counted


def test_a_request_that_fails_below_is_counted_as_failed() -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("below")

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None: ...

    series, labels = "panel_requests_total", {"route": "none", "method": "GET", "status": "5xx"}
    before = metrics.REGISTRY.get_sample_value(series, labels) or 0.0
    with pytest.raises(RuntimeError):
        asyncio.run(metrics.Watch(fails)({"type": "http", "method": "GET"}, receive, send))
    assert metrics.REGISTRY.get_sample_value(series, labels) == before + 1


def test_they_are_served_where_the_settings_say_and_only_there(tmp_path: Path, template: Path) -> None:
    world = make_world(tmp_path / "world", template, metrics_port=free_port())
    settings = world.site.settings
    with measured(world.site) as port:
        assert port == settings.metrics_port
        assert value(httpx2.get(f"http://127.0.0.1:{port}/metrics").text, "panel_record_entries") == FIRST_EVENTS
        with pytest.raises(OSError), measured(world.site):
            pass
    assert world.client().get("/metrics").status_code == 404
    world.close()


def test_they_are_off_until_a_port_is_named(world: World) -> None:
    with measured(world.site) as port:
        assert port == 0
