"""What the roster says of people: field, term, availability, cases served; bad lists, a large one, the saved roster."""

import io
import re
import time
from datetime import date, timedelta
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlmodel import col, select

from panel.accounts.models import Person
from panel.committees import actions, queries, rules
from panel.committees.models import Category, RosterMember
from panel.committees.roster import Line, day, read
from panel.committees.rules import AVAILABILITY, COLUMNS, PLACE, availability
from panel.committees.views.roster import COUNTED, roster_file
from panel.core import clock, sheets
from panel.core.errors import Invalid, NotFound
from panel.core.i18n import LOCALES, translator
from panel.core.words import CATEGORIES
from panel.record.models import RecordEntry
from tests import corpus
from tests.committees.seats import recuse
from tests.core.test_sheets import book
from tests.factories import World

WORDS = queries.roster_words()
HEADS = "姓名,席位类别,单位,登录名,专长,任期起,任期止,暂不可用至,暂不可用原因\n"
POOL = (
    HEADS
    + "欧阳岚,法律,某律师事务所,ouyang,行政法,2025-01-01,2029-12-31,,\n"
    + "阿卜杜拉·买买提,行业专家,设计院,abdulla,水利,,,2099-01-01,出国进修\n"
    + "司徒静,群众,,situ,,2020/1/1,2024年12月31日,,\n"
)
IMPORT = "/administration/roster/import"


def lines(text: str) -> list[Line]:
    return read(text, WORDS)


def take(world: World, text: str) -> list[Person]:
    return world.act(actions.import_roster, "clerk", lines=lines(text))


def problems(world: World, text: str) -> list[str]:
    with world.db() as db:
        return [str(each.problem or "") for each in queries.checked(db, lines(text))]


def flags(world: World, text: str) -> list[list[str]]:
    with world.db() as db:
        return [[str(flag) for flag in each.flags] for each in queries.checked(db, lines(text))]


def places(world: World) -> dict[str, dict[str, Any]]:
    with world.db() as db:
        return {person.login: rules.place_of(member) for member, person in queries.roster(db)}


def member_id(world: World, login: str) -> str:
    with world.db() as db:
        return next(member.id for member, person in queries.roster(db) if person.login == login)


def recorded(world: World, since: int) -> list[str]:
    with world.db() as db:
        every = db.exec(select(RecordEntry.kind).order_by(col(RecordEntry.index))).all()
    return [kind.removeprefix("committees.") for kind in every[since:]]


def size(world: World) -> int:
    return len(recorded(world, 0))


def looked(world: World, text: str = "", **sent: Any) -> Any:
    client = world.client("clerk")
    fields = {**world.token(client, IMPORT), "pasted": text, "step": "look", "first_run": ""}
    return client.post(IMPORT, data=fields, **sent)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("2026-01-31", date(2026, 1, 31)), ("2026/1/31", date(2026, 1, 31)), ("2026年1月31日", date(2026, 1, 31)),
     ("2026.01.31", date(2026, 1, 31)), (" 2026 年 1 月 31 日", date(2026, 1, 31)), ("2026-02-30", None),
     ("2026年1月", None), ("2026-1/31", None), ("46053", None), ("", None), ("明年", None)],
)  # fmt: skip
def test_days_are_read_as_people_and_spreadsheets_write_them(written: str, meant: date | None) -> None:
    assert day(written) == meant


def test_field_term_and_absence_are_read_by_their_headings_and_kept_with_their_event(world: World) -> None:
    before = size(world)
    take(world, POOL)
    assert places(world) == {
        "ouyang": {
            "category": Category.LEGAL, "unit": "某律师事务所", "expertise": "行政法", "term_from": date(2025, 1, 1),
            "term_until": date(2029, 12, 31), "away_until": None, "away_why": "",
        },
        "abdulla": {
            "category": Category.EXPERT, "unit": "设计院", "expertise": "水利", "term_from": None,
            "term_until": None, "away_until": date(2099, 1, 1), "away_why": "出国进修",
        },
        "situ": {
            "category": Category.PUBLIC, "unit": "", "expertise": "", "term_from": date(2020, 1, 1),
            "term_until": date(2024, 12, 31), "away_until": None, "away_why": "",
        },
    }  # fmt: skip
    assert recorded(world, before) == ["accounts.person_added"] * 3 + ["roster_member_added"] * 3


