"""A fresh world for each test: a real database built by the migrations, the writer, the cast, one case."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from pydantic import SecretStr
from sqlmodel import Session, select
from starlette.applications import Starlette
from starlette.testclient import TestClient

from panel import app as root
from panel.accounts import queries as accounts
from panel.accounts.models import Appointment, Person, SignInSession
from panel.cases.events import CaseOpened
from panel.cases.models import Assignment, Case, Exhibit, FactualQuestion
from panel.committees.events import CommitteeFormed
from panel.committees.models import Committee, Seat
from panel.core import clock, security
from panel.core.config import Settings
from panel.core.db import writing_engine
from panel.core.pages import Site
from panel.core.schema import migrate
from panel.core.security import Actor
from panel.hearings.models import Hearing
from panel.record.models import RecordHead
from panel.rulebook import queries as rulebook
from panel.rulebook.models import RuleDocument
from panel.work import Work
from tests.people import ALTERNATE, CAST, OFFICERS, OTHERS, SEATED, STRANGER

T = TypeVar("T")
ORIGIN = "http://testserver"
FIRST_EVENTS = 2
"""Events on the record of a fresh world: the case was opened, the committee formed."""
SECRET = "a secret of the tests, longer than thirty-two characters"


def make_template(folder: Path) -> Path:
    """Build an empty database by the migrations, once per test session."""
    path = folder / "template.sqlite"
    engine = writing_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path


@dataclass
class World:
    """One installation with the cast in one case; `act` does what a person would do."""

    app: Starlette
    site: Site
    folder: Path
    people: dict[str, str] = field(default_factory=dict)
    seats: dict[str, str] = field(default_factory=dict)
    case_id: str = ""
    committee_id: str = ""
    hearing_id: str = ""
    served: bool = False

    def actor(self, key: str) -> Actor:
        """Return a person as an actor, standings fresh from the database."""
        with self.db() as db:
            person = db.get_one(Person, self.people[key])
            return Actor(
                person.id, person.name, session=key, standings=security.standings_of(db, person.id),
                offices=accounts.offices_of(db, person.id),
            )  # fmt: skip

    def act(self, action: Callable[..., T], who: str, /, **what: Any) -> T:
        """Run an action as this person through the writer, and wait until it is durable."""
        return self.work(lambda work: action(work, self.actor(who), **what))

    def work(self, act: Callable[[Work], T]) -> T:
        """Run something in a unit of work of its own."""
        answer: T = self.site.writer.submit(act).result(timeout=30)
        return answer

    @contextmanager
    def db(self) -> Iterator[Session]:
        """Open a reading session."""
        with Session(self.site.reading) as db:
            yield db

    def client(self, who: str | None = None) -> TestClient:
        """Return a browser-like client: signed in as this person, or nobody. Sends a same-origin header."""
        client = TestClient(self.app, base_url=ORIGIN, headers={"origin": ORIGIN, "sec-fetch-site": "same-origin"})
        if who is not None:
            client.cookies.set(self.site.settings.cookie, self.sign_in(who))
        return client

    def sign_in(self, who: str) -> str:
        """Make a session for this person and return the cookie's value."""
        reference = f"{who}-{clock.monotonic()}"
        now = clock.now()
        row = SignInSession(
            reference_sha256=sha256(reference.encode()).hexdigest(), person_id=self.people[who],
            created_at=now, seen_at=now, expires_at=now + timedelta(hours=12),
        )  # fmt: skip
        self.work(lambda work: work.add_unrecorded(row))
        return reference

    def token(self, client: TestClient, page: str) -> dict[str, str]:
        """Read the hidden fields (csrf, idem) of the first form on a page."""
        import re

        text = client.get(page).text
        return dict(re.findall(r'name="(csrf|idem)" value="([^"]*)"', text))

    def untouched(self) -> bool:
        """Say whether nothing has happened yet: no act, no sign-in, and no server that may do something by itself."""
        with self.db() as db:
            signed_in = db.exec(select(SignInSession.person_id)).first()
            fresh = not self.served and signed_in is None and db.get_bind().dialect.name == "sqlite"
            return fresh and db.get_one(RecordHead, 1).size == FIRST_EVENTS

    def kept(self, path: Path) -> "World":
        """Keep the database as it stands now in a file of its own; return who is who in it."""
        with closing(sqlite3.connect(self.folder / "panel.sqlite")) as live, closing(sqlite3.connect(path)) as copy:
            live.backup(copy)
        return replace(self, people=dict(self.people), seats=dict(self.seats))

    def become(self, other: "World", path: Path) -> None:
        """Go on from a database that `kept` has kept. Only an untouched world can: nobody has read from it yet."""
        self.site.reading.dispose()
        self.site.writer._engine.dispose()  # type: ignore[attr-defined]  # the writer's own
        for ending in ("-wal", "-shm"):
            (self.folder / f"panel.sqlite{ending}").unlink(missing_ok=True)
        shutil.copy(path, self.folder / "panel.sqlite")
        self.people.update(other.people)
        self.seats.update(other.seats)
        self.case_id, self.committee_id, self.hearing_id = other.case_id, other.committee_id, other.hearing_id

    def close(self) -> None:
        """Stop the writer, and let go of a server's connections."""
        self.site.writer.close()  # type: ignore[attr-defined]  # the writer itself
        if self.site.settings.database:
            self.site.reading.dispose()


