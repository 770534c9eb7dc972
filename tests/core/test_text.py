"""Security requirement 33: one spelling, no hidden marks, no turning of the writing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.core import text
from panel.core.errors import Reason
from tests import corpus


@pytest.mark.parametrize(("typed", "kept"), corpus.HIDDEN.items())
def test_a_name_is_kept_in_one_spelling(typed: str, kept: str) -> None:
    assert text.one_line(typed) == kept


@pytest.mark.parametrize("typed", corpus.TURNING)
def test_a_title_that_turns_the_writing_is_refused_not_mended(typed: str) -> None:
    assert text.why_not_title(text.one_line(typed)) == text.TURNS


@pytest.mark.parametrize("typed", corpus.LOOK_ALIKES)
def test_a_word_of_look_alike_scripts_is_refused(typed: str) -> None:
    reason = Reason("One word mixes letters of scripts that look alike. Please type it in one script.")
    assert text.why_not_title(typed) == reason


@pytest.mark.parametrize(
    "title", ["黄某水库闸门应急维修案", "Anna Müller", "Иван Anna", "α 检验", "A市B区", "第3项（2026）"]
)
def test_ordinary_titles_pass(title: str) -> None:
    assert text.why_not_title(title) is None


def test_an_empty_or_long_title_is_refused() -> None:
    assert text.why_not_title("") == Reason("Please fill this in.")
    assert text.why_not_title("长" * 201) == Reason("This is too long: at most %(n)s characters.", n=200)
    assert text.why_not_title("长" * 200) is None


def test_a_zero_width_joiner_stays_where_a_script_needs_it() -> None:
    assert text.one_line("क्\u200dष") == "क्\u200dष"


def test_longer_texts_keep_their_lines_and_lose_control_marks() -> None:
    assert text.many_lines("一\r\n二\r三\n\t四\x00\x1b[31m") == "一\n二\n三\n\t四[31m"


@given(st.text())
def test_keeping_a_text_twice_changes_nothing(typed: str) -> None:
    once, line = text.many_lines(typed), text.one_line(typed)
    assert text.many_lines(once) == once
    assert text.one_line(line) == line


@given(st.text())
def test_a_kept_line_is_one_line(typed: str) -> None:
    assert text.one_line(typed).splitlines() in ([], [text.one_line(typed)])


@pytest.mark.parametrize(
    ("typed", "marks"),
    [("阿卜杜拉·买买提", []), ("欧阳岚", []), ("e\u0301", []), ("罗\u200b正", ["U+200B"]), ("\ufeff罗正", ["U+FEFF"]),
     ("罗\u3164正", ["U+3164"]), ("罗\u200d\u00ad正", ["U+00AD", "U+200D"])],
)  # fmt: skip
def test_marks_that_nobody_sees_are_told_by_their_numbers(typed: str, marks: list[str]) -> None:
    assert text.unseen(typed) == marks
