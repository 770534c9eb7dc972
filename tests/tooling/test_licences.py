"""What runs in an installation may be passed on: permissive licences, LGPL and MPL at most."""

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from scripts.house import locked

ROOT = Path(__file__).parent.parent.parent
KNOWN = re.compile(
    r"\b(?:MIT|BSD|Apache|PSF|Python Software Foundation|ISC|MPL|LGPL|Zlib|Unlicense|0BSD)\b", re.IGNORECASE
)
COPYLEFT = re.compile(r"\b(?:A?GPL|GNU (?:Affero )?General Public)\b", re.IGNORECASE)
ELSEWHERE = {"colorama", "tzdata", "async-timeout"}
"""Needed on Windows only, or on the first patch releases of Python 3.11 only."""


def licence(name: str) -> str:
    """Return what an installed distribution says of its licence."""
    metadata = distribution(name).metadata
    said = [line for field in ("License-Expression", "Classifier", "License") for line in metadata.get_all(field) or []]
    return next((line for line in said if KNOWN.search(line) or COPYLEFT.search(line)), "")


def test_nothing_at_run_time_is_under_the_gpl() -> None:
    said = {}
    for name in locked(ROOT / "requirements.lock"):
        try:
            said[name] = licence(name)
        except PackageNotFoundError:
            assert name in ELSEWHERE
    assert len(said) > 50
    assert {name: text for name, text in said.items() if COPYLEFT.search(text) or not KNOWN.search(text)} == {}
