"""The Merkle tree of RFC 6962 (and RFC 9162, 2.1) over SHA-256: roots, proofs, and their verification.

A subtree is named by its level and its place in that level: (0, i) is leaf i, (level, i) covers the leaves from
i * 2**level up to, not including, (i + 1) * 2**level. Only complete subtrees are ever asked for.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

HashAt = Callable[[int, int], bytes]
"""Gives the hash of a complete subtree from its level and its place in the level."""

EMPTY_ROOT = sha256(b"").digest()
HASH_SIZE = 32


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf; the leading 0 keeps leaves apart from nodes."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def append(frontier: Sequence[bytes], size: int, leaf: bytes) -> tuple[list[bytes], list[bytes]]:
    """Add a leaf's hash to a tree of `size` leaves, given the roots of its complete subtrees, largest first.

    Returns the new frontier, and the hashes of the subtrees which the leaf completes: itself, then ever larger ones.
    """
    grown, completed = list(frontier), [leaf]
    while size & 1:
        completed.append(node_hash(grown.pop(), completed[-1]))
        size >>= 1
    return [*grown, completed[-1]], completed


def frontier_root(frontier: Sequence[bytes]) -> bytes:
    """Return the root of a tree from the roots of its complete subtrees, largest first."""
    if not frontier:
        return EMPTY_ROOT
    root = frontier[-1]
    for left in reversed(frontier[:-1]):
        root = node_hash(left, root)
    return root


def completed_at(level: int, place: int) -> int:
    """Return the index of the leaf that completes a subtree: its last one."""
    return ((place + 1) << level) - 1


def hashes_of(leaves: Sequence[bytes]) -> HashAt:
    """Return the subtree hashes of a list of leaf hashes, for small trees held in memory."""

    def hash_at(level: int, place: int) -> bytes:
        if level == 0:
            return leaves[place]
        return node_hash(hash_at(level - 1, 2 * place), hash_at(level - 1, 2 * place + 1))

    return hash_at


def root(size: int, hash_at: HashAt) -> bytes:
    """Return the root of the first `size` leaves."""
    return _range_root(0, size, hash_at) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, hash_at: HashAt) -> list[bytes]:
    """Return the proof that leaf `index` is in the tree of `size` leaves, from the leaf upwards (RFC 6962, 2.1.1)."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    start, end, path = 0, size, list[bytes]()
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_root(middle, end, hash_at))
            end = middle
        else:
            path.append(_range_root(start, middle, hash_at))
            start = middle
    return path[::-1]


def consistency_proof(old: int, new: int, hash_at: HashAt) -> list[bytes]:
    """Return the proof that the tree of `new` leaves begins with the tree of `old` leaves (RFC 6962, 2.1.2)."""
    if not 0 < old <= new:
        raise ValueError(f"a tree of {old} does not come before a tree of {new}")
    start, end, whole, path = 0, new, True, list[bytes]()
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range_root(middle, end, hash_at))
            end = middle
        else:
            path.append(_range_root(start, middle, hash_at))
            start, whole = middle, False
    if not whole:
        path.append(_range_root(start, end, hash_at))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Say whether the proof leads from the leaf at `index` to the root of `size` leaves (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, reached = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            reached = node_hash(sibling, reached)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            reached = node_hash(reached, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and reached == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Say whether the proof shows that the newer tree begins with the older one (RFC 9162, 2.1.4.2)."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old_reached = new_reached = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old_reached, new_reached = node_hash(sibling, old_reached), node_hash(sibling, new_reached)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new_reached = node_hash(new_reached, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and old_reached == old_root and new_reached == new_root


def _split(size: int) -> int:
    """Return the largest power of two below `size`, where RFC 6962 divides a tree."""
    return 1 << (size - 1).bit_length() - 1


def _range_root(start: int, end: int, hash_at: HashAt) -> bytes:
    """Return the root of the leaves [start, end); a start is always a multiple of the subtree's width."""
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return hash_at(level, start >> level)
    middle = start + _split(size)
    return node_hash(_range_root(start, middle, hash_at), _range_root(middle, end, hash_at))
