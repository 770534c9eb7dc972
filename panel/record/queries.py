"""Reading the record: entries, bodies, proofs, checkpoints."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, bindparam
from sqlalchemy import select as core_select
from sqlmodel import Session, col, func, select

from panel.core.db import Prepared
from panel.record import merkle
from panel.record.commitment import ERASED, WITHHELD, commitments_of, encode64
from panel.record.events import KeyRotated
from panel.record.models import (
    ENTRIES,
    Acknowledgement,
    Checkpoint,
    Cosignature,
    LogKey,
    RecordBody,
    RecordEntry,
    RecordHead,
    Timestamp,
)
from panel.record.note import VerifierKey, signed_by
from panel.record.receipt import Receipt, extra_of

Read = tuple[RecordEntry, RecordBody | None]
"""An entry with its body, or None where the body was erased."""

_HASHES = Prepared(core_select(ENTRIES.c["hashes"]).where(ENTRIES.c["index"] == bindparam("last")))


def head(db: Session) -> RecordHead:
    """Return the head: how large the tree is now, published or not."""
    return db.get_one(RecordHead, 1)


def time_of_last(db: Session) -> datetime | None:
    """Return when the last entry was recorded; None while the record is empty."""
    last = select(RecordEntry.time).order_by(col(RecordEntry.index).desc()).limit(1)
    return db.exec(last).first()


def entry(db: Session, index: int) -> Read | None:
    """Return an entry with its body, or None when there is no such entry."""
    found = _read(db, col(RecordEntry.index) == index)
    return found[0] if found else None


def stream(db: Session, token: str, *, below: int) -> Sequence[Read]:
    """Return a stream's entries of the tree of `below` leaves, in order, with their bodies."""
    return _read(db, col(RecordEntry.stream) == token, col(RecordEntry.index) < below)


def stands(db: Session, token: str, *, below: int) -> bool:
    """Say whether anything of a stream stands in the tree of `below` leaves."""
    first = select(RecordEntry.index).where(RecordEntry.stream == token, col(RecordEntry.index) < below).limit(1)
    return db.exec(first).first() is not None


def given_by(db: Session, token: str, kind: str) -> dict[str, str]:
    """Return who gave each person of a stream what its events of a kind tell of: ids; the command line has none.

    The events name `person_id` in their private part. An erased body tells of nobody any more.
    """
    read = _read(db, col(RecordEntry.stream) == token, col(RecordEntry.kind) == kind)
    told = (json.loads(body.private) for _, body in read if body is not None)
    return {one["person_id"]: one["actor_id"] for one in told if one["actor_id"]}


def everything(db: Session, *, below: int, at_once: int = 500) -> Iterator[Read]:
    """Yield the entries of the tree of `below` leaves in order, a few hundred in memory at a time."""
    for start in range(0, below, at_once):
        yield from _read(db, col(RecordEntry.index) >= start, col(RecordEntry.index) < min(start + at_once, below))


def newest_checkpoint(db: Session) -> Checkpoint | None:
    """Return the newest published checkpoint."""
    newest = col(Checkpoint.published_at).desc(), col(Checkpoint.size).desc()
    return db.exec(select(Checkpoint).order_by(*newest).limit(1)).first()


def checkpoint_of(db: Session, size: int) -> Checkpoint | None:
    """Return the newest checkpoint if it covers a tree of this size."""
    newest = newest_checkpoint(db)
    return newest if newest is not None and newest.size >= size else None


def cosigned(db: Session, checkpoint: Checkpoint) -> str:
    """Return a checkpoint's note with the lines of the witnesses that have cosigned it."""
    same = Cosignature.origin == checkpoint.origin, Cosignature.size == checkpoint.size
    lines = db.exec(select(Cosignature.line).where(*same).order_by(col(Cosignature.witness))).all()
    return checkpoint.note + "".join(lines)


def seen_by(db: Session, origin: str, witness: str) -> int:
    """Return the size of the newest checkpoint of a log that a witness has cosigned, else 0."""
    same = Cosignature.origin == origin, Cosignature.witness == witness
    return db.exec(select(func.coalesce(func.max(Cosignature.size), 0)).where(*same)).one()


def timestamp(db: Session, size: int) -> Timestamp | None:
    """Return the timestamp over the checkpoint of this size."""
    return db.exec(select(Timestamp).where(Timestamp.size == size)).first()


def log_keys(db: Session) -> Sequence[LogKey]:
    """Return the public keys of the log, the newest first."""
    return db.exec(select(LogKey).order_by(col(LogKey.first_used_at).desc(), col(LogKey.key))).all()


