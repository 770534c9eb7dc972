"""Making tampered cases: one bit of one thing is changed, and who accepted it is asked of ours and of theirs."""

import random
import re
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from panel.record import merkle, tiles
from panel.record.note import BadNote, CheckpointText, VerifierKey
from panel.record.tiles import LEAVES, Tile
from panel.verify import check, receipt
from panel.verify.bundle import Broken
from tests.foreign.conftest import VKEY, Case
from tests.record.test_tiles import leaves_of

Dice = random.Random
VERIFIER = VerifierKey.parse(VKEY)


@dataclass(frozen=True)
class Tampered:
    """A tampered case: what was changed, the case, the honest one it was made from, and what ours says to it."""

    what: str
    case: Case
    honest: Case
    ours: bool


def flipped(data: bytes, dice: Dice, start: int = 0, end: int | None = None) -> bytes:
    """Return the data with one bit changed, between two places."""
    bit = dice.randrange(8 * start, 8 * (len(data) if end is None else end))
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def ours(case: Case) -> bool:
    """Say whether our own verifier accepts a case."""
    if case["Kind"] == "inclusion":
        leaf = merkle.leaf_hash(case["Leaf"])
        return merkle.verify_inclusion(leaf, case["Index"], case["Size"], case["Proof"], case["Root"])
    if case["Kind"] == "consistency":
        old, new = case["Old"], case["Size"]
        return merkle.verify_consistency(old, new, case["OldRoot"], case["Root"], case["Proof"])
    if case["Kind"] == "receipt":
        return receipt.verify(case["File"], VKEY).holds
    if case["Kind"] == "bundle":
        return check.verify(case["File"], VKEY).holds
    return opened(case["File"]) is not None


def opened(note: bytes) -> CheckpointText | None:
    """Return what a checkpoint states, or None when ours refuses it."""
    try:
        return check.open_checkpoint(note.decode(), VERIFIER)
    except (Broken, BadNote, UnicodeDecodeError):
        return None


def tampered(what: str, honest: Case, **change: Any) -> Tampered:
    """Return a case with a change, judged by ours."""
    case = {**honest, **change}
    assert case != honest
    return Tampered(what, case, honest, ours(case))


def entries(honest: Sequence[Case], dice: Dice, count: int) -> Iterator[Tampered]:
    """Change a bit of the leaf data of entries."""
    for _ in range(count):
        case = dice.choice(honest)
        yield tampered("entry", case, Leaf=flipped(case["Leaf"], dice))


def roots(honest: Sequence[Case], dice: Dice, count: int) -> Iterator[Tampered]:
    """Change a bit of the root that a proof leads to."""
    for _ in range(count):
        case = dice.choice(honest)
        yield tampered("root", case, Root=flipped(case["Root"], dice))


def proofs(honest: Sequence[Case], dice: Dice, count: int) -> Iterator[Tampered]:
    """Change a bit of one hash of a proof."""
    for _ in range(count):
        case = dice.choice([one for one in honest if one["Proof"]])
        at = dice.randrange(len(case["Proof"]))
        changed = [flipped(node, dice) if place == at else node for place, node in enumerate(case["Proof"])]
        yield tampered("proof", case, Proof=changed)


def notes(honest: Case) -> Iterator[Tampered]:
    """Change every bit of the size, of the root and of the signature line of a checkpoint."""
    lines = honest["File"].split(b"\n")
    for what, line in {"size": 1, "signed root": 2, "signature": 4}.items():
        start = sum(len(before) + 1 for before in lines[:line])
        for bit in range(8 * start, 8 * (start + len(lines[line]))):
            changed = bytearray(honest["File"])
            changed[bit // 8] ^= 1 << bit % 8
            yield tampered(what, honest, File=bytes(changed))


def receipts(honest: Sequence[Case], dice: Dice, count: int) -> Iterator[Tampered]:
    """Change a bit anywhere in a receipt; and as often, one of its index or of its proof."""
    for _ in range(count):
        case = dice.choice(honest)
        yield tampered("receipt", case, File=flipped(case["File"], dice))
        start, end = case["File"].index(b"\nindex ") + 1, case["File"].index(b"\n\n")
        yield tampered("receipt's proof", case, File=flipped(case["File"], dice, start, end))


TALLY = re.compile(
    rb'"counts":\{[^{}]*[0-9][^{}]*\}|"participation":\[[^\]]+\]|"carried":"[a-z_]+"|"present":\[[^\]]+\]'
)


def tallies(honest: Case, dice: Dice, count: int) -> Iterator[Tampered]:
    """Change a bit of a tally that a bundle discloses: its counts, who took part, or what was carried."""
    places = [found.span() for found in TALLY.finditer(honest["File"])]
    assert places
    for _ in range(count):
        start, end = dice.choice(places)
        yield tampered("tally", honest, File=flipped(honest["File"], dice, start, end))


def files(honest: Case, read: Callable[[Tile], bytes], size: int, dice: Dice, count: int) -> Iterator[Tampered]:
    """Change a bit of a tile, or of a bundle of entries; every file is hit."""
    every = list(tiles.of(size))
    for number in range(count):
        hit = every[number % len(every)]
        changed = flipped(read(hit), dice)
        case = {**honest, "Instead": {hit.path: changed}}
        yield Tampered("tile", case, honest, tree_holds(case, _instead(read, hit, changed)))


def _instead(read: Callable[[Tile], bytes], hit: Tile, changed: bytes) -> Callable[[Tile], bytes]:
    return lambda tile: changed if tile == hit else read(tile)


def tree_holds(case: Case, read: Callable[[Tile], bytes]) -> bool:
    """Say whether ours finds that the entries give every hash in the tiles, and the root that was signed."""
    stated = opened(case["Checkpoint"])
    assert stated is not None
    try:
        source, frontier = tiles.source(read, stated.size), list[bytes]()
        leaves = [leaf for tile in tiles.of(stated.size) if tile.level == LEAVES for leaf in leaves_of(read(tile))]
        for index, leaf in enumerate(leaves):
            frontier, completed = merkle.append(frontier, index, merkle.leaf_hash(leaf))
            for level in range(0, len(completed), tiles.HEIGHT):
                if source(level, (index + 1 >> level) - 1) != completed[level]:
                    return False
    except (ValueError, struct.error):
        return False
    return len(leaves) == stated.size and merkle.frontier_root(frontier) == stated.root
