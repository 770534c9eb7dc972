"""The benches of votes and record, small, so that they cannot rot."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from panel.bench import raw, record, votes
from panel.bench.place import placed
from panel.cli.bench import bench, prepare_votes
from tests.bench.places import Served

KEYS = ["name", "params", "machine", "metrics", "baseline", "ratio"]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("processes", "sockets"), [(1, False), (1, True), (2, True)])
def test_the_bench_of_votes_counts_what_was_acknowledged(
    tmp_path: Path, processes: int, sockets: bool, served: Served
) -> None:
    with placed(processes, *served) as place:
        result = votes.run(prepare_votes, tmp_path, place, members=12, voters=10, rounds=2, sockets=sockets)
    metrics, baseline = result["metrics"], result["baseline"]
    assert list(result) == KEYS
    where = {"processes": processes, "database": "postgresql" if processes > 1 else "sqlite", "redis": processes > 1}
    assert result["params"] == {"members": 12, "voters": 10, "sockets": sockets, "rounds": 2, **where}
    assert 0 < metrics["slowest_round_per_second"] <= metrics["ballots_per_second"]
    assert 0 < metrics["median_ms"] <= metrics["p99_ms"] <= metrics["max_ms"]
    assert ("last_update_held_ms" in metrics) == sockets
    assert baseline["one_commit_each_per_second"] > 0
    assert result["ratio"] > 0
    assert baseline["ratio_to_group_commit"] > 0


def test_the_bench_of_the_record_measures_at_every_size(tmp_path: Path) -> None:
    result = record.run(tmp_path, [1000, 1500])
    at = result["metrics"]["at"]
    assert list(result) == KEYS
    assert list(at) == ["1000", "1500"] == list(result["baseline"]["insert_us"])
    assert [at[size]["proof_bytes"] for size in at] == [32 * 10, 32 * 11]
    assert all(at[size][what] > 0 for size in at for what in ("append_us", "prove_us", "verify_us", "memory_mb"))


def test_raw_rows_are_there_after_each_commit(tmp_path: Path) -> None:
    assert raw.Sqlite(tmp_path).inserts(10, at_once=1) > 0
    assert raw.Sqlite(tmp_path).inserts(70) > 0
    assert (tmp_path / "raw.sqlite").stat().st_size > 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--processes", "2"], "several processes need --database and --redis"),
        (["--redis", "redis://127.0.0.1/0"], "those need --database"),
        (["--database", "sqlite:///x"], "no URL of PostgreSQL"),
        (["--database", "postgresql://nobody@127.0.0.1:9/x"], "the database cannot be used"),
        (["--processes", "0"], "--processes"),
    ],
)
@pytest.mark.parametrize("name", ["live", "votes"])
def test_what_does_not_fit_together_is_told(name: str, words: list[str], said: str) -> None:
    done = CliRunner().invoke(bench, [name, *words], env={"COLUMNS": "300"})
    assert done.exit_code == 2
    assert said in done.output
