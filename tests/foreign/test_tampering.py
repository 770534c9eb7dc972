"""What was tampered with is accepted by nobody: not by ours, and not by any judge that can judge its kind.

One bit is changed at a time, with a fixed seed. Base64 can be written in several ways: where a judge reads from the
changed file what it reads from the honest one, nothing was tampered with for it, and this is counted apart. Ours
refuses that too. The control: the honest case of every tampered one is accepted by all.
"""

import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from panel.record import tiles
from panel.record.events import Level
from tests.foreign import tampering
from tests.foreign.conftest import VKEY, Published, Record, file
from tests.foreign.judges import Judge
from tests.foreign.tampering import Tampered

SEED = 20261123
SPELLED_IN_BASE64 = {"signature", "receipt", "receipt's proof"}
"""What may be the same to others after a bit was changed: parts of files outside the signed text."""

BEYOND = {("PyPI sigstore", "receipt")}
"""sigstore's function judges proofs only: neither signatures nor what a receipt discloses."""

Count = Any


def refused_by_all(judges: Iterable[Judge], tampered: list[Tampered], count: Count) -> None:
    """Ask ours and every judge who can judge; nobody may accept. Tells the counts in the summary of the run."""
    kinds = Counter(one.what for one in tampered)
    assert [one for one in tampered if one.ours] == []
    told = [
        f"{sum(kinds.values())} tampered ({', '.join(f'{n} {what}' for what, n in kinds.items())}): ours refuses all"
    ]
    for judge in judges:
        mine = [one for one in tampered if one.case["Kind"] in judge.kinds and (judge.name, one.what) not in BEYOND]
        if mine:
            spelled = len(same_to(judge, mine))
            same = f", and reads the honest file in {spelled} (base64 written otherwise)" if spelled else ""
            told.append(f"{judge.name} refuses {len(mine) - spelled} of {len(mine)}{same}")
    count("counted", "; ".join(told))


def same_to(judge: Judge, tampered: list[Tampered]) -> list[Tampered]:
    """Return what a judge reads as it reads the honest case. It must accept every honest case, and nothing else."""
    honest = {id(one.honest): one.honest for one in tampered}
    control = dict(zip(honest, judge.ask(list(honest.values())), strict=True))
    assert [answer.why for answer in control.values()] == [""] * len(control)
    accepted = [
        (one, answer)
        for one, answer in zip(tampered, judge.ask([one.case for one in tampered]), strict=True)
        if answer.accepted
    ]
    assert [one for one, answer in accepted if answer.read != control[id(one.honest)].read] == []
    assert {one.what for one, _ in accepted} <= SPELLED_IN_BASE64
    assert len(accepted) * 20 < len(tampered)
    return [one for one, _ in accepted]


def test_bits_of_entries_roots_and_proofs(
    judges: tuple[Judge, ...], published: Published, long: Record, record_property: Count
) -> None:
    dice = random.Random(SEED)
    honest = published.inclusions(range(published.size)) + long.inclusions(range(1, 2000, 40))
    assert all(tampering.ours(case) for case in honest)
    changed = [
        *tampering.entries(honest, dice, 300),
        *tampering.roots(honest, dice, 300),
        *tampering.proofs(honest, dice, 300),
    ]
    refused_by_all(judges, changed, record_property)


def test_bits_of_consistency_proofs(go: Judge, long: Record, record_property: Count) -> None:
    dice = random.Random(SEED)
    honest = long.consistency([(old, new) for old in (3, 64, 700, 1999) for new in (1000, 1024, 2000) if old < new])
    assert all(tampering.ours(case) for case in honest)
    changed = [*tampering.roots(honest, dice, 150), *tampering.proofs(honest, dice, 150)]
    refused_by_all([go], changed, record_property)


def test_every_bit_of_sizes_roots_and_signatures_of_checkpoints(
    judges: tuple[Judge, ...], published: Published, long: Record, record_property: Count
) -> None:
    honest = [file("note", record.note) for record in (published, long)]
    assert all(tampering.ours(case) for case in honest)
    refused_by_all(judges, [one for case in honest for one in tampering.notes(case)], record_property)


def test_bits_of_receipts(judges: tuple[Judge, ...], published: Published, record_property: Count) -> None:
    honest = [file("receipt", data) for data in published.receipts()]
    assert all(tampering.ours(case) for case in honest)
    refused_by_all(judges, list(tampering.receipts(honest, random.Random(SEED), 300)), record_property)


@pytest.mark.parametrize("level", [Level.PUBLIC, Level.PANEL])
def test_bits_of_tallies(judges: tuple[Judge, ...], published: Published, level: Level, record_property: Count) -> None:
    honest = file("bundle", published.bundles[level])
    assert tampering.ours(honest)
    refused_by_all(judges, list(tampering.tallies(honest, random.Random(SEED), 60)), record_property)


def test_bits_of_tiles(go: Judge, long: Record, tmp_path: Path, record_property: Count) -> None:
    folder = long.mirrored(tmp_path / "log")
    honest = {"Kind": "tiles", "Key": VKEY, "Folder": str(folder), "Checkpoint": long.note}
    stored = {tile: (folder / tile.path).read_bytes() for tile in tiles.of(long.size)}
    assert tampering.tree_holds(honest, stored.__getitem__)
    changed = tampering.files(honest, stored.__getitem__, long.size, random.Random(SEED), 200)
    refused_by_all([go], list(changed), record_property)
