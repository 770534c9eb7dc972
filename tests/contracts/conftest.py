"""Worlds in which one thing of every kind exists, for tests that walk over every route."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from panel.cases.models import Exhibit
from panel.committees import actions as committees
from panel.core import clock
from panel.decisions import actions as decisions
from panel.decisions.rules import Measure
from panel.dissents import actions as dissents
from panel.dissents.models import Dissent
from panel.hearings import actions as hearings
from panel.hearings.models import FloorRequest, Minutes, Phase, Question, Showing, Turn
from panel.opinions.models import Round
from panel.publication import actions as publication
from panel.publication.models import Gist
from panel.votes import actions as votes
from panel.votes.models import Motion
from panel.work import Work
from tests.contracts.walk import Walk
from tests.factories import World, make_world
from tests.hearings import course

DISSENT = "我认为第一项事实尚需补充证据。"


@pytest.fixture(scope="session")
def closed_session(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[Walk]:
    """A hearing in closed session, a sealed motion open, one member recused: the moment with most to hide."""
    world = make_world(tmp_path_factory.mktemp("closed"), template)
    yield at_the_vote(world)
    world.close()


def at_the_vote(world: World) -> Walk:
    """Hold a hearing to the middle of its closed session: a motion and a round are open, one member is recused."""
    course.hold_until(world, Phase.MOTIONS)
    course.vote_facts(world)
    recuse(world)
    moved = {"kind": "disposition", "question": "建议予以容错免责。", "outcome": "exempt"}
    motion = world.act(votes.move, "chair", hearing_id=world.hearing_id, **moved)
    world.act(votes.open_motion, "chair", motion_id=motion.id)
    world.work(lambda work: furnish(work, world))
    round_ = world.work(lambda work: work.add(Round(case_id=world.case_id, number=3)).id)
    return Walk(world, motion.id, open_round=round_)


@pytest.fixture(scope="session")
def ended(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[Walk]:
    """A hearing that has ended: results announced, minutes laid before the members, one member recused."""
    world = make_world(tmp_path_factory.mktemp("ended"), template)
    end(world)
    yield Walk(world)
    world.close()


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[Walk]:
    """A case that is through: a dissent answered, the decision issued, the summary published."""
    world = make_world(tmp_path_factory.mktemp("published"), template)
    end(world)
    decide(world)
    summary = world.act(publication.compose, "secretary", case=world.case_id)
    made = world.act(publication.publish, "secretary", case=world.case_id, body_sha256=summary.body_sha256)
    yield Walk(world, slug=made.slug)
    world.close()


def end(world: World) -> None:
    """Hold the hearing to its end, with one recusal and one dissent."""
    course.hold_until(world, Phase.MOTIONS)
    course.vote_facts(world)
    recuse(world)
    course.vote_disposition(world)
    with world.db() as db:
        about = db.exec(select(Motion)).first()
    assert about is not None
    filed = {"kind": "dissent", "subject_kind": "motion", "subject_id": about.id, "text": DISSENT}
    dissent = world.act(dissents.file, "luo", hearing_id=world.hearing_id, **filed)
    short: dict[str, Any] = {"text": "对第一项事实有保留。", "number": 1, "proposed_by": world.people["secretary"]}
    world.work(lambda work: work.add(Gist(dissent_id=dissent.id, case_id=world.case_id, **short)))
    while course.step(world).phase is not Phase.ENDED:
        pass
    world.work(lambda work: furnish(work, world))


def decide(world: World) -> None:
    """Let everybody confirm the minutes and the authority adopt the finding."""
    with world.db() as db:
        minutes, dissent = db.exec(select(Minutes)).one(), db.exec(select(Dissent)).one()
    for who in course.EVERYBODY:
        if who != "jiang":
            world.act(hearings.confirm, who, minutes_id=minutes.id, confirmed=True)
    today = clock.now().date()
    measure = Measure("完善巡检制度", "某市河流管理局", today + timedelta(days=90))
    world.act(
        decisions.decide,
        "authority",
        case_id=world.case_id,
        outcome="exempt",
        measure="",
        reasons="采纳评议意见。",
        today=today,
        measures=[measure],
        answers={dissent.id: "已研究。"},
    )


def recuse(world: World) -> None:
    """Let the member for the media stand aside."""
    world.act(
        committees.recuse,
        "chair",
        seat_id=world.seats["jiang"],
        ground="near_relative",
        statement="与当事人有近亲属关系",
    )


def furnish(work: Work, world: World) -> None:
    """Put one thing of every kind on the floor of the hearing."""
    here: dict[str, Any] = {"hearing_id": world.hearing_id, "case_id": world.case_id}
    luo, now = world.people["luo"], clock.now()
    turn: dict[str, Any] = {"phase": Phase.QUESTIONS, "seconds": 300, "began_at": now, "ended_at": now}
    work.add(FloorRequest(**here, person_id=luo, withdrawn_at=now))
    work.add(Turn(**here, person_id=luo, **turn))
    work.add(Question(**here, number=90, asked_by=luo, asked_of=world.people["official"], text="何时发现漏水？"))
    exhibit = work.db.exec(select(Exhibit)).first()
    assert exhibit is not None
    work.add(Showing(**here, exhibit_id=exhibit.id, closed=True, ended_at=now))
