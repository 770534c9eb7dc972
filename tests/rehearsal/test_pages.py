"""Reading pages as a browser does: what would be sent, what can be chosen, which words stand around it."""

import pytest

from panel.rehearsal.pages import Page

HTML = """
<section data-phase="motions" data-motion="a1"><p>Now</p></section>
<form action="/votes" method="post" data-form="cast" data-live>
  <input type="hidden" name="csrf" value="token"><input type="hidden" name="idem" value="once">
  <input type="radio" name="choice" value="disapprove" data-choice="disapprove">
  <input type="radio" name="choice" value="approve   " data-choice="approve">
  <input type="checkbox" name="notify" value="1" checked>
  <textarea name="reason">typed
before</textarea>
  <select name="asked_of"><option value="">Choose</option>
    <option value="p1">Qin</option><option value="p2" selected>Luo</option></select>
  <select name="kind"><option value="first">First</option><option value="second">Second</option></select>
  <input type="file" name="scan"><input name="exhibits" value="3">
  <button>Cast the ballot</button>
</form>
<section data-phase="later" data-motion="a2"></section>
<form action="/hands" method="post" data-form="hand"><button>Seat 4</button></form>
<form action="/hands" method="post" data-form="hand"><button>Seat 5</button></form>
"""


def cast() -> Page:
    return Page(HTML)


def test_a_form_is_sent_as_it_stands_until_something_is_put_in() -> None:
    form = cast().form("cast")

    assert form is not None
    assert (form.action, form.live) == ("/votes", True)
    assert form.fields == [
        ("csrf", "token"),
        ("idem", "once"),
        ("notify", "1"),
        ("reason", "typed\nbefore"),
        ("asked_of", "p2"),
        ("kind", "first"),
        ("exhibits", "3"),
    ]


def test_what_is_put_in_takes_the_place_of_what_stood_there() -> None:
    form = cast().form("cast")

    assert form is not None
    assert form.filled(choice="approve   ", reason="because", exhibits=["1", "2"]) == [
        ("csrf", "token"),
        ("idem", "once"),
        ("notify", "1"),
        ("asked_of", "p2"),
        ("kind", "first"),
        ("choice", "approve   "),
        ("reason", "because"),
        ("exhibits", "1"),
        ("exhibits", "2"),
    ]


def test_a_choice_is_found_by_its_words_and_never_guessed() -> None:
    form = cast().form("cast")

    assert form is not None
    assert form.option("asked_of", "Qin") == "p1"
    assert form.option("choice", "approve") == "approve   "
    with pytest.raises(LookupError):
        form.option("asked_of", "Choose")
    with pytest.raises(LookupError):
        form.option("choice", "abstain")


def test_forms_of_one_name_are_told_apart_by_their_words() -> None:
    page = cast()

    assert [form.words.strip() for form in page.named("hand")] == ["Seat 4", "Seat 5"]
    assert page.form("hand", "Seat 5") is page.named("hand")[1]
    assert (page.form("hand", "Seat 6"), page.form("speak")) == (None, None)
    assert [form.live for form in page.named("hand")] == [False, False]


def test_marks_of_elements_are_read_in_the_order_of_the_page() -> None:
    page = cast()

    assert page.attributes["data-motion"] == ["a1", "a2"]
    assert (page.first("data-phase"), page.first("data-revision")) == ("motions", "")
    assert Page("<p>Two\n  words</p><b>more</b>").text == "Two wordsmore"
