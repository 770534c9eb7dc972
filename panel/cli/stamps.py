"""Noting when something was last done to an installation; whoever judges it reads what stands here (core/health.py)."""

import json
from pathlib import Path
from typing import Any

from panel.core import clock
from panel.core.files import write_whole
from panel.core.health import BACKUP, REHEARSAL

__all__ = ["BACKUP", "REHEARSAL", "note"]


def note(data: Path, name: str, **told: Any) -> None:
    """Note that it was done now, and what else is told of it: `by` which command, `size` in bytes. Raises OSError."""
    said = {"at": clock.rfc3339(clock.now()), **told}
    write_whole(data / name, json.dumps(said).encode(), mode=0o600)
