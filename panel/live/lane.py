"""The quick way to what changed: 300 readers ask at once, and the last of them waits for all the others."""

import re

from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from panel.core import security
from panel.core.config import Settings
from panel.core.headers import fragment_headers, hosts_of
from panel.core.i18n import choose
from panel.core.ids import new_id
from panel.core.pages import LOCALE_COOKIE, Site
from panel.live import changes
from panel.live.views import WhatChanged, at_once, head, routes

PATH = re.compile(r"/hearings/([0-9a-f]{32})/changes")
ONCE = frozenset({b"host", b"cookie", b"accept-language"})
"""Headers that are read here; a request that brings one of them twice goes the ordinary way."""

Headers = list[tuple[bytes, bytes]]


class Lane:
    """Answers a request for changes at once, where that needs neither the database nor a thread nor a refusal.

    Around the ordinary way, never beside it: it asks the same functions who may and what the answer is, and leaves
    every other request, and every doubt, to the application.
    """

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self.app = app
        self._hosts, self._headers, self._cookie = hosts_of(settings), fragment_headers(settings), settings.cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the application answer."""
        asks = scope["type"] == "http" and scope["method"] == "GET" and PATH.fullmatch(scope["path"]) is not None
        if asks:
            await changes.of(scope["app"].state.site).caught_up()
        answer = self._answer(scope) if asks else None
        if answer is None:
            await self.app(scope, receive, send)
            return
        status, headers, body = answer
        scope["route"] = routes[0]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, scope: Scope) -> tuple[int, Headers, bytes] | None:
        asked, sent = PATH.fullmatch(scope["path"]), _read(scope["headers"])
        if asked is None or sent is None or sent.get(b"host", "").lower() not in self._hosts:
            return None
        cookies = cookie_parser(sent.get(b"cookie", ""))
        site: Site = scope["app"].state.site
        actor, followed = site.known(cookies.get(self._cookie, "")), changes.of(site).followed(asked[1])
        if actor is None or followed is None or not security.may(actor, WhatChanged.permission, followed):
            return None
        role = actor.role_in(followed.case_id)
        assert role is not None, "who may read a hearing has a role in its case"
        locale = choose(actor.locale, cookies.get(LOCALE_COOKIE), sent.get(b"accept-language"))
        if (known := at_once(followed, role, locale, scope["query_string"])) is None:
            return None
        status, revision, body = known
        return status, [*head(site, revision, body), *self._headers, (b"x-request-id", new_id()[:16].encode())], body


def _read(headers: Headers) -> dict[bytes, str] | None:
    """Return the headers that matter here; None where one of them comes twice, or a body comes along."""
    sent: dict[bytes, str] = {}
    for name, value in headers:
        if name in ONCE:
            if name in sent:
                return None
            sent[name] = value.decode("latin-1")
        elif name in {b"content-length", b"transfer-encoding"}:
            return None
    return sent
