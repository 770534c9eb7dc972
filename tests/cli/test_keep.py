"""Keeping the record by commands: a new installation, a mirror, another key, an erasure, a witness by files."""

import json
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlmodel import Session
from typer.testing import CliRunner

from panel.cli import command_line
from panel.cli.init import RULES
from panel.core import clock
from panel.core.db import reading_engine, sqlite_url, writing_engine
from panel.hearings.models import Phase
from panel.record import checkpoint, queries
from panel.record.checkpoint import read_key
from panel.record.cosignature import WitnessKey
from panel.record.note import CheckpointText, VerifierKey, open_note
from panel.record.receipt import Receipt
from panel.verify import receipt as verifying
from tests.factories import World
from tests.hearings.course import hold_until


def panel(*words: object) -> tuple[int, Sequence[str]]:
    """Type a command; return its exit code and what it printed, errors included."""
    said = [str(word) for word in words]
    result = CliRunner().invoke(command_line(said), said)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, [line for line in result.output.splitlines() if not line.startswith("{")]


@pytest.fixture
def heard(world: World) -> World:
    """An installation in which something has happened, with its own key and a published checkpoint."""
    hold_until(world, Phase.QUESTIONS)
    publish(world)
    return world


def publish(world: World) -> None:
    """Publish the record as it stands."""
    engine = writing_engine(world.site.settings.database_url)
    checkpoint.publish(engine, checkpoint.key_at(world.site.settings.record_key), clock.now())
    engine.dispose()


def test_a_new_installation_has_a_key_of_its_own_and_is_made_once(tmp_path: Path) -> None:
    data = tmp_path / "new"
    code, (words, key, *more) = panel("init", "--data", data)
    assert (code, words, len(more)) == (0, "记录的公钥，请同时以纸质形式公布：", 3)
    assert str(read_key(data / "keys" / "record.key").verifier) == key
    assert stat.S_IMODE((data / "keys" / "record.key").stat().st_mode) == 0o600
    engine = reading_engine(sqlite_url(data / "panel.sqlite"))
    with Session(engine) as db:
        assert queries.head(db).size == len(RULES)
    engine.dispose()
    assert panel("init", "--data", data) == (2, [f"{data} 中已有一套系统。"])


def test_a_mirror_is_what_is_served_and_grows_by_what_is_new(heard: World, tmp_path: Path) -> None:
    folder, client = tmp_path / "mirror", heard.client()
    code, (said,) = panel("mirror", folder, "--data", heard.folder)
    with heard.db() as db:
        size = queries.head(db).size
    assert (code, said) == (0, f"已镜像前 {size} 条记录，新增文件 2 个。")
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert set(files) == {"checkpoint", f"tile/0/000.p/{size}", f"tile/entries/000.p/{size}"}
    assert {name: client.get(f"/record/{name}").content for name in files} == files
    assert panel("mirror", folder, "--data", heard.folder) == (0, [f"已镜像前 {size} 条记录，新增文件 0 个。"])


def test_before_the_first_checkpoint_there_is_nothing_to_mirror(world: World, tmp_path: Path) -> None:
    assert panel("mirror", tmp_path / "mirror", "--data", world.folder) == (2, ["尚未公布检查点。"])
    assert not (tmp_path / "mirror").exists()


def test_another_key_signs_what_comes_after_and_the_former_signed_that_it_would(heard: World) -> None:
    path = heard.site.settings.record_key
    former = read_key(path)
    code, (_, said) = panel("rotate-key", "--ground", "保管人变更", "--data", heard.folder)
    following = read_key(path)
    assert (code, said, following.name) == (0, str(following.verifier), former.name)
    assert following.verifier != former.verifier
    assert not path.with_suffix(".next").exists()
    with heard.db() as db:
        newest = queries.newest_checkpoint(db)
        assert newest is not None
        stated = CheckpointText.parse(open_note(newest.note, former.verifier))
        found = queries.entry(db, stated.size - 1)
        assert found is not None
        assert found[1] is not None
        assert json.loads(found[1].public) == {
            "kind": "record.key_rotated", "former": str(former.verifier), "key": said, "ground": "保管人变更",
        }  # fmt: skip
    hearing = {"hearing_id": heard.hearing_id}
    heard.act(_hand, "luo", **hearing)
    publish(heard)
    with heard.db() as db:
        newest = queries.newest_checkpoint(db)
        assert newest is not None
        assert open_note(newest.note, following.verifier)
        assert queries.key_of(db, newest) == said
    assert heard.client().get("/record/keys").text == f"{said}\n{former.verifier}\n"
    assert panel("audit", "--data", heard.folder)[0] == 0


