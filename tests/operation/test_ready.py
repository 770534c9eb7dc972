"""`/healthz` and `/readyz`: open to whatever watches, without data, and red when something is missing."""

import asyncio
import shutil
import subprocess
import sys
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import text
from sqlmodel import select

import run
from panel.cli.serve import why_not_keys, why_not_schema, why_not_serve
from panel.core import ready
from panel.core.alone import only_server
from panel.core.assets import schema_version
from panel.core.config import Misconfigured, Settings, load
from panel.core.db import version_of, writing_engine
from panel.core.errors import Refused
from panel.core.forms import SubmittedForm
from panel.hearings.models import Phase
from panel.record.models import RecordEntry
from panel.timers import RecordChecked, readiness
from panel.verify.bundle import Broken
from tests.cli.test_keep import panel
from tests.factories import SECRET, World, make_world
from tests.hearings.course import hold_until
from tests.postgres import drop, empty_database
from tests.serving import Served, served


@pytest.fixture
def running(tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A served world whose answers are not kept."""
    monkeypatch.setattr(ready, "KEPT_SECONDS", 0.0)
    with served(tmp_path / "room", template) as one:
        yield one


def asked(running: Served, path: str = "/readyz", **headers: str) -> tuple[int, dict[str, object]]:
    answer = httpx2.get(running.origin + path, headers=headers)
    return answer.status_code, answer.json()


def until_ready(running: Served) -> tuple[int, dict[str, object]]:
    """Ask until the record was read, which happens beside serving."""
    for _ in range(200):
        found = asked(running)
        if found[1]["missing"] != ["record"]:
            return found
    return found


def test_a_server_that_has_everything_says_so_to_anybody(running: Served) -> None:
    assert until_ready(running) == (200, {"ready": True, "missing": []})
    assert asked(running, "/healthz") == (200, {"alive": True})
    assert asked(running, "/healthz", host="10.0.0.7:8000") == (200, {"alive": True})
    assert httpx2.get(f"{running.origin}/sign-in", headers={"host": "10.0.0.7:8000"}).status_code == 421


def test_asking_writes_one_row_and_puts_nothing_on_the_record(running: Served) -> None:
    until_ready(running)
    with running.world.db() as db:
        before = len(db.exec(select(RecordEntry)).all())
    for _ in range(5):
        assert asked(running)[0] == 200
    with running.world.db() as db:
        assert len(db.exec(select(RecordEntry)).all()) == before
        assert [form.key for form in db.exec(select(SubmittedForm)).all()] == ["readyz"]


def test_a_full_disk_is_named(running: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    until_ready(running)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(10**9, 10**9, 1000))
    assert asked(running) == (503, {"ready": False, "missing": ["disk"]})


def test_a_database_that_takes_nothing_is_named(running: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    until_ready(running)
    monkeypatch.setattr(ready, "PATIENCE", 0.3)
    blocker = writing_engine(running.world.site.settings.database_url)
    with blocker.begin() as connection:
        connection.execute(text("SELECT 1"))
        status, said = asked(running)
    blocker.dispose()
    assert (status, said["missing"]) == (503, ["database"])


def test_a_record_that_was_changed_is_found_at_start_and_named(world: World) -> None:
    hold_until(world, Phase.QUESTIONS)
    checked = RecordChecked()
    checked.check(world.site.reading)
    assert checked.holds
    engine = writing_engine(world.site.settings.database_url)
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER record_entry_no_update"))
        connection.execute(text('UPDATE record_entry SET leaf = hashes WHERE "index" = 5'))
    engine.dispose()
    again = RecordChecked()
    with pytest.raises(Broken):
        again.check(world.site.reading)
    assert asyncio.run(readiness(world.site, again, None).missing()) == ["record"]


def test_an_older_schema_is_named(running: Served) -> None:
    until_ready(running)
    running.world.work(lambda work: work.db.execute(text("UPDATE alembic_version SET version_num = '0001'")))
    assert asked(running)[1]["missing"] == ["schema"]


def test_the_schema_of_a_new_installation_is_the_newest(tmp_path: Path, template: Path) -> None:
    world = make_world(tmp_path / "world", template)
    assert version_of(world.site.reading) == schema_version() >= "0003"
    world.close()


def test_a_second_server_of_one_installation_is_refused(tmp_path: Path) -> None:
    assert panel("init", "--data", tmp_path / "data")[0] == 0
    with only_server(tmp_path / "data"):
        second = [sys.executable, "-c", run.START, "serve", "--data", str(tmp_path / "data"), "--port", "0"]
        done = subprocess.run(second, capture_output=True, text=True, env={"PYTHONPATH": str(run.ROOT)}, timeout=60)
        assert (done.returncode, done.stderr.strip()) == (2, f"已有另一个服务正在使用 {tmp_path / 'data'}。")
        with pytest.raises(Refused), only_server(tmp_path / "data"):
            pass
    with only_server(tmp_path / "data"):
        pass


def test_nothing_is_served_where_nothing_was_made(tmp_path: Path) -> None:
    code, said = panel("serve", "--data", tmp_path, "--port", "8123")
    assert (code, said) == (2, [f"{tmp_path} 中没有系统。请先运行：panel init --data {tmp_path}"])


def test_an_installation_on_postgresql_is_made_in_an_empty_database_only(tmp_path: Path, postgres: str) -> None:
    database, data = empty_database(postgres), tmp_path / "data"
    assert panel("init", "--data", data, "--database", database)[0] == 0
    settings = load(data)
    assert (settings.database, why_not_serve(settings), why_not_schema(settings)) == (database, None, None)
    assert not (data / "panel.sqlite").exists()
    code, said = panel("init", "--data", tmp_path / "again", "--database", database)
    assert (code, (tmp_path / "again").exists()) == (2, False)
    assert "不是空数据库，须用空数据库。" in "".join(said)
    drop(database)


@pytest.mark.parametrize("name", ["record.key", "secret"])
def test_a_key_that_others_may_read_is_refused_at_start(tmp_path: Path, name: str) -> None:
    data = tmp_path / "data"
    assert panel("init", "--data", data)[0] == 0
    assert why_not_keys(load(data)) is None
    (data / "keys" / name).chmod(0o644)
    code, said = panel("serve", "--data", data)
    assert code == 2
    assert str(data / "keys" / name) in "".join(said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('zone = "Nowhere/Nothing"', "zone: 没有时区 Nowhere/Nothing"),
        ("port = 70000", "port: 应不大于 65535"),
        ('colour = "red"', "colour: 没有这项设置"),
        ("port = ", "settings.toml: 第 1 行不是"),
        ('secret = "short"', "secret: 缺少签名密钥，或不足 32 个字符"),
        ('redis = "redis://127.0.0.1"', "redis 供多个进程使用"),
        (f'secret = "{"ab" * 20}"', "secret: 签名密钥过于简单，请随机生成"),
    ],
)
def test_a_setting_that_is_wrong_is_named(tmp_path: Path, line: str, said: str) -> None:
    data = tmp_path / "data"
    assert panel("init", "--data", data)[0] == 0
    (data / "settings.toml").write_text(line + "\n", encoding="utf-8")
    code, told = panel("serve", "--data", data)
    assert (code, told[0]) == (2, "设置有误。")
    assert told[1].startswith(said)
    with pytest.raises(Misconfigured):
        load(data)


def test_the_settings_file_of_a_new_installation_names_every_setting_and_is_read_back(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert panel("init", "--data", data)[0] == 0
    written = (data / "settings.toml").read_text(encoding="utf-8")
    assert (data / "settings.toml").stat().st_mode & 0o777 == 0o600
    opened = "\n".join(line.removeprefix("#") if not line.startswith("# ") else line for line in written.splitlines())
    (data / "settings.toml").write_text(opened, encoding="utf-8")
    before, after = Settings(secret=SECRET, second_factor="officers", proof_minutes=5), load(data)  # type: ignore[arg-type]  # a text
    told = {name: value for name, value in after.told().items() if name not in {"data", "database", "secret"}}
    assert told == {name: value for name, value in before.told().items() if name in told}


def test_plain_http_on_a_public_address_is_refused(tmp_path: Path) -> None:
    assert panel("init", "--data", tmp_path / "data")[0] == 0
    reason = why_not_serve(load(tmp_path / "data", host="0.0.0.0"))
    assert reason is not None
    assert "plain HTTP" in str(reason)
