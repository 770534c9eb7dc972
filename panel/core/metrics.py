"""Figures of the running process, on a port of their own: never a person, a hearing, a motion or an option.

Every label comes from a closed list: the template of a route, a method, a class of status, an audience, a code of ours.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from panel.core import clock, log

REGISTRY = CollectorRegistry()
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
"""Methods that are named; a client may invent any number of others."""

REQUESTS = Counter("panel_requests", "Requests", ("route", "method", "status"), registry=REGISTRY)
LATENCY = Histogram("panel_request_seconds", "Seconds to the end of the answer", ("route",), registry=REGISTRY,
                    buckets=SECONDS)  # fmt: skip
ACTS = Histogram("panel_act_seconds", "Seconds from submitting an act until it is durable", registry=REGISTRY,
                 buckets=SECONDS)  # fmt: skip
COMMITS = Histogram("panel_commit_seconds", "Seconds that a commit takes", registry=REGISTRY, buckets=SECONDS)
LOCKED = Counter("panel_database_locked", "Commits that failed because the database was locked", registry=REGISTRY)
SIGN_INS_REFUSED = Counter("panel_sign_ins_refused", "Sign-ins refused", ("why",), registry=REGISTRY)
REFUSALS = {"sign_in_failed": "wrong", "sign_in_throttled": "throttled", "second_step_failed": "second step"}
"""Events of the security log that count as a sign-in refused, and under which label."""

LOCK_STATES = frozenset({"40001", "40P01", "55P03"})
"""SQLSTATEs of PostgreSQL: not serializable, deadlock, lock not available."""

_LEFT_OUT = "none"


def count_refusal(event: str) -> None:
    """Count a line of the security log that says that somebody was not let in (log.ON_SECURITY)."""
    if event in REFUSALS:
        SIGN_INS_REFUSED.labels(REFUSALS[event]).inc()


def count_lock(failure: Exception) -> None:
    """Count a failure of the database if it means that somebody else held a lock."""
    cause = getattr(failure, "orig", None)
    if "database is locked" in str(cause) or getattr(cause, "sqlstate", None) in LOCK_STATES:
        LOCKED.inc()


log.ON_SECURITY[:] = [count_refusal]


class Watch:
    """The outermost layer: counts each request by its route's template, and writes its line in the access log."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through; what it answered is seen on the way out."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status, number = clock.monotonic(), 500, ""

        async def seen(message: Message) -> None:
            nonlocal status, number
            if message["type"] == "http.response.start":
                status, number = message["status"], _number(message["headers"])
            await send(message)

        try:
            await self.app(scope, receive, seen)
        finally:
            _counted(scope, status, number, clock.monotonic() - began)


def _counted(scope: Scope, status: int, number: str, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", None) or _LEFT_OUT
    method = scope["method"] if scope["method"] in METHODS else "other"
    count, latency = _series(route, method, status // 100)
    count.inc()
    latency.observe(seconds)
    log.access(route=route, method=method, status=status, ms=round(seconds * 1000, 1), request=number)


@cache
def _series(route: str, method: str, status: int) -> tuple[Counter, Histogram]:
    """Return what counts such requests; kept, because looking labels up costs more than counting."""
    return REQUESTS.labels(route, method, f"{status}xx"), LATENCY.labels(route)


def _number(headers: Iterable[tuple[bytes, bytes]]) -> str:
    return next((value.decode("latin-1") for name, value in headers if name == b"x-request-id"), "")


@dataclass(frozen=True)
class Gauge:
    """Something that is read when it is asked for: a number, or numbers by one label. None: not known."""

    name: str
    told: str
    read: Callable[[], float | Mapping[str, float] | None]
    label: str = ""


class Gauges(Collector):
    """Gauges of one installation. One that cannot be read is left out and logged: the others are still told."""

    def __init__(self, gauges: Iterable[Gauge]) -> None:
        self._gauges = tuple(gauges)

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Return nothing: the registry would read every gauge to learn its name."""
        return ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read every gauge."""
        for gauge in self._gauges:
            try:
                found = gauge.read()
            except Exception as problem:
                log.failure("gauge_not_read", problem, gauge=gauge.name)
                continue
            if found is not None:
                yield _family(gauge, found)


def _family(gauge: Gauge, found: float | Mapping[str, float]) -> GaugeMetricFamily:
    if not isinstance(found, Mapping):
        return GaugeMetricFamily(gauge.name, gauge.told, value=found)
    family = GaugeMetricFamily(gauge.name, gauge.told, labels=(gauge.label,))
    for label, value in found.items():
        family.add_metric((label,), value)
    return family


@contextmanager
def served(host: str, port: int, gauges: Iterable[Gauge]) -> Iterator[int]:
    """Answer with the figures on an address of their own until the block ends; yields the port. Raises OSError."""
    reading = Gauges(gauges)
    REGISTRY.register(reading)
    try:
        server, thread = start_http_server(port, host, registry=REGISTRY)
        try:
            yield server.server_port
        finally:
            server.shutdown()
            server.server_close()
            thread.join(5)
    finally:
        REGISTRY.unregister(reading)
