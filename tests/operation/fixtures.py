"""Fixtures of schemas: small backups of an installation in which everything happened once, and what each must say.

`python -m scripts.make_fixture` makes those of the present schema; they are kept for as long as an installation with
that schema may want to be brought up. No key is in them, as in no backup; everybody in them is fictional.
"""

import gzip
import itertools
import json
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlmodel import Session, col, select

from panel.accounts.models import Person
from panel.cases.models import Case, Exhibit
from panel.cli.backup import make
from panel.core import clock
from panel.core.assets import schema_version
from panel.core.db import reading_engine
from panel.decisions import queries as decisions
from panel.dissents import queries as dissents
from panel.opinions import queries as opinions
from panel.publication import actions as publication
from panel.publication import queries as summaries
from panel.record import queries
from panel.votes.models import Motion, Tally
from panel.votes.queries import rows as votes
from tests.accounts.test_factors import enrol
from tests.cli.test_keep import publish
from tests.contracts.conftest import decide, end
from tests.factories import World, make_world
from tests.operation.test_backup import EXHIBIT
from tests.postgres import programs

FOLDER = Path(__file__).parent / "schemas"
KINDS = ("sqlite", "postgresql")
BEGAN = datetime(2026, 1, 5, 1, tzinfo=UTC)
"""When the hearing of every fixture begins: before any test that restores it, whatever the machine's clock says."""


def released() -> dict[str, str]:
    """Return the schema of each version that installations may have."""
    listed: dict[str, str] = tomllib.loads((FOLDER / "released.toml").read_text(encoding="utf-8"))["schemas"]
    return listed


def backup_of(schema: str, kind: str) -> Path:
    """Return where the fixture of a schema on a kind of database is."""
    return FOLDER / f"{schema}-{kind}.tar.gz"


def said_of(schema: str, kind: str) -> Path:
    """Return where it is written what the fixture must still say."""
    return FOLDER / f"{schema}-{kind}.json"


def make_fixture(folder: Path, template: Path, kind: str, database: str = "") -> Path:
    """Hold a whole case on an empty database of the present schema, and keep its backup and what it says."""
    with steady_clock():
        world = make_world(folder, template, database=database, postgres_programs=programs())
        hold_everything(world)
        unpacked = folder / "fixture.tar"
        make(world.site.settings, unpacked)
        said = told(world.site.settings.database_url)
    world.close()
    target = backup_of(schema_version(), kind)
    target.write_bytes(gzip.compress(unpacked.read_bytes(), 9, mtime=0))
    said_of(schema_version(), kind).write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return target


@contextmanager
def steady_clock() -> Iterator[None]:
    """Let the clock begin at one moment and go on by a millisecond whenever it is read."""
    ticks = itertools.count()
    with patch.object(clock, "now", lambda: BEGAN + timedelta(milliseconds=next(ticks))):
        yield


def hold_everything(world: World) -> None:
    """Hold a case from its opening to the published summary, with one row of nearly every kind."""
    enrol(world, "luo")
    end(world)
    decide(world)
    made = world.act(publication.compose, "secretary", case=world.case_id)
    world.act(publication.publish, "secretary", case=world.case_id, body_sha256=made.body_sha256)
    world.site.settings.exhibits.mkdir()
    (world.site.settings.exhibits / EXHIBIT).write_bytes(b"%PDF-1.7 fixture")
    publish(world)


def told(database: str, entries: int | None = None) -> dict[str, Any]:
    """Return what an installation says that no later schema may change, of its first so many entries or of all."""
    engine = reading_engine(database)
    with Session(engine) as db:
        size = queries.head(db).size if entries is None else entries
        published = [each for each in queries.checkpoints(db) if each.size <= size]
        said = {
            "entries": size,
            "root": queries.root(db, size).hex(),
            "checkpoints": [[each.origin, each.size, each.root.hex()] for each in published],
            "people": sorted(db.exec(select(Person.name)).all()),
            "cases": [_case(db, case) for case in db.exec(select(Case).order_by(col(Case.number))).all()],
        }
    engine.dispose()
    return said


def _case(db: Session, case: Case) -> dict[str, Any]:
    finding, decision = decisions.finding(db, case.id), decisions.decision(db, case.id)
    summary = summaries.summary_of(db, case.id)
    assert finding is not None
    assert decision is not None
    assert summary is not None
    return {
        "number": case.number,
        "exhibits": sorted(db.exec(select(Exhibit.sha256).where(Exhibit.case_id == case.id)).all()),
        "opinions": [len(opinions.opinions(db, each.id)) for each in opinions.rounds(db, case.id)],
        "motions": [_motion(db, motion) for motion in votes.of_case(db, case.id)],
        "dissents": len(dissents.of_case(db, case.id)),
        "answered": len(dissents.answers(db, case.id)),
        "finding": finding.outcome,
        "decision": decision.outcome,
        "measures": [measure.text for measure in decisions.measures(db, decision.id)],
        "summary": [summary.state.value, summary.slug, summary.body_sha256],
    }


def _motion(db: Session, motion: Motion) -> dict[str, Any]:
    tally = db.get(Tally, motion.id)
    return {
        "number": motion.number,
        "question": motion.question,
        "secrecy": motion.secrecy.value,
        "state": motion.state.value,
        "result": tally.result if tally else None,
    }
