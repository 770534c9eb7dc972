"""What browser tests need: the Chromium that run.py found, several screens at once, pictures of them.

Sync Playwright leaves a running loop behind, so these tests come last.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

import run

OUTPUT = Path(__file__).parent.parent / "test-output"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SIZES = {"wide": (1440, 900), "middle": (768, 1024), "phone": (360, 740)}
LEFT = "WebSocket is closed before the connection is established"
"""What a browser says when a page is left while its socket is still opening: no fault of the page."""

expect.set_options(timeout=45_000)  # ms: a busy machine is slow, not wrong

SLOWEST = 480
"""Seconds that a browser test may take, unless it says otherwise."""


def in_browser(item: pytest.Item) -> bool:
    """Say whether a test drives a browser."""
    return bool({"browser", "screens"} & set(getattr(item, "fixturenames", ())))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last, and with more time; of each kind the long ones first, so that the end waits for none."""
    items.sort(key=lambda item: (in_browser(item), -_patience(item)))
    for item in filter(in_browser, items):
        if not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SLOWEST))


def _patience(item: pytest.Item) -> int:
    """Return the seconds that a test asks for; one that asks for none is short."""
    asked = item.get_closest_marker("timeout")
    return int(asked.args[0]) if asked else 0


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The browser that the tests drive; a machine without one fails, it does not skip."""
    found = run.chromium()
    if not found:
        pytest.fail("There is no Chromium. Run: python3 run.py test", pytrace=False)
    return found


@pytest.fixture(scope="session")
def browser_type_launch_args(chromium_path: str) -> dict[str, Any]:
    """How pytest-playwright starts the browser."""
    return {"executable_path": chromium_path, "args": ARGUMENTS}


class Screens:
    """Several people's screens at once; whatever a page complains about on its console fails the test."""

    def __init__(self, browser: Browser, test: str) -> None:
        self._browser = browser
        self._test = test
        self._contexts: list[BrowserContext] = []
        self._troubles: list[str] = []
        self._expected: list[str] = []

    def open(self, size: str = "wide", locale: str = "zh-CN", **options: Any) -> Page:
        """Open a screen of its own cookies: `wide`, `middle` or `phone`, in a language."""
        width, height = SIZES[size]
        context = self._browser.new_context(
            viewport={"width": width, "height": height}, locale=locale, has_touch=size == "phone", **options
        )
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self._troubles.append(f"{page.url}: {error}"))
        return page

    def expect_trouble(self, part: str) -> None:
        """Say that the console will complain with this text (a refusal's status, a cut connection)."""
        self._expected.append(part)

    def shoot(self, page: Page, name: str) -> Path:
        """Keep a picture of the whole page in test-output/."""
        path = OUTPUT / self._test / f"{name}.png"
        page.screenshot(path=path, full_page=True)
        return path

    def close(self) -> None:
        """Close every screen; fail if a page complained."""
        for context in self._contexts:
            context.close()
        assert [said for said in self._troubles if not any(part in said for part in self._expected)] == []

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and LEFT not in message.text:
            self._troubles.append(f"{message.location['url']}: {message.text}")


@pytest.fixture
def screens(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Screens]:
    """Screens for several people, closed after the test."""
    opened = Screens(browser, request.function.__name__)
    yield opened
    opened.close()
