"""A table for people and simulations: a real demo with a short script, and people who act through its pages."""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlmodel import Session, select

from panel.cli.demo import Stage, counted, export, opened, staged
from panel.record.models import RecordEntry
from panel.rehearsal import stage as rehearsal
from panel.rehearsal.opinions import STEPS
from panel.rehearsal.pages import Page
from panel.rehearsal.participant import Participant, Refusal
from panel.rehearsal.stage import Waits

WITHIN = 600.0
"""Seconds for a whole hearing; nothing in a test waits longer."""

PAUSE = 0.3
"""Seconds after which a person looks at the page again."""

QUICK = Waits(seating=0, coming=30, floor=5, opinion=30, ballot=30, last_call=1, tick=0.05)

Plays = Callable[["Table"], Awaitable[None]]


@dataclass
class Table:
    """A demo that runs, its short script, and what its simulation says."""

    stage: Stage
    script: dict[str, Any]
    said: list[str] = field(default_factory=list)
    people: list["Human"] = field(default_factory=list)

    @property
    def live(self) -> str:
        """Return the path of the live page."""
        return f"/hearings/{self.stage.case.hearing_id}"

    def name(self, key: str) -> str:
        """Return the name of a seat or duty."""
        return self.stage.case.people[key].name

    async def sit(self, key: str) -> "Human":
        """Let a person take a place by its link on the start page."""
        human = Human(self, key)
        self.people.append(human)
        await human.get((await human.get("/demo")).links[human.login])
        return human

    async def give_back(self, key: str) -> None:
        """Press, on the start page, the button that gives a place back to the simulation."""
        passer_by = Human(self, "observer")
        page = await passer_by.get("/demo")
        login = self.stage.case.logins[key]
        await passer_by.send(next(form for form in page.named("give-back") if f"/{login}/" in form.action))
        await passer_by.close()

    async def told(self, words: str) -> None:
        """Wait until the simulation has said this."""
        while not any(words in line for line in self.said):
            await asyncio.sleep(0.05)

    def play(self, *parts: Plays, before: Plays | None = None, waits: Waits = QUICK) -> None:
        """Hold the hearing, while people play these parts; one of them may come `before` the simulation."""
        asyncio.run(self._play(parts, before, waits))

    async def _play(self, parts: tuple[Plays, ...], before: Plays | None, waits: Waits) -> None:
        case = self.stage.case
        if before is not None:
            await before(self)
        held = rehearsal.hold(
            self.stage.url, script=self.script, logins=case.logins, case_id=case.case_id, hearing_id=case.hearing_id,
            auto=False, say=self.said.append, pace=0.0, waits=waits,
        )  # fmt: skip
        try:
            async with asyncio.timeout(WITHIN):
                await asyncio.gather(held, *(part(self) for part in parts))
        finally:
            for human in self.people:
                await human.close()

    def came(self) -> dict[str, Any]:
        """Return what came of the hearing, as the demo counts it."""
        with Session(self.stage.site.reading) as db:
            return counted(db, self.stage.case.case_id)

    def happened(self) -> Counter[str]:
        """Return how often each kind of event is on the record, whose bundle holds."""
        assert export(self.stage)[1].holds
        return Counter(self.rows(select(RecordEntry.kind)))

    def rows(self, asked: Any) -> list[Any]:
        """Return what the database answers."""
        with Session(self.stage.site.reading) as db:
            return list(db.exec(asked).all())


class Human(Participant):
    """A person: reads pages and sends the forms that are on them, without a socket."""

    def __init__(self, table: Table, key: str) -> None:
        super().__init__(table.stage.url, key, table.name(key), table.stage.case.logins[key])
        self.live, self.given = table.live, 0

    async def press(self, page: Page, name: str, **values: str | list[str]) -> bool:
        """Send a form if the page has it; a refusal is read, as a person reads it."""
        form = page.form(name)
        if form is None:
            return False
        try:
            await self.send(form, **values)
        except Refusal:
            await asyncio.sleep(0.2)
        return True

    async def do(self, name: str, **values: str | list[str]) -> None:
        """Wait for a form on the live page, and send it."""
        while (form := (await self.get(self.live)).form(name)) is None:
            await asyncio.sleep(PAUSE)
        await self.send(form, **values)

    async def come(self) -> None:
        """Come in, and declare that there is no ground for recusal."""
        while (await self.get(self.live)).phase == "scheduled":
            await asyncio.sleep(PAUSE)
        await self.do("arrive")
        await self.do("declare", conflict="no", ground="", statement="")

    async def opine(self, outcome: str) -> None:
        """Wait for the second round, fill in the sheet that the live page leads to, step by step, and give it."""
        while (page := await self.get(self.live)).phase != "opinions":
            await asyncio.sleep(PAUSE)
        found = re.search(r'href="(/rounds/[0-9a-f]{32}/opinion)["?]', page.html)
        assert found is not None
        for step in STEPS:
            page = await self.get(f"{found[1]}?step={step}")
            assert await self.press(page, "opinion-step", value="4", reason="So I see it.")
        overall = {"recommendation": outcome, "reasons": "So I see it.", "change": "None."}
        assert await self.press(await self.get(f"{found[1]}?step=overall"), "opinion-step", **overall)
        assert await self.press(await self.get(f"{found[1]}/check"), "submit-opinion")

    async def ballot(self, motion: str, *choices: str) -> bool:
        """Cast a ballot for the first of these choices that is offered; False where there is none to cast."""
        form = (await self.get(f"/motions/{motion}/ballot")).form("cast-ballot")
        if form is None:
            return False
        offered = [option for _, option in form.options["choice"]]
        choice = next(choice for choice in choices if choice in offered)
        await self.send(
            form,
            choice=form.option("choice", choice),
            **({"reason": "So I see it."} if "established" in offered else {}),
        )
        return True


@contextmanager
def laid(folder: Path, number: int) -> Iterator[Table]:
    """Serve a case with a script that has no more acts than a hearing needs: one round of opinions, a few speeches."""
    with opened(0, lan=False) as listening, staged(folder, listening, number, lan=False) as made:
        script = deepcopy(made.case.script)
        fiction = script["fiction"]
        fiction["attendance"]["late"] = []
        fiction["script"] = [
            act for act in fiction["script"] if act["stage"] == "presentation" and act["act"] == "speak"
        ]
        fiction["opinions"] = [{**opinion, "round": 2} for opinion in fiction["opinions"] if opinion["round"] == 1]
        yield Table(made, script)
