"""Benchmarks: each prints JSON with its baseline, measured in the same run."""

import json
import logging
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from pydantic import SecretStr

from panel.accounts import actions as accounts
from panel.accounts.models import SignInSession
from panel.app import create_app
from panel.bench import live as live_bench
from panel.bench import measure
from panel.bench import record as record_bench
from panel.bench import votes as votes_bench
from panel.bench.place import Place, placed
from panel.cases import actions as cases
from panel.cli.seed import seed
from panel.committees import actions as committees
from panel.committees import queries as seats
from panel.committees.models import Category, Seat
from panel.core import clock, log, security
from panel.core.config import Settings
from panel.core.db import snapshot, writing_engine
from panel.core.pages import Site
from panel.core.schema import migrate
from panel.core.security import Actor, Role
from panel.hearings import actions as hearings
from panel.hearings.models import Hearing, Phase
from panel.record.checkpoint import key_at
from panel.votes import actions as votes_actions
from panel.work import Work

bench = typer.Typer(no_args_is_help=True, help="Measure, each beside a baseline in the same run.")

CASE = 6

Processes = Annotated[int, typer.Option(min=1, help="Server processes; more than one wants a database and Redis.")]
Database = Annotated[
    str, typer.Option(help="A PostgreSQL server, by the URL of a database whose role may make others; empty: SQLite.")
]
Redis = Annotated[str, typer.Option(help="URL of Redis or Valkey, for several processes.")]


@bench.command("live")
def live(
    viewers: Annotated[int, typer.Option(help="Signed-in clients that follow the hearing.")] = 100,
    changes: Annotated[int, typer.Option(help="How often the chair gives the floor.")] = 30,
    processes: Processes = 1,
    database: Database = "",
    redis: Redis = "",
    file: Annotated[Path | None, typer.Option("--json", help="Write the result here too.")] = None,
) -> None:
    """Measure how soon the last client holds the new fragment."""
    with (
        _place(processes, database, redis) as place,
        tempfile.TemporaryDirectory(prefix="heyi-bench-") as folder,
    ):
        outcome = live_bench.run(prepare_live, Path(folder), place, viewers=viewers, changes=changes)
    measure.write(outcome, file)


@bench.command("votes")
def votes(
    members: Annotated[int, typer.Option(help="Members of the committee, beside its chair.")] = 100,
    voters: Annotated[int, typer.Option(help="How many of them vote at the same instant.")] = 100,
    sockets: Annotated[
        bool, typer.Option("--sockets", help="Each voter also holds a live socket and follows updates.")
    ] = False,
    rounds: Annotated[int, typer.Option(help="Motions that are voted on.")] = 10,
    processes: Processes = 1,
    database: Database = "",
    redis: Redis = "",
    file: Annotated[Path | None, typer.Option("--json", help="Write the result here too.")] = None,
) -> None:
    """Measure how many ballots are acknowledged a second, each when it is durable."""
    if not 0 < voters <= members:
        raise typer.BadParameter("at least one, at most as many as there are members", param_hint="--voters")
    with (
        _place(processes, database, redis) as place,
        tempfile.TemporaryDirectory(prefix="heyi-bench-") as folder,
    ):
        outcome = votes_bench.run(
            prepare_votes, Path(folder), place, members=members, voters=voters, rounds=rounds, sockets=sockets
        )
    measure.write(outcome, file)


@bench.command("record")
def record(
    sizes: Annotated[str, typer.Option(help="Numbers of entries at which to measure.")] = "1000,100000,1000000",
    file: Annotated[Path | None, typer.Option("--json", help="Write the result here too.")] = None,
) -> None:
    """Measure what appending, proving and verifying cost as the record grows."""
    if not all(size.strip().isdecimal() for size in sizes.split(",")):
        raise typer.BadParameter("whole numbers with commas between them", param_hint="--sizes")
    log.configure(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="heyi-bench-") as folder:
        outcome = record_bench.run(Path(folder), [int(size) for size in sizes.split(",")])
    measure.write(outcome, file)


@contextmanager
def _place(processes: int, database: str, redis: str) -> Iterator[Place]:
    """Make the place that the options ask for; what does not fit together is told."""
    if processes > 1 and not (database and redis):
        raise typer.BadParameter("several processes need --database and --redis", param_hint="--processes")
    if redis and not database:
        raise typer.BadParameter("it is for several processes, and those need --database", param_hint="--redis")
    if database and not database.startswith("postgresql"):
        raise typer.BadParameter("this is no URL of PostgreSQL", param_hint="--database")
    try:
        with placed(processes, database, redis) as place:
            yield place
    except psycopg.Error as problem:
        raise typer.BadParameter(f"the database cannot be used: {problem}", param_hint="--database") from None


def prepare_live(folder: Path, place: Place, viewers: int) -> live_bench.Prepared:
    """Make an installation whose hearing of case 6 is in session, followed by so many signed-in observers."""
    site, environment = _installed(folder, place)
    seeded = seed(site, secrets.token_urlsafe(24)).cases[CASE]
    speakers = _open(site, seeded.case_id, seeded.hearing_id)
    cookies = _observers(site, seeded.case_id, viewers)
    chair = _signed_in(site, _chair(site, seeded.case_id).person_id)
    _leave(site)
    name = site.settings.cookie
    return live_bench.Prepared(
        environment=environment,
        hearing_id=seeded.hearing_id,
        chair=f"{name}={chair}",
        viewers=[f"{name}={cookie}" for cookie in cookies],
        speakers=speakers,
    )


