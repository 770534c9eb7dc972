"""Backups: made while people vote, whole or not at all, without a key; each restored, verified, and counted again."""

import io
import json
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlmodel import Session, col, select

from panel.accounts.models import Person, SecondFactor, SignInSession
from panel.cli.backup import DATABASE, MANIFEST, make
from panel.cli.serve import why_not_keys, why_not_serve
from panel.core.config import Settings, load
from panel.core.db import reading_engine
from panel.hearings.models import Phase
from panel.publication import actions as publication
from panel.record import checkpoint, queries
from panel.record.models import RecordBody, RecordEntry
from panel.verify import audit as auditing
from panel.votes import actions as votes
from tests.accounts.test_factors import enrol
from tests.cli.test_keep import panel, publish
from tests.contracts.conftest import decide, end
from tests.factories import World
from tests.hearings.course import hold_until, vote_facts

EXHIBIT = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def kept(world: World) -> World:
    """A case that is through, with a file among its exhibits and a published checkpoint."""
    end(world)
    decide(world)
    made = world.act(publication.compose, "secretary", case=world.case_id)
    world.act(publication.publish, "secretary", case=world.case_id, body_sha256=made.body_sha256)
    world.site.settings.exhibits.mkdir()
    (world.site.settings.exhibits / EXHIBIT).write_bytes(b"%PDF-1.7 " + bytes(range(256)) * 400)
    publish(world)
    return world


def sizes(world: World) -> tuple[int, int]:
    with world.db() as db:
        return queries.head(db).size, len(db.exec(select(Person)).all())


def at(settings: Settings, ask: Callable[[Session], object]) -> object:
    engine = reading_engine(settings.database_url)
    with Session(engine) as db:
        answer = ask(db)
    engine.dispose()
    return answer


def test_what_was_backed_up_is_there_again_and_goes_on_under_a_new_origin(kept: World, tmp_path: Path) -> None:
    file, data = tmp_path / "heyi.tar", tmp_path / "again"
    before, people = sizes(kept)
    code, (told,) = panel("backup", file, "--data", kept.folder)
    assert (code, told.startswith(f"{file}：2 个文件")) == (0, True)
    assert file.stat().st_mode & 0o777 == 0o600
    code, lines = panel("restore", file, "--data", data)
    assert (code, lines[1]) == (0, f"记录完整：共 {before} 条；公开表决均已重新计票。")
    again = load(data)
    assert ((data / "settings.toml").is_file(), why_not_serve(again), why_not_keys(again)) == (True, None, None)
    assert (again.exhibits / EXHIBIT).read_bytes() == (kept.site.settings.exhibits / EXHIBIT).read_bytes()
    key, former = checkpoint.read_key(again.record_key), checkpoint.key_at(kept.site.settings.record_key)
    assert key.name != former.name

    def told_of(db: Session) -> dict[str, object]:
        kind = RecordEntry.kind == "record.log_begun_again"
        body = db.exec(select(RecordBody).join(RecordEntry).where(kind)).one()
        assert [one.problem for one in auditing.audit(db, key=key.verifier) if one.problem is not None] == []
        assert len(db.exec(select(Person)).all()) == people
        assert db.exec(select(SignInSession)).all() == []
        return dict(json.loads(body.public))

    with kept.db() as db:
        newest = queries.newest_checkpoint(db)
    assert newest is not None
    said = at(again, told_of)
    assert isinstance(said, dict)
    assert (said["origin"], said["size"], said["root"]) == (former.name, newest.size, newest.root.hex())
    assert said["key"] == str(key.verifier)
    assert panel("audit", "--data", data)[0] == 0


