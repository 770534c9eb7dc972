"""Single system calls that fail now and then (libfiu): whatever the disk refuses, every answer is true."""

import errno
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import run
from tests.factories import World
from tests.operation.hardship import Hardship, suffering
from tests.operation.test_readonly import lines_on_record

CALLS = ("rw/pwrite", "rw/ftruncate", "sync/fsync", "sync/fdatasync")
"""What SQLite writes with; each fails with an error of its own choice: EIO, ENOSPC, EBADF, EFBIG and so on.

Not `write`: the event loop wakes itself with it, which no disk can prevent.
"""

OFTEN = 0.02
"""How often each fails."""

TIMES = 4
"""So often the server stops writing before the disk is well again."""


def injecting(*options: str) -> list[str]:
    """Return the words before a command whose system calls can be made to fail, with options of `fiu-run`."""
    program, library = run.tool("fiu-run"), run.tool("libfiu")
    if program is None or library is None:
        pytest.skip("libfiu is not on this machine: no single system call was made to fail")
    preloaded = Path(program).parent.parent / "lib" / "fiu"
    return ["env", f"LD_LIBRARY_PATH={Path(library).parent}", program, "-x", "-l", str(preloaded), *options]


def failing(often: float) -> list[str]:
    return [f"enable_random name=posix/io/{call},probability={often}" for call in CALLS]


def tell(hard: Hardship, control: Path, commands: Sequence[str]) -> None:
    """Tell a running process which of its calls fail from now on."""
    for command in commands:
        Path(f"{control}-{hard.process.pid}.in").write_text(f"{command}\n", encoding="ascii")
        assert Path(f"{control}-{hard.process.pid}.out").read_text(encoding="ascii").strip() == "0", command


def times_read_only(hard: Hardship) -> int:
    """Return how often the server has stopped writing."""
    log = hard.folder.parent / f"{hard.folder.name}.log"
    return log.read_text(encoding="utf-8").count("read_only_entered")


def refused_lines(hard: Hardship) -> tuple[set[str], set[str]]:
    """Return the lines that were surely not written, by what was answered, and those of which that was not certain."""
    lines: dict[bool, set[str]] = {True: set(), False: set()}
    for status, page in hard.refused:
        assert status == 503, page
        (line,) = re.findall(r'class="typed plain-text">([^<]+)<', page)
        lines["无法确定是否已记录" in page].add(line)
    return lines[False], lines[True]


@pytest.mark.timeout(600)
def test_whatever_the_disk_refuses_every_answer_is_true(tmp_path: Path, template: Path) -> None:
    control = tmp_path / "control"
    with suffering(tmp_path / "failing", template, before=injecting("-f", str(control))) as hard:
        with hard.load():
            hard.until(lambda: len(hard.acknowledged) >= 15)
            tell(hard, control, failing(OFTEN))
            hard.until(lambda: times_read_only(hard) >= TIMES)
            tell(hard, control, [f"disable name=posix/io/{call}" for call in CALLS])
            since = len(hard.acknowledged)
            hard.until(lambda: len(hard.acknowledged) >= since + 15)
        assert hard.process.poll() is None
        times = times_read_only(hard)
    there = lines_on_record(hard.folder)
    refused, uncertain = refused_lines(hard)
    assert set(hard.acknowledged) - there == set()
    assert refused & there == set()
    with hard.again() as again, again.browser() as browser:
        assert again.write(browser, again.csrf(browser), "又一行") == 303
    print(
        f"I/O errors: {len(hard.acknowledged)} lines acknowledged and there, {len(refused)} refused and not there, "
        f"{len(uncertain)} not certain, of which {len(uncertain & there)} there; read-only {times} times"
    )


def backup(world: World, target: Path, *before: str) -> tuple[int, str]:
    """Run `panel backup` with words before it; returns its exit status and what it said of an error."""
    command = [*before, sys.executable, "-c", run.START, "backup", str(target), "--data", str(world.site.settings.data)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stderr


def test_a_backup_is_whole_or_none_and_says_so(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for call in ("rw/pwrite", "sync/*"):
        always = injecting("-f", "", "-c", f"enable name=posix/io/{call},failinfo={errno.EIO}")
        code, said = backup(world, folder / "heyi.tar", *always)
        assert (code, "Traceback" in said, list(folder.iterdir())) == (2, False, []), said
        assert len(said.splitlines()) == 1
    assert backup(world, folder / "heyi.tar")[0] == 0
    whole = (folder / "heyi.tar").read_bytes()
    code, said = backup(world, folder / "heyi.tar", "prlimit", f"--fsize={len(whole) - 1}")
    assert (code, "Traceback" in said, len(said.splitlines())) == (2, False, 1), said
    assert [(file.name, file.read_bytes() == whole) for file in folder.iterdir()] == [("heyi.tar", True)]
