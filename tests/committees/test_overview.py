"""Which committees there are: sizes and dates for administration, a case's words for who has a role in it."""

import pytest
from sqlmodel import delete, select

from panel.cases.models import Assignment, Case
from panel.committees.models import Committee, Seat
from panel.core.security import Role
from panel.hearings.models import Hearing, Phase
from panel.work import Work
from tests.factories import World

PATH = "/administration/committees"
CANARY = "canary-title-of-the-case"


@pytest.fixture
def named(world: World) -> World:
    """A world whose case has a title that is found wherever it is shown."""

    def name(work: Work) -> None:
        case = work.db.get_one(Case, world.case_id)
        case.title = CANARY

    world.work(name)
    return world


@pytest.mark.parametrize("who", ["system", "security", "audit", "clerk"])
def test_administration_sees_sizes_and_no_word_of_a_case(named: World, who: str) -> None:
    shown = named.client(who).get(PATH).text
    with named.db() as db:
        case, committee = db.get_one(Case, named.case_id), db.exec(select(Committee)).one()
    hidden = (CANARY, case.number, case.official, case.id, committee.name, "主任委员：", "欧阳")
    assert [word for word in hidden if word in shown] == []
    assert [word for word in ("第 1 个委员会", "9 席", "候补 1 席", "纪检监察") if word not in shown] == []


def test_who_has_a_role_in_the_case_sees_its_name_and_chair(named: World) -> None:
    clerk = named.people["clerk"]
    named.work(lambda work: work.add(Assignment(case_id=named.case_id, person_id=clerk, role=Role.SECRETARY)))
    shown = named.client("clerk").get(PATH).text
    assert [word for word in (CANARY, "容评〔2026〕1号", "主任委员：") if word not in shown] == []


@pytest.mark.parametrize(
    ("phase", "told"),
    [(Phase.SCHEDULED, "已排期"), (Phase.DELIBERATION, "进行中"), (Phase.QUESTIONS, "进行中"), (Phase.ENDED, "已结束")],
)
def test_a_hearing_is_told_and_not_which_stage_it_is_in(named: World, phase: Phase, told: str) -> None:
    def enter(work: Work) -> None:
        hearing = work.db.get_one(Hearing, named.hearing_id)
        hearing.phase = phase

    named.work(enter)
    shown = named.client("audit").get(PATH).text
    assert [word for word in ("已排期", "进行中", "已结束", "评议阶段", "提问") if word in shown] == [told]


def test_without_a_committee_the_page_says_who_forms_one(world: World) -> None:
    def undo(work: Work) -> None:
        work.db.execute(delete(Hearing))
        work.db.execute(delete(Seat))
        work.db.execute(delete(Committee))

    world.work(undo)
    assert "案件秘书从名册中组成委员会。" in world.client("system").get(PATH).text
