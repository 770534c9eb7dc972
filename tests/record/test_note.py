"""Signed notes and checkpoints, against the examples of Go's sumdb/note and every malformed neighbour."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.record.merkle import EMPTY_ROOT
from panel.record.note import BadNote, CheckpointText, SigningKey, VerifierKey, open_note

GO_PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
GO_NOTE = f"{GO_TEXT}\n— PeterNeumann {GO_SIGNATURE}\n"
"""The example in the documentation of golang.org/x/mod/sumdb/note."""

KEY = SigningKey("heyi/test", bytes(range(32)))


def test_go_s_example_key_signs_and_verifies_go_s_example_note() -> None:
    assert open_note(GO_NOTE, VerifierKey.parse(GO_PUBLIC)) == GO_TEXT
    key = SigningKey.parse(GO_PRIVATE)
    assert (str(key.verifier), key.sign(GO_TEXT), key.private_text) == (GO_PUBLIC, GO_NOTE, GO_PRIVATE)


def test_a_new_key_is_another_key_and_its_texts_are_read_back() -> None:
    one, other = SigningKey.new("heyi/test"), SigningKey.new("heyi/test")
    assert one != other
    assert SigningKey.parse(one.private_text) == one
    assert VerifierKey.parse(str(one.verifier)) == one.verifier
    assert "seed" not in repr(one)
    assert repr(one) == "SigningKey('heyi/test')"


@pytest.mark.parametrize("name", ["", "with blank", "with+plus", "行政", "line\nend"])
def test_a_name_that_would_break_the_note_is_refused(name: str) -> None:
    with pytest.raises(BadNote):
        SigningKey.new(name)


@given(st.integers(0), st.sampled_from(["signature", "text"]))
def test_a_note_changed_in_one_bit_is_refused(bit: int, where: str) -> None:
    note = KEY.sign("one line\n")
    start, end = (0, 9) if where == "text" else (len("one line\n\n— heyi/test ".encode()), len(note.encode()) - 1)
    data = bytearray(note.encode())
    place = start + bit // 8 % (end - start)
    data[place] ^= 1 << bit % 8
    with pytest.raises(ValueError):
        open_note(data.decode(), KEY.verifier)


@pytest.mark.parametrize(
    "note",
    [
        "", "one line\n", "one line\n\n", "one line\n\n— heyi/test AAAAAAAA", "one line\n\n- heyi/test AAAAAAAA\n",
        "one line\n\n— heyi/test AAAA\n", "one line\n\n— heyi/test\n", "one line\n\n—  AAAAAAAA\n",
        "one\tline\n\n— a AAAAAAAA\n", "\n\n\n",
    ],
)  # fmt: skip
def test_what_is_no_signed_note_is_refused(note: str) -> None:
    with pytest.raises(BadNote):
        open_note(note, KEY.verifier)


def test_signatures_of_others_are_passed_over_and_our_own_must_stand_there_once() -> None:
    other, namesake = SigningKey.new("heyi/other"), SigningKey.new("heyi/test")
    note = KEY.sign("one line\n")
    cosigned = note + other.sign("one line\n").split("\n\n")[1] + namesake.sign("one line\n").split("\n\n")[1]
    assert {open_note(cosigned, key.verifier) for key in (KEY, other, namesake)} == {"one line\n"}
    with pytest.raises(BadNote, match="no signature of this key"):
        open_note(note, other.verifier)
    with pytest.raises(BadNote, match="two signatures of this key"):
        open_note(note + note.split("\n\n")[1], KEY.verifier)


@pytest.mark.parametrize("text", ["no line end", "a\rb\n", "a\x00b\n"])
def test_a_text_that_is_no_note_is_not_signed(text: str) -> None:
    with pytest.raises(BadNote):
        KEY.sign(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "PeterNeumann", GO_PRIVATE, GO_PUBLIC.replace("c74f20a3", "c74f20a4"), GO_PUBLIC.replace("Peter", "Pete"),
        "a+00000000+AQ==", GO_PUBLIC + "\n", GO_PUBLIC.replace("+ARpc", "+ASpc"), "Peter Neumann+c74f20a3+AQ==",
    ],
)  # fmt: skip
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        VerifierKey.parse(text)


@pytest.mark.parametrize("text", ["", GO_PUBLIC, GO_PRIVATE.replace("c74f20a3", "c74f20a4"), GO_PRIVATE[:-4]])
def test_what_is_no_private_key_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        SigningKey.parse(text)


def test_a_checkpoint_is_three_lines_and_is_read_back() -> None:
    stated = CheckpointText("heyi/test", 0, EMPTY_ROOT)
    assert str(stated) == "heyi/test\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    assert CheckpointText.parse(str(stated)) == stated


@pytest.mark.parametrize(
    "text",
    [
        "", "a\n1\n", "a\n01\n{root}\n", "a\n-1\n{root}\n", "a\n1 \n{root}\n", "a\n1\n{root}", "a\n1\n{root}\nmore\n",
        "a\n1\nAAAA\n", "a\n1\n{root}=\n", "a\n9999999999999999999\n{root}\n", "a\n１\n{root}\n",
    ],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        CheckpointText.parse(text.replace("{root}", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="))