def prepare_votes(folder: Path, place: Place, members: int, voters: int, motions: int) -> votes_bench.Prepared:
    """Make an installation whose committee of so many members sits at its votes, with these motions on the list.

    A committee of hundreds is no rule of procedure's; it is seated past the rule, as signing in goes past the page.
    """
    site, environment = _installed(folder, place)
    seeded = seed(site, secrets.token_urlsafe(24)).cases[CASE]
    chair = _chair(site, seeded.case_id)
    seated = site.writer.submit(lambda work: _seat_members(work, seeded.case_id, members)).result()
    _open(site, seeded.case_id, seeded.hearing_id)
    listed = site.writer.submit(lambda work: _list_motions(work, chair, seeded.hearing_id, motions)).result()
    name = site.settings.cookie
    cookies = [f"{name}={_signed_in(site, person_id)}" for person_id in seated[:voters]]
    led = f"{name}={_signed_in(site, chair.person_id)}"
    _leave(site)
    return votes_bench.Prepared(
        environment=environment, database=site.settings.database_url, hearing_id=seeded.hearing_id, chair=led,
        voters=cookies, motions=listed,
    )  # fmt: skip


def _seat_members(work: Work, case_id: str, members: int) -> list[str]:
    """Add seats until the committee has so many members beside its chair; return the ids of the people."""
    committee = seats.committee_of(work.db, case_id)
    assert committee is not None
    every = seats.all_seats(work.db, case_id)
    sitting = [seat.person_id for seat in every if not seat.chair and not seat.alternate]
    for number in range(len(every) + 1, len(every) + 1 + members - len(sitting)):
        person = accounts.add_person(
            work, None, name=f"Member {number}", login=f"member-{number}", password_hash="!", fictional=True
        )
        seat = Seat(
            committee_id=committee.id, case_id=case_id, person_id=person.id, number=number, category=Category.EXPERT
        )
        sitting.append(work.add(seat).person_id)
    return sitting[:members]


def _list_motions(work: Work, chair: Actor, hearing_id: str, motions: int) -> list[str]:
    """Let the hearing be at its votes, and put so many questions of fact on the list."""
    work.db.get_one(Hearing, hearing_id).phase = Phase.MOTIONS
    put = {"hearing_id": hearing_id, "kind": "fact"}
    return [votes_actions.move(work, chair, question=f"Question {n}", **put).id for n in range(motions)]


def _installed(folder: Path, place: Place) -> tuple[Site, dict[str, str]]:
    """Make an empty installation; return it with the environment in which it is served."""
    log.configure(logging.WARNING)
    secret = secrets.token_urlsafe(48)
    origins = [f"http://127.0.0.1:{port}" for port in place.ports]
    settings = Settings(
        secret=SecretStr(secret), data=folder, port=place.port(0), origins=tuple(origins), database=place.database
    )
    engine = writing_engine(settings.database_url)
    migrate(engine)
    engine.dispose()
    key_at(settings.record_key)
    environment = {
        **os.environ, "PANEL_SECRET": secret, "PANEL_DATA": str(folder), "PANEL_ORIGINS": json.dumps(origins),
        "PANEL_DATABASE": place.database, "PANEL_REDIS": place.redis, "PANEL_LOG_FOLDER": str(folder / "logs"),
    }  # fmt: skip
    return create_app(settings).state.site, environment


def _leave(site: Site) -> None:
    """Let go of the database: the servers have it from now on."""
    site.writer.close()  # type: ignore[attr-defined]  # the writer itself, not the edge's view of it
    site.reading.dispose()


def _actor(site: Site, person_id: str) -> Actor:
    with snapshot(site.reading) as db:
        return Actor(person_id, "", standings=security.standings_of(db, person_id))


def _chair(site: Site, case_id: str) -> Actor:
    with snapshot(site.reading) as db:
        chair = seats.chair(db, case_id)
    assert chair is not None
    return _actor(site, chair.person_id)


def _open(site: Site, case_id: str, hearing_id: str) -> list[str]:
    """Let everybody come in and open the hearing; return the members' person ids."""
    chair = _chair(site, case_id)
    with snapshot(site.reading) as db:
        every = [(seat.id, seat.person_id) for seat in seats.seats(db, case_id)]

    def step(work: Work, phase: str) -> None:
        hearings.next_step(work, chair, hearing_id=hearing_id, phase=phase)

    def come(work: Work) -> None:
        for seat_id, person_id in every:
            member = _actor(site, person_id)
            committees.arrive(work, member, hearing_id=hearing_id)
            committees.declare(work, member, seat_id=seat_id, conflict=False)

    for act in (lambda work: step(work, "scheduled"), come, lambda work: step(work, "opening")):
        site.writer.submit(act).result()
    return [person_id for _, person_id in every]


def _observers(site: Site, case_id: str, viewers: int) -> list[str]:
    def add(work: Work) -> list[str]:
        people = [
            accounts.add_person(
                work, None, name=f"Observer {n}", login=f"observer-{n}", password_hash="!", fictional=True
            )
            for n in range(viewers)
        ]
        for person in people:
            cases.assign(work, None, case_id=case_id, person_id=person.id, role=Role.OBSERVER)
        return [person.id for person in people]

    return [_signed_in(site, person_id) for person_id in site.writer.submit(add).result()]


def _signed_in(site: Site, person_id: str) -> str:
    """Sign somebody in without the page: what signing in costs is not measured here."""
    reference, now = secrets.token_urlsafe(32), clock.now()
    row = SignInSession(
        reference_sha256=sha256(reference.encode()).hexdigest(),
        person_id=person_id,
        created_at=now,
        seen_at=now,
        expires_at=now + timedelta(hours=12),
    )
    site.writer.submit(lambda work: work.add_unrecorded(row)).result()
    return reference
