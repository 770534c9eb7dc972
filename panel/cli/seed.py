"""The demo's world: the four cases of the seed report, filed by the areas' own actions, each text with its origin.

What the scripts make up (`[fiction]`, and texts whose `origin` is fiction) is labelled so wherever it is kept.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from panel.accounts import actions as accounts
from panel.accounts import passwords
from panel.accounts.models import Person
from panel.accounts.rules import NO_PASSWORD
from panel.cases import actions as cases
from panel.cases.models import Case, Track
from panel.committees import actions as committees
from panel.committees.models import Category
from panel.committees.rules import Member
from panel.core import security
from panel.core.errors import Label, Reason
from panel.core.i18n import DEFAULT_LOCALE, translator
from panel.core.pages import Site
from panel.core.security import Actor, Role
from panel.core.words import CATEGORIES, ROLES
from panel.hearings import actions as hearings
from panel.opinions import actions as opinions
from panel.rulebook import actions as rulebook_actions
from panel.rulebook import queries as rulebook
from panel.work import Work

DEMO_CASES = (1, 6, 7, 8)
PROJECTOR = "projector"
"""The projector is a screen: its script id, the key of its account and its login."""

ORIGINS = {
    "source": Label("told by the source"),
    "derived": Label("worded from the source"),
    "fiction": Label("fictional"),
}
REHEARSAL = "rehearsal."
"""Stands before the names to sign in with of a rehearsal's people."""

FULL_STOP = "\N{IDEOGRAPHIC FULL STOP}"  # zh: a full stop
APPROVER = Label("Deciding authority: approves departures")

WRITTEN_WITHIN = 60.0
"""Seconds in which one unit of work is durable, or something is wrong."""

Json = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class SeededPerson:
    """Somebody of a script: the account, and what they are in the case."""

    login: str
    name: str
    label: Reason


@dataclass(frozen=True)
class SeededCase:
    """A case that is ready for its hearing. `people`: script id (s1 .., secretary .., projector) -> who acts it."""

    number: int
    script: Json
    case_id: str
    hearing_id: str
    people: Mapping[str, SeededPerson]

    @property
    def title(self) -> dict[str, str]:
        """Return the title in both languages."""
        return {"zh_CN": self.script["case"]["title_zh"], "en": self.script["case"]["title_en"]}

    @property
    def logins(self) -> dict[str, str]:
        """Return the login of each id of the script."""
        return {key: person.login for key, person in self.people.items()}


@dataclass(frozen=True)
class Seeded:
    """The demo's cases by their number in the seed report."""

    cases: Mapping[int, SeededCase]


def script_of(number: int) -> Json:
    """Return the script of a demo case."""
    return rulebook.pack(f"demo/case_{number:02}")


def file_rehearsal(work: Work, number: int) -> SeededCase:
    """File one demo case for a rehearsal; nobody signs in to its accounts with a password."""
    script = script_of(number)
    people = _add_people(work, [script], NO_PASSWORD, of_rehearsal=True)
    return _file(work, script, people)


def seed(site: Site, password: str) -> Seeded:
    """Fill a fresh, migrated database with the demo's cases; everybody signs in with this one password."""
    scripts = {number: script_of(number) for number in DEMO_CASES}
    people = _written(site, _add_people, scripts=scripts.values(), password_hash=passwords.hashed(password))
    return Seeded({number: _written(site, _file, script=script, people=people) for number, script in scripts.items()})


def _written(site: Site, action: Callable[..., T], **what: Any) -> T:
    """Do this in one unit of work and wait until it is durable."""
    answer: T = site.writer.submit(partial(action, **what)).result(timeout=WRITTEN_WITHIN)
    return answer


def cast(script: Json) -> dict[str, Json]:
    """Return everybody of a script by id: seats in their order, the other people, the projector."""
    fiction = script["fiction"]
    projector = {"id": PROJECTOR, "person": PROJECTOR, "role": PROJECTOR}
    projector["name"] = chinese(Reason(ROLES[PROJECTOR]))
    return {someone["id"]: someone for someone in (*fiction["seats"], *fiction["people"], projector)}


def _add_people(
    work: Work, scripts: Iterable[Json], password_hash: str, *, of_rehearsal: bool = False
) -> dict[str, str]:
    """Make one account per person, whatever the number of cases they act in; returns person key -> id.

    In a rehearsal their names to sign in with get a mark before them: people of the installation may have the same.
    """
    mark = REHEARSAL if of_rehearsal else ""
    names = {someone["person"]: someone["name"] for script in scripts for someone in cast(script).values()}
    return {
        key: accounts.add_person(
            work, None, name=name, login=mark + key, password_hash=password_hash, fictional=True
        ).id
        for key, name in names.items()
    }  # fmt: skip


def _file(work: Work, script: Json, people: Mapping[str, str]) -> SeededCase:
    return _Filing(work, script, people).file()


