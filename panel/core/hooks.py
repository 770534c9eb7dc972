"""What a lower area asks of a higher one; app.py fills these. They are few, and each is named."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from panel.core.errors import Reason
from panel.core.health import Grade
from panel.core.security import INSIDE, Audience

ON_RECUSAL: list[Callable[[Any, Any, Any], None]] = []
"""Called inside the work with (work, actor, seat) when a seat stands aside; votes annul the open motion."""

HEARING: list[Callable[[Session, str], Any]] = []
"""Answers a hearing (its `id` and `case_id`) from its id, or None; the areas below the hearings load by it."""

PHASE_OF: list[Callable[[Session, str], str]] = []
"""Answers a hearing's phase from its id."""

DISSENTS_OPEN: list[Callable[[Session, str], bool]] = []
"""Answers whether dissents may still be filed in a hearing: until its minutes are settled."""

ON_ENDED: list[Callable[[Any, Any, str], object]] = []
"""Called inside the work with (work, actor, hearing id) when a hearing ends; decisions make the panel's finding."""

END_SOCKETS: list[Callable[[str], None]] = []
"""Ends every socket of a person (by person id), on every process."""

END_SESSION_SOCKETS: list[Callable[[str], None]] = []
"""Ends every socket of a sign-in session (by the digest of its reference), on every process."""

ON_RECORDED: list[Callable[[str, str | None, int], None]] = []
"""Called with (event kind, case id, index) once an event is durable and before its act is answered."""

HEARINGS_OF_CASE: list[Callable[[Session, str], Sequence[Any]]] = []
"""Answers a case's hearings in order; each has `id`, `phase`, `scheduled_at`, `closed`."""

SHOWING: list[Callable[[Session, str], Any]] = []
"""Answers the showing (`id`, `exhibit_id`, `closed`) that is on in a hearing (by id), or None."""

SHOWN_IN_OPEN_SESSION: list[Callable[[Session, str], Collection[str]]] = []
"""Answers the exhibits (ids) that were shown in open session of a case (by id): what observers may read."""

PRESENCE: list[Callable[[str], Mapping[str, datetime]]] = []
"""Answers who is connected to a hearing (by id) and since when: person id -> moment. Unrecorded."""

LOST: list[Callable[[str], Mapping[str, datetime]]] = []
"""Answers who was connected to a hearing (by id) and is not now, and since when: person id -> moment. Unrecorded."""


STREAM_TITLE: list[Callable[[Session, str], str | None]] = []
"""Answers what to call a stream of the record (by its token) to somebody who has acted in it: the case's title."""


@dataclass(frozen=True)
class Leaf:
    """What a higher area adds to a case's file: a template that reads `leaf.context`, and where it goes.

    `place`: top (what the reader must see first), main, or aside (tasks and short facts).
    """

    place: str
    template: str
    context: Mapping[str, Any]


CASE_FILE: list[Callable[[Any, Any], Leaf | None]] = []
"""Called with (reading, case) for each reader of a case's file; in the order in which the leaves are shown."""

DESK: list[Callable[[Any], Leaf | None]] = []
"""Called with (reading) for somebody's list of cases: what waits for them in a case in which they have no part yet."""

LIVE_HEARING: list[Callable[[Session, Any], str | None]] = []
"""Answers where somebody goes who has just signed in: the path of the hearing that is under way, or None."""


@dataclass(frozen=True)
class Problem:
    """Something that an administrator should mend: what is wrong, the words on the button, where it leads, how bad."""

    title: Reason
    remedy: Reason
    href: str
    grade: Grade = Grade.CARE


PROBLEMS: list[Callable[[Session, Any], Sequence[Problem]]] = []
"""Answers what an area finds wrong or missing in the installation, from a reading session and the site."""

CLOSED_PHASES = frozenset({"recess", "deliberation", "opinions", "motions"})
"""The closed session (domain 10.6), as lower areas need to know it."""


