"""What simulated participants owe, whoever brought the hearing there: they come, answer, write, vote, confirm."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from panel.core import clock
from panel.rehearsal import acts, ending, opinions, people, voting
from panel.rehearsal.pages import FormOnPage, Page
from panel.rehearsal.participant import PATIENCE, Participant, Refusal

if TYPE_CHECKING:
    from panel.rehearsal.cast import Stage

ORDER = (
    "scheduled", "opening", "presentation", "explanation", "questions", "recess", "deliberation", "opinions",
    "motions", "closing_statement", "summing_up", "ended",
)  # fmt: skip
AMONG_MEMBERS = frozenset({"scheduled", "recess", "opinions", "motions", "ended"})
"""Phases in which nothing is asked of anybody but members."""

GONE = frozenset({403, 404})
"""Answers to somebody whose seat is recused: the pages of the case are closed to them."""


async def tend(stage: "Stage") -> None:
    """Let every simulated participant do what they owe as the hearing stands now."""
    phase = await stage.phase()
    for key in stage.seats if phase in AMONG_MEMBERS else [key for key in stage.cast if key not in stage.aside]:
        if key != "projector" and await stage.simulated(key):
            await stage.attempt(_owe(stage, key, phase))


async def _owe(stage: "Stage", key: str, phase: str) -> None:
    me = stage.who(key)
    if me.lost:
        await me.follow(stage.hearing_id)
    if not _news(me):
        return
    try:
        page = await me.get(stage.page)
    except Refusal as problem:
        if problem.status in GONE and key in stage.seats:
            stage.aside.add(key)
            return
        raise
    if key in stage.seats:
        await _sit(stage, key, page, phase)
    await _reply(stage, key, page, phase)
    if key == stage.chair:
        await _grant(stage, page)


def _news(me: Participant) -> bool:
    """Say whether a participant has reason to look at the page: a signal, or none for some time."""
    signals, at = me.looked
    if me.signals == signals and clock.monotonic() - at < PATIENCE:
        return False
    me.looked = (me.signals, clock.monotonic())
    return True


async def _sit(stage: "Stage", key: str, page: Page, phase: str) -> None:
    """Do what a member owes: be there, declare, write, vote, confirm."""
    if phase not in {"scheduled", "ended"}:
        await _come(stage, key, page, phase)
    await opinions.owed(stage, key, page, 1 if ORDER.index(phase) < ORDER.index("presentation") else 2)
    if phase == "motions" and key != stage.chair:
        await voting.owed(stage, key, page)
    if phase == "ended":
        await ending.confirm_one(stage, key, page)


async def _come(stage: "Stage", key: str, page: Page, phase: str) -> None:
    """Come in and declare; who comes later by the script, or has left by it, stays outside until then."""
    if key in stage.outside and not _overtaken(stage, key, phase):
        return
    stage.outside.discard(key)
    if page.form("arrive") is not None:
        await stage.act(key, "arrive")
        page = await stage.who(key).get(stage.page)
    own = people.place(page, stage.number(key))
    said = _declaration(stage, key)
    by_script = said is not None and phase == "opening" and await stage.simulated(stage.chair)
    if own.present and not own.declared and not by_script:
        await _declare(stage, key, said or {})


def _overtaken(stage: "Stage", key: str, phase: str) -> bool:
    """Say whether the hearing has gone past the moment at which a late member comes by the script."""
    if key not in stage.fiction["attendance"]["late"]:
        return False
    comes = [a["stage"] for a in stage.fiction["script"] if a["act"] == "arrive" and a["by"] == key]
    return all(ORDER.index(phase) > ORDER.index(when) for when in comes)


def _declaration(stage: "Stage", key: str) -> Mapping[str, Any] | None:
    """Return what a member declares at the opening by the script, if anything."""
    said = (a for a in stage.fiction["script"] if a["act"] in {"declare", "recuse"} and a["stage"] == "opening")
    return next((act for act in said if act["by"] == key), None)


async def _declare(stage: "Stage", key: str, said: Mapping[str, Any]) -> None:
    conflict = "yes" if said.get("act") == "recuse" else "no"
    text = str(said.get("text", "")).strip()
    await stage.act(key, "declare", conflict=conflict, ground=said.get("ground", ""), statement=text)


async def _reply(stage: "Stage", key: str, page: Page, phase: str) -> None:
    """Answer what the script does not ask, and hand back a floor that was given without being asked for."""
    for form in page.named("answer"):
        if key != "recorder" and not _scripted(stage, form, phase):
            await stage.who(key).send(form, text=stage._("What I know of this is in the file. I have nothing to add."))
    own = page.form("end-own-turn")
    if own is not None and key != stage.speaking:
        await acts.note(stage, key, stage._("I have nothing to add at this point."))
        await stage.who(key).send(own)


def _scripted(stage: "Stage", form: FormOnPage, phase: str) -> bool:
    """Say whether the script still answers the question of this form."""
    asked = (a["text"].strip().splitlines()[0][:20] for a in stage.fiction["script"] if _asks(a, phase))
    return any(start in form.words for start in asked)


def _asks(act: Mapping[str, Any], phase: str) -> bool:
    return (act["act"], act["stage"]) == ("ask", phase)


async def _grant(stage: "Stage", page: Page) -> None:
    """Let the simulated chair grant the recusal for which a person asks."""
    numbers = {str(stage.number(key)): key for key in await stage.people()}
    for form in page.named("grant-recusal"):
        asked = next((numbers[n] for n in re.findall(r"\d+", form.words) if n in numbers), None)
        if asked is not None:
            await stage.who(stage.chair).send(form)
            stage.aside.add(asked)
