"""Where marks stand, that pictures say the same as their numbers, that colours can be told apart."""

import gzip
import re
from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import hypot
from typing import Any
from xml.etree import ElementTree

import pytest
from jinja2 import Environment

from panel.core import geometry
from panel.core.assets import folder
from panel.core.geometry import Cell, Mean, Place, Ratings
from panel.core.i18n import translator
from panel.core.templates import environment

CAST = ["欧阳岚", "罗正", "秦月", "钱程", "孟工", "石磊", "冯婷", "段维", "江雪"]
LABELS = {"approve": "同意", "disapprove": "不同意", "defer": "缓议", "abstain": "弃权", "not_cast": "未投票"}
FACTS = {"established": "属实", "not_established": "不属实", "undetermined": "无法认定"}


@cache
def templates() -> Environment:
    """Return one environment for all tests: compiling the macros takes longer than drawing them."""
    return environment(lambda name, **params: name)


def draw(call: str, **context: Any) -> ElementTree.Element:
    """Draw one macro as the Chinese pages do; well-formed, or this raises."""
    source = '{% import "macros/pictures.html" as pictures with context %}<div>{{ ' + call + " }}</div>"
    drawn = templates().from_string(source)
    text = drawn.render(_=translator("zh_CN"), locale="zh_CN", labels=LABELS, title="第4项", **context)
    return ElementTree.fromstring(text)


def told(figure: ElementTree.Element) -> tuple[str, str]:
    """Return what the drawing says to those who do not see it: its title and its sentence."""
    drawing = figure.find(".//svg[@role='img']")
    assert drawing is not None
    return drawing.findtext("title", ""), drawing.findtext("desc", "")


def rows(figure: ElementTree.Element) -> list[list[str]]:
    """Return the body of the table under a picture."""
    return [["".join(cell.itertext()) for cell in row] for row in figure.iterfind(".//details//tbody/tr")]


# -- hemicycle --


def test_a_secret_vote_is_ordered_by_choice_and_forgets_who() -> None:
    places = [
        Place("abstain", "罗正", 2),
        Place("approve", "秦月", 3),
        Place("disapprove", "孟工", 5),
        Place("approve", "石磊", 6),
    ]
    picture = geometry.hemicycle(places)
    assert [dot.option for dot in picture.dots] == ["approve", "approve", "abstain", "disapprove"]
    assert [(dot.name, dot.label) for dot in picture.dots] == [("", "")] * 4
    assert picture == geometry.hemicycle(list(reversed(places)))


def test_an_open_vote_keeps_seats_and_names() -> None:
    options = ["established"] * 6 + ["not_established", "undetermined", "established"]
    picture = geometry.hemicycle(
        [Place(o, n, i) for i, (n, o) in enumerate(zip(CAST, options, strict=True), 1)], named=True
    )
    assert [(dot.name, dot.label, dot.option) for dot in picture.dots] == list(zip(CAST, CAST, options, strict=True))
    assert picture.counts == (("established", 7), ("undetermined", 1), ("not_established", 1))


@pytest.mark.parametrize("seats", range(26))
def test_seats_keep_apart_and_inside_the_picture(seats: int) -> None:
    picture = geometry.hemicycle([Place("approve")] * seats)
    spots = [(dot.x, dot.y) for dot in picture.dots]
    assert len(spots) == seats
    assert all(picture.radius <= x <= geometry.WIDTH - picture.radius for x, _ in spots)
    assert all(picture.radius <= y <= picture.height - picture.radius for _, y in spots)
    apart = [hypot(x - v, y - w) for i, (x, y) in enumerate(spots) for v, w in spots[:i]]
    assert min(apart, default=99) > 2 * picture.radius


def test_choices_form_wedges_from_left_to_right() -> None:
    picture = geometry.hemicycle([Place("disapprove")] * 10 + [Place("approve")] * 15)
    middle = (
        [dot.x for dot in picture.dots if dot.option == "approve"],
        [dot.x for dot in picture.dots if dot.option == "disapprove"],
    )
    assert sum(middle[0]) / 15 < geometry.WIDTH / 2 < sum(middle[1]) / 10
    assert len(picture.arcs) == 2


def test_more_seats_than_the_picture_holds_are_refused() -> None:
    with pytest.raises(ValueError):
        geometry.hemicycle([Place("approve")] * 26)