def test_no_key_and_no_secret_is_in_a_backup(kept: World, tmp_path: Path) -> None:
    settings = kept.site.settings
    enrol(kept, "luo")
    (settings.keys / "secret").write_text("金丝雀的密钥")
    make(settings, tmp_path / "heyi.tar")
    with tarfile.open(tmp_path / "heyi.tar") as archive:
        assert set(archive.getnames()) == {MANIFEST, DATABASE, f"exhibits/{EXHIBIT}"}
    content = (tmp_path / "heyi.tar").read_bytes()
    files = [file for file in settings.keys.rglob("*") if file.is_file()]
    assert len(files) >= 3
    assert [file.name for file in files if file.read_bytes().strip() in content] == []


def test_second_factors_are_let_go_for_their_key_is_gone(kept: World, tmp_path: Path) -> None:
    enrol(kept, "luo")
    make(kept.site.settings, tmp_path / "heyi.tar")
    assert panel("restore", tmp_path / "heyi.tar", "--data", tmp_path / "again")[0] == 0
    again = load(tmp_path / "again")
    assert at(again, lambda db: db.exec(select(SecondFactor)).all()) == []
    last = select(RecordEntry.kind).order_by(col(RecordEntry.index).desc())
    assert at(again, lambda db: db.exec(last).first()) == "accounts.factor_removed"


def test_a_backup_in_the_middle_of_a_secret_vote_says_so_and_reveals_nothing(world: World, tmp_path: Path) -> None:
    hold_until(world, Phase.MOTIONS)
    vote_facts(world)
    moved = {"kind": "disposition", "question": "建议予以容错免责。", "outcome": "exempt"}
    motion = world.act(votes.move, "chair", hearing_id=world.hearing_id, **moved)
    world.act(votes.open_motion, "chair", motion_id=motion.id)
    code, lines = panel("backup", tmp_path / "heyi.tar", "--data", world.folder)
    assert (code, lines[1]) == (0, "正在进行的无记名表决：1 项。恢复后须重新表决。")
    code, lines = panel("restore", tmp_path / "heyi.tar", "--data", tmp_path / "again")
    assert (code, "恢复前未结束的无记名表决：1 项。请宣布无效并重新表决。" in lines) == (0, True)


def damage(name: str) -> Callable[[Path], None]:
    def flip(file: Path) -> None:
        """Change one byte in the middle of a member."""
        with tarfile.open(file) as archive:
            member = archive.getmember(name)
        content = bytearray(file.read_bytes())
        content[member.offset_data + member.size // 2] ^= 1
        file.write_bytes(content)

    return flip


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def foreign(file: Path) -> None:
    file.write_bytes(b"\0" * 100_000)


def rewritten(change: Callable[[list[tuple[str, bytes]]], list[tuple[str, bytes]]]) -> Callable[[Path], None]:
    def write(file: Path) -> None:
        with tarfile.open(file) as archive:
            members = [(m.name, archive.extractfile(m).read()) for m in archive.getmembers()]  # type: ignore[union-attr]  # regular
        with tarfile.open(file, "w") as archive:
            for name, content in change(members):
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))

    return write


def newer(members: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return [(members[0][0], members[0][1].replace(b'"schema_version": "00', b'"schema_version": "99')), *members[1:]]


def beside(members: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return [*members, ("../../etc/cron.d/heyi", b"x")]


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (damage(DATABASE), "panel.sqlite 与清单不符。"),
        (damage(f"exhibits/{EXHIBIT}"), f"exhibits/{EXHIBIT} 与清单不符。"),
        (damage(MANIFEST), ""),
        (cut, ""),
        (foreign, "这不是备份文件，或者已经损坏。"),
        (rewritten(lambda members: members[:-1]), "缺少 "),
        (rewritten(lambda members: members[1:]), "这不是备份文件，或者已经损坏。"),
        (rewritten(newer), "由更新的版本生成"),
        (rewritten(beside), "../../etc/cron.d/heyi 与清单不符。"),
    ],
)
def test_what_is_damaged_is_refused_in_words_and_nothing_is_left(
    kept: World, tmp_path: Path, harm: Callable[[Path], None], said: str
) -> None:
    file = tmp_path / "place" / "heyi.tar"
    file.parent.mkdir()
    make(kept.site.settings, file)
    harm(file)
    code, lines = panel("restore", file, "--data", file.parent / "again")
    assert (code, lines[-1].startswith("没有恢复任何内容：")) == (1, True)
    assert said in lines[-1]
    assert [path.name for path in file.parent.iterdir()] == ["heyi.tar"]


