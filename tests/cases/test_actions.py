"""The dossier's acts: the row and its event together, refusals that leave nothing."""

import stat
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import func, select

from panel.accounts.models import Person
from panel.cases import actions, inspection, queries
from panel.cases.models import Case, Exhibit, FactualQuestion, VerificationReport
from panel.cases.rules import Objection
from panel.core.errors import Forbidden, NotFound, Refused
from panel.core.security import Role
from panel.dissents import queries as dissents
from tests.cases import files
from tests.cases.dossier import empty
from tests.factories import World
from tests.votes.chamber import events

LISTERS = {"chair", "secretary"}
FILERS = {"handler", "handler2", "secretary"}
EVERYBODY = ("chair", "luo", "secretary", "recorder", "handler", "official", "helper", "authority", "observer")


def test_a_case_freezes_the_versions_it_runs_under(world: World) -> None:
    case_id = empty(world)
    with world.db() as db:
        case = db.get_one(Case, case_id)
    event = events(world, "cases.case_opened")[-1]
    assert event["number"] == case.number == "容评〔2026〕2号"
    assert event["matter_sha256"] == sha256("另一事项。".encode()).hexdigest()
    assert len({event[f"{name}_sha256"] for name in ("considerations", "rules", "catalogue")}) == 3
    assert event["case_id"] == case_id


def test_a_case_number_is_used_once(world: World) -> None:
    empty(world)
    with pytest.raises(Refused) as refusal:
        empty(world)
    assert refusal.value.reason.msgid == "Another case has this number."
    with world.db() as db:
        assert db.exec(select(func.count()).select_from(Case)).one() == 2


def test_a_case_is_found_by_its_number_and_by_its_demo_number(world: World) -> None:
    case_id = empty(world)
    with world.db() as db:
        found = [
            queries.by_number(db, number) for number in ("容评〔2026〕2号", "8", "容评〔2026〕1号", "7", "九", "-8")
        ]
    assert [case.id if case else None for case in found] == [case_id, case_id, world.case_id, None, None, None]


def test_an_assignment_gives_a_standing_in_that_case_only(world: World) -> None:
    case_id = empty(world)
    assert world.actor("handler").role_in(case_id) is Role.HANDLER
    assert world.actor("official").role_in(case_id) is None
    given = [e for e in events(world, "cases.person_assigned") if e["case_id"] == case_id]
    assert [(e["role"], e["person_id"]) for e in given] == [
        ("handler", world.people["handler"]),
        ("secretary", world.people["secretary"]),
    ]


@pytest.mark.parametrize(("who", "role"), [("luo", Role.HANDLER), ("handler", Role.OBSERVER), ("he", Role.CHAIR)])
def test_members_and_handlers_get_no_second_duty(world: World, who: str, role: Role) -> None:
    before = len(events(world, "cases.person_assigned"))
    with pytest.raises(Refused):
        world.act(actions.assign, "secretary", case_id=world.case_id, person_id=world.people[who], role=role)
    assert len(events(world, "cases.person_assigned")) == before


def test_only_the_secretary_gives_duties(world: World) -> None:
    what = {"case_id": world.case_id, "person_id": world.people["stranger"], "role": Role.OBSERVER}
    for who in ("chair", "handler", "official"):
        with pytest.raises(Forbidden):
            world.act(actions.assign, who, **what)
    world.act(actions.assign, "secretary", **what)
    assert world.actor("stranger").role_in(world.case_id) is Role.OBSERVER


def test_a_text_exhibit_is_numbered_and_bound_by_its_digest(world: World) -> None:
    filed = world.act(actions.file_exhibit, "handler", case_id=world.case_id, title="照片说明", text="甲\n乙")
    with world.db() as db:
        assert [e.number for e in queries.exhibits(db, world.case_id)] == [1, 2, 3]
    (event,) = events(world, "cases.exhibit_filed")
    digest = sha256("甲\n乙".encode()).hexdigest()
    assert (event["number"], event["sha256"], event["size"]) == (3, digest, len("甲\n乙".encode()))
    assert (filed.sha256, filed.filed_by) == (digest, world.people["handler"])
    assert event["actor_id"] == world.people["handler"]


def test_a_file_lies_under_a_random_name_that_only_its_owner_reads(world: World) -> None:
    folder = world.site.settings.exhibits
    kept = actions.keep(folder, "..\\..\\现场/照片.PNG", files.png())
    filed = world.act(actions.file_exhibit, "handler", case_id=world.case_id, title="照片", kept=kept)
    path = folder / filed.id
    assert [p.name for p in folder.iterdir()] == [filed.id]
    assert path.read_bytes() == files.png()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (filed.file_name, filed.media_type, filed.size) == ("照片.PNG", "image/png", len(files.png()))
    (event,) = events(world, "cases.exhibit_filed")
    assert (event["exhibit_id"], event["sha256"]) == (filed.id, sha256(files.png()).hexdigest())