def test_many_seats_are_labelled_by_number() -> None:
    picture = geometry.hemicycle([Place("approve", f"委员{n}", n) for n in range(1, 14)], named=True)
    assert [dot.label for dot in picture.dots] == [str(n) for n in range(1, 14)]


def test_a_drawn_hemicycle_says_what_its_table_says() -> None:
    picture = geometry.hemicycle([Place("approve")] * 5 + [Place("disapprove"), Place("abstain")])
    figure = draw("pictures.hemicycle(picture, labels, title, centre='5', centre_note='同意')", picture=picture)
    assert told(figure) == ("第4项", "同意 5、弃权 1、不同意 1")
    assert rows(figure) == [["同意", "5"], ["弃权", "1"], ["不同意", "1"]]


def test_a_drawn_secret_hemicycle_holds_no_name() -> None:
    places = [Place("approve", name, seat) for seat, name in enumerate(CAST, 1)]
    figure = draw("pictures.hemicycle(picture, labels, title)", picture=geometry.hemicycle(places))
    open_one = draw("pictures.hemicycle(picture, labels, title)", picture=geometry.hemicycle(places, named=True))
    assert [name for name in CAST if name in "".join(figure.itertext())] == []
    assert [name for name in CAST if name in "".join(open_one.itertext())] == CAST


def test_a_name_is_written_as_text() -> None:
    places = [Place("approve", "<b>张</b>", 1)]
    figure = draw("pictures.hemicycle(picture, labels, title)", picture=geometry.hemicycle(places, named=True))
    assert rows(figure) == [["<b>张</b>", "同意"]]
    assert figure.find(".//td/b") is None


# -- gauge and quorum --


@pytest.mark.parametrize(
    ("required", "strict", "least"),
    [
        (Fraction(2, 3) * 9, False, 6),  # an open peer's bug: 2/3 of 9 came out as 7
        (Fraction(2, 3) * 7, False, 5),
        (Fraction(1, 2) * 8, True, 5),
        (Fraction(1, 2) * 9, True, 5),
        (Fraction(1, 2) * 8, False, 4),
        (Fraction(0), True, 1),
    ],
)
def test_the_least_number_that_reaches_a_line(required: Fraction, strict: bool, least: int) -> None:
    assert geometry.needed(required, strict=strict) == least


@pytest.mark.parametrize(
    ("number", "text"), [(Fraction(14, 3), "4 2/3"), (Fraction(6), "6"), (Fraction(1, 2), "1/2"), (Fraction(0), "0")]
)
def test_numbers_of_votes_are_written_exactly(number: Fraction, text: str) -> None:
    assert geometry.exact(number) == text


def gauge(approve: int) -> geometry.Gauge:
    counts = {"approve": approve, "disapprove": 1, "defer": 0, "abstain": 1}
    return geometry.gauge(counts=counts, passing="approve", base=7, required=Fraction(14, 3), strict=False)


def test_the_line_stands_at_the_exact_fraction_of_the_base() -> None:
    picture = gauge(5)
    assert picture.line == round(10 + 380 * 14 / 3 / 7, 2)
    assert (picture.needed, picture.reached, picture.required) == (5, True, "4 2/3")
    assert picture.cells[4].x < picture.line < picture.cells[4].x + picture.cells[4].width


def test_one_vote_below_the_line_does_not_reach_it() -> None:
    assert gauge(4).reached is False


def test_the_passing_option_comes_first_and_silent_seats_fill_the_base() -> None:
    picture = geometry.gauge(
        counts={"not_established": 3, "established": 4, "undetermined": 1},
        passing="established", base=9, required=Fraction(9, 2), strict=True,
    )  # fmt: skip
    assert picture.counts == (("established", 4), ("undetermined", 1), ("not_cast", 1), ("not_established", 3))
    assert len(picture.cells) == 9
    assert {round(b.x - a.x, 2) for a, b in pairwise(picture.cells)} <= {42.22, 42.23, 42.21}


def test_an_empty_base_draws_nothing() -> None:
    picture = geometry.gauge(counts={}, passing="approve", base=0, required=Fraction(0), strict=True)
    assert (picture.cells, picture.reached) == ((), False)


