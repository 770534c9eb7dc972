"""The desk where people sign in: what this area keeps per installation, and the cookies it hands out."""

import hmac
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Protocol

import segno
from markupsafe import Markup
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from panel.accounts.queries import Demo, SignedIn
from panel.accounts.throttle import Key, Throttle
from panel.core import clock
from panel.core.config import Settings
from panel.core.errors import Busy, Reason
from panel.core.pages import Site
from panel.core.security import DOOR_KEY

DEVICE_AGE = 180 * 24 * 3600
YEAR = 365 * 24 * 3600


class Rehearsal(Protocol):
    """What holds rehearsals, filled in by whatever serves (cli/rehearse.py)."""

    running: bool

    def left(self, db: Session) -> bool:
        """Say whether anything of a rehearsal is there."""

    def file(self, work: Any, actor: Any) -> None:
        """File the fictional case in one unit of work, and wipe what an earlier rehearsal left."""

    def hold(self) -> None:
        """Let the simulation hold the hearing that was filed last."""

    def stop(self) -> None:
        """Let the simulated members go."""

    def wipe(self, work: Any, actor: Any) -> int:
        """Wipe everything that belongs to rehearsals; returns how many entries of the record lost their text."""


@dataclass
class Desk:
    """What this area keeps in memory, one per installation, under `site.areas["accounts"]`."""

    signed_in: SignedIn
    throttle: Throttle = field(default_factory=Throttle)
    demo: Demo | None = None
    rehearsal: Rehearsal | None = None
    door_key: str = ""
    """What simulated members bring to a rehearsal's door; made anew for each rehearsal, known to this process only."""


def desk(site: Site) -> Desk:
    """Return the installation's desk."""
    found: Desk = site.areas["accounts"]
    return found


def too_often(seconds: int) -> Busy:
    """Return the refusal of somebody who has guessed too often: how long they wait."""
    return Busy(Reason("Too many attempts. Please wait %(n)s seconds and try again.", n=seconds), seconds=seconds)


def begin_guess(site: Site, keys: Sequence[Key]) -> Throttle:
    """Return the brake for a guess that begins now; raises Busy for whoever has to wait first."""
    throttle = desk(site).throttle
    if seconds := throttle.begin(keys, clock.monotonic()):
        raise too_often(seconds)
    return throttle


@dataclass
class Guess:
    """A guess that is being checked: wrong until it is said to be right."""

    right: bool = False


@contextmanager
def guess(site: Site, keys: Sequence[Key]) -> Iterator[Guess]:
    """Brake a guess while it is checked; raises Busy for whoever has to wait first.

    One that is cut short by a failure was not made: left under way, it would keep others waiting for good.
    """
    throttle, made = begin_guess(site, keys), Guess()
    try:
        yield made
    except BaseException:
        throttle.abandoned(keys, clock.monotonic())
        raise
    (throttle.succeeded if made.right else throttle.failed)(keys, clock.monotonic())


def drawn(address: str) -> Markup:
    """Draw an address of ours as a QR code, presentation attributes only."""
    return Markup(segno.make(address, error="m").svg_inline(scale=4, light="#fff"))  # noqa: S704 - our own drawing of our own address; nothing that anybody typed


def nearby(request: Request, settings: Settings) -> bool:
    """Say whether a request may use the demo's doors: from this machine, or with --lan from the local network."""
    try:
        address = ip_address((request.client.host if request.client else "").partition("%")[0])
    except ValueError:
        return False
    return settings.demo and (address.is_loopback or (settings.lan and address.is_private))


def open_demo(request: Request, site: Site) -> Demo | None:
    """Return the demo, or the rehearsal, if this request may use its doors, else None."""
    kept, brought = desk(site).door_key, request.headers.get(DOOR_KEY, "")
    with_key = bool(kept) and hmac.compare_digest(kept.encode(), brought.encode())
    return desk(site).demo if with_key or nearby(request, site.settings) else None


def set_cookie(answer: Response, settings: Settings, name: str, value: str, *, max_age: int | None = None) -> None:
    """Hand out a cookie that scripts cannot read and other sites' forms do not carry."""
    answer.set_cookie(name, value, max_age=max_age, path="/", secure=settings.secure, httponly=True, samesite="lax")


def set_session(answer: Response, settings: Settings, reference: str) -> None:
    """Hand out the session's reference; it ends with the browser, at the latest with the session."""
    set_cookie(answer, settings, settings.cookie, reference)


def device_of(request: Request) -> str:
    """Say in a word or two what somebody signs in with, for `my devices`; the full header is not kept."""
    agent = request.headers.get("user-agent", "")
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return " · ".join(filter(None, (browser, system)))


BROWSERS = (
    ("MicroMessenger", "WeChat"),
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
"""Marks in the browser's own description, the more telling first."""
