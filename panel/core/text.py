"""Texts that people type: one spelling, no hidden marks."""

import unicodedata

from panel.core.errors import Reason

BIDI = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
"""Marks that turn the order of writing; a name with them can read as another (ASVS 1.1.1)."""

TURNS = Reason("This holds marks that turn the order of writing. Please type it without them.")
ZERO_WIDTH_JOINER = "\u200d"
BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # zh: fillers
"""Letters and symbols that are drawn as nothing."""

LOOK_ALIKE_SCRIPTS = frozenset({"LATIN", "CYRILLIC", "GREEK"})


def nfc(typed: str) -> str:
    """Return a text in Unicode's composed form: one spelling for what looks the same."""
    return unicodedata.normalize("NFC", typed)


def one_line(typed: str) -> str:
    """Return a name or title as it is kept: composed, without control and format marks, single spaces.

    Marks that turn the order of writing are kept, for `why_not_title` to refuse.
    """
    kept = "".join(mark if _visible(mark) else " " if mark in "\t\r\n" else "" for mark in nfc(typed))
    return " ".join(kept.split())


def _visible(mark: str) -> bool:
    return mark in BIDI or mark == ZERO_WIDTH_JOINER or unicodedata.category(mark) not in {"Cc", "Cf", "Cs", "Co", "Cn"}


def many_lines(typed: str) -> str:
    """Return a longer text as it is kept: composed, line ends as LF, without control marks."""
    lines = nfc(typed).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(mark for mark in lines if mark in "\n\t" or unicodedata.category(mark) not in {"Cc", "Cs"})


def turns(typed: str) -> bool:
    """Say whether a text holds marks that turn the order of writing."""
    return not BIDI.isdisjoint(typed)


def unseen(typed: str) -> list[str]:
    """Return the marks of a text that nobody sees, such as a space without width, by their numbers: U+200B."""
    marks = sorted({mark for mark in typed if mark in BLANK or unicodedata.category(mark) == "Cf"})
    return [f"U+{ord(mark):04X}" for mark in marks]


def mixes_scripts(title: str) -> bool:
    """Say whether one word mixes scripts that look alike, as in a Latin name with a Cyrillic letter."""
    return any(len(_scripts(word)) > 1 for word in title.split())


def _scripts(word: str) -> set[str]:
    return {unicodedata.name(mark, "").split(" ")[0] for mark in word if mark.isalpha()} & LOOK_ALIKE_SCRIPTS


def why_not_title(title: str, *, longest: int = 200) -> Reason | None:
    """Say why this cannot be a name or a title."""
    if not title:
        return Reason("Please fill this in.")
    if len(title) > longest:
        return Reason("This is too long: at most %(n)s characters.", n=longest)
    if turns(title):
        return TURNS
    if mixes_scripts(title):
        return Reason("One word mixes letters of scripts that look alike. Please type it in one script.")
    return None
