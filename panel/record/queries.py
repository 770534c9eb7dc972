"""Reading the record: entries, bodies, proofs, checkpoints."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from sqlalchemy import ColumnElement
from sqlalchemy import select as core_select
from sqlmodel import Session, col, select

from panel.record import merkle
from panel.record.models import ENTRIES, Checkpoint, RecordBody, RecordEntry, RecordHead

Read = tuple[RecordEntry, RecordBody | None]
"""An entry with its body, or None where the body was erased."""

_HASHES = core_select(ENTRIES.c["hashes"])


def head(db: Session) -> RecordHead:
    """Return the head: how large the tree is now, published or not."""
    return db.get_one(RecordHead, 1)


def entry(db: Session, index: int) -> Read | None:
    """Return an entry with its body, or None when there is no such entry."""
    found = _read(db, col(RecordEntry.index) == index)
    return found[0] if found else None


def stream(db: Session, token: str, *, below: int) -> Sequence[Read]:
    """Return a stream's entries of the tree of `below` leaves, in order, with their bodies."""
    return _read(db, col(RecordEntry.stream) == token, col(RecordEntry.index) < below)


def everything(db: Session, *, below: int, at_once: int = 500) -> Iterator[Read]:
    """Yield the entries of the tree of `below` leaves in order, a few hundred in memory at a time."""
    for start in range(0, below, at_once):
        yield from _read(db, col(RecordEntry.index) >= start, col(RecordEntry.index) < min(start + at_once, below))


def newest_checkpoint(db: Session) -> Checkpoint | None:
    """Return the newest published checkpoint."""
    newest = col(Checkpoint.published_at).desc(), col(Checkpoint.size).desc()
    return db.exec(select(Checkpoint).order_by(*newest).limit(1)).first()


def checkpoints(db: Session) -> Sequence[Checkpoint]:
    """Return every checkpoint, oldest first."""
    return db.exec(select(Checkpoint).order_by(col(Checkpoint.published_at), col(Checkpoint.size))).all()


def hash_at(db: Session) -> merkle.HashAt:
    """Return the source of subtree hashes: each is read from the entry that completed it, by primary key."""

    @lru_cache(maxsize=4096)
    def read(level: int, place: int) -> bytes:
        last = merkle.completed_at(level, place)
        hashes: bytes = db.connection().execute(_HASHES.where(ENTRIES.c["index"] == last)).scalar_one()
        return hashes[level * merkle.HASH_SIZE : (level + 1) * merkle.HASH_SIZE]

    return read


def root(db: Session, size: int) -> bytes:
    """Return the root of the first `size` entries."""
    return merkle.root(size, hash_at(db))


def proofs(db: Session, size: int) -> Callable[[int], list[bytes]]:
    """Return what gives an entry's inclusion proof in the tree of `size`; neighbours share their lookups."""
    source = hash_at(db)
    return lambda index: merkle.inclusion_proof(index, size, source)


def consistency(db: Session, old: int, new: int) -> list[bytes]:
    """Return the proof that the tree of `new` entries begins with the tree of `old`."""
    return merkle.consistency_proof(old, new, hash_at(db))


def _read(db: Session, *where: ColumnElement[bool]) -> Sequence[Read]:
    same = col(RecordBody.index) == col(RecordEntry.index)
    found = select(RecordEntry, RecordBody).join(RecordBody, same, isouter=True).where(*where)
    return db.exec(found.order_by(col(RecordEntry.index))).all()