def test_a_record_that_was_changed_is_not_restored_though_every_digest_holds(kept: World, tmp_path: Path) -> None:
    from sqlalchemy import text

    from panel.core.db import writing_engine

    engine = writing_engine(kept.site.settings.database_url)
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER record_body_no_update"))
        connection.execute(text("UPDATE record_body SET public = replace(public, 'carried', 'lost')"))
    engine.dispose()
    make(kept.site.settings, tmp_path / "heyi.tar")
    code, lines = panel("restore", tmp_path / "heyi.tar", "--data", tmp_path / "again")
    assert (code, (tmp_path / "again").exists()) == (1, False)
    assert lines[-1].startswith("没有恢复任何内容：")


def test_nothing_is_restored_over_something(kept: World, tmp_path: Path) -> None:
    make(kept.site.settings, tmp_path / "heyi.tar")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "letter.txt").write_text("mine")
    code, lines = panel("restore", tmp_path / "heyi.tar", "--data", tmp_path / "there")
    assert (code, lines) == (2, [f"{tmp_path / 'there'} 不是空目录，请恢复到空目录中。"])
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["letter.txt"]


def test_a_folder_keeps_the_newest(kept: World, tmp_path: Path) -> None:
    for day in ("20260101T000000Z", "20260102T000000Z", "20260103T000000Z"):
        (tmp_path / f"heyi-{day}.tar").write_bytes(b"old")
    (tmp_path / "other.tar").write_bytes(b"not ours")
    assert panel("backup", tmp_path, "--keep", "2", "--data", kept.folder)[0] == 0
    left = sorted(path.name for path in tmp_path.glob("*.tar"))
    assert (len(left), left[0], left[-1]) == (3, "heyi-20260103T000000Z.tar", "other.tar")


@pytest.fixture
def busy(kept: World) -> Iterator[list[int]]:
    """People act without a pause."""
    with acting(kept) as acknowledged:
        yield acknowledged


@contextmanager
def acting(world: World) -> Iterator[list[int]]:
    """Let people act without a pause: yields the sizes of the record as each act was answered."""
    acknowledged, over = list[int](), threading.Event()

    def act() -> None:
        number = 0
        while not over.is_set():
            number += 1
            world.act(_letterhead, "system", number=number)
            acknowledged.append(sizes(world)[0])

    worker = threading.Thread(target=act)
    worker.start()
    try:
        yield acknowledged
    finally:
        over.set()
        worker.join(30)


def _letterhead(work: object, actor: object, *, number: int) -> object:
    from panel.accounts.actions import describe

    said = {"organisation": f"第{number}次", "sponsor": "", "icp": "", "police_icp": "", "contact": "", "locale": ""}
    return describe(work, actor, **said)  # type: ignore[arg-type]  # as the world acts


@pytest.mark.timeout(600)
def test_every_backup_made_under_load_is_restored_and_holds_what_was_acknowledged(
    kept: World, busy: list[int], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    made: list[tuple[Path, int]] = []
    for number in range(6):
        while not busy or (made and busy[-1] <= made[-1][1] + 20):
            time.sleep(0.01)
        acknowledged, file = busy[-1], tmp_path / f"{number}.tar"
        make(kept.site.settings, file)
        made.append((file, acknowledged))
    held = []
    for file, acknowledged in made:
        data = tmp_path / file.stem
        code, lines = panel("restore", file, "--data", data)
        assert code == 0, lines
        held.append(at(load(data), lambda db: queries.head(db).size) - acknowledged)  # type: ignore[operator]  # a number
    assert min(held) >= 0
    record_property("counted", f"{len(made)} backups made under load, {len(held)} restored and verified")
