"""A look at every screen in both languages: what axe-core finds, what sticks out on narrow screens, pictures."""

import os
from collections.abc import Sequence
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

from tests.browser import Screens
from tests.e2e.room import send, widths
from tests.serving import Served

Visit = tuple[str | None, str]
Scheme = Literal["light", "dark"]

GRAVE = {"serious", "critical"}
WIDE: ViewportSize = {"width": 1440, "height": 900}
MIDDLE: ViewportSize = {"width": 768, "height": 1024}
NARROW: ViewportSize = {"width": 360, "height": 740}
LANGUAGES = ("zh-CN", "en")
EVERY_PICTURE = os.environ.get("HEYI_PICTURES") == "all"
"""Keep a picture of each screen in each language and width."""

REPORTED = {"resultTypes": ["violations", "incomplete"]}
UNFOLD = "open => document.querySelectorAll('main details').forEach(each => { each.open = open })"
STICKS_OUT = """[...document.querySelectorAll("body *")]
  .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".table-scroll"))
  .slice(0, 4).map(e => e.outerHTML.slice(0, 120))"""


class Look:
    """One screen for each language, which goes from page to page as different people and notes what is wrong."""

    def __init__(self, screens: Screens, running: Served | str, color_scheme: Scheme = "light") -> None:
        languages = LANGUAGES if color_scheme == "light" else LANGUAGES[:1]
        self.pages = [screens.open(locale=language, color_scheme=color_scheme) for language in languages]
        self.screens, self.running, self.dark = screens, running, color_scheme == "dark"
        self.faults = list[str]()
        self._examined = 0
        self._cookies = dict[str, Any]()

    def all(self, visits: Sequence[Visit]) -> None:
        """Open these pages one after the other, in each language; none may have a fault."""
        for who, path in visits:
            self.at(who, path)
        assert self.faults == []

    def at(self, who: str | None, path: str) -> Page:
        """Open a page as this person in each language and examine it; return the Chinese one."""
        self._examined += 1
        for page in self.pages:
            self._open(page, who, path)
            self._examine(page, name_of(who, path))
        return self.pages[0]

    def after(self, who: str | None, path: str, form: str, /, **values: str) -> None:
        """Fill a form of a page and send it; the page that answers may have no fault."""
        self._examined += 1
        for page in self.pages:
            self._open(page, who, path)
            send(page, form, **values)
            page.wait_for_load_state()
            self._examine(page, f"after-{form}")
        assert self.faults == []

    def close(self) -> None:
        """Close the screens while the server still answers them."""
        for page in self.pages:
            page.close()

    def _open(self, page: Page, who: str | None, path: str) -> None:
        origin = self.running if isinstance(self.running, str) else self.running.origin
        page.context.clear_cookies()
        if who is not None:
            page.context.add_cookies([self._cookie(who)])
        page.set_viewport_size(WIDE)
        page.goto(origin + path)

    def _examine(self, page: Page, name: str) -> None:
        """With everything unfolded; pictures show the page as it came.

        Both languages share their markup and their colours: axe-core reads it once, widths differ with the words.
        """
        language = page.evaluate("document.documentElement.lang")[:2]
        name = f"{self._examined:02}-{name}-{language}{'-dark' * self.dark}"
        self._shoot(page, name, WIDE)
        page.evaluate(UNFOLD, True)
        if page is self.pages[0]:
            self.faults += examined(page, name)
        for size in () if self.dark else (MIDDLE, NARROW):
            page.set_viewport_size(size)
            page.evaluate(UNFOLD, True)
            self.faults += overflow(page, name)
            page.evaluate(UNFOLD, False)
            self._shoot(page, name, size)

    def _shoot(self, page: Page, name: str, size: ViewportSize) -> None:
        if EVERY_PICTURE:
            self.screens.shoot(page, f"{name}-{size['width']}")

    def _cookie(self, who: str) -> Any:
        if who not in self._cookies:
            assert isinstance(self.running, Served)
            world = self.running.world
            value = world.sign_in(who)
            self._cookies[who] = {"name": world.site.settings.cookie, "value": value, "url": self.running.origin}
        return self._cookies[who]


def name_of(who: str | None, path: str) -> str:
    """Return what a picture of this page is called: a reader and a place, without ids."""
    parts = [part for part in path.replace("?step=", "/").split("/") if part and len(part) < 30]
    return "-".join([*parts, who or "public"])


def examined(page: Page, name: str) -> list[str]:
    """Return what axe-core finds serious or critical on a page."""
    seen = Axe().run(page, options=REPORTED).response
    grave = [(rule, rule["nodes"]) for rule in seen["violations"] if rule["impact"] in GRAVE]
    unseen = [(rule, list(filter(invisible, rule["nodes"]))) for rule in seen["incomplete"]]
    return [
        f"{name}: {rule['id']} ({rule['impact']}): {[node['html'][:160] for node in nodes[:3]]}"
        for rule, nodes in grave + unseen
        if nodes
    ]


def invisible(node: dict[str, Any]) -> bool:
    """Say whether words have the very colour of their ground, which axe-core leaves undecided."""
    return any(each["data"].get("messageKey") == "equalRatio" for each in node["any"] if isinstance(each["data"], dict))


def overflow(page: Page, name: str) -> list[str]:
    """Return what makes a page wider than the screen."""
    content, screen = widths(page)
    return [] if content <= screen else [f"{name}: {content} px wide on {screen}: {page.evaluate(STICKS_OUT)}"]
