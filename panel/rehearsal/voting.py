"""Motions by the script: facts one by one, dispositions until one is carried, and the dissents on them."""

import asyncio
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
    """Vote until the hearing goes on: the simulated chair leads by the script, a person as they like."""
    while await stage.phase() == "motions":
        if not await stage.simulated(stage.chair):
            await stage.attempt(_follow(stage))
            await asyncio.sleep(1)
            continue
        unsettled = next((key for key in stage.motion_of if key not in stage.results), None)
        if unsettled is not None:
            await stage.attempt(_finish(stage, unsettled))
        elif (put := _next(stage)) is not None:
            await stage.attempt(_put(stage, put))
        else:
            return


def _next(stage: "Stage") -> Mapping[str, Any] | None:
    """Return the next fact, or the next disposition while none is carried; None when no vote is left."""
    dispositions = [] if stage.carried else stage.fiction["dispositions"]
    return next((one for one in (*stage.script["facts"], *dispositions) if one["id"] not in stage.motion_of), None)


async def _put(stage: "Stage", put: Mapping[str, Any]) -> None:
    """Move and open a motion, let everybody vote, the chair last, and see it to its end."""
    question = put["question_zh"]
    if "outcome" in put:
        await stage.must(stage.chair, "move-disposition", outcome=put["outcome"], question=question)
    await stage.must(stage.chair, "open-motion")
    page = await (await stage.watcher()).until(stage.page, _on_ballot, WAIT)
    if page is None:
        raise Stuck("no motion was opened")
    stage.motion_of[put["id"]] = _on_ballot(page)
    stage.say(stage._("Vote: %(question)s", question=question[:60]))
    await _cast_all(stage, put["id"], _on_ballot(page))
    await _finish(stage, put["id"])
    await stage.breathe(question)


async def _finish(stage: "Stage", key: str) -> None:
    """Close a motion, if nobody sits in the chair's seat who does; take its result in."""
    motion = stage.motion_of[key]
    if await stage.simulated(stage.chair):
        await _close(stage)
    page = await (await stage.watcher()).until(f"/motions/{motion}", lambda p: _result(p, motion), stage.patience)
    if page is None:
        raise Stuck("a motion was not closed")
    await _settle(stage, key, _result(page, motion))


async def _follow(stage: "Stage") -> None:
    """Vote on the motion that a person put, once; tell what came of those that they closed."""
    watcher = await stage.watcher()
    motion = _on_ballot(await watcher.get(stage.page))
    if motion and motion not in stage.motion_of.values():
        page = await watcher.get(f"/motions/{motion}")
        key = _named(stage, page) or motion
        stage.motion_of[key] = motion
        stage.results.pop(key, None)
        await _cast_all(stage, key, motion)
    for key, voted in list(stage.motion_of.items()):
        if key not in stage.results and (result := _result(await watcher.get(f"/motions/{voted}"), voted)):
            await _settle(stage, key, result)


def _named(stage: "Stage", page: Page) -> str:
    """Return the script's id for the motion of this page: of a fact by its words, of a disposition by its outcome."""
    for fact in stage.script["facts"]:
        if " ".join(fact["question_zh"].split()) in page.text:
            return str(fact["id"])
    for disposition in stage.fiction["dispositions"]:
        outcome = words.OUTCOMES[disposition["outcome"]]
        if stage._(outcome) in page.text:
            return str(disposition["id"])
    return ""


async def _cast_all(stage: "Stage", key: str, motion: str) -> None:
    """Let every simulated member vote by the script, the chair last; who has no script for it abstains."""
    scripted = [*stage.fiction["fact_ballots"], *stage.fiction["dispositions"]]
    said: Mapping[str, Any] = next((b for b in scripted if key in {b.get("fact"), b.get("id")}), {"ballots": {}})
    order = [seat for seat in (*said["ballots"], *stage.seats) if seat in stage.seats and seat != stage.chair]
    for seat in (*dict.fromkeys(order), stage.chair):
        if await stage.simulated(seat):
            choice, reason = said["ballots"].get(seat, "abstain"), said.get("reasons", {}).get(seat, "")
            await stage.attempt(_cast(stage.who(seat), motion, choice, reason))


async def _settle(stage: "Stage", key: str, result: str) -> None:
    """Take in how a motion ended, and let members file what they have to say of it."""
    stage.results[key] = result
    stage.say(stage._("Result: %(result)s", result=stage._(words.RESULTS.get(result, result))))
    disposition = next((d for d in stage.fiction["dispositions"] if d["id"] == key), None)
    if result == "carried" and disposition is not None:
        stage.carried = disposition["outcome"]
    await stage.attempt(dissent(stage, key))


def _on_ballot(page: Page) -> str:
    """Return the id of the motion whose ballot a member's live page leads to, or an empty text."""
    found = re.search(r'href="/motions/([0-9a-f]{32})/ballot["?]', page.html)
    return found[1] if found else ""


def _result(page: Page, motion: str) -> str:
    """Return how a motion ended, from a page that tells it; an empty text while it has not."""
    pairs = zip(page.attributes.get("data-motion", []), page.attributes.get("data-carried", []), strict=True)
    return next((carried for id, carried in pairs if id == motion and carried not in {"open", "draft"}), "")


async def _cast(member: Participant, motion: str, choice: str, reason: str) -> None:
    form = (await member.get(f"/motions/{motion}/ballot")).form("cast-ballot")
    if form is None:
        return
    values = {"choice": form.option("choice", choice)}
    await member.send(form, **values, **({"reason": reason} if any(n == "reason" for n, _ in form.fields) else {}))


async def _close(stage: "Stage") -> None:
    """Close the vote once everybody has voted; who keeps everybody waiting gets a last call first."""
    people = [seat for seat in stage.seats if not await stage.simulated(seat)]
    if people:
        page = await stage.who(stage.chair).until(stage.page, lambda p: p.first("data-waiting") in {"", "0"}, WAIT)
        if page is None:
            await stage.act(stage.chair, "last-call")
    await stage.must(stage.chair, "close-motion")


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
