"""Motions by the script: facts one by one, dispositions until one is carried, and the dissents on them."""

import asyncio
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from panel.core import words
from panel.rehearsal import people
from panel.rehearsal.cast import STEP_SECONDS
from panel.rehearsal.pages import Page
from panel.rehearsal.participant import Stuck

if TYPE_CHECKING:
    from panel.rehearsal.cast import Stage


UNDECIDED = ("abstain", "undetermined")
"""What somebody votes for whom the script has no ballot."""


async def vote(stage: "Stage") -> None:
    """Vote until the hearing goes on: the simulated chair leads by the script, a person as they like."""
    while await stage.phase() == "motions":
        if not await stage.simulated(stage.chair):
            await stage.attempt(_follow(stage))
            await asyncio.sleep(stage.waits.tick)
            continue
        if not stage.auto:
            await stage.attempt(_take_in(stage))
            await stage.attempt(people.hear(stage))
        unsettled = next((key for key in stage.motion_of if key not in stage.results), None)
        if unsettled is not None:
            await stage.attempt(_finish(stage, unsettled))
        elif (put := _next(stage)) is not None:
            await stage.attempt(_put(stage, put))
        elif stage.auto:
            return
        else:
            await stage.attempt(people.lead(stage))
            await asyncio.sleep(stage.waits.tick)


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
    page = await stage.until((await stage.watcher()).key, on_ballot, STEP_SECONDS)
    if page is None:
        raise Stuck("no motion was opened")
    motion = on_ballot(page)
    stage.motion_of[put["id"]] = motion
    stage.say(stage._("Vote: %(question)s", question=question[:60]))
    await _cast_all(stage, put["id"], motion)
    await _finish(stage, put["id"])
    await stage.breathe(question)


async def _finish(stage: "Stage", key: str) -> None:
    """Close a motion, if nobody sits in the chair's seat who does; take its result in."""
    motion = stage.motion_of[key]
    page = await (await stage.watcher()).get(f"/motions/{motion}")
    if not _result(page, motion):
        if await stage.simulated(stage.chair):
            await _close(stage, key, motion)
        page = await (await stage.watcher()).get(f"/motions/{motion}")
    if not _result(page, motion):
        raise Stuck("a motion was not closed")
    await _settle(stage, key, _result(page, motion))


async def _take_in(stage: "Stage") -> None:
    """Take in a motion that a person in the chair has opened and left open."""
    watcher = await stage.watcher()
    motion = on_ballot(await watcher.get(stage.page))
    if motion and motion not in stage.motion_of.values():
        key = _named(stage, await watcher.get(f"/motions/{motion}")) or motion
        stage.motion_of[key] = motion
        stage.results.pop(key, None)


async def _follow(stage: "Stage") -> None:
    """Vote on the motion that a person put, once; tell what came of those that they closed."""
    await _take_in(stage)
    if stage.tend is not None:
        await stage.tend()
    watcher = await stage.watcher()
    for key, voted in list(stage.motion_of.items()):
        if key not in stage.results and (result := _result(await watcher.get(f"/motions/{voted}"), voted)):
            await _settle(stage, key, result)


def _named(stage: "Stage", page: Page) -> str:
    """Return the script's id for the motion of this page: of a fact by its words, of a disposition by its outcome.

    A disposition that the script does not have is known by its outcome alone.
    """
    for fact in stage.script["facts"]:
        if " ".join(fact["question_zh"].split()) in page.text:
            return str(fact["id"])
    by_outcome = {d["outcome"]: str(d["id"]) for d in reversed(stage.fiction["dispositions"])}
    for outcome, label in words.OUTCOMES.items():
        if f"<strong>{stage._(label)}</strong>" in page.html:
            return by_outcome.get(outcome, outcome)
    return ""


async def _cast_all(stage: "Stage", key: str, motion: str) -> None:
    """Let every simulated member vote by the script; the chair last, among people only once they have voted."""
    order = [seat for seat in (*_said(stage, key)["ballots"], *stage.seats) if seat in stage.seats]
    for seat in dict.fromkeys(seat for seat in order if seat != stage.chair):
        if await stage.simulated(seat):
            await stage.attempt(_cast(stage, seat, key, motion))
    if stage.auto:
        await _cast(stage, stage.chair, key, motion)


async def owed(stage: "Stage", seat: str, page: Page) -> None:
    """Let a simulated member, on this live page, cast the ballot that nobody at this seat has cast yet."""
    motion = on_ballot(page)
    key = next((key for key, id in stage.motion_of.items() if id == motion), "")
    if motion and key and (seat, motion) not in stage.voted:
        await _cast(stage, seat, key, motion)


def _said(stage: "Stage", key: str) -> Mapping[str, Any]:
    scripted = [*stage.fiction["fact_ballots"], *stage.fiction["dispositions"]]
    return next((b for b in scripted if key in {b.get("fact"), b.get("id")}), {"ballots": {}})


