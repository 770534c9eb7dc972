"""Reading forms as a browser does."""

import pytest

from panel.rehearsal.pages import Page

PAGE = """
<p data-phase="questions">外面 <a data-login="luo" href="/demo/enter/x">进入</a></p>
<form data-form="ask" action="/hearings/7/questions" data-live>
  <input type="hidden" name="csrf" value="token"><p>向谁提问</p>
  <select name="asked_of"><option value="">请选择</option>
    <option value="p1" selected>罗正</option><option value="p2">秦月</option></select>
  <input type="radio" name="kind" value="a" data-choice="approve">
  <input type="radio" name="kind" value="b" checked>
  <textarea name="text">半句</textarea><input type="file" name="file">
  <button name="go" value="1">提出</button>
</form>
<form data-form="other" action="/other"><input name="x" value="1"></form>
"""


def test_a_form_is_read_with_what_would_be_sent_untouched() -> None:
    form = Page(PAGE).form("ask")
    assert form is not None
    assert (form.action, form.live) == ("/hearings/7/questions", True)
    assert form.fields == [("csrf", "token"), ("asked_of", "p1"), ("kind", "b"), ("text", "半句")]


def test_values_take_the_place_of_what_was_there() -> None:
    form = Page(PAGE).form("ask")
    assert form is not None
    filled = form.filled(text="问题", exhibits=["1", "2"])
    assert filled == [
        ("csrf", "token"), ("asked_of", "p1"), ("kind", "b"), ("text", "问题"), ("exhibits", "1"), ("exhibits", "2"),
    ]  # fmt: skip


def test_options_are_found_by_their_words_or_codes() -> None:
    form = Page(PAGE).form("ask")
    assert form is not None
    assert form.option("asked_of", "秦月") == "p2"
    assert form.option("kind", "approve") == "a"
    with pytest.raises(LookupError):
        form.option("asked_of", "无此人")


def test_forms_are_told_apart_by_name_and_words() -> None:
    page = Page(PAGE)
    assert page.form("ask", "向谁提问") is not None
    assert page.form("ask", "没有这些字") is None
    assert [form.name for form in page.forms] == ["ask", "other"]


def test_attributes_links_and_words_are_read() -> None:
    page = Page(PAGE)
    assert (page.first("data-phase"), page.first("data-nothing")) == ("questions", "")
    assert page.links == {"luo": "/demo/enter/x"}
    assert page.text.startswith("外面 进入")
