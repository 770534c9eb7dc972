"""Each rule of the house finds what it is there to find, and nothing else."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from scripts import house


def write(root: Path, name: str, text: str) -> None:
    """Write a file below a root."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("markup", "complaint"),
    [
        ("{{ reason|safe }}", "marks text as safe"),
        ("{{ reason | safe }}", "marks text as safe"),
        ("{% autoescape false %}", "turns escaping off"),
        ("{% trans %}Vote{% endtrans %}", "uses {% trans %}; write {{ _(...) }}"),
        ('<p class="a"\n style="color: red">', "has an inline style"),
        ('<button onclick="go()">', "has an inline handler"),
        ('<p hx-on:click="go()">', "uses hx-on"),
        ('<p data-hx-on="click -> go()">', "uses hx-on"),
        ('<a href=" javascript:go()">', "has a javascript: address"),
        ("<script>go()</script>", "is a script without nonce and src"),
        ('<script src="/app.js">', "is a script without nonce and src"),
        ('<script nonce="{{ nonce }}">', "is a script without nonce and src"),
        ('<a hx-get="/x">', "makes requests without hx-nonce"),
    ],
)
def test_an_unsafe_template_is_named_with_its_line(tmp_path: Path, markup: str, complaint: str) -> None:
    write(tmp_path, "templates/votes/page.html", f"<h1>{{{{ title }}}}</h1>\n{{# two\nlines #}}\n{markup}\n")
    found = house.unsafe_templates(tmp_path)
    assert [line.partition(" ")[0] for line in found] == ["templates/votes/page.html:4"]
    assert complaint in found[0]


@pytest.mark.parametrize(
    "markup",
    [
        "{# |safe, style= and <script> are never written #}",
        '<script nonce="{{ nonce }}" src="{{ static(\'app.js\') }}"></script>',
        '<script type="application/json">{}</script>',
        '<a hx-get="/x" hx-nonce="{{ nonce }}">',
        '<p data-style="plain" class="{% if a > b %}on{% endif %}">{{ _("safe = yes") }}</p>',
        '<p class="{{ "a" if n > 1 else "b" }}" data-once="1">',
    ],
)
def test_a_decent_template_is_let_through(tmp_path: Path, markup: str) -> None:
    write(tmp_path, "templates/votes/page.html", markup)
    assert house.unsafe_templates(tmp_path) == []


def test_chinese_in_templates_and_strings_is_found(tmp_path: Path) -> None:
    write(tmp_path, "templates/base.html", "{# 说明 #}\n<h1>合议</h1>\n中文 {# zh: each language names itself #}\n")
    write(tmp_path, "panel/a.py", '"""合议"""\n# 注释\nNAME = "合议"\n')
    write(tmp_path, "panel/b.py", 'def name():\n    """合议"""\n    return f"{1}席"\n')
    write(tmp_path, "panel/c.py", 'MARK = "某"  # zh: what stands for a name\nCOMMA = "，"\n')
    write(tmp_path, "panel/d.py", '"""Surnames."""\n\n# zh: data\nNAMES = ["欧阳",\n "司马"]\n')
    write(tmp_path, "panel/rulepacks/pack.toml", 'title = "合议"\n')
    assert house.hard_coded_chinese(tmp_path) == [
        "templates/base.html:2 合议",
        "panel/a.py:3 合议",
        "panel/b.py:3 席",
        "panel/c.py:2 ，",
    ]


def test_a_file_of_451_lines_is_too_long(tmp_path: Path) -> None:
    write(tmp_path, "panel/votes/actions.py", "#\n" * 451)
    write(tmp_path, "panel/votes/rules.py", "#\n" * 450)
    write(tmp_path, "static/css/hearing.css", "\n" * 451)
    write(tmp_path, "static/vendor/htmx.js", "\n" * 9000)
    assert house.long_files(tmp_path) == [
        "panel/votes/actions.py has 451 lines",
        "static/css/hearing.css has 451 lines",
    ]


def test_a_vendored_file_is_listed_and_unaltered(tmp_path: Path) -> None:
    digest = sha256(b"code").hexdigest()
    entries = [{"file": name, "licence_file": "LICENCE.txt", "sha256": digest} for name in ("a.js", "b.js", "c.js")]
    write(tmp_path, "static/vendor/vendor.json", json.dumps(entries))
    write(tmp_path, "static/vendor/LICENCE.txt", "free")
    write(tmp_path, "static/vendor/a.js", "code")
    write(tmp_path, "static/vendor/b.js", "other code")
    write(tmp_path, "static/vendor/d.js", "code")
    assert house.altered_vendored_files(tmp_path) == [
        "static/vendor/c.js is not there",
        "static/vendor/d.js is not listed in vendor.json",
        "static/vendor/b.js was altered",
    ]


PROJECT = (
    '[project]\ndependencies = ["jinja2>=3", "PyNaCl[x]>=1; os_name == \'nt\'"]\n[dependency-groups]\ndev = ["ruff"]\n'
)
RUNTIME = "jinja2==3.1.6 \\\n    --hash=sha256:00\npynacl==1.6.2 \\\n    --hash=sha256:01\n"
RUFF = "ruff==0.1 \\\n    --hash=sha256:02\n"


def test_locks_that_agree_hold(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", PROJECT)
    write(tmp_path, "requirements.lock", RUNTIME)
    write(tmp_path, "requirements-dev.lock", RUNTIME + RUFF)
    assert house.stale_locks(tmp_path) == []


def test_a_dependency_without_hash_an_index_and_a_difference_are_found(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", PROJECT)
    write(tmp_path, "requirements.lock", "--index-url https://example.org\n" + RUNTIME.replace("pynacl==1.6.2 \\", "x"))
    write(tmp_path, "requirements-dev.lock", RUNTIME.replace("3.1.6", "3.1.5"))
    assert house.stale_locks(tmp_path) == [
        "requirements.lock lacks pynacl: scripts/lock",
        "requirements.lock names a host or an index",
        "requirements-dev.lock lacks ruff: scripts/lock",
        "the locks differ on jinja2",
    ]
