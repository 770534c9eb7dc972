"""The building blocks of pages: every control has its label, an error can be found, and typed text stays text."""

from datetime import UTC, datetime
from functools import cache
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from jinja2 import Environment

from panel.core.errors import Reason
from panel.core.i18n import translator
from panel.core.templates import environment

NOW = datetime(2026, 11, 23, 2, 42, 7, tzinfo=UTC)
NASTY = '"><script>alert(1)</script>'
CONTROLS = [
    'forms.field("login", "姓名", value, error)',
    'forms.textarea("text", "理由", value, error, maxlength=400)',
    'forms.select("kind", "类型", [("a", value), ("b", "乙")], error=error)',
    'forms.radios("answer", "是否回避", [("yes", value), ("no", "否")], error=error)',
    'forms.checkboxes("exhibits", "引用证据", [(1, value), (2, "证据二")], error=error)',
    'forms.checkbox("agree", value, error=error)',
    'forms.radio_cards("choice", "您的选择", [("approve", value), ("disapprove", "不同意")], error=error)',
    'forms.rating("nature", "问题性质", ("低", "高"), [value, "二", "三", "四", "五"], error=error)',
    'forms.file("file", "文件", error=error)',
]


@cache
def templates() -> Environment:
    """Return one environment for all tests: compiling the macros takes longer than drawing them."""
    return environment(lambda name, **params: f"/{name}")


def draw(call: str, locale: str = "zh_CN", **context: Any) -> ElementTree.Element:
    """Draw a call of a macro as it would stand in a page, and parse it strictly."""
    imports = "".join(f'{{% import "macros/{name}.html" as {name} with context %}}' for name in ("forms", "ui"))
    page = templates().from_string(imports + "<div>{{ " + call + " }}</div>")
    context = {"_": translator(locale), "locale": locale, "zone": ZoneInfo("Asia/Shanghai"), **context}
    return ElementTree.fromstring(_closed(page.render(context)))


def _closed(html: str) -> str:
    """Close void elements and give bare attributes a value, so that a strict reader takes the page."""
    for bare in ("required", "checked", "selected", "hidden", "data-count", "data-live", "data-message", "data-focus"):
        html = html.replace(f" {bare}>", f' {bare}="">').replace(f" {bare} ", f' {bare}="" ')
    for bare in ("data-since", "data-used", "data-timer", "data-clock"):
        html = html.replace(f" {bare}>", f' {bare}="">').replace(f" {bare} ", f' {bare}="" ')
    parts = html.split("<input")
    return parts[0] + "".join("<input" + part.replace(">", "/>", 1) for part in parts[1:]).replace("<wbr>", "")


@pytest.mark.parametrize("call", CONTROLS)
def test_every_control_has_a_label_of_its_own(call: str) -> None:
    drawn = draw(call, value="甲", error=None)
    controls = [e for e in drawn.iter() if e.tag in {"input", "textarea", "select"}]
    labels = [label.get("for") for label in drawn.iter("label")]
    assert controls
    assert sorted(e.get("id", "") for e in controls) == sorted(label or "" for label in labels)
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("call", CONTROLS)
def test_an_error_stands_in_words_and_the_summary_leads_to_it(call: str) -> None:
    drawn = draw(
        call + ' ~ forms.error_summary({name: "请填写此项。"})', value="甲", error="请填写此项。", name=name_in(call)
    )
    ids = {e.get("id"): e for e in drawn.iter() if e.get("id")}
    (link,) = drawn.iter("a")
    assert link.get("href", "")[1:] in ids
    assert "".join(ids[f"{name_in(call)}-error"].itertext()).split() == ["有误：", "请填写此项。"]
    described = " ".join(e.get("aria-describedby", "") for e in drawn.iter()).split()
    assert f"{name_in(call)}-error" in described
    assert set(described) <= set(ids)


def name_in(call: str) -> str:
    """Return the field's name in a call."""
    return call.split('"')[1]


