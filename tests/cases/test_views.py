"""The dossier's pages by role, its forms, its files; and what never leaves."""

import re
from typing import Any

import pytest
from sqlmodel import select

from panel.cases import actions, queries
from panel.cases.models import Case, FactualQuestion
from panel.committees import actions as committees
from tests.cases import files
from tests.cases.dossier import (
    CANARY,
    READERS,
    REPORTED,
    WATCHING,
    empty,
    exhibit_ids,
    file_page,
    report,
    send,
    show,
    upload,
)
from tests.corpus import HUGE, SCRIPTS, TURNING, unescaped
from tests.factories import World
from tests.votes.chamber import events

TURNED = "内容中含有改变书写方向的控制符，请去掉后重新输入。"


def test_each_role_reads_what_is_theirs(world: World) -> None:
    report(world)
    pages = {who: file_page(world, who).text for who in READERS}
    words = ("汛前发现水库溢洪道闸门漏水。", "党委会会议记录", "黄某是否谋取私利？", CANARY)
    assert {who: tuple(word in page for word in words) for who, page in pages.items()} == {
        who: (True, who not in WATCHING, who not in WATCHING, who in REPORTED) for who in READERS
    }
    assert [who for who, page in pages.items() if unescaped(page)] == []


def test_the_report_leaves_no_trace_outside(world: World) -> None:
    report(world)
    for who in ("official", "helper", *WATCHING):
        _nothing_of_the_report(world, who)


def _nothing_of_the_report(world: World, who: str) -> None:
    client = world.client(who)
    pages = [
        f"/cases/{world.case_id}",
        "/cases",
        f"/cases/{world.case_id}?exhibit=9",
        f"/cases/{world.case_id}/verification",
    ]
    answers = [client.get(page) for page in pages]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 403]
    assert all(CANARY not in answer.text and "容错免责" not in answer.text for answer in answers)


def test_the_reader_shows_the_exhibit_that_the_address_names(world: World) -> None:
    assert "党委会会议记录：某水库溢洪道闸门漏水。" not in file_page(world, "luo").text
    assert "党委会会议记录：某水库溢洪道闸门漏水。" in file_page(world, "luo", "?exhibit=2").text
    assert file_page(world, "luo", "?exhibit=77").status_code == 200
    assert file_page(world, "luo", "?exhibit=%00").status_code == 200


def test_what_is_made_up_says_so(world: World) -> None:
    page = file_page(world, "luo").text
    assert page.count("虚构") >= 3
    assert "来源未载明的内容（委员、意见、表决、异议）均为演示用虚构脚本。" in page


def test_strangers_and_the_signed_out_find_nothing(world: World) -> None:
    stranger = world.client("stranger")
    foreign, missing = stranger.get(f"/cases/{world.case_id}"), stranger.get(f"/cases/{'0' * 32}")
    assert foreign.status_code == missing.status_code == 404
    hide = re.compile(r"[0-9a-f]{16,}|nonce-[^']*|name=\"csrf\" value=\"[^\"]*\"|nonce=\"[^\"]*\"")
    assert hide.sub("", foreign.text) == hide.sub("", missing.text)
    assert "黄某" not in stranger.get("/cases").text
    assert world.client().get(f"/cases/{world.case_id}", follow_redirects=False).status_code != 200


def test_my_cases_are_mine(world: World) -> None:
    case_id = empty(world)
    page = world.client("handler").get("/cases").text
    assert f"/cases/{world.case_id}" in page
    assert f"/cases/{case_id}" in page
    assert f"/cases/{case_id}" not in world.client("luo").get("/cases").text
    assert "您尚未参加任何案件。" in world.client("stranger").get("/cases").text


def test_empty_states_name_the_next_act(world: World) -> None:
    case_id = empty(world)
    told = {
        "secretary": ("秘书尚未提交证据。", "清单尚未确定。", "确定清单", "尚无核实报告。"),
        "handler": ("秘书尚未提交证据。", "由主任委员或秘书在评议会前确定。", "撰写报告"),
    }
    for who, words in told.items():
        page = world.client(who).get(f"/cases/{case_id}").text
        assert [word for word in words if word not in page] == []


def test_the_pages_speak_english(world: World) -> None:
    report(world)
    client = world.client("luo")
    client.cookies.set("pv_locale", "en")
    page = client.get(f"/cases/{world.case_id}").text
    for words in (
        "Reservoir gates",
        "Exhibit 1",
        "towards: Public spirit, inadvertent fault",
        "You are here as: Member",
    ):
        assert words in page
    assert 'lang="en"' in page


def test_the_hearing_stands_on_the_file(world: World) -> None:
    assert "前往评议会" in file_page(world, "luo").text
    show(world, 1)
    page = file_page(world, "luo").text
    assert "进入评议会" in page
    assert page.count('aria-current="step"') == 0
    assert f"/hearings/{world.hearing_id}" in page


