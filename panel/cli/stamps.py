"""When something was last done to an installation: small files in its data directory, of no secret."""

import json
from datetime import datetime
from pathlib import Path

from panel.core import clock
from panel.core.files import write_whole

BACKUP, REHEARSAL = "last-backup.json", "last-rehearsal.json"


def note(data: Path, name: str) -> None:
    """Note that it was done now. Raises OSError."""
    write_whole(data / name, json.dumps({"at": clock.rfc3339(clock.now())}).encode(), mode=0o600)


def noted(data: Path, name: str) -> datetime | None:
    """Return when it was last done; None where it never was, or the note cannot be read."""
    try:
        return datetime.fromisoformat(json.loads((data / name).read_text(encoding="utf-8"))["at"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def age(data: Path, name: str) -> float | None:
    """Return the seconds since it was last done."""
    at = noted(data, name)
    return None if at is None else (clock.now() - at).total_seconds()
