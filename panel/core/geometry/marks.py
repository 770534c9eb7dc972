"""What every picture shares: its width, how options are drawn and ordered, how labels are written."""

import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import ceil, floor

WIDTH = 400.0
EDGE = 10.0
INNER = WIDTH - 2 * EDGE

SLOTS: Mapping[str, str] = {
    "approve": "for", "established": "for", "disapprove": "against", "not_established": "against",
    "defer": "later", "abstain": "blank", "undetermined": "blank", "recused": "recused", "not_cast": "absent",
}  # fmt: skip
"""How an option is drawn: the shape and the colour of its mark."""

ORDER = ("for", "later", "blank", "absent", "recused", "against")
"""From left to right: those for and those against stand apart, what is neither stands between them."""

PIECES = re.compile(r"\s*(?:[^\s\u2e80-\uffff]+|[\u2e80-\uffff])")
"""A word with the space before it, or one Chinese character: between them a line may break."""


def slot_of(option: str) -> str:
    """Return how an option is drawn; one that is not in the table is a ring."""
    return SLOTS.get(option, "blank")


def ordered(options: Iterable[str]) -> list[str]:
    """Return the options from left to right; within a slot they keep their order."""
    return sorted(options, key=lambda option: ORDER.index(slot_of(option)))


def exact(number: Fraction) -> str:
    """Write a number of votes without rounding: 14/3 as "4 2/3"."""
    whole, rest = divmod(number, 1)
    return " ".join(filter(None, [str(whole) if whole or not rest else "", str(rest) if rest else ""]))


def needed(required: Fraction, *, strict: bool) -> int:
    """Return the least whole number that is more than `required` (strict), or at least it."""
    return floor(required) + 1 if strict else ceil(required)


def ems(text: str) -> float:
    """Return about how wide a text is: a Chinese character is one em, a Latin letter a little over half."""
    return sum(1.0 if ord(letter) > 0x2E7F else 0.56 for letter in text)


def wrap(text: str, room: float) -> tuple[str, ...]:
    """Break a label into lines of about `room` ems: between words, or between characters in even lines."""
    if " " in text:
        return _wrap_pieces(PIECES.findall(text), room)
    if ems(text) <= room or ord(text[0]) <= 0x2E7F:
        return (text,)
    size = ceil(len(text) / ceil(ems(text) / max(room, 1)))
    return tuple(text[i : i + size] for i in range(0, len(text), size))


def _wrap_pieces(pieces: Sequence[str], room: float) -> tuple[str, ...]:
    lines = [pieces[0]]
    for piece in pieces[1:]:
        if ems(lines[-1] + piece) <= room:
            lines[-1] += piece
        else:
            lines.append(piece.lstrip())
    return tuple(lines)
