"""The outermost layer: every answer leaves through here with its headers, the answers to errors included.

Also what a request may be: its host, the size and pace of its body. The first line of defence, not the only one.
"""

import asyncio
import posixpath
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any, ClassVar
from urllib.parse import urlsplit

import anyio
import structlog
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from panel.core import clock, log, pages, ready
from panel.core.assets import fingerprint
from panel.core.config import Settings
from panel.core.db import gone
from panel.core.errors import NotFound, Reason, Refused, TooLarge, TooSlow
from panel.core.ids import new_id
from panel.core.mode import unreachable

MIB = 1024 * 1024
FORM_BYTES = MIB
PATIENCE = 20.0
"""Seconds that a body may take, and one more for every SLOWEST bytes that have come."""

SLOWEST = 16 * 1024

LINGER_SECONDS, IDLE_SECONDS = 10.0, 1.0
"""So long the rest of a body that is too large is read and forgotten, as long as it comes; then the connection ends."""

POLICY = (
    "default-src 'none'; {scripts}style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
)
SCRIPTS = "script-src 'nonce-{nonce}' 'strict-dynamic'; require-trusted-types-for 'script'; trusted-types htmx; "
"""Nothing inline, nothing from elsewhere; only htmx may make markup from text (security requirement 28)."""

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()",
}
ALWAYS_RAW = [(name.lower().encode(), value.encode()) for name, value in ALWAYS.items()]
KEPT = frozenset({200, 410})
"""What of public pages a cache may keep: the page, and the tombstone, which is to take the page's place there."""

STRICT_TRANSPORT = "max-age=31536000; includeSubDomains"


UNREADABLE = Reason("What was sent could not be read.")


class Unreadable(Refused):
    """What was sent is no request that this address takes."""

    status: ClassVar[int] = 400


class WrongMethod(Refused):
    """The address exists for another method."""

    status: ClassVar[int] = 405


class Failed(Refused):
    """An error of ours."""

    status: ClassVar[int] = 500


def hosts_of(settings: Settings) -> frozenset[str]:
    """Return the names, in lower case, under which an installation may be asked."""
    return frozenset(urlsplit(origin).netloc.lower() for origin in settings.origins)


def fragment_headers(settings: Settings) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer that is part of a page: no script has a nonce in it, and nobody keeps it."""
    transport = [(b"strict-transport-security", STRICT_TRANSPORT.encode())] if settings.secure else []
    own = [(b"content-security-policy", _policy("", public=False).encode()), (b"cache-control", b"no-store")]
    return [*ALWAYS_RAW, *own, (b"vary", b"HX-Request"), *transport]


class Front:
    """Wraps the whole application. `uploads` names the addresses (patterns of the path) that take larger bodies."""

    def __init__(
        self, app: ASGIApp, *, settings: Settings, uploads: Iterable[tuple[str, int]] = (), patience: float = PATIENCE
    ) -> None:
        self.app = app
        self._hosts = hosts_of(settings)
        self._secure = settings.secure
        self._uploads = [(re.compile(pattern), most) for pattern, most in uploads]
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, see its answer out."""
        if scope["type"] == "websocket" and not self._knows_host(scope):
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope.setdefault("state", {})
        state["request_id"] = new_id()[:16]
        body = _Body(receive, most=self._most(scope["path"]), patience=self._patience)
        outgoing = _Outgoing(scope, send, secure=self._secure, lingering=body.linger)
        with structlog.contextvars.bound_contextvars(request=state["request_id"], method=scope["method"]):
            try:
                await self._admit(scope, body, outgoing)
            except Exception as error:
                if outgoing.started:
                    raise
                await _error(scope, error)(scope, receive, outgoing)

    async def _admit(self, scope: Scope, body: "_Body", outgoing: "_Outgoing") -> None:
        if scope["path"] not in ready.ADDRESSES and not self._knows_host(scope):
            log.security("host_refused")
            await PlainTextResponse("421 Misdirected Request", status_code=421)(scope, body, outgoing)
            return
        body.check_length(scope)
        await self.app(scope, body, outgoing)

    def _knows_host(self, scope: Scope) -> bool:
        named = [value for name, value in scope["headers"] if name == b"host"]
        return len(named) == 1 and named[0].decode("latin-1").lower() in self._hosts

    def _most(self, path: str) -> int:
        return next((most for pattern, most in self._uploads if pattern.fullmatch(path)), FORM_BYTES)


