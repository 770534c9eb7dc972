"""Backups of PostgreSQL: by its own program, while people vote; restored into an empty database, and judged alike."""

import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlmodel import Session, select

from panel.accounts.models import Person
from panel.cli import postgres as programs
from panel.cli.backup import DUMP, MANIFEST, make
from panel.cli.serve import why_not_keys, why_not_schema, why_not_serve
from panel.core.config import Settings, load
from panel.core.db import reading_engine, writing_engine
from panel.core.errors import Refused
from panel.hearings import actions as hearings
from panel.hearings.models import Phase
from panel.record import checkpoint, queries
from panel.verify import audit as auditing
from panel.votes import actions as votes
from tests.cli.test_keep import panel, publish
from tests.factories import World, make_world
from tests.hearings.course import EVERYBODY, hold_until, vote_facts
from tests.operation.test_backup import EXHIBIT, acting, at, cut, damage
from tests.postgres import empty_database, new_database
from tests.postgres import programs as programs_of_postgres


@dataclass
class Kept:
    """A hearing on PostgreSQL with its votes on facts, a file among the exhibits, a published checkpoint."""

    world: World
    server: str

    @property
    def settings(self) -> Settings:
        return self.world.site.settings


@pytest.fixture(scope="module")
def folder_of_programs() -> Path:
    """The programs that belong to the server of the tests."""
    return programs_of_postgres()


@pytest.fixture(scope="module")
def held(
    postgres: str, template: Path, tmp_path_factory: pytest.TempPathFactory, folder_of_programs: Path
) -> Iterator[Kept]:
    folder = tmp_path_factory.mktemp("held") / "world"
    world = make_world(folder, template, database=new_database(postgres), postgres_programs=folder_of_programs)
    (folder / "panel.sqlite").unlink()
    hold_until(world, Phase.MOTIONS)
    vote_facts(world)
    world.site.settings.exhibits.mkdir()
    (world.site.settings.exhibits / EXHIBIT).write_bytes(b"%PDF-1.7 " + bytes(range(256)) * 400)
    publish(world)
    yield Kept(world, postgres)
    world.close()
    world.site.reading.dispose()
    world.site.writer._engine.dispose()  # type: ignore[attr-defined]  # the writer's own


