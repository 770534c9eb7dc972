"""The live parts: the preview sentence, what each audience sees, and that casting moves nobody's revision."""

import re

import pytest

from panel.committees import actions as committees
from panel.hearings.models import Phase
from panel.votes import actions, queries
from panel.votes.models import Motion
from tests.factories import World
from tests.votes.chamber import (
    VOTERS,
    cast_all,
    closed,
    disposition,
    facts,
    open_sealed,
    opened,
    to_phase,
    voted,
)

OUTSIDE = ("handler", "official", "helper", "authority", "observer", "projector")


def part(world: World, who: str, name: str, language: str = "zh-CN") -> str:
    """Return the words of one part of somebody's live page; empty where it is hidden or not theirs."""
    page = world.client(who).get(f"/hearings/{world.hearing_id}", headers={"accept-language": language}).text
    found = re.search(rf'<section[^>]*id="{name}".*?</section>', page, re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0])).strip() if found else ""


def revision(world: World, who: str) -> str:
    """Return the revision of somebody's live page."""
    page = world.client(who).get(f"/hearings/{world.hearing_id}").text
    found = re.search(r'data-revision="(\d+)"', page)
    assert found
    return found[1]


@pytest.mark.parametrize(("recused", "warned"), [((), False), (("luo",), True), (("luo", "qin"), True)])
def test_below_seven_the_chair_is_told_what_a_secret_vote_may_give_away(
    session: World, recused: tuple[str, ...], warned: bool
) -> None:
    for key in recused:
        ground = {"ground": "interest", "statement": "亲属任职"}
        session.act(committees.recuse, "chair", seat_id=session.seats[key], **ground)
    disposition(session)
    words = part(session, "chair", "own-motions")
    told = f"仅有{len(VOTERS) - len(recused)}名委员有表决权。不足7人时，票数可能反映个别委员如何表决，有人透露时尤甚。"
    assert (told in words) == warned
    assert "开启表决" in words


def test_the_chair_s_button_says_exactly_what_it_will_do(session: World) -> None:
    disposition(session)
    assert "开启表决：第1项，7人有权，无记名" in part(session, "chair", "own-motions")
    assert "Open voting: motion 1, 7 entitled, secret" in part(session, "chair", "own-motions", "en")


def test_the_button_of_a_question_of_fact_says_by_name(session: World) -> None:
    facts(session)
    assert "开启表决：第1项，9人有权，记名" in part(session, "chair", "own-motions")


def test_what_blocks_the_opening_stands_in_words(session: World) -> None:
    disposition(session)
    to_phase(session, Phase.DELIBERATION)
    assert "进入“表决”环节后方可开启表决。" in part(session, "chair", "own-motions")


def test_the_chair_sees_turnout_and_no_choice(session: World) -> None:
    motion = open_sealed(session)
    cast_all(session, motion, dict.fromkeys(VOTERS[:3], "disapprove"))
    shown = part(session, "chair", "own-motions")
    assert ("/ 7 张选票已收到" in shown, "不同意" in shown) == (True, False)


def test_a_member_finds_the_way_to_the_ballot_and_the_word_that_it_came(session: World) -> None:
    motion = open_sealed(session)
    assert "去投票" in part(session, "luo", "own-ballot")
    assert "本席位对处置建议只发表意见，不参加表决。" in part(session, "duan", "own-ballot")
    session.act(actions.cast_sealed, "luo", motion_id=motion.id, choice="disapprove")
    shown = part(session, "luo", "own-ballot")
    assert (re.search(r"已收到 \d\d:\d\d:\d\d", shown) is not None, "不同意" in shown) == (True, False)
    closed(session, motion)
    assert part(session, "luo", "own-ballot") == ""


def test_outside_nobody_learns_of_motions_until_the_announcement(session: World) -> None:
    first = facts(session)[0]
    opened(session, first)
    for who in OUTSIDE:
        assert (part(session, who, "part-motion"), part(session, who, "own-motions")) == ("", "")
        assert first.question not in session.client(who).get(f"/hearings/{session.hearing_id}").text
    assert first.question in part(session, "secretary", "part-motion")
    session.act(actions.last_call, "chair", motion_id=first.id)
    cast_all(session, first, {"luo": "established", "qin": "established"})
    closed(session, first)
    before = {who: revision(session, who) for who in OUTSIDE}
    voted(session, disposition_after(session), *["approve"] * 4, "disapprove", "disapprove", "abstain")
    assert {who: revision(session, who) for who in OUTSIDE} == before
    to_phase(session, Phase.SUMMING_UP)
    session.act(actions.announce, "chair", hearing_id=session.hearing_id)
    for who in OUTSIDE:
        assert "同意 4、不同意 2" in part(session, who, "part-motion").replace(" 、", "、")


def disposition_after(world: World) -> Motion:
    """Take the second question of fact off the list and move a disposition."""
    with world.db() as db:
        second = queries.motions(db, world.hearing_id)[1]
    world.act(actions.annul, "chair", motion_id=second.id, ground="试")
    return disposition(world)


def test_casting_moves_nobody_s_revision(session: World) -> None:
    motion = open_sealed(session)
    everybody = ("chair", "luo", "secretary", *OUTSIDE)
    before = {who: revision(session, who) for who in everybody}
    cast_all(session, motion, dict.fromkeys(VOTERS, "approve"))
    assert {who: revision(session, who) for who in everybody} == before


def test_withheld_counts_are_withheld_on_the_live_page_too(session: World) -> None:
    voted(session, disposition(session), *["approve"] * 7)
    to_phase(session, Phase.SUMMING_UP)
    session.act(actions.announce, "chair", hearing_id=session.hearing_id)
    assert "票数不公开" not in part(session, "luo", "part-motion")
    for who in OUTSIDE:
        shown = part(session, who, "part-motion")
        assert ("票数不公开" in shown, "通过" in shown, "未投票" in shown) == (True, True, False)


def test_the_projector_has_no_links_away(session: World) -> None:
    voted(session, disposition(session), *["approve"] * 4, "disapprove", "disapprove", "abstain")
    to_phase(session, Phase.SUMMING_UP)
    session.act(actions.announce, "chair", hearing_id=session.hearing_id)
    pages = {who: session.client(who).get(f"/hearings/{session.hearing_id}").text for who in ("official", "projector")}
    assert {who: 'href="/motions/' in page for who, page in pages.items()} == {"official": True, "projector": False}


def test_a_shared_part_holds_no_form_and_no_token(session: World) -> None:
    opened(session, facts(session)[0])
    page = session.client("luo").get(f"/hearings/{session.hearing_id}").text
    found = re.search(r'<section[^>]*id="part-motion".*?</section>', page, re.DOTALL)
    assert found
    assert [mark for mark in ("<form", "csrf", "hx-", "罗正") if mark in found[0]] == []
