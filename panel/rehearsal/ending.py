"""The end by the script: minutes confirmed, the authority's decision, the published summary."""

import asyncio
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from panel.core import clock, words
from panel.rehearsal.cast import STEP_SECONDS
from panel.rehearsal.pages import FormOnPage, Page
from panel.rehearsal.participant import Participant, Stuck

if TYPE_CHECKING:
    from panel.rehearsal.cast import Stage

CORRECTED_WITHIN = 30
"""Days for the corrective measure that the script does not have, because it expects another outcome."""


async def end(stage: "Stage") -> None:
    """Go from the end of the hearing to the published summary."""
    await stage.attempt(_confirm(stage))
    if stage.auto:
        await _decide(stage)
        await _publish(stage)
    else:
        await _follow(stage)


async def _follow(stage: "Stage") -> None:
    """See the case to its published summary, whoever sits where; what people owe by the rules is waited for."""
    while not await _published(stage):
        if stage.tend is not None:
            await stage.tend()
        await stage.attempt(_step(stage))
        await asyncio.sleep(stage.waits.tick)


async def _step(stage: "Stage") -> None:
    """Take the step that comes next: decide, or publish, or say what is waited for."""
    decider = stage.fiction["decision"]["by"]
    if await stage.simulated("secretary"):
        page = await stage.who("secretary").get(_summary(stage))
        if page.form("compose-summary") or page.form("publish-summary"):
            return await _publish(stage)
    if await stage.simulated(decider) and (await stage.who(decider).get(_decision(stage))).form("check-decision"):
        return await _decide(stage)
    people = [stage.who(key).name for key in await stage.people()]
    if people:
        asked = stage._("%(names)s confirm the minutes, or their limit passes", names=", ".join(people))
        stage.once(stage._("As the rules want, the decision waits until: %(what)s", what=asked))


async def _published(stage: "Stage") -> bool:
    """Say whether the summary is published: its page, to those who may read it, then offers to withdraw it."""
    if not await stage.simulated("secretary"):
        return False
    return (await stage.who("secretary").get(_summary(stage))).form("withdraw-summary") is not None


def _summary(stage: "Stage") -> str:
    return f"/cases/{stage.case_id}/summary"


def _decision(stage: "Stage") -> str:
    return f"/cases/{stage.case_id}/decision"


async def _confirm(stage: "Stage") -> None:
    """Let every simulated member who attended confirm the minutes, or refuse with the reason."""
    for said in stage.fiction["minutes"]:
        if said["by"] not in stage.aside and await stage.simulated(said["by"]):
            page = await stage.who(said["by"]).get(stage.page)
            await stage.attempt(confirm_one(stage, said["by"], page))


async def confirm_one(stage: "Stage", key: str, page: Page) -> None:
    """Let a simulated member, on this live page, confirm the minutes by the script; unless they have answered."""
    form = page.form("confirm-minutes")
    if form is None:
        return
    said: Mapping[str, Any] = next((m for m in stage.fiction["minutes"] if m["by"] == key), {"confirms": True})
    answer = "confirm" if said["confirms"] else "refuse"
    await stage.who(key).send(form, answer=answer, reason=said.get("reason", ""))
    deed = stage._("confirms the minutes") if said["confirms"] else stage._("does not confirm the minutes")
    stage.say(f"{stage.who(key).name} · {deed}")


async def _decide(stage: "Stage") -> None:
    """Let the authority decide: adopting the panel's outcome, or departing from it with reasons and approver."""
    decision = stage.fiction["decision"]
    decider = stage.who(decision["by"])
    page = await decider.until(_decision(stage), lambda p: p.form("check-decision"), STEP_SECONDS if stage.auto else 0)
    form = page.form("check-decision") if page else None
    if page is None or form is None:
        raise Stuck(f"{decider.name} cannot decide yet")
    departs = decision["stance"] == "depart" and decision["departs_to"] != stage.carried
    outcome = (decision["departs_to"] if departs else stage.carried) or "deny"
    checked = await decider.send(
        form,
        outcome=outcome,
        **_grounds(stage, outcome),
        departure_reasons=decision.get("departure_reasons_zh", "").strip() if departs else "",
        approver=stage.who(decision["approver"]).name if departs else "",
        **_corrective(stage),
        answer=_answers(stage, page),
        step="check",
    )
    await _issue(stage, decider, checked, outcome)


