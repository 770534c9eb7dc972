"""The minutes as their readers get them: who is told a secret count, and what came in after they were laid out."""

import html
import re

from sqlmodel import select

from panel.dissents import actions as dissents
from panel.dissents.models import DissentKind
from panel.hearings import queries
from panel.hearings.models import Phase
from panel.votes.models import Motion, MotionKind
from tests.factories import World
from tests.hearings.course import hold_until, step

LATER = "补充：程序瑕疵应当写进理由。"


def read(world: World, who: str) -> str:
    """Return the minutes' page as somebody's words, without markup and runs of blanks."""
    answer = world.client(who).get(f"/hearings/{world.hearing_id}/minutes")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def test_the_authority_is_not_told_the_count_of_a_secret_vote_that_betrays_its_voters(world: World) -> None:
    hold_until(world, Phase.ENDED)
    with world.db() as db:
        frozen = queries.minutes_of(db, world.hearing_id)
        assert frozen is not None
        counts = {
            line["number"]: line["counts"]["approve"] for line in frozen.lines if "approve" in line.get("counts", {})
        }
    assert counts == {3: 7}
    inside, outside = read(world, "luo"), read(world, "authority")
    assert ("同意 7" in inside, "同意 7" in outside) == (True, False)
    assert ("属实 9" in inside, "属实 9" in outside) == (True, True)
    assert ("建议予以容错免责。" in inside, "建议予以容错免责。" in outside) == (True, True)


def test_a_dissent_that_came_after_the_minutes_stands_beside_them(world: World) -> None:
    hold_until(world, Phase.ENDED)
    with world.db() as db:
        motion = db.exec(select(Motion).where(Motion.kind == MotionKind.FACT)).first()
        assert motion is not None
    added = "在笔录提交委员确认之后提出、附议、补充或者撤回"
    assert added not in read(world, "luo")
    world.act(
        dissents.file, "shi", hearing_id=world.hearing_id, kind=DissentKind.RESERVATION, text=LATER,
        subject_kind="motion", subject_id=motion.id,
    )  # fmt: skip
    before, _, after = read(world, "luo").partition(added)
    assert (LATER in before, LATER in after) == (False, True)
    with world.db() as db:
        frozen = queries.minutes_of(db, world.hearing_id)
        assert frozen is not None
        assert [line for line in frozen.lines if line["kind"] == "dissent"] == []


def test_an_addendum_stands_in_the_minutes_with_who_joined_it(world: World) -> None:
    hold_until(world, Phase.SUMMING_UP)
    with world.db() as db:
        motion = db.exec(select(Motion).where(Motion.kind == MotionKind.FACT)).first()
        assert motion is not None
    what = {"kind": DissentKind.RESERVATION, "text": LATER, "subject_kind": "motion", "subject_id": motion.id}
    dissent = world.act(dissents.file, "shi", hearing_id=world.hearing_id, **what)
    world.act(dissents.join, "qin", dissent_id=dissent.id)
    world.act(dissents.supplement, "shi", dissent_id=dissent.id, text="其一。")
    step(world)
    world.act(dissents.join, "meng", dissent_id=dissent.id)
    world.act(dissents.supplement, "shi", dissent_id=dissent.id, text="其二。")
    with world.db() as db:
        frozen = queries.minutes_of(db, world.hearing_id)
        assert frozen is not None
    told = [(line["kind"], line["number"], line["joined"], line["text"]) for line in frozen.lines if "joined" in line]
    assert told == [("dissent", 1, ["秦月"], LATER), ("addendum", 1, [], "其一。")]
    before, _, after = read(world, "luo").partition("在笔录提交委员确认之后提出、附议、补充或者撤回")
    assert ("孟工" in after, "其一。" in after, "其二。" in after, LATER in after) == (True, True, True, False)
    assert ("其二。" in before, LATER in before) == (False, True)