def make_world(folder: Path, template: Path, **settings: Any) -> World:
    """Return a world on a copy of the template database."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(template, folder / "panel.sqlite")
    chosen = {
        "data": folder,
        "secret": SecretStr(SECRET),
        "origins": (ORIGIN,),
        "organisation": "某市评估委员会",
    }
    app = root.create_app(Settings(**{**chosen, **settings}))
    world = World(app, app.state.site, folder)
    world.work(lambda work: _people(work, world))
    world.work(lambda work: _case(work, world))
    return world


def _people(work: Work, world: World) -> None:
    for someone in (*CAST, STRANGER, *OFFICERS):
        person = Person(name=someone.name, login=someone.key, password_hash="unusable", fictional=True)
        world.people[someone.key] = work.add(person).id
    work.db.flush()
    for officer in OFFICERS:
        work.add(Appointment(person_id=world.people[officer.key], office=officer.office))


def _document(work: Work, key: str, kind: str) -> RuleDocument:
    body = rulebook.pack(key)
    return work.add(RuleDocument(key=key, kind=kind, version=1, body=body, body_sha256=rulebook.digest(body)))


def _case(work: Work, world: World) -> None:
    rules = _document(work, "rules_of_procedure", "procedure")
    considerations = _document(work, "six_considerations", "considerations")
    catalogue = _document(work, "catalogues/hubei_2022", "catalogue")
    work.db.flush()
    case = work.add(
        Case(
            number="容评〔2026〕1号", title="黄某水库闸门应急维修案", title_en="Reservoir gates", official="黄某",
            official_post="某市河流管理局局长", place="某市", matter="汛前发现水库溢洪道闸门漏水。",
            considerations_id=considerations.id, rules_id=rules.id, catalogue_id=catalogue.id,
            opened_at=work.now, fictional=True,
        )
    )  # fmt: skip
    work.db.flush()
    world.case_id = case.id
    work.record(
        CaseOpened(
            case_id=case.id, number=case.number, track=case.track.value, title=case.title, official=case.official,
            matter_sha256=sha256(case.matter.encode()).hexdigest(), considerations_sha256=considerations.body_sha256,
            rules_sha256=rules.body_sha256, catalogue_sha256=catalogue.body_sha256, fictional=True,
        )
    )  # fmt: skip
    _committee(work, world, case)
    for someone in OTHERS:
        work.add(Assignment(case_id=case.id, person_id=world.people[someone.key], role=someone.role))
    _dossier(work, world, case)
    hearing = Hearing(case_id=case.id, committee_id=world.committee_id, scheduled_at=work.now + timedelta(hours=1))
    world.hearing_id = work.add(hearing).id


def _committee(work: Work, world: World, case: Case) -> None:
    committee = work.add(Committee(case_id=case.id, name="容错减责评估委员会"))
    work.db.flush()
    world.committee_id = committee.id
    for number, someone in enumerate((*SEATED, ALTERNATE), start=1):
        assert someone.category is not None
        seat = Seat(
            committee_id=committee.id, case_id=case.id, person_id=world.people[someone.key], number=number,
            category=someone.category, unit=f"单位{number}", chair=number == 1, alternate=someone is ALTERNATE,
        )  # fmt: skip
        world.seats[someone.key] = work.add(seat).id
    seats = {s.category.value: sum(t.category is s.category for t in SEATED) for s in SEATED if s.category}
    work.record(CommitteeFormed(case_id=case.id, committee_id=committee.id, name=committee.name, seats=seats))


def _dossier(work: Work, world: World, case: Case) -> None:
    for number, title in enumerate(("巡检记录", "党委会会议记录"), start=1):
        text = f"{title}：某水库溢洪道闸门漏水。"
        digest = sha256(text.encode()).hexdigest()
        work.add(
            Exhibit(
                case_id=case.id, number=number, title=title, text=text, size=len(text.encode()), sha256=digest,
                fictional=True, filed_by=world.people["handler"],
            )
        )  # fmt: skip
    for number, text in enumerate(("闸门是否存在漏水隐患？", "黄某是否谋取私利？"), start=1):
        work.add(FactualQuestion(case_id=case.id, number=number, text=text))


def one(db: Session, model: type[T]) -> T:
    """Return the only row of a table."""
    return db.exec(select(model)).one()