def test_a_workbook_is_looked_at_and_taken_with_its_days(world: World) -> None:
    heads = HEADS.strip().split(",")
    row = ["欧阳岚", "法律", "=1+1 所", "ouyang", "行政法", date(2025, 1, 1), "2029/12/31"]
    answer = looked(world, files={"file": ("名单.xlsx", book(heads, row, ["无名", "行家"]))})
    assert (answer.status_code, answer.text.count("无法识别的席位类别")) == (200, 1)
    assert re.findall(r'<td[^>]*><span class="number">(\d+)</span></td>', answer.text) == ["3", "2"]
    text = sheets.text_of(book(heads, row))
    assert "2025-01-01" in answer.text
    take(world, text)
    assert places(world)["ouyang"]["term_from"] == date(2025, 1, 1)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("罗\u202e正,媒体", "Name: This holds marks that turn the order of writing. Please type it without them."),
        ("罗\u200b正,媒体", "Name: There are marks in it that nobody sees: U+200B. Type it anew."),
        ("罗\ufeff正,媒体", "Name: There are marks in it that nobody sees: U+FEFF. Type it anew."),
        ("罗正,媒体,,l\u200do", "Name to sign in with: There are marks in it that nobody sees: U+200D. Type it anew."),
        ("罗正,媒体,报\u2066社", "Unit: This holds marks that turn the order of writing. Please type it without them."),
        ("罗正,媒体,,,,明年", "“明年” is no date. Write it like this: 2026-01-31."),
        ("罗正,媒体,,,,2026-01-01,2025-12-31", "Term until: The term ends before it begins."),
        ("罗正,媒体,,,,,,2026-01-01", "Reason for absence: Say in a few words why this person is not available."),
        ("罗正,媒体,,,,,,,出差", "Not available until: Say until which day this person is not available."),
        ("罗正,媒体,#REF!", "A formula went wrong: the cell says “#REF!”."),
        ("罗正,媒体," + "长" * 121, "Unit: This is too long: at most 120 characters."),
        ("罗正,媒体,,,长" + "长" * 80, "Field of expertise: This is too long: at most 80 characters."),
        ("罗" * 81 + ",媒体,,x", "Name: This is too long: at most 80 characters."),
        *((f"{name},媒体,,x", "Name: One word mixes letters of scripts that look alike. Please type it in one script.")
          for name in corpus.LOOK_ALIKES),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_line_is_said_in_words(world: World, row: str, said: str) -> None:
    assert problems(world, HEADS + row) == [said]


def test_marks_in_a_pasted_list_are_told_line_by_line_and_what_was_pasted_stays(world: World) -> None:
    answer = looked(world, "罗\u202e正,媒体\n孟\u200b工,行业专家\n冯婷,群众")
    assert (answer.status_code, "U+200B" in answer.text, "冯婷,群众" in answer.text) == (200, True, True)
    assert "需要更正的行数：2" in answer.text


@pytest.mark.parametrize("text", ["", " \n\t\n", "姓名,类别"])
def test_a_list_without_anybody_is_told_as_one(world: World, text: str) -> None:
    answer = looked(world, text)
    assert (answer.status_code, "请至少粘贴一行" in answer.text) == (422, True)


def test_names_of_every_people_are_taken(world: World) -> None:
    names = ("欧阳岚", "上官婉儿", "阿卜杜拉·买买提", "迪丽热巴·迪力木拉提", "𠮷田", "Li Lei", "Ålund")
    assert problems(world, "\n".join(f"{name},媒体" for name in names)) == [""] * len(names)


def test_whoever_stands_in_a_list_twice_is_flagged_or_refused(world: World) -> None:
    heads = "姓名,类别,单位,邮箱,登录名\n"
    twice = heads + "买买提·江,媒体,某报社,a@x.cn,m1\n买买提•江 ,媒体,某报 社,b@x.cn,m2\n江雪,媒体,某报社,b@x.cn,m3"
    same = "Another line has the same name and unit."
    assert problems(world, twice) == ["", "", ""]
    assert flags(world, twice) == [
        [same], [same, "Another line has the same mail address."], ["Another line has the same mail address."],
    ]  # fmt: skip
    assert problems(world, "江雪,媒体\n江雪,群众") == ["Two lines have the same name to sign in with."] * 2