def problems(db: Session, site: Any) -> list[Problem]:
    """Return what should be mended, the gravest first; among equals in the order of the areas."""
    found = [problem for find in PROBLEMS for problem in find(db, site)]
    return sorted(found, key=lambda problem: problem.grade)


def hearing(db: Session, hearing_id: str) -> Any:
    """Return a hearing, or None."""
    return next((found for find in HEARING if (found := find(db, hearing_id)) is not None), None)


def phase_of(db: Session, hearing_id: str) -> str:
    """Return the phase of a hearing, or an empty text when no hearings are installed."""
    return next((answer(db, hearing_id) for answer in PHASE_OF), "")


def in_closed_session(db: Session, hearing_id: str) -> bool:
    """Say whether the hearing is in closed session."""
    return phase_of(db, hearing_id) in CLOSED_PHASES


def phase_told(phase: str, audience: Audience | None) -> str:
    """Return a phase as an audience is told it: outside, the whole closed session is one recess."""
    return "recess" if phase in CLOSED_PHASES and audience not in INSIDE else phase


def dissents_open(db: Session, hearing_id: str) -> bool:
    """Say whether dissents may still be filed."""
    return all(answer(db, hearing_id) for answer in DISSENTS_OPEN)


def hearings_of_case(db: Session, case_id: str) -> Sequence[Any]:
    """Return a case's hearings in order."""
    return next((answer(db, case_id) for answer in HEARINGS_OF_CASE), ())


def showing(db: Session, hearing_id: str) -> Any:
    """Return the showing of an exhibit that is on in a hearing, or None."""
    return next((found for find in SHOWING if (found := find(db, hearing_id)) is not None), None)


def shown_in_open_session(db: Session, case_id: str) -> frozenset[str]:
    """Return the exhibits that were shown in open session of a case."""
    return frozenset(exhibit for answer in SHOWN_IN_OPEN_SESSION for exhibit in answer(db, case_id))


def waiting(reading: Any) -> list[Leaf]:
    """Return what waits for whoever reads, beside their cases."""
    return [leaf for add in DESK if (leaf := add(reading)) is not None]


def case_file(reading: Any, case: Any) -> list[Leaf]:
    """Return what the higher areas add to a case's file for this reader."""
    return [leaf for add in CASE_FILE if (leaf := add(reading, case)) is not None]


def presence(hearing_id: str) -> dict[str, datetime]:
    """Return who is connected to a hearing and since when."""
    return {person: since for answer in PRESENCE for person, since in answer(hearing_id).items()}


def lost(hearing_id: str) -> dict[str, datetime]:
    """Return who was connected to a hearing and is not now, and since when."""
    here = presence(hearing_id)
    gone = {person: since for answer in LOST for person, since in answer(hearing_id).items()}
    return {person: since for person, since in gone.items() if person not in here}


def hearing_ended(work: Any, actor: Any, hearing_id: str) -> None:
    """Do what follows the end of a hearing, in the same work."""
    for follow in ON_ENDED:
        follow(work, actor, hearing_id)


def end_sockets(person_id: str) -> None:
    """End every socket of a person."""
    for end in END_SOCKETS:
        end(person_id)


def end_session_sockets(reference_sha256: str) -> None:
    """End every socket of a sign-in session."""
    for end in END_SESSION_SOCKETS:
        end(reference_sha256)


def recorded(kind: str, case_id: str | None, index: int) -> None:
    """Tell who asked that an event is durable."""
    for hear in ON_RECORDED:
        hear(kind, case_id, index)


def stream_title(db: Session, token: str) -> str:
    """Return what to call a stream of the record; empty for the stream of no case."""
    return next((title for find in STREAM_TITLE if (title := find(db, token))), "")


def live_hearing(db: Session, actor: Any) -> str | None:
    """Return the path of the hearing that is under way for this person, or None."""
    return next((path for find in LIVE_HEARING if (path := find(db, actor))), None)
