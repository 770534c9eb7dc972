"""Which passwords are refused because others would guess them, and which are not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panel.accounts.strength import is_guessable, why_not_password
from panel.core import clock
from panel.core.errors import Reason

OWN = ("罗正", "luozheng", "某市评估委员会")
GUESSED = Reason("This password is easy to guess: it is common, or made of names, dates or numbers that others know.")


@pytest.mark.parametrize(
    "password",
    [
        "woaini5201314", "wangwei19900101", "zhangwei1990!", "WangWei-1990", "gongchandang1921", "13812345678ab",
        "8613812345678", "420802199001011234", "42080219900101123X", "Aa123456789!", "qwertyuiop123", "aaaaaaaaaaaaaa",
        "password1234", "passw0rd!!!!", "luozheng2026", "heyi20261123", "LUOZHENG-8888", "5201314520131", "é" * 12,
    ],
)  # fmt: skip
def test_3_what_others_would_guess_is_refused_in_words(password: str) -> None:
    assert why_not_password(password, *OWN) == GUESSED


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery", "horse-staple-7-lamp", "x9!kQ2vLp0#s", "13812345678 and a cat on it", "twelve chars",
        "爱学习的小猫在屋顶上睡觉", "一只猫 two dogs 3 birds", "长云山水木石日月星辰风雨雷电",
    ],
)  # fmt: skip
def test_3_a_sentence_of_ones_own_is_taken_without_rules_of_composition(password: str) -> None:
    assert why_not_password(password, *OWN) is None


def test_3_the_same_password_is_refused_to_whom_it_names_only() -> None:
    password = "ouyanglan-20261123"
    assert [is_guessable(password, "ouyanglan"), is_guessable(password, "qinyue")] == [True, False]


@settings(max_examples=30, deadline=None)
@given(st.text(min_size=12, max_size=256))
def test_3_whatever_is_typed_is_judged(password: str) -> None:
    assert is_guessable(password, *OWN) in (True, False)


@pytest.mark.parametrize("typed", ["4@8({[<369!1|70$5+%2", "0123456789(@$|!", "@({[<!|$+%", "a4@", "长"])
def test_3_no_password_keeps_the_server_busy(typed: str) -> None:
    began = clock.monotonic()
    why_not_password((typed * 256)[:256], *OWN)
    assert clock.monotonic() - began < 5
