"""The commands: export, verify, audit, as somebody types them."""

import json
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from panel.cli import record
from panel.record.checkpoint import make_key, read_key
from panel.record.commitment import canonical
from panel.verify.bundle import LARGEST
from tests.factories import World
from tests.verify.stories import Teller, show, tell

app = typer.Typer()
app.command("verify")(record.verify)
app.command("audit")(record.audit)
app.add_typer(record.export, name="export")


def panel(*words: object, env: dict[str, str] | None = None) -> tuple[int, Sequence[str]]:
    """Type a command; return its exit code and what it printed, errors included."""
    result = CliRunner().invoke(app, [str(word) for word in words], env=env)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output.splitlines()


@pytest.fixture
def told(world: World) -> World:
    """An installation with a decided case and a key."""
    tell(world, Teller(world.case_id).whole())
    make_key(world.site.settings.record_key, "heyi/test")
    return world


def export(world: World, to: Path, *more: object) -> tuple[int, Sequence[str]]:
    """Export the world's case."""
    return panel("export", "case", "容评〔2026〕1号", "--to", to, "--data", world.folder, *more)


def test_a_case_is_exported_and_its_bundle_verified_with_the_log_s_key(told: World, tmp_path: Path) -> None:
    bundle = tmp_path / "case.json"
    done, (logged, written) = export(told, bundle)
    assert (done, written) == (0, f"已写入：{bundle}（{bundle.stat().st_size} 字节）")
    event = {name: value for name, value in json.loads(logged).items() if name not in {"at", "level"}}
    assert event == {
        "channel": "security", "event": "case_exported", "case": "容评〔2026〕1号", "audience": "public",
    }  # fmt: skip
    code, lines = panel("verify", bundle, "--key", read_key(told.site.settings.record_key).verifier)
    assert (code, lines[-1]) == (0, "本文件成立。")
    assert [line for line in lines if line[0] in "✗–"] == []
    assert "    · 第1项：选票未在此全部公开，未重新计票。" in lines
    assert (
        "    · 第2项（无记名）：表决名册、投票人数、票数合计、基数、通过线和结果相互一致；不可独立重新计票。" in lines
    )
    assert sorted(path.name for path in tmp_path.glob("*.json*")) == ["case.json"]


def test_the_key_may_be_in_a_file(told: World, tmp_path: Path) -> None:
    export(told, tmp_path / "case.json")
    key = tmp_path / "key.txt"
    key.write_text(f"{read_key(told.site.settings.record_key).verifier}\n", encoding="utf-8")
    assert panel("verify", tmp_path / "case.json", "--key", key)[0] == 0


def test_without_a_key_it_says_that_the_key_is_not_trusted(told: World, tmp_path: Path) -> None:
    export(told, tmp_path / "case.json")
    code, lines = panel("verify", tmp_path / "case.json")
    assert "! 所用公钥为记录的公钥" in lines
    assert (code, lines[-3]) == (0, "公钥取自文件本身，尚不可信：请与公布的公钥比对。")
    assert lines[-2] == f"    {read_key(told.site.settings.record_key).verifier}"


def test_the_first_thing_that_fails_is_named_with_its_place(told: World, tmp_path: Path) -> None:
    bundle = tmp_path / "case.json"
    export(told, bundle, "--audience", "panel")
    bundle.write_bytes(bundle.read_bytes().replace(b'"not_established"', b'"not_establishes"', 1))
    code, lines = panel("verify", bundle)
    failing = next(at for at, line in enumerate(lines) if line.startswith("✗"))
    assert code == 1
    assert lines[failing] == "✗ 公开的内容就是当时记录的内容"
    assert lines[failing + 2].startswith("    位置：entries[")
    assert lines[-1] == "本文件不成立。首先不成立的一项：公开的内容就是当时记录的内容。"


def test_a_report_comes_in_english_when_asked(told: World, tmp_path: Path) -> None:
    export(told, tmp_path / "case.json")
    code, lines = panel("verify", tmp_path / "case.json", "--locale", "en")
    assert (code, lines[-1]) == (0, "This file holds.")
    assert panel("verify", tmp_path / "case.json", env={"PANEL_LOCALE": "en"}) == (code, lines)