def test_whoever_is_on_the_roster_is_flagged_with_what_would_change(world: World) -> None:
    take(world, POOL)
    again = HEADS + "欧阳岚,法律,另一律师事务所,ouyang,行政法,2025-01-01,2029-12-31,,\n欧阳岚,法律,某律师事务所,oy2"
    with world.db() as db:
        first, second = queries.checked(db, lines(again))
    assert (first.there, first.changes, first.flags) == (True, ("unit",), ())
    assert (second.there, [str(flag) for flag in second.flags]) == (
        False, ["On the roster somebody of this name and unit signs in as ouyang already."],
    )  # fmt: skip


def test_what_a_list_has_no_column_for_stays_as_it_is(world: World) -> None:
    take(world, POOL)
    before, there = size(world), places(world)
    take(world, "姓名,类别,登录名\n欧阳岚,法律,ouyang")
    assert (places(world), recorded(world, before)) == (there, [])
    take(world, "姓名,类别,登录名,专长\n欧阳岚,法律,ouyang,民法")
    assert places(world)["ouyang"] == {**there["ouyang"], "expertise": "民法"}
    assert recorded(world, before) == ["roster_member_changed"]


def test_cells_that_begin_like_formulas_are_kept_as_text_and_flagged(world: World) -> None:
    text = "姓名,类别,单位,登录名\n" + '=cmd,媒体,"=HYPERLINK(""http://x"")",eq\n'
    assert flags(world, text) == [["A cell begins like a formula. It is kept as text."]]
    take(world, text)
    assert places(world)["eq"]["unit"] == '=HYPERLINK("http://x")'


def test_more_lines_than_a_list_may_have_are_refused_and_nothing_is_taken(world: World) -> None:
    answer = looked(world, "\n".join(f"人{n},媒体" for n in range(10_001)))
    assert (answer.status_code, "最多 10000 行" in answer.text, places(world)) == (200, True, {})
    assert 'step" value="take' not in answer.text


def test_ten_thousand_rows_are_looked_at_with_what_is_wrong_first_and_taken(world: World) -> None:
    rows = [["姓名", "类别", "单位", "登录名"], *([f"人{n}", "媒体", f"单位{n % 90}", f"p{n}"] for n in range(9_999))]
    content = sheets.workbook_of("x", [*rows, ["坏", "行家", "", "bad"]])
    begun = time.process_time()
    answer = looked(world, files={"file": ("名单.xlsx", content)})
    assert (answer.status_code, answer.text.count("<tr>")) == (200, 1 + 1 + 200)
    assert re.search(r'<td[^>]*><span class="number">(\d+)<', answer.text)[1] == "10001"  # type: ignore[index]  # it is there
    assert len(take(world, sheets.text_of(sheets.workbook_of("x", rows)))) == 9_999
    assert time.process_time() - begun < 100, (
        "seconds of this machine's work: it does not grow with the square of the rows"
    )
    page = world.client("clerk").get("/administration/roster").text
    assert ("名册共 9999 人" in page, "第 1 页，共 200 页" in page, page.count("<tr>")) == (True, True, 51)


def test_a_long_list_makes_no_invitations_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_INVITED", 2)
    client = world.client("clerk")
    fields = {**world.token(client, IMPORT), "pasted": POOL, "step": "take", "first_run": ""}
    answer = client.post(IMPORT, data=fields)
    assert (answer.status_code, "未逐一邀请" in answer.text, "/links/invitation/" in answer.text) == (200, True, False)
    assert len(places(world)) == 3


