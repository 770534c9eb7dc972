"""Masking of names and numbers for publication; pure.

Names: the surname stays and 某 stands for the rest (法释〔2016〕19号 §9); compound surnames stay whole; of names of
ethnic minorities with a middle dot the first character stays. Numbers that identify are replaced by ×.
"""

import re
from collections.abc import Iterable, Mapping

# zh: surnames and patterns
_COMPOUND = """
    欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台
    皇甫 宗政 濮阳 公冶 太叔 申屠 公孙 慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘
    子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良 漆雕 乐正 宰父 谷梁 拓跋 夹谷 轩辕 令狐
    段干 百里 呼延 东郭 南门 羊舌 微生 公户 公玉 公仪 梁丘 公仲 公上 公门 公山 公坚
    左丘 公伯 西门 公祖 第五 公乘 贯丘 公皙 南荣 东里 东宫 仲长 子书 子桑 即墨 达奚
    褚师
"""
COMPOUND_SURNAMES = frozenset(_COMPOUND.split())

# zh: a plate begins with the sign of its province
_NUMBERS = re.compile(
    r"(?<!\d)(?:\d{17}[\dXx]|\d{15}|1[3-9]\d{9}|\d{16,19})(?!\d)|[\w.+-]+@[\w-]+\.[\w.]+"
    r"|[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·•]?[A-Z0-9]{5,6}"
)
_MASKED = re.compile(r"某|[×xX]{2}$")


def surname(name: str) -> str:
    """Return the part of a name that may be shown."""
    if "·" in name or "•" in name:
        return name[:1]
    return name[:2] if name[:2] in COMPOUND_SURNAMES and len(name) > 2 else name[:1]


def mask_name(name: str) -> str:
    """Return surname and 某: 林某, 欧阳某. A name that is masked already stays as it is."""
    return name if _MASKED.search(name) or not name else f"{surname(name)}某"


def masks(names: Iterable[str]) -> dict[str, str]:
    """Return a mask for each name; those that would fall together are numbered: 张某1, 张某2."""
    known = sorted(set(filter(None, names)))
    alike: dict[str, list[str]] = {}
    for name in known:
        alike.setdefault(mask_name(name), []).append(name)
    return {
        name: mask if len(group) == 1 or name == mask else f"{mask}{number}"
        for mask, group in alike.items()
        for number, name in enumerate(group, start=1)
    }


def mask_text(text: str, names: Mapping[str, str]) -> str:
    """Replace every known name by its mask, and identity, phone, account and plate numbers and mail addresses by ×."""
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, names[name])
    return _NUMBERS.sub("××", text)
