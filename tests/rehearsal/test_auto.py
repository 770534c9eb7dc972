"""The product's main job: a whole hearing of each case, held unattended through pages and sockets."""

import base64
import copy
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from panel.cli import demo
from panel.rulebook import queries as rulebook
from panel.verify import check

pytestmark = pytest.mark.timeout(900)

KEYS = [
    "case", "events", "opinions_round_1", "opinions_round_2", "dissents", "motions", "ballots", "outcome", "root",
    "bundle", "verified",
]  # fmt: skip
EXPECTED = {1: "exempt", 6: "exempt", 7: "exempt", 8: "deny"}
OPINIONS = {1: 8, 6: 9, 7: 9, 8: 8}
"""Opinions of the first round that count in the end: in 1 and 8 one member is recused."""


def held(folder: Path, number: int, output: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Hold a demo case as `panel demo --auto` does; return the JSON object of its last line on stdout."""
    status = demo._run(folder, auto=True, number=number, port=0, lan=False)
    said = output.readouterr()
    assert status == 0, said.err
    concluded: dict[str, Any] = json.loads(said.out.strip().splitlines()[-1])
    return concluded


@pytest.mark.parametrize("number", sorted(EXPECTED))
def test_a_case_of_the_report_is_heard_from_first_opinion_to_verified_bundle(
    tmp_path: Path, number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    concluded = held(tmp_path, number, capsys)
    assert list(concluded) == KEYS
    assert (concluded["case"], concluded["outcome"], concluded["verified"]) == (number, EXPECTED[number], True)
    assert concluded["opinions_round_1"] == OPINIONS[number]
    assert concluded["dissents"] == 2
    assert concluded["events"] > 150
    assert len(base64.b64decode(concluded["root"])) == 32
    report = check.verify(Path(concluded["bundle"]).read_bytes())
    kinds = Counter(entry.kind for entry in report.bundle.entries) if report.bundle else Counter[str]()
    assert (report.holds, kinds["dissents.addendum_filed"]) == (True, 1 if number == 8 else 0)
    assert kinds["publication.gist_approved"] == 2, "the authors approve what the public reads of their dissents"


def test_other_ballots_lead_to_another_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = copy.deepcopy(rulebook.pack("demo/case_06"))
    first = script["fiction"]["dispositions"][0]
    for seat in ("s1", "s2", "s5", "s8"):
        first["ballots"][seat] = "disapprove"
    packs = rulebook.pack
    monkeypatch.setattr(rulebook, "pack", lambda name: script if name == "demo/case_06" else packs(name))
    assert held(tmp_path, 6, capsys)["outcome"] == script["fiction"]["dispositions"][1]["outcome"] == "mitigate"


def test_a_script_that_cannot_be_played_ends_in_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = copy.deepcopy(rulebook.pack("demo/case_06"))
    said = next(each for each in script["fiction"]["opinions"] if each["round"] == 1)
    del said["nature"]
    packs = rulebook.pack
    monkeypatch.setattr(rulebook, "pack", lambda name: script if name == "demo/case_06" else packs(name))
    status = demo._run(tmp_path, auto=True, number=6, port=0, lan=False)
    assert status == 1
    assert "cannot give the opinion" in capsys.readouterr().err
