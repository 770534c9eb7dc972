"""Read-only, in words: the disk is full, writes fail, the record does not hold."""

import re
import resource
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from panel.core.db import writing_engine
from tests.factories import World
from tests.operation.hardship import Hardship, suffering

ROOM = 120 * 1024 * 1024
"""The size in bytes of the small disk of these tests."""


def lines_on_record(folder: Path) -> set[str]:
    """Return the lines of the minutes in a database, read from a copy of it."""
    copy = folder.parent / "copy"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("filler"))
    with closing(sqlite3.connect(copy / "panel.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {row[0] for row in connection.execute("SELECT text FROM note").fetchall()}


def why_no_mount() -> str:
    """Say why no disk can be mounted for a test here; an empty text where it can."""
    if not sys.platform.startswith("linux") or shutil.which("unshare") is None:
        return "there is no unshare on this machine: no small disk was mounted"
    trying = ["unshare", "-m", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
    tried = subprocess.run(trying, capture_output=True, check=False)
    return "" if tried.returncode == 0 else "no disk may be mounted by this user: no small disk was filled"


def refused_in_words(hard: Hardship, words: str) -> None:
    """Every refusal is a 503 with these words, and what was typed is on its page."""
    assert {status for status, _ in hard.refused} == {503}
    for _, page in hard.refused:
        assert re.search(words, page)
        assert re.search(r'class="typed plain-text">第 \d 人第 \d+ 行<', page)


NO_MOUNT = why_no_mount()


@pytest.mark.timeout(600)
@pytest.mark.skipif(bool(NO_MOUNT), reason=NO_MOUNT)
def test_a_full_disk_loses_nothing_that_was_acknowledged_and_is_left_by_itself(tmp_path: Path, template: Path) -> None:
    place = tmp_path / "small"
    mount = f'cp -a "$0" /mnt/data && mount -t tmpfs -o size={ROOM} tmpfs "$0" && cp -a /mnt/data/. "$0" && exec "$@"'
    before = ["unshare", "-m", "sh", "-c", f"mount -t tmpfs tmpfs /mnt && {mount}", str(place)]
    with suffering(place, template, before=before) as hard:
        hard.folder = Path(f"/proc/{hard.process.pid}/root{place}")
        filler = hard.folder / "filler"
        with hard.load():
            hard.until(lambda: len(hard.acknowledged) >= 30)
            full = fill(filler)
            entered = hard.until(lambda: bool(hard.refused))
            hard.until(lambda: len(hard.refused) >= 10)
            assert full > ROOM // 4
            with hard.browser() as browser:
                page = browser.get(f"/hearings/{hard.world.hearing_id}")
                assert (page.status_code, 'data-trouble="disk"' in page.text) == (200, True)
            assert "disk" in hard.missing()
            filler.unlink()
            before_it = len(hard.acknowledged)
            left = hard.until(lambda: len(hard.acknowledged) > before_it)
            hard.until(lambda: len(hard.acknowledged) >= before_it + 30)
        assert lines_on_record(hard.folder) >= set(hard.acknowledged)
        refused_in_words(hard, "只读：磁盘已满。现在提交的内容不会被记录。")
        print(f"full disk: refused after {entered:.1f} s, left {left:.1f} s after there was room; none lost")


def fill(filler: Path) -> int:
    """Fill the disk to the last byte; returns how many bytes that took."""
    written = 0
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                written += file.write(bytes(1 << 20))
        except OSError:
            return written


@pytest.mark.timeout(600)
@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="the system cannot limit another process's files")
def test_writes_that_fail_are_answered_truly_and_reading_goes_on(tmp_path: Path, template: Path) -> None:
    with suffering(tmp_path / "failing", template) as hard:
        _, most = resource.prlimit(hard.process.pid, resource.RLIMIT_FSIZE)
        with hard.load():
            hard.until(lambda: len(hard.acknowledged) >= 30)
            resource.prlimit(hard.process.pid, resource.RLIMIT_FSIZE, (0, most))
            hard.until(lambda: len(hard.refused) >= 10)
            with hard.browser() as browser:
                page = browser.get(f"/hearings/{hard.world.hearing_id}")
                assert (page.status_code, 'data-trouble="storage"' in page.text) == (200, True)
            resource.prlimit(hard.process.pid, resource.RLIMIT_FSIZE, (most, most))
            before_it = len(hard.acknowledged)
            hard.until(lambda: len(hard.acknowledged) >= before_it + 30)
        assert lines_on_record(hard.folder) >= set(hard.acknowledged)
        refused_in_words(hard, "只读：存储出现故障。|无法确定是否已记录")


@pytest.mark.timeout(600)
def test_a_record_that_does_not_hold_is_never_written_to_again(tmp_path: Path, template: Path) -> None:
    size = 0

    def broken(world: World) -> None:
        nonlocal size
        engine = writing_engine(world.site.settings.database_url)
        with engine.begin() as connection:
            connection.execute(text("DROP TRIGGER record_entry_no_update"))
            connection.execute(text('UPDATE record_entry SET leaf = hashes WHERE "index" = 5'))
            size = connection.execute(text("SELECT size FROM record_head")).scalar_one()
        engine.dispose()

    with suffering(tmp_path / "broken", template, prepared=broken, lacks={"record"}) as hard, hard.browser() as browser:
        csrf = hard.csrf(browser)
        hard.until(lambda: 'data-trouble="record"' in browser.get(f"/hearings/{hard.world.hearing_id}").text)
        assert [hard.write(browser, csrf, "第 1 人第 1 行") for _ in range(3)] == [503] * 3
        refused_in_words(hard, "只读：记录核验不成立。")
        with closing(sqlite3.connect(hard.folder / "panel.sqlite")) as connection:
            assert connection.execute("SELECT size FROM record_head").fetchone() == (size,)