def test_handlers_and_the_secretary_file_exhibits(world: World) -> None:
    what: dict[str, Any] = {"case_id": world.case_id, "title": "说明", "text": "正文"}
    for who in sorted(set(EVERYBODY) - FILERS):
        with pytest.raises(Forbidden):
            world.act(actions.file_exhibit, who, **what)
    assert events(world, "cases.exhibit_filed") == []
    assert [world.act(actions.file_exhibit, who, **what).number for who in sorted(FILERS)] == [3, 4, 5]


def test_a_stranger_does_not_learn_that_the_case_exists(world: World) -> None:
    for case_id in (world.case_id, "0" * 32):
        with pytest.raises(NotFound) as refusal:
            world.act(actions.file_exhibit, "stranger", case_id=case_id, title="说明", text="正文")
        assert refusal.value.reason.msgid == "There is no such page, or it is not open to you."


@pytest.mark.parametrize(
    ("name", "content", "refusal"),
    [
        ("a.png", files.HTML, "The file is not what it says: it is called .%(kind)s and is not one."),
        ("a.exe", files.ELF, "Files of this kind are not taken. Taken are: %(kinds)s."),
        ("a.png", files.png(65_000, 65_000), "The file would unfold to too much. Please send it in parts, or smaller."),
        ("a.txt", b"x" * (inspection.MOST_BYTES + 1), "The file is too large: at most %(n)s MB."),
        ("name\u202dfdp.txt", b"x", "This holds marks that turn the order of writing. Please type it without them."),
        ("", b"x", "Please fill this in."),
    ],
)
def test_a_file_that_is_not_taken_is_refused_in_words_and_not_kept(
    tmp_path: Path, name: str, content: bytes, refusal: str
) -> None:
    with pytest.raises(Refused) as refused:
        actions.keep(tmp_path / "exhibits", name, content)
    assert refused.value.reason.msgid == refusal
    assert not list(tmp_path.rglob("*.*"))


def test_the_files_of_a_case_have_room_together(world: World) -> None:
    def fill(work: Any) -> None:
        work.add(
            Exhibit(
                case_id=world.case_id, number=9, title="大文件", file_name="a.pdf", sha256="",
                filed_by=world.people["handler"], size=inspection.MOST_BYTES_OF_CASE - 3,
            )
        )  # fmt: skip

    world.work(fill)
    kept = actions.keep(world.site.settings.exhibits, "a.txt", b"1234")
    with pytest.raises(Refused) as refusal:
        world.act(actions.file_exhibit, "handler", case_id=world.case_id, title="说明", kept=kept)
    assert refusal.value.reason.msgid == "The files of this case would be more than %(n)s MB together."
    assert events(world, "cases.exhibit_filed") == []


def test_the_list_of_questions_is_settled_once(world: World) -> None:
    case_id = empty(world)
    texts = ["闸门漏水是否属实？", "是否谋取私利？"]
    world.act(actions.list_questions, "secretary", case_id=case_id, texts=texts)
    with world.db() as db:
        assert [(q.number, q.text) for q in queries.questions(db, case_id)] == [(1, texts[0]), (2, texts[1])]
    (event,) = events(world, "cases.questions_listed")
    assert event["texts"] == texts
    assert event["texts_sha256"] == [sha256(text.encode()).hexdigest() for text in texts]
    with pytest.raises(Refused) as refusal:
        world.act(actions.list_questions, "secretary", case_id=case_id, texts=["另一个？"])
    assert refusal.value.reason.msgid == "The list of factual questions is settled. It no longer changes."
    with world.db() as db:
        assert len(queries.questions(db, case_id)) == 2
    assert len(events(world, "cases.questions_listed")) == 1


def test_others_do_not_settle_the_list(world: World) -> None:
    for who in sorted(set(EVERYBODY) - LISTERS):
        with pytest.raises(Forbidden):
            world.act(actions.list_questions, who, case_id=world.case_id, texts=["甲？"])


