"""Serving: one process, one address."""

import ctypes
import gc
import ipaddress
import json
import subprocess
import sys
from contextlib import suppress
from typing import Annotated

import typer
import uvicorn
from starlette.types import ASGIApp

from panel.app import create_app
from panel.core import log
from panel.core.config import LOOPBACK, Settings
from panel.core.patience import PatientProtocol

M_ARENA_MAX = -8
"""The parameter's number in glibc's malloc.h."""


def server_of(app: ASGIApp, settings: Settings) -> uvicorn.Server:
    """Return the server: no access log, no endless heads.

    Of sockets: no deflate of single messages (it doubles the CPU), no second heartbeat (Engine.IO has its own).
    """
    return uvicorn.Server(
        uvicorn.Config(
            app, host=settings.host, port=settings.port, http=PatientProtocol, access_log=False, log_config=None,
            ws_per_message_deflate=False, ws_ping_interval=None, ws_max_size=16384,
            proxy_headers=bool(settings.trusted_proxies), forwarded_allow_ips=list(settings.trusted_proxies),
            server_header=False, date_header=False, timeout_keep_alive=75,
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
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    print_config: Annotated[bool, typer.Option("--print-config", help="Print the settings, secrets masked.")] = False,
) -> None:
    """Serve an installation whose settings come from PANEL_* variables."""
    settings = Settings(host=host, port=port)  # type: ignore[call-arg]  # the secret comes from the environment
    if print_config:
        typer.echo(json.dumps(settings.told(), ensure_ascii=False, indent=2))
        return
    if public_plain_http(settings):
        typer.echo("Refused: this would be plain HTTP on a public address. Put a TLS proxy in front and name it in "
                   "PANEL_TRUSTED_PROXIES, or listen on 127.0.0.1.", err=True)  # fmt: skip
        raise typer.Exit(2)
    if subprocess.run([sys.executable, "-m", "panel.core.schema"]).returncode != 0:
        typer.echo("The database could not be brought to this version's schema; nothing is served.", err=True)
        raise typer.Exit(1)
    share_memory()
    log.configure()
    server = server_of(create_app(settings), settings)
    gc.freeze()  # what is there now stays to the end: nothing to look through again and again
    server.run()
