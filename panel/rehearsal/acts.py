"""The acts of a script, one by one, as the pages allow them. A person plays their own part."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from panel.core.errors import Label
from panel.rehearsal import people
from panel.rehearsal.cast import STEP_SECONDS
from panel.rehearsal.pages import Page
from panel.rehearsal.participant import Stuck

if TYPE_CHECKING:
    from panel.rehearsal.cast import Stage


async def perform(stage: "Stage", act: Mapping[str, Any]) -> None:
    """Play one act, if its seat is simulated; a person is called upon, and plays their own part."""
    by = act.get("by", "recorder")
    if by in stage.aside:
        return
    if not await stage.simulated(by):
        if act["act"] in {"speak", "ask"}:
            await people.call(stage, by)
        return
    if act["act"] not in {"ask", "answer"}:
        stage.speaking = ""
    if act["act"] in {"declare", "recuse"} and await declared(stage, by):
        return
    deed = DEEDS[act["act"]]
    stage.say(" · ".join([stage.who(by).name, stage._(deed), *act.get("text", "").split()][:3])[:100])
    await ACTS[act["act"]](stage, by, act)
    await stage.breathe(act.get("text", ""))


async def note(stage: "Stage", speaker: str, text: str) -> None:
    """Let the recorder write down what was said."""
    if not await stage.simulated("recorder"):
        return
    form = (await stage.who("recorder").get(stage.page)).form("note")
    if form is not None:
        value = form.option("speaker", stage.who(speaker).name) if speaker else ""
        await stage.who("recorder").send(form, speaker=value, text=text.strip())


async def _floor(stage: "Stage", by: str, kind: str) -> bool:
    """Ask for the floor and wait until the chair gives it; the chair needs none. False where it was not given."""
    if by == stage.chair or (await stage.who(by).get(stage.page)).form("end-own-turn") is not None:
        return True
    if not await stage.act(by, f"raise-hand-{kind}"):
        return False
    if stage.auto:
        await stage.must(stage.chair, "give-floor")
    elif await stage.simulated(stage.chair):
        await people.hear(stage, until=by)
    told = (await stage.who(by).get(stage.page)).phase

    def called(page: Page) -> bool:
        return page.form("end-own-turn") is not None or page.phase != told

    page = await stage.until(by, called, STEP_SECONDS if stage.auto else stage.waits.floor)
    return page is not None and page.form("end-own-turn") is not None


async def _speak(stage: "Stage", by: str, act: Mapping[str, Any]) -> None:
    kind = "point_of_order" if act["act"] == "point_of_order" else "speech"
    stage.speaking = by
    if not await _floor(stage, by, kind):
        raise Stuck(stage._("%(name)s did not get the floor", name=stage.who(by).name))
    await stage.breathe(act["text"])
    await note(stage, by, act["text"])
    if by != stage.chair:
        await stage.act(by, "end-own-turn")
    stage.speaking = ""


async def declared(stage: "Stage", by: str) -> bool:
    """Say whether a member has declared their interests, so that the script need not."""
    page = await stage.who(by).get(stage.page)
    return not stage.auto and people.place(page, stage.number(by)).declared


async def _declare(stage: "Stage", by: str, act: Mapping[str, Any]) -> None:
    await stage.act(by, "declare", conflict="no", ground="", statement=act.get("text", ""))


async def _recuse(stage: "Stage", by: str, act: Mapping[str, Any]) -> None:
    await stage.must(by, "declare", conflict="yes", ground=act["ground"], statement=act["text"].strip())


async def _grant(stage: "Stage", by: str, act: Mapping[str, Any]) -> None:
    await stage.must(by, "grant-recusal")
    stage.aside.add(act["seat"])
    await note(stage, by, act["text"])


async def _arrive(stage: "Stage", by: str, act: Mapping[str, Any]) -> None:
    stage.outside.discard(by)
    await stage.act(by, "arrive")
    await stage.act(by, "declare", conflict="no", ground="", statement="")
    await note(stage, by, act["text"])


async def _leave(stage: "Stage", by: str, act: Mapping[str, Any]) -> None:
    await note(stage, by, act.get("text", ""))
    stage.outside.add(by)
    await stage.act(by, "leave")


async def _disconnect(stage: "Stage", by: str, _act: Mapping[str, Any]) -> None:
    await stage.who(by).unfollow()


async def _reconnect(stage: "Stage", by: str, _act: Mapping[str, Any]) -> None:
    await stage.who(by).follow(stage.hearing_id)


async def _show(stage: "Stage", by: str, act: Mapping[str, Any]) -> None:
    number = act["exhibit"].removeprefix("E")
    forms = (await stage.who(by).get(stage.page)).named("show-exhibit")
    wanted = next((f for f in forms if f" {number} " in f" {' '.join(f.words.split())} "), None)
    if wanted is not None:
        await stage.who(by).send(wanted)


async def _raise(stage: "Stage", by: str, _act: Mapping[str, Any]) -> None:
    stage.speaking = by
    await _floor(stage, by, "question")


async def _ask(stage: "Stage", by: str, act: Mapping[str, Any]) -> None:
    form = (await stage.who(by).get(stage.page)).form("ask")
    if form is not None:
        asked_of = form.option("asked_of", stage.who(act["to"]).name)
        await stage.who(by).send(form, asked_of=asked_of, text=act["text"].strip())


async def _answer(stage: "Stage", by: str, act: Mapping[str, Any]) -> None:
    question = next(a for a in stage.fiction["script"] if a.get("id") == act["question"])
    start = question["text"].strip().splitlines()[0][:20]
    await stage.act(by, "answer", start, text=act["text"].strip())
    stage.speaking = ""
    if question["by"] != stage.chair and await stage.simulated(question["by"]):
        await stage.act(question["by"], "end-own-turn")


async def _chairs(stage: "Stage", by: str, act: Mapping[str, Any]) -> None:
    await stage.must(by, act["act"], **({"reason": act.get("text", "")} if act["act"] == "pause" else {}))


async def _write(stage: "Stage", _by: str, act: Mapping[str, Any]) -> None:
    await note(stage, "", act["text"])


DEEDS = {
    "speak": Label("speaks"),
    "point_of_order": Label("raises a point of order"),
    "ruling": Label("rules"),
    "declare": Label("declares interests"),
    "recuse": Label("asks for recusal"),
    "grant_recusal": Label("grants the recusal"),
    "arrive": Label("arrives"),
    "leave": Label("leaves"),
    "disconnect": Label("loses the connection"),
    "reconnect": Label("is connected again"),
    "show_exhibit": Label("shows an exhibit"),
    "raise_hand": Label("raises a hand"),
    "ask": Label("asks"),
    "answer": Label("answers"),
    "pause": Label("pauses the hearing"),
    "resume": Label("resumes the hearing"),
    "note": Label("adds to the minutes"),
}
ACTS = {
    "speak": _speak,
    "point_of_order": _speak,
    "ruling": _speak,
    "declare": _declare,
    "recuse": _recuse,
    "grant_recusal": _grant,
    "arrive": _arrive,
    "leave": _leave,
    "disconnect": _disconnect,
    "reconnect": _reconnect,
    "show_exhibit": _show,
    "raise_hand": _raise,
    "ask": _ask,
    "answer": _answer,
    "pause": _chairs,
    "resume": _chairs,
    "note": _write,
}
