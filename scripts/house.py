"""The house's own rules about files; each function returns what breaks the rule, one line each."""

import ast
import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

LONGEST = 450
CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]+")
ALLOWED = re.compile(r"(?:#|\{#) zh: \S")
"""`# zh: reason` on the line (or `# zh: reason` alone, above the code, for the whole file) allows Chinese in it."""

COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
STATEMENT = re.compile(r"\{%.*?%\}", re.DOTALL)
TAG = re.compile(r"<[a-zA-Z][^>]*>", re.DOTALL)
REQUEST = re.compile(r"\s(?:data-)?hx-(?:get|post|put|patch|delete|query|action)\b")
UNSAFE_TEXT = {
    "marks text as safe": re.compile(r"\|\s*safe\b"),
    "turns escaping off": re.compile(r"autoescape\s+false"),
    "uses {% trans %}; write {{ _(...) }}": re.compile(r"\{%-?\s*trans\b"),
}
UNSAFE_TAG: dict[str, Callable[[str], object]] = {
    "has an inline style": re.compile(r"\sstyle\s*=").search,
    "has an inline handler": re.compile(r"\son[a-z]+\s*=").search,
    "uses hx-on": re.compile(r"\s(?:data-)?hx-on\b").search,
    "has a javascript: address": re.compile(r"=\s*[\"']?\s*javascript:", re.IGNORECASE).search,
    "is a script without nonce and src": lambda tag: script(tag) and not ("nonce=" in tag and "src=" in tag),
    "makes requests without hx-nonce": lambda tag: REQUEST.search(tag) and "hx-nonce=" not in tag,
}


def script(tag: str) -> bool:
    """Say whether a tag is a script that runs."""
    return tag.lower().startswith("<script") and "application/json" not in tag


def blank(match: re.Match[str]) -> str:
    """Replace a piece of a template by as many lines."""
    return "x" + "\n" * match[0].count("\n")


def html_files(root: Path) -> Iterator[tuple[str, str]]:
    """Yield every template's name and text."""
    for path in sorted((root / "templates").rglob("*.*")):
        yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")


def line_of(text: str, position: int) -> int:
    """Return the number of the line of a position."""
    return text.count("\n", 0, position) + 1


def unsafe_templates(root: Path) -> list[str]:
    """No text from users becomes markup, and nothing inline: no |safe, style=, on*=, hx-on, bare <script>."""
    found = []
    for name, text in html_files(root):
        text = COMMENT.sub(blank, text)
        for complaint, pattern in UNSAFE_TEXT.items():
            found += [f"{name}:{line_of(text, match.start())} {complaint}" for match in pattern.finditer(text)]
        markup = STATEMENT.sub(blank, EXPRESSION.sub(blank, text))
        for tag in TAG.finditer(markup):
            where = f"{name}:{line_of(markup, tag.start())}"
            found += [f"{where} {complaint}: {tag[0][:60]}" for complaint, has in UNSAFE_TAG.items() if has(tag[0])]
    return found


def hard_coded_chinese(root: Path) -> list[str]:
    """Chinese stands in the catalogues and rule packs; never in templates, and in Python only in comments."""
    found = []
    for name, text in html_files(root):
        for number, line in enumerate(COMMENT.sub(keep_permission, text).split("\n"), 1):
            if not ALLOWED.search(line) and (match := CHINESE.search(line)):
                found.append(f"{name}:{number} {match[0]}")
    for path in sorted((root / "panel").rglob("*.py")):
        found += chinese_literals(path.read_text(encoding="utf-8"), path.relative_to(root).as_posix())
    return found


def keep_permission(match: re.Match[str]) -> str:
    """Drop a template's comment, unless it allows Chinese on its line."""
    return "{# zh: allowed #}" if ALLOWED.match(match[0]) else blank(match)


def chinese_literals(text: str, name: str) -> list[str]:
    """Return the Chinese in one module's strings, docstrings aside."""
    lines = text.split("\n")
    if any(line.startswith("#") and ALLOWED.match(line) for line in lines):
        return []
    tree = ast.parse(text)
    aside = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        f"{name}:{node.lineno} {match[0]}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in aside
        if (match := CHINESE.search(node.value))
        and not any(ALLOWED.search(line) for line in lines[node.lineno - 1 : node.end_lineno])
    ]


def long_files(root: Path) -> list[str]:
    """No file over 450 lines: a longer one becomes a package of the same name."""
    found = []
    for pattern in ("run.py", "panel/**/*.py", "templates/**/*.*", "static/**/*.css", "static/**/*.js", "scripts/*",
                    "tests/**/*.py"):  # fmt: skip
        for path in sorted(root.glob(pattern)):
            if path.is_file() and "vendor" not in path.parts:
                count = len(path.read_text(encoding="utf-8").splitlines())
                found += [f"{path.relative_to(root).as_posix()} has {count} lines"] if count > LONGEST else []
    return found


def altered_vendored_files(root: Path) -> list[str]:
    """Every vendored file is listed with its licence and is, byte for byte, what was listed."""
    folder = root / "static" / "vendor"
    entries = json.loads((folder / "vendor.json").read_text(encoding="utf-8"))
    listed = {"vendor.json", *(entry["licence_file"] for entry in entries), *(entry["file"] for entry in entries)}
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    found = [f"static/vendor/{name} is not there" for name in sorted(listed - present)]
    found += [f"static/vendor/{name} is not listed in vendor.json" for name in sorted(present - listed)]
    for entry in entries:
        path = folder / entry["file"]
        if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
            found.append(f"static/vendor/{entry['file']} was altered")
    return found


def stale_locks(root: Path) -> list[str]:
    """Every dependency is locked with hashes, both locks agree, and no lock names a host."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    runtime, development = (locked(root / name) for name in ("requirements.lock", "requirements-dev.lock"))
    wanted = {"requirements.lock": project["project"]["dependencies"], "requirements-dev.lock": []}
    wanted["requirements-dev.lock"] = wanted["requirements.lock"] + project["dependency-groups"]["dev"]
    found = []
    for name, pins in (("requirements.lock", runtime), ("requirements-dev.lock", development)):
        names = [normal(re.split(r"[\s\[<>=!~;]", dependency, maxsplit=1)[0]) for dependency in wanted[name]]
        found += [f"{name} lacks {dependency}: scripts/lock" for dependency in names if dependency not in pins]
        text = (root / name).read_text(encoding="utf-8")
        found += [f"{name} names a host or an index"] if re.search(r"://|--(?:extra-)?index|--find", text) else []
    found += [f"the locks differ on {name}" for name, pin in runtime.items() if development.get(name) != pin]
    return found


def locked(path: Path) -> dict[str, str]:
    """Return the pins of a lock file: name to version; a pin without a hash is left out."""
    text = path.read_text(encoding="utf-8")
    return {
        normal(match[1]): match[2]
        for match in re.finditer(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;]+)[^\n]*\\\n\s+--hash=sha256:", text, re.MULTILINE)
    }


def normal(name: str) -> str:
    """Return a distribution's name as indexes write it."""
    return re.sub(r"[-_.]+", "-", name).lower()
