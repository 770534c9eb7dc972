"""Making a bundle: what an audience may have of a case, with proofs up to a published checkpoint."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from panel.core.errors import Reason, Refused, require
from panel.record import checkpoint as publishing
from panel.record import queries
from panel.record.commitment import PARTS, commitments_of, encode64
from panel.record.events import EVENT_KINDS, Level, Opener
from panel.record.models import Checkpoint, RecordBody, RecordEntry
from panel.record.note import SigningKey
from panel.verify.bundle import FORMAT, LARGEST, seal


def bundle_of(engine: Engine, key: SigningKey, *, stream: str, level: Level, now: datetime) -> bytes:
    """Return the bundle of a case as it stands now; publishes a checkpoint when none covers its newest event yet.

    `engine` is the writing engine, since a checkpoint may have to be kept.
    """
    with Session(engine, expire_on_commit=False) as db:
        newest = queries.newest_checkpoint(db)
        last = select(RecordEntry.index).where(RecordEntry.stream == stream).order_by(col(RecordEntry.index).desc())
        end = db.exec(last).first()
    if end is None:
        raise Refused(Reason("There is nothing on the record about this case."))
    if newest is None or newest.size <= end or newest.origin != key.name:
        newest = publishing.publish(engine, key, now)
    with Session(engine) as db:
        return export_case(db, stream=stream, level=level, key=key, checkpoint=newest)


def entry_of(engine: Engine, key: SigningKey, *, index: int, level: Level, now: datetime) -> bytes:
    """Return one entry as a receipt file, disclosed as an audience may have it; publishes a checkpoint if need be."""
    with Session(engine) as db:
        newest, found = queries.checkpoint_of(db, index + 1), queries.entry(db, index)
    if found is None:
        raise Refused(Reason("There is no such entry."))
    if newest is None or newest.origin != key.name:
        newest = publishing.publish(engine, key, now)
    entry, body = found
    with Session(engine) as db:
        told = queries.stream(db, entry.stream, below=newest.size)
        parts = _parts(entry, body, level, waits=index in waiting(told, level))
        return str(queries.receipt_of(db, newest, entry, parts)).encode()


def export_case(db: Session, *, stream: str, level: Level, key: SigningKey, checkpoint: Checkpoint) -> bytes:
    """Return the bundle of a case for an audience, as of a checkpoint that this key has signed."""
    require(why_not_export(key, checkpoint))
    proof = queries.proofs(db, checkpoint.size)
    told = list(queries.stream(db, stream, below=checkpoint.size))
    withheld = waiting(told, level)
    entries = [
        _entry(entry, body, level, [encode64(node) for node in proof(entry.index)], waits=entry.index in withheld)
        for entry, body in told
    ]
    content = {
        "format": FORMAT, "audience": level.name.lower(), "case": stream, "key": str(key.verifier),
        "checkpoint": checkpoint.note, "entries": entries,
    }  # fmt: skip
    made = seal(content, key, size=checkpoint.size, root=checkpoint.root)
    if len(made) > LARGEST:
        raise Refused(Reason("This case is too long for one bundle."))
    return made


def why_not_export(key: SigningKey, checkpoint: Checkpoint) -> Reason | None:
    """Say why no bundle can be made up to this checkpoint: another log's key signed it."""
    if checkpoint.origin != key.name:
        return Reason("The newest checkpoint was signed under another key.")
    return None


def disclosed(kind: str, public: dict[str, Any], level: Level) -> tuple[bool, bool]:
    """Say whether an audience gets the public part and the private part; unknown kinds are for the full record only."""
    event = EVENT_KINDS.get(kind)
    if event is None:
        return level is Level.FULL, level is Level.FULL
    return event.disclosure <= level, max(event.disclosure, event.private_level(public)) <= level


def waiting(told: Sequence[tuple[RecordEntry, RecordBody | None]], level: Level) -> set[int]:
    """Return the indices of the events whose opener is not on the record yet: the full record alone has them."""
    if level is Level.FULL:
        return set()
    public = {entry.index: (entry.kind, json.loads(body.public)) for entry, body in told if body is not None}
    openers = {index: _opener(kind, part, level) for index, (kind, part) in public.items()}
    fields = {(opener[0], opener[1]) for opener in openers.values() if opener}
    there = {(kind, name, part[name]) for kind, part in public.values() for of, name in fields if of == kind}
    erased = {entry.kind for entry, body in told if body is None}
    return {index for index, opener in openers.items() if opener and opener not in there and opener[0] not in erased}


def _opener(kind: str, public: dict[str, Any], level: Level) -> Opener | None:
    event = EVENT_KINDS.get(kind)
    return event.opener(public, level) if event else None


def _entry(
    entry: RecordEntry, body: RecordBody | None, level: Level, proof: list[str], *, waits: bool
) -> dict[str, Any]:
    commitments = commitments_of(entry.leaf)
    return {
        "index": entry.index,
        "commitments": {part: encode64(commitments[part]) for part in PARTS},
        "parts": _parts(entry, body, level, waits=waits),
        "proof": proof,
    }


def _parts(entry: RecordEntry, body: RecordBody | None, level: Level, *, waits: bool) -> dict[str, Any]:
    shown = (False, False)
    if body is not None and not waits:
        shown = disclosed(entry.kind, json.loads(body.public), level)
    return queries.opened_parts(entry, body, public=shown[0], private=shown[1])
