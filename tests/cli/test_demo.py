"""The demo as a command: where it listens, whom it lets in, what it says when it cannot go on."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from sqlmodel import Session
from typer.testing import CliRunner

from panel.cli import command_line
from panel.cli import demo as command
from panel.cli.demo import NotHeld, Stage, counted, greet, opened, settings_of, staged
from panel.verify import check


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A demo of case 8 that is being served."""
    with (
        opened(0, lan=False) as listening,
        staged(tmp_path_factory.mktemp("stage"), listening, 8, lan=False) as made,
    ):
        yield made


def links(text: str) -> dict[str, str]:
    """Return the printed links by login."""
    return dict(re.findall(r"  (\S+)\n    (http\S+)", text))


def test_every_role_of_the_case_gets_a_link_that_signs_in(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    greet(stage)
    printed = links(capsys.readouterr().out)
    names = {person.login: person.name for person in stage.case.people.values()}
    shown = {}
    for login, link in printed.items():
        with httpx.Client(follow_redirects=True) as browser:
            page = browser.get(link)
            shown[login] = (page.status_code, page.url.path, names[login] in page.text)

    assert list(printed) == list(stage.case.logins.values())
    assert shown == dict.fromkeys(names, (200, f"/hearings/{stage.case.hearing_id}", True))


def test_it_is_told_in_chinese_first_and_in_english_too(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    greet(stage)
    lines = capsys.readouterr().out.splitlines()

    assert lines[:4] == [
        f"演示已就绪：{stage.url}/demo",
        f"The demonstration is open: {stage.url}/demo",
        "案例8：李某违规发放津补贴案",
        "Case 8: Li: allowances paid against the rules",
    ]
    assert lines[-4:] == [
        f"全部账号的口令：{stage.password}",
        f"Everybody's password: {stage.password}",
        "演示中的人物、发言、意见和表决均为虚构。按 Ctrl-C 结束。",
        "Everything people say and do here is fictional. Press Ctrl-C to stop.",
    ]


def test_the_same_accounts_sign_in_by_name_and_password(stage: Stage) -> None:
    with httpx.Client(base_url=stage.url, headers={"origin": stage.url}) as browser:
        hidden = dict(re.findall(r'name="(csrf|idem)" value="([^"]*)"', browser.get("/sign-in").text))
        answers = [
            browser.post("/sign-in", data={**hidden, "login": stage.case.logins["s1"], "password": password})
            for password in ("not the password", stage.password)
        ]

    assert [answer.status_code for answer in answers] == [401, 303]


def test_a_taken_port_gives_way_to_a_free_one(stage: Stage) -> None:
    taken = int(stage.url.rpartition(":")[2])
    with opened(taken, lan=False) as listening:
        host, port = listening.getsockname()

    assert host == "127.0.0.1"
    assert port not in {taken, 0}


def test_only_lan_opens_it_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PANEL_DATABASE", "sqlite:////nowhere/else.sqlite")
    monkeypatch.setenv("PANEL_TRUSTED_PROXIES", '["10.0.0.1"]')
    made = {}
    for lan in (False, True):
        with opened(0, lan=lan) as listening:
            made[lan] = settings_of(tmp_path, listening, lan=lan)

    assert {lan: (one.host, one.lan, one.demo, one.secure) for lan, one in made.items()} == {
        False: ("127.0.0.1", False, True, False),
        True: ("0.0.0.0", True, True, False),
    }
    assert made[False].origins == tuple(f"http://{name}:{made[False].port}" for name in ("127.0.0.1", "localhost"))
    assert made[True].database_url == f"sqlite:///{tmp_path / 'data' / 'panel.sqlite'}", "never somebody's real data"
    assert made[False].secret != made[True].secret


def test_a_hearing_that_was_not_held_has_no_outcome_to_print(stage: Stage) -> None:
    with Session(stage.site.reading) as db, pytest.raises(NotHeld, match="The hearing came to no finding"):
        counted(db, stage.case.case_id)


def test_the_case_can_be_exported_and_checked_while_it_is_open(stage: Stage) -> None:
    path, report = command.export(stage)

    assert (report.holds, report.trusted_key, path.name) == (True, True, "case_08.json")
    assert check.verify(path.read_bytes().replace(b'"seq":2,', b'"seq":3,')).holds is False


def test_another_case_than_the_four_is_refused_before_anything_is_made() -> None:
    done = CliRunner().invoke(command_line(["demo"]), ["demo", "--case", "5"])

    assert done.exit_code == 2
    assert "1, 6, 7, 8" in done.output


def test_what_goes_wrong_is_said_and_nothing_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(command, "STARTS_WITHIN", 0.0)
    done = CliRunner().invoke(command_line(["demo"]), ["demo", "--auto", "--case", "1", "--port", "0"])

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.splitlines() == ["演示未能完成：服务没有启动。"]
    assert list(tmp_path.iterdir()) == []
