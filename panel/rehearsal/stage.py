"""Holding a hearing by its script: who acts next, and what they wait for. Outcomes are never read from the script."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from panel.core import clock, words
from panel.core.errors import Label
from panel.core.i18n import DEFAULT_LOCALE, Translator, translator
from panel.rehearsal import ending, opinions, voting
from panel.rehearsal.pages import Page
from panel.rehearsal.participant import Participant, Refusal, Stuck

ORDER = (
    "scheduled", "opening", "presentation", "explanation", "questions", "recess", "deliberation", "opinions",
    "motions", "closing_statement", "summing_up", "ended",
)  # fmt: skip
STEP_SECONDS = 60.0
"""How long a simulated participant waits for another one."""
PERSON_SECONDS = 3600.0
"""How long the script waits for a person."""
TURN_SECONDS = 240.0
"""How long the simulated chair leaves the floor to a person."""
WHOLE_SECONDS = 540.0
"""After this long an unattended hearing has failed."""

Say = Callable[[str], None]


@dataclass
class Stage:
    """The cast on a stage: participants by their id in the script."""

    base: str
    fiction: Mapping[str, Any]
    script: Mapping[str, Any]
    hearing_id: str
    case_id: str
    auto: bool
    say: Say
    cast: dict[str, Participant] = field(default_factory=dict)
    pace: float = 0.0
    aside: set[str] = field(default_factory=set)
    motion_of: dict[str, str] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    carried: str = ""
    dissents: list[str] = field(default_factory=list)
    _: Translator = field(default_factory=lambda: translator(DEFAULT_LOCALE))
    _taken: tuple[float, frozenset[str]] = (0.0, frozenset())
    _refused: str = ""

    @property
    def patience(self) -> float:
        """Return for how long something is waited for that a person may have to do."""
        return STEP_SECONDS if self.auto else PERSON_SECONDS

    @property
    def page(self) -> str:
        """Return the path of the live page."""
        return f"/hearings/{self.hearing_id}"

    @property
    def chair(self) -> str:
        """Return the id of the chair's seat."""
        return str(next(seat["id"] for seat in self.fiction["seats"] if seat.get("chair")))

    @property
    def seats(self) -> list[str]:
        """Return the ids of the seats that sit, in order."""
        absent = self.fiction["attendance"]["absent"]
        return [s["id"] for s in self.fiction["seats"] if s["id"] not in self.aside and s["id"] not in absent]

    def who(self, key: str) -> Participant:
        """Return a participant."""
        return self.cast[key]

    async def simulated(self, key: str) -> bool:
        """Say whether nobody has taken this seat; asked of the server at most once a second."""
        if self.auto:
            return True
        at, taken = self._taken
        if clock.monotonic() - at > 1:
            seats = await self.cast["projector"].json("/demo/seats.json")
            taken = frozenset(login for login, seat in seats.items() if seat["taken"])
            self._taken = (clock.monotonic(), taken)
        return self.cast[key].login not in taken

    async def watcher(self) -> Participant:
        """Return a simulated member other than the chair, through whose eyes the script looks into closed session."""
        for seat in self.seats:
            if seat != self.chair and await self.simulated(seat):
                return self.who(seat)
        raise Stuck("no simulated member is left")

    async def breathe(self, text: str = "") -> None:
        """Let people follow: a pause that grows with what was said."""
        if self.pace:
            await asyncio.sleep(self.pace * (1 + min(len(text) / 60, 4)))

    async def phase(self) -> str:
        """Return where the hearing stands; asked inside, for to those outside the closed session is one recess."""
        return (await self.cast["secretary"].get(self.page)).first("data-phase")

    async def act(self, key: str, form: str, words: str = "", **values: str | list[str]) -> bool:
        """Let a participant fill and send a form of the live page; False where the form is not there."""
        found = (await self.who(key).get(self.page)).form(form, words)
        if found is None:
            return False
        await self.who(key).send(found, **values)
        return True

    async def must(self, key: str, form: str, words: str = "", **values: str | list[str]) -> None:
        """Like `act`, but the form has to come."""
        page = await self.who(key).until(self.page, lambda p: p.form(form, words), STEP_SECONDS)
        if page is None:
            raise Stuck(f"{self.who(key).name} finds no form {form!r} {words!r} in the phase {await self.phase()}")
        found = page.form(form, words)
        assert found is not None
        await self.who(key).send(found, **values)

    async def attempt(self, doing: Awaitable[object]) -> None:
        """Do this; what cannot be done ends an unattended hearing, while among people the script goes on without it."""
        try:
            await doing
        except (Refusal, Stuck, LookupError) as problem:
            if self.auto:
                raise
            self.complain(str(problem))

    def complain(self, problem: str) -> None:
        """Say what did not go, once."""
        if problem != self._refused:
            self.say(problem)
        self._refused = problem

    async def reach(self, phase: str) -> None:
        """Bring the hearing to a phase: the simulated chair presses, a person is waited for."""
        deadline = clock.monotonic() + PERSON_SECONDS
        while ORDER.index(await self.phase()) < ORDER.index(phase):
            if await self.simulated(self.chair):
                await self._press()
            else:
                await asyncio.sleep(1)
            if clock.monotonic() > deadline:
                raise Stuck(f"the hearing did not reach {phase}")

    async def _press(self) -> None:
        if self.auto:
            return await self.must(self.chair, "next-step")
        await self._hear_people()
        await self.attempt(self.must(self.chair, "next-step"))
        await asyncio.sleep(1)

    async def _hear_people(self) -> None:
        """Let the simulated chair call up every hand that is still raised, before the hearing goes on."""
        while (page := await self.who(self.chair).get(self.page)).form("give-floor"):
            give, ended = page.form("give-floor"), page.form("end-turn")
            await self.who(self.chair).send(ended or give)  # type: ignore[arg-type]  # the loop asked for it
            await self.who(self.chair).until(self.page, lambda p: not p.form("end-turn"), TURN_SECONDS)


