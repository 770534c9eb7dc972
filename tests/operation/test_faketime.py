"""A machine's clock that jumps below the product (libfaketime): nothing is written out of order, times stay right."""

import re
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import run
from panel.core import clock
from tests.operation.hardship import Hardship, suffering
from tests.operation.test_readonly import refused_in_words

SHOWN = re.compile(r'datetime="([^"]+)">([^<]+)<')
BEFORE = 15.0
"""So many seconds before a change of the hour a server is started."""

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")


def under(off: Path, *more: str) -> list[str]:
    """Return the words before a command for which the machine's clock is off by as much as a file says."""
    library = run.tool("libfaketime")
    if library is None:
        pytest.skip("libfaketime is not on this machine: no server was started under a clock that jumps")
    told = {
        "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": off, "FAKETIME_CACHE_DURATION": 1,
        "FAKETIME_DONT_FAKE_MONOTONIC": 1,
    }  # fmt: skip
    return ["env", *(f"{name}={value}" for name, value in told.items()), *more]


def recorded(hard: Hardship) -> list[str]:
    """Return the times of the record's entries in their order."""
    with closing(sqlite3.connect(hard.folder / "panel.sqlite")) as connection:
        return [row[0] for row in connection.execute('SELECT time FROM record_entry ORDER BY "index"')]


@pytest.mark.timeout(600)
def test_a_clock_that_jumps_stops_writing_until_it_is_right_again(tmp_path: Path, template: Path) -> None:
    """An hour forth every sign-in is idle for too long, but only for as long as the clock says so."""
    off = tmp_path / "off"
    off.write_text("+0", encoding="ascii")
    with suffering(tmp_path / "jumping", template, before=under(off)) as hard, hard.browser() as browser:
        csrf = hard.csrf(browser)
        assert hard.write(browser, csrf, "第 1 人第 1 行") == 303
        for seconds, answered in (("-3600", 503), ("+600", 503), ("+3600", 401)):
            off.write_text(seconds, encoding="ascii")
            hard.until(lambda: "clock" in hard.missing())
            assert hard.write(browser, csrf, "第 1 人第 2 行") == answered
            page = browser.get(f"/hearings/{hard.world.hearing_id}" if answered != 401 else "/sign-in")
            assert 'data-trouble="clock"' in page.text
            off.write_text("+0", encoding="ascii")
            hard.until(lambda: "clock" not in hard.missing())
            assert hard.write(browser, csrf, f"第 1 人第 3 行，{seconds}") == 303
        hard.refused = [each for each in hard.refused if each[0] == 503]
        refused_in_words(hard, "只读：服务器时钟发生跳变。")
        times = recorded(hard)
        assert times == sorted(times)


def next_change(zone: ZoneInfo) -> datetime:
    """Return the next moment (UTC, to the hour) at which a zone changes its offset."""
    moment = clock.now().replace(minute=0, second=0, microsecond=0)
    while moment.astimezone(zone).utcoffset() == (moment + timedelta(hours=1)).astimezone(zone).utcoffset():
        moment += timedelta(hours=1)
    return moment + timedelta(hours=1)


@pytest.mark.timeout(600)
def test_a_machine_in_another_zone_changes_its_hour_and_nobody_notices(
    tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, real, off = next_change(NEW_YORK), clock.now, tmp_path / "off"
    ahead = timedelta(seconds=round((change - timedelta(seconds=BEFORE) - real()).total_seconds()))
    monkeypatch.setattr(clock, "now", lambda: real() + ahead)
    off.write_text(f"+{ahead.total_seconds():.0f}", encoding="ascii")
    abroad = under(off, "TZ=America/New_York")
    with suffering(tmp_path / "abroad", template, before=abroad) as hard, hard.browser() as browser:
        csrf = hard.csrf(browser)
        assert hard.write(browser, csrf, "第 1 人第 1 行") == 303
        hard.until(lambda: clock.now() > change + timedelta(seconds=2))
        assert (hard.write(browser, csrf, "第 1 人第 2 行"), "clock" in hard.missing()) == (303, False)
        page = browser.get(f"/hearings/{hard.world.hearing_id}/minutes").text
    shown = [(datetime.fromisoformat(at), told) for at, told in SHOWN.findall(page)]
    assert [f"{at.astimezone(SHANGHAI):%H:%M:%S}" for at, _ in shown] == [told for _, told in shown]
    assert [at > change for at, _ in shown][-1]
    assert recorded(hard) == sorted(recorded(hard))
