"""The check of the catalogues finds every way in which a language can be incomplete."""

import runpy
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "scripts" / "translations"
TRANSLATIONS: dict[str, Any] = runpy.run_path(str(SCRIPT))
VOTES = '''
def why_not(n):
    """Say why not."""
    return Reason("%(n)s members have voted.", n=n) or _("Vote") or ngettext("%(n)s ballot", "%(n)s ballots", n)
'''
WHOLE = """
msgid "%(n)s members have voted."
msgstr "已有 %(n)s 位委员投票。"

msgid "%(n)s ballot"
msgid_plural "%(n)s ballots"
msgstr[0] "%(n)s 张选票"
"""
SHARED = 'msgid "Vote"\nmsgstr "表决"\n\nmsgid "Save"\nmsgstr "保存"\n'


def complaints(root: Path, votes: str = WHOLE, core: str = SHARED) -> list[str]:
    """Check a small project of one area with these catalogues."""
    for name, text in {
        "panel/votes/__init__.py": "",
        "panel/votes/rules.py": VOTES,
        "templates/base.html": '<p>{{ _("Save") }}</p>',
        "panel/locale/zh_CN/votes.po": votes,
        "panel/locale/zh_CN/core.po": core,
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    found: list[str] = TRANSLATIONS["complaints"](TRANSLATIONS["House"](root))
    return found


def test_an_area_may_lean_on_the_shared_catalogue(tmp_path: Path) -> None:
    assert complaints(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            "已有 %(n)s 位委员投票。",
            "",
            "panel/votes/rules.py:4: no translation in votes.po: %(n)s members have voted.",
        ),
        (
            "已有 %(n)s",
            "已有 %(m)s",
            "votes.po: has other placeholders than its translation: 已有 %(m)s 位委员投票。: ",
        ),
        ("投票。", "100% 。", "votes.po: has a translation that cannot be filled in (a bare % is written %%): "),
        ("已有 %(n)s 位委员投票。", "%(n)s members", "votes.po: is translated without a Chinese word: %(n)s members: "),
        ('\nmsgid "%(n)s members', '\n#, fuzzy\nmsgid "%(n)s members', "votes.po: is marked fuzzy: %(n)s members "),
        (WHOLE, WHOLE + '\nmsgid "Old"\nmsgstr "旧"\n', "votes.po: nothing uses: Old"),
        (WHOLE, WHOLE + '\n#~ msgid "Older"\n#~ msgstr "更旧"\n', "votes.po: obsolete entry: Older"),
        (
            WHOLE,
            WHOLE + '\nmsgid "%(n)s members have voted."\nmsgstr "已有 %(n)s 位委员投票。"\n',
            "votes.po: stands twice: ",
        ),
        (
            WHOLE,
            WHOLE + '\nmsgid "Vote"\nmsgstr "投票"\n',
            "votes.po and core.po translate differently: Vote: 投票 / 表决",
        ),
    ],
)
def test_what_is_incomplete_is_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in WHOLE
    found = complaints(tmp_path, votes=WHOLE.replace(old, new))
    assert any(line.startswith(complaint) for line in found), found


def test_a_missing_text_of_a_shared_page_is_missed_in_core(tmp_path: Path) -> None:
    assert complaints(tmp_path, core=SHARED.replace("保存", "")) == [
        "templates/base.html:1: no translation in core.po: Save",
        "core.po: has no translation: Save",
    ]


def test_what_is_missing_is_listed_ready_to_paste(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    complaints(tmp_path, votes="")
    TRANSLATIONS["show"](TRANSLATIONS["House"](tmp_path), "votes")
    assert capsys.readouterr().out == (
        '#: panel/votes/rules.py:4\nmsgid "%(n)s members have voted."\nmsgstr ""\n\n'
        '#: panel/votes/rules.py:4\nmsgid "%(n)s ballot"\nmsgid_plural "%(n)s ballots"\nmsgstr[0] ""\n\n'
    )
