"""Where templates, static files and migrations lie: beside the package in a checkout, inside it in a wheel."""

from functools import cache
from hashlib import sha256
from pathlib import Path

PACKAGE = Path(__file__).parent.parent


def folder(name: str) -> Path:
    """Return the folder `templates`, `static` or `migrations`."""
    beside = PACKAGE.parent / name
    return beside if beside.is_dir() else PACKAGE / name


@cache
def fingerprint(path: str) -> str:
    """Return the first 12 hex digits of a static file's SHA-256, for addresses that may be cached for ever."""
    return sha256((folder("static") / path).read_bytes()).hexdigest()[:12]


@cache
def schema_version() -> str:
    """Return the number of the newest migration that comes with this version."""
    return max(file.name.partition("_")[0] for file in (folder("migrations") / "versions").glob("[0-9]*.py"))