NOW = date(2026, 6, 1)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("place", "state"),
    [({}, "available"), ({"term_from": NOW, "term_until": NOW}, "available"), ({"term_from": NOW + DAY}, "before"),
     ({"term_until": NOW - DAY}, "after"), ({"away_until": NOW, "away_why": "出差"}, "away"),
     ({"away_until": NOW - DAY, "away_why": "出差"}, "available"),
     ({"term_until": NOW - DAY, "away_until": NOW}, "after")],
)  # fmt: skip
def test_whoever_is_outside_the_term_or_away_is_not_available(place: dict[str, Any], state: str) -> None:
    member = RosterMember(person_id="x", category=Category.LEGAL, **place)
    open_account = Person(name="x", login="x", password_hash="!")
    assert availability(member, open_account, NOW) == state
    closed = Person(name="x", login="x", password_hash="!", disabled_at=clock.now())
    assert availability(member, closed, NOW) == "closed"
    assert {state, "closed"} <= set(AVAILABILITY)


def test_cases_served_are_counted_from_the_seats(world: World) -> None:
    def served(at: Any) -> dict[str, queries.Served]:
        with world.db() as db:
            found = queries.cases_served(db, at, world.site.zone)
        return {who: found[id] for who in ("luo", "meng", "he", "stranger") if (id := world.people[who]) in found}

    now = clock.now()
    assert served(now) == dict.fromkeys(("luo", "meng"), queries.Served(1, 1)), "an alternate who waits has not served"
    assert served(now + timedelta(days=366))["luo"] == queries.Served(1, 0)
    recuse(world, "chair", "meng")
    assert served(now) == {"luo": queries.Served(1, 1)}


def test_one_entry_is_changed_on_its_page_with_its_event_and_shown(world: World) -> None:
    take(world, POOL)
    before, client, path = size(world), world.client("clerk"), f"/roster/{member_id(world, 'ouyang')}"
    assert 'value="2029-12-31"' in client.get(path).text
    typed = {
        **world.token(client, path), "category": "legal", "unit": "某律师事务所", "expertise": "行政诉讼",
        "term_from": "2025-01-01", "term_until": "2029年12月31日", "away_until": "2099-12-31", "away_why": "出差",
    }  # fmt: skip
    assert client.post(path, data=typed, follow_redirects=False).status_code == 303
    assert (places(world)["ouyang"]["expertise"], places(world)["ouyang"]["away_why"]) == ("行政诉讼", "出差")
    assert recorded(world, before) == ["roster_member_changed"]
    page = client.get("/administration/roster?state=away").text
    assert ("行政诉讼" in page, "至 2099-12-31" in page, "司徒静" in page) == (True, True, False)


def test_what_does_not_hold_is_told_at_its_field_and_nothing_typed_is_lost(world: World) -> None:
    take(world, POOL)
    before, client, path = size(world), world.client("clerk"), f"/roster/{member_id(world, 'ouyang')}"
    typed = {
        **world.token(client, path), "category": "media", "unit": "新单位", "expertise": "",
        "term_from": "2026-01-01", "term_until": "2025-01-01", "away_until": "", "away_why": "",
    }  # fmt: skip
    answer = client.post(path, data=typed)
    assert (answer.status_code, "任期结束早于开始" in answer.text, 'value="新单位"' in answer.text) == (422, True, True)
    assert (places(world)["ouyang"]["unit"], recorded(world, before)) == ("某律师事务所", [])


def test_another_category_is_another_place_and_the_rest_goes_along(world: World) -> None:
    take(world, POOL)
    before, id = size(world), member_id(world, "ouyang")
    place = {**places(world)["ouyang"], "category": Category.EXPERT}
    world.act(actions.change_roster_member, "clerk", member_id=id, **place)
    assert (places(world)["ouyang"], recorded(world, before)) == (place, ["roster_member_added"])
    assert member_id(world, "ouyang") != id
    with pytest.raises(NotFound):
        world.act(actions.change_roster_member, "clerk", member_id=id, **place)
    wrong = {**place, "member_id": member_id(world, "ouyang"), "away_why": "出差"}
    with pytest.raises(Invalid):
        world.act(actions.change_roster_member, "clerk", **wrong)


def test_who_sees_the_roster_but_does_not_keep_it_changes_nothing(world: World) -> None:
    take(world, POOL)
    path = f"/roster/{member_id(world, 'ouyang')}"
    client = world.client("audit")
    assert client.get("/administration/roster").text.count(path) == 0
    assert client.get(path).status_code == 403
    token = world.token(client, "/administration/roster")
    assert client.post(path, data={**token, "category": "media"}).status_code == 403
    assert world.client("luo").get("/administration/roster").status_code == 403


