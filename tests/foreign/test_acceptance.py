"""What the product wrote is accepted by judges that nobody here wrote; tiles alone give them root and proofs."""

import json
import random
import subprocess
from itertools import combinations
from pathlib import Path

import pytest

import run
from panel.record.events import Level
from tests.foreign.conftest import LONG, VKEY, Case, Published, Record, file
from tests.foreign.judges import Judge

SEED = 20261123
SMALL = 64
"""Every pair of sizes up to here is judged; above it, random ones."""


def accepted(judge: Judge, cases: list[Case]) -> int:
    """Let a judge decide; every case must be accepted. Returns how many there were."""
    assert [answer.why for answer in judge.ask(cases)] == [""] * len(cases)
    return len(cases)


def test_the_judges_have_no_network_where_the_machine_allows_it() -> None:
    if not run.offline():
        pytest.skip("this machine does not let unshare take the network from a process; run.py says so too")
    interfaces = [*run.offline(), "cut", "-s", "-d:", "-f1", "/proc/net/dev"]
    assert subprocess.run(interfaces, capture_output=True, text=True, check=True).stdout.split() == ["lo"]


def test_checkpoints_are_signed_for_go_and_npm(judges: tuple[Judge, ...], published: Published, long: Record) -> None:
    notes = [file("note", record.note) for record in (published, long)]
    assert [accepted(judge, notes) for judge in judges if "note" in judge.kinds] == [2, 2]


def test_every_entry_is_included_for_all_three(judges: tuple[Judge, ...], published: Published, long: Record) -> None:
    cases = published.inclusions(range(published.size)) + long.inclusions(range(0, LONG, 7))
    assert [accepted(judge, cases) for judge in judges] == [len(cases)] * 3
    assert len(cases) > 300


def test_bundles_of_every_audience_hold_for_go_and_npm(judges: tuple[Judge, ...], published: Published) -> None:
    cases = [file("bundle", published.bundles[level]) for level in Level]
    assert [accepted(judge, cases) for judge in judges if "bundle" in judge.kinds] == [4, 4]
    assert len(json.loads(published.bundles[Level.PUBLIC])["entries"]) > 50


def test_every_receipt_checks_offline_with_all_three(judges: tuple[Judge, ...], published: Published) -> None:
    cases = [file("receipt", data) for data in published.receipts()]
    assert [accepted(judge, cases) for judge in judges] == [len(cases)] * 3
    assert len(cases) > 100


def test_the_record_only_grew_for_all_pairs(go: Judge, long: Record) -> None:
    dice = random.Random(SEED)
    small = list(combinations(range(1, SMALL + 1), 2))
    larger = [sorted(dice.sample(range(1, LONG + 1), 2)) for _ in range(500)]
    cases = long.consistency([*small, *((old, new) for old, new in larger)])
    assert accepted(go, cases) == SMALL * (SMALL - 1) // 2 + 500


def test_tiles_alone_give_go_the_root_and_the_same_proofs(go: Judge, long: Record, tmp_path: Path) -> None:
    dice = random.Random(SEED)
    indexes, pairs = dice.sample(range(LONG), 200), [sorted(dice.sample(range(1, LONG + 1), 2)) for _ in range(200)]
    folder = long.mirrored(tmp_path / "log")
    case = {"Kind": "tiles", "Key": VKEY, "Folder": str(folder), "Indexes": indexes, "Pairs": pairs}
    (answer,) = go.ask([case])
    assert answer.why == ""
    ours = [*long.inclusions(indexes), *long.consistency([(old, new) for old, new in pairs])]
    assert [list(proof) for proof in answer.proofs] == [case["Proof"] for case in ours]