# Observers and what was shown


@pytest.mark.parametrize("who", sorted(WATCHING))
def test_observers_read_what_was_shown_in_open_session_and_no_more(world: World, who: str) -> None:
    first, second = exhibit_ids(world)
    client = world.client(who)
    assert [client.get(f"/exhibits/{id}").status_code for id in (first, second)] == [404, 404]
    show(world, 2)
    assert [client.get(f"/exhibits/{id}").status_code for id in (first, second)] == [404, 200]
    page = client.get(f"/cases/{world.case_id}").text
    assert "党委会会议记录" in page
    assert "巡检记录" not in page


@pytest.mark.parametrize("who", sorted(WATCHING))
def test_what_is_shown_behind_closed_doors_stays_there(world: World, who: str) -> None:
    first = show(world, 1, closed=True)
    assert world.client(who).get(f"/exhibits/{first}").status_code == 404
    assert "巡检记录" not in file_page(world, who).text
    assert "巡检记录" in file_page(world, "luo").text


def test_the_others_read_every_exhibit(world: World) -> None:
    for who in sorted(set(READERS) - WATCHING):
        pages = [world.client(who).get(f"/exhibits/{id}") for id in exhibit_ids(world)]
        assert [page.status_code for page in pages] == [200, 200]
        assert all("某水库溢洪道闸门漏水。" in page.text for page in pages)


def test_the_recused_read_nothing_and_are_told_why(world: World) -> None:
    recusal = world.act(
        committees.recuse, "luo", seat_id=world.seats["luo"], ground="witness", statement="曾任证人，暗语甲"
    )
    client = world.client("luo")
    for path in (f"/cases/{world.case_id}", f"/exhibits/{exhibit_ids(world)[0]}"):
        page = client.get(path)
        assert page.status_code == 403
        assert f"您已回避本案，本案页面不再对您开放。回避事由：担任过本案证人。存证编号：{recusal.entry}。" in page.text
        assert "汛前" not in page.text
    listed = client.get("/cases").text
    assert "已回避" in listed
    assert f"/cases/{world.case_id}" not in listed


# Files


def test_a_file_is_filed_and_comes_back_as_it_was(world: World) -> None:
    answer = upload(world, "现场 照片.png", files.png())
    assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{world.case_id}?exhibit=3#reader")
    with world.db() as db:
        exhibit = queries.exhibits(db, world.case_id)[-1]
    got = world.client("luo").get(f"/exhibits/{exhibit.id}/file")
    assert got.content == files.png()
    assert got.headers["content-type"] == "image/png"
    assert got.headers["content-disposition"] == (
        "attachment; filename*=UTF-8''%E7%8E%B0%E5%9C%BA%20%E7%85%A7%E7%89%87.png"
    )
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert got.headers["cache-control"] == "no-store"
    assert f'<img class="exhibit-image" src="/exhibits/{exhibit.id}/file"' in file_page(world, "luo", "?exhibit=3").text


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.png", files.HTML, "文件与其名称不符：扩展名为 .png，内容却不是。"),
        ("a.html", files.HTML, "不接受此类文件。"),
        ("a.docx", files.PDF, "文件与其名称不符：扩展名为 .docx，内容却不是。"),
        ("a.pdf", files.office(), "文件与其名称不符：扩展名为 .pdf，内容却不是。"),
        ("a.docx", files.office(word__media=bytes(50 * 1024**2)), "文件展开后过大"),
        ("a.txt", b"x" * (20 * 1024**2 + 1), "文件过大，最大 20 MB。"),
        ("a\u202efdp.pdf", files.PDF, TURNED),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused_in_words(
    world: World, name: str, content: bytes, told: str
) -> None:
    answer = upload(world, name, content)
    assert answer.status_code in {409, 422}
    assert told in answer.text
    assert "照片" in answer.text
    assert len(exhibit_ids(world)) == 2
    assert events(world, "cases.exhibit_filed") == []
    assert not list(world.site.settings.exhibits.glob("*"))


def test_a_larger_body_is_refused_before_it_is_read(world: World) -> None:
    answer = upload(world, "a.txt", b"x" * (21 * 1024**2))
    assert answer.status_code == 413
    assert len(exhibit_ids(world)) == 2


def test_text_and_file_together_are_refused_and_nothing_is_kept(world: World) -> None:
    answer = upload(world, "a.png", files.png(), text="正文")
    assert answer.status_code == 409
    assert "请填写证据正文，或者选择一个文件，二者择一。" in answer.text
    assert not list(world.site.settings.exhibits.glob("*"))