@pytest.mark.parametrize("call", CONTROLS)
def test_what_was_typed_stays_text(call: str) -> None:
    drawn = draw(call, value=NASTY, error=NASTY)
    assert [e.tag for e in drawn.iter("script")] == []
    assert NASTY in "".join(drawn.itertext()) + "".join(e.get("value", "") for e in drawn.iter())


def test_no_choice_of_a_ballot_is_made_beforehand() -> None:
    drawn = draw('forms.radio_cards("choice", "您的选择", [("approve", "同意"), ("abstain", "弃权")])')
    radios = list(drawn.iter("input"))
    assert [(e.get("value"), "checked" in e.attrib) for e in radios] == [("approve", False), ("abstain", False)]


@pytest.mark.parametrize(
    ("value", "chosen"), [(None, []), ("", []), (4, ["4"]), ("4", ["4"]), ("cannot_judge", ["cannot_judge"])]
)
def test_a_rating_shows_what_was_chosen(value: object, chosen: list[str]) -> None:
    drawn = draw('forms.rating("n", "性质", ("低", "高"), ["一", "二", "三", "四", "五"], value)', value=value)
    inputs = list(drawn.iter("input"))
    assert [e.get("value") for e in inputs] == ["1", "2", "3", "4", "5", "cannot_judge"]
    assert [e.get("value") for e in inputs if "checked" in e.attrib] == chosen


def test_two_forms_on_a_page_can_have_fields_of_one_name() -> None:
    drawn = draw('forms.textarea("text", "问题", id="question") ~ forms.textarea("text", "笔记", id="note")')
    assert [e.get("id") for e in drawn.iter("textarea")] == ["question", "note"]


def test_the_button_of_an_act_is_a_whole_form() -> None:
    drawn = draw('forms.act("/hands", "举手", "token", "key", "raise-hand", fields={"kind": "speech"})')
    (form,) = drawn.iter("form")
    assert (form.get("action"), form.get("method"), form.get("data-form")) == ("/hands", "post", "raise-hand")
    assert {e.get("name"): e.get("value") for e in form.iter("input")} == {
        "csrf": "token",
        "idem": "key",
        "kind": "speech",
    }


def test_a_seal_is_read_by_columns_from_the_right() -> None:
    drawn = draw('ui.seal("已封存")')
    assert [e.text for e in drawn.iter("text")] == ["已", "封", "存"]
    _, top, bottom = drawn.iter("text")
    assert (top.get("x"), bottom.get("x")) == ("30", "30")
    assert [e.text for e in drawn.iter("title")] == ["已封存"]


def test_a_seal_in_english_is_set_across() -> None:
    assert [e.text for e in draw('ui.seal("Sealed")', locale="en").iter("text")] == ["SEALED"]


def test_a_clock_that_ran_over_says_so() -> None:
    over = draw("ui.timer(180, 195, true, now)", now=NOW)[0]
    short = draw("ui.timer(180, 160, false, now)", now=NOW)[0]
    assert (over.get("class"), over.findtext("span")) == ("timer is-over", "-00:15")
    assert (short.get("class"), short.findtext("span"), short.get("data-running")) == (
        "timer is-short",
        "00:20",
        "false",
    )


def test_a_dissent_names_its_author_only_where_it_is_given() -> None:
    call = 'ui.dissent("不同意见", "事后补办不能代替事前报告。", number=1, by=by, seat=seat, filed=now)'
    named = "".join(draw(call, by="罗正", seat=2, now=NOW).itertext())
    unnamed = "".join(draw(call, by="", seat=None, now=NOW).itertext())
    assert ("罗正" in named, "罗正" in unnamed, "一名委员" in unnamed) == (True, False, True)


@pytest.mark.parametrize("name", ["_received", "_refusal"])
def test_answers_to_acts_are_one_line(name: str) -> None:
    page = templates().get_template(f"core/{name}.html")
    drawn = page.render(
        _=translator("zh_CN"),
        zone=ZoneInfo("Asia/Shanghai"),
        at=NOW,
        message=Reason("Sealed."),
        reason=NASTY,
        fields={},
        entry=None,
    )
    assert "<script>" not in drawn
    assert ("10:42:07" in drawn) == (name == "_received")