async def _settle(stage: "Stage", key: str, result: str) -> None:
    """Take in how a motion ended, and let members file what they have to say of it."""
    stage.results[key] = result
    stage.say(stage._("Result: %(result)s", result=stage._(words.RESULTS.get(result, result))))
    outcomes = {code: code for code in words.OUTCOMES} | {d["id"]: d["outcome"] for d in stage.fiction["dispositions"]}
    if result == "carried" and key in outcomes:
        stage.carried = outcomes[key]
    await stage.attempt(dissent(stage, key))


def on_ballot(page: Page) -> str:
    """Return the id of the motion whose ballot a member's live page leads to, or an empty text."""
    found = re.search(r'href="/motions/([0-9a-f]{32})/ballot["?]', page.html)
    return found[1] if found else ""


def _result(page: Page, motion: str) -> str:
    """Return how a motion ended, from a page that tells it; an empty text while it has not."""
    pairs = zip(page.attributes.get("data-motion", []), page.attributes.get("data-carried", []), strict=True)
    return next((carried for id, carried in pairs if id == motion and carried not in {"open", "draft"}), "")


async def _cast(stage: "Stage", seat: str, key: str, motion: str) -> None:
    """Cast a ballot by the script; who has none there abstains. Whoever has voted at this seat, it stands."""
    member, said = stage.who(seat), _said(stage, key)
    stage.voted.add((seat, motion))
    form = (await member.get(f"/motions/{motion}/ballot")).form("cast-ballot")
    if form is None:
        return
    offered = [option for _, option in form.options["choice"]]
    choice = said["ballots"].get(seat) or next((c for c in UNDECIDED if c in offered), offered[-1])
    values = {"choice": form.option("choice", choice)}
    reason = said.get("reasons", {}).get(seat, "")
    await member.send(form, **values, **({"reason": reason} if any(n == "reason" for n, _ in form.fields) else {}))
    stage.ballots[motion] += 1


async def _close(stage: "Stage", key: str, motion: str) -> None:
    """Close the vote once everybody has voted, the chair last; who keeps everybody waiting gets a last call first."""
    if not stage.auto:
        await _gather(stage, key, motion)
        await _cast(stage, stage.chair, key, motion)
    await stage.must(stage.chair, "close-motion")


async def _gather(stage: "Stage", key: str, motion: str) -> None:
    """Wait for the ballots of people who are in the room, for the time that is told."""
    voters = await _voters(stage, key)
    if not voters:
        return
    names = ", ".join(stage.who(seat).name for seat in voters)
    due = stage.ballots[motion] + len(voters)
    asked = stage._("the ballots of %(names)s", names=names)
    for what, seconds in (("ballots", stage.waits.ballot), ("last call", stage.waits.last_call)):
        stage.waits_for((what, motion), asked, seconds)
        if await stage.until(stage.chair, lambda p: _all_in(p, due), seconds) is not None:
            return
        if not await stage.act(stage.chair, "last-call"):
            break
    stage.goes_on_without(asked)


async def _voters(stage: "Stage", key: str) -> list[str]:
    """Return the people who are in the room and may vote on this: on a disposition those for whom the script votes."""
    page = await stage.who(stage.chair).get(stage.page)
    here = [seat for seat in await stage.people() if people.place(page, stage.number(seat)).present]
    entitled = _said(stage, key)["ballots"] or stage.seats
    return [seat for seat in here if seat in entitled]


def _all_in(page: Page, due: int) -> bool:
    """Say whether the chair's page tells that everybody else has voted: of a secret vote it tells numbers only."""
    if page.first("data-waiting") == "1":
        return True
    told = re.search(r'id="turnout".*?class="number">(\d+)<', page.html, re.DOTALL)
    return told is None or int(told[1]) >= due


async def dissent(stage: "Stage", key: str) -> None:
    """File what members have to say against, or beside, this result; others join; the author may add to it."""
    for said in stage.fiction.get("dissents", []):
        if said["on"] != key or said["by"] in stage.aside or not await stage.simulated(said["by"]):
            continue
        waives = {"waives_secrecy": "true"} if said.get("waives_secrecy") else {}
        about = f"motion:{stage.motion_of[key]}"
        written = {"kind": said["kind"], "about": about, "consideration": said.get("consideration", "")}
        await stage.must(said["by"], "file-dissent", **written, text=said["text_zh"].strip(), **waives)
        stage.say(f"{stage.who(said['by']).name} · {stage._(words.DISSENTS[said['kind']])}")
        for joiner in said.get("joiners", []):
            await _join(stage, joiner, said, waives)
        if said.get("addendum_zh"):
            await stage.must(said["by"], "add-to-dissent", text=said["addendum_zh"].strip())


async def _join(stage: "Stage", joiner: str, said: Mapping[str, Any], waives: Mapping[str, Any]) -> None:
    if joiner in stage.aside or not await stage.simulated(joiner):
        return
    page, text = await stage.who(joiner).get(stage.page), " ".join(said["text_zh"].split())
    number = next((number for number, told in page.dissents if text in told), "")
    forms = page.named("join-dissent")
    wanted = next((f for f in forms if number and f" {number} " in f" {' '.join(f.words.split())} "), None)
    if wanted is not None:
        await stage.who(joiner).send(wanted, **waives)
