"""What the documents say of the tests is so."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


@cache
def functions(path: str) -> set[str]:
    """Return the names of a file's functions."""
    return {node.name for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_test_that_a_document_names_is_there(document: Path) -> None:
    named = NAMED.findall(document.read_text())
    assert [f"{path}::{name}" for path, name in named if name and name not in functions(path)] == []
    assert [path for path, _ in named if not (ROOT / path).is_file()] == []


def test_the_secret_ballot_s_table_names_its_tests() -> None:
    assert len(NAMED.findall((ROOT / "docs" / "security.md").read_text())) >= 20
