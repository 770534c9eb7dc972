"""Tiles: paths in their one form, the tree rebuilt from nothing but static files, and what is not served."""

import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session

from panel.core import clock
from panel.record import checkpoint, merkle, queries, tiles
from panel.record.note import SigningKey
from panel.record.tiles import LEAVES, WIDTH, Tile
from tests.factories import World
from tests.record.sayings import NOON, append, note, say

KEY = SigningKey("heyi/test", bytes(range(32)))
SIZES = (1, 255, 256, 257, 600)


def leaves_of(bundle: bytes) -> list[bytes]:
    """Read an entry bundle as the format says: entries, each behind its length in two bytes."""
    found, at = [], 0
    while at < len(bundle):
        (length,) = struct.unpack_from(">H", bundle, at)
        found.append(bundle[at + 2 : at + 2 + length])
        at += 2 + length
    return found


def hashes_of(tile: bytes) -> list[bytes]:
    """Read a tile of hashes."""
    return [tile[at : at + 32] for at in range(0, len(tile), 32)]


def naive_root(hashes: Sequence[bytes]) -> bytes:
    """Compute a root by the definition in RFC 6962, 2.1, over hashes of one level."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return merkle.node_hash(naive_root(hashes[:split]), naive_root(hashes[split:]))


def test_a_tree_of_70000_is_the_tiles_that_the_specification_counts() -> None:
    counted: dict[int, list[int]] = {}
    for tile in tiles.of(70_000):
        counted.setdefault(tile.level, []).append(tile.width)
    assert counted == {LEAVES: [256] * 273 + [112], 0: [256] * 273 + [112], 1: [256, 17], 2: [1]}
    assert list(tiles.of(0)) == []
    assert [(tile.level, tile.width) for tile in tiles.of(256)] == [(LEAVES, 256), (0, 256), (1, 1)]


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(1, 1234067), "tile/1/x001/x234/067"),
        (Tile(0, 1000, 5), "tile/0/x001/000.p/5"),
        (Tile(LEAVES, 12, 255), "tile/entries/012.p/255"),
    ],
)
def test_a_tile_has_one_path(tile: Tile, path: str) -> None:
    assert (tile.path, tiles.parse(path)) == (path, tile)


@given(st.integers(-1, 63), st.integers(0, 10**12), st.integers(1, WIDTH))
def test_every_path_is_read_back(level: int, number: int, width: int) -> None:
    tile = Tile(level, number, width)
    assert tiles.parse(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "", "tile/", "tile/0/0", "tile/0/0000", "tile/00/000", "tile/64/000", "tile/0/x000/001", "tile/0/001/x002",
        "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/", "tile/0/-01", "tile/entries/00a",
        "tile/0/000\n", "tile/0/٠٠٠", "tile/0/../000", "/tile/0/000", "tile/leaves/000",
    ],
)  # fmt: skip
def test_what_is_no_path_of_a_tile_is_none(path: str) -> None:
    assert tiles.parse(path) is None


def test_tiles_alone_rebuild_leaves_and_root(engine: Engine) -> None:
    with Session(engine) as db:
        append(db, [note(f"第{n}条") for n in range(max(SIZES))], NOON, stream="system")
        db.commit()
        roots = {size: queries.root(db, size) for size in SIZES}
        for size in SIZES:
            files = {tile: tiles.content(db, tile) for tile in tiles.of(size)}
            leaves = [leaf for tile, content in files.items() if tile.level == LEAVES for leaf in leaves_of(content)]
            level = [node for tile, content in files.items() if tile.level == 0 for node in hashes_of(content)]
            assert [merkle.leaf_hash(leaf) for leaf in leaves] == level
            assert (len(leaves), naive_root(level)) == (size, roots[size])
            above = [node for tile, content in files.items() if tile.level == 1 for node in hashes_of(content)]
            assert above == [naive_root(level[at : at + WIDTH]) for at in range(0, size // WIDTH * WIDTH, WIDTH)]


def test_only_the_published_tree_is_served_and_for_ever(world: World) -> None:
    client, engine = world.client(), world.site.writer._engine  # type: ignore[attr-defined]  # the writer's own
    assert client.get("/record/tile/0/000.p/1").status_code == 404
    with Session(engine) as db:
        before = queries.head(db).size
    checkpoint.publish(engine, KEY, clock.now())
    with Session(engine) as db:
        say(db, "尚未公布")
        db.commit()
        expected = tiles.content(db, Tile(0, 0, before))
    answer = client.get(f"/record/tile/0/000.p/{before}")
    assert (answer.status_code, answer.content) == (200, expected)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "set-cookie" not in answer.headers
    for path in (f"0/000.p/{before + 1}", f"entries/000.p/{before + 1}", "0/000", "1/000.p/1", "0/x/000", "63/000"):
        assert client.get(f"/record/tile/{path}").status_code == 404
    assert len(leaves_of(client.get(f"/record/tile/entries/000.p/{before}").content)) == before


def test_the_log_s_keys_are_there_for_anyone(world: World) -> None:
    engine = world.site.writer._engine  # type: ignore[attr-defined]  # the writer's own
    checkpoint.publish(engine, KEY, clock.now())
    assert world.client().get("/record/keys").text == f"{KEY.verifier}\n"
