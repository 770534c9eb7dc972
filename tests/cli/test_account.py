"""Administration by commands: every act is recorded like one of the pages, and refused like one."""

import re
from pathlib import Path

import pytest
from sqlmodel import Session, col, select

from panel.accounts import queries
from panel.accounts.models import Person
from panel.committees import queries as rosters
from panel.core.db import reading_engine, sqlite_url
from panel.core.security import Office
from panel.record.models import RecordEntry
from tests.cli.test_keep import panel

LINK = r"http://127\.0\.0\.1:8000/links/(invitation|reset)/\S+"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A new installation."""
    folder = tmp_path / "data"
    assert panel("init", "--data", folder)[0] == 0
    return folder


def kinds(data: Path) -> list[str]:
    engine = reading_engine(sqlite_url(data / "panel.sqlite"))
    with Session(engine) as db:
        found = [entry.kind for entry in db.exec(select(RecordEntry).order_by(col(RecordEntry.index))).all()]
    engine.dispose()
    return [kind for kind in found if not kind.startswith("rulebook.")]


def test_an_account_is_made_given_an_office_closed_and_opened(data: Path) -> None:
    code, (link,) = panel("account", "add", "guanli", "--name", "管理员甲", "--data", data)
    assert (code, bool(re.fullmatch(LINK, link))) == (0, True)
    said = panel("account", "give", "guanli", "system_administrator", "--data", data)
    assert said == (0, ["guanli 已担任：系统管理员。"])
    assert panel("account", "close", "guanli", "--data", data) == (2, ["这是最后一名系统管理员，请先指定另一名。"])
    assert panel("account", "add", "second", "--name", "乙", "--data", data)[0] == 0
    assert panel("account", "close", "second", "--data", data) == (0, ["second 的账户已停用。"])
    assert panel("account", "list", "--data", data) == (0, ["second\t乙\t\t已停用", "guanli\t管理员甲\t系统管理员\t"])
    assert panel("account", "open", "second", "--data", data) == (0, ["second 的账户已恢复。"])
    assert kinds(data) == [
        "accounts.person_added", "accounts.link_made", "accounts.office_given", "accounts.person_added",
        "accounts.link_made", "accounts.person_disabled", "accounts.person_enabled",
    ]  # fmt: skip


def test_a_reset_prints_a_link_and_no_password(data: Path) -> None:
    panel("account", "add", "guanli", "--name", "管理员甲", "--data", data)
    code, (link,) = panel("account", "reset", "guanli", "--data", data)
    assert (code, link.split("/")[4]) == (0, "reset")
    assert panel("account", "reset", "nobody", "--data", data) == (2, ["没有登录名为 nobody 的人员。"])


def test_a_list_is_taken_whole_or_every_bad_line_is_told(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("姓名,类别\n罗正,纪检监察\n孟工,行家\n", encoding="utf-8-sig")
    code, told = panel("committee", "import", file, "--data", data)
    assert (code, told) == (2, ["3: 无法识别的席位类别。", "需要更正的行数：1。名单尚未导入。"])
    assert kinds(data) == []
    file.write_text("姓名,类别\n罗正,纪检监察\n孟工,行业专家\n", encoding="utf-8-sig")
    code, told = panel("committee", "import", file, "--data", data)
    assert (code, told[-1]) == (0, "名册收录 2 人，新建账户 2 个。")
    assert [line.split("\t")[0] for line in told[:-1]] == ["罗正", "孟工"]
    engine = reading_engine(sqlite_url(data / "panel.sqlite"))
    with Session(engine) as db:
        assert len(rosters.roster(db)) == 2
        assert len(db.exec(select(Person)).all()) == 2
        assert queries.holders(db, Office.SYSTEM) == []
    engine.dispose()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_a_list_is_read_as_spreadsheets_save_it(data: Path, tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "list.txt"
    file.write_bytes("姓名\t类别\r\n罗正\t纪检监察\r\n孟工\t行家\r\n".encode(encoding))
    assert panel("committee", "import", file, "--data", data) == (
        2, ["3: 无法识别的席位类别。", "需要更正的行数：1。名单尚未导入。"],
    )  # fmt: skip
    file.write_bytes("罗正\t纪检监察\r\n".encode(encoding))
    assert panel("committee", "import", file, "--data", data)[0] == 0


def test_a_broken_workbook_and_a_file_that_is_not_there_are_refused(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "list.xlsx"
    assert panel("committee", "import", file, "--data", data)[0] == 2
    file.write_bytes(b"PK\x03\x04")
    code, (said,) = panel("committee", "import", file, "--data", data)
    assert (code, said.startswith("这个工作簿无法读取")) == (2, True)


def test_where_there_is_no_installation_nothing_is_made(tmp_path: Path) -> None:
    code, _ = panel("account", "add", "guanli", "--name", "甲", "--data", tmp_path / "none")
    assert (code, (tmp_path / "none").exists()) == (2, False)
