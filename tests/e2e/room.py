"""People at their screens in one hearing: opening a place, filling a form as it stands, pressing its button."""

from dataclasses import dataclass, field

from playwright.sync_api import Error, Locator, Page, expect

from tests.browser import Screens
from tests.factories import World
from tests.serving import Served

OPEN_DETAILS = """form => {
  for (let each = form.closest("details"); each; each = each.parentElement.closest("details"))
    if (!each.open) each.querySelector("summary").click();
}"""
WIDTHS = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"


@dataclass
class Room:
    """The screens of those who take part, by the key of the cast; `heard` is what their sockets brought."""

    running: Served
    screens: Screens
    pages: dict[str, Page] = field(default_factory=dict)
    heard: dict[str, list[str]] = field(default_factory=dict)

    @property
    def world(self) -> World:
        """Return the installation that is being served."""
        return self.running.world

    @property
    def live(self) -> str:
        """Return the path of the live page."""
        return f"/hearings/{self.world.hearing_id}"

    def sit(self, who: str, path: str = "", *, size: str = "wide", locale: str = "zh-CN") -> Page:
        """Open a screen for somebody of the cast, signed in, on the live page unless told otherwise."""
        return self.take(who, self.screens.open(size, locale=locale), path)

    def take(self, who: str, page: Page, path: str = "") -> Page:
        """Let somebody of the cast take a screen that is open already."""
        self.pages[who] = page
        heard = self.heard[who] = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: heard.append(str(frame))))
        cookie = {"name": self.world.site.settings.cookie, "value": self.world.sign_in(who), "url": self.running.origin}
        page.context.add_cookies([cookie])  # type: ignore[list-item]  # a cookie with an address
        self.visit(who, path or self.live)
        return page

    def visit(self, who: str, path: str) -> Page:
        """Let somebody go to an address of this installation."""
        page = self.pages[who]
        page.goto(self.running.origin + path)
        return page

    def shoot(self, name: str) -> None:
        """Keep a picture of every screen."""
        for who, page in self.pages.items():
            self.screens.shoot(page, f"{name}-{who}")

    def close(self) -> None:
        """Close the screens while the server still answers them."""
        for page in self.pages.values():
            page.close()


def form_of(page: Page, name: str, words: str = "") -> Locator:
    """Return the first form of this name that holds these words, unfolded."""
    form = page.locator(f"form[data-form={name}]", has_text=words).first
    form.evaluate(OPEN_DETAILS)
    return form


def fill(form: Locator, **values: str) -> None:
    """Put values into a form's fields; a choice is made by its value or, in a list, by its words."""
    for name, value in values.items():
        fields = form.locator(f"[name={name}]:not([type=hidden])")
        if fields.first.get_attribute("type") in {"radio", "checkbox"}:
            choice = form.locator(f"[name={name}][value='{value}']")
            try:
                choice.check()
            except Error:  # the part was drawn anew in the very moment of the click; somebody would click again
                choice.check()
        elif fields.first.evaluate("field => field.localName") == "select":
            listed = fields.locator("option", has_text=value).first.get_attribute("value")
            fields.select_option(listed or value)
        else:
            fields.first.fill(value)


def send(page: Page, name: str, words: str = "", /, **values: str) -> None:
    """Fill a form of the page and press its button."""
    form = form_of(page, name, words)
    fill(form, **values)
    form.locator("button[type=submit], button:not([type])").first.click()


def shows(page: Page, part: str, words: str) -> None:
    """Wait until a part of the page says this."""
    expect(page.locator(part)).to_contain_text(words)


def widths(page: Page) -> tuple[int, int]:
    """Return how wide the page's content is, and how wide the screen."""
    content, screen = page.evaluate(WIDTHS)
    return content, screen
