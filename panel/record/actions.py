"""Writing about the record itself. Everything else reaches it through the unit of work."""

import json
from collections.abc import Callable, Collection
from functools import partial
from typing import Protocol

from sqlalchemy import delete
from sqlmodel import Session

from panel.core.db import empty_log
from panel.core.errors import NotFound, require
from panel.core.security import Actor
from panel.record import queries, rules
from panel.record.events import BodyErased, Event, KeyRotated, LogBegunAgain
from panel.record.models import ACKNOWLEDGED


class Recording(Protocol):
    """The unit of work, as far as the record needs it."""

    db: Session

    def record(self, event: Event, *, told_of: Collection[str] = ()) -> int:
        """Put an event on the record; returns its index."""

    def after_commit(self, call: Callable[[], None]) -> None:
        """Run something once the act is durable."""


def rotate_key(work: Recording, actor: Actor | None, *, former: str, key: str, ground: str) -> None:
    """Record that another key (public keys, as text) signs from the next checkpoint but one on."""
    require(rules.why_not_rotate(ground))
    work.record(KeyRotated(actor_id=actor.person_id if actor else None, former=former, key=key, ground=ground))


def begin_again(
    work: Recording, actor: Actor | None, *, origin: str, size: int, root: str, key: str, made_at: str
) -> None:
    """Record that a restored backup goes on under a new origin: `origin`, `size`, `root` are the last published of the
    former log (root in hex; empty where none was published).
    """
    work.record(LogBegunAgain(origin=origin, size=size, root=root, key=key, made_at=made_at))


def erase(work: Recording, actor: Actor | None, *, index: int, ground: str) -> None:
    """Erase what an entry says, salts included, so that its commitments can no longer be opened.

    The entry's place, time and kind stay, and so does the proof that it was there. `ground` is public: it must name
    nobody.
    """
    found = queries.entry(work.db, index)
    if found is None:
        raise NotFound
    entry, body = found
    require(rules.why_not_erase(entry, body, ground))
    assert body is not None, "why_not_erase has refused it"
    private = json.loads(body.private)
    work.db.delete(body)
    work.db.connection().execute(delete(ACKNOWLEDGED).where(ACKNOWLEDGED.c.index == index))
    work.after_commit(partial(empty_log, work.db.get_bind()))
    work.record(
        BodyErased(case_id=private["case_id"], actor_id=actor.person_id if actor else None, index=index, ground=ground)
    )