async def hold(
    base_url: str, *, script: Mapping[str, Any], logins: Mapping[str, str], hearing_id: str, case_id: str,
    auto: bool, say: Say, pace: float = 2.5,
) -> Stage:  # fmt: skip
    """Hold a hearing from the first opinions to the published summary. Raises Refusal or Stuck where it cannot go on.

    `script` is a demo case (rulepacks/demo), `logins` the account of each of its people and of the `projector`; with
    people at the table, `pace` is the least pause between two acts, in seconds.
    """
    fiction = script["fiction"]
    stage = Stage(base_url, fiction, script, hearing_id, case_id, auto, say, pace=0.0 if auto else pace)
    names = {one["id"]: one["name"] for one in (*fiction["seats"], *fiction["people"])} | {"projector": ""}
    try:
        for key, login in logins.items():
            if key in names:
                stage.cast[key] = Participant(base_url, key, names[key], login)
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
    doors = (await next(iter(stage.cast.values())).get("/demo")).links
    for participant in stage.cast.values():
        await participant.enter(doors[participant.login].rsplit("/", 1)[-1])
        await participant.follow(stage.hearing_id)
    stage.say(stage._("%(n)s simulated participants are in their places", n=len(stage.cast)))


async def _play(stage: Stage) -> None:
    await opinions.give(stage, 1)
    for phase in ORDER[1:]:
        await stage.reach(phase)
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


async def _stage_of(stage: Stage, phase: str) -> None:
    """Play the acts of one stage; what a person in the chair did not wait for is left out."""
    for act in stage.fiction["script"]:
        if act["stage"] == phase and (stage.auto or await stage.phase() == phase):
            await stage.attempt(_perform(stage, act))


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


async def _perform(stage: Stage, act: Mapping[str, Any]) -> None:
    """Play one act, if its seat is simulated; a person plays their own part."""
    by = act.get("by", "recorder")
    if by in stage.aside or not await stage.simulated(by):
        return
    deed = DEEDS[act["act"]]
    stage.say(" · ".join([stage.who(by).name, stage._(deed), *act.get("text", "").split()][:3])[:100])
    await ACTS[act["act"]](stage, by, act)
    await stage.breathe(act.get("text", ""))


async def _note(stage: Stage, speaker: str, text: str) -> None:
    """Let the recorder write down what was said."""
    if not await stage.simulated("recorder"):
        return
    form = (await stage.who("recorder").get(stage.page)).form("note")
    if form is not None:
        value = form.option("speaker", stage.who(speaker).name) if speaker else ""
        await stage.who("recorder").send(form, speaker=value, text=text.strip())


