"""Every act of administration has its command: the table in docs/operations.md is complete, and its commands do it."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlmodel import Session, select
from starlette.routing import Route

from panel.accounts import actions, queries
from panel.accounts.models import Installation, SecondFactor
from panel.app import register, routes
from panel.cli import command_line
from panel.cli.seed import file_rehearsal
from panel.core import clock, mail, security
from panel.core.db import reading_engine, sqlite_url
from panel.core.mail import MailState, OutgoingMail
from tests.cli.test_account import kinds
from tests.cli.test_keep import panel
from tests.factories import World

GUIDE = Path(__file__).parents[2] / "docs" / "operations.md"
ROWS = dict(re.findall(r"^\| `(\w+\.\w+)` \| (.+) \|$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE))


def of_offices(route: Route) -> bool:
    """Say whether an act belongs to offices of the installation, whatever the case."""
    grant = security.PERMISSIONS[getattr(route.endpoint, "permission", "")]
    return bool(grant.offices) and not grant.roles


def test_every_act_of_administration_is_in_the_table_and_nothing_else() -> None:
    register()
    forms = [route for route in routes() if isinstance(route, Route) and "POST" in (route.methods or ())]
    assert {route.name for route in forms if of_offices(route)} == set(ROWS)


def test_every_command_of_the_table_is_there_and_only_beginning_a_rehearsal_has_none() -> None:
    without = [act for act, command in ROWS.items() if not command.startswith("`panel ")]
    assert without == ["accounts.begin_rehearsal"]
    for command in (each for act, each in ROWS.items() if act not in without):
        words = [word for word in command.strip("`").split()[1:] if word != "LOGIN"]
        found: Any = typer.main.get_command(command_line(words))
        for word in (word for word in words if not word.startswith("--")):
            found = found.commands[word]
        options = {name for parameter in found.params for name in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, command


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An installation with a system administrator, `guanli`, and somebody else, `yi`."""
    folder = tmp_path / "data"
    assert panel("init", "--data", folder)[0] == 0
    for login, name in (("guanli", "管理员甲"), ("yi", "乙")):
        assert panel("account", "add", login, "--name", name, "--data", folder)[0] == 0
    assert panel("account", "give", "guanli", "system_administrator", "--data", folder)[0] == 0
    return folder


def on(data: Path, *words: object) -> tuple[int, list[str]]:
    code, lines = panel(*words, "--data", data)
    return code, list(lines)


def test_an_office_is_given_and_ended_and_told_with_its_times(data: Path) -> None:
    assert on(data, "account", "give", "yi", "security_administrator") == (0, ["yi 已担任：安全管理员。"])
    assert on(data, "account", "take", "yi", "security_administrator") == (0, ["yi 不再担任：安全管理员。"])
    assert kinds(data)[-1] == "accounts.office_ended"
    assert on(data, "account", "take", "yi", "security_administrator") == (2, ["yi 未担任：安全管理员。"])
    assert on(data, "account", "take", "guanli", "system_administrator")[0] == 2, "the last one stays"
    code, lines = on(data, "account", "offices")
    told = sorted(line.split("\t") for line in lines)
    assert (code, [(cells[0], cells[1], cells[4], bool(cells[5])) for cells in told]) == (
        0,
        [
            ("安全管理员", "yi", "首次设置或命令行授予", True),
            ("系统管理员", "guanli", "首次设置或命令行授予", False),
        ],
    )


def test_an_invitation_is_made_anew(data: Path) -> None:
    code, (link,) = on(data, "account", "invite", "yi")
    assert (code, link.split("/")[4], kinds(data)[-1]) == (0, "invitation", "accounts.link_made")
    assert on(data, "account", "invite", "nobody") == (2, ["没有登录名为 nobody 的人员。"])


def test_header_and_footer_are_changed_and_the_rest_of_them_stays(data: Path) -> None:
    assert on(data, "describe", "--organisation", "某市委员会", "--icp", "某备1号")[0] == 0
    assert on(data, "describe", "--contact", "办公室", "--language", "en")[0] == 0
    engine = reading_engine(sqlite_url(data / "panel.sqlite"))
    with Session(engine) as db:
        row = db.get_one(Installation, 1)
        assert (row.organisation, row.icp, row.contact, row.locale) == ("某市委员会", "某备1号", "办公室", "en")
    engine.dispose()
    before = kinds(data)
    assert on(data, "describe") == (2, ["请至少指定一项要更改的内容。"])
    assert on(data, "describe", "--language", "fr")[0] == 2
    assert kinds(data) == before


