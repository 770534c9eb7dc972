"""A witness: it follows a log that grows, and keeps the proof when a log shows two histories."""

from collections.abc import Callable
from pathlib import Path

import pytest

from panel.record import merkle
from panel.record.commitment import encode64
from panel.record.cosignature import witness_key
from panel.record.note import CheckpointText, SigningKey
from panel.verify.witness import Witness

LOG = SigningKey("heyi/test", bytes(range(32)))
KEY = SigningKey("witness.example/w1", bytes(range(32, 64)))
AT = 1_795_000_000
LEAVES = [merkle.leaf_hash(bytes([n])) for n in range(40)]
OTHERS = [merkle.leaf_hash(bytes([n, 1])) for n in range(40)]
Ask = Callable[..., tuple[int, str]]


def note(size: int, leaves: list[bytes] = LEAVES, key: SigningKey = LOG) -> str:
    """Return a signed checkpoint of the first so many leaves."""
    return key.sign(str(CheckpointText(key.name, size, merkle.root(size, merkle.hashes_of(leaves)))))


def asked(
    old: int, size: int, leaves: list[bytes] = LEAVES, key: SigningKey = LOG, proof: list[bytes] | None = None
) -> str:
    """Return a request with the right proof, or the one that is given."""
    if proof is None:
        proof = merkle.consistency_proof(old, size, merkle.hashes_of(leaves)) if 0 < old < size else []
    return "".join(f"{line}\n" for line in (f"old {old}", *map(encode64, proof))) + "\n" + note(size, leaves, key)


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    """A witness that watches one log."""
    return Witness(KEY, [LOG.verifier], tmp_path)


def evidence(witness: Witness) -> list[str]:
    """Return what a witness has kept against a log."""
    return [path.read_text(encoding="utf-8") for path in sorted((witness.folder / "evidence").glob("*"))]


def test_a_log_that_grows_is_cosigned_every_time(witness: Witness) -> None:
    for old, size in ((0, 3), (3, 3), (3, 8), (8, 33)):
        answer = witness.answer(asked(old, size), AT + size)
        assert answer.status == 200
        assert witness_key(KEY).time_of(note(size) + answer.body) == AT + size
        assert witness.last("heyi/test") == note(size)
    assert evidence(witness) == []


def test_two_roots_of_one_size_are_refused_and_kept(witness: Witness) -> None:
    witness.answer(asked(0, 8), AT)
    for old in (0, 8):
        assert witness.answer(asked(old, 8, OTHERS, proof=[]), AT).status == 409
    assert witness.last("heyi/test") == note(8)
    assert len(evidence(witness)) == 2
    assert all(note(8) in kept and note(8, OTHERS) in kept for kept in evidence(witness))


@pytest.mark.parametrize("size", [9, 33])
def test_a_history_that_was_rewritten_is_refused_and_kept(witness: Witness, size: int) -> None:
    witness.answer(asked(0, 8), AT)
    mixed = [*OTHERS[:1], *LEAVES[1:]]
    assert witness.answer(asked(8, size, mixed), AT).status == 422
    assert witness.answer(asked(8, size, proof=[]), AT).status == 422
    assert witness.last("heyi/test") == note(8)
    assert any(note(8) in kept and note(size, mixed) in kept for kept in evidence(witness))


def test_who_has_lost_count_is_told_the_size(witness: Witness) -> None:
    witness.answer(asked(0, 8), AT)
    answer = witness.answer(asked(3, 33), AT)
    assert (answer.status, answer.body, answer.media_type) == (409, "8\n", "text/x.tlog.size")
    assert witness.answer(asked(0, 33), AT).body == "8\n"
    assert witness.answer(asked(8, 7), AT).status == 400
    assert evidence(witness) == []


def test_strange_logs_keys_and_texts_are_refused(witness: Witness) -> None:
    other = SigningKey("heyi/other", bytes(32))
    assert witness.answer(asked(0, 3, key=other), AT).status == 404
    assert witness.answer(asked(0, 3, key=SigningKey("heyi/test", bytes(32))), AT).status == 403
    assert witness.answer(asked(0, 3, proof=[bytes(32)]), AT).status == 422
    heads = ("old 00", "old 0\nAAAA", "old -1", "old 0 ", "new 0", "old 0\n" + "A" * 44)
    for text in ("", "old 0", "old 0\n\nno note", *(f"{head}\n\n{note(3)}" for head in heads)):
        assert witness.answer(text, AT).status == 400
    assert witness.last("heyi/test") is None


def test_a_witness_that_was_started_again_still_knows(witness: Witness) -> None:
    witness.answer(asked(0, 8), AT)
    again = Witness(KEY, [LOG.verifier], witness.folder)
    assert again.answer(asked(0, 8, OTHERS, proof=[]), AT).status == 409
    assert again.answer(asked(8, 33), AT).status == 200


def test_a_log_whose_key_was_renewed_is_followed_under_both(tmp_path: Path) -> None:
    renewed = SigningKey("heyi/test", bytes(range(1, 33)))
    witness = Witness(KEY, [LOG.verifier, renewed.verifier], tmp_path)
    assert witness.answer(asked(0, 8), AT).status == 200
    assert witness.answer(asked(8, 33, key=renewed), AT).status == 200
