"""The live bench, small, so that it cannot rot."""

from pathlib import Path

import pytest

from panel.bench import live
from panel.bench.place import placed
from panel.cli.bench import prepare_live
from tests.bench.places import PLACES, Served


@pytest.mark.timeout(600)
@pytest.mark.parametrize("processes", PLACES)
def test_the_live_bench_measures_a_change_beside_its_baseline(tmp_path: Path, processes: int, served: Served) -> None:
    with placed(processes, *served) as place:
        result = live.run(prepare_live, tmp_path, place, viewers=5, changes=3)
    assert list(result) == ["name", "params", "machine", "metrics", "baseline", "ratio"]
    kind = "postgresql" if processes > 1 else "sqlite"
    where = {"processes": processes, "database": kind, "redis": processes > 1}
    assert result["params"] == {"viewers": 5, "changes": 3, **where}
    assert 0 < result["metrics"]["median_ms"] <= result["metrics"]["max_ms"]
    assert result["baseline"]["median_ms"] > 0
    assert result["ratio"] == round(result["metrics"]["median_ms"] / result["baseline"]["median_ms"], 2)
    assert result["metrics"]["server_memory_mb"] > 20 * processes
    assert len(result["metrics"].get("server_memory_mb_each", [0])) == processes