@pytest.mark.parametrize("audience", ["public", "party", "panel", "full"])
def test_each_audience_gets_its_bundle(told: World, tmp_path: Path, audience: str) -> None:
    assert export(told, tmp_path / "case.json", "--audience", audience)[0] == 0
    assert json.loads((tmp_path / "case.json").read_bytes())["audience"] == audience


def test_a_case_is_found_by_its_id_too(told: World, tmp_path: Path) -> None:
    assert panel("export", "case", told.case_id, "--to", tmp_path / "a.json", "--data", told.folder)[0] == 0


@pytest.mark.parametrize("case", ["容评〔2026〕2号", "6", "9" * 40, ""])
def test_an_unknown_case_is_a_sentence(told: World, tmp_path: Path, case: str) -> None:
    found = panel("export", "case", case, "--to", tmp_path / "a.json", "--data", told.folder)
    assert found == (2, ["没有这个案件。"])
    assert not (tmp_path / "a.json").exists()


def test_a_folder_that_is_not_there_is_a_sentence(told: World, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere" / "case.json"
    assert export(told, missing) == (2, [f"{missing}：No such file or directory"])


def test_a_key_that_others_may_read_is_a_sentence(told: World, tmp_path: Path) -> None:
    told.site.settings.record_key.chmod(0o644)
    sentence = "记录的密钥文件 record.key 可被他人读取，请改为仅属主可读。"
    assert export(told, tmp_path / "case.json") == (2, [sentence])
    assert panel("audit", "--data", told.folder) == (2, [sentence])
    assert stat.S_IMODE(told.site.settings.record_key.stat().st_mode) == 0o644


def test_a_file_that_cannot_be_read_is_usage(tmp_path: Path) -> None:
    assert panel("verify", tmp_path / "none.json") == (2, [f"{tmp_path / 'none.json'}：No such file or directory"])
    assert panel("verify")[0] == 2
    assert panel("export", "case", "1", "--to", "x", "--audience", "world")[0] == 2


def test_a_huge_file_is_refused_without_reading_all_of_it(tmp_path: Path) -> None:
    huge = tmp_path / "zeros"
    with huge.open("wb") as file:
        file.truncate(16 * LARGEST)
    code, lines = panel("verify", huge)
    assert (code, lines[:2]) == (1, ["✗ 文件可以读取", "    文件超过核验包允许的大小。"])


def test_what_a_hostile_bundle_says_cannot_steer_the_terminal(told: World, tmp_path: Path) -> None:
    bundle = tmp_path / "case.json"
    export(told, bundle)
    value = json.loads(bundle.read_bytes())
    value["entries"][0]["\x1b]0;owned\x07"] = 1
    value["case"] = "\x1b[2J" + value["case"]
    bundle.write_bytes(canonical(value) + b"\n")
    code, lines = panel("verify", bundle)
    assert code == 1
    assert [line for line in lines if not line.isprintable()] == []


def test_an_audit_of_an_honest_installation_holds(told: World, tmp_path: Path) -> None:
    show(told)
    export(told, tmp_path / "case.json")
    assert panel("audit", "--data", told.folder) == (
        0,
        [
            "✓ 记录：共 24 个条目",
            "✓ 检查点：共 1 个",
            "✓ 案件 容评〔2026〕1号",
            "    · 第1项：已依据 10 张选票重新计票，结果一致。",
            "    · 第2项（无记名）：表决名册、投票人数、票数合计、基数、通过线和结果相互一致；不可独立重新计票。",
            "✓ 无记名表决的密钥",
            "记录成立。",
        ],
    )


def test_an_audit_names_what_does_not_agree(told: World) -> None:
    code, lines = panel("audit", "--data", told.folder)
    assert (code, lines[-1]) == (1, "记录不成立：发现 1 处问题。")
    assert lines[2:4] == ["✗ 案件 容评〔2026〕1号", "    页面显示的计票结果与记录不一致。"]


def test_an_audit_of_an_empty_folder_is_a_sentence(tmp_path: Path) -> None:
    assert panel("audit", "--data", tmp_path) == (2, [f"{tmp_path} 中没有已安装的系统。"])


def test_an_audit_of_a_fresh_installation_holds(world: World, tmp_path: Path) -> None:
    shutil.copytree(world.folder, tmp_path / "copy")
    code, lines = panel("audit", "--data", tmp_path / "copy")
    assert (code, lines[-1]) == (0, "记录成立。")
