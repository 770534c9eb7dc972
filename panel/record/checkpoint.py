"""Publishing: the head is signed after its commit, by a key that lives in a file outside the database."""

import os
import secrets
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session

from panel.core.errors import Reason, Refused
from panel.core.files import sync_folder
from panel.record import queries
from panel.record.models import Checkpoint, LogKey
from panel.record.note import BadNote, CheckpointText, SigningKey


def new_origin() -> str:
    """Return a name for a new log; a restored backup starts a new one too (design 1.2)."""
    return f"heyi/{secrets.token_hex(8)}"


def make_key(path: Path, origin: str) -> SigningKey:
    """Make the log's key in a file that only its owner may read; durable when this returns, never overwritten."""
    key = SigningKey.new(origin)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(f"{key.private_text}\n")
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)
    return key


def read_key(path: Path) -> SigningKey:
    """Read the log's key; refuses a file that others may read, or that holds no key."""
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise Refused(
            Reason(
                "The record's key %(path)s can be read by others. Make it readable by its owner only.", path=path.name
            )
        )
    try:
        return SigningKey.parse(path.read_text(encoding="ascii").removesuffix("\n"))
    except (BadNote, UnicodeDecodeError):
        raise Refused(Reason("The file %(path)s holds no key of a record.", path=path.name)) from None


def key_at(path: Path) -> SigningKey:
    """Return the key kept at this path; makes one, with a new origin, where there is none."""
    return read_key(path) if path.exists() else make_key(path, new_origin())


def next_key(path: Path) -> SigningKey:
    """Make the key that will follow the one at this path, of the same name, in a file beside it."""
    return make_key(path.with_suffix(".next"), read_key(path).name)


def take_over(path: Path) -> None:
    """Let the next key take the place of the one at this path, which is destroyed. Durable when this returns."""
    path.with_suffix(".next").replace(path)
    sync_folder(path.parent)


def publish(engine: Engine, key: SigningKey, now: datetime) -> Checkpoint:
    """Sign the head and keep the checkpoint. Called on a fixed timer, so that size and time betray nothing.

    The head is read in a transaction of its own: only what is durable already is ever signed. A head that was
    published before is not published again. `engine` is the writing engine.
    """
    with Session(engine) as db:
        size = queries.head(db).size
        stated = CheckpointText(key.name, size, queries.root(db, size))
    note = key.sign(str(stated))
    made = Checkpoint(origin=key.name, size=size, root=stated.root, note=note, published_at=now)
    with Session(engine, expire_on_commit=False) as db:
        kept = db.get(Checkpoint, (key.name, size))
        if kept is None:
            if db.get(LogKey, str(key.verifier)) is None:
                db.add(LogKey(key=str(key.verifier), origin=key.name, first_used_at=now))
            db.add(made)
            db.commit()
    if kept is not None and kept.root != stated.root:
        raise Refused(Reason("The record no longer agrees with its checkpoint of size %(size)s.", size=size))
    return kept or made
