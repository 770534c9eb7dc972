"""People at the table: a simulation steps back from a seat that somebody takes, follows a chair, waits for a member."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import select

from panel.dissents.models import Answer, Dissent
from panel.hearings.models import Question
from panel.rehearsal.pages import Page
from tests.rehearsal.table import PAUSE, QUICK, Human, Table, laid

pytestmark = pytest.mark.timeout(900)
ANSWER = "我了解的情况材料里都有，没有补充。"
PUBLISHED = "公开摘要已公布"
GUEST = "s4"
"""A member without whom there is a quorum, too."""


async def preside(table: Table) -> None:
    """Lead a whole hearing as one person in the chair does: hear everybody, ask, put facts and a motion of one's own.

    In the presentation the two speeches of the script are waited for.
    """
    chair = await table.sit("s1")
    done: set[str] = set()
    while (phase := (page := await chair.get(table.live)).phase) != "ended":
        if not await receive(chair, page):
            await go_on(chair, page, phase, done)
    await chair.do("confirm-minutes", answer="confirm", reason="")
    await table.told(PUBLISHED)


async def receive(chair: Human, page: Page) -> bool:
    """Come in oneself, and give the floor to whoever asks for it."""
    if page.phase != "scheduled" and await chair.press(page, "arrive"):
        return await chair.press(await chair.get(chair.live), "declare", conflict="no", ground="", statement="")
    if page.form("end-turn") is not None:
        await asyncio.sleep(PAUSE)
        return True
    given = await chair.press(page, "give-floor")
    chair.given += given
    return given


async def go_on(chair: Human, page: Page, phase: str, done: set[str]) -> None:
    """Take the step that the phase asks for, and the next one."""
    if phase == "questions" and "question" not in done:
        done.add("question")
        await question(chair, page)
    elif phase == "opinions" and "opinion" not in done:
        done.add("opinion")
        await chair.opine("mitigate")
    elif phase == "presentation" and chair.given < 2:
        await asyncio.sleep(PAUSE)
    elif phase != "motions":
        await chair.press(page, "next-step")
        await asyncio.sleep(PAUSE)
    elif (close := page.form("close-motion")) is not None:
        await close_vote(chair, page, close.action.split("/")[2])
    elif not await chair.press(page, "open-motion"):
        moving = "motion" not in done
        values = {"outcome": "mitigate", "question": "A question of the chair's own."} if moving else {}
        await chair.press(page, "move-disposition" if moving else "next-step", **values)
        done.add("motion")


async def question(chair: Human, page: Page) -> None:
    """Ask the official something that the script does not know, and wait for the answer."""
    form = page.form("ask")
    assert form is not None
    asked = {"asked_of": form.option("asked_of", "黄某"), "text": "Who was on duty that night?"}
    await chair.send(form, **asked)
    assert await chair.until(chair.live, lambda p: ANSWER in p.text, 20) is not None


async def close_vote(chair: Human, page: Page, motion: str) -> None:
    """Wait until everybody else has voted, vote last, and close; the turnout of a secret vote is told in steps."""
    if not everybody(page):
        await asyncio.sleep(PAUSE)
        return
    await chair.ballot(motion, "established", "approve")
    assert await chair.press(await chair.get(chair.live), "close-motion")


def everybody(page: Page) -> bool:
    """Say whether only the chair has not voted: by the names that wait, or in a secret vote by the number."""
    if page.first("data-waiting") == "1":
        return True
    voted = page.html.partition('id="turnout"')[2].partition('class="number">')[2].partition("<")[0]
    return page.first("data-waiting") == "0" and voted.isdigit() and int(voted) >= 6


def test_one_person_chairs_a_whole_hearing_alone(tmp_path: Path) -> None:
    with laid(tmp_path, 6) as table:
        table.play(preside)
        came, happened, answers = table.came(), table.happened(), table.rows(select(Question.answer))

    assert came["outcome"] == "mitigate", "the chair put another motion than the script, and members voted on it"
    assert (came["opinions_round_2"], came["motions"], came["ballots"]) == (9, 6, 5 * 9 + 7)
    assert answers == [ANSWER], "the official answers what the script does not ask"
    counted = ("committees.member_arrived", "hearings.note_written", "hearings.minutes_confirmed")
    assert [happened[kind] for kind in counted] == [9, 2, 9]
    assert (happened["decisions.decision_issued"], happened["publication.summary_published"]) == (1, 1)
    assert table.said[-1] == PUBLISHED


async def ask(member: Human) -> None:
    """Raise a hand, be called by the simulated chair, put a question, and hand the floor back."""
    await member.do("raise-hand-question")
    assert await member.until(member.live, lambda page: page.form("end-own-turn"), 20) is not None
    form = (await member.get(member.live)).form("ask")
    assert form is not None
    await member.send(form, asked_of=form.option("asked_of", "邱某"), text="Who signed it?")
    await member.do("end-own-turn")


async def sit_as_member(table: Table) -> None:
    """Do what a member does: come, ask, write, vote against the motion, dissent, confirm the minutes."""
    member = await table.sit("s3")
    await table.told("最多等候")
    await member.come()
    await ask(member)
    await table.told(f"{member.name} 提交意见")
    await member.opine("deny")
    voted: set[str] = set()
    while (page := await member.get(table.live)).phase != "ended":
        motion = page.html.partition('href="/motions/')[2].partition("/ballot")[0][:32]
        if len(motion) == 32 and motion not in voted and await member.ballot(motion, "established", "disapprove"):
            voted.add(motion)
        await asyncio.sleep(PAUSE)
    form = page.form("file-dissent")
    assert form is not None
    about = [value for value, _ in form.options["about"] if value.startswith("motion:")][-1]
    words = {
        "kind": "dissent",
        "about": about,
        "consideration": "",
        "text": "I see it otherwise.",
        "waives_secrecy": "true",
    }
    await member.send(form, **words)
    await member.do("confirm-minutes", answer="confirm", reason="")
    await table.told(PUBLISHED)


def test_a_person_who_sits_as_a_member_is_waited_for_and_their_dissent_is_answered(tmp_path: Path) -> None:
    with laid(tmp_path, 7) as table:
        table.play(sit_as_member)
        came, happened, answers = table.came(), table.happened(), table.rows(select(Question.answer))
        filed = dict(table.rows(select(Dissent.text, Answer.text).join(Answer)))

    assert (came["outcome"], came["opinions_round_2"], came["motions"]) == ("exempt", 9, 5)
    assert came["ballots"] == 4 * 9 + 7, "the chair closes no vote before the person has voted, and votes too"
    assert answers == [ANSWER]
    assert filed["I see it otherwise."] == "已结合案卷和评议笔录研究，随决定一并存档。"
    assert happened["dissents.dissent_filed"] == happened["dissents.dissent_answered"] == len(filed) == 3
    assert happened["committees.member_left"] == 0, "whoever is there in time is not noted as gone"
    assert f"最多等候 30 秒：{table.name('s3')} 报到并作利益申报" in table.said
    assert f"最多等候 30 秒：{table.name('s3')} 提交意见" in table.said
    assert table.said[-1] == PUBLISHED


async def sit_down_first(table: Table) -> None:
    """Take a member's seat and the recorder's before any simulation is there."""
    for key in (GUEST, "recorder"):
        await table.sit(key)


async def write_nothing(table: Table) -> None:
    """Come in as a member and do nothing more; give the seat back when only its answer to the minutes is lacking."""
    member = table.people[0]
    await member.come()
    await table.told("—— 表决")
    place = (await member.get(table.live)).html.partition('id="place-4"')[2].partition(">")[0]
    assert place == ' class="is-absent"', "who does not write in the time that is told is noted as gone"
    await table.told("按规则，作出决定须待")
    await table.give_back(GUEST)
    await table.told(PUBLISHED)


async def come_and_go(table: Table) -> None:
    """Take a seat in the middle, and give it back before the opinions."""
    await table.told("—— 承办人介绍")
    await table.sit("s5")
    await table.told("—— 休会")
    await table.give_back("s5")


def test_seats_that_are_taken_before_and_amid_the_hearing_stop_nothing_and_are_simulated_again(tmp_path: Path) -> None:
    with laid(tmp_path, 7) as table:
        guest, other = table.name(GUEST), table.name("s5")
        table.play(write_nothing, come_and_go, before=sit_down_first, waits=replace(QUICK, opinion=1))
        came, happened = table.came(), table.happened()

    assert "17 名模拟参与者已就位" in table.said
    assert (came["opinions_round_2"], came["outcome"]) == (8, "mitigate"), "a vote less, and the first motion is lost"
    assert (came["motions"], came["ballots"]) == (6, 4 * 8 + 2 * 6)
    assert (happened["committees.member_arrived"], happened["committees.member_left"]) == (9, 1)
    assert happened["hearings.note_written"] == 0, "a person keeps the minutes"
    steps = [f"{other} 的席位已有真人入座", f"{other} 的席位由模拟补上", f"{other} · 提交第 2 轮意见"]
    steps += [f"时间已到，不再等候：{guest} 提交意见", f"{guest} 的席位由模拟补上", f"{guest} · 确认笔录", PUBLISHED]
    assert [line for line in table.said if line in steps] == steps
