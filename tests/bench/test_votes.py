"""The benches of votes and record, small, so that they cannot rot."""

from pathlib import Path

import pytest

from panel.bench import raw, record, votes
from panel.cli.bench import prepare_votes

KEYS = ["name", "params", "machine", "metrics", "baseline", "ratio"]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("sockets", [False, True])
def test_the_bench_of_votes_counts_what_was_acknowledged(tmp_path: Path, sockets: bool) -> None:
    result = votes.run(prepare_votes, tmp_path, members=12, voters=10, rounds=2, sockets=sockets)
    metrics, baseline = result["metrics"], result["baseline"]
    assert list(result) == KEYS
    assert result["params"] == {"members": 12, "voters": 10, "sockets": sockets, "rounds": 2}
    assert 0 < metrics["slowest_round_per_second"] <= metrics["ballots_per_second"]
    assert 0 < metrics["median_ms"] <= metrics["p99_ms"] <= metrics["max_ms"]
    assert ("last_update_held_ms" in metrics) == sockets
    assert baseline["one_commit_each_per_second"] > 0
    assert result["ratio"] > baseline["ratio_to_group_commit"] > 0


def test_the_bench_of_the_record_measures_at_every_size(tmp_path: Path) -> None:
    result = record.run(tmp_path, [1000, 1500])
    at = result["metrics"]["at"]
    assert list(result) == KEYS
    assert list(at) == ["1000", "1500"] == list(result["baseline"]["insert_us"])
    assert [at[size]["proof_bytes"] for size in at] == [32 * 10, 32 * 11]
    assert all(at[size][what] > 0 for size in at for what in ("append_us", "prove_us", "verify_us", "memory_mb"))


def test_raw_rows_are_there_after_each_commit(tmp_path: Path) -> None:
    assert raw.inserts(tmp_path, 10, at_once=1) > 0
    assert raw.inserts(tmp_path, 70) > 0
    assert (tmp_path / "raw.sqlite").stat().st_size > 0