class _Filing:
    """One case being filed, in one unit of work."""

    def __init__(self, work: Work, script: Json, people: Mapping[str, str]) -> None:
        self.work = work
        self.script = script
        self.fiction: Json = script["fiction"]
        self.cast = cast(script)
        self.people = {id: people[someone["person"]] for id, someone in self.cast.items()}

    def file(self) -> SeededCase:
        """File everything up to the day of the hearing."""
        case = self._open()
        self._assign(case)
        self._form_committee(case)
        self._file_dossier(case)
        secretary = self._actor("secretary")
        opinions.open_round(self.work, secretary, case_id=case.id, number=1)
        hearing = hearings.schedule(self.work, secretary, case_id=case.id, scheduled_at=self.work.now)
        people = {
            id: SeededPerson(self._login(id), someone["name"], label(someone)) for id, someone in self.cast.items()
        }
        return SeededCase(self.script["case"]["number"], self.script, case.id, hearing.id, people)

    def _open(self) -> Case:
        told, number = self.script["case"], self.script["case"]["number"]
        frozen = {
            name: rulebook_actions.load(self.work, None, name=pack).id
            for name, pack in (
                ("considerations_id", "six_considerations"),
                ("rules_id", "rules_of_procedure"),
                ("catalogue_id", f"catalogues/{self.fiction['authority']['catalogue']}"),
            )
        }
        return cases.open_case(
            self.work, None, number=chinese(Reason("Demo [%(year)s] No. %(n)s", year=self.work.now.year, n=number)),
            title=told["title_zh"], title_en=told["title_en"], official=told["official_zh"] or told["unit_zh"],
            official_post=told["post_zh"], place=told["place_zh"], matter=matter(self.script),
            track=Track(self.fiction["authority"]["track"]), sources=sources(self.script), fictional=True,
            demo_number=number, **frozen,
        )  # fmt: skip

    def _assign(self, case: Case) -> None:
        """Give everybody without a seat their duty: the secretary by the command line, the rest by the secretary."""
        actor = None
        duties = {id: someone["role"] for id, someone in self.cast.items() if "role" in someone}
        for id in sorted(duties, key=lambda id: id != "secretary"):
            role = Role(duties[id])
            cases.assign(self.work, actor, case_id=case.id, person_id=self.people[id], role=role)
            actor = actor or self._actor("secretary")

    def _form_committee(self, case: Case) -> None:
        members = [
            Member(
                self.people[seat["id"]], Category(seat["category"]), seat["unit_zh"], chair=seat.get("chair", False),
                alternate=seat.get("alternate", False),
            )
            for seat in self.fiction["seats"]
        ]  # fmt: skip
        name = chinese(Reason("Tolerance evaluation committee"))
        committees.form_committee(self.work, self._actor("secretary"), case_id=case.id, name=name, members=members)

    def _file_dossier(self, case: Case) -> None:
        handler = self._actor(self.fiction["verification"]["handlers"][0])
        for exhibit in self.script["evidence"]:
            cases.file_exhibit(
                self.work, handler, case_id=case.id, title=exhibit["title_zh"], text=exhibit["content_zh"].strip(),
                origin=self._origin(exhibit), fictional=exhibit["origin"] == "fiction",
            )  # fmt: skip
        questions = [fact["question_zh"] for fact in self.script["facts"]]
        cases.list_questions(self.work, self._actor("secretary"), case_id=case.id, texts=questions)
        self._file_verification(case, handler)

    def _origin(self, exhibit: Json) -> str:
        """Say where an exhibit's words come from, and what the source tells that it bears on."""
        origin = ORIGINS[exhibit["origin"]]
        told = exhibit["told_zh"].rstrip(FULL_STOP)
        return chinese(Reason("Content: %(origin)s. The source tells: %(told)s.", origin=Reason(origin), told=told))

    def _file_verification(self, case: Case, handler: Actor) -> None:
        report, analysis = self.script["verification"], dict[str, list[dict[str, str]]]()
        for pointer in self.script["pointers"]:
            point = {"leans": pointer["leans"], "text": labelled(pointer["text_zh"], pointer["origin"])}
            analysis.setdefault(pointer["consideration"], []).append(point)
        facts = [report["summary_zh"], *(f"{n}. {found}" for n, found in enumerate(report["found_zh"], start=1))]
        facts.append(labelled(report["flaw_zh"], report["origin"]))
        cases.file_verification(
            self.work, handler, case_id=case.id, facts="\n".join(facts), analysis=analysis,
            recommendation=self.fiction["verification"]["recommended"],
            reasons=labelled(self.fiction["verification"]["text_zh"], "fiction"),
        )  # fmt: skip

    def _login(self, id: str) -> str:
        return self.work.db.get_one(Person, self.people[id]).login

    def _actor(self, id: str) -> Actor:
        person_id = self.people[id]
        standings = security.standings_of(self.work.db, person_id)
        return Actor(person_id, self.cast[id]["name"], standings=standings)


def label(someone: Json) -> Reason:
    """Return what somebody of a script is in the case."""
    if "role" in someone:
        duty = APPROVER if someone["id"] == "approver" else ROLES[someone["role"]]
        return Reason(duty)
    name, number = CATEGORIES[someone["category"]], someone["id"].removeprefix("s")
    if someone.get("chair"):
        return Reason("Chair: %(category)s", category=Reason(name))
    return Reason("Member %(n)s: %(category)s", n=number, category=Reason(name))


def labelled(text: str | Reason, origin: str) -> str:
    """Return a text with its origin behind it."""
    name = ORIGINS[origin]
    return chinese(Reason("%(text)s (%(origin)s)", text=text, origin=Reason(name)))


def matter(script: Json) -> str:
    """Return what a case is about: background, the course of events, how it came in; each line with its origin."""
    told = script["case"]
    events = [
        labelled(Reason("%(when)s: %(what)s", when=event["when_zh"], what=event["what_zh"]), event["origin"])
        for event in script["timeline"]
    ]
    came_in = labelled(script["fiction"]["authority"]["opened_zh"], "fiction")
    return "\n".join([labelled(told["background_zh"], told["origin"]), *events, came_in])


def sources(script: Json) -> Sequence[str]:
    """Return a case's sources with place and address."""
    return [" ".join(filter(None, (s["title_zh"], s["locator_zh"], s["url"]))) for s in script["sources"]]


def chinese(reason: Reason) -> str:
    """Return a sentence as it is filed: the dossier is in Chinese."""
    return translator(DEFAULT_LOCALE).reason(reason)
