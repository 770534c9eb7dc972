"""A clumsy operator: what is wrong at start is refused in one sentence of their language; nothing half-done stays."""

import os
import resource
import shutil
import socket
import subprocess
import sys
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import run
from panel.cli.serve import listening
from panel.core.config import load
from panel.core.errors import Refused
from tests.cli.test_keep import panel


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new installation, to be copied."""
    data = tmp_path_factory.mktemp("made") / "data"
    assert panel("init", "--data", data)[0] == 0
    return data


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "data"))


def state(data: Path, line: str) -> None:
    """Add a line to the settings file."""
    file = data / "settings.toml"
    file.write_text(f"{file.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("prot = 8000", "prot: 没有这项设置"),
        ('port = "eighty"', "port: 应为整数"),
        ("port = 99999", "port: 应不大于 65535"),
        ("idle_minutes = 0", "idle_minutes: 应不小于 1"),
        ("checkpoint_seconds = 0", "checkpoint_seconds: 应大于 0.0"),
        ('checkpoint_seconds = "often"', "checkpoint_seconds: 应为数字"),
        ('smtp_tls = "ssl"', "smtp_tls: 应为 starttls, tls or none"),
        ('trusted_proxies = "10.0.0.1"', 'trusted_proxies: 应为列表，例如 ["one", "two"]'),
        ("organisation = 7", "organisation: 应为带引号的文字"),
        ('zone = "Beijing"', "zone: 没有时区 Beijing"),
        ('zone = "../../etc/passwd"', "zone: 没有时区 ../../etc/passwd"),
        ('second_factor = "all"', "settings.toml: 第 "),
        ("port =", "settings.toml: 第 "),
        ('database = "nonsense"', "database: 请按 postgresql+psycopg://NAME@HOST/DATABASE 的格式填写"),
        ('database = "mysql://a:canary@b/c"', "database: 请按 postgresql+psycopg://NAME@HOST/DATABASE 的格式填写"),
        ('database = "postgresql://a:canary@b/c"', "database: 请按 postgresql+psycopg://NAME@HOST/DATABASE 的格式"),
        ('redis = "localhost:6379"', "redis: 请以 redis://、rediss:// 或 unix:// 开头"),
    ],
)
def test_a_setting_that_is_wrong_is_named_and_nothing_is_served(data: Path, line: str, said: str) -> None:
    state(data, line)
    code, lines = panel("serve", "--data", data)
    assert (code, lines[0], len(lines)) == (2, "设置有误。", 2)
    assert lines[1].startswith(said)
    assert "canary" not in lines[1]
    code, lines = panel("serve", "--data", data, "--locale", "en")
    assert (code, lines[0], lines[1].isascii()) == (2, "The settings do not hold.", True)


def rubbish(name: str, content: bytes) -> Callable[[Path], None]:
    def spoil(data: Path) -> None:
        for ending in ("-wal", "-shm"):
            (data / f"{name}{ending}").unlink(missing_ok=True)
        (data / name).write_bytes(content)

    return spoil


def half_of_it(data: Path) -> None:
    content = (data / "panel.sqlite").read_bytes()
    rubbish("panel.sqlite", content[: len(content) // 2])(data)


def missing(name: str) -> Callable[[Path], None]:
    return lambda data: (data / name).unlink()


def mode(name: str, bits: int) -> Callable[[Path], None]:
    return lambda data: (data / name).chmod(bits)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (rubbish("keys/secret", b"short"), "secret: 缺少签名密钥，或不足 32 个字符"),
        (rubbish("keys/secret", b"a" * 64), "secret: 签名密钥过于简单，请随机生成"),
        (rubbish("keys/secret", b"\xff\xfe" * 40), "的内容不是文本"),
        (rubbish("keys/record.key", b"rubbish"), "文件 record.key 中没有记录的密钥。"),
        (missing("keys/record.key"), "缺少记录的密钥"),
        (mode("keys/secret", 0o644), "权限必须为 0600"),
        (mode("keys/record.key", 0o644), "权限必须为 0600"),
        (mode("keys", 0o755), "权限必须为 0600"),
        (rubbish("settings.toml", b"\xff\xfe\x00"), "settings.toml: 这不是设置文件"),
        (rubbish("panel.sqlite", b"not a database at all" * 100), "无法读取数据库：file is not a database"),
        (rubbish("panel.sqlite", b""), "无法读取数据库：no such table: alembic_version"),
        (half_of_it, "无法读取数据库：database disk image is malformed"),
    ],
)
def test_a_file_that_is_spoilt_is_named_and_nothing_is_served(
    data: Path, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(data)
    code, lines = panel("serve", "--data", data)
    assert code == 2, lines
    assert said in lines[-1]


@pytest.mark.parametrize("spoil", [rubbish("panel.sqlite", b"not a database at all" * 100), half_of_it])
@pytest.mark.parametrize("command", ["backup", "migrate", "audit"])
def test_every_command_says_that_the_database_cannot_be_read(
    data: Path, tmp_path: Path, spoil: Callable[[Path], None], command: str
) -> None:
    spoil(data)
    words = [tmp_path / "backups.tar"] if command == "backup" else []
    before = sorted(path.name for path in tmp_path.iterdir())
    code, lines = panel(command, *words, "--data", data)
    assert (code, len(lines), lines[0].startswith("无法读取数据库：")) == (2, 1, True), lines
    code, lines = panel(command, *words, "--data", data, "--locale", "en")
    assert (code, lines[0].startswith("The database cannot be read: ")) == (2, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "这不是数据库的 URL。"),
        ("sqlite:///x", "sqlite:///x 不是 PostgreSQL 数据库。"),
        ("postgresql://heyi:canary@127.0.0.1:1/x", "请按 postgresql+psycopg://NAME@HOST/DATABASE 的格式填写。"),
        ("postgresql+psycopg://heyi:canary@127.0.0.1:1/x", "无法读取数据库："),
    ],
)
def test_a_database_that_is_not_there_leaves_nothing_behind(tmp_path: Path, url: str, said: str) -> None:
    code, lines = panel("init", "--data", tmp_path / "new", "--database", url)
    assert (code, len(lines), lines[0].startswith(said), "canary" in lines[0]) == (2, 1, True, False), lines
    assert list(tmp_path.iterdir()) == []


def test_a_server_whose_database_does_not_answer_says_so(data: Path) -> None:
    (data / "panel.sqlite").unlink()
    state(data, 'database = "postgresql+psycopg://heyi:canary@127.0.0.1:1/x"')
    for command in (("serve",), ("audit",), ("migrate",)):
        code, lines = panel(*command, "--data", data)
        assert (code, len(lines), lines[0].startswith("无法读取数据库：")) == (2, 1, True), lines
        assert "canary" not in lines[0]


def test_a_place_that_cannot_be_written_is_named(made: Path, data: Path, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("mine")
    assert panel("init", "--data", tmp_path / "letter" / "new")[0] == 2
    code, lines = panel("backup", tmp_path / "nowhere" / "heyi.tar", "--data", data)
    assert (code, len(lines), str(tmp_path / "nowhere") in lines[0]) == (2, 1, True)
    assert panel("backup", tmp_path / "heyi.tar", "--data", data)[0] == 0
    for where in (tmp_path / "letter", tmp_path / "letter" / "again"):
        code, lines = panel("restore", tmp_path / "heyi.tar", "--data", where)
        assert (code, len(lines)) == (2, 1), lines
    code, lines = panel("restore", tmp_path / "no.tar", "--data", tmp_path / "again")
    assert (code, str(tmp_path / "no.tar") in lines[0]) == (2, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "heyi.tar", "letter"]


def test_where_nothing_can_listen_it_is_said_why(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, lines = panel("serve", "--data", data, "--port", port)
    assert (code, lines) == (2, [f"无法监听 127.0.0.1:{port}：已有其他程序占用该端口。"])
    settings = load(data)
    for host in ("192.0.2.1", "999.1.1.1", "no.such.host.invalid", "a" * 300):
        with pytest.raises(Refused):
            listening(settings.model_copy(update={"host": host}))
    with listening(settings.model_copy(update={"port": 0})) as address:
        assert address.getsockname()[0] == "127.0.0.1"


def limited(words: Sequence[object], largest: int) -> "subprocess.CompletedProcess[str]":
    """Type a command on a system that lets no file grow beyond so many bytes: for the program, a disk that is full."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PANEL_")}
    return subprocess.run(
        [sys.executable, "-c", run.START, *map(str, words)],
        env={**environment, "PYTHONPATH": str(run.ROOT)}, capture_output=True, text=True, timeout=100,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest)),
    )  # fmt: skip


def test_a_disk_that_fills_while_restoring_leaves_nothing(data: Path, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    assert panel("backup", place / "heyi.tar", "--data", data)[0] == 0
    with tarfile.open(place / "heyi.tar") as archive:
        database = archive.getmember("panel.sqlite").size
    done = limited(["restore", place / "heyi.tar", "--data", place / "again"], database // 2)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert [path.name for path in place.iterdir()] == ["heyi.tar"]
