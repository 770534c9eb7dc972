"""The tree against RFC 6962's own definition, its published vectors, and every wrong proof that is near a right one."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.record import merkle
from panel.record.merkle import HASH_SIZE

VECTOR_LEAVES = (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)  # fmt: skip
VECTOR_ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""Roots of the first 0 to 8 of these leaves, as the Certificate Transparency project publishes them."""

sizes = st.integers(min_value=1, max_value=70)


def leaves(count: int) -> list[bytes]:
    """Return the hashes of so many different leaves."""
    return [merkle.leaf_hash(str(number).encode()) for number in range(count)]


def naive_root(hashes: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = max(2**power for power in range(8) if 2**power < len(hashes))
    return sha256(b"\x01" + naive_root(hashes[:split]) + naive_root(hashes[split:])).digest()


def naive_path(index: int, hashes: list[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.1, word for word."""
    if len(hashes) == 1:
        return []
    split = max(2**power for power in range(8) if 2**power < len(hashes))
    if index < split:
        return [*naive_path(index, hashes[:split]), naive_root(hashes[split:])]
    return [*naive_path(index - split, hashes[split:]), naive_root(hashes[:split])]


def naive_subproof(old: int, hashes: list[bytes], whole: bool) -> list[bytes]:
    """RFC 6962, 2.1.2, word for word."""
    if old == len(hashes):
        return [] if whole else [naive_root(hashes)]
    split = max(2**power for power in range(8) if 2**power < len(hashes))
    if old <= split:
        return [*naive_subproof(old, hashes[:split], whole), naive_root(hashes[split:])]
    return [*naive_subproof(old - split, hashes[split:], False), naive_root(hashes[:split])]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    hashes = [merkle.leaf_hash(bytes.fromhex(leaf)) for leaf in VECTOR_LEAVES[:size]]
    assert merkle.root(size, merkle.hashes_of(hashes)).hex() == VECTOR_ROOTS[size]


@given(sizes)
def test_growing_by_one_leaf_after_the_other_gives_the_same_root(size: int) -> None:
    hashes, frontier, stored = leaves(size), list[bytes](), dict[tuple[int, int], bytes]()
    for index, leaf in enumerate(hashes):
        frontier, completed = merkle.append(frontier, index, leaf)
        stored |= {(level, index >> level): found for level, found in enumerate(completed)}
        assert merkle.frontier_root(frontier) == naive_root(hashes[: index + 1])
    source = merkle.hashes_of(hashes)
    assert {at: source(*at) for at in stored} == stored
    assert merkle.root(size, lambda level, place: stored[level, place]) == naive_root(hashes)
    assert all(merkle.completed_at(level, place) < size for level, place in stored)


@given(sizes, st.data())
def test_inclusion_proofs_are_the_rfcs_and_hold(size: int, data: st.DataObject) -> None:
    index, hashes = data.draw(st.integers(0, size - 1)), leaves(size)
    proof = merkle.inclusion_proof(index, size, merkle.hashes_of(hashes))
    assert proof == naive_path(index, hashes)
    assert merkle.verify_inclusion(hashes[index], index, size, proof, naive_root(hashes))


@given(sizes, st.data())
def test_consistency_proofs_are_the_rfcs_and_hold(new: int, data: st.DataObject) -> None:
    old, hashes = data.draw(st.integers(1, new)), leaves(new)
    proof = merkle.consistency_proof(old, new, merkle.hashes_of(hashes))
    assert proof == naive_subproof(old, hashes, True)
    assert merkle.verify_consistency(old, new, naive_root(hashes[:old]), naive_root(hashes), proof)


@given(sizes, st.data())
def test_a_proof_changed_in_one_bit_shortened_or_lengthened_does_not_hold(size: int, data: st.DataObject) -> None:
    index, hashes = data.draw(st.integers(0, size - 1)), leaves(size)
    root, proof = naive_root(hashes), naive_path(index, hashes)
    assert not merkle.verify_inclusion(hashes[index], index, size, [*proof, hashes[0]], root)
    assert not merkle.verify_inclusion(merkle.leaf_hash(b"other"), index, size, proof, root)
    if proof:
        place, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 8 * HASH_SIZE - 1))
        changed = (int.from_bytes(proof[place]) ^ 1 << bit).to_bytes(HASH_SIZE)
        assert not merkle.verify_inclusion(
            hashes[index], index, size, [*proof[:place], changed, *proof[place + 1 :]], root
        )
        assert not merkle.verify_inclusion(hashes[index], index, size, proof[:-1], root)


@given(st.integers(2, 40), st.data())
def test_a_leaf_is_proven_at_its_own_index_only(size: int, data: st.DataObject) -> None:
    index, other = data.draw(st.lists(st.integers(0, size - 1), min_size=2, max_size=2, unique=True))
    hashes = leaves(size)
    proof = naive_path(index, hashes)
    assert not merkle.verify_inclusion(hashes[index], other, size, proof, naive_root(hashes))
    assert not merkle.verify_inclusion(hashes[index], -1, size, proof, naive_root(hashes))
    assert not merkle.verify_inclusion(hashes[index], size, size, proof, naive_root(hashes))


@given(st.integers(2, 40), st.data())
def test_a_rewritten_history_is_not_consistent(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new - 1))
    hashes = leaves(new)
    rewritten = [merkle.leaf_hash(b"rewritten"), *hashes[1:]]
    proof = naive_subproof(old, rewritten, True)
    assert not merkle.verify_consistency(old, new, naive_root(hashes[:old]), naive_root(rewritten), proof)
    honest = naive_subproof(old, hashes, True)
    roots = naive_root(hashes[:old]), naive_root(hashes)
    assert not merkle.verify_consistency(old, new, *roots, [*honest, hashes[0]])
    assert not merkle.verify_consistency(old, new, *roots, honest[:-1])
    assert not merkle.verify_consistency(new, old, *roots[::-1], honest)


def test_a_tree_is_consistent_with_itself_by_an_empty_proof_only() -> None:
    root = naive_root(leaves(5))
    assert merkle.verify_consistency(5, 5, root, root, [])
    assert not merkle.verify_consistency(5, 5, root, root, [root])
    assert not merkle.verify_consistency(5, 5, root, naive_root(leaves(4)), [])


def test_there_is_no_proof_of_what_is_not_there() -> None:
    source = merkle.hashes_of(leaves(3))
    with pytest.raises(ValueError):
        merkle.inclusion_proof(3, 3, source)
    with pytest.raises(ValueError):
        merkle.consistency_proof(4, 3, source)
    with pytest.raises(ValueError):
        merkle.consistency_proof(0, 3, source)