def test_the_report_recommends_and_is_filed_once(world: World) -> None:
    analysis = {"motive": [{"leans": "tolerance", "text": "没有谋私。"}]}
    what = {"case_id": world.case_id, "facts": "查明。", "analysis": analysis, "recommendation": "exempt"}
    world.act(actions.file_verification, "handler", **what, reasons="建议免责。")
    with world.db() as db:
        report = queries.verification(db, world.case_id)
        assert queries.recommended(db, world.case_id) == "exempt"
    assert report is not None
    assert (report.analysis, report.filed_by) == (analysis, world.people["handler"])
    (event,) = events(world, "cases.verification_filed")
    assert event["recommendation"] == "exempt"
    assert len(event["report_sha256"]) == 64
    with pytest.raises(Refused):
        world.act(actions.file_verification, "handler2", **what)
    assert len(events(world, "cases.verification_filed")) == 1


OBJECTED = Objection(
    "黄某", "局党委会", "2018年4月2日", 2, "　　不先报告就施工，我不赞成。", True, "会议记录第3页载明。"
)
CLAIMED = Objection("黄某", "电话", "", None, "当时就说过不妥。", False, "")


def test_objections_in_the_original_decision_stand_with_the_report_and_on_the_record(world: World) -> None:
    what = {"case_id": world.case_id, "facts": "查明。", "analysis": {}, "recommendation": "exempt"}
    world.act(actions.file_verification, "handler", **what, objections=[OBJECTED, CLAIMED])
    with world.db() as db:
        kept = [(o.number, o.raised_by, o.exhibit, o.wording, o.proven) for o in queries.objections(db, world.case_id)]
        assert dissents.of_case(db, world.case_id) == []
    assert kept == [(1, "黄某", 2, OBJECTED.wording, True), (2, "黄某", None, CLAIMED.wording, False)]
    told = events(world, "cases.objection_examined")
    assert [{key: event[key] for key in vars(OBJECTED)} for event in told] == [vars(OBJECTED), vars(CLAIMED)]
    assert [event["number"] for event in told] == [1, 2]


def test_an_objection_is_proven_by_an_exhibit_of_the_case_or_not_at_all(world: World) -> None:
    what = {"case_id": world.case_id, "facts": "查明。", "analysis": {}, "recommendation": "exempt"}
    for wrong, said in (
        (replace(OBJECTED, exhibit=None), "Objection 2: name the exhibit that proves it."),
        (replace(OBJECTED, exhibit=99), "Objection 2: this case has no exhibit 99."),
    ):
        with pytest.raises(Refused) as refused:
            world.act(actions.file_verification, "handler", **what, objections=[OBJECTED, wrong])
        assert str(refused.value.reason) == said
    with world.db() as db:
        assert (queries.verification(db, world.case_id), list(queries.objections(db, world.case_id))) == (None, [])
    assert events(world, "cases.verification_filed") == events(world, "cases.objection_examined") == []


def test_only_the_handlers_report(world: World) -> None:
    what = {"case_id": world.case_id, "facts": "查明。", "analysis": {}, "recommendation": "deny"}
    for who in sorted(set(EVERYBODY) - {"handler"}):
        with pytest.raises(Forbidden):
            world.act(actions.file_verification, who, **what)


def test_without_a_report_nothing_is_recommended(world: World) -> None:
    with world.db() as db:
        assert queries.recommended(db, world.case_id) is None


def test_a_refused_act_leaves_no_row(world: World) -> None:
    case_id = empty(world)
    for texts in ([], ["同？", "同？"]):
        with pytest.raises(Refused):
            world.act(actions.list_questions, "secretary", case_id=case_id, texts=texts)
    with pytest.raises(Refused):
        world.act(
            actions.file_verification, "handler", case_id=case_id, facts="查明。",
            analysis={"luck": [{"leans": "tolerance", "text": "x"}]}, recommendation="deny",
        )  # fmt: skip
    with world.db() as db:
        assert db.exec(select(FactualQuestion).where(FactualQuestion.case_id == case_id)).all() == []
        assert db.exec(select(VerificationReport).where(VerificationReport.case_id == case_id)).all() == []


def test_two_lists_at_once_leave_one(world: World) -> None:
    case_id = empty(world)
    actor = world.actor("secretary")
    lists = [partial(actions.list_questions, actor=actor, case_id=case_id, texts=[f"问题{n}？"]) for n in range(8)]
    futures = [world.site.writer.submit(act) for act in lists]
    done = [future.exception(timeout=30) for future in futures]
    assert [type(error) for error in done].count(type(None)) == 1
    assert {type(error) for error in done if error} == {Refused}
    with world.db() as db:
        assert len(queries.questions(db, case_id)) == 1
    assert len(events(world, "cases.questions_listed")) == 1


def test_names_come_by_id(world: World) -> None:
    wanted = [world.people["luo"], world.people["he"], "nobody"]
    with world.db() as db:
        names = queries.people_names(db, wanted)
        assert names == {id: db.get_one(Person, id).name for id in wanted[:2]}
