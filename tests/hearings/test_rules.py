"""The order of business and the floor, as pure rules."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.core.security import Role
from panel.hearings import rules
from panel.hearings.models import CLOSED_PHASES, FloorRequest, Phase, RequestKind, Turn
from panel.hearings.rules import Facts

NINE = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
READY = Facts(present=7, needed=6, due=9, dispositions_ended=1)


def at(seconds: float) -> datetime:
    """Return a moment so many seconds after nine."""
    return NINE + timedelta(seconds=seconds)


def facts(**changes: Any) -> Facts:
    """Return the facts of a hearing that may go on, but for these."""
    return Facts(**{**READY.__dict__, **changes})


def test_every_phase_but_the_last_has_a_step_with_words() -> None:
    assert set(rules.STEPS) == set(Phase) - {Phase.ENDED}


def test_the_phases_follow_one_another_to_the_end() -> None:
    phase: Phase | None = Phase.SCHEDULED
    seen = []
    while phase is not None:
        seen.append(phase)
        phase = rules.following(phase)
    assert seen == list(Phase)


@pytest.mark.parametrize("phase", [p for p in Phase if p is not Phase.ENDED])
def test_nothing_blocks_a_hearing_that_is_ready(phase: Phase) -> None:
    assert rules.why_not_next(phase, phase, READY) is None


@pytest.mark.parametrize(
    ("phase", "changes", "words"),
    [
        (Phase.OPENING, {"present": 5}, "5 of 9 members due are present, 6 are needed"),
        (Phase.MOTIONS, {"present": 5}, "no quorum"),
        (Phase.OPENING, {"missing_categories": ("legal",)}, "nobody is present"),
        (Phase.OPENING, {"undeclared": ("罗正", "秦月")}, "罗正, 秦月"),
        (Phase.OPENING, {"pending_recusals": 1}, "1 requests for recusal"),
        (Phase.OPINIONS, {"opinions_missing": 2}, "2 members present"),
        (Phase.MOTIONS, {"motion_open": 3}, "Motion 3 is still open"),
        (Phase.MOTIONS, {"facts_unsettled": 1}, "1 questions of fact"),
        (Phase.MOTIONS, {"dispositions_ended": 0}, "No recommended disposition"),
        (Phase.QUESTIONS, {"paused": True}, "paused"),
        (Phase.QUESTIONS, {"adjourned": True}, "adjourned"),
    ],
)
def test_what_blocks_the_next_step_is_said_in_words(phase: Phase, changes: dict[str, Any], words: str) -> None:
    reason = rules.why_not_next(phase, phase, facts(**changes))
    assert reason is not None
    assert words in str(reason)


def test_a_hearing_is_called_to_order_without_a_quorum() -> None:
    assert rules.why_not_next(Phase.SCHEDULED, Phase.SCHEDULED, facts(present=0)) is None


def test_a_press_for_an_earlier_phase_comes_too_late() -> None:
    reason = rules.why_not_next(Phase.QUESTIONS, Phase.EXPLANATION, READY)
    assert reason is not None
    assert "moved on" in str(reason)


@pytest.mark.parametrize("role", [Role.OFFICIAL, Role.HELPER, Role.HANDLER, Role.OBSERVER, Role.AUTHORITY])
@pytest.mark.parametrize("phase", sorted(CLOSED_PHASES))
def test_who_is_outside_takes_no_part_in_closed_session(phase: Phase, role: Role) -> None:
    assert rules.why_not_take_part(phase, role) is not None
    assert rules.why_not_take_part(phase, Role.MEMBER) is None


def request(kind: RequestKind, second: int) -> FloorRequest:
    """Return a raised hand."""
    return FloorRequest(hearing_id="h", case_id="c", person_id=f"p{second}", kind=kind, created_at=at(second))


def test_points_of_order_go_first_and_then_as_they_came() -> None:
    hands = [
        request(RequestKind.SPEECH, 1),
        request(RequestKind.QUESTION, 2),
        request(RequestKind.POINT_OF_ORDER, 3),
        request(RequestKind.POINT_OF_ORDER, 4),
    ]
    assert [r.person_id for r in rules.queue(hands, {"p1", "p2", "p3", "p4"})] == ["p3", "p4", "p1", "p2"]


def test_served_and_withdrawn_hands_are_off_the_list() -> None:
    served, withdrawn, waiting = (request(RequestKind.SPEECH, n) for n in range(3))
    served.served_at = withdrawn.withdrawn_at = at(9)
    assert rules.queue([served, withdrawn, waiting], {"p0", "p1", "p2"}) == [waiting]


def test_the_hand_of_somebody_who_has_gone_out_is_not_called() -> None:
    hands = [request(RequestKind.SPEECH, 1), request(RequestKind.SPEECH, 2)]
    assert rules.queue(hands, {"p2"}) == [hands[1]]


def turn(seconds: float | None = None) -> Turn:
    """Return a turn that began at nine and has ended after so many seconds."""
    ended = None if seconds is None else at(seconds)
    return Turn(
        hearing_id="h", case_id="c", person_id="p", phase=Phase.QUESTIONS, seconds=180, began_at=NINE, ended_at=ended
    )


def test_a_point_of_order_stops_the_speakers_clock() -> None:
    assert rules.spoken(turn(), [(at(30), at(50))], at(100)) == 80


def test_a_pause_that_is_still_on_stops_the_clock() -> None:
    assert rules.spoken(turn(), [(at(40), None)], at(100)) == 40


def test_stops_that_overlap_are_counted_once() -> None:
    assert rules.spoken(turn(), [(at(10), at(40)), (at(20), at(30)), (at(35), at(50))], at(100)) == 60


def test_stops_before_and_after_a_turn_do_not_count() -> None:
    assert rules.spoken(turn(60), [(at(-50), at(-10)), (at(70), at(90))], at(100)) == 60


STOPS = st.lists(st.tuples(st.integers(-50, 150), st.integers(0, 60)), max_size=6)


@given(STOPS, st.integers(0, 120))
def test_speaking_time_equals_the_seconds_in_which_the_clock_ran(stops: list[tuple[int, int]], length: int) -> None:
    periods: list[tuple[datetime, datetime | None]] = [(at(start), at(start + lasted)) for start, lasted in stops]
    ran = sum(not any(start <= second < start + lasted for start, lasted in stops) for second in range(length))
    assert rules.spoken(turn(length), periods, at(500)) == ran


def test_the_minutes_settle_when_all_have_answered_or_the_limit_has_passed() -> None:
    assert rules.settled({"a", "b"}, {"a", "b"}, at(60), NINE)
    assert not rules.settled({"a", "b"}, {"a"}, at(60), NINE)
    assert rules.settled({"a", "b"}, {"a"}, at(60), at(60))


def test_a_refusal_to_confirm_needs_its_reason() -> None:
    said = {"attended": True, "done": False, "settled": False}
    assert rules.why_not_confirm(**said, confirmed=False, reason="") is not None
    assert rules.why_not_confirm(**said, confirmed=False, reason="漏记一句。") is None
    assert rules.why_not_confirm(**said, confirmed=True, reason="") is None
