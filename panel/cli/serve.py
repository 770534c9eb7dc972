"""Serving: one process, one address."""

import asyncio
import ctypes
import errno
import gc
import ipaddress
import json
import os
import signal
import socket
import sys
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session
from starlette.applications import Starlette
from starlette.types import ASGIApp

from panel.accounts import queries as accounts
from panel.accounts.views.desk import desk
from panel.accounts.views.set_up import new_code, path_with
from panel.app import create_app
from panel.cli.gauges import gauges
from panel.cli.init import settings_or_stop
from panel.cli.record import Data, Locale, usage
from panel.cli.rehearse import Rehearsals
from panel.core import clock, health, log, metrics
from panel.core.alone import only_server
from panel.core.config import LOOPBACK, Settings, readable_by_others
from panel.core.db import reading_engine, unread, version_of
from panel.core.errors import Label, Reason, Refused
from panel.core.i18n import DEFAULT_LOCALE, Translator, translator
from panel.core.pages import Site
from panel.core.patience import PatientProtocol
from panel.core.security import Office
from panel.record.checkpoint import read_key
from panel.verify import report

M_ARENA_MAX = -8
"""The parameter's number in glibc's malloc.h."""


NOT_LISTENING = {
    errno.EADDRINUSE: Label("another program listens there already."),
    errno.EADDRNOTAVAIL: Label("this machine has no such address."),
    errno.EACCES: Label("the system does not allow this port to this user."),
}
OTHERWISE = Label("there is no such address.")
"""Why nothing can listen at an address, by the system's number of the error."""

NOTICE_SECONDS, DRAIN_SECONDS = 1.0, 10.0
"""For so long whoever is connected can read that the server restarts; for so long, at most, acts are awaited."""


async def drain(site: Site) -> None:
    """Turn `/readyz` red, tell open pages, and wait for the acts that wait; whoever comes meanwhile is still served."""
    site.areas["ready"].draining = True
    live, until = site.areas["live"], clock.monotonic() + DRAIN_SECONDS
    if live.connected():
        await live.tell_restart()
        await asyncio.sleep(NOTICE_SECONDS)
    while site.writer.waiting() and clock.monotonic() < until:
        await asyncio.sleep(0.05)


class Server(uvicorn.Server):
    """A server that drains before it closes."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then close everything."""
        site = getattr(self.config.app.state, "site", None) if isinstance(self.config.app, Starlette) else None
        if site is not None:
            await drain(site)
        await super().shutdown(sockets)


def server_of(app: ASGIApp, settings: Settings) -> Server:
    """Return the server: no access log, no endless heads.

    Of sockets: no deflate of single messages (it doubles the CPU), no second heartbeat (Engine.IO has its own).
    """
    return Server(
        uvicorn.Config(
            app, host=settings.host, port=settings.port, http=PatientProtocol, access_log=False, log_config=None,
            ws_per_message_deflate=False, ws_ping_interval=None, ws_max_size=16384,
            proxy_headers=bool(settings.trusted_proxies), forwarded_allow_ips=list(settings.trusted_proxies),
            server_header=False, date_header=False, timeout_keep_alive=75,
            timeout_graceful_shutdown=int(DRAIN_SECONDS),
        )
    )  # fmt: skip


def public_plain_http(settings: Settings) -> bool:
    """Say whether this would serve plain HTTP on an address that others can reach."""
    if settings.host in LOOPBACK or settings.trusted_proxies:
        return False
    try:
        return not ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        return True


def share_memory() -> None:
    """Let all threads share one of glibc's arenas; with one for each, every thread would keep what it once freed."""
    with suppress(OSError, AttributeError):  # another C library: nothing to set
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def serve(
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    print_config: Annotated[bool, typer.Option("--print-config", help="Print the settings, secrets masked.")] = False,
    locale: Locale = DEFAULT_LOCALE,
) -> None:
    """Serve an installation. Settings: these options, else PANEL_* variables, else the installation's settings.toml."""
    words = translator(locale)
    folder = data or Path(os.environ.get("PANEL_DATA", "data"))
    if not (folder / "settings.toml").exists() and not os.environ.keys() & {"PANEL_SECRET", "PANEL_SECRET_FILE"}:
        usage(words.reason(no_installation(folder)))
    settings = settings_or_stop(data, words, host=host, port=port)
    if print_config:
        typer.echo(json.dumps(settings.told(), ensure_ascii=False, indent=2))
        return
    for why_not in (why_not_serve, why_not_keys, why_not_schema):
        if (refusal := why_not(settings)) is not None:
            usage(words.reason(refusal))
    try:
        with only_server(settings.data) if not settings.database else nullcontext(), listening(settings) as address:
            _serve(settings, words, address)
    except Refused as refused:
        usage(words.reason(refused.reason))
    except PermissionError as problem:
        usage(words.reason(report.unreadable(Path(problem.filename or settings.data), problem.strerror or "")))


