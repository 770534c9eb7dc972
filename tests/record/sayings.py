"""Events that the tests of the record say: real kinds, with texts of our choosing."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from panel.hearings.events import NoteWritten
from panel.record import queries
from panel.record.append import Sequenced, Sheet
from panel.record.events import Event
from panel.record.models import SYSTEM_STREAM, RecordEntry
from panel.verify import audit
from panel.verify.bundle import Broken

NOON = datetime(2026, 11, 23, 4, 0, 0, 123456, tzinfo=UTC)


def note(text: str, *, case: str = "c" * 32) -> Event:
    """Return an event whose private part holds a text."""
    return NoteWritten(case_id=case, hearing_id="h" * 32, actor_id="a" * 32, note="n" * 32, speaker_id=None, text=text)


def append(
    db: Session, events: Sequence[Event], now: datetime, *, stream: str, told_of: Collection[str] = ()
) -> list[Sequenced]:
    """Put events of one stream on the record at once. Durable when the caller's transaction commits."""
    sheet = Sheet(db)
    placed = sheet.add(events, now, stream=stream, told_of=told_of)
    sheet.write()
    return placed


def say(db: Session, *texts: str, stream: str = SYSTEM_STREAM, at: datetime = NOON) -> list[int]:
    """Sequence one event after the other in this transaction; return their indexes."""
    moments = (at + timedelta(seconds=second) for second in range(len(texts)))
    return [append(db, [note(text)], when, stream=stream)[0].index for text, when in zip(texts, moments, strict=True)]


def first_broken(db: Session) -> str:
    """Read the whole record from its first leaf; return the first sentence that does not hold, or an empty text."""
    try:
        audit.check_record(db, queries.head(db).size, {})
    except Broken as broken:
        return str(broken.reason)
    return ""


def shape(entries: Sequence[RecordEntry]) -> list[tuple[int, str, int]]:
    """Return index, stream and number of entries."""
    return [(entry.index, entry.stream, entry.seq) for entry in entries]
