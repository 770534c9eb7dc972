"""`panel draw verify`: every ticket in its order, the same verdict as the check, words for what cannot be."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from panel.cli import draws as command
from panel.draws import queries
from panel.draws.models import Draw
from panel.record.note import SigningKey
from tests.draws.casting import drawn, of_known_key
from tests.factories import World, make_world
from tests.verify.stories import bundle, rewritten
from tests.verify.test_page_mutations import VKEY, signed

app = typer.Typer()
app.add_typer(command.draw, name="draw")


def panel(*words: object) -> tuple[int, Sequence[str]]:
    """Type a command; return its exit code and what it printed, errors included."""
    result = CliRunner().invoke(app, ["draw", "verify", *(str(word) for word in words)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output.splitlines()


@pytest.fixture
def house(tmp_path: Path, template: Path) -> World:
    """A world with a case whose panel is to be drawn, in a log of a known key."""
    return of_known_key(make_world(tmp_path / "house", template))


def test_every_ticket_is_told_in_the_order_of_the_draw(house: World, tmp_path: Path) -> None:
    draw_id, file = drawn(house), tmp_path / "case.json"
    file.write_bytes(bundle(house))
    code, lines = panel(file, "--key", VKEY)
    with house.db() as db:
        drawing = db.get_one(Draw, draw_id)
        pool = len(queries.candidates_of(drawing))
    rows = [re.fullmatch(r"    ([* ]) ([0-9a-f]{64})  ([0-9a-f]{32})", line) for line in lines]
    found = [row.groups() for row in rows if row]
    chosen = [candidate for mark, _, candidate in found if mark == "*"]
    assert (code, lines[0], lines[-1]) == (0, f"种子：{drawing.seed}", "第1次抽取：已重新演算，8名委员相同。")
    assert len(found) == pool
    assert sorted(chosen) == sorted(one for ids in drawing.drawn["members"].values() for one in ids)
    assert "  行业专家" in lines


def test_a_lie_and_another_key_are_told_and_exit_with_one(house: World, tmp_path: Path) -> None:
    drawn(house)
    content, file = rewritten(bundle(house)), tmp_path / "case.json"
    held = next(e for e in content["entries"] if e["parts"]["public"]["value"]["kind"] == "draws.draw_held")
    held["parts"]["public"]["value"]["seed"] = "ab" * 32
    file.write_bytes(signed(content))
    code, lines = panel(file, "--key", VKEY)
    assert (code, any("抽取的种子不是由根值和秘密值产生的。" in line for line in lines)) == (1, True)
    file.write_bytes(bundle(house))
    assert panel(file, "--key", str(SigningKey.new("heyi/other").verifier))[0] == 1


def test_a_case_without_a_draw_and_a_file_that_is_none_exit_with_two(house: World, tmp_path: Path) -> None:
    file = tmp_path / "case.json"
    file.write_bytes(bundle(house))
    assert panel(file) == (2, ["此文件中没有可以重新演算的抽取。"])
    assert panel(tmp_path / "none.json")[0] == 2
