"""Motions by the script: facts one by one, dispositions until one is carried, and the dissents on them."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from panel.core import words
from panel.rehearsal.pages import Page
from panel.rehearsal.participant import Participant, Stuck

if TYPE_CHECKING:
    from panel.rehearsal.stage import Stage

WAIT = 300.0
"""Seconds for which a person's ballot is waited for."""


async def vote(stage: "Stage") -> None:
    """Put every fact to the vote, then the dispositions in order until one is carried."""
    for fact in stage.script["facts"]:
        ballots = next(b for b in stage.fiction["fact_ballots"] if b["fact"] == fact["id"])
        await _put(stage, fact["id"], fact["question_zh"], ballots["ballots"], ballots.get("reasons", {}))
    for disposition in stage.fiction["dispositions"]:
        question = disposition["question_zh"]
        if await stage.simulated(stage.chair):
            await stage.must(stage.chair, "move-disposition", outcome=disposition["outcome"], question=question)
        result = await _put(stage, disposition["id"], question, disposition["ballots"], {})
        if result == "carried":
            stage.carried = disposition["outcome"]
            return


async def _put(stage: "Stage", key: str, question: str, ballots: Mapping[str, str], reasons: Mapping[str, str]) -> str:
    """Open a motion, let everybody vote, the chair last, and close it; return its result."""
    chairs = await stage.simulated(stage.chair)
    if chairs:
        await stage.must(stage.chair, "open-motion")
    motion = await _motion(stage)
    stage.motion_of[key] = motion
    stage.say(stage._("Vote: %(question)s", question=question[:60]))
    order = [seat for seat in ballots if seat != stage.chair] + [seat for seat in ballots if seat == stage.chair]
    for seat in order:
        if seat not in stage.aside and await stage.simulated(seat):
            await _cast(stage.who(seat), motion, ballots[seat], reasons.get(seat, ""))
    if chairs:
        await _close(stage, motion)
    result = await _result(stage, motion)
    stage.say(stage._("Result: %(result)s", result=stage._(words.RESULTS.get(result, result))))
    await stage.breathe(question)
    await dissent(stage, key)
    return result


async def _motion(stage: "Stage") -> str:
    """Return the id of the motion that is open, from a member's live page."""
    watcher = await stage.watcher()

    def ballot(page: Page) -> str:
        found = re.search(r'href="/motions/([0-9a-f]{32})/ballot["?]', page.html)
        return found[1] if found else ""

    page = await watcher.until(stage.page, ballot, WAIT)
    if page is None:
        raise Stuck("no motion was opened")
    return ballot(page)


async def _cast(member: Participant, motion: str, choice: str, reason: str) -> None:
    form = (await member.get(f"/motions/{motion}/ballot")).form("cast-ballot")
    if form is None:
        return
    values = {"choice": form.option("choice", choice)}
    await member.send(form, **values, **({"reason": reason} if any(n == "reason" for n, _ in form.fields) else {}))


async def _close(stage: "Stage", motion: str) -> None:
    """Close the vote once everybody has voted; who keeps everybody waiting gets a last call first."""
    people = [seat for seat in stage.seats if not await stage.simulated(seat)]
    if people:
        page = await stage.who(stage.chair).until(stage.page, lambda p: p.first("data-waiting") in {"", "0"}, WAIT)
        if page is None:
            await stage.act(stage.chair, "last-call")
    await stage.must(stage.chair, "close-motion")


async def _result(stage: "Stage", motion: str) -> str:
    """Return the result of a motion, as a member's live page tells it."""
    watcher = await stage.watcher()

    def told(page: Page) -> str:
        pairs = zip(page.attributes.get("data-motion", []), page.attributes.get("data-carried", []), strict=True)
        return next((carried for id, carried in pairs if id == motion and carried not in {"open", "draft"}), "")

    page = await watcher.until(f"/motions/{motion}", told, WAIT)
    if page is None:
        raise Stuck("a motion was not closed")
    return told(page)


async def dissent(stage: "Stage", key: str) -> None:
    """File what members have to say against, or beside, this result; others join."""
    for said in stage.fiction.get("dissents", []):
        if said["on"] != key or said["by"] in stage.aside or not await stage.simulated(said["by"]):
            continue
        waives = {"waives_secrecy": "true"} if said.get("waives_secrecy") else {}
        about = f"motion:{stage.motion_of[key]}"
        written = {"kind": said["kind"], "about": about, "consideration": said.get("consideration", "")}
        await stage.must(said["by"], "file-dissent", **written, text=said["text_zh"].strip(), **waives)
        stage.dissents.append(said["id"])
        stage.say(f"{stage.who(said['by']).name} · {stage._(words.DISSENTS[said['kind']])}")
        for joiner in said.get("joiners", []):
            await _join(stage, joiner, len(stage.dissents), waives)


async def _join(stage: "Stage", joiner: str, number: int, waives: Mapping[str, Any]) -> None:
    if joiner in stage.aside or not await stage.simulated(joiner):
        return
    forms = (await stage.who(joiner).get(stage.page)).named("join-dissent")
    wanted = next((f for f in forms if f" {number} " in f" {' '.join(f.words.split())} "), None)
    if wanted is not None:
        await stage.who(joiner).send(wanted, **waives)