def test_a_drawn_gauge_tells_line_and_base() -> None:
    figure = draw("pictures.gauge(picture, labels, title)", picture=gauge(4))
    assert told(figure) == ("第4项", "同意 4、缓议 0、弃权 1、未投票 1、不同意 1；须达到4 2/3票，即5票")
    assert rows(figure) == [
        ["同意", "4"], ["缓议", "0"], ["弃权", "1"], ["未投票", "1"], ["不同意", "1"], ["基数", "7"],
        ["通过线", "须达到4 2/3票，即5票"],
    ]  # fmt: skip


def test_a_quorum_is_met_at_the_line_and_not_below() -> None:
    met = geometry.quorum(due=9, present=6, required=Fraction(6))
    short = geometry.quorum(due=9, present=5, required=Fraction(6))
    assert (met.met, short.met, met.needed) == (True, False, 6)
    assert [cell.option for cell in short.cells] == ["present"] * 5 + ["absent"] * 4
    assert told(draw("pictures.quorum(picture)", picture=short)) == (
        "法定到会人数",
        "应到9人，实到5人，须到6人；未达法定人数",
    )


# -- ratings --

NATURE = Ratings("问题性质", "违纪违法", "失误错误", (1, 0, 2, 4, 1), 1)


def test_half_of_the_middle_stands_on_either_side() -> None:
    (bar,) = geometry.stance([NATURE]).bars
    spans = {s.point: (s.x, s.x + s.width) for s in bar.segments}
    low, high = spans[3]
    assert low + high == pytest.approx(2 * 170, abs=0.05)
    assert [(s.point, s.count) for s in bar.segments] == [(1, 1), (3, 2), (4, 4), (5, 1)]
    assert spans[1][1] == pytest.approx(low, abs=0.05)


def test_bars_of_a_picture_share_one_scale_and_stay_inside() -> None:
    picture = geometry.stance([NATURE, Ratings("主观动机", "以权谋私", "出于公心", (25, 0, 0, 0, 0))])
    widths = {round(s.width / s.count, 1) for bar in picture.bars for s in bar.segments}
    assert widths == {6.4}
    assert min(s.x for bar in picture.bars for s in bar.segments) == pytest.approx(10)


def test_nobody_rated() -> None:
    (bar,) = geometry.stance([Ratings("问题性质", "低", "高", (0, 0, 0, 0, 0))]).bars
    assert bar.segments == ()
    assert geometry.stance([]).bars == ()


def test_a_drawn_stance_counts_those_who_cannot_judge_apart() -> None:
    figure = draw("pictures.stance(picture, title)", picture=geometry.stance([NATURE]))
    assert rows(figure) == [["问题性质", "1", "0", "2", "4", "1", "1"]]


def heat(fewest: int) -> geometry.Grid:
    cells = [[Mean(4.5, 3), Mean(1.0, 2), None]]
    return geometry.heat(["问题性质"], ["法律人士", "行业专家", "媒体代表"], cells, fewest=fewest)


def test_cells_of_too_few_members_are_withheld() -> None:
    (line,) = heat(fewest=3).lines
    assert [square.cell for square in line.squares] == [Cell(5, "4.5"), Cell(withheld=True), Cell()]
    (line,) = heat(fewest=0).lines
    assert [square.cell for square in line.squares] == [Cell(5, "4.5"), Cell(1, "1.0"), Cell()]


def test_a_withheld_mean_is_nowhere_in_the_drawing() -> None:
    figure = draw("pictures.heat(picture, title)", picture=heat(fewest=3))
    assert rows(figure) == [["问题性质", "4.5", "不予显示", "无"]]
    assert "1.0" not in "".join(figure.itertext())


def test_long_words_over_columns_are_turned() -> None:
    columns = ["Discipline inspection", "Organization", "Legal", "Expert", "Stakeholder", "Public", "Media"]
    assert geometry.heat(["Motive"], columns, [[None] * 7]).turned is True
    assert heat(fewest=0).turned is False


def test_who_moved_stands_further_from_the_middle_step() -> None:
    moves = [(1, 4), (3, 4), (4, 4), (4, 3), (5, 1), None]
    picture = geometry.movement(["1 欧阳岚"], list("一二三四五六"), [moves])
    (line,) = picture.lines
    assert [square.cell for square in line.squares] == [
        Cell(5, "1→4"), Cell(4, "3→4"), Cell(3, "4"), Cell(2, "4→3"), Cell(1, "5→1"), Cell(),
    ]  # fmt: skip
    figure = draw("pictures.movement(picture, title)", picture=picture)
    assert told(figure) == ("第4项", "各委员前后两轮的评分，具体数字见下表。")
    assert rows(figure) == [["1 欧阳岚", "1→4", "3→4", "4", "4→3", "5→1", "无"]]


