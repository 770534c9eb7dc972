"""The page of a closed round: every number and every picture is that of the opinions; before, nobody has any."""

import html
import re

import pytest

from panel.committees import actions as committees
from panel.opinions import actions
from tests.corpus import unescaped
from tests.factories import World
from tests.opinions.desk import INSIDE, READERS, plain
from tests.opinions.test_actions import KEYS, OVERALL, open_round

EVERYBODY = ("chair", "luo", "qin", "qian", "meng", "shi", "feng", "duan", "jiang")
"""In the order of their seats: law, discipline, organization, law, expert, expert, public, stakeholder, media."""
MEASURES = ("RAND/UCLA", "Cns", "kappa", "随机分组", "中位数")
"""Words that stand beside the numbers."""


def hand_in(
    world: World,
    who: str,
    round_id: str,
    *,
    motive: int | None,
    other: int = 4,
    recommendation: str = "exempt",
    change: str = "",
) -> None:
    """Give an opinion with one rating for the motive and another for everything else."""
    for key in KEYS:
        value = motive if key == "motive" else other
        said = {"value": value, "reason": "材料可以证明。", "exhibits": [1, 2] if key == "motive" else [1]}
        world.act(actions.save_draft, who, round_id=round_id, step=key, said=said, revision=99)
    last = {"recommendation": recommendation, "reasons": "动机为公。", "change": change}
    world.act(actions.save_draft, who, round_id=round_id, step="overall", said=last, revision=99)
    world.act(actions.submit, who, round_id=round_id)


def hold(
    world: World, number: int, motives: dict[str, int | None], recommendation: str = "exempt", change: str = ""
) -> str:
    """Hold a round in which these members give an opinion, and close it."""
    round_id = open_round(world, number)
    for who, motive in motives.items():
        hand_in(world, who, round_id, motive=motive, recommendation=recommendation, change=change)
    world.act(actions.close_round, "secretary", round_id=round_id)
    return round_id


def read(world: World, round_id: str, who: str = "luo", locale: str = "zh_CN") -> str:
    """Return the page as somebody reads it."""
    client = world.client(who)
    client.cookies.set("pv_locale", locale)
    answer = client.get(f"/rounds/{round_id}")
    assert answer.status_code == 200
    return answer.text


def table(page: str, heading: str) -> dict[str, list[str]]:
    """Return the rows of the first table after a heading, by their own heading."""
    after = page[page.index(heading) :]
    body = after[after.index("<tbody>") : after.index("</tbody>")]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in body.split("<tr>")[1:]]
    cells = [[html.unescape(re.sub("<[^>]*>", "", cell)).strip() for cell in row] for row in rows]
    return {row[0]: row[1:] for row in cells}


def motives(*ratings: int | None) -> dict[str, int | None]:
    """Return who rates the motive how, in the order of seats."""
    return dict(zip(EVERYBODY, ratings, strict=False))


# What the page says


@pytest.mark.parametrize(
    ("ratings", "expected"),
    [
        ((5, 5, 5, 4, 4, 5, 5, 4, 5), ["一致", "0 · 0 · 0 · 3 · 6", "0", "0.83", "0.83", "一致 · DI 0.16"]),
        ((5, 5, 5, 5, 5, 5, 5, 5, 1), ["单独保留", "1 · 0 · 0 · 0 · 8", "0", "0.56", "0.50", "一致 · DI 0.00"]),
        ((5, 5, 5, 5, 1, 1, 1, 1, 3), ["两派", "4 · 0 · 1 · 0 · 4", "0", "-0.76", "0.11", "不一致 · DI 3.40"]),
        ((5, 4, 3, 2, 1, 4, 3, 3, None), ["分散", "1 · 1 · 3 · 2 · 1", "1", "0.31", "0.58", "两者皆非 · DI 0.49"]),
        ((5, 4, 4, 3), ["趋同", "0 · 0 · 1 · 2 · 1", "0", "0.62", "0.79", "不适用"]),
        ((None, None), ["无评分", "0 · 0 · 0 · 0 · 0", "2", "–", "–", "不适用"]),
    ],
)
def test_a_label_never_stands_without_the_numbers(
    world: World, ratings: tuple[int | None, ...], expected: list[str]
) -> None:
    page = read(world, hold(world, 1, motives(*ratings)))
    assert table(page, "各项考量的一致程度")["主观动机"] == expected