def test_a_refused_act_takes_its_file_with_it(world: World) -> None:
    client = world.client("handler")
    token = world.token(client, "/cases")
    for title in ("甲", "乙"):
        answer = client.post(
            f"/cases/{world.case_id}/exhibits", files={"file": ("a.png", files.png())},
            data={"csrf": token["csrf"], "idem": "one key", "title": title}, follow_redirects=False,
        )  # fmt: skip
    assert answer.status_code == 409
    assert len(list(world.site.settings.exhibits.glob("*"))) == 1
    assert len(exhibit_ids(world)) == 3


def test_the_same_form_twice_files_once(world: World) -> None:
    client = world.client("handler")
    token = world.token(client, "/cases")
    for _ in range(2):
        answer = client.post(
            f"/cases/{world.case_id}/exhibits", follow_redirects=False,
            data={"csrf": token["csrf"], "idem": "k", "title": "甲", "text": "正文"},
        )  # fmt: skip
        assert answer.status_code == 303
    assert len(exhibit_ids(world)) == 3


def test_others_file_nothing(world: World) -> None:
    others = ("chair", "luo", "recorder", "official", "helper", "observer", "authority", "projector")
    answers = {who: upload(world, "a.png", files.png(), who=who).status_code for who in others}
    assert answers == dict.fromkeys(others, 403)
    assert len(exhibit_ids(world)) == 2
    assert not list(world.site.settings.exhibits.glob("*"))


def test_a_lost_file_is_said_in_words(world: World) -> None:
    upload(world, "a.png", files.png())
    id = exhibit_ids(world)[-1]
    (world.site.settings.exhibits / id).unlink()
    answer = world.client("luo").get(f"/exhibits/{id}/file")
    assert (answer.status_code, "该证据的文件缺失，请告知秘书。" in answer.text) == (409, True)


def test_a_text_exhibit_has_no_file(world: World) -> None:
    assert world.client("luo").get(f"/exhibits/{exhibit_ids(world)[0]}/file").status_code == 404


def test_an_exhibit_of_another_case_is_not_there(world: World) -> None:
    case_id = empty(world)
    foreign = world.act(actions.file_exhibit, "handler", case_id=case_id, title="别案", text="别案内容")
    client = world.client("luo")
    assert client.get(f"/exhibits/{foreign.id}").status_code == client.get(f"/exhibits/{'f' * 32}").status_code == 404
    assert client.get(f"/exhibits/{foreign.id}/file").status_code == 404


# Typed text


def test_typed_markup_is_text(world: World) -> None:
    client = world.client("handler")
    path = f"/cases/{world.case_id}/exhibits"
    answers = [send(client, world, path, title=typed, text=typed, origin=typed) for typed in SCRIPTS]
    assert [answer.status_code for answer in answers] == [303] * len(SCRIPTS)
    for id in exhibit_ids(world)[2:]:
        assert unescaped(client.get(f"/exhibits/{id}").text) == []
    assert unescaped(file_page(world, "luo", "?exhibit=5").text) == []


@pytest.mark.parametrize("turning", TURNING)
def test_marks_that_turn_writing_are_refused_and_shown_again(world: World, turning: str) -> None:
    answer = send(world.client("handler"), world, f"/cases/{world.case_id}/exhibits", title=turning, text="正文留着")
    assert answer.status_code == 422
    assert "正文留着" in answer.text
    assert len(exhibit_ids(world)) == 2


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"title": "甲"}, {"title": "", "text": "正文"}, {"title": "甲", "text": HUGE},
        {"title": "甲", "text": "乙", "role": "chair"},
    ],
    ids=["empty", "no content", "no title", "huge", "a field too many"],
)  # fmt: skip
def test_a_form_of_the_wrong_shape_is_answered_in_words(world: World, fields: dict[str, str]) -> None:
    answer = send(world.client("handler"), world, f"/cases/{world.case_id}/exhibits", **fields)
    assert answer.status_code in {400, 409, 422}
    assert "Traceback" not in answer.text
    assert 'role="alert"' in answer.text
    assert len(exhibit_ids(world)) == 2


# The list of questions, the report


def test_the_list_is_checked_and_then_settled(world: World) -> None:
    case_id = empty(world)
    client = world.client("secretary")
    path = f"/cases/{case_id}/questions"
    assert "每行写一个问题" in client.get(path).text
    typed = "闸门漏水？\n\n  是否谋私？ "
    checked = send(client, world, path, texts=typed, go="check")
    assert checked.status_code == 200
    assert re.findall(r"<li><bdi>(.*?)</bdi></li>", checked.text) == ["闸门漏水？", "是否谋私？"]
    with world.db() as db:
        assert queries.questions(db, case_id) == []
    back = send(client, world, path, texts=typed, go="change")
    assert "闸门漏水？" in back.text
    settled = send(client, world, path, texts=typed, go="settle")
    assert (settled.status_code, settled.headers["location"]) == (303, f"/cases/{case_id}#questions")
    with world.db() as db:
        assert [q.text for q in queries.questions(db, case_id)] == ["闸门漏水？", "是否谋私？"]
    assert "事实问题清单已经确定，不再更改。" in client.get(path).text


