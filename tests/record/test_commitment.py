"""Canonical JSON, commitments, leaves."""

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.record import commitment
from panel.record.commitment import canonical, decode64, encode64

SALT = bytes(range(32))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_the_canonical_form_says_the_same_and_says_it_one_way(value: Any) -> None:
    written = canonical(value)
    assert json.loads(written) == value
    assert canonical(json.loads(written)) == written


@given(st.dictionaries(st.text(), st.integers(0, 9), max_size=6), st.randoms())
def test_the_order_in_which_fields_came_leaves_no_trace(value: dict[str, int], random: Any) -> None:
    shuffled = list(value.items())
    random.shuffle(shuffled)
    assert canonical(dict(shuffled)) == canonical(value)


def test_keys_are_ordered_as_rfc_8785_orders_them() -> None:
    value = {"€": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "ö": 7}
    expected = '{"\\r":2,"1":4,"\x80":6,"ö":7,"€":1,"\U0001f600":5,"\ufb33":3}'
    assert canonical(value) == expected.encode()


@pytest.mark.parametrize("value", [0.5, [1.0], {"a": [{"b": float("nan")}]}, 2**53, -(2**53), "\ud800", {1: "x"}])
def test_what_readers_might_read_differently_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        canonical(value)


def test_a_commitment_is_the_digest_that_the_format_states() -> None:
    expected = sha256(b"heyi:public:v1\x00" + SALT + b'{"kind":"a","n":1}').digest()
    assert commitment.commit("public", SALT, {"n": 1, "kind": "a"}) == expected


def test_the_same_value_under_another_salt_or_as_another_part_is_another_commitment() -> None:
    made = {commitment.commit(part, salt, {"kind": "a"}) for part in commitment.PARTS for salt in (SALT, SALT[::-1])}
    assert len(made) == 6


def test_a_short_salt_is_refused() -> None:
    with pytest.raises(ValueError):
        commitment.commit("public", SALT[1:], {})


def test_a_leaf_is_four_lines() -> None:
    leaf = commitment.leaf_data({"private": b"\x02" * 32, "header": b"\x00" * 32, "public": b"\x01" * 32})
    lines = ["heyi-leaf/v1", *(encode64(bytes([n]) * 32) for n in range(3)), ""]
    assert leaf.decode().split("\n") == lines


@given(st.binary(max_size=40))
def test_base64_is_read_in_its_one_form(data: bytes) -> None:
    assert decode64(encode64(data)) == data


@pytest.mark.parametrize("text", ["AB==", "AAF=", "AA", "AA==\n", " AA==", "AA=A", "A-__", "é==="])
def test_base64_in_any_other_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        decode64(text)


def test_a_leaf_is_read_back_and_anything_else_is_refused() -> None:
    made = {part: bytes([number]) * 32 for number, part in enumerate(commitment.PARTS)}
    leaf = commitment.leaf_data(made)
    assert commitment.commitments_of(leaf) == made
    for other in (b"", b"\x00", leaf[:-1], leaf + b"\n", leaf.replace(b"v1", b"v2"), leaf.replace(b"A=", b"B=", 1)):
        with pytest.raises(ValueError):
            commitment.commitments_of(other)
