"""The roster: lists as people paste them, read line by line; taken whole or not at all."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import col, select

from panel.accounts.models import Person
from panel.committees import actions, queries
from panel.committees.models import Category, RosterMember
from panel.committees.roster import Line, read
from panel.core.errors import Refused
from panel.core.sheets import Unreadable, text_of
from panel.record.models import RecordEntry
from tests.factories import World

WORDS = queries.roster_words()
PASTED = "姓名\t席位类别\t单位\t邮箱\n欧阳岚\t法律专业人士\t某律师事务所\toy@example.cn\n\n孟工\t专家\t设计院\t\n"


def lines(text: str) -> list[Line]:
    return read(text, WORDS)


def test_a_list_from_a_spreadsheet_is_read_by_its_headings() -> None:
    given = frozenset({"name", "category", "unit", "mail"})
    assert lines(PASTED) == [
        Line(2, "欧阳岚", "legal", "某律师事务所", "oy@example.cn", "oy@example.cn", "法律专业人士", given=given),
        Line(4, "孟工", "expert", "设计院", "", "孟工", "专家", given=given),
    ]


def test_headings_may_stand_in_any_order_and_unknown_ones_are_passed_over() -> None:
    (line,) = lines("序号,单位,类别,姓名\n1,市委组织部,组织人事,秦月")
    assert (line.name, line.category, line.unit) == ("秦月", "organization", "市委组织部")


@pytest.mark.parametrize("separator", ["\t", ",", "，", ";"])
def test_without_headings_the_columns_have_an_order(separator: str) -> None:
    (line,) = lines(separator.join(("Li Lei", "Media", "某报社", "li@example.cn", "lilei")))
    assert (line.name, line.category, line.mail, line.login) == ("Li Lei", "media", "li@example.cn", "lilei")


def test_each_line_that_cannot_be_taken_says_why() -> None:
    found = lines("罗正\t纪检监察\n\t法律\n孟工\t行家\n秦月\n罗正\t媒体")
    assert [(line.number, line.problem) for line in found] == [
        (1, "twice"), (2, "no_name"), (3, "unknown_category"), (4, "no_category"), (5, "twice"),
    ]  # fmt: skip


SHEET = "姓名\t席位类别\t单位\n罗正\t纪检监察\t市纪委\n孟工\t行家\t设计院\n"
SAVED = {
    "CSV UTF-8 of Excel": SHEET.replace("\t", ",").replace("\n", "\r\n").encode("utf-8-sig"),
    "UTF-8 without a mark": SHEET.encode(),
    "Unicode text of Excel": SHEET.replace("\n", "\r\n").encode("utf-16"),
    "Unicode text, the other way round": b"\xfe\xff" + SHEET.encode("utf-16-be"),
    "CSV of Excel in a Chinese Windows": SHEET.replace("\t", ",").replace("\n", "\r\n").encode("gb18030"),
}


@pytest.mark.parametrize("content", SAVED.values(), ids=SAVED)
def test_a_file_is_read_as_spreadsheets_save_it(content: bytes) -> None:
    found = lines(text_of(content))
    assert [(line.number, line.name, line.unit, line.problem) for line in found] == [
        (2, "罗正", "市纪委", ""), (3, "孟工", "设计院", "unknown_category"),
    ]  # fmt: skip


def test_rows_keep_the_numbers_of_the_spreadsheet() -> None:
    found = lines('姓名,类别,单位\r\n"罗正",纪检监察,"市纪委\r\n一室"\r\n\r\n孟工,行家,\r\n')
    assert [(line.number, line.name, line.unit) for line in found] == [(2, "罗正", "市纪委\r\n一室"), (4, "孟工", "")]


def test_a_quotation_mark_that_swallows_the_list_is_told() -> None:
    with pytest.raises(Unreadable, match="quotation"):
        lines('罗正\t"' + "纪" * 140_000)


@given(st.text(alphabet='姓名类别\t\n,，;"ab@ ', max_size=200))
def test_whatever_is_pasted_is_read_without_an_error(text: str) -> None:
    for line in lines(text):
        assert line.problem or (line.name and line.category and line.login)


def test_every_category_has_its_own_words() -> None:
    assert set(WORDS.categories) == {category.value for category in Category}
    every = [word for known in WORDS.categories.values() for word in known]
    assert len(every) == len(set(every))
    assert every == [word.casefold() for word in every]


def take(world: World, text: str) -> list[Person]:
    return world.act(actions.import_roster, "clerk", lines=lines(text))


def on_roster(world: World) -> list[tuple[str, str, str]]:
    with world.db() as db:
        return [(person.name, member.category.value, member.unit) for member, person in queries.roster(db)]


def test_a_list_makes_accounts_and_places_each_with_its_event(world: World) -> None:
    new = take(world, PASTED)
    assert [person.name for person in new] == ["欧阳岚", "孟工"]
    assert on_roster(world) == [("欧阳岚", "legal", "某律师事务所"), ("孟工", "expert", "设计院")]
    with world.db() as db:
        kinds = [entry.kind for entry in db.exec(select(RecordEntry).order_by(col(RecordEntry.index))).all()][-4:]
    assert kinds == ["accounts.person_added"] * 2 + ["committees.roster_member_added"] * 2


def test_one_bad_line_and_nothing_is_taken(world: World) -> None:
    with world.db() as db:
        before = len(db.exec(select(Person)).all())
    with pytest.raises(Refused, match="Nothing was taken"):
        take(world, PASTED + "无名氏\t行家\n")
    with world.db() as db:
        assert len(db.exec(select(Person)).all()) == before
    assert on_roster(world) == []


def test_the_same_list_again_changes_nothing_and_another_category_replaces(world: World) -> None:
    take(world, PASTED)
    assert take(world, PASTED) == []
    take(world, "孟工\t媒体\t某报社")
    assert on_roster(world) == [("欧阳岚", "legal", "某律师事务所"), ("孟工", "media", "某报社")]
    with world.db() as db:
        assert len(db.exec(select(RosterMember)).all()) == 3


def test_another_person_s_name_to_sign_in_with_is_not_taken_over(world: World) -> None:
    with world.db() as db:
        checked = queries.checked(db, lines("冒名\t媒体\t\t\tluo"))
    assert [str(each.problem) for each in checked] == ["Somebody else signs in with this name already."]


def test_pasting_looking_and_taking_through_the_pages(world: World) -> None:
    client = world.client("clerk")
    path = "/administration/roster/import"
    fields = world.token(client, path)
    bad = client.post(path, data={**fields, "pasted": "罗正\t行家", "step": "look", "first_run": ""})
    assert (bad.status_code, "无法识别的席位类别" in bad.text, "罗正\t行家" in bad.text) == (200, True, True)
    assert "导入这" not in bad.text
    looked = client.post(path, data={**fields, "pasted": PASTED, "step": "look", "first_run": ""})
    assert "导入这 2 人" in looked.text
    assert on_roster(world) == []
    fields = world.token(client, path)
    taken = client.post(path, data={**fields, "pasted": PASTED, "step": "take", "first_run": ""})
    assert taken.status_code == 200
    assert taken.text.count("/links/invitation/") == 2
    assert [name for name, _, _ in on_roster(world)] == ["欧阳岚", "孟工"]


@pytest.mark.parametrize("content", SAVED.values(), ids=SAVED)
def test_a_file_is_looked_at_on_the_page_row_by_row_and_never_taken_at_once(world: World, content: bytes) -> None:
    client, path = world.client("clerk"), "/administration/roster/import"
    fields = {**world.token(client, path), "pasted": "", "step": "take", "first_run": ""}
    answer = client.post(path, data=fields, files={"file": ("list.csv", content)})
    assert (answer.status_code, on_roster(world)) == (200, [])
    told = re.findall(r'<span class="number">(\d+)</span></td>\s*<th scope="row"><bdi>(\w+)</bdi>', answer.text)
    assert told == [("3", "孟工"), ("2", "罗正")], "what has to be mended comes first"
    assert answer.text.count("无法识别的席位类别") == 1
    assert "孟工" in answer.text.partition("<textarea")[2].partition("</textarea>")[0], "it can be mended in place"


def test_a_file_that_cannot_be_read_is_refused_in_words_and_what_was_pasted_stays(world: World) -> None:
    client, path = world.client("clerk"), "/administration/roster/import"
    fields = {**world.token(client, path), "pasted": "罗正\t媒体", "step": "look", "first_run": ""}
    answer = client.post(path, data=fields, files={"file": ("list.xlsx", b"PK\x03\x04...")})
    assert (answer.status_code, "这个工作簿无法读取" in answer.text, "罗正\t媒体" in answer.text) == (422, True, True)


def test_a_first_line_without_a_name_is_not_moved_to_the_left(world: World) -> None:
    client, path = world.client("clerk"), "/administration/roster/import"
    fields = {**world.token(client, path), "pasted": "\t媒体\t某报社", "step": "look", "first_run": ""}
    answer = client.post(path, data=fields)
    assert (answer.status_code, answer.text.count("缺少姓名") + answer.text.count("没有姓名")) == (200, 1)


def test_who_is_taken_off_the_roster_keeps_the_account(world: World) -> None:
    take(world, PASTED)
    client = world.client("clerk")
    with world.db() as db:
        member = queries.roster(db)[0][0]
    fields = world.token(client, "/administration/roster")
    assert client.post(f"/roster/{member.id}/removal", data=fields, follow_redirects=False).status_code == 303
    assert [name for name, _, _ in on_roster(world)] == ["孟工"]
    with world.db() as db:
        assert db.exec(select(Person).where(Person.login == "oy@example.cn")).one().disabled_at is None
