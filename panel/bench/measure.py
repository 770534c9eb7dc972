"""What a bench reads of the machine and of a process, and how it writes its result."""

import json
import os
import platform
import socket
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def free_port() -> int:
    """Return a port on 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used so far, in seconds (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid: int | str) -> float:
    """Return the resident memory of a process in MB (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def spread(times: Sequence[float]) -> dict[str, float]:
    """Return median, p99 and maximum of durations given in seconds, in ms."""
    ordered = sorted(times)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    named = {"median_ms": statistics.median(ordered), "p99_ms": p99, "max_ms": ordered[-1]}
    return {name: round(value * 1000, 1) for name, value in named.items()}


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    return {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system()}


def result(
    name: str, params: Mapping[str, Any], metrics: Mapping[str, Any], baseline: Mapping[str, Any], ratio: float
) -> dict[str, Any]:
    """Return a bench's result in the shape that every bench has."""
    return {
        "name": name,
        "params": dict(params),
        "machine": machine(),
        "metrics": dict(metrics),
        "baseline": dict(baseline),
        "ratio": round(ratio, 2),
    }


def write(outcome: Mapping[str, Any], path: Path | None) -> None:
    """Print a result, and write it to a file where one is named."""
    text = json.dumps(outcome, indent=2, ensure_ascii=False)
    if path is not None:
        path.write_text(text + "\n", encoding="utf-8")
    print(text)