def rotations(db: Session) -> Sequence[tuple[str, str]]:
    """Return every renewal of the log's key, oldest first: the former public key and the one after it, as text."""
    told = [json.loads(body.public) for _, body in _read(db, col(RecordEntry.kind) == KeyRotated.kind) if body]
    return [(public["former"], public["key"]) for public in told]


def key_of(db: Session, checkpoint: Checkpoint) -> str:
    """Return the public key, as text, that signed a checkpoint."""
    keys = [VerifierKey.parse(one.key) for one in log_keys(db) if one.origin == checkpoint.origin]
    return next(str(key) for key in keys if signed_by(checkpoint.note, key))


def acknowledgements(db: Session, person_id: str) -> Sequence[tuple[Acknowledgement, RecordEntry]]:
    """Return what a person can have receipts of, the newest first."""
    same = col(RecordEntry.index) == col(Acknowledgement.index)
    mine = select(Acknowledgement, RecordEntry).join(RecordEntry, same).where(Acknowledgement.person_id == person_id)
    return db.exec(mine.order_by(col(Acknowledgement.index).desc())).all()


def acknowledgement(db: Session, key: str) -> Acknowledgement | None:
    """Return what one receipt is made of."""
    return db.get(Acknowledgement, key)


def newest_of(db: Session, person_id: str, indexes: Collection[int]) -> Acknowledgement | None:
    """Return a person's acknowledgement of the last of these events, if they have one."""
    mine = select(Acknowledgement).where(
        Acknowledgement.person_id == person_id, col(Acknowledgement.index).in_(indexes)
    )
    return db.exec(mine.order_by(col(Acknowledgement.index).desc())).first()


def receipt(db: Session, of: Acknowledgement) -> Receipt | None:
    """Return the receipt of an entry, up to the newest checkpoint; None while no checkpoint covers it."""
    checkpoint, found = checkpoint_of(db, of.index + 1), entry(db, of.index)
    if checkpoint is None or found is None:
        return None
    row, body = found
    return receipt_of(db, checkpoint, row, opened_parts(row, body, public=True, private=of.own))


def public_receipt(db: Session, index: int) -> Receipt | None:
    """Return an entry whose public part anybody may have, with its proof; None while no checkpoint covers it."""
    checkpoint, found = checkpoint_of(db, index + 1), entry(db, index)
    if checkpoint is None or found is None:
        return None
    return receipt_of(db, checkpoint, found[0], opened_parts(*found, public=True, private=False))


def receipt_of(db: Session, checkpoint: Checkpoint, row: RecordEntry, parts: Mapping[str, Any]) -> Receipt:
    """Return an entry with its proof up to a checkpoint that covers it, its parts disclosed as given."""
    extra = extra_of(key_of(db, checkpoint), commitments_of(row.leaf), parts)
    return Receipt(row.index, proofs(db, checkpoint.size)(row.index), cosigned(db, checkpoint), extra)


def opened_parts(row: RecordEntry, body: RecordBody | None, *, public: bool, private: bool) -> dict[str, Any]:
    """Return the three parts of an entry as files show them: opened, `withheld`, or `erased`."""
    header = _opened(row.header_salt, row.header)
    if body is None:
        return {"header": header, "public": ERASED, "private": ERASED}
    return {
        "header": header,
        "public": _opened(body.public_salt, json.loads(body.public)) if public else WITHHELD,
        "private": _opened(body.private_salt, json.loads(body.private)) if private else WITHHELD,
    }


def checkpoints(db: Session) -> Sequence[Checkpoint]:
    """Return every checkpoint, oldest first."""
    return db.exec(select(Checkpoint).order_by(col(Checkpoint.published_at), col(Checkpoint.size))).all()


def hash_at(db: Session) -> merkle.HashAt:
    """Return the source of subtree hashes: each is read from the entry that completed it, by primary key."""

    @lru_cache(maxsize=4096)
    def read(level: int, place: int) -> bytes:
        last = merkle.completed_at(level, place)
        hashes: bytes = _HASHES(db, last=last).fetchone()[0]
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


def _opened(salt: bytes, value: dict[str, Any]) -> dict[str, Any]:
    return {"salt": encode64(salt), "value": value}


def _read(db: Session, *where: ColumnElement[bool]) -> Sequence[Read]:
    same = col(RecordBody.index) == col(RecordEntry.index)
    found = select(RecordEntry, RecordBody).join(RecordBody, same, isouter=True).where(*where)
    return db.exec(found.order_by(col(RecordEntry.index))).all()
