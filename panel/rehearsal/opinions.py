"""Opinions by the script: the first round whole, the second with what the member changed."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from panel.rehearsal.pages import Page
from panel.rehearsal.participant import Participant, Stuck

if TYPE_CHECKING:
    from panel.rehearsal.cast import Stage

STEPS = ("nature", "basis", "motive", "process", "consequence", "attitude")


async def give(stage: "Stage", number: int) -> None:
    """Let every simulated member give their opinion of this round."""
    for said in stage.fiction["opinions"]:
        if said["round"] == number and said["by"] in stage.seats and await stage.simulated(said["by"]):
            await stage.attempt(_give(stage, stage.who(said["by"]), said))
            await stage.breathe()


async def owed(stage: "Stage", key: str, page: Page, number: int) -> None:
    """Let a simulated member, on this live page, give the opinion that nobody at this seat has given yet."""
    path, given = _editor(page.html)
    said = _said(stage, key, number)
    if path is not None and not given and said is not None:
        await _write(stage, stage.who(key), said, path)


async def _give(stage: "Stage", member: Participant, said: Mapping[str, Any]) -> None:
    page = await member.get(f"/cases/{stage.case_id}")
    live = await member.get(stage.page)
    path, given = _editor(live.html) if _editor(live.html)[0] else _editor(page.html)
    if path is None and stage.auto:
        raise Stuck(f"{member.name} finds no round of opinions that is open")
    if path is not None and not given:
        await _write(stage, member, said, path)


async def _write(stage: "Stage", member: Participant, said: Mapping[str, Any], path: str) -> None:
    await _fill(member, path, said)
    form = (await member.get(f"{path}/check")).form("submit-opinion")
    if form is None and not stage.auto and (whole := _said(stage, member.key, 1)):
        await _fill(member, path, {**whole, **said})
        form = (await member.get(f"{path}/check")).form("submit-opinion")
    if form is None:
        checked = await member.get(f"{path}/check")
        raise Stuck(f"{member.name} cannot give the opinion: {checked.text[-600:]}")
    await member.send(form)
    deed = stage._("gives an opinion, round %(n)s", n=said["round"])
    stage.say(f"{member.name} · {deed}")


async def _fill(member: Participant, path: str, said: Mapping[str, Any]) -> None:
    for step in STEPS:
        if step in said:
            await _step(member, path, step, _rating(said[step]))
    reasons = said.get("overall_zh", "")
    change = " ".join(said[step]["reason"] for step in STEPS if step in said) or reasons
    overall = {"recommendation": said["outcome"], "reasons": reasons}
    await _step(member, path, "overall", overall | ({"change": change} if said["round"] > 1 else {}))


def _said(stage: "Stage", key: str, number: int) -> Mapping[str, Any] | None:
    """Return the script's opinion of a seat in a round; where it has none for a later one, that of the first."""
    by_round = {said["round"]: said for said in stage.fiction["opinions"] if said["by"] == key}
    said = by_round.get(number) or by_round.get(1)
    return {**said, "round": number} if said else None


def _editor(html: str) -> tuple[str | None, bool]:
    """Return the path of the open round's editor, from a page that leads there, and whether an opinion was given."""
    path = re.search(r'href="(/rounds/[0-9a-f]{32}/opinion)["?]', html)
    given = re.search(r'class="button quiet" href="/rounds/[0-9a-f]{32}/opinion["?]', html)
    return (path[1] if path else None), given is not None


def _rating(said: Mapping[str, Any]) -> dict[str, str | list[str]]:
    cites = [str(exhibit).removeprefix("E") for exhibit in said.get("cites", [])]
    return {"value": str(said["rating"]), "reason": said["reason"], "exhibits": cites}


async def _step(member: Participant, path: str, step: str, values: Mapping[str, str | list[str]]) -> None:
    form = (await member.get(f"{path}?step={step}")).form("opinion-step")
    assert form is not None
    await member.send(form, **values)
