"""What a hearing may put on the record."""

from typing import ClassVar

from panel.record.events import Event, Level


class HearingScheduled(Event):
    """A hearing was set."""

    kind: ClassVar[str] = "hearings.hearing_scheduled"
    public: ClassVar[frozenset[str]] = frozenset({"scheduled_at"})
    disclosure: ClassVar[Level] = Level.PARTY
    scheduled_at: str


class HearingOpened(Event):
    """The chair opened the hearing with a quorum."""

    kind: ClassVar[str] = "hearings.hearing_opened"
    public: ClassVar[frozenset[str]] = frozenset({"due", "present", "needed"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    due: int
    present: int
    needed: int


class StageBegun(Event):
    """The next step of the order of business began."""

    kind: ClassVar[str] = "hearings.stage_begun"
    public: ClassVar[frozenset[str]] = frozenset({"phase"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    phase: str


class HearingPaused(Event):
    """The hearing was paused."""

    kind: ClassVar[str] = "hearings.hearing_paused"
    public: ClassVar[frozenset[str]] = frozenset()
    disclosure: ClassVar[Level] = Level.PARTY
    reason: str


class HearingResumed(Event):
    """The hearing went on after a pause or an adjournment."""

    kind: ClassVar[str] = "hearings.hearing_resumed"
    public: ClassVar[frozenset[str]] = frozenset()
    disclosure: ClassVar[Level] = Level.PARTY


class ProjectorDarkened(Event):
    """The chair darkened the projector, or lit it again."""

    kind: ClassVar[str] = "hearings.projector_darkened"
    public: ClassVar[frozenset[str]] = frozenset({"dark"})
    disclosure: ClassVar[Level] = Level.PARTY
    dark: bool


class HearingAdjourned(Event):
    """The hearing was adjourned to another time."""

    kind: ClassVar[str] = "hearings.hearing_adjourned"
    public: ClassVar[frozenset[str]] = frozenset({"until"})
    disclosure: ClassVar[Level] = Level.PARTY
    until: str
    reason: str


class FloorRequested(Event):
    """Somebody raised a hand."""

    kind: ClassVar[str] = "hearings.floor_requested"
    public: ClassVar[frozenset[str]] = frozenset({"request_kind"})
    disclosure: ClassVar[Level] = Level.PARTY
    request: str
    request_kind: str
    person_id: str


class FloorRequestWithdrawn(Event):
    """A raised hand was taken down."""

    kind: ClassVar[str] = "hearings.floor_request_withdrawn"
    public: ClassVar[frozenset[str]] = frozenset()
    disclosure: ClassVar[Level] = Level.PARTY
    request: str


class FloorGiven(Event):
    """Somebody got the floor."""

    kind: ClassVar[str] = "hearings.floor_given"
    public: ClassVar[frozenset[str]] = frozenset({"request_kind", "seconds"})
    disclosure: ClassVar[Level] = Level.PARTY
    turn: str
    person_id: str
    request_kind: str
    seconds: int


class FloorExtended(Event):
    """A speaker got more time, or less: so many seconds in all."""

    kind: ClassVar[str] = "hearings.floor_extended"
    public: ClassVar[frozenset[str]] = frozenset({"seconds"})
    disclosure: ClassVar[Level] = Level.PARTY
    turn: str
    seconds: int


class FloorLeft(Event):
    """A speaker's turn ended after so many seconds."""

    kind: ClassVar[str] = "hearings.floor_left"
    public: ClassVar[frozenset[str]] = frozenset({"spoken_seconds"})
    disclosure: ClassVar[Level] = Level.PARTY
    turn: str
    person_id: str
    spoken_seconds: int


class QuestionAsked(Event):
    """A question was put."""

    kind: ClassVar[str] = "hearings.question_asked"
    public: ClassVar[frozenset[str]] = frozenset({"number"})
    disclosure: ClassVar[Level] = Level.PARTY
    question: str
    number: int
    asked_by: str
    asked_of: str
    text: str


class QuestionAnswered(Event):
    """A question was answered."""

    kind: ClassVar[str] = "hearings.question_answered"
    public: ClassVar[frozenset[str]] = frozenset({"number"})
    disclosure: ClassVar[Level] = Level.PARTY
    question: str
    number: int
    answered_by: str
    text: str


class ExhibitShown(Event):
    """An exhibit was shown to everybody."""

    kind: ClassVar[str] = "hearings.exhibit_shown"
    public: ClassVar[frozenset[str]] = frozenset({"number"})
    disclosure: ClassVar[Level] = Level.PARTY
    exhibit: str
    number: int


class ExhibitPutAway(Event):
    """The exhibit that was shown was put away."""

    kind: ClassVar[str] = "hearings.exhibit_put_away"
    public: ClassVar[frozenset[str]] = frozenset()
    disclosure: ClassVar[Level] = Level.PARTY
    exhibit: str


class NoteWritten(Event):
    """Something was added to the minutes."""

    kind: ClassVar[str] = "hearings.note_written"
    public: ClassVar[frozenset[str]] = frozenset()
    disclosure: ClassVar[Level] = Level.PARTY
    note: str
    speaker_id: str | None
    text: str


class MinutesFrozen(Event):
    """The minutes were laid before the members for confirmation."""

    kind: ClassVar[str] = "hearings.minutes_frozen"
    public: ClassVar[frozenset[str]] = frozenset({"sha256", "lines"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    sha256: str
    lines: int


class MinutesConfirmed(Event):
    """A member confirmed the minutes."""

    kind: ClassVar[str] = "hearings.minutes_confirmed"
    public: ClassVar[frozenset[str]] = frozenset({"seat"})
    disclosure: ClassVar[Level] = Level.PARTY
    seat: str


class MinutesRefused(Event):
    """A member refused to confirm the minutes, with the reason."""

    kind: ClassVar[str] = "hearings.minutes_refused"
    public: ClassVar[frozenset[str]] = frozenset({"seat"})
    disclosure: ClassVar[Level] = Level.PARTY
    seat: str
    reason: str


class MinutesSettled(Event):
    """Every attending member has confirmed or refused, or the limit has passed: dissents may no longer be filed."""

    kind: ClassVar[str] = "hearings.minutes_settled"
    public: ClassVar[frozenset[str]] = frozenset({"confirmed", "refused", "silent"})
    disclosure: ClassVar[Level] = Level.PUBLIC
    confirmed: int
    refused: int
    silent: int


class HearingEnded(Event):
    """The chair summed up and ended the hearing."""

    kind: ClassVar[str] = "hearings.hearing_ended"
    public: ClassVar[frozenset[str]] = frozenset()
    disclosure: ClassVar[Level] = Level.PUBLIC