class _Body:
    """A request's body on its way in: not larger, not slower than allowed."""

    def __init__(self, receive: Receive, *, most: int, patience: float) -> None:
        self._receive, self._most, self._patience = receive, most, patience
        self._came, self._began, self._done = 0, clock.monotonic(), False

    def check_length(self, scope: Scope) -> None:
        """Refuse a body that says itself that it is too large."""
        lengths = [value for name, value in scope["headers"] if name == b"content-length"]
        if lengths and not lengths[0].isdigit():
            raise Unreadable(UNREADABLE)
        if lengths and int(lengths[0]) > self._most:
            raise self._too_large()

    async def __call__(self) -> Message:
        """Wait for the next piece."""
        if self._done:
            return await self._receive()
        left = self._began + self._patience + self._came / SLOWEST - clock.monotonic()
        try:
            async with asyncio.timeout(left):
                message = await self._receive()
        except TimeoutError:
            raise TooSlow(Reason("What you sent came too slowly and was given up. Please send it again.")) from None
        self._came += len(message.get("body", b""))
        self._done = not message.get("more_body", False)
        if self._came > self._most:
            raise self._too_large()
        return message

    async def linger(self) -> None:
        """Read on for a while and forget it: closed at once, the connection may lose its answer (RFC 9112, 9.6)."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while (await asyncio.wait_for(self._receive(), IDLE_SECONDS)).get("more_body", False):
                    pass

    def _too_large(self) -> TooLarge:
        return TooLarge(Reason("What you sent is too large: at most %(n)s MiB.", n=self._most // MIB))


class _Outgoing:
    """An answer on its way out: what a view has set itself stays."""

    def __init__(self, scope: Scope, send: Send, *, secure: bool, lingering: Callable[[], Awaitable[None]]) -> None:
        self._scope, self._send, self._secure, self._lingering = scope, send, secure, lingering
        self.started = self._early = False

    async def __call__(self, message: Message) -> None:
        """Add the headers to the start of the answer."""
        if message["type"] == "http.response.start":
            self.started = True
            message["headers"] = self._with(list(message.get("headers", ())), message["status"])
            self._early = message["status"] == TooLarge.status
        elif self._early and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._lingering()
            message = {"type": "http.response.body"}
        await self._send(message)

    def _with(self, headers: list[tuple[bytes, bytes]], status: int) -> list[tuple[bytes, bytes]]:
        """Return an answer's headers and ours; as raw pairs, because every answer of a live hearing passes here."""
        state: dict[str, Any] = self._scope["state"]
        public, present = bool(state.get("public")), {name.lower(): value for name, value in headers}
        page = present.get(b"content-type", b"").startswith(b"text/html")
        if page and not public:
            state.setdefault("nonce", secrets.token_urlsafe(16))
        ours = [
            *ALWAYS_RAW,
            (b"content-security-policy", _policy(state.get("nonce", ""), public).encode()),
            (b"cache-control", _caching(self._scope, status, public).encode()),
        ]
        if self._secure:
            ours.append((b"strict-transport-security", STRICT_TRANSPORT.encode()))
        kept = [pair for pair in headers if pair[0].lower() != b"x-request-id"]
        kept += [pair for pair in ours if pair[0] not in present]
        kept.append((b"x-request-id", state["request_id"].encode()))
        if status in {408, 413}:
            kept = [pair for pair in kept if pair[0].lower() != b"connection"] + [(b"connection", b"close")]
        if page:
            MutableHeaders(raw=kept).add_vary_header("Accept-Language" if public else "HX-Request")
        return kept


def _policy(nonce: str, public: bool) -> str:
    scripts = "" if public or not nonce else SCRIPTS.format(nonce=nonce)
    return POLICY.format(scripts=scripts)


def _caching(scope: Scope, status: int, public: bool) -> str:
    if scope["path"].startswith("/static/"):
        return "public, max-age=31536000, immutable" if status in {200, 304} and _is_named(scope) else "no-cache"
    return "public, max-age=60" if public and status in KEPT else "no-store"


def _is_named(scope: Scope) -> bool:
    """Say whether a static file was asked for by its digest; under another's name it would be kept for a year."""
    name: str = scope["path"].removeprefix("/static/")
    plain = posixpath.normpath(name) == name and not name.startswith("/")
    return plain and scope["query_string"] == f"v={fingerprint(name)}".encode()


def _error(scope: Scope, error: Exception) -> Response:
    """Answer an error in words, without a trace; if even that fails, in one plain line."""
    request, number = Request(scope), scope["state"]["request_id"]
    if gone(error):
        log.failure("database_gone", error)
        error = unreachable(certain=True)
    elif not isinstance(error, Refused):
        log.failure("request_failed", error, endpoint=getattr(scope.get("endpoint"), "__qualname__", None))
        error = Failed(
            Reason(
                "Something went wrong on our side; nothing was half done. If it happens again, name %(n)s.", n=number
            )
        )
    try:
        return pages.refusal(request, error)
    except Exception as failure:
        log.failure("error_page_failed", failure)
        return PlainTextResponse(f"{error.status} {number}", status_code=error.status)


async def http_error(request: Request, error: Exception) -> Response:
    """Answer what the router or the parser of forms refuses: an unknown address, a wrong method, a broken body."""
    assert isinstance(error, HTTPException)
    await anyio.to_thread.run_sync(pages.recognise, request)
    if error.status_code == 404:
        return pages.refusal(request, NotFound())
    if error.status_code == 405:
        answer = pages.refusal(request, WrongMethod(Reason("This address does not take that kind of request.")))
        answer.headers["Allow"] = (error.headers or {}).get("Allow", "GET")
        return answer
    return pages.refusal(request, Unreadable(UNREADABLE))
