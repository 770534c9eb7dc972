"""The record's tables. Entries and checkpoints never change; a body may be erased, and its entry still verifies."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Column, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from panel.core import clock
from panel.core.db import unasked
from panel.core.ids import new_id
from panel.record import commitment
from panel.record.merkle import HASH_SIZE

SYSTEM_STREAM = "system"
"""The stream of events that belong to no case."""


@unasked
class RecordEntry(SQLModel, table=True):
    """One event's place on the record, and the leaf that commits to it.

    `leaf` is the leaf's data, exactly. `hashes` are the hash of the leaf and of every larger subtree that it completes.
    """

    __tablename__ = "record_entry"
    __table_args__ = (UniqueConstraint("stream", "seq"),)

    index: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    stream: str = Field(max_length=32)
    seq: int
    time: datetime
    kind: str = Field(max_length=60)
    hearing_id: str | None = Field(default=None, index=True, max_length=32)
    closed: bool = False
    header_salt: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    leaf: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    hashes: bytes = Field(sa_column=Column(LargeBinary, nullable=False))

    @property
    def header(self) -> dict[str, Any]:
        """Return the header part, which is derived from the columns."""
        return commitment.header(self.stream, self.seq, clock.rfc3339(self.time))

    @property
    def leaf_hash(self) -> bytes:
        """Return the hash of the leaf."""
        return self.hashes[:HASH_SIZE]


@unasked
class RecordBody(SQLModel, table=True):
    """What an entry says, in canonical JSON, with its salts. A body is kept or erased, never changed."""

    __tablename__ = "record_body"

    index: int = Field(primary_key=True, foreign_key="record_entry.index", sa_column_kwargs={"autoincrement": False})
    public_salt: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    private_salt: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    public: str
    private: str


@unasked
class RecordStream(SQLModel, table=True):
    """A case's stream, by its record token, and how many events it has."""

    __tablename__ = "record_stream"

    token: str = Field(primary_key=True, max_length=32)
    length: int


@unasked
class RecordHead(SQLModel, table=True):
    """The one row that every append locks: the tree's size, and the roots of its complete subtrees in hex."""

    __tablename__ = "record_head"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    size: int
    frontier: str


@unasked
class Acknowledgement(SQLModel, table=True):
    """That somebody's own act is on the record, or an event that tells of their part in it: what a receipt is made of.

    Not on the record itself, and gone with the body when that is erased. `own`: the holder did it, and the receipt
    discloses all of it; otherwise its public part only.
    """

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    person_id: str = Field(index=True, max_length=32)
    index: int = Field(foreign_key="record_entry.index", index=True)
    own: bool


class LogKey(SQLModel, table=True):
    """A public key under which checkpoints were signed, in its text form; the log's own, of all its time."""

    __tablename__ = "log_key"

    key: str = Field(primary_key=True, max_length=300)
    origin: str = Field(max_length=200)
    first_used_at: datetime


class Checkpoint(SQLModel, table=True):
    """A signed statement of the tree's size and root; never changes. Its text carries no time."""

    __tablename__ = "checkpoint"

    origin: str = Field(primary_key=True, max_length=200)
    size: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    root: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    note: str
    published_at: datetime = Field(index=True)


class Cosignature(SQLModel, table=True):
    """A witness's line under a checkpoint: when it saw it, and found it consistent with all before."""

    origin: str = Field(primary_key=True, max_length=200)
    size: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    witness: str = Field(primary_key=True, max_length=300)
    line: str


class Timestamp(SQLModel, table=True):
    """An authority's timestamp (RFC 3161) over the SHA-256 of a checkpoint's signed note."""

    origin: str = Field(primary_key=True, max_length=200)
    size: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    token: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


ENTRIES, BODIES, HEAD, STREAMS, ACKNOWLEDGED = (
    SQLModel.metadata.tables[name]
    for name in ("record_entry", "record_body", "record_head", "record_stream", "acknowledgement")
)
"""The tables themselves, for statements that are prepared once."""

HEAD_ROW = "INSERT INTO record_head (id, size, frontier) VALUES (1, 0, '')"

SQLITE_GUARDS = (
    *(
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for table in ("record_entry", "checkpoint")
        for verb in ("UPDATE", "DELETE")
    ),
    "CREATE TRIGGER record_body_no_update BEFORE UPDATE ON record_body "
    "BEGIN SELECT RAISE(ABORT, 'record_body is kept or erased, never changed'); END",
    # An INSERT OR REPLACE would delete without firing the trigger above; so an entry may only ever be the next one.
    "CREATE TRIGGER record_entry_next BEFORE INSERT ON record_entry "
    'WHEN NEW."index" IS NOT (SELECT coalesce(max("index"), -1) + 1 FROM record_entry) '
    "BEGIN SELECT RAISE(ABORT, 'record_entry grows by one'); END",
    "CREATE TRIGGER checkpoint_no_replace BEFORE INSERT ON checkpoint "
    "WHEN EXISTS (SELECT 1 FROM checkpoint WHERE origin = NEW.origin AND size = NEW.size AND note IS NOT NEW.note) "
    "BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only'); END",
    "CREATE TRIGGER record_body_no_replace BEFORE INSERT ON record_body "
    'WHEN EXISTS (SELECT 1 FROM record_body WHERE "index" = NEW."index") '
    "BEGIN SELECT RAISE(ABORT, 'record_body is kept or erased, never changed'); END",
)

POSTGRESQL_GUARDS = (
    "CREATE FUNCTION record_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$",
    "CREATE FUNCTION record_next() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    'IF NEW."index" IS DISTINCT FROM (SELECT coalesce(max("index"), -1) + 1 FROM record_entry) '
    "THEN RAISE EXCEPTION 'record_entry grows by one'; END IF; RETURN NEW; END $$",
    *(
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"FOR EACH {'STATEMENT' if verb == 'TRUNCATE' else 'ROW'} EXECUTE FUNCTION record_refuse()"
        for table, verbs in (
            ("record_entry", ("UPDATE", "DELETE", "TRUNCATE")),
            ("checkpoint", ("UPDATE", "DELETE", "TRUNCATE")),
            ("record_body", ("UPDATE",)),
        )
        for verb in verbs
    ),
    "CREATE TRIGGER record_entry_next BEFORE INSERT ON record_entry FOR EACH ROW EXECUTE FUNCTION record_next()",
)


def append_only(execute: Callable[[str], object], dialect: str) -> None:
    """Make the record's tables refuse change, and lay the empty head; run once, by the migration."""
    for statement in (*(SQLITE_GUARDS if dialect == "sqlite" else POSTGRESQL_GUARDS), HEAD_ROW):
        execute(statement)