def test_the_roster_is_searched_counted_by_category_and_shown_by_the_page(world: World) -> None:
    take(world, POOL + "".join(f"律师{n},法律,第{n}所,l{n}\n" for n in range(60)))
    client = world.client("audit")

    def names(query: str) -> list[str]:
        return re.findall(r'<th scope="row"><bdi>([^<]+)</bdi>', client.get(f"/administration/roster{query}").text)

    assert names("?q=水利") == ["阿卜杜拉·买买提"]
    assert names("?category=public") == ["司徒静"]
    assert names("?state=after") == ["司徒静"]
    assert names("?q=没有这个人") == []
    assert (len(names("")), len(names("?page=2")), len(names("?page=99")), len(names("?page=x"))) == (50, 13, 13, 50)
    assert len(names("?category=nothing&state=nothing")) == 50
    page = client.get("/administration/roster?q=所").text
    assert re.findall(r"(?:法律人士|行业专家)</a> <span[^>]*>(\d+)<", page) == ["61", "0"]


def test_nobody_on_the_roster_leads_to_a_list(world: World) -> None:
    page = world.client("clerk").get("/administration/roster").text
    assert ("委员名册中还没有人" in page, IMPORT in page, "存为 CSV" in page) == (True, True, False)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_saved_roster_is_imported_again_unchanged(world: World, locale: str, kind: str) -> None:
    take(world, POOL + '=cmd|x,媒体,"\'-a, ""b""",eq,+专长,,,,\n')
    before, there = size(world), places(world)
    with world.db() as db:
        made, people = roster_file(db, translator(locale), kind, now=clock.now(), zone=world.site.zone)
    assert people == 4
    again = lines(sheets.text_of(made))
    assert [(line.login, line.problem) for line in again] == [(login, "") for login in there]
    assert all(set(PLACE) <= line.given for line in again), "every column is known by its heading"
    assert world.act(actions.import_roster, "clerk", lines=again) == []
    assert (places(world), recorded(world, before)) == (there, [])


def test_every_word_of_a_saved_roster_is_understood_again() -> None:
    for locale in LOCALES:
        words = translator(locale)
        assert {
            code: words(label).casefold() in WORDS.columns[code] for code, label in COLUMNS.items()
        } == dict.fromkeys(COLUMNS, True)
        assert all(words(label).casefold() in WORDS.categories[code] for code, label in CATEGORIES.items())
        assert not any(words(label).casefold() in heads for label in COUNTED for heads in WORDS.columns.values())
    heads = [word for known in WORDS.columns.values() for word in known]
    assert (len(heads), heads) == (len(set(heads)), [word.casefold() for word in heads])


def test_who_sees_the_roster_saves_it_and_the_security_log_says_so(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    take(world, POOL + "=cmd,媒体,=1+1,eq,,,,,\n")
    client = world.client("audit")
    for kind in ("csv", "xlsx"):
        fields = {**world.token(client, "/administration/roster"), "kind": kind}
        capsys.readouterr()
        answer = client.post("/administration/roster/file", data=fields)
        assert answer.status_code == 200
        assert re.fullmatch(rf'attachment; filename="roster-[\d-]+\.{kind}"', answer.headers["content-disposition"])
        logged = capsys.readouterr()
        assert (logged.out + logged.err).count("roster_exported") == 1
        assert "欧阳岚" not in logged.out + logged.err
    sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
    assert [cell.value for cell in sheet["A"]] == ["姓名", "欧阳岚", "阿卜杜拉·买买提", "司徒静", "'=cmd"]
    csv = client.post(
        "/administration/roster/file", data={**world.token(client, "/administration/roster"), "kind": "csv"}
    )
    assert csv.content.startswith(b"\xef\xbb\xbf" + "姓名,类别,单位,登录名,".encode())
    assert "\r\n'=cmd,媒体代表,'=1+1,eq," in csv.text
    member = world.client("luo")
    fields = {**world.token(member, "/devices"), "kind": "csv"}
    assert member.post("/administration/roster/file", data=fields).status_code == 403
