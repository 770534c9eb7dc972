"""What many ask for at the same instant."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import anyio
from sqlalchemy import Engine
from sqlmodel import Session

from panel.core.db import snapshot

T = TypeVar("T")


class Lately:
    """What many ask for at the same instant: loaded once between two commits, in one thread, for all of them.

    Whoever gets it only reads it; the act itself reads anew, in the writer.
    """

    def __init__(self, reading: Engine) -> None:
        self._reading, self._commits = reading, 0
        self._kept: dict[tuple[Any, ...], tuple[int, asyncio.Task[Any]]] = {}

    def committed(self) -> None:
        """Hear that something is durable, before anybody is told: what was loaded before it is stale."""
        self._commits += 1
        self._kept.clear()

    async def load(self, of: Callable[[Session, str], T], id: str) -> T:
        """Return `of(db, id)` as of the last commit or later."""
        at, key = self._commits, (asyncio.get_running_loop(), of, id)
        kept = self._kept.get(key)
        if kept is None or kept[0] != at or _failed(kept[1]):
            kept = at, asyncio.ensure_future(anyio.to_thread.run_sync(self._load, of, id))
            if at == self._commits:
                self._kept[key] = kept
        found: T = await asyncio.shield(kept[1])
        return found

    def _load(self, of: Callable[[Session, str], T], id: str) -> T:
        with snapshot(self._reading) as db:
            found = of(db, id)
            db.expunge_all()
            return found


def _failed(task: "asyncio.Task[Any]") -> bool:
    """Say whether a loading has failed: the next who asks loads anew, or a database that was away would stay away."""
    return task.done() and (task.cancelled() or task.exception() is not None)
