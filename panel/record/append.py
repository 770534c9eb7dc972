"""Sequencing: events get their index and their place in the tree, inside the caller's transaction."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, text, update
from sqlmodel import Session

from panel.core import clock
from panel.core.ids import new_id
from panel.record import commitment, merkle
from panel.record.commitment import SALT_SIZE, canonical, commit_canonical
from panel.record.events import Event
from panel.record.models import ACKNOWLEDGED, BODIES, ENTRIES, HEAD

_LOCK_HEAD = select(HEAD.c.size, HEAD.c.frontier).where(HEAD.c.id == 1).with_for_update()
_MOVE_HEAD = update(HEAD).where(HEAD.c.id == 1).values(size=bindparam("new_size"), frontier=bindparam("new_frontier"))
_COUNT_STREAM = text(
    "INSERT INTO record_stream (token, length) VALUES (:token, :more) "
    "ON CONFLICT (token) DO UPDATE SET length = record_stream.length + excluded.length RETURNING length"
)
_ADD_ENTRIES = insert(ENTRIES)
_ADD_BODIES = insert(BODIES)
_ACKNOWLEDGE = insert(ACKNOWLEDGED)


@dataclass(frozen=True, slots=True)
class Sequenced:
    """Where an event stands: its index on the record, its number in its stream, the hash of its leaf."""

    index: int
    seq: int
    leaf_hash: bytes


def append(
    db: Session, events: Sequence[Event], now: datetime, *, stream: str, told_of: Collection[str] = ()
) -> list[Sequenced]:
    """Put events of one stream on the record. Durable, and numbered for good, when the caller's transaction commits.

    Who acts can have a receipt of it, and so can everybody whose part in it the events tell of (`told_of`, person ids).
    Takes the head's lock, which is the last lock of any act: from here to the commit nobody else sequences, so that
    the order of commits is the order of indexes and no stream has a gap. The cost does not grow with the record.
    """
    if not events:
        return []
    connection = db.connection()
    size, packed = connection.execute(_LOCK_HEAD).one()
    frontier = _unpack(packed)
    length = connection.execute(_COUNT_STREAM, {"token": stream, "more": len(events)}).scalar_one()
    moment = now.replace(microsecond=now.microsecond // 1000 * 1000)
    entries, bodies = list[dict[str, Any]](), list[dict[str, Any]]()
    for seq, event in enumerate(events, start=length - len(events) + 1):
        entry, body = _sealed(event, stream, seq, moment)
        frontier, completed = merkle.append(frontier, size, merkle.leaf_hash(entry["leaf"]))
        entries.append({"index": size, **entry, "hashes": b"".join(completed)})
        bodies.append({"index": size, **body})
        size += 1
    connection.execute(_ADD_ENTRIES, entries)
    connection.execute(_ADD_BODIES, bodies)
    if acknowledged := [
        {"id": new_id(), "person_id": person, "index": entry["index"], "own": person == event.actor_id}
        for event, entry in zip(events, entries, strict=True)
        for person in dict.fromkeys((event.actor_id, *told_of))
        if person
    ]:
        connection.execute(_ACKNOWLEDGE, acknowledged)
    connection.execute(_MOVE_HEAD, {"new_size": size, "new_frontier": b"".join(frontier).hex()})
    return [Sequenced(e["index"], e["seq"], e["hashes"][: merkle.HASH_SIZE]) for e in entries]


def _sealed(event: Event, stream: str, seq: int, moment: datetime) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an event's entry, without its place in the tree, and its body; the salts are new."""
    header_salt, public_salt, private_salt = (secrets.token_bytes(SALT_SIZE) for _ in range(3))
    header = canonical(commitment.header(stream, seq, clock.rfc3339(moment)))
    public, private = canonical(event.public_part()), canonical(event.private_part())
    leaf = commitment.leaf_data(
        {
            "header": commit_canonical("header", header_salt, header),
            "public": commit_canonical("public", public_salt, public),
            "private": commit_canonical("private", private_salt, private),
        }
    )
    entry = {
        "stream": stream, "seq": seq, "time": moment, "kind": event.kind, "hearing_id": event.hearing_id,
        "closed": event.closed, "header_salt": header_salt, "leaf": leaf,
    }  # fmt: skip
    body = {"public_salt": public_salt, "private_salt": private_salt}
    return entry, {**body, "public": public.decode(), "private": private.decode()}


def _unpack(frontier: str) -> list[bytes]:
    packed = bytes.fromhex(frontier)
    return [packed[at : at + merkle.HASH_SIZE] for at in range(0, len(packed), merkle.HASH_SIZE)]
