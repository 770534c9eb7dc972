"""Cosignatures, against the example in the specification and against our own."""

import pytest

from panel.record.cosignature import WitnessKey, cosign, witness_key
from panel.record.note import BadNote, CheckpointText, SigningKey, open_note

LOG = SigningKey("heyi/test", bytes(range(32)))
WITNESS = SigningKey("witness.example/w1", bytes(range(32, 64)))
NOTE = LOG.sign(str(CheckpointText("heyi/test", 7, bytes(32))))
AT = 1_795_000_000


def test_a_cosignature_tells_when_and_belongs_to_its_checkpoint() -> None:
    cosigned = NOTE + cosign(WITNESS, str(CheckpointText("heyi/test", 7, bytes(32))), AT)
    assert witness_key(WITNESS).time_of(cosigned) == AT
    assert open_note(cosigned, LOG.verifier) == open_note(NOTE, LOG.verifier)


def test_a_witness_s_key_is_read_back_and_is_not_a_log_s() -> None:
    key = witness_key(WITNESS)
    assert WitnessKey.parse(str(key)) == key
    assert str(key) != str(WITNESS.verifier)
    for text in (str(WITNESS.verifier), "", "a+b", str(key)[:-4], str(key).replace("w1+", "w2+")):
        with pytest.raises(BadNote):
            WitnessKey.parse(text)


def test_another_time_size_or_witness_does_not_hold() -> None:
    line = cosign(WITNESS, str(CheckpointText("heyi/test", 7, bytes(32))), AT)
    other = LOG.sign(str(CheckpointText("heyi/test", 8, bytes(32))))
    for note in (NOTE, other + line, NOTE + line + line, NOTE + line[:-6] + "AAAA=\n"):
        with pytest.raises(BadNote):
            witness_key(WITNESS).time_of(note)
    with pytest.raises(BadNote, match="no cosignature of this witness"):
        witness_key(SigningKey("witness.example/w1", bytes(32))).time_of(NOTE + line)