@pytest.fixture
def kept(held: Kept, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """The same, and what a command is told by the environment."""
    monkeypatch.setenv("PANEL_DATABASE", held.settings.database)
    monkeypatch.setenv("PANEL_POSTGRES_PROGRAMS", str(held.settings.postgres_programs))
    return held


def size(world: World) -> int:
    with world.db() as db:
        return queries.head(db).size


def restored(file: Path, data: Path, database: str) -> tuple[int, list[str]]:
    code, lines = panel("restore", file, "--data", data, "--database", database)
    return code, list(lines)


def test_what_was_backed_up_is_there_again_and_goes_on_under_a_new_origin(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, data, database = tmp_path / "heyi.tar", tmp_path / "again", empty_database(kept.server)
    before = size(kept.world)
    code, (told,) = panel("backup", file, "--data", kept.world.folder)
    assert (code, told.startswith(f"{file}：2 个文件"), file.stat().st_mode & 0o777) == (0, True, 0o600)
    with tarfile.open(file) as archive:
        assert {m.name for m in archive.getmembers()} == {MANIFEST, DUMP, f"exhibits/{EXHIBIT}"}
    code, lines = restored(file, data, database)
    assert (code, lines[1]) == (0, f"记录完整：共 {before} 条；公开表决均已重新计票。")
    monkeypatch.delenv("PANEL_DATABASE")
    again = load(data)
    assert (again.database, (data / "settings.toml").stat().st_mode & 0o777) == (database, 0o600)
    assert (why_not_serve(again), why_not_keys(again), why_not_schema(again)) == (None, None, None)
    assert (again.exhibits / EXHIBIT).read_bytes() == (kept.settings.exhibits / EXHIBIT).read_bytes()
    assert sorted(path.name for path in data.iterdir()) == ["exhibits", "keys", "settings.toml"]
    key = checkpoint.read_key(again.record_key)
    assert key.name != checkpoint.key_at(kept.settings.record_key).name

    def judged(db: Session) -> list[str]:
        assert [one.problem for one in auditing.audit(db, key=key.verifier) if one.problem is not None] == []
        return sorted(person.name for person in db.exec(select(Person)).all())

    assert at(again, judged) == at(kept.settings, lambda db: sorted(p.name for p in db.exec(select(Person)).all()))
    assert at(again, lambda db: queries.head(db).size) > before  # type: ignore[operator]  # a number
    assert panel("audit", "--data", data)[0] == 0


def test_in_the_middle_of_a_secret_vote_it_says_so_and_holds_no_choice(kept: Kept, tmp_path: Path) -> None:
    file, database = tmp_path / "heyi.tar", empty_database(kept.server)
    moved = {"kind": "disposition", "question": "建议予以容错免责。", "outcome": "exempt"}
    motion = kept.world.act(votes.move, "chair", hearing_id=kept.world.hearing_id, **moved)
    kept.world.act(votes.open_motion, "chair", motion_id=motion.id)
    kept.world.act(votes.cast_sealed, EVERYBODY[1], motion_id=motion.id, choice="disapprove")
    try:
        code, lines = panel("backup", file, "--data", kept.world.folder)
        assert (code, lines[1]) == (0, "正在进行的无记名表决：1 项。恢复后须重新表决。")
        code, lines = restored(file, tmp_path / "again", database)
        assert (code, "恢复前未结束的无记名表决：1 项。请宣布无效并重新表决。" in lines) == (0, True)
        assert list((tmp_path / "again" / "keys").rglob("*.key")) == [tmp_path / "again" / "keys" / "record.key"]
    finally:
        kept.world.act(votes.annul, "chair", motion_id=motion.id, ground="测试")


def filled(url: str) -> int:
    """Return how many tables a database has."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        row = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("harm", [damage(DUMP), cut])
def test_what_is_damaged_is_refused_before_anything_is_read_in(
    kept: Kept, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    file, database = tmp_path / "heyi.tar", empty_database(kept.server)
    make(kept.settings, file)
    harm(file)
    code, lines = restored(file, tmp_path / "again", database)
    assert (code, lines[-1].startswith("没有恢复任何内容：")) == (1, True)
    assert (filled(database), (tmp_path / "again").exists()) == (0, False)


def test_a_record_that_was_changed_is_refused_and_it_is_said_that_the_database_is_filled(
    kept: Kept, tmp_path: Path
) -> None:
    file, copy, database = tmp_path / "heyi.tar", empty_database(kept.server), empty_database(kept.server)
    make(kept.settings, file)
    assert restored(file, tmp_path / "copy", copy)[0] == 0
    engine = writing_engine(copy)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE record_body DISABLE TRIGGER USER"))
        connection.execute(text("UPDATE record_body SET public = replace(public, 'established', 'refuted')"))
    engine.dispose()
    changed = kept.settings.model_copy(update={"database": copy, "data": tmp_path / "copy"})
    make(changed, tmp_path / "changed.tar")
    code, lines = restored(tmp_path / "changed.tar", tmp_path / "again", database)
    assert (code, lines[-1]) == (1, "重试之前，请删除该数据库并新建一个空数据库。")
    assert lines[-2].startswith("没有恢复任何内容：")
    assert ((tmp_path / "again").exists(), filled(database) > 0) == (False, True)


def test_nothing_is_restored_over_something(kept: Kept, tmp_path: Path) -> None:
    file = tmp_path / "heyi.tar"
    make(kept.settings, file)
    before = size(kept.world)
    code, (told,) = restored(file, tmp_path / "again", kept.settings.database)
    assert (code, told.endswith("不是空数据库，须用空数据库。")) == (1, True)
    assert (size(kept.world), (tmp_path / "again").exists()) == (before, False)


@pytest.mark.parametrize(
    ("database", "said"),
    [
        ("", "这是 PostgreSQL 的备份：请用 --database 指定一个空数据库。"),
        ("sqlite:///x", "sqlite:///x 不是 PostgreSQL 数据库。"),
        ("nonsense", "这不是数据库的 URL。"),
        ("postgresql+psycopg://heyi:canary@127.0.0.1:1/x", "无法读取数据库："),
    ],
)
def test_where_to_is_asked_for_in_words(kept: Kept, tmp_path: Path, database: str, said: str) -> None:
    make(kept.settings, tmp_path / "heyi.tar")
    code, lines = restored(tmp_path / "heyi.tar", tmp_path / "again", database)
    assert (code, said in lines[0], "canary" in "".join(lines)) == (1, True, False)


def test_a_program_that_is_missing_is_named(kept: Kept, tmp_path: Path) -> None:
    without = kept.settings.model_copy(update={"postgres_programs": tmp_path})
    with pytest.raises(Refused) as refused:
        make(without, tmp_path / "heyi.tar")
    assert refused.value.reason.params["program"] == "pg_dump"
    assert list(tmp_path.iterdir()) == []


def test_the_password_goes_by_the_environment(tmp_path: Path, folder_of_programs: Path) -> None:
    (tmp_path / "pg_dump").write_text('#!/bin/sh\necho "$PGPASSWORD / $*" >&2\nexit 1\n')
    (tmp_path / "pg_dump").chmod(0o755)
    settings = Settings(
        data=tmp_path, database="postgresql+psycopg://heyi:canary@db.example/heyi", postgres_programs=tmp_path,
        secret="a secret of the tests, longer than thirty-two characters",  # type: ignore[arg-type]  # a text
    )  # fmt: skip
    with pytest.raises(Refused) as refused:
        programs._run(settings, "pg_dump")
    password, words = str(refused.value.reason.params["why"]).split(" / ")
    assert (password, words) == ("canary", "--no-password --dbname=postgresql://heyi@db.example/heyi")


@pytest.mark.timeout(600)
def test_every_backup_made_under_load_is_restored_and_holds_what_was_acknowledged(
    kept: Kept, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    made: list[tuple[Path, int]] = []
    with acting(kept.world) as acknowledged:
        for number in range(3):
            while not acknowledged or (made and acknowledged[-1] <= made[-1][1] + 10):
                time.sleep(0.01)
            before, file = acknowledged[-1], tmp_path / f"{number}.tar"
            make(kept.settings, file)
            made.append((file, before))
    held = []
    for file, before in made:
        database = empty_database(kept.server)
        code, lines = restored(file, tmp_path / file.stem, database)
        assert code == 0, lines
        engine = reading_engine(database)
        with Session(engine) as db:
            held.append(queries.head(db).size - before)
        engine.dispose()
    assert min(held) >= 0
    record_property("counted", f"PostgreSQL: {len(made)} backups made under load, {len(held)} restored and verified")


def test_hearings_go_on_after_all_this(kept: Kept) -> None:
    before = size(kept.world)
    kept.world.act(hearings.write_note, "recorder", hearing_id=kept.world.hearing_id, text="继续。")
    assert size(kept.world) == before + 1