async def _floor(stage: Stage, by: str, kind: str) -> bool:
    """Ask for the floor and wait until the chair gives it; the chair needs none. False where it was not given."""
    if by == stage.chair or not await stage.act(by, f"raise-hand-{kind}"):
        return by == stage.chair
    if await stage.simulated(stage.chair):
        await stage.must(stage.chair, "give-floor")
    told = (await stage.who(by).get(stage.page)).first("data-phase")

    def called(page: Page) -> bool:
        return page.form("end-own-turn") is not None or page.first("data-phase") != told

    page = await stage.who(by).until(stage.page, called, STEP_SECONDS if stage.auto else TURN_SECONDS)
    return page is not None and page.form("end-own-turn") is not None


async def _speak(stage: Stage, by: str, act: Mapping[str, Any]) -> None:
    kind = "point_of_order" if act["act"] == "point_of_order" else "speech"
    if not await _floor(stage, by, kind):
        raise Stuck(stage._("%(name)s did not get the floor", name=stage.who(by).name))
    await stage.breathe(act["text"])
    await _note(stage, by, act["text"])
    if by != stage.chair:
        await stage.act(by, "end-own-turn")


async def _declare(stage: Stage, by: str, act: Mapping[str, Any]) -> None:
    await stage.act(by, "declare", conflict="no", ground="", statement=act.get("text", ""))


async def _recuse(stage: Stage, by: str, act: Mapping[str, Any]) -> None:
    await stage.must(by, "declare", conflict="yes", ground=act["ground"], statement=act["text"].strip())


async def _grant(stage: Stage, by: str, act: Mapping[str, Any]) -> None:
    await stage.must(by, "grant-recusal")
    stage.aside.add(act["seat"])
    await _note(stage, by, act["text"])


async def _arrive(stage: Stage, by: str, act: Mapping[str, Any]) -> None:
    await stage.act(by, "arrive")
    await stage.act(by, "declare", conflict="no", ground="", statement="")
    await _note(stage, by, act["text"])


async def _leave(stage: Stage, by: str, act: Mapping[str, Any]) -> None:
    await _note(stage, by, act.get("text", ""))
    await stage.act(by, "leave")


async def _disconnect(stage: Stage, by: str, _act: Mapping[str, Any]) -> None:
    await stage.who(by).unfollow()


async def _reconnect(stage: Stage, by: str, _act: Mapping[str, Any]) -> None:
    await stage.who(by).follow(stage.hearing_id)


async def _show(stage: Stage, by: str, act: Mapping[str, Any]) -> None:
    number = act["exhibit"].removeprefix("E")
    forms = (await stage.who(by).get(stage.page)).named("show-exhibit")
    wanted = next((f for f in forms if f" {number} " in f" {' '.join(f.words.split())} "), None)
    if wanted is not None:
        await stage.who(by).send(wanted)


async def _raise(stage: Stage, by: str, _act: Mapping[str, Any]) -> None:
    await _floor(stage, by, "question")


async def _ask(stage: Stage, by: str, act: Mapping[str, Any]) -> None:
    form = (await stage.who(by).get(stage.page)).form("ask")
    if form is not None:
        asked_of = form.option("asked_of", stage.who(act["to"]).name)
        await stage.who(by).send(form, asked_of=asked_of, text=act["text"].strip())


async def _answer(stage: Stage, by: str, act: Mapping[str, Any]) -> None:
    question = next(a for a in stage.fiction["script"] if a.get("id") == act["question"])
    start = question["text"].strip().splitlines()[0][:20]
    await stage.act(by, "answer", start, text=act["text"].strip())
    await stage.act(question["by"], "end-own-turn") if question["by"] != stage.chair else None


async def _chairs(stage: Stage, by: str, act: Mapping[str, Any]) -> None:
    await stage.must(by, act["act"], **({"reason": act.get("text", "")} if act["act"] == "pause" else {}))


async def _write(stage: Stage, _by: str, act: Mapping[str, Any]) -> None:
    await _note(stage, "", act["text"])


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