async def _issue(stage: "Stage", decider: Participant, checked: Page, outcome: str) -> None:
    issue: FormOnPage | None = checked.form("decide")
    if issue is None:
        raise Stuck(f"{decider.name}: {checked.text[:300]}")
    await decider.send(issue)
    stage.say(f"{decider.name} · {stage._(words.OUTCOMES.get(outcome, outcome))}")


def _grounds(stage: "Stage", outcome: str) -> dict[str, str]:
    """Return how the script deals with the case and why; of an outcome that it does not expect, in general words."""
    decision = stage.fiction["decision"]
    if outcome == stage.fiction["expected"]["outcome"]:
        return {"measure": decision.get("measure_zh", ""), "reasons": decision["reasons_zh"].strip()}
    return {"measure": "", "reasons": stage._("The authority follows the panel, for the reasons in its record.")}


def _corrective(stage: "Stage") -> dict[str, list[str]]:
    """Return the corrective measures of the script, or a general one: tolerance goes with correction."""
    text = stage._("Complete what was lacking in the procedure, and report on it in writing.")
    one = {"text_zh": text, "responsible_zh": stage.script["case"]["unit_zh"], "due_days": CORRECTED_WITHIN}
    measures, today = stage.fiction.get("corrective", []), clock.now().date()
    if not measures and not stage.auto and stage.carried in {"exempt", "mitigate"}:
        measures = [one]
    return {
        "corrective_text": [each["text_zh"] for each in measures],
        "corrective_responsible": [each["responsible_zh"] for each in measures],
        "corrective_due": [(today + timedelta(days=each["due_days"])).isoformat() for each in measures],
    }


def _answers(stage: "Stage", page: Page) -> list[str]:
    """Return an answer to every dissent that the page shows: by the script, to a person's in general words."""
    general = stage._("Considered together with the file and the minutes. It is kept with the decision.")
    texts = {answer["dissent"]: answer["text_zh"].strip() for answer in stage.fiction.get("answers", [])}
    filed = {" ".join(d["text_zh"].split()): texts.get(d["id"], general) for d in stage.fiction.get("dissents", [])}
    return [next((filed[text] for text in filed if text in told), general) for _, told in page.dissents]


async def _agree(stage: "Stage", page: Page) -> None:
    """Let the secretary propose the short text of each dissent, and its author approve it; a person is only asked."""
    for said in stage.fiction.get("dissents", []):
        form = _gist_form(page, " ".join(said["text_zh"].split()))
        if form is None:
            continue
        await stage.who("secretary").send(form, text=said["gist_zh"].strip())
        if await stage.simulated(said["by"]):
            author = stage.who(said["by"])
            asked = (await author.get(f"/cases/{stage.case_id}")).form("answer-gist")
            if asked is not None:
                await author.send(asked, answer="approve")


def _gist_form(page: Page, text: str) -> FormOnPage | None:
    """Return the form for the short text of the dissent with these words: its label names the dissent's number."""
    number = next((number for number, told in page.dissents if text in told), "")
    return next((f for f in page.named("propose-gist") if number in re.findall(r"\d+", f.words)[:1]), None)


async def _publish(stage: "Stage") -> None:
    """Let the secretary compose the summary, read its preview and publish it."""
    secretary, path = stage.who("secretary"), _summary(stage)
    page = await secretary.get(path)
    if stage.auto and page.form("compose-summary") is None:
        raise Stuck("the summary cannot be composed yet")
    await _agree(stage, page)
    page = await secretary.get(path)
    if (compose := page.form("compose-summary")) is not None and page.form("publish-summary") is None:
        await secretary.send(compose)
        page = await secretary.get(path)
    form = page.form("publish-summary")
    if form is None:
        raise Stuck("the summary cannot be published")
    await secretary.send(form)
    stage.say(stage._("The public summary is published"))
