"""Sequencing: events get their index and their place in the tree, inside the caller's transaction.

What the acts of one transaction record is sealed and numbered at once, and written together: when somebody reads the
record, or before the commit. An act that is undone takes its events with it, and the next act gets their numbers.
"""

import secrets
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, text, update
from sqlmodel import Session

from panel.core import clock
from panel.core.db import core
from panel.core.ids import new_id
from panel.record import commitment, merkle
from panel.record.commitment import SALT_SIZE, canonical, commit_canonical
from panel.record.events import Event
from panel.record.models import ACKNOWLEDGED, BODIES, ENTRIES, HEAD, STREAMS

_LOCK_HEAD = select(HEAD.c.size, HEAD.c.frontier).where(HEAD.c.id == 1).with_for_update()
_MOVE_HEAD = update(HEAD).where(HEAD.c.id == 1).values(size=bindparam("new_size"), frontier=bindparam("new_frontier"))
_LENGTH = select(STREAMS.c.length).where(STREAMS.c.token == bindparam("of"))
_COUNT_STREAM = text(
    "INSERT INTO record_stream (token, length) VALUES (:token, :more) "
    "ON CONFLICT (token) DO UPDATE SET length = record_stream.length + excluded.length"
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


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a sheet was when an act began."""

    events: int
    told: int
    written: int
    told_written: int
    first: int | None
    frontier: tuple[bytes, ...]


class Sheet:
    """What one transaction adds to the record.

    Takes the head's lock with the first event, which is the last lock of any act: from there to the commit nobody else
    sequences, so that the order of commits is the order of indexes and no stream has a gap. The cost does not grow
    with the record.
    """

    def __init__(self, db: Session) -> None:
        self._db = db
        self._first: int | None = None
        self._frontier: tuple[bytes, ...] = ()
        self._lengths: dict[str, int] = {}
        self._entries: list[dict[str, Any]] = []
        self._bodies: list[dict[str, Any]] = []
        self._told: list[dict[str, Any]] = []
        self._written = self._told_written = 0
        self._writing = False

    def add(
        self, events: Sequence[Event], now: datetime, *, stream: str, told_of: Collection[str] = ()
    ) -> list[Sequenced]:
        """Seal events of one stream and number them; they are written by `write`, in this transaction.

        Who acts can have a receipt of it, and so can everybody whose part in it the events tell of (`told_of`, ids).
        """
        return [self._add(event, now, stream, told_of) for event in events]

    def _add(self, event: Event, now: datetime, stream: str, told_of: Collection[str]) -> Sequenced:
        index, seq = self._head() + len(self._entries), self._length(stream) + 1
        entry, body = _sealed(event, stream, seq, now.replace(microsecond=now.microsecond // 1000 * 1000))
        leaf_hash = merkle.leaf_hash(entry["leaf"])
        self._entries.append({"index": index, **entry, "hashes": leaf_hash})
        self._bodies.append({"index": index, **body})
        self._told += [
            {"id": new_id(), "person_id": person, "index": index, "own": person == event.actor_id}
            for person in dict.fromkeys((event.actor_id, *told_of))
            if person
        ]
        self._lengths[stream] = seq
        return Sequenced(index, seq, leaf_hash)

    def mark(self) -> Mark:
        """Return how far this sheet is, for `back`."""
        return Mark(len(self._entries), len(self._told), self._written, self._told_written, self._first, self._frontier)

    def back(self, mark: Mark) -> None:
        """Forget what was added since, the head too where it was read since; the caller has undone what was written."""
        for entry in self._entries[mark.events :]:
            self._lengths[entry["stream"]] -= 1
        del self._entries[mark.events :], self._bodies[mark.events :], self._told[mark.told :]
        self._written, self._told_written = mark.written, mark.told_written
        self._first, self._frontier = mark.first, mark.frontier

    def write_before(self, statement: str) -> None:
        """Write what waits before a statement that may read it."""
        if not self._writing and ("record_" in statement or "acknowledgement" in statement):
            self.write()

    def write(self) -> None:
        """Write what waits; what was written since a mark is undone with its savepoint."""
        entries = self._entries[self._written :]
        if not entries:
            return
        self._writing = True
        try:
            self._place(entries)
            connection = core(self._db)
            for token, more in Counter(entry["stream"] for entry in entries).items():
                connection.execute(_COUNT_STREAM, {"token": token, "more": more})
            connection.execute(_ADD_ENTRIES, entries)
            connection.execute(_ADD_BODIES, self._bodies[self._written :])
            if told := self._told[self._told_written :]:
                connection.execute(_ACKNOWLEDGE, told)
            head = {"new_size": entries[-1]["index"] + 1, "new_frontier": b"".join(self._frontier).hex()}
            connection.execute(_MOVE_HEAD, head)
        finally:
            self._writing = False
        self._written, self._told_written = len(self._entries), len(self._told)

    def _place(self, entries: Sequence[dict[str, Any]]) -> None:
        """Give every entry its place in the tree: the hashes of the subtrees that it completes, its own first."""
        frontier: Sequence[bytes] = self._frontier
        for entry in entries:
            frontier, completed = merkle.append(frontier, entry["index"], entry["hashes"][: merkle.HASH_SIZE])
            entry["hashes"] = b"".join(completed)
        self._frontier = tuple(frontier)

    def _head(self) -> int:
        """Return the size of the tree before this transaction; the first time, lock the head."""
        if self._first is None:
            self._first, packed = core(self._db).execute(_LOCK_HEAD).one()
            self._frontier = _unpack(packed)
        return self._first

    def _length(self, stream: str) -> int:
        if stream not in self._lengths:
            found: int | None = core(self._db).execute(_LENGTH, {"of": stream}).scalar_one_or_none()
            self._lengths[stream] = found or 0
        return self._lengths[stream]


def _sealed(event: Event, stream: str, seq: int, moment: datetime) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an event's entry, without its place in the tree, and its body; the salts are new."""
    salts = secrets.token_bytes(3 * SALT_SIZE)
    header_salt, public_salt, private_salt = (salts[at : at + SALT_SIZE] for at in range(0, len(salts), SALT_SIZE))
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


def _unpack(frontier: str) -> tuple[bytes, ...]:
    packed = bytes.fromhex(frontier)
    return tuple(packed[at : at + merkle.HASH_SIZE] for at in range(0, len(packed), merkle.HASH_SIZE))
