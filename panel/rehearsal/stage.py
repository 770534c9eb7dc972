"""Holding a hearing by its script: who acts next, and what they wait for. Outcomes are never read from the script."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from panel.core import words
from panel.rehearsal import acts, ending, opinions, people, voting
from panel.rehearsal.cast import Say, Stage, Waits
from panel.rehearsal.duties import ORDER, tend
from panel.rehearsal.participant import OPEN, Door, Participant, Refusal, Stuck

WHOLE_SECONDS = 540.0
"""After this long an unattended hearing has failed."""


async def hold(
    base_url: str, *, script: Mapping[str, Any], logins: Mapping[str, str], hearing_id: str, case_id: str,
    auto: bool, say: Say, pace: float = 2.5, waits: Waits | None = None, door: Door | None = None,
) -> Stage:  # fmt: skip
    """Hold a hearing from the first opinions to the published summary. Raises Refusal or Stuck where it cannot go on.

    `script` is a demo case (rulepacks/demo), `logins` the account of each of its people and of the `projector`; with
    people at the table, `pace` is the least pause between two acts, in seconds, and `waits` how long people have.
    """
    fiction = script["fiction"]
    stage = Stage(base_url, fiction, script, hearing_id, case_id, auto, say, waits or Waits())
    stage.pace, stage.outside = 0.0 if auto else pace, set(fiction["attendance"]["late"])
    names = {one["id"]: one["name"] for one in (*fiction["seats"], *fiction["people"])} | {"projector": ""}
    try:
        for key, login in logins.items():
            if key in names:
                stage.cast[key] = Participant(base_url, key, names[key], login, door or OPEN)
        async with asyncio.timeout(WHOLE_SECONDS if auto else None):
            await _enter(stage)
            await _play(stage)
    except TimeoutError:
        raise Stuck(stage._("The hearing was not over after %(n)s seconds", n=round(WHOLE_SECONDS))) from None
    finally:
        for participant in stage.cast.values():
            await participant.close()
    return stage


async def _enter(stage: Stage) -> None:
    places = [await stage.simulated(key) for key in stage.cast]
    stage.say(stage._("%(n)s simulated participants are in their places", n=sum(places)))
    if not stage.auto:
        stage.tend = partial(tend, stage)


async def _play(stage: Stage) -> None:
    await opinions.give(stage, 1)
    for phase in ORDER[1:]:
        await _reach(stage, phase)
        stage.say(f"—— {stage._(words.PHASES[phase])}")
        if phase == "opening":
            await stage.attempt(_come(stage))
        await _stage_of(stage, phase)
        if phase == "opinions":
            await opinions.give(stage, 2)
        elif phase == "motions":
            await voting.vote(stage)
        elif phase == "ended":
            await ending.end(stage)


async def _reach(stage: Stage, phase: str) -> None:
    """Bring the hearing to a phase: the simulated chair presses, waiting for people; a person there is followed."""
    while ORDER.index(await stage.phase()) < ORDER.index(phase):
        if stage.auto:
            await stage.must(stage.chair, "next-step")
            continue
        await tend(stage)
        if await stage.simulated(stage.chair):
            await stage.attempt(people.lead(stage))
        await asyncio.sleep(stage.waits.tick)


async def _stage_of(stage: Stage, phase: str) -> None:
    """Play the acts of one stage; what a person in the chair did not wait for is left out."""
    for act in stage.fiction["script"]:
        if act["stage"] == phase and (stage.auto or await _goes_on(stage, phase)):
            await stage.attempt(acts.perform(stage, act))


async def _goes_on(stage: Stage, phase: str) -> bool:
    """Wait while a person in the chair lets the hearing stand still; False once it has left this phase."""
    while (now := await stage.phase()) == phase and not await stage.simulated(stage.chair):
        if not people.still(await (await stage.inside()).get(stage.page)):
            break
        await asyncio.sleep(stage.waits.tick)
    return now == phase


async def _come(stage: Stage) -> None:
    late = stage.fiction["attendance"]["late"]
    declared = {
        a["by"] for a in stage.fiction["script"] if a["act"] in {"declare", "recuse"} and a["stage"] == "opening"
    }
    for key in stage.seats:
        if key not in late and await stage.simulated(key):
            await stage.act(key, "arrive")
            if key not in declared:
                await stage.act(key, "declare", conflict="no", ground="", statement="")


__all__ = ["Door", "Refusal", "Stage", "Stuck", "Waits", "hold"]