def test_citations_say_which_opinion_rests_on_which_exhibit() -> None:
    picture = geometry.citations(["1. 巡检记录", "2. 会议记录"], ["1", "4", "9"], [[6, 0, 1], [0, 0, 2]])
    assert [[square.cell.step for square in line.squares] for line in picture.lines] == [[5, 0, 1], [0, 0, 2]]
    figure = draw("pictures.citations(picture, title)", picture=picture)
    assert told(figure) == ("第4项", "1. 巡检记录：引用它的意见 2 份；2. 会议记录：引用它的意见 1 份；")
    assert rows(figure) == [["1. 巡检记录", "6", "0", "1"], ["2. 会议记录", "0", "0", "2"]]


@pytest.mark.parametrize(
    ("title", "wrapped"),
    [
        ("溢洪道闸门应急维修施工合同及补充协议", ("溢洪道闸门应", "急维修施工合…")),
        ("1. 溢洪道闸门应急维修施工合同", ("1. 溢洪道闸门", "应急维修施工合…")),
        ("signed_contract_of_2026.pdf", ("signed_contract_…",)),
        ("Minutes of the party committee", ("Minutes of", "the party…")),
    ],
)
def test_a_long_title_is_cut_in_the_picture_and_whole_in_the_table(title: str, wrapped: tuple[str, ...]) -> None:
    picture = geometry.citations([title], ["1"], [[1]])
    assert picture.lines[0].wrapped == wrapped
    assert rows(draw("pictures.citations(picture, title)", picture=picture)) == [[title, "1"]]
    assert picture.labels < geometry.WIDTH / 2


@pytest.mark.parametrize(
    ("text", "room", "lines"),
    [
        ("利益关联方代表", 4, ("利益关联", "方代表")),
        ("法律人士", 4, ("法律人士",)),
        ("Nature of the problem", 8, ("Nature of the", "problem")),
        ("3. 党委会会议记录", 7, ("3. 党委会会议", "记录")),
        ("1 欧阳岚", 7, ("1 欧阳岚",)),
        ("Stakeholder", 3, ("Stakeholder",)),
    ],
)
def test_labels_break_between_words_or_characters(text: str, room: float, lines: tuple[str, ...]) -> None:
    assert geometry.wrap(text, room) == lines


# -- speaking time, the record's head --


def test_speaking_times_stand_against_the_median_of_all() -> None:
    picture = geometry.speaking([("欧阳岚", 400), ("罗正", 100), ("段维", 0)])
    assert picture.median == 100
    assert [bar.width for bar in picture.bars] == [168.0, 42.0, 0.0]
    assert picture.line == picture.start + 42.0
    figure = draw("pictures.speaking(picture, title)", picture=picture)
    assert rows(figure) == [["欧阳岚", "06:40"], ["罗正", "01:40"], ["段维", "00:00"], ["中位数", "01:40"]]


def test_nobody_spoke() -> None:
    assert geometry.speaking([]).bars == ()
    assert [bar.width for bar in geometry.speaking([("罗正", 0)]).bars] == [0.0]


def test_a_head_is_eight_tiles_and_any_other_first_byte_looks_different() -> None:
    tiles = geometry.strip("4a1fe9c27b0d3386" + "00" * 24)
    assert [tile.digits for tile in tiles] == ["4a", "1f", "e9", "c2", "7b", "0d", "33", "86"]
    looks = {(t.hue, t.shape, t.digits) for t in (geometry.strip(f"{b:02x}" * 8)[0] for b in range(256))}
    assert len(looks) == 256
    assert len({(hue, shape) for hue, shape, _ in looks}) == 32


@pytest.mark.parametrize("text", ["", "4a1fe9", "not a digest at all"])
def test_what_is_no_digest_has_no_strip(text: str) -> None:
    with pytest.raises(ValueError):
        geometry.strip(text)


# -- the look --


def test_templates_and_geometry_draw_an_option_alike() -> None:
    marks = templates().get_template("macros/marks.html").module
    assert {option: str(marks.slot_of(option)) for option in geometry.SLOTS} == dict(geometry.SLOTS)  # type: ignore[attr-defined]  # a macro
    assert set(geometry.SLOTS.values()) == set(geometry.ORDER)


