"""Is it alive, is it ready: two addresses for whatever watches the installation. Neither holds any data.

`/healthz` asks the process alone. `/readyz` asks everything that serving needs, and names by a code what is missing.
"""

import asyncio
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from panel.core import clock, forms, log
from panel.core.security import ANYONE, Grant

PERMISSIONS: dict[str, Grant] = {"core.health": ANYONE}

ADDRESSES = frozenset({"/healthz", "/readyz"})
LEAST_BYTES = 500 * 1024 * 1024
"""So much room the disk has at least."""

KEPT_SECONDS = 2.0
"""For so long an answer is given again: asking often costs the disk nothing."""

PATIENCE = 5.0
"""Seconds that a check may take; one that takes longer has failed."""

Check = Callable[[], bool]


class Readiness:
    """What serving needs, by its code; a check that fails, raises or hangs is named in the answer."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = dict(checks)
        self._asked_at, self._missing = float("-inf"), list[str]()
        self._asking = asyncio.Lock()
        self.draining = False

    async def missing(self) -> list[str]:
        """Return the codes of what is missing, in the order of the checks."""
        async with self._asking:
            if clock.monotonic() - self._asked_at > KEPT_SECONDS:
                self._missing = [code for code, check in self._checks.items() if not await _holds(code, check)]
                self._asked_at = clock.monotonic()
        return [*(["draining"] if self.draining else []), *self._missing]

    def holds(self, code: str) -> bool | None:
        """Ask for one thing alone, at once; None where nothing of that name is needed here. Raises what it raises."""
        check = self._checks.get(code)
        return None if check is None else check()


async def _holds(code: str, check: Check) -> bool:
    try:
        with anyio.fail_after(PATIENCE):
            return await anyio.to_thread.run_sync(check, abandon_on_cancel=True)
    except Exception as problem:
        log.failure("not_ready", problem, code=code)
        return False


def is_room(free: int) -> bool:
    """Say whether so many bytes are room enough."""
    return free >= LEAST_BYTES


def has_room(folder: Path) -> bool:
    """Say whether the disk of a folder has room enough."""
    return is_room(shutil.disk_usage(folder).free)


def probe(work: Any) -> bool:
    """Write one row, always the same, so that the answer says whether what is written becomes durable."""
    forms.touch(work.db, "readyz", work.now)
    return True


async def healthz(request: Request) -> Response:
    """Answer that the process serves."""
    return JSONResponse({"alive": True})


async def readyz(request: Request) -> Response:
    """Answer 200 when everything that serving needs is there, else 503 with the codes of what is missing."""
    missing = await request.app.state.site.areas["ready"].missing()
    return JSONResponse({"ready": not missing, "missing": missing}, status_code=503 if missing else 200)


for view in (healthz, readyz):
    view.permission = "core.health"  # type: ignore[attr-defined]  # walked by the test of the route table

routes = [Route("/healthz", healthz, name="core.healthz"), Route("/readyz", readyz, name="core.readyz")]
