"""Every schema that an installation may have: its fixtures are restored, brought up, audited, and tell the same."""

import gzip
import json
import re
import tarfile
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from panel.cli.backup import DATABASE, DUMP, MANIFEST
from panel.core.assets import schema_version
from panel.core.config import load
from panel.core.db import version_of, writing_engine
from panel.core.schema import differences
from tests.cli.test_keep import panel
from tests.operation.fixtures import FOLDER, KINDS, backup_of, released, said_of, told
from tests.operation.test_backup import EXHIBIT
from tests.postgres import drop, empty_database, new_database, programs

ROOT = Path(__file__).parent.parent.parent
LARGEST = 400_000
"""Bytes that a fixture has at most: it stays in the repository for good."""


def kept_schemas() -> set[str]:
    """Return the schemas that have a file in the folder of fixtures."""
    return {file.name.partition("-")[0] for file in FOLDER.glob("*-*")}


def test_every_released_schema_has_its_fixtures_and_every_release_its_schema() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = set(re.findall(r"^## (\d+\.\d+\.\d+)(?! \(not yet released\))", changes, re.MULTILINE))
    assert versions <= set(released()), "a version in CHANGELOG.md has no line in released.toml"
    assert set(released().values()) == kept_schemas()
    migrations = {file.name[:4] for file in (ROOT / "migrations" / "versions").glob("[0-9]*.py")}
    assert set(released().values()) <= migrations
    for schema in kept_schemas():
        for kind in KINDS:
            assert said_of(schema, kind).is_file()
            assert 0 < backup_of(schema, kind).stat().st_size <= LARGEST


def unpacked(schema: str, kind: str, folder: Path) -> Path:
    """Unpack a fixture to the backup that it was; it holds a database and an exhibit, and no key."""
    file = folder / f"{schema}-{kind}.tar"
    file.write_bytes(gzip.decompress(backup_of(schema, kind).read_bytes()))
    database = {"sqlite": DATABASE, "postgresql": DUMP}[kind]
    with tarfile.open(file) as archive:
        assert archive.getnames() == [MANIFEST, database, f"exhibits/{EXHIBIT}"]
    return file


def restored(schema: str, kind: str, folder: Path, database: str = "") -> list[object]:
    """Restore a fixture as anybody would; returns how the database that came of it differs from the models."""
    data = folder / f"{schema}-{kind}"
    where = ("--database", database) if database else ()
    code, lines = panel("restore", unpacked(schema, kind, folder), "--data", data, *where)
    assert code == 0, lines
    said = json.loads(said_of(schema, kind).read_text(encoding="utf-8"))
    url = load(data).database_url
    assert told(url, said["entries"]) == said
    assert panel("audit", "--data", data)[0] == 0
    engine = writing_engine(url)
    found = differences(engine)
    assert version_of(engine) == schema_version()
    engine.dispose()
    return found


def test_every_fixture_of_sqlite_comes_up_and_says_what_it_said(tmp_path: Path) -> None:
    assert [restored(schema, "sqlite", tmp_path) for schema in sorted(kept_schemas())] == [[]] * len(kept_schemas())


def test_every_fixture_of_postgresql_comes_up_and_says_what_it_said(
    tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PANEL_POSTGRES_PROGRAMS", str(programs()))
    for schema in kept_schemas():
        database = empty_database(postgres)
        assert restored(schema, "postgresql", tmp_path, database) == []
        drop(database)


def test_what_the_migrations_make_of_an_empty_postgresql_is_what_the_models_say(postgres: str) -> None:
    database = new_database(postgres)
    engine = create_engine(database)
    assert differences(engine) == []
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE person ADD COLUMN stray integer")
    assert len(differences(engine)) == 1
    engine.dispose()
    drop(database)


def test_a_fixture_says_much_of_a_case() -> None:
    for kind in KINDS:
        said = json.loads(said_of(max(kept_schemas()), kind).read_text(encoding="utf-8"))
        (case,) = said["cases"]
        assert {motion["secrecy"] for motion in case["motions"]} == {"open", "sealed"}
        assert {motion["state"] for motion in case["motions"]} == {"closed"}
        assert (case["dissents"], case["answered"], len(case["exhibits"]), case["opinions"]) == (1, 1, 2, [8, 8])
        assert (case["finding"], case["decision"], case["summary"][0]) == ("exempt", "exempt", "published")
        assert [each[1:] for each in said["checkpoints"]] == [[said["entries"], said["root"]]]
