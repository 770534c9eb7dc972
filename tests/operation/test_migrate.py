"""Upgrading: a backup first, never while a vote is open or a server runs, and every earlier schema comes up whole."""

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine, text
from sqlmodel import select

from panel.cli.migrate import pending, why_not_migrate
from panel.cli.serve import why_not_schema
from panel.core.alone import only_server
from panel.core.assets import schema_version
from panel.core.config import load
from panel.core.db import sqlite_url, version_of, writing_engine
from panel.core.schema import configuration, differences
from panel.votes import actions as votes
from panel.votes.models import Motion
from tests.cli.test_keep import panel
from tests.factories import World
from tests.hearings.course import hold_until

VERSIONS = sorted(step.partition("_")[0] for step in pending(""))
PERSON = (
    "INSERT INTO person (id, created_at, name, login, password_hash, locale, large, fictional) "
    "VALUES ('{id}', '2026-11-23 00:00:00', '罗正', 'luo', 'x', '', 0, 0)"
)


def old(data: Path, version: str) -> None:
    """Make an installation whose database has an earlier schema, with somebody in it."""
    assert panel("init", "--data", data)[0] == 0
    (data / "panel.sqlite").unlink()
    for ending in ("-wal", "-shm"):
        (data / f"panel.sqlite{ending}").unlink(missing_ok=True)
    engine = create_engine(sqlite_url(data / "panel.sqlite"))
    config = configuration()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)
        if version == "0001":
            connection.execute(text(PERSON.format(id="a" * 32)))
    engine.dispose()


@pytest.mark.parametrize("version", VERSIONS[:-1])
def test_every_earlier_schema_comes_up_after_a_backup(tmp_path: Path, version: str) -> None:
    data = tmp_path / "data"
    old(data, version)
    reason = why_not_schema(load(data))
    assert reason is not None
    assert "panel migrate" in str(reason)
    steps = pending(version)
    code, lines = panel("migrate", "--dry-run", "--data", data)
    assert (code, lines) == (0, [f"将执行：{step}" for step in steps])
    backup = data / f"before-{schema_version()}.tar"
    assert not backup.exists()
    code, lines = panel("migrate", "--data", data)
    assert (code, lines) == (0, [f"已生成备份：{backup}", f"数据库现为结构 {schema_version()}。"])
    engine = writing_engine(load(data).database_url)
    assert (version_of(engine), differences(engine), backup.exists()) == (schema_version(), [], True)
    engine.dispose()
    assert why_not_schema(load(data)) is None
    assert panel("migrate", "--data", data) == (0, [f"数据库已是结构 {schema_version()}。"])


def test_what_was_in_it_is_in_it_still(tmp_path: Path) -> None:
    data = tmp_path / "data"
    old(data, VERSIONS[0])
    assert panel("migrate", "--data", data)[0] == 0
    engine = writing_engine(load(data).database_url)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT name, login, mail, disabled_at FROM person")).all()
    engine.dispose()
    assert found == [("罗正", "luo", "", None)]


def test_nothing_changes_while_a_server_runs(tmp_path: Path) -> None:
    data = tmp_path / "data"
    old(data, VERSIONS[0])
    with only_server(data):
        assert panel("migrate", "--data", data) == (2, [f"已有另一个服务正在使用 {data}。"])
    engine = writing_engine(load(data).database_url)
    assert version_of(engine) == VERSIONS[0]
    engine.dispose()


def test_nothing_changes_while_a_motion_is_open(world: World) -> None:
    from panel.hearings.models import Phase

    engine = writing_engine(world.site.settings.database_url)
    hold_until(world, Phase.MOTIONS)
    assert why_not_migrate(engine) is None
    with world.db() as db:
        motion_id = db.exec(select(Motion.id)).first()
    world.act(votes.open_motion, "chair", motion_id=motion_id)
    reason = why_not_migrate(engine)
    engine.dispose()
    assert reason is not None
    assert "1" in str(reason)


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert panel("init", "--data", data)[0] == 0
    engine = writing_engine(load(data).database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    assert panel("serve", "--data", data) == (2, ["数据库属于更新的版本（结构 9999）。"])