def test_a_second_list_is_refused_in_words(world: World) -> None:
    answer = send(world.client("chair"), world, f"/cases/{world.case_id}/questions", texts="另一个？", go="settle")
    assert answer.status_code == 409
    assert "事实问题清单已经确定，不再更改。" in answer.text
    assert "另一个？" in answer.text
    with world.db() as db:
        assert len(db.exec(select(FactualQuestion)).all()) == 2


def test_others_have_no_form_for_the_list(world: World) -> None:
    for who in sorted(set(READERS) - {"chair", "secretary"}):
        client, path = world.client(who), f"/cases/{world.case_id}/questions"
        answers = [client.get(path), send(client, world, path, texts="甲？", go="settle")]
        assert [answer.status_code for answer in answers] == [403, 403]


def test_the_handler_files_the_report_by_its_form(world: World) -> None:
    client = world.client("handler")
    path = f"/cases/{world.case_id}/verification"
    assert client.get(path).text.count("<fieldset") >= 6
    fields = {
        "facts": "查明。", "recommendation": "mitigate", "reasons": "建议减责。", "private_benefit": "未发现",
        "text-motive": " 出于公心。 ", "leans-motive": "tolerance", "text-basis": "", "leans-basis": "",
    }  # fmt: skip
    answer = send(client, world, path, **fields)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{world.case_id}#verification")
    with world.db() as db:
        report = queries.verification(db, world.case_id)
    assert report is not None
    assert report.analysis == {"motive": [{"leans": "tolerance", "text": "出于公心。"}]}
    assert "核实报告已经提交，不再更改。" in client.get(path).text


OBJECTION: dict[str, str] = {
    "objection_by": "黄某", "objection_meeting": "局党委会", "objection_on": "2018年4月2日", "objection_exhibit": "2",
    "objection_wording": "不先报告就施工，我不赞成。", "objection_proven": "proven",
    "objection_found": "会议记录载明。",
}  # fmt: skip


def rows(**other: str) -> dict[str, list[str]]:
    """Return the form's three rows for objections: one filled in, two left empty."""
    return {name: [value, "", ""] for name, value in {**OBJECTION, **other}.items()}


def test_objections_in_the_original_decision_are_read_by_who_reads_the_report(world: World) -> None:
    fields = {"facts": "查明。", "recommendation": "mitigate", "reasons": "建议减责。"}
    answer = send(world.client("handler"), world, f"/cases/{world.case_id}/verification", **fields, **rows())
    assert answer.status_code == 303
    everybody = {who: world.client(who).get(f"/cases/{world.case_id}").text for who in READERS}
    seen = {who for who, page in everybody.items() if OBJECTION["objection_wording"] in page}
    assert seen == {who for who, page in everybody.items() if "建议减责。" in page} != set()
    assert not seen & {"official", "helper", "observer"}
    assert "已查实" in everybody["luo"]


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({**rows(objection_by="")}, 422),
        ({**rows(objection_meeting="")}, 422),
        ({**rows(objection_wording="")}, 422),
        ({**rows(objection_proven="")}, 422),
        ({**rows(objection_proven="perhaps")}, 422),
        ({**rows(objection_exhibit="第二份")}, 422),
        ({**rows(objection_meeting="长" * 201)}, 422),
        ({**rows(), "objection_by": ["黄某"]}, 422),
        ({**rows(objection_exhibit="")}, 409),
        ({**rows(objection_exhibit="77")}, 409),
        ({"text-motive": "出于公心。"}, 422),
        ({"text-luck": "运气。", "leans-luck": "tolerance"}, 409),
        ({"text-motive": "长" * 4001, "leans-motive": "against"}, 422),
        ({"recommendation": "forgive"}, 422),
        ({"reasons": ""}, 422),
    ],
)
def test_a_report_of_the_wrong_shape_is_refused(world: World, more: dict[str, Any], status: int) -> None:
    fields = {"facts": "查明。", "recommendation": "mitigate", "reasons": "建议减责。", **more}
    answer = send(world.client("handler"), world, f"/cases/{world.case_id}/verification", **fields)
    assert answer.status_code == status
    with world.db() as db:
        assert queries.verification(db, world.case_id) is None


def test_reading_changes_nothing(world: World) -> None:
    with world.db() as db:
        before = db.get_one(Case, world.case_id).model_dump()
    recorded = len(events(world))
    for who in READERS:
        for path in ("", "/questions", "/verification"):
            file_page(world, who, path)
    with world.db() as db:
        assert db.get_one(Case, world.case_id).model_dump() == before
    assert len(events(world)) == recorded
