"""What a password, a name and a login must be."""

import pytest

from panel.accounts import rules
from panel.core.errors import Reason
from tests import corpus

SHORT = Reason("A password has at least %(n)s characters.", n=12)
LONG = Reason("A password has at most %(n)s characters.", n=256)


@pytest.mark.parametrize("password", ["", "eleven char", "一二三四五六七八九十一"])
def test_2_a_short_password_is_refused(password: str) -> None:
    assert rules.why_not_length(password) == SHORT


@pytest.mark.parametrize("password", ["twelve chars", "一二三四五六七八九十一二", "    spaces  ", "🀄" * 128, "é" * 12])
def test_2_any_characters_may_be_used_and_no_composition_is_asked_for(password: str) -> None:
    assert rules.why_not_length(password) is None


def test_2_a_password_is_refused_beyond_what_anybody_types() -> None:
    assert rules.why_not_length("长" * 256) is None
    assert rules.why_not_length("长" * 257) == LONG


def test_2_composed_and_decomposed_letters_count_alike() -> None:
    assert rules.why_not_length("e\u0301" * 6) == rules.why_not_length("é" * 6) == SHORT


@pytest.mark.parametrize("typed", corpus.TURNING + corpus.LOOK_ALIKES + ("", "长" * 81))
def test_33_hidden_or_turning_names_are_refused(typed: str) -> None:
    assert rules.why_not_name(typed) is not None


def test_33_ordinary_names_and_logins_pass() -> None:
    assert [rules.why_not_name(name) for name in ("欧阳岚", "Anna Müller", "黄某")] == [None] * 3
    assert [rules.why_not_login(login) for login in ("chair", "欧阳岚", "a.b@example.org")] == [None] * 3


@pytest.mark.parametrize("login", ["", "two words", "tab\there", "line\nbreak"])
def test_a_login_has_no_spaces(login: str) -> None:
    assert rules.why_not_login(login) == Reason("A name to sign in with has no spaces.")
