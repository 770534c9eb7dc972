"""Recounting: what an honest log tells agrees; a log that lies about a vote is found though it signed everything."""

from collections.abc import Callable
from typing import Any

import pytest

from panel.opinions.events import OpinionSubmitted, RoundClosed
from panel.record import actions, queries
from panel.record.events import Event, Level
from panel.verify.check import verify
from panel.votes.events import BallotCast
from tests.factories import World
from tests.verify.stories import CANARY, FACT, KEY, SEATS, Teller, bundle, rewritten, tell

Story = Callable[[Teller], list[Event]]
VKEY = str(KEY.verifier)


def words(world: World, level: Level) -> list[str]:
    """Return what is said about each motion in a bundle that holds."""
    report = verify(bundle(world, level), VKEY)
    assert report.failure is None
    return [str(verdict.words) for verdict in report.verdicts]


def failure(world: World, events: list[Event], level: Level = Level.PANEL) -> tuple[str, str]:
    """Put events on the record; return the check that fails in its bundle, and why."""
    tell(world, events)
    failed = verify(bundle(world, level), VKEY).failure
    assert failed is not None
    return failed.check.name, str(failed.reason)


NOT_HERE = "Motion 1: its ballots are not all disclosed here, so it was not recounted."
RECOUNTED = "Motion 1: recounted from 10 ballots."
SEALED = "Motion 2 (sealed): roll, turnout, sum, base, line and outcome agree. It cannot be recounted independently."


@pytest.mark.parametrize(
    ("level", "said"),
    [(Level.PUBLIC, NOT_HERE), (Level.PARTY, RECOUNTED), (Level.PANEL, RECOUNTED), (Level.FULL, RECOUNTED)],
)  # fmt: skip
def test_open_motions_are_recounted_where_the_ballots_are_disclosed(world: World, level: Level, said: str) -> None:
    tell(world, Teller(world.case_id).whole())
    assert words(world, level) == [said, SEALED]


@pytest.mark.parametrize("level", Level)
def test_before_its_announcement_a_motion_is_told_to_the_panel_alone(world: World, level: Level) -> None:
    tell(world, Teller(world.case_id).open_vote())
    assert words(world, level) == ([] if level < Level.PANEL else [RECOUNTED])
    assert ("established" in bundle(world, level).decode()) == (level >= Level.PANEL)


@pytest.mark.parametrize("level", Level)
def test_nobody_s_ballot_is_handed_out_while_the_motion_is_open(world: World, level: Level) -> None:
    *voting, closing = Teller(world.case_id).open_vote()
    tell(world, voting)
    assert ("ballot 1" in bundle(world, level).decode()) == (level is Level.FULL)
    tell(world, [closing])
    assert ("ballot 1" in bundle(world, level).decode()) == (level >= Level.PANEL)


@pytest.mark.parametrize("level", Level)
def test_an_opinion_is_handed_out_when_its_round_has_closed(world: World, level: Level) -> None:
    common = Teller(world.case_id).common
    given = OpinionSubmitted(
        round=1, version=1, seat=SEATS[0], ratings={}, recommendation="deny", reasons=CANARY, change="", **common
    )
    tell(world, [given, closed_round(2, common)])
    assert (CANARY in bundle(world, level).decode()) == (level is Level.FULL)
    tell(world, [closed_round(1, common)])
    assert (CANARY in bundle(world, level).decode()) == (level >= Level.PANEL)
    assert verify(bundle(world, level), VKEY).failure is None


def closed_round(number: int, common: dict[str, Any]) -> RoundClosed:
    """Return the closing of a round with one opinion."""
    return RoundClosed(round_id=f"round {number}", number=number, opinions=1, **common)


def test_withheld_counts_are_said_to_be_withheld(world: World) -> None:
    teller = Teller(world.case_id)
    tell(world, [*teller.sealed_vote(outcome_published="passed_only", counts={}), teller.announced(2)])
    withheld = (
        "Motion 2 (sealed): roll and turnout agree; its counts are withheld. It cannot be recounted independently."
    )
    assert words(world, Level.PUBLIC) == [withheld]
    assert words(world, Level.PANEL) == [SEALED]