@cache
def sheet() -> str:
    """Return the tokens' sheet without its comments."""
    return re.sub(r"/\*.*?\*/", "", (folder("static") / "css/base.css").read_text(encoding="utf-8"), flags=re.S)


def tokens(dark: bool) -> dict[str, str]:
    """Return the colours of one scheme."""
    light, after = sheet().split("prefers-color-scheme: dark")
    found = dict(re.findall(r"--([\w-]+): (#[0-9A-F]{6})", light))
    return found | dict(re.findall(r"--([\w-]+): (#[0-9A-F]{6})", after)) if dark else found


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast of WCAG 2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


PAPERS = ("paper", "sheet", "sunk")
TEXT = [
    *((ink, ground) for ink in ("ink", "muted", "action", "seal", "gold", "alert") for ground in PAPERS),
    *((slot, ground) for slot in ("for", "against", "later", "blank") for ground in ("paper", "sheet", f"{slot}-tint")),
    *(("on-mark", slot) for slot in ("for", "against", "later", "blank")),
    ("ink", "tint"), ("action", "tint"), ("muted", "tint"), ("on-action", "action"), ("on-action", "action-deep"),
    ("on-seal", "seal"), ("paper", "gold"), ("paper", "alert"), ("gold", "gold-tint"), ("ink", "gold-tint"),
    ("alert", "alert-tint"), ("ink", "alert-tint"), ("ink", "step-1"), ("ink", "step-2"), ("ink", "step-3"),
    ("on-mark", "step-5"), ("on-mark", "arm-1"), ("on-mark", "arm-5"), ("on-mark", "step-4"),
    ("ink", "arm-2"), ("ink", "arm-3"), ("ink", "arm-4"),
]  # fmt: skip
SHAPES = [("focus", "paper"), ("focus", "sheet"), *(("edge", ground) for ground in PAPERS)]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT, ids=["-on-".join(pair) for pair in TEXT])
def test_text_can_be_read(ink: str, ground: str, dark: bool) -> None:
    colours = tokens(dark)
    assert contrast(colours[ink], colours[ground]) >= 4.5


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("line", "ground"), SHAPES)
def test_edges_and_focus_can_be_seen(line: str, ground: str, dark: bool) -> None:
    colours = tokens(dark)
    assert contrast(colours[line], colours[ground]) >= 3


def test_the_paper_and_its_inks_are_those_of_the_design() -> None:
    light, dark = tokens(False), tokens(True)
    measured = {
        name: round(contrast(light[name], light["paper"]), 1) for name in ("ink", "action", "seal", "gold", "focus")
    }
    assert measured == {"ink": 15.0, "action": 8.7, "seal": 7.1, "gold": 5.1, "focus": 5.7}
    assert {name: round(contrast(dark[name], dark["paper"]), 1) for name in ("ink", "action", "seal")} == {
        "ink": 14.2, "action": 8.1, "seal": 7.2,
    }  # fmt: skip


def test_steps_of_one_hue_grow_darker_evenly_enough_for_greyscale() -> None:
    steps = [luminance(tokens(False)[f"step-{n}"]) for n in range(1, 6)]
    assert all(a - b > 0.08 for a, b in pairwise(steps))


def test_no_vote_is_red_or_green() -> None:
    for name in ("for", "against", "later", "blank"):
        red, green, blue = (int(tokens(False)[name][i : i + 2], 16) for i in (1, 3, 5))
        assert not (green > 1.5 * red and green > 1.5 * blue)
        assert not (red > 2 * green and red > 2 * blue)


def test_the_sheets_keep_their_budget() -> None:
    sheets = sorted((folder("static") / "css").glob("*.css"))
    assert sum(len(gzip.compress(s.read_bytes())) for s in sheets) <= 25_000
    assert [s.name for s in sheets if len(s.read_text(encoding="utf-8").splitlines()) > 450] == []


def test_every_sheet_is_linked_and_every_linked_sheet_is_there() -> None:
    base = (folder("templates") / "base.html").read_text(encoding="utf-8")
    (names,) = re.findall(r"for sheet in \(([^)]*)\)", base)
    linked = set(re.findall(r'"(\w+)"', names))
    for page in folder("templates").rglob("*.html"):
        linked |= set(re.findall(r'static\("css/(\w+)\.css"\)', page.read_text(encoding="utf-8")))
    assert linked == {sheet.stem for sheet in (folder("static") / "css").glob("*.css")}
