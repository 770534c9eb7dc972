"""Where checkpoints go: a folder, webhooks, witnesses that cosign them, an authority that timestamps them.

What fails is tried again with the next checkpoint, and never keeps one from being published.
"""

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session

from panel.core.files import write_whole
from panel.record import queries, timestamps
from panel.record.commitment import encode64
from panel.record.cosignature import WitnessKey
from panel.record.models import Checkpoint, Cosignature, Timestamp
from panel.record.note import parted

PATIENCE = 10.0
"""Seconds that another server may take."""
LONGEST = 64 * 1024
"""Bytes of an answer that are read."""
CONFLICT = 409

Send = Callable[[str, bytes, str], tuple[int, bytes]]
"""Posts a body of a media type to a URL; returns status and answer."""


@dataclass(frozen=True)
class Sinks:
    """What an installation has set: a folder, URLs to post to, witnesses (`key URL`), a timestamp authority's URL."""

    folder: Path | None = None
    hooks: tuple[str, ...] = ()
    witnesses: tuple[str, ...] = ()
    authority: str = ""

    def publish(self, engine: Engine, checkpoint: Checkpoint, failed: Callable[[str, Exception], None]) -> None:
        """Bring a checkpoint to every sink; tells `failed` of those that did not take it."""
        for name, bring in self._each(engine, checkpoint):
            try:
                bring()
            except Exception as problem:
                failed(name, problem)

    def _each(self, engine: Engine, checkpoint: Checkpoint) -> Iterator[tuple[str, Callable[[], object]]]:
        if self.folder is not None:
            yield str(self.folder), partial(keep, self.folder, checkpoint)
        for url in self.hooks:
            yield url, partial(told, url, checkpoint)
        for witness in self.witnesses:
            yield witness, partial(cosigned, engine, witness, checkpoint)
        if self.authority:
            yield self.authority, partial(timestamped, engine, self.authority, checkpoint)


def post(url: str, body: bytes, media_type: str) -> tuple[int, bytes]:
    """Post to another server; an answer that is an error is an answer."""
    request = urllib.request.Request(url, data=body, headers={"Content-Type": media_type}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read(LONGEST)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(LONGEST)


def keep(folder: Path, checkpoint: Checkpoint) -> None:
    """Keep a checkpoint as a file of its own, named by its size and root, and as `latest`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{checkpoint.size:012}-{checkpoint.root.hex()[:16]}.checkpoint"
    if not path.exists():
        write_whole(path, checkpoint.note.encode())
        write_whole(folder / "latest", checkpoint.note.encode())


def told(url: str, checkpoint: Checkpoint, send: Send = post) -> None:
    """Post a checkpoint as plain text."""
    status, _ = send(url, checkpoint.note.encode(), "text/plain; charset=utf-8")
    if status >= 300:
        raise OSError(f"answered {status}")


def cosigned(engine: Engine, witness: str, checkpoint: Checkpoint, send: Send = post) -> None:
    """Ask a witness (`key URL`) to cosign a checkpoint, and keep its line. Raises what it refuses."""
    text, _, url = witness.partition(" ")
    key = WitnessKey.parse(text)
    with Session(engine) as db:
        old = queries.seen_by(db, checkpoint.origin, text)
        if old == checkpoint.size:
            return
        status, answer = _asked(db, url, checkpoint, old, send)
        if status == CONFLICT and answer.strip().isdigit():
            status, answer = _asked(db, url, checkpoint, min(int(answer), checkpoint.size), send)
    if status != 200:
        raise OSError(f"answered {status}: {answer.decode(errors='replace').strip()[:200]}")
    line = _line_of(answer.decode(), key, checkpoint)
    with Session(engine) as db:
        db.merge(Cosignature(origin=checkpoint.origin, size=checkpoint.size, witness=text, line=line))
        db.commit()


def timestamped(engine: Engine, url: str, checkpoint: Checkpoint, send: Send = post) -> None:
    """Have a checkpoint's signed note timestamped (RFC 3161), and keep the authority's answer."""
    with Session(engine) as db:
        if db.get(Timestamp, (checkpoint.origin, checkpoint.size)) is not None:
            return
    note = checkpoint.note.encode()
    status, answer = send(url, timestamps.query(note), "application/timestamp-query")
    if status != 200:
        raise OSError(f"answered {status}")
    token = timestamps.granted(answer, note)
    with Session(engine) as db:
        db.merge(Timestamp(origin=checkpoint.origin, size=checkpoint.size, token=token))
        db.commit()


def _asked(db: Session, url: str, checkpoint: Checkpoint, old: int, send: Send) -> tuple[int, bytes]:
    proof = queries.consistency(db, old, checkpoint.size) if 0 < old < checkpoint.size else []
    lines = "".join(f"{line}\n" for line in (f"old {old}", *map(encode64, proof)))
    return send(f"{url.rstrip('/')}/add-checkpoint", f"{lines}\n{checkpoint.note}".encode(), "text/plain")


def _line_of(answer: str, key: WitnessKey, checkpoint: Checkpoint) -> str:
    """Return the line of this witness that an answer holds, after verifying it."""
    for line in answer.splitlines(keepends=True):
        note = f"{parted(checkpoint.note)[0]}\n{line}"
        if parted(note)[1][0][0] == key.name:
            key.time_of(note)
            return line
    raise OSError("the answer holds no cosignature of this witness")