def test_the_page_defines_its_words_and_names_the_blindness_of_the_rule(world: World) -> None:
    page = read(world, hold(world, 1, motives(5, 5)))
    told = page[page.index("形态的含义") :]
    order = [told.index(f"<strong>{label}</strong>：") for label in ("两派", "单独保留", "一致", "趋同", "分散")]
    assert order == sorted(order)
    assert "建议值" in told
    assert "对不足 30% 的少数意见视而不见" in page


@pytest.mark.parametrize(
    ("ratings", "expected"),
    [
        ((1, 5, 5, 1, 5, 5, 5, 5, 5), ["沿席位类别划分", "1.00", "0.75"]),
        ((1, 5, 5, 5, 5, 1, 5, 5, 5), ["在席位类别内部", "0.36", "0.75"]),
        ((5, 5, 5, 5), ["无：没有分歧", "–", "–"]),
        ((5, 4, 3), ["无：每个类别只有一人", "–", "–"]),
    ],
)
def test_the_page_says_whether_the_split_follows_the_seats(
    world: World, ratings: tuple[int | None, ...], expected: list[str]
) -> None:
    page = read(world, hold(world, 1, motives(*ratings)))
    assert table(page, "分歧是否沿席位类别划分")["主观动机"] == expected


def test_the_second_round_shows_who_moved_and_how_many(world: World) -> None:
    first = hold(world, 1, motives(5, 5, 5, 4, 1, None, 4, 3), recommendation="mitigate")
    second = hold(world, 2, motives(5, 4, 5, 4, 3, 4, None), change="听证后改变。")
    assert "前后两轮" not in read(world, first)
    page = read(world, second)
    assert "7 名委员在两轮中均提交了意见。" in page
    assert "1 名委员只在其中一轮提交，不计入此处。" in page
    members = table(page, "<caption>各委员前后两轮的评分")
    assert {who: cells[2] for who, cells in members.items()} == {
        "1 欧阳岚": "5", "2 罗正": "5→4", "3 秦月": "5", "4 钱程": "4", "5 孟工": "1→3", "6 石磊": "无", "7 冯婷": "无",
    }  # fmt: skip
    sums = table(page, "<caption>变化合计")
    assert sums["主观动机"] == ["5", "1", "1", "2/5 人 · 40 %", "2/5 人 · 40 %", "1/2 人 · 50 %", "0.52"]
    assert sums["问题性质"] == ["7", "0", "0", "0/7 人 · 0 %", "0/7 人 · 0 %", "–", "–"]
    assert page.count("容错减责 → 容错免责") == 7


def test_where_nobody_gave_an_opinion_in_both_rounds_nothing_moved(world: World) -> None:
    hold(world, 1, motives(5))
    page = read(world, hold(world, 2, {"luo": 4}))
    assert "变化合计" not in page
    assert "单独保留" in page


def test_a_consideration_that_nobody_rated_twice_says_so(world: World) -> None:
    hold(world, 1, motives(None, 5))
    page = read(world, hold(world, 2, motives(5, None), change="听证后改变。"))
    assert table(page, "<caption>变化合计")["主观动机"] == ["0", "无人两轮均评分"]


def test_who_stands_aside_later_moves_nothing(world: World) -> None:
    hold(world, 1, motives(5, 5, 5, 5, 1))
    second = hold(world, 2, motives(5, 5, 5, 5, 5), change="听证后改变。")
    assert table(read(world, second), "<caption>变化合计")["主观动机"][1] == "1"
    world.act(committees.recuse, "chair", seat_id=world.seats["meng"], ground="witness", statement="曾作证。")
    page = read(world, second)
    assert table(page, "<caption>变化合计")["主观动机"][:2] == ["4", "0"]
    assert "孟工" not in page