def listening(settings: Settings) -> socket.socket:
    """Return a socket that listens where the settings say; raises Refused where nothing can."""
    where = (settings.host, settings.port)
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        return socket.create_server(where, family=family)
    except (OSError, UnicodeError) as problem:
        why = Reason(NOT_LISTENING.get(getattr(problem, "errno", None) or 0, OTHERWISE))
        raise Refused(
            Reason("Nothing can listen on %(where)s: %(why)s", where=f"{where[0]}:{where[1]}", why=why)
        ) from None


def _serve(settings: Settings, words: Translator, address: socket.socket) -> None:
    share_memory()
    configure_logs(settings, words)
    app = create_app(settings)
    site: Site = app.state.site
    desk(site).rehearsal = Rehearsals(site)
    greet(site, words)
    server = server_of(app, settings)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # raised again by uvicorn, once it has stopped in order
    gc.freeze()  # what is there now stays to the end: nothing to look through again and again
    try:
        with measured(site):
            server.run(sockets=[address])
    except OSError as problem:
        where = f"{settings.metrics_host}:{settings.metrics_port}"
        usage(words.reason(Reason("Metrics cannot be served on %(where)s: %(why)s", where=where, why=problem.strerror)))


def measured(site: Site) -> AbstractContextManager[int]:
    """Serve /metrics beside the site, where the settings name a port for it; yields the port."""
    settings = site.settings
    if not settings.metrics_port:
        return nullcontext(0)
    return metrics.served(settings.metrics_host, settings.metrics_port, gauges(site))


def configure_logs(settings: Settings, words: Translator) -> None:
    """Let the logs go where the settings say; stops in words where that folder cannot be made."""
    try:
        log.configure(folder=settings.log_folder)
    except OSError as problem:
        usage(words.reason(report.unreadable(Path(problem.filename or settings.data), problem.strerror or "")))


def why_not_serve(settings: Settings) -> Reason | None:
    """Say why nothing is served with these settings."""
    if public_plain_http(settings):
        return Reason(
            "This would be plain HTTP on a public address. Put a TLS proxy in front and name it in trusted_proxies, "
            "or listen on 127.0.0.1."
        )
    if not settings.database and not (settings.data / "panel.sqlite").is_file():
        return no_installation(settings.data)
    return None


def no_installation(folder: Path) -> Reason:
    """Say that nothing was made here yet, and how it is made."""
    return Reason("There is no installation in %(folder)s. Make one: panel init --data %(folder)s", folder=folder)


def why_not_keys(settings: Settings) -> Reason | None:
    """Say which of the secret files others may read, or which is missing."""
    if not settings.record_key.is_file():
        return Reason("The record's key %(file)s is missing.", file=settings.record_key)
    open_to_others = next(
        (path for path in (settings.keys, *settings.keys.iterdir()) if readable_by_others(path)), None
    )
    if open_to_others is None:
        return why_not_a_key(settings)
    return Reason("Others may read %(file)s: its mode must be 0600 (0700 for folders).", file=open_to_others)


def why_not_a_key(settings: Settings) -> Reason | None:
    """Say why the record's key is none: without it checkpoints would fail, one after the other, behind open pages."""
    try:
        read_key(settings.record_key)
    except Refused as refused:
        return refused.reason
    return None


def why_not_schema(settings: Settings) -> Reason | None:
    """Say why a database does not fit this version; `panel migrate` brings an older one up to it."""
    engine = reading_engine(settings.database_url)
    try:
        version = version_of(engine)
    except DBAPIError as problem:
        return unread(problem)
    finally:
        engine.dispose()
    return health.why_not_schema(version)


def greet(site: Site, words: Translator) -> None:
    """Tell where the site is; until there is an administrator, with the one-time code of the set-up."""
    url = site.settings.origins[0]
    typer.echo(words.reason(Reason("The site is open: %(url)s", url=url)))
    with Session(site.reading) as db:
        administered = bool(accounts.holders(db, Office.SYSTEM))
    if administered:
        site.settings.set_up_code.unlink(missing_ok=True)
        return
    path = path_with(new_code(site.settings.set_up_code))
    typer.echo(words.reason(Reason("Set it up, once, here: %(url)s", url=f"{url}{path}")))
