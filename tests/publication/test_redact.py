"""Masking: names, numbers, and what must not slip through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.publication.redact import COMPOUND_SURNAMES, mask_name, mask_text, masks


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("林文", "林某"),
        ("欧阳岚", "欧阳某"),
        ("诸葛明远", "诸葛某"),
        ("阿依努尔·热合曼", "阿某"),
        ("黄某", "黄某"),
        ("李某某", "李某某"),
        ("张××", "张××"),
        ("", ""),
    ],
)
def test_a_name_keeps_its_surname_only(name: str, masked: str) -> None:
    assert mask_name(name) == masked


def test_names_that_would_fall_together_are_numbered() -> None:
    assert masks(["张三", "张四", "欧阳岚", "黄某"]) == {
        "张三": "张某1",
        "张四": "张某2",
        "欧阳岚": "欧阳某",
        "黄某": "黄某",
    }


@pytest.mark.parametrize(
    "secret",
    ["13812345678", "420102199001011234", "42010219900101123X", "6222021234567890123", "鄂A12345", "a.b@example.cn"],
)
def test_numbers_that_identify_are_replaced(secret: str) -> None:
    assert secret not in mask_text(f"联系{secret}，谢谢。", {})


@pytest.mark.parametrize("harmless", ["2018年4月", "共16个项目", "金额120000元", "第17条"])
def test_other_numbers_stay(harmless: str) -> None:
    assert mask_text(harmless, {}) == harmless


def test_the_longer_name_goes_first() -> None:
    names = masks(["王小", "王小明"])
    assert "王小" not in mask_text("王小明和王小都在场。", names).replace("王某", "")


SURNAMES = st.sampled_from([*sorted(COMPOUND_SURNAMES)[:20], "王", "李", "张", "赵"])
GIVEN = st.text(alphabet="明文志远芳秀英伟强磊", min_size=2, max_size=2)
NAMES = st.lists(
    st.builds(lambda surname, given: surname + given, SURNAMES, GIVEN), min_size=1, max_size=6, unique=True
)


@given(NAMES, st.text(alphabet="，。的了在会议同意", max_size=8))
def test_no_known_name_survives_in_any_text(names: list[str], between: str) -> None:
    masked = mask_text(between.join(names), masks(names))
    assert [name for name in names if name in masked] == []


@given(NAMES)
def test_no_two_people_get_the_same_mask(names: list[str]) -> None:
    given_masks = masks(names)
    assert len(set(given_masks.values())) == len(names)