def test_the_page_says_which_opinions_rest_on_which_exhibit(world: World) -> None:
    page = read(world, hold(world, 1, motives(5, 4)))
    assert table(page, "<caption>证据被各份意见引用的情况") == {
        "1. 巡检记录": ["6", "6"],
        "2. 党委会会议记录": ["1", "1"],
    }
    assert "未被引用的证据" not in page


def test_exhibits_that_no_opinion_cites_are_named(world: World) -> None:
    round_id = open_round(world)
    for key in KEYS:
        said = {"value": 4, "reason": "材料可以证明。", "exhibits": [2] if key == "basis" else []}
        world.act(actions.save_draft, "luo", round_id=round_id, step=key, said=said, revision=99)
    world.act(actions.save_draft, "luo", round_id=round_id, step="overall", said=OVERALL, revision=99)
    world.act(actions.submit, "luo", round_id=round_id)
    world.act(actions.close_round, "secretary", round_id=round_id)
    page = read(world, round_id)
    assert table(page, "<caption>证据被各份意见引用的情况") == {"2. 党委会会议记录": ["1"]}
    assert "未被引用的证据：1" in page


def test_every_picture_says_itself_in_words_and_in_numbers(world: World) -> None:
    hold(world, 1, motives(5, 5, 1))
    second = hold(world, 2, motives(5, 5, 5), change="听证后改变。")
    for locale in ("zh_CN", "en"):
        page = read(world, second, locale=locale)
        figures = re.findall(r"<figure.*?</figure>", page, re.S)
        assert len(figures) == 4
        for figure in figures:
            assert re.search(r'<svg[^>]* role="img"[^>]*><title>[^<]+</title><desc>[^<]+</desc>', figure)
            assert re.search(r"<details.*<tbody>.*</details>", figure, re.S)
            assert "style=" not in figure
        assert unescaped(page) == []


def test_an_empty_round_has_no_measure(world: World) -> None:
    page = read(world, hold(world, 1, {}))
    assert [word for word in MEASURES if word in page] == []


# Sealed


def everything(world: World, who: str, *rounds: str) -> list[tuple[int, str]]:
    """What somebody gets from every page that speaks of these rounds."""
    client, hearing = world.client(who), f"/hearings/{world.hearing_id}"
    paths = [f"/rounds/{id}{end}" for id in rounds for end in ("", "/opinion", "/opinion/check", "/opinion/given")]
    paths += [f"/cases/{world.case_id}", hearing, f"{hearing}/changes?since=0", f"{hearing}/changes?since=0&own=1", "/"]
    answers = [client.get(path) for path in paths]
    return [(answer.status_code, re.sub(r"revision=\"\d+\"", "", plain(answer.text))) for answer in answers]


def test_before_the_round_closes_no_measure_of_it_is_on_any_page(world: World) -> None:
    round_id = open_round(world)
    for who, motive in motives(1, 5, 5, 1, 3).items():
        hand_in(world, who, round_id, motive=motive)
    for who in (*READERS, "meng"):
        told = "".join(text for _, text in everything(world, who, round_id))
        assert [word for word in MEASURES if word in told] == []
    world.act(actions.close_round, "secretary", round_id=round_id)
    for who in READERS:
        told = "".join(text for _, text in everything(world, who, round_id))
        assert ([word for word in MEASURES if word in told] != []) == (who in INSIDE)


def test_what_is_in_a_sealed_round_changes_no_page_of_anybody_else(world: World) -> None:
    """Neither its own pages nor those of the round before, to which it will be compared; the chair counts only."""
    first = hold(world, 1, motives(5, 5, 5, 5, 5, 5))
    second = open_round(world, 2)
    for who in ("meng", "shi"):
        hand_in(world, who, second, motive=5, change="")
    before = {who: everything(world, who, first, second) for who in READERS}
    hand_in(world, "meng", second, motive=1, other=1, change="听证后改变。", recommendation="deny")
    hand_in(world, "shi", second, motive=None, other=3, change="听证后改变。", recommendation="deny")
    after = {who: everything(world, who, first, second) for who in READERS}
    assert [who for who in READERS if before[who] != after[who]] == []
    world.act(actions.close_round, "secretary", round_id=second)
    assert "5→1" in read(world, second)
