"""Opinions by the script: the first round whole, the second with what the member changed."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from panel.rehearsal.participant import Participant, Stuck

if TYPE_CHECKING:
    from panel.rehearsal.stage import Stage

STEPS = ("nature", "basis", "motive", "process", "consequence", "attitude")


async def give(stage: "Stage", number: int) -> None:
    """Let every simulated member give their opinion of this round."""
    for said in stage.fiction["opinions"]:
        if said["round"] == number and said["by"] in stage.seats and await stage.simulated(said["by"]):
            await stage.attempt(_write(stage, stage.who(said["by"]), said))
            await stage.breathe()


async def _write(stage: "Stage", member: Participant, said: Mapping[str, Any]) -> None:
    page = await member.get(f"/cases/{stage.case_id}")
    live = await member.get(stage.page)
    path = _editor(live.html) or _editor(page.html)
    if path is None:
        raise Stuck(f"{member.name} finds no round of opinions that is open")
    for step in STEPS:
        if step in said:
            await _step(member, path, step, _rating(said[step]))
    reasons = said.get("overall_zh", "")
    change = " ".join(said[step]["reason"] for step in STEPS if step in said) or reasons
    overall = {"recommendation": said["outcome"], "reasons": reasons}
    await _step(member, path, "overall", overall | ({"change": change} if said["round"] > 1 else {}))
    checked = await member.get(f"{path}/check")
    form = checked.form("submit-opinion")
    if form is None:
        raise Stuck(f"{member.name} cannot give the opinion: {checked.text[-600:]}")
    await member.send(form)
    deed = stage._("gives an opinion, round %(n)s", n=said["round"])
    stage.say(f"{member.name} · {deed}")


def _editor(html: str) -> str | None:
    """Return the path of the open round's editor, from a page that leads there."""
    found = re.search(r'href="(/rounds/[0-9a-f]{32}/opinion)["?]', html)
    return found[1] if found else None


def _rating(said: Mapping[str, Any]) -> dict[str, str | list[str]]:
    cites = [str(exhibit).removeprefix("E") for exhibit in said.get("cites", [])]
    return {"value": str(said["rating"]), "reason": said["reason"], "exhibits": cites}


async def _step(member: Participant, path: str, step: str, values: Mapping[str, str | list[str]]) -> None:
    form = (await member.get(f"{path}?step={step}")).form("opinion-step")
    assert form is not None
    await member.send(form, **values)
