"""Fixtures that every test may use."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from panel.core import log
from tests.factories import World, make_template, make_world

pytest_plugins = ["tests.browser", "tests.postgres", "tests.together"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what tests have counted (`record_property("counted", ...)`): how many tampered records were refused."""
    passed: list[pytest.TestReport] = terminalreporter.getreports("passed")
    for line in (value for report in passed for name, value in report.user_properties if name == "counted"):
        terminalreporter.write_line(str(line))


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database, built once by the migrations."""
    return make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture
def world(tmp_path: Path, template: Path, database: str) -> Iterator[World]:
    """A fresh installation with the cast in one case."""
    made = make_world(tmp_path / "world", template, database=database)
    yield made
    made.close()


@pytest.fixture(autouse=True, scope="session")
def plain_logs() -> None:
    """Write logs of the tests in plain lines: the default draws every traceback in colours, which takes seconds."""
    line = structlog.processors.KeyValueRenderer(key_order=["event"])
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.processors.format_exc_info, line]
    )


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Undo what a command did to the logs: its handler writes to a stream that ends with its test."""
    root, panel, configured = logging.getLogger(), logging.getLogger("panel"), structlog.get_config()
    levels = root.level, panel.level
    yield
    ours = [h for h in root.handlers if isinstance(h.formatter, structlog.stdlib.ProcessorFormatter)]
    for handler in ours:
        root.removeHandler(handler)
    for channel in (logging.getLogger(name) for name in (log.ACCESS, log.SECURITY)):
        for handler in channel.handlers[:]:
            channel.removeHandler(handler)
            handler.close()
        channel.propagate = True
    root.level, panel.level = levels
    structlog.configure(**configured)