def test_who_is_on_the_roster_is_listed_and_taken_off(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("罗正,纪检监察,市纪委,,luo\n", encoding="utf-8")
    assert on(data, "committee", "import", file)[0] == 0
    code, (line,) = on(data, "committee", "list")
    assert (code, line.split("\t")[:2], line.split("\t")[3]) == (0, ["luo", "罗正"], "市纪委")
    assert on(data, "committee", "remove", "luo") == (0, ["luo 已移出名册。"])
    assert kinds(data)[-1] == "committees.roster_member_removed"
    assert on(data, "committee", "list") == (0, [])
    assert on(data, "committee", "remove", "luo") == (2, ["luo 不在名册上。"])


def at(world: World, *words: object) -> tuple[int, list[str]]:
    """Type a command beside a world that is there already."""
    code, lines = panel(*words, "--data", world.folder, "--locale", "en")
    return code, list(lines)


@pytest.fixture
def here(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world beside which commands run."""
    monkeypatch.setenv("PANEL_SECRET", world.site.settings.secret.get_secret_value())
    if world.site.settings.database:
        monkeypatch.setenv("PANEL_DATABASE", world.site.settings.database)
    return world


def test_sign_ins_are_listed_and_ended(here: World) -> None:
    client = here.client("clerk")
    code, (line,) = at(here, "account", "sessions", "clerk")
    assert (code, line.split("\t")[0], len(line.split("\t"))) == (0, "Unknown device", 3)
    assert at(here, "account", "sessions", "clerk", "--end") == (0, ["Sign-ins of clerk that were ended: 1."])
    assert at(here, "account", "sessions", "clerk") == (0, [])
    assert client.get("/devices").status_code == 401


def test_a_second_factor_that_is_lost_is_taken_away(here: World) -> None:
    lost = SecondFactor(person_id=here.people["clerk"], sealed=b"x", confirmed_at=clock.now())
    here.work(lambda work: work.add_unrecorded(lost))
    assert at(here, "account", "factor", "clerk") == (0, ["Second factor: set up."])
    assert at(here, "account", "factor", "clerk", "--remove")[0] == 0
    assert at(here, "account", "factor", "clerk") == (0, ["Second factor: not set up."])
    assert at(here, "account", "factor", "clerk", "--remove") == (2, ["clerk has no second factor."])


def test_the_mails_are_listed_tried_again_and_struck(here: World) -> None:
    def write(work: Any) -> None:
        for to, state in (("a@example.cn", MailState.WAITING), ("b@example.cn", MailState.FAILED)):
            later = clock.now().replace(year=clock.now().year + 1)
            work.add_unrecorded(OutgoingMail(to=to, subject="账户", text="", state=state, next_try_at=later))

    here.work(write)
    code, lines = at(here, "mail", "list")
    assert (code, {(line.split("\t")[1], line.split("\t")[3]) for line in lines}) == (
        0, {("a@example.cn", "waiting"), ("b@example.cn", "given up")},
    )  # fmt: skip
    assert at(here, "mail", "again") == (0, ["Every mail that waits is tried at once."])
    assert at(here, "mail", "strike") == (0, ["Mails that were struck: 1."])
    with here.db() as db:
        (left,) = db.exec(select(OutgoingMail)).all()
        assert (left.to, mail.due(db, clock.now())) == ("a@example.cn", [left])


def test_a_rehearsal_is_wiped(here: World) -> None:
    def real(work: Any) -> None:
        for someone in queries.everybody(work.db):
            someone.fictional = False

    here.work(real)
    here.work(lambda work: file_rehearsal(work, 6))
    code, (said,) = at(here, "rehearsal", "wipe")
    assert (code, said.startswith("The rehearsal is wiped")) == (0, True)
    with here.db() as db:
        assert [each for each in queries.everybody(db) if each.fictional] == []


def test_what_is_refused_on_the_page_is_refused_here(here: World) -> None:
    here.act(actions.disable, "system", person_id=here.people["stranger"])
    assert at(here, "account", "invite", "stranger") == (2, ["This account is closed. Open it again first."])


def test_what_the_roster_says_is_changed_and_the_whole_is_saved_and_read_again(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("罗正,纪检监察,市纪委,,luo\n", encoding="utf-8")
    assert on(data, "committee", "import", file)[0] == 0
    said = ("--field", "财会", "--term-from", "2026年1月1日", "--away-until", "2099-01-01", "--why", "出差")
    assert on(data, "committee", "change", "luo", *said) == (0, ["luo 的名册信息已更改。"])
    assert kinds(data)[-1] == "committees.roster_member_changed"
    assert on(data, "committee", "change", "luo", "--away-until", "") == (2, ["暂不可用至：请填写暂不可用至哪一天。"])
    assert on(data, "committee", "change", "luo", "--away-until", "", "--why", "")[0] == 0
    assert on(data, "committee", "change", "luo", "--term-until", "明年") == (
        2, ["“明年”不是日期，请写成 2026-01-31 的形式。"],
    )  # fmt: skip
    assert on(data, "committee", "change", "yi", "--unit", "x") == (2, ["yi 不在名册上。"])
    before = kinds(data)
    for saved in (tmp_path / "roster.xlsx", tmp_path / "roster.csv"):
        assert on(data, "committee", "export", saved) == (0, ["已保存名册，共 1 人。"])
        assert on(data, "committee", "export", saved)[0] == 2, "a file that is there is not written over"
        assert on(data, "committee", "import", saved)[0] == 0
    assert "罗正,纪检监察,市纪委,luo,财会,2026-01-01,,,,0,0" in saved.read_text(encoding="utf-8-sig")
    assert on(data, "committee", "export", tmp_path / "roster.ods") == (2, ["文件名须以 .csv 或 .xlsx 结尾。"])
    assert kinds(data) == before
