"""The end by the script: minutes confirmed, the authority's decision, the published summary."""

from datetime import timedelta
from typing import TYPE_CHECKING

from panel.core import clock, words
from panel.rehearsal.participant import Stuck

if TYPE_CHECKING:
    from panel.rehearsal.stage import Stage


async def end(stage: "Stage") -> None:
    """Go from the end of the hearing to the published summary."""
    await stage.attempt(confirm(stage))
    await stage.attempt(decide(stage))
    await stage.attempt(publish(stage))


async def confirm(stage: "Stage") -> None:
    """Let every simulated member who attended confirm the minutes, or refuse with the reason."""
    for said in stage.fiction["minutes"]:
        if said["by"] in stage.aside or not await stage.simulated(said["by"]):
            continue
        answer = "confirm" if said["confirms"] else "refuse"
        await stage.act(said["by"], "confirm-minutes", answer=answer, reason=said.get("reason", ""))
        deed = stage._("confirms the minutes") if said["confirms"] else stage._("does not confirm the minutes")
        stage.say(f"{stage.who(said['by']).name} · {deed}")


async def decide(stage: "Stage") -> None:
    """Let the authority decide: adopting the panel's outcome, or departing from it with reasons and approver."""
    decision = stage.fiction["decision"]
    if not await stage.simulated(decision["by"]):
        return
    decider = stage.who(decision["by"])
    departs = decision["stance"] == "depart" and decision["departs_to"] != stage.carried
    outcome = decision["departs_to"] if departs else stage.carried
    page = await decider.until(f"/cases/{stage.case_id}/decision", lambda p: p.form("check-decision"), stage.patience)
    form = page.form("check-decision") if page else None
    if form is None:
        raise Stuck(f"{decider.name} cannot decide yet")
    if sum(name == "answer" for name, _ in form.fields) > len(stage.dissents):
        raise Stuck(stage._("A dissent that the script does not know waits for a person's answer"))
    texts = {answer["dissent"]: answer["text_zh"].strip() for answer in stage.fiction.get("answers", [])}
    today = clock.now().date()
    corrective = stage.fiction.get("corrective", [])
    checked = await decider.send(
        form,
        outcome=outcome or "deny",
        measure=decision.get("measure_zh", ""),
        reasons=decision["reasons_zh"].strip(),
        departure_reasons=decision.get("departure_reasons_zh", "").strip() if departs else "",
        approver=stage.who(decision["approver"]).name if departs else "",
        corrective_text=[each["text_zh"] for each in corrective],
        corrective_responsible=[each["responsible_zh"] for each in corrective],
        corrective_due=[(today + timedelta(days=each["due_days"])).isoformat() for each in corrective],
        answer=[texts[id] for id in stage.dissents],
        step="check",
    )
    issue = checked.form("decide")
    if issue is None:
        raise Stuck(f"{decider.name}: {checked.text[:300]}")
    await decider.send(issue)
    stage.say(f"{decider.name} · {stage._(words.OUTCOMES.get(outcome, outcome))}")


async def publish(stage: "Stage") -> None:
    """Let the secretary compose the summary, read its preview and publish it."""
    if not await stage.simulated("secretary"):
        return
    secretary, path = stage.who("secretary"), f"/cases/{stage.case_id}/summary"
    page = await secretary.until(path, lambda p: p.form("compose-summary"), stage.patience)
    compose = page.form("compose-summary") if page else None
    if compose is None:
        raise Stuck("the summary cannot be composed yet")
    await secretary.send(compose)
    form = (await secretary.get(path)).form("publish-summary")
    if form is None:
        raise Stuck("the summary cannot be published")
    await secretary.send(form)
    stage.say(stage._("The public summary is published"))
