"""docs/security.md says what the program does: the table of audiences, the settings, the figures."""

import re
from pathlib import Path

from panel.accounts import passwords, rules, throttle
from panel.core import headers, patience
from panel.core.config import Settings
from panel.core.security import AUDIENCE_OF
from panel.live import server

PAGE = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
WORDS = " ".join(PAGE.split())


def test_the_table_of_audiences_is_the_one_in_code() -> None:
    rows = re.findall(r"^\| ([a-z]+) \| ([a-z]+) \|", PAGE.partition("## 2.")[0], re.MULTILINE)
    assert [row for row in rows if row != ("role", "audience")] == [(r.value, a.value) for r, a in AUDIENCE_OF.items()]


def test_every_setting_that_it_names_exists() -> None:
    named = {name.lower() for name in re.findall(r"PANEL_([A-Z_]+)", PAGE)}
    assert named - set(Settings.model_fields) == set()
    defaults = {name: Settings.model_fields[name].default for name in ("idle_minutes", "session_hours")}
    assert defaults == {"idle_minutes": 30, "session_hours": 12}


def test_its_figures_are_those_in_code() -> None:
    assert f"at least {rules.SHORTEST_PASSWORD} characters" in WORDS
    assert (throttle.FREE["account"], throttle.FREE["address"], throttle.LONGEST) == (5, 20, 300.0)
    assert (passwords.HASHER.memory_cost, passwords.HASHER.time_cost) == (19 * 1024, 2)
    assert (headers.FORM_BYTES, headers.PATIENCE) == (1024 * 1024, 20.0)
    assert (patience.HEAD_BYTES, patience.HEAD_SECONDS) == (64 * 1024, 15.0)
    assert (server.BURST, server.BURST_SECONDS, server.SOCKETS_PER_SESSION) == (40, 10.0, 12)
