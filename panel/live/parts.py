"""The parts of a live page: what each area draws, for whom, and which events touch it. Filled by app.py."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlmodel import Session

from panel.core.security import INSIDE, Actor, Audience, Role
from panel.record.events import Event

Context = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """A shared part: drawn once per audience, locale and revision; holds no form, no token, no `hx-*` attribute.

    `load(db, hearing_id, audience, now)` returns the template's variables. Its element is `part-<name>`.
    """

    name: str
    template: str
    audiences: frozenset[Audience]
    touched_by: frozenset[type[Event]]
    load: Callable[[Session, str, Audience, datetime], Context]


@dataclass(frozen=True)
class OwnPart:
    """A part of the reader's own: my ballot, my buttons. `load` returns None where this reader has none now.

    Its element is `own-<name>`.
    """

    name: str
    template: str
    roles: frozenset[Role]
    load: Callable[[Session, str, Actor, datetime], Context | None]


PARTS: dict[str, Part] = {}
OWN_PARTS: dict[str, OwnPart] = {}


def register(parts: Iterable[Part], own_parts: Iterable[OwnPart]) -> None:
    """Fill the registries; the order is that of the pages' drawing."""
    PARTS.update({part.name: part for part in parts})
    OWN_PARTS.update({part.name: part for part in own_parts})
    _forget()


def touch_also(name: str, events: frozenset[type[Event]]) -> None:
    """Let events touch a part whose area cannot know of them, because they happen in an area above it."""
    PARTS[name] = replace(PARTS[name], touched_by=PARTS[name].touched_by | events)
    _forget()


def _forget() -> None:
    for asked in (parts_for, own_parts_for, kinds_for):
        asked.cache_clear()


@cache
def parts_for(audience: Audience) -> tuple[Part, ...]:
    """Return the shared parts that an audience has."""
    return tuple(part for part in PARTS.values() if audience in part.audiences)


@cache
def own_parts_for(role: Role) -> tuple[OwnPart, ...]:
    """Return the parts that a reader of this role may have of their own."""
    return tuple(part for part in OWN_PARTS.values() if role in part.roles)


@cache
def kinds_for(audience: Audience) -> Mapping[str, frozenset[str]]:
    """Return, for each kind of event that this audience can notice, the names of the parts that it touches."""
    touched: dict[str, set[str]] = {}
    for part in parts_for(audience):
        for event in part.touched_by:
            touched.setdefault(event.kind, set()).add(part.name)
    return {kind: frozenset(names) for kind, names in touched.items()}


def notices(audience: Audience, *, closed: bool) -> bool:
    """Say whether an audience may notice that something happened: outside, nobody notices closed session."""
    return not closed or audience in INSIDE
