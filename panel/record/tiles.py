"""Tiles: the tree as static files, laid out as C2SP tlog-tiles (height 8). Whatever serves files can serve them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import select
from sqlmodel import Session

from panel.record import merkle
from panel.record.merkle import HASH_SIZE
from panel.record.models import ENTRIES

HEIGHT = 8
WIDTH = 1 << HEIGHT
"""Hashes in a full tile."""
LEAVES = -1
"""The level of an entry bundle: not hashes, but the data of the leaves below the tile of level 0 in the same place."""

_PATH = re.compile(r"tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


@dataclass(frozen=True, slots=True)
class Tile:
    """Some consecutive hashes of one level: `width` of them, 1 to 256, from `number` * 256 on."""

    level: int
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Return where the tile stands below the log's prefix."""
        level = "entries" if self.level == LEAVES else str(self.level)
        part = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{_elements(self.number)}{part}"

    @property
    def size(self) -> int:
        """Return how many entries the tree must have for this tile to be in it."""
        return (self.number * WIDTH + self.width) << HEIGHT * max(self.level, 0)


def parse(path: str) -> Tile | None:
    """Return the tile of a path, or None for anything that is not the one way to write it."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    level, number, width = found.groups()
    digits = number.replace("x", "").replace("/", "")
    tile = Tile(LEAVES if level == "entries" else int(level), int(digits), int(width or WIDTH))
    return tile if tile.path == path else None


def of(size: int) -> Iterator[Tile]:
    """Yield every tile of a tree of this size: entry bundles first, then the levels upwards, the partial ones last."""
    for level in (LEAVES, *range(64)):
        count = size >> HEIGHT * max(level, 0)
        if count == 0:
            return
        yield from (Tile(level, number) for number in range(count // WIDTH))
        if count % WIDTH:
            yield Tile(level, count // WIDTH, count % WIDTH)


def content(db: Session, tile: Tile) -> bytes:
    """Return a tile's bytes. The caller has made sure that the tree is large enough, and that its size is published."""
    level, first = max(tile.level, 0), tile.number * WIDTH
    last = [merkle.completed_at(HEIGHT * level, place) for place in range(first, first + tile.width)]
    wanted = ENTRIES.c["leaf"] if tile.level == LEAVES else ENTRIES.c["hashes"]
    found = db.connection().execute(select(wanted).where(ENTRIES.c["index"].in_(last)).order_by(ENTRIES.c["index"]))
    if tile.level == LEAVES:
        return b"".join(len(leaf).to_bytes(2, "big") + leaf for (leaf,) in found)
    start = HEIGHT * level * HASH_SIZE
    return b"".join(hashes[start : start + HASH_SIZE] for (hashes,) in found)


def _elements(number: int) -> str:
    """Return a number in elements of three digits, all but the last marked: 1234067 is x001/x234/067."""
    elements = [f"{number % 1000:03}"]
    while number := number // 1000:
        elements.insert(0, f"x{number % 1000:03}")
    return "/".join(elements)


def source(read: Callable[[Tile], bytes], size: int) -> merkle.HashAt:
    """Return the source of subtree hashes of a tree of this size that reads nothing but its tiles."""

    @lru_cache(maxsize=1024)
    def tile(level: int, number: int) -> bytes:
        width = min(WIDTH, (size >> HEIGHT * level) - number * WIDTH)
        data = read(Tile(level, number, width))
        if len(data) != width * HASH_SIZE:
            raise ValueError(f"tile {level}/{number} has not {width} hashes")
        return data

    def hash_at(level: int, place: int) -> bytes:
        above, height = divmod(level, HEIGHT)
        if height:
            return merkle.node_hash(hash_at(level - 1, 2 * place), hash_at(level - 1, 2 * place + 1))
        number, at = divmod(place, WIDTH)
        return tile(above, number)[at * HASH_SIZE : (at + 1) * HASH_SIZE]

    return hash_at
