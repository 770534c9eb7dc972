"""The published record as files in a folder, for any file server: what `/record/` serves, and nothing else."""

from pathlib import Path

from sqlmodel import Session

from panel.core.files import write_whole
from panel.record import queries, tiles
from panel.record.models import Checkpoint


def mirror(db: Session, checkpoint: Checkpoint, folder: Path) -> int:
    """Write the tiles of a published checkpoint that are not there yet, then the checkpoint; returns how many tiles.

    In this order, so that whoever reads the checkpoint finds every tile of it.
    """
    written = 0
    for tile in tiles.of(checkpoint.size):
        path = folder / tile.path
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, tiles.content(db, tile))
            written += 1
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "checkpoint", queries.cosigned(db, checkpoint).encode())
    return written
