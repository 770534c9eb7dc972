"""The cast on the stage: who is simulated at this moment, what they see, and the forms that they send."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import socketio.exceptions

from panel.core import clock
from panel.core.i18n import DEFAULT_LOCALE, Translator, translator
from panel.rehearsal.pages import Page
from panel.rehearsal.participant import Displaced, Participant, Refusal, Stuck

STEP_SECONDS = 60.0
"""How long a simulated participant waits for another one."""

LOOKS = 0.3
"""Seconds between two questions about who has sat down."""

AMISS = (Refusal, Stuck, LookupError, aiohttp.ClientError, socketio.exceptions.SocketIOError, TimeoutError)
"""What can come between a simulated participant and their act."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Waits:
    """For how many seconds the simulation waits for a person, and how often it looks (`tick`)."""

    seating: float = 60.0
    coming: float = 180.0
    floor: float = 240.0
    opinion: float = 900.0
    ballot: float = 180.0
    last_call: float = 60.0
    tick: float = 1.0


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
    waits: Waits = field(default_factory=Waits)
    cast: dict[str, Participant] = field(default_factory=dict)
    pace: float = 0.0
    aside: set[str] = field(default_factory=set)
    outside: set[str] = field(default_factory=set)
    entered: set[str] = field(default_factory=set)
    voted: set[tuple[str, str]] = field(default_factory=set)
    ballots: Counter[str] = field(default_factory=Counter)
    motion_of: dict[str, str] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    carried: str = ""
    speaking: str = ""
    tend: Callable[[], Awaitable[None]] | None = None
    waiting: dict[tuple[str, ...], float] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    _: Translator = field(default_factory=lambda: translator(DEFAULT_LOCALE))
    _doors: dict[str, str] = field(default_factory=dict)
    _taken: frozenset[str] = frozenset()
    _asked_at: float = float("-inf")
    _phase: str = "scheduled"

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

    def number(self, key: str) -> int:
        """Return a seat's number."""
        return [seat["id"] for seat in self.fiction["seats"]].index(key) + 1

    def who(self, key: str) -> Participant:
        """Return a participant."""
        return self.cast[key]

    async def simulated(self, key: str) -> bool:
        """Say whether nobody has taken this place, and take it then; a person who takes it ends its simulation."""
        if self.auto and key in self.entered:
            return True
        if await self._taken_by_a_person(key):
            self.step_back(key)
        elif key not in self.entered:
            await self._enter(key)
        return key in self.entered

    async def people(self) -> list[str]:
        """Return the seats that people have taken."""
        return [key for key in self.seats if not await self.simulated(key)]

    def step_back(self, key: str) -> None:
        """Leave a place to the person who has taken it."""
        if key in self.entered:
            self.entered.discard(key)
            self.say(self._("A person takes the place of %(name)s", name=self.who(key).name or key))

    async def _enter(self, key: str) -> None:
        """Take a place; where somebody sat down in this moment, leave it to them."""
        participant = self.who(key)
        await participant.unfollow()
        if not self._doors:
            self._doors = (await participant.get("/demo")).links
        try:
            await participant.enter(self._doors[participant.login].rsplit("/", 1)[-1])
            await participant.follow(self.hearing_id)
        except (Refusal, socketio.exceptions.SocketIOError):
            if self.auto:
                raise
            return
        self.entered.add(key)
        if self.tend is not None:
            self.say(self._("The simulation takes the place of %(name)s", name=participant.name or key))

    async def _taken_by_a_person(self, key: str) -> bool:
        """Ask who has sat down, a few times a second at most."""
        if self.auto:
            return False
        if clock.monotonic() - self._asked_at > LOOKS:
            seats = await self.cast["projector"].json("/demo/seats.json")
            self._taken = frozenset(login for login, seat in seats.items() if seat["taken"])
            self._asked_at = clock.monotonic()
        return self.cast[key].login in self._taken

    async def inside(self) -> Participant:
        """Return a simulated participant who stays in closed session; raises Stuck where people have all places."""
        for key in ("recorder", "secretary", *self.seats):
            if key in self.cast and await self.simulated(key):
                return self.who(key)
        raise Stuck("no simulated participant is left in the room")

    async def watcher(self) -> Participant:
        """Return a simulated member, the chair last: through their eyes the script looks at a vote."""
        for seat in (*(s for s in self.seats if s != self.chair), self.chair):
            if await self.simulated(seat):
                return self.who(seat)
        raise Stuck("no simulated member is left")

    async def phase(self) -> str:
        """Return where the hearing stands; asked inside, for to those outside the closed session is one recess."""
        try:
            self._phase = (await (await self.inside()).get(self.page)).phase or self._phase
        except AMISS as problem:
            self._missed(problem)
        return self._phase

    async def breathe(self, text: str = "") -> None:
        """Let people follow: a pause that grows with what was said."""
        if self.pace:
            await asyncio.sleep(self.pace * (1 + min(len(text) / 60, 4)))

    async def act(self, key: str, form: str, words: str = "", **values: str | list[str]) -> bool:
        """Let a participant fill and send a form of the live page; False where the form is not there."""
        found = (await self.who(key).get(self.page)).form(form, words)
        if found is None:
            return False
        await self.who(key).send(found, **values)
        return True

    async def must(self, key: str, form: str, words: str = "", **values: str | list[str]) -> None:
        """Like `act`, but the form has to come."""
        page = await self.until(key, lambda p: p.form(form, words), STEP_SECONDS if self.auto else self.waits.tick)
        if page is None:
            raise Stuck(f"{self.who(key).name} finds no form {form!r} {words!r} in the phase {await self.phase()}")
        found = page.form(form, words)
        assert found is not None
        await self.who(key).send(found, **values)

    async def until(self, key: str, there: Callable[[Page], Any], seconds: float, path: str = "") -> Page | None:
        """Let a participant read a page until something is there, while the others do what they owe; None: too late."""
        path = path or self.page
        if self.tend is None:
            return await self.who(key).until(path, there, seconds)
        deadline = clock.monotonic() + seconds
        while (page := await self.who(key).until(path, there, self.waits.tick)) is None:
            if clock.monotonic() >= deadline:
                return None
            await self.tend()
        return page

    async def attempt(self, doing: Awaitable[object]) -> None:
        """Do this; what cannot be done ends an unattended hearing, while among people the script goes on without it."""
        try:
            await doing
        except AMISS as problem:
            if self.auto:
                raise
            self._missed(problem)

    def _missed(self, problem: BaseException) -> None:
        """Say what did not go, once; that a person took the place in this moment is no problem."""
        if isinstance(problem, Displaced):
            self.step_back(problem.key)
            self._asked_at = float("-inf")
        else:
            self.once(str(problem) or type(problem).__name__)

    def once(self, words: str) -> None:
        """Say something that is said once."""
        if words not in self.told:
            self.told.add(words)
            self.say(words)

    def waits_for(self, what: tuple[str, ...], words: str, seconds: float) -> bool:
        """Say what is waited for, and for how long at most; False from when that time is over."""
        if seconds <= 0:
            return False
        if what not in self.waiting:
            self.waiting[what] = clock.monotonic()
            self.say(self._("Waiting for at most %(n)s seconds: %(what)s", n=round(seconds), what=words))
        if clock.monotonic() < self.waiting[what] + seconds:
            return True
        self.goes_on_without(words)
        return False

    def goes_on_without(self, words: str) -> None:
        """Say that something is not waited for any more."""
        self.once(self._("Going on without: %(what)s", what=words))
