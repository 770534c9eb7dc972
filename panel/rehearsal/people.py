"""People at the table: the simulated chair calls upon them, hears them, waits for them, and goes on without them."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panel.rehearsal.pages import Page
from panel.rehearsal.participant import Refusal

if TYPE_CHECKING:
    from panel.rehearsal.cast import Stage

CLERKS = ("secretary", "recorder")
"""Who notes that somebody has left, before the chair would."""


@dataclass(frozen=True)
class Place:
    """A member's place as the live page shows it to those inside."""

    present: bool
    declared: bool


def place(page: Page, number: int) -> Place:
    """Read from a live page whether the member of this seat is in the room and has declared their interests."""
    found = re.search(rf'<li id="place-{number}"(.*?)</li>', page.html, re.DOTALL)
    present = found is not None and "is-absent" not in found[1]
    return Place(present, present and found is not None and "tone-warn" not in found[1])


def still(page: Page) -> bool:
    """Say whether the live page tells that the hearing stands still: a notice at what happens now."""
    found = re.search(r'id="part-now"(.*?)</section>', page.html, re.DOTALL)
    return found is not None and "notice tone-warn" in found[1]


async def hear(stage: "Stage", until: str = "") -> None:
    """Let the simulated chair call up the raised hands in order: all of them, or until somebody's turn has come."""
    while True:
        page = await stage.who(stage.chair).get(stage.page)
        if page.form("end-turn") is not None:
            if until and (await stage.who(until).get(stage.page)).form("end-own-turn"):
                return
            await _end_of_turn(stage)
        elif (give := page.form("give-floor")) is not None:
            await stage.who(stage.chair).send(give)
        else:
            return


async def call(stage: "Stage", by: str) -> None:
    """Let the simulated chair give the floor to a person whose part it is, once in every phase."""
    once = ("call", by, await stage.phase())
    if once in stage.waiting or by == stage.chair or not await stage.simulated(stage.chair):
        return
    await hear(stage)
    form = (await stage.who(stage.chair).get(stage.page)).form("give-floor-to")
    if form is None:
        return
    await stage.who(stage.chair).send(form, person=form.option("person", stage.who(by).name))
    stage.waits_for(once, stage._("%(name)s has the floor", name=stage.who(by).name), stage.waits.floor)
    await _end_of_turn(stage)


async def _end_of_turn(stage: "Stage") -> None:
    """Leave the floor to whoever has it until they have finished, or for as long as a turn may last."""
    if await stage.until(stage.chair, lambda p: p.form("end-turn") is None, stage.waits.floor) is None:
        await stage.act(stage.chair, "end-turn")


async def lead(stage: "Stage") -> None:
    """Let the simulated chair take the next step, once people have been heard and have done what it waits for."""
    await hear(stage)
    if await _awaited(stage):
        return
    refused = await _press(stage)
    if refused and await stage.phase() == "opinions":
        await _overdue(stage, refused)
    elif refused:
        stage.once(refused)


async def _press(stage: "Stage") -> str:
    """Press the chair's button; returns what the server says against it."""
    try:
        await stage.must(stage.chair, "next-step")
    except Refusal as problem:
        if problem.status != 422 and problem.status != 409:
            raise
        return str(problem)
    return ""


async def _awaited(stage: "Stage") -> bool:
    """Say whether the chair still waits for a person before the next step."""
    phase, page = await stage.phase(), await stage.who(stage.chair).get(stage.page)
    if phase == "scheduled":
        return stage.waits_for(("seats",), stage._("people take the seats that they want"), stage.waits.seating)
    if phase == "opening":
        return await _coming(stage, page)
    recorder = "recorder"
    if phase == "questions" and await stage.simulated(recorder):
        unanswered = (await stage.who(recorder).get(stage.page)).named("answer")
        return bool(unanswered) and stage.waits_for(("answers",), stage._("answers"), stage.waits.floor)
    return False


async def _coming(stage: "Stage", page: Page) -> bool:
    """Wait until every person has come in and declared; who has come in and says nothing is noted as gone again."""
    late = [key for key in await stage.people() if not place(page, stage.number(key)).declared]
    words = {key: stage._("%(name)s comes in and declares interests", name=stage.who(key).name) for key in late}
    waits = [stage.waits_for(("opening", key), words[key], stage.waits.coming) for key in late]
    if any(waits):
        return True
    for key in late:
        if place(page, stage.number(key)).present:
            await _note(stage, key, "leave")
    return False


async def _overdue(stage: "Stage", refused: str) -> None:
    """Wait for people's opinions; when their time is over, those who have given none are noted as gone.

    Nobody is told who has written: a person whose leaving changes nothing had, and is noted as here again.
    """
    page = await stage.who(stage.chair).get(stage.page)
    here = [key for key in await stage.people() if place(page, stage.number(key)).present]
    words = {key: stage._("the opinion of %(name)s", name=stage.who(key).name) for key in here}
    waits = [stage.waits_for(("opinions", key), words[key], stage.waits.opinion) for key in here]
    if any(waits):
        return
    for key in here:
        await _note(stage, key, "leave")
        now = await _press(stage)
        if now == refused:
            await _note(stage, key, "arrive")
        if not now:
            return
        refused = now
    stage.once(refused)


async def _note(stage: "Stage", key: str, deed: str) -> None:
    """Let a clerk, or the chair, note that somebody left or came."""
    for clerk in (*CLERKS, stage.chair):
        if clerk in stage.cast and await stage.simulated(clerk):
            forms = (await stage.who(clerk).get(stage.page)).named(f"note-{deed}")
            number = str(stage.number(key))
            wanted = next((form for form in forms if number in re.findall(r"\d+", form.words)), None)
            if wanted is not None:
                await stage.who(clerk).send(wanted)
            return
