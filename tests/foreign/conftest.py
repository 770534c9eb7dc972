"""One hearing held to its end, published and exported; and the judges of what came out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from panel.core import clock
from panel.core.db import writing_engine
from panel.publication import actions as publication
from panel.record import checkpoint, merkle, queries
from panel.record.events import Level
from panel.record.mirror import mirror
from panel.record.models import Acknowledgement, Checkpoint
from panel.record.note import SigningKey
from panel.verify.export import bundle_of
from tests.factories import World, make_world
from tests.foreign.judges import NPM, PYPI, Judge, built
from tests.publication.test_actions import decided
from tests.record.sayings import NOON, append, note
from tests.verify.stories import token_of

KEY = SigningKey("heyi/test", bytes(range(32)))
VKEY = str(KEY.verifier)
Case = dict[str, Any]
LONG = 2000


@dataclass(frozen=True)
class Record:
    """A record in a database, as it was published last."""

    engine: Engine
    newest: Checkpoint

    @property
    def size(self) -> int:
        """Return how many entries the newest checkpoint covers."""
        return self.newest.size

    @property
    def note(self) -> bytes:
        """Return the newest checkpoint as it is served."""
        with Session(self.engine) as db:
            return queries.cosigned(db, self.newest).encode()

    def inclusions(self, indexes: Sequence[int]) -> list[Case]:
        """Return the product's inclusion proofs of these entries as cases."""
        with Session(self.engine) as db:
            proof = queries.proofs(db, self.size)
            return [inclusion(queries.entry(db, i)[0].leaf, i, self, proof(i)) for i in indexes]  # type: ignore[index]  # they are there

    def consistency(self, pairs: Sequence[tuple[int, int]]) -> list[Case]:
        """Return the product's consistency proofs of these pairs, older and newer size, as cases."""
        with Session(self.engine) as db:
            source = queries.hash_at(db)
            roots = {size: merkle.root(size, source) for size in sorted({size for pair in pairs for size in pair})}
            return [
                {
                    "Kind": "consistency", "Old": old, "Size": new, "OldRoot": roots[old], "Root": roots[new],
                    "Proof": merkle.consistency_proof(old, new, source),
                }
                for old, new in pairs
            ]  # fmt: skip

    def receipts(self) -> list[bytes]:
        """Return everybody's receipts of everything, as they are downloaded."""
        with Session(self.engine) as db:
            kept = db.exec(select(Acknowledgement).order_by(col(Acknowledgement.index), col(Acknowledgement.id))).all()
            return [str(queries.receipt(db, of)).encode() for of in kept]

    def mirrored(self, folder: Path) -> Path:
        """Write the log's public files into a folder."""
        with Session(self.engine) as db:
            mirror(db, self.newest, folder)
        return folder


@dataclass(frozen=True)
class Published(Record):
    """The record of a hearing, with the bundle of its case for each audience."""

    bundles: dict[Level, bytes]


def inclusion(leaf: bytes, index: int, record: Record, proof: Sequence[bytes]) -> Case:
    """Return an inclusion proof as a case."""
    given = {"Leaf": leaf, "Index": index, "Size": record.size, "Root": record.newest.root, "Proof": list(proof)}
    return {"Kind": "inclusion", **given}


def file(kind: str, data: bytes) -> Case:
    """Return a note, receipt or bundle as a case."""
    return {"Kind": kind, "Key": VKEY, "File": data}


@pytest.fixture(scope="session")
def go(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    """The judge in Go, freshly built."""
    return built(tmp_path_factory.mktemp("go"))


@pytest.fixture(scope="session")
def judges(go: Judge) -> tuple[Judge, ...]:
    """All judges."""
    return go, NPM, PYPI


@pytest.fixture(scope="session")
def decided_world(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[World]:
    """A case that was heard, decided and published; nothing is added to its record by a test."""
    world = make_world(tmp_path_factory.mktemp("published") / "world", template)
    decided(world)
    draft = world.act(publication.compose, "secretary", case=world.case_id)
    world.act(publication.publish, "secretary", case=world.case_id, body_sha256=draft.body_sha256)
    yield world
    world.close()


@pytest.fixture(scope="session")
def published(decided_world: World) -> Published:
    """Its record, published; and its bundles."""
    engine: Engine = decided_world.site.writer._engine  # type: ignore[attr-defined]  # the writer's own
    newest, token = checkpoint.publish(engine, KEY, clock.now()), token_of(decided_world)
    bundles = {level: bundle_of(engine, KEY, stream=token, level=level, now=clock.now()) for level in Level}
    return Published(engine, newest, bundles)


@pytest.fixture(scope="session")
def long(tmp_path_factory: pytest.TempPathFactory, decided_world: World) -> Iterator[Record]:
    """The same record, gone on to 2,000 entries; with full tiles and a second level."""
    path = tmp_path_factory.mktemp("long") / "panel.sqlite"
    decided_world.kept(path)
    engine = writing_engine(f"sqlite:///{path}")
    with Session(engine) as db:
        missing = LONG - queries.head(db).size
        append(db, [note(f"第{n}条") for n in range(missing)], NOON, stream="f" * 32)
        db.commit()
    yield Record(engine, checkpoint.publish(engine, KEY, clock.now()))
    engine.dispose()
