"""Benchmarks: each prints JSON with its baseline, measured in the same run."""

import os
import secrets
import tempfile
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr

from panel.accounts import actions as accounts
from panel.accounts.models import SignInSession
from panel.app import create_app
from panel.bench import live as live_bench
from panel.bench import measure
from panel.cases import actions as cases
from panel.cli.seed import seed
from panel.committees import actions as committees
from panel.committees import queries as seats
from panel.core import clock, security
from panel.core.config import Settings
from panel.core.db import snapshot, writing_engine
from panel.core.pages import Site
from panel.core.schema import migrate
from panel.core.security import Actor, Role
from panel.hearings import actions as hearings
from panel.record.checkpoint import key_at
from panel.work import Work

bench = typer.Typer(no_args_is_help=True, help="Measure, each beside a baseline in the same run.")

CASE = 6


@bench.command("live")
def live(
    viewers: Annotated[int, typer.Option(help="Signed-in clients that follow the hearing.")] = 100,
    changes: Annotated[int, typer.Option(help="How often the chair gives the floor.")] = 30,
    file: Annotated[Path | None, typer.Option("--json", help="Write the result here too.")] = None,
) -> None:
    """Measure how soon the last client holds the new fragment."""
    with tempfile.TemporaryDirectory(prefix="heyi-bench-") as folder:
        outcome = live_bench.run(prepare_live, Path(folder), viewers=viewers, changes=changes)
    measure.write(outcome, file)


def prepare_live(folder: Path, port: int, viewers: int) -> live_bench.Prepared:
    """Make an installation whose hearing of case 6 is in session, followed by so many signed-in observers."""
    secret = secrets.token_urlsafe(48)
    origin = f"http://127.0.0.1:{port}"
    settings = Settings(secret=SecretStr(secret), data=folder, port=port, origins=(origin,))
    engine = writing_engine(settings.database_url)
    migrate(engine)
    engine.dispose()
    key_at(settings.record_key)
    site: Site = create_app(settings).state.site
    seeded = seed(site, secrets.token_urlsafe(24)).cases[CASE]
    speakers = _open(site, seeded.case_id, seeded.hearing_id)
    cookies = _observers(site, seeded.case_id, viewers)
    chair = _signed_in(site, _chair(site, seeded.case_id).person_id)
    site.writer.close()  # type: ignore[attr-defined]  # the writer itself, not the edge's view of it
    environment = {
        **os.environ, "PANEL_SECRET": secret, "PANEL_DATA": str(folder), "PANEL_ORIGINS": f'["{origin}"]',
    }  # fmt: skip
    name = settings.cookie
    return live_bench.Prepared(
        environment=environment,
        hearing_id=seeded.hearing_id,
        chair=f"{name}={chair}",
        viewers=[f"{name}={cookie}" for cookie in cookies],
        speakers=speakers,
    )


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
