"""The demo: a fresh database with the cases of the seed report, a server for it, and the simulated members.

With `--auto` a whole hearing is held unattended; the last line on stdout is one JSON object (design 6).
"""

import asyncio
import base64
import json
import logging
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import uvicorn
from pydantic import SecretStr
from sqlmodel import Session
from starlette.applications import Starlette

from panel.accounts.queries import Demo, DemoPlace
from panel.accounts.views.demo import entry_path
from panel.accounts.views.desk import desk
from panel.app import create_app
from panel.cases.models import Case
from panel.cli.seed import DEMO_CASES, Seeded, SeededCase, seed
from panel.cli.serve import server_of
from panel.core import clock, log
from panel.core.config import Settings
from panel.core.db import reading_engine, writing_engine
from panel.core.errors import Reason, Refused
from panel.core.i18n import DEFAULT_LOCALE, LOCALES, translator
from panel.core.pages import Site
from panel.core.schema import migrate
from panel.decisions import queries as decisions
from panel.dissents import queries as dissents
from panel.opinions import queries as opinions
from panel.record.checkpoint import key_at
from panel.record.events import Level
from panel.rehearsal import stage as rehearsal
from panel.rehearsal.participant import Refusal, Stuck
from panel.verify import check
from panel.verify.export import bundle_of
from panel.votes.models import MotionState
from panel.votes.queries import rows as votes

say = partial(print, flush=True)
STARTS_WITHIN = 20.0
"""Seconds; a server that does not listen by then never will."""

STOPS_WITHIN = 20.0
"""Seconds; what still runs then is left to end with the process."""


class NotHeld(Refused):
    """The demo did not come to what it must; says what."""


@dataclass(frozen=True)
class Stage:
    """A demo that runs: its folder, its site, its people, its address."""

    folder: Path
    site: Site
    seeded: Seeded
    case: SeededCase
    password: str
    url: str


def demo(
    auto: Annotated[bool, typer.Option("--auto", help="Hold the whole hearing unattended, then stop.")] = False,
    case: Annotated[int, typer.Option(help="The case of the seed report: 1, 6, 7 or 8.")] = 6,
    port: Annotated[int, typer.Option(help="Port to listen on; a free one when it is taken.")] = 8000,
    lan: Annotated[bool, typer.Option("--lan", help="Open the demo to the local network, for phones.")] = False,
) -> None:
    """Hold a demonstration hearing on the cases of the seed report, in a fresh database."""
    if case not in DEMO_CASES:
        raise typer.BadParameter(", ".join(map(str, DEMO_CASES)), param_hint="--case")
    signal.signal(signal.SIGTERM, _interrupt)
    folder = Path(tempfile.mkdtemp(prefix="heyi-demo-"))
    try:
        status = _run(folder, auto=auto, number=case, port=port, lan=lan)
    finally:
        shutil.rmtree(folder / "data", ignore_errors=True)
        with suppress(OSError):
            folder.rmdir()
    raise typer.Exit(status)


def _run(folder: Path, *, auto: bool, number: int, port: int, lan: bool) -> int:
    """Hold the demo until it is over; returns the exit status."""
    log.configure(logging.WARNING)
    try:
        with opened(port, lan=lan) as listening, staged(folder, listening, number, lan=lan) as stage:
            greet(stage)
            _hold(stage, auto=auto)
        if auto:
            say(json.dumps(concluded(stage), ensure_ascii=False))
    except KeyboardInterrupt:
        return 130 if auto else 0
    except Exception as problem:
        return _failed(problem)
    return 0


def _failed(problem: Exception) -> int:
    """Say what went wrong; of what nobody foresaw, where."""
    if not isinstance(problem, Refused | Refusal | Stuck):
        traceback.print_exception(problem)
    what = problem.reason if isinstance(problem, Refused) else str(problem) or type(problem).__name__
    words = translator(DEFAULT_LOCALE).reason(Reason("The demonstration failed: %(what)s", what=what))
    print(words, file=sys.stderr, flush=True)
    return 1


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def opened(port: int, *, lan: bool) -> socket.socket:
    """Return a listening socket at this port or, when it is taken, at a free one; on this machine, unless `lan`."""
    host = "0.0.0.0" if lan else "127.0.0.1"
    try:
        return socket.create_server((host, port))
    except OSError:
        return socket.create_server((host, 0))


def settings_of(folder: Path, listening: socket.socket, *, lan: bool) -> Settings:
    """Return the settings of a demo that listens here; its secret is made anew, so old links end with it."""
    host, port = listening.getsockname()
    hosts = ["127.0.0.1", "localhost", *(filter(None, [lan_address()]) if lan else ())]
    name = Reason("Tolerance evaluation committee of a city (demonstration)")
    return Settings(
        demo=True, lan=lan, secret=SecretStr(secrets.token_urlsafe(48)), data=folder / "data", database="", host=host,
        port=port, origins=tuple(f"http://{one}:{port}" for one in hosts), trusted_proxies=(), checkpoint_seconds=2,
        organisation=translator(DEFAULT_LOCALE).reason(name),
    )  # fmt: skip


def lan_address() -> str:
    """Return this machine's address in the local network, or "". Nothing is sent: a datagram socket only picks."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return ""


@contextmanager
def staged(folder: Path, listening: socket.socket, number: int, *, lan: bool) -> Iterator[Stage]:
    """Make the demo's world and serve it until the block ends."""
    settings = settings_of(folder, listening, lan=lan)
    settings.data.mkdir(mode=0o700)
    engine = writing_engine(settings.database_url)
    migrate(engine)
    engine.dispose()
    key_at(settings.record_key)
    app = create_app(settings)
    site: Site = app.state.site
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    seeded = seed(site, password)
    desk(site).demo = Demo(places_of(seeded, number), password)
    with serving(app, settings, listening):
        yield Stage(folder, site, seeded, seeded.cases[number], password, settings.origins[0])


