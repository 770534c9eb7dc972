"""The verifier in the browser: a page of the site, and the same as one file that needs no site."""

import base64
import re
from functools import cache
from hashlib import sha256
from typing import Any

from markupsafe import Markup
from starlette.responses import Response
from starlette.routing import Route

from panel.core import words
from panel.core.assets import folder
from panel.core.pages import Reading, page
from panel.verify.check import CHECKS

SCRIPTS = ("canonical", "json", "merkle", "note", "bundle", "tally", "recount", "finding", "receipt", "check", "page")
"""The files of static/verify/, in the order in which they build on each other."""

SHEETS = ("base", "layout", "forms", "components", "verify", "print")
SENTENCE = re.compile(r'\b(?:reason|label)\("((?:[^"\\]|\\.)*)"')
POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types"
)
ENDS_EARLY = re.compile(r"</(?:script|style)|<!--", re.IGNORECASE)


@page("publication.read_public")
def verify_page(reading: Reading) -> Response:
    """Show the page that checks a bundle or a receipt where it is opened."""
    return reading.render("verify/page.html", scripts=SCRIPTS, **_said(reading))


@page("publication.read_public", public=True)
def verify_file(reading: Reading) -> Response:
    """Hand out the same page as one file, which lets nothing in and nothing out."""
    style, script = inlined("css", "css", SHEETS), inlined("verify", "js", SCRIPTS)
    policy = POLICY.format(script=source_of(script), style=source_of(style))
    drawn = reading.draw(
        "verify/file.html", policy=policy, style=_element("style", style), script=_element("script", script),
        **_said(reading),
    )  # fmt: skip
    named = {"Content-Disposition": 'attachment; filename="heyi-verify.html"'}
    return Response(drawn, media_type="text/html", headers=named)


@cache
def inlined(place: str, suffix: str, names: tuple[str, ...]) -> str:
    """Return static files as one text that may stand inside an element; raises ValueError if it would end it."""
    texts = [(folder("static") / place / f"{name}.{suffix}").read_text(encoding="utf-8") for name in names]
    text = "\n".join(texts)
    if ENDS_EARLY.search(text):
        raise ValueError(f"static/{place}: the text would end its own element")
    return text


@cache
def sentences() -> tuple[str, ...]:
    """Return every msgid that the scripts may say; they are those of the same checks in Python."""
    return tuple(dict.fromkeys(SENTENCE.findall(inlined("verify", "js", SCRIPTS))))


def source_of(text: str) -> str:
    """Return what a content security policy calls a text: its digest."""
    return f"sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}"


def _element(name: str, text: str) -> Markup:
    # Our own files, which `inlined` has refused if they hold an end tag.
    return Markup("<{0}>{1}</{0}>").format(name, Markup(text))  # noqa: S704 - as above


def _said(reading: Reading) -> dict[str, Any]:
    """Return the words that the scripts need, in the reader's language."""
    say = reading.gettext
    checks = [
        {"name": c.name, "title": say.reason(c.title), "proves": say.reason(c.proves),
         "leaves_open": say.reason(c.leaves_open)}
        for c in CHECKS
    ]  # fmt: skip
    kinds = {kind: say(label) for kind, label in words.EVENTS.items()}
    return {"checks": checks, "sentences": {text: say(text) for text in sentences()}, "kinds": kinds}


routes = [
    Route("/verify", verify_page, name="verify.page"),
    Route("/verify/heyi-verify.html", verify_file, name="verify.file"),
]
