"""Every kind of event that any area declares."""

import re
from typing import Any, ClassVar

import pytest

import panel.app  # noqa: F401 - the composition root knows every kind of event
from panel.hearings.events import NoteWritten
from panel.record.events import EVENT_KINDS, Event, Level
from panel.verify.export import disclosed

KINDS = sorted(EVENT_KINDS)
KEPT_PRIVATE = {"case_id", "hearing_id", "actor_id", "closed"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_names_its_area_and_what_happened(kind: str) -> None:
    event = EVENT_KINDS[kind]
    assert re.fullmatch(r"[a-z]+\.[a-z]+(_[a-z]+)+", kind)
    assert event.__module__ == f"panel.{kind.partition('.')[0]}.events"
    assert re.sub(r"(?<!^)(?=[A-Z])", "_", event.__name__).lower() == kind.partition(".")[2]


@pytest.mark.parametrize("kind", KINDS)
def test_no_event_holds_what_canonical_json_cannot_say(kind: str) -> None:
    for name, field in EVENT_KINDS[kind].model_fields.items():
        written = str(field.annotation)
        assert not re.search(r"\b(float|datetime|date|Decimal|Fraction|bytes)\b", written), f"{name}: {written}"


@pytest.mark.parametrize("kind", KINDS)
def test_who_acted_and_where_is_never_public(kind: str) -> None:
    event = EVENT_KINDS[kind]
    assert event.public & KEPT_PRIVATE == set()
    assert disclosed(kind, {}, Level.FULL) == (True, True)


def test_the_two_parts_share_no_field_and_leave_none_out() -> None:
    event = NoteWritten(case_id="c", hearing_id="h", closed=True, actor_id="a", note="n", speaker_id=None, text="t")
    assert event.public_part() == {"kind": "hearings.note_written"}
    assert event.private_part() == {
        "case_id": "c", "hearing_id": "h", "closed": True, "actor_id": "a",
        "note": "n", "speaker_id": None, "text": "t",
    }  # fmt: skip


def test_an_unknown_kind_is_disclosed_to_the_full_record_only() -> None:
    assert [disclosed("old.thing_done", {}, level) for level in Level] == [(False, False)] * 3 + [(True, True)]


def test_a_private_part_never_goes_further_than_its_public_part() -> None:
    class Whispered(Event):
        """Its private part claims to be for everybody."""

        kind: ClassVar[str] = "tests.whisper_heard"
        disclosure: ClassVar[Level] = Level.PANEL
        private_disclosure: ClassVar[Level] = Level.PUBLIC

    try:
        shown = [disclosed(Whispered.kind, {}, level) for level in Level]
    finally:
        del EVENT_KINDS[Whispered.kind]
    assert shown == [(False, False), (False, False), (True, True), (True, True)]


def test_an_event_may_narrow_its_private_part_by_what_is_public() -> None:
    class Counted(Event):
        """A count that is withheld where it would betray a vote."""

        kind: ClassVar[str] = "tests.count_made"
        public: ClassVar[frozenset[str]] = frozenset({"withheld"})
        disclosure: ClassVar[Level] = Level.PUBLIC
        withheld: bool

        @classmethod
        def private_level(cls, public: Any) -> Level:
            return Level.FULL if public["withheld"] else Level.PARTY

    try:
        shown = [disclosed(Counted.kind, {"withheld": withheld}, Level.PARTY) for withheld in (False, True)]
    finally:
        del EVENT_KINDS[Counted.kind]
    assert shown == [(True, True), (True, False)]


@pytest.mark.parametrize(
    ("kind", "public"), [("hearings.note_written", frozenset()), ("", frozenset()), ("tests.thing_done", {"missing"})]
)
def test_a_kind_that_is_taken_or_empty_or_promises_what_it_has_not_is_refused(kind: str, public: Any) -> None:
    with pytest.raises(TypeError):
        type("Second", (Event,), {"kind": kind, "public": frozenset(public), "__module__": __name__})
    assert EVENT_KINDS.get("hearings.note_written") is NoteWritten
    assert "tests.thing_done" not in EVENT_KINDS


def test_an_event_never_changes() -> None:
    event = NoteWritten(note="n", speaker_id=None, text="t")
    with pytest.raises(ValueError):
        event.text = "other"
    with pytest.raises(ValueError):
        NoteWritten.model_validate({"note": "n", "speaker_id": None, "text": "t", "at": "noon"})