LIES: dict[str, tuple[Story, str]] = {
    "a count too many": (
        lambda t: t.open_vote(counts={"established": 7, "not_established": 2, "undetermined": 1}),
        "Motion 1: the counts that are told are not those of the ballots "
        "(counts: the counts that are told are not those of the ballots).",
    ),
    "another outcome": (
        lambda t: t.open_vote(carried="lost", settled="not_established"),
        "Motion 1: the result that is told is not the one that the ballots give "
        "(outcome: lost/not_established is told, carried/established is counted).",
    ),
    "a ballot left out": (
        lambda t: [event for event in t.open_vote() if getattr(event, "ballot", "") != "ballot 2"],
        "Motion 1: its ballots are not those of the members who took part.",
    ),
    "a member who took part left out": (
        lambda t: t.open_vote(participation=sorted(SEATS[1:])),
        "Motion 1: its ballots are not those of the members who took part.",
    ),
    "a sealed sum that does not fit the turnout": (
        lambda t: t.sealed_vote(participation=sorted(SEATS[:6])),
        "Motion 2: the counts do not add up to the number of members who took part "
        "(turnout: 7 ballots counted of 6 members who took part).",
    ),
    "a member who may not vote": (
        lambda t: t.sealed_vote(participation=sorted([*SEATS[:6], SEATS[8]])),
        "Motion 2: the list of those who took part does not agree with the roll "
        f"(participation: {SEATS[8]} is not entitled).",
    ),
    "a key that is not destroyed": (
        lambda t: t.sealed_vote(key_destroyed=False),
        "Motion 2: the closing does not tell that the key was destroyed "
        "(key: the closing does not tell that the key was destroyed).",
    ),
    "a sealed outcome": (
        lambda t: t.sealed_vote(carried="lost", settled=""),
        "Motion 2: the result that is told is not the one that the ballots give "
        "(outcome: lost/ is told, carried/approve is counted).",
    ),
    "a roll that was changed after freezing": (
        lambda t: [t.opened(1, entitled=8), *t.open_vote()[1:]],
        "Motion 1: the roll does not agree with its own numbers (roll: 8 entitled are told, the roll has 9).",
    ),
    "a rule that was changed after freezing": (
        lambda t: [t.opened(1, rule=FACT.to_json() | {"majority": "2/3"}), *t.open_vote()[1:]],
        "Motion 1: question, options, rule or roll are not those that were frozen at opening "
        "(frozen_digest: question, options, rule or roll are not the frozen ones).",
    ),
    "a closing without an opening": (
        lambda t: t.open_vote()[1:],
        "Motion 1 was closed without having been opened.",
    ),
    "a ballot of a sealed motion": (
        lambda t: [t.opened(2, sealed=True), t.cast(t.opened(2, sealed=True), 1, "approve"), *t.sealed_vote()[1:]],
        "A sealed motion has no ballots on the record.",
    ),
    "a rule that would take for ever": (
        lambda t: [t.opened(1, rule=FACT.to_json() | {"majority": "1e999999999"}), *t.open_vote()[1:]],
        "There is no fraction here.",
    ),
    "a rule that divides by nothing": (
        lambda t: [t.opened(1, rule=FACT.to_json() | {"quorum": "1/0"}), *t.open_vote()[1:]],
        "There is no fraction here.",
    ),
    "a roll that is no roll": (
        lambda t: [t.opened(1, roll=[{"seat": {}, "entitled": []}]), *t.open_vote()[1:]],
        "The events of this motion have not the shape of a motion.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_log_that_lies_about_a_vote_is_found_though_it_signed_everything(world: World, lie: str) -> None:
    story, expected = LIES[lie]
    check, reason = failure(world, story(Teller(world.case_id)))
    assert (check, reason[: len(expected)]) == ("motions", expected)


def test_a_ballot_after_the_closing_is_named(world: World) -> None:
    teller = Teller(world.case_id)
    opened = teller.opened(1)
    late = teller.cast(opened, 9, "established", name="late", replaces="ballot 9")
    check, reason = failure(world, [*teller.open_vote(), late])
    with world.db() as db:
        last = queries.head(db).size - 1
    assert (check, reason) == ("motions", f"Entry {last} comes after its motion has ended.")


def test_an_erased_ballot_makes_a_motion_that_cannot_be_recounted_and_no_lie(world: World) -> None:
    tell(world, Teller(world.case_id).open_vote())
    entries = rewritten(bundle(world, Level.FULL))["entries"]
    ballots = [e["index"] for e in entries if e["parts"]["public"]["value"]["kind"] == BallotCast.kind]
    world.act(actions.erase, "secretary", index=ballots[5], ground="依法删除")
    assert words(world, Level.FULL) == [NOT_HERE]


def test_an_erased_opening_is_said_to_be_erased(world: World) -> None:
    tell(world, Teller(world.case_id).open_vote())
    entries = rewritten(bundle(world, Level.FULL))["entries"]
    opening = next(e["index"] for e in entries if e["parts"]["public"]["value"]["kind"] == "votes.motion_opened")
    world.act(actions.erase, "secretary", index=opening, ground="依法删除")
    assert words(world, Level.FULL) == ["Motion 1: its opening was erased."]


FINDINGS: dict[str, tuple[Story, str]] = {
    "another outcome": (
        lambda t: [t.finding(outcome="exempt")],
        "The finding's outcome is not that of the disposition that was carried.",
    ),
    "a vote left out": (
        lambda t: [t.finding(motions=[], outcome="")],
        "The finding names other dispositions than those that were voted on.",
    ),
    "another answer to a question": (
        lambda t: [t.finding(facts=[t.finding().facts[0] | {"settled": "not_established"}])],
        "Question 1 of the finding does not agree with its motion.",
    ),
    "a dissent left out": (
        lambda t: [t.finding(dissents=0)], "The finding tells another number of dissents than stand on the record.",
    ),
    "no list of votes": (
        lambda t: [t.finding(facts=[{}])], "The finding has not the shape of a finding.",
    ),
    "a departure that calls itself adoption": (
        lambda t: [t.finding(), t.decision(outcome="exempt")],
        "The decision does not tell truly whether it adopts the finding.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("lie", FINDINGS)
def test_a_finding_that_does_not_follow_from_the_votes_is_found(world: World, lie: str) -> None:
    story, expected = FINDINGS[lie]
    teller = Teller(world.case_id)
    votes = [*teller.open_vote(), *teller.sealed_vote(), teller.announced(1), teller.announced(2)]
    before = [*votes, teller.dissent()]
    assert failure(world, [*before, *story(teller)], Level.PUBLIC) == ("finding", expected)


def test_a_finding_without_a_carried_disposition_has_no_outcome(world: World) -> None:
    teller = Teller(world.case_id)
    opened = teller.opened(2, sealed=True)
    lost = teller.closed(opened, {"approve": 3, "abstain": 4}, range(1, 8))
    put = [{"id": "2" * 32, "number": 2, "outcome": "mitigate", "carried": "lost"}]
    departs = teller.decision(outcome="deny", adopts=False)
    tell(
        world,
        [opened, lost, teller.announced(2), teller.finding(outcome="", facts=[], motions=put, dissents=0), departs],
    )
    assert words(world, Level.PUBLIC) == [SEALED]
