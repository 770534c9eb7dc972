"""The live bench, small, so that it cannot rot."""

from pathlib import Path

import pytest

from panel.bench import live
from panel.cli.bench import prepare_live


@pytest.mark.timeout(600)
def test_the_live_bench_measures_a_change_beside_its_baseline(tmp_path: Path) -> None:
    result = live.run(prepare_live, tmp_path, viewers=5, changes=3)
    assert list(result) == ["name", "params", "machine", "metrics", "baseline", "ratio"]
    assert result["params"] == {"viewers": 5, "changes": 3}
    assert 0 < result["metrics"]["median_ms"] <= result["metrics"]["max_ms"]
    assert result["baseline"]["median_ms"] > 0
    assert result["ratio"] == round(result["metrics"]["median_ms"] / result["baseline"]["median_ms"], 2)
    assert result["metrics"]["server_memory_mb"] > 20
