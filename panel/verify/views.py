"""Handing out a case's record; the verifier in the browser: a page of the site, and one file that needs no site."""

import base64
import re
from functools import cache
from hashlib import sha256
from typing import Any

from markupsafe import Markup
from sqlmodel import Session
from starlette.responses import Response
from starlette.routing import Route

from panel.cases import queries as cases
from panel.cases.models import Case
from panel.core import log, words
from panel.core.assets import folder
from panel.core.errors import Label, Reason, Refused
from panel.core.hooks import Leaf
from panel.core.pages import Acting, Reading, act, page
from panel.core.security import may
from panel.record import queries
from panel.record.checkpoint import read_key
from panel.record.events import Level
from panel.verify.check import CHECKS
from panel.verify.export import export_case
from panel.verify.forms import HandOutForm

SCRIPTS = (
    "canonical",
    "json",
    "merkle",
    "note",
    "bundle",
    "tally",
    "recount",
    "draws",
    "finding",
    "receipt",
    "check",
    "page",
)
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


AUDIENCES = {
    "public": Label("Everybody"),
    "party": Label("Official concerned"),
    "panel": Label("The committee"),
}


def hand_out_leaf(reading: Any, case: Any) -> Leaf | None:
    """Put into the case's file what of its record can be handed out, and as of when."""
    if not may(reading.actor, "record.hand_out", case):
        return None
    newest = queries.newest_checkpoint(reading.db)
    signed = newest is not None and queries.stands(reading.db, case.record_token, below=newest.size)
    audiences = [(code, reading.gettext(label)) for code, label in AUDIENCES.items()]
    at = newest.published_at if newest is not None and signed else None
    return Leaf("main", "verify/_leaf.html", {"case": case, "audiences": audiences, "at": at})


@act("record.hand_out", of=cases.case, form=HandOutForm)
async def hand_out(acting: Acting, case: Case, form: HandOutForm) -> Response:
    """Hand out a case's bundle as of the newest checkpoint: none is signed for it, or its time would tell of it."""
    made = await acting.ask(lambda db: _bundle(db, acting, case, Level[form.audience.upper()]))
    log.security("case_exported", person=acting.me.person_id, case=case.id, audience=form.audience)
    named = {"Content-Disposition": f'attachment; filename="case-{case.record_token[:8]}-{form.audience}.json"'}
    return Response(made, media_type="application/json", headers=named)


def _bundle(db: Session, acting: Acting, case: Case, level: Level) -> bytes:
    newest = queries.newest_checkpoint(db)
    if newest is None or not queries.stands(db, case.record_token, below=newest.size):
        raise Refused(Reason("Nothing of this case has been signed yet. It will be within a minute."))
    key = read_key(acting.site.settings.record_key)
    return export_case(db, stream=case.record_token, level=level, key=key, checkpoint=newest)


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
    Route("/cases/{id}/record", hand_out, methods=["POST"], name="verify.hand_out"),
    Route("/verify", verify_page, name="verify.page"),
    Route("/verify/heyi-verify.html", verify_file, name="verify.file"),
]
