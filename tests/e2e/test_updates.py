"""The vendored htmx under our Content-Security-Policy: an update takes nothing away from who is typing.

The page is a bare one, so that these tests name the front end alone when a newer release breaks it.
"""

import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count

import pytest
import uvicorn
from playwright.sync_api import Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from panel.core.assets import folder
from tests.browser import Screens
from tests.serving import running

POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types htmx"
)
SCRIPT = """
window.refresh = () => htmx.ajax("GET", "/changes",
  {source: "#main", swap: "none", selectOOB: "[data-part]:outerMorph"});
window.heard = [];
for (const name of ["compositionstart", "compositionend", "blur"])
  document.addEventListener(name, event => heard.push(name), true);
"""
PAGE = """<!doctype html><html lang="zh-CN"><head><title>合议</title><link rel="icon" href="data:,">
<meta name="htmx-config" content='extensions:"hx-csp",history:false,includeIndicatorCSS:false'></head>
<body><main id="main">{parts}</main>
<script nonce="{nonce}" src="/vendor/htmx-4.0.1.min.js"></script>
<script nonce="{nonce}" src="/vendor/hx-csp-4.0.1.min.js"></script>
<script nonce="{nonce}" src="/app.js"></script></body></html>"""
PARTS = """<section id="part-now" data-part><h2>{n}</h2><div id="kept" hx-morph-skip>{n}</div></section>
<section id="own-notes" data-part><form><input type="hidden" name="key" value="{key}">
<label>提问<textarea id="question"></textarea></label><label>笔记<input id="note" value=""></label>
<label><input type="radio" name="choice" id="yes">同意</label>
<label><input type="radio" name="choice" id="no" checked>不同意</label></form>{more}</section>"""
INJECTED = '<span id="evil" hx-get="/evil" hx-trigger="load"></span><script>window.ran = 1</script>'


def bare(asked: list[str], more: str = "") -> Starlette:
    """Return an app of one page, whose parts are drawn anew on each request."""
    numbers = count(1)

    def answer(template: str) -> Response:
        nonce = secrets.token_urlsafe(16)
        parts = PARTS.format(n=next(numbers), key=secrets.token_hex(4), more=more)
        headers = {"Content-Security-Policy": POLICY.format(nonce=nonce)}
        return HTMLResponse(template.format(parts=parts, nonce=nonce), headers=headers)

    def evil(request: Request) -> Response:
        asked.append(request.url.path)
        return Response(status_code=204)

    return Starlette(
        routes=[
            Route("/", lambda request: answer(PAGE)),
            Route("/changes", lambda request: answer("<div>{parts}</div>")),
            Route("/app.js", lambda request: Response(SCRIPT, media_type="text/javascript")),
            Route("/evil", evil),
            Mount("/vendor", StaticFiles(directory=folder("static") / "vendor")),
        ]
    )


@pytest.fixture
def served() -> Iterator[Callable[[Starlette], str]]:
    """Serve an app on a free port; returns its address."""
    with ExitStack() as opened:

        def serve(app: Starlette) -> str:
            listening = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
            opened.enter_context(running(uvicorn.Server(uvicorn.Config(app, log_config=None)), listening))
            return f"http://127.0.0.1:{listening.getsockname()[1]}"

        yield serve


@pytest.fixture
def page(screens: Screens, served: Callable[[Starlette], str]) -> Page:
    """A screen that shows the bare page."""
    opened = screens.open()
    opened.goto(served(bare([])))
    opened.wait_for_function("window.heard")
    return opened


def state(page: Page) -> dict[str, object]:
    """Return what the reader has typed and chosen, and where the caret is."""
    found: dict[str, object] = page.evaluate(
        "() => ({question: question.value, note: note.value, yes: yes.checked,"
        " focus: document.activeElement.id, caret: question.selectionStart})"
    )
    return found


def test_half_typed_text_survives_an_update(page: Page) -> None:
    page.fill("#note", "先记一笔")
    page.check("#yes")
    page.fill("#question", "一次都没有检修，为什么？")
    page.evaluate("question.setSelectionRange(4, 4)")
    before = state(page)
    assert before == {
        "question": "一次都没有检修，为什么？",
        "note": "先记一笔",
        "yes": True,
        "focus": "question",
        "caret": 4,
    }
    key = page.input_value("[name=key]")

    page.evaluate("refresh()")

    assert page.inner_text("h2") == "2"
    assert page.inner_text("#kept") == "1"
    assert page.input_value("[name=key]") != key
    assert state(page) == before


def test_a_chinese_composition_survives_an_update(page: Page, screens: Screens) -> None:
    page.focus("#question")
    keys = page.context.new_cdp_session(page)
    for typed in ("ni", "ni hao"):
        keys.send("Input.imeSetComposition", {"text": typed, "selectionStart": len(typed), "selectionEnd": len(typed)})
        page.evaluate("refresh()")
    keys.send("Input.insertText", {"text": "你好"})

    assert page.inner_text("h2") == "3"
    assert page.input_value("#question") == "你好"
    assert page.evaluate("heard") == ["compositionstart", "compositionend"]
    assert screens.shoot(page, "composed").stat().st_size > 0


def test_markup_that_slips_in_neither_runs_nor_asks(screens: Screens, served: Callable[[Starlette], str]) -> None:
    asked: list[str] = []
    screens.expect_trouble("hx-csp")
    screens.expect_trouble("Content Security Policy")
    page = screens.open()
    page.goto(served(bare(asked, more=INJECTED)))
    page.wait_for_function("window.heard")
    page.evaluate("refresh()")

    assert page.inner_text("h2") == "2"
    assert page.locator("#evil").get_attribute("hx-get") is None
    assert page.evaluate("window.ran") is None
    assert asked == []
