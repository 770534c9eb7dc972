"""Whether a password would be guessed soon: common ones, names, dates, walks over the keyboard, telephone numbers."""

import re
import tomllib
from functools import cache
from pathlib import Path

from zxcvbn import zxcvbn

from panel.accounts import rules
from panel.core.errors import Reason

WORDS = Path(__file__).parent.parent / "rulepacks" / "passwords.toml"

LEAST_SCORE = 3
"""Of 0 to 4, by the library's estimate: at least 10^8 guesses (ASVS 6.2.4)."""

JUDGED = 32
SIGNS, MOST_SIGNS = frozenset("@({[<!|$+%"), 5
"""So many characters are judged, and only where so few signs may stand for letters (p@ssw0rd): beyond both the library
would take seconds, for texts that no list holds.
"""

NUMBERS = re.compile(r"(?:\+?86)?1[3-9]\d{9}|\d{17}[\dXx]")
"""Mobile telephone numbers and citizens' identity numbers, as they are written in China: known to too many."""

LEAST_BESIDE = 8
"""Characters that a password has beside such a number."""


def why_not_password(password: str, *own: str) -> Reason | None:
    """Say why a person may not choose this password; `own` are their names, which everybody knows."""
    if (reason := rules.why_not_length(password)) is not None:
        return reason
    if not is_guessable(password, *own):
        return None
    return Reason("This password is easy to guess: it is common, or made of names, dates or numbers that others know.")


def is_guessable(password: str, *own: str) -> bool:
    """Say whether somebody who knows the person would find the password with few guesses. Takes 20 to 250 ms."""
    rest = NUMBERS.sub("", password)
    if rest != password and len(rest) < LEAST_BESIDE:
        return True
    known = [part for name in own for part in re.split(r"[\s@._·-]+", name.lower()) if part]
    if _names_and_date(tuple(known)).fullmatch(password):
        return True
    if len(SIGNS.intersection(password[:JUDGED])) > MOST_SIGNS:
        return False
    judged = zxcvbn(password[:JUDGED], user_inputs=[*known, *_words()])
    return bool(judged["score"] < LEAST_SCORE)


def _names_and_date(own: tuple[str, ...]) -> re.Pattern[str]:
    """Return what a few known words in a row look like, with at most a date behind them: wangwei19900101."""
    word = "|".join(re.escape(each) for each in sorted({*own, *_words()}, key=len, reverse=True))
    return re.compile(rf"(?:(?:{word})[\W_]?){{1,4}}\d{{0,8}}[\W_]?", re.IGNORECASE)


@cache
def _words() -> tuple[str, ...]:
    return tuple(tomllib.loads(WORDS.read_text(encoding="utf-8"))["words"])