def places_of(seeded: Seeded, number: int) -> list[DemoPlace]:
    """Return the start page's places: those of the chosen case first, then the others'."""
    cases = sorted(seeded.cases.values(), key=lambda case: (case.number != number, case.number))
    return [
        DemoPlace(
            person.login, person.name, person.label,
            heading=Reason("Case %(number)s: %(title)s", number=case.number, title=case.title),
            path=f"/hearings/{case.hearing_id}",
        )
        for case in cases
        for person in case.people.values()
    ]  # fmt: skip


@contextmanager
def serving(app: Starlette, settings: Settings, listening: socket.socket) -> Iterator[None]:
    """Run the server in a thread until the block ends; its lifespan ends too, so that the writer stops."""
    server = server_of(app, settings)
    server.config.timeout_graceful_shutdown = 1
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="server", daemon=True)
    thread.start()
    try:
        _wait_for(server, thread)
        yield
    finally:
        server.should_exit = True
        thread.join(STOPS_WITHIN)


def _wait_for(server: uvicorn.Server, thread: threading.Thread) -> None:
    until, waiting = clock.monotonic() + STARTS_WITHIN, threading.Event()
    while not server.started:
        if not thread.is_alive() or clock.monotonic() > until:
            raise NotHeld(Reason("The server did not start."))
        waiting.wait(0.01)


def greet(stage: Stage) -> None:
    """Tell where the demo is and how to get in: every sentence in Chinese first, then in English."""
    case, near = stage.case, stage.site.settings.origins
    _tell(Reason("The demonstration is open: %(url)s", url=f"{stage.url}/demo"))
    for origin in near[2:]:
        _tell(Reason("For phones in the local network: %(url)s", url=f"{origin}/demo"))
    _tell(Reason("Case %(number)s: %(title)s", number=case.number, title=case.title))
    words = translator(DEFAULT_LOCALE)
    for person in case.people.values():
        say(f"  {words.reason(person.label)}  {person.name}  {person.login}")
        say(f"    {stage.url}{entry_path(stage.site, person.login)}")
    _tell(Reason("Everybody's password: %(password)s", password=stage.password))
    _tell(Reason("Everything people say and do here is fictional. Press Ctrl-C to stop."))


def _tell(reason: Reason) -> None:
    for locale in LOCALES:
        say(translator(locale).reason(reason))


def _hold(stage: Stage, *, auto: bool) -> None:
    """Let the simulated members act: the whole hearing with `auto`, else in every seat that no person has taken."""
    if auto:
        _rehearse(stage, auto=True)
        return
    try:
        _rehearse(stage, auto=False)
    except Exception as problem:  # whoever sits at the table goes on without the simulation
        _failed(problem)
    threading.Event().wait()


def _rehearse(stage: Stage, *, auto: bool) -> None:
    asyncio.run(
        rehearsal.hold(
            stage.url, script=stage.case.script, logins=stage.case.logins,
            case_id=stage.case.case_id, hearing_id=stage.case.hearing_id, auto=auto, say=partial(_narrate, stage),
        )
    )  # fmt: skip


def _narrate(stage: Stage, line: str) -> None:
    """Tell the story on the terminal, and its last lines on the start page."""
    say(line)
    if (offered := desk(stage.site).demo) is not None:
        offered.story.append(line)


def concluded(stage: Stage) -> dict[str, Any]:
    """Export the case, check the bundle, and return what came of the hearing (design 6)."""
    path, report = export(stage)
    if report.failure is not None:
        raise NotHeld(
            Reason("The bundle %(path)s does not hold: %(title)s", path=path, title=report.failure.check.title)
        )
    assert report.bundle is not None, "a report that holds has read its bundle"
    assert report.checkpoint is not None, "a report that holds has read its checkpoint"
    engine = reading_engine(stage.site.settings.database_url)
    with Session(engine) as db:
        counts = counted(db, stage.case.case_id)
    engine.dispose()
    return {
        "case": stage.case.number, "events": len(report.bundle.entries), **counts,
        "root": base64.b64encode(report.checkpoint.root).decode(), "bundle": str(path), "verified": report.holds,
    }  # fmt: skip


def export(stage: Stage) -> tuple[Path, check.Report]:
    """Write the panel's bundle of the case, which stays when the demo is gone, and check it by the log's own key."""
    settings = stage.site.settings
    key, engine = key_at(settings.record_key), writing_engine(settings.database_url)
    with Session(engine) as db:
        stream = db.get_one(Case, stage.case.case_id).record_token
    bundle = bundle_of(engine, key, stream=stream, level=Level.PANEL, now=clock.now())
    engine.dispose()
    path = stage.folder / f"case_{stage.case.number:02}.json"
    path.write_bytes(bundle)
    return path, check.verify(path.read_bytes(), str(key.verifier))


def counted(db: Session, case_id: str) -> dict[str, Any]:
    """Count what the hearing brought about; raises NotHeld where there is no outcome."""
    finding = decisions.finding(db, case_id)
    if finding is None or not finding.outcome:
        raise NotHeld(Reason("The hearing came to no finding."))
    given = {round_.number: len(opinions.opinions(db, round_.id)) for round_ in opinions.rounds(db, case_id)}
    put = [motion for motion in votes.of_case(db, case_id) if motion.state is not MotionState.DRAFT]
    return {
        "opinions_round_1": given.get(1, 0),
        "opinions_round_2": given.get(2, 0),
        "dissents": len(dissents.standing(db, case_id)),
        "motions": len(put),
        "ballots": sum(result.cast for result in votes.results(db, put).values()),
        "outcome": finding.outcome,
    }