def _hand(work: object, actor: object, *, hearing_id: str) -> object:
    from panel.hearings.actions import request_floor

    return request_floor(work, actor, hearing_id=hearing_id, kind="speech")  # type: ignore[arg-type]  # as the world acts


def test_a_key_is_not_renewed_without_a_reason(heard: World) -> None:
    path = heard.site.settings.record_key
    former = read_key(path)
    assert panel("rotate-key", "--ground", " ", "--data", heard.folder) == (2, ["请说明更换密钥的原因。"])
    assert read_key(path) == former
    assert not path.with_suffix(".next").exists()


def test_an_erased_entry_still_verifies_and_one_entry_is_handed_out(heard: World, tmp_path: Path) -> None:
    with heard.db() as db:
        _, entry = queries.acknowledgements(db, heard.people["luo"])[0]
    key = str(read_key(heard.site.settings.record_key).verifier)
    for audience, shown in (("full", True), ("public", False)):
        to = tmp_path / f"{audience}.tlog-proof"
        assert panel("export", "entry", entry.index, "--to", to, "--audience", audience, "--data", heard.folder)[0] == 0
        report = verifying.verify(to.read_bytes(), key)
        assert (report.holds, report.receipt is not None and bool(report.receipt.event)) == (True, shown)
        code, lines = panel("verify", to, "--key", key)
        assert (code, lines[-1]) == (0, "本文件成立。")
    said = panel("erase", entry.index, "--ground", "依法清除", "--data", heard.folder)
    assert said == (0, [f"第 {entry.index} 号记录的内容已清除。"])
    assert panel("erase", entry.index, "--ground", "依法清除", "--data", heard.folder)[0] == 2
    assert panel("export", "entry", entry.index, "--to", to, "--audience", "full", "--data", heard.folder)[0] == 0
    assert '"private":"erased"' in Receipt.parse(to.read_text(encoding="utf-8")).extra.decode()
    assert panel("verify", to, "--key", key)[0] == 0
    assert panel("export", "entry", 10**9, "--to", to, "--data", heard.folder) == (2, ["没有这条记录。"])
    assert panel("audit", "--data", heard.folder)[0] == 0


def test_a_witness_follows_a_mirror_by_files_and_keeps_what_accuses(heard: World, tmp_path: Path) -> None:
    mirror, to = tmp_path / "mirror", tmp_path / "cosignature"
    _, (public,) = panel("witness", "key", tmp_path / "w.key", "--name", "witness.example/w1")
    log = str(read_key(heard.site.settings.record_key).verifier)
    told = ("--key", tmp_path / "w.key", "--log-key", log, "--state", tmp_path / "state", "--to", to)
    panel("mirror", mirror, "--data", heard.folder)
    assert panel("witness", "check", mirror, *told)[0] == 0
    heard.act(_hand, "luo", hearing_id=heard.hearing_id)
    publish(heard)
    panel("mirror", mirror, "--data", heard.folder)
    assert panel("witness", "check", mirror, *told)[0] == 0
    cosigned = (mirror / "checkpoint").read_text(encoding="utf-8") + to.read_text(encoding="utf-8")
    assert abs(WitnessKey.parse(public).time_of(cosigned) - clock.now().timestamp()) < 60
    forged = read_key(heard.site.settings.record_key).sign(
        str(CheckpointText(VerifierKey.parse(log).name, 10**6, bytes(32)))
    )
    (mirror / "checkpoint").write_text(forged, encoding="utf-8")
    assert panel("witness", "check", mirror, *told)[0] in (1, 2)
    forged = read_key(heard.site.settings.record_key).sign(
        str(CheckpointText(VerifierKey.parse(log).name, int(cosigned.split("\n")[1]), bytes(32)))
    )
    (mirror / "checkpoint").write_text(forged, encoding="utf-8")
    code, (said,) = panel("witness", "check", mirror, *told)
    assert code == 1
    assert "evidence" in said
    (kept,) = (tmp_path / "state" / "evidence").glob("*.txt")
    assert forged in kept.read_text(encoding="utf-8")
