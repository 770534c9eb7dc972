"""Moving, opening, casting, closing: the event with the state, the refusal with its sentence."""

import os

import pytest
from sqlmodel import select

from panel.committees import actions as committees
from panel.core.errors import Forbidden, Reason, Refused
from panel.hearings.models import Phase
from panel.votes import actions, queries, tally
from panel.votes.models import Ballot, Motion, MotionState
from tests.factories import World
from tests.votes.chamber import (
    EVERYBODY,
    closed,
    disposition,
    events,
    facts,
    key_file,
    kinds,
    open_fact,
    open_sealed,
    opened,
    to_phase,
    voted,
)

ALL_YES = dict.fromkeys(EVERYBODY, "established")


def refusal(world: World, action: object, who: str, **what: object) -> str:
    """Return the sentence with which an act is refused, and prove that it left nothing on the record."""
    before = len(events(world))
    with pytest.raises(Refused) as refused:
        world.act(action, who, **what)  # type: ignore[arg-type]  # any action
    assert len(events(world)) == before
    return str(refused.value.reason)


# Moving


def test_facts_are_moved_item_by_item(session: World) -> None:
    first, second = facts(session)
    assert [(m.number, m.kind, m.question) for m in (first, second)] == [
        (1, "fact", "闸门是否存在漏水隐患？"),
        (2, "fact", "黄某是否谋取私利？"),
    ]
    assert first.options == ["established", "not_established", "undetermined"]
    assert (first.secrecy, first.rule["majority"], first.rule["strict"]) == ("open", "1/2", True)
    told = events(session, "votes.motion_moved")
    assert [(e["motion"], e["number"], e["closed"]) for e in told] == [(first.id, 1, True), (second.id, 2, True)]


def test_moving_the_facts_again_adds_nothing(session: World) -> None:
    facts(session)
    assert facts(session) == []


@pytest.mark.parametrize(("outcome", "line"), [("exempt", ("2/3", False)), ("mitigate", ("1/2", True))])
def test_the_majority_is_the_rules_of_procedure_s(session: World, outcome: str, line: tuple[str, bool]) -> None:
    motion = disposition(session, outcome)
    assert (motion.rule["majority"], motion.rule["strict"]) == line
    assert (motion.secrecy, motion.options) == ("sealed", ["approve", "disapprove", "defer", "abstain"])


def test_only_the_chair_moves_and_only_in_closed_session(session: World) -> None:
    what = {"hearing_id": session.hearing_id, "kind": "disposition", "question": "？", "outcome": "deny"}
    with pytest.raises(Forbidden):
        session.act(actions.move, "luo", **what)
    to_phase(session, Phase.QUESTIONS)
    said = refusal(session, actions.move, "chair", **what)
    assert said == "Motions are moved in closed session. The hearing is not in closed session now."


def test_a_disposition_recommends_a_known_outcome(session: World) -> None:
    what = {"hearing_id": session.hearing_id, "kind": "disposition", "question": "？", "outcome": "promotion"}
    assert refusal(session, actions.move, "chair", **what) == "Choose the outcome that the motion recommends."


# Opening


def test_opening_freezes_question_options_rule_and_roll(session: World) -> None:
    motion = open_sealed(session)
    (event,) = events(session, "votes.motion_opened")
    assert (event["roll_size"], event["entitled"], event["secrecy"]) == (9, 7, "sealed")
    assert event["frozen_sha256"] == motion.frozen_sha256 == tally.frozen_sha256(event)
    assert tally.check_opened(event) == []
    with session.db() as db:
        roll = [(e.number, e.entitled, e.due, e.reason) for e in queries.roll(db, motion.id)]
    assert roll == [
        (1, True, True, ""), (2, True, True, ""), (3, True, True, ""), (4, True, True, ""), (5, True, True, ""),
        (6, True, True, ""), (7, True, True, ""), (8, False, True, "category"), (9, False, True, "category"),
    ]  # fmt: skip
    assert [line["seat"] for line in event["roll"]] == [session.seats[key] for key in EVERYBODY]


def test_all_seats_vote_on_facts(session: World) -> None:
    motion = open_fact(session)
    with session.db() as db:
        assert [entry.entitled for entry in queries.roll(db, motion.id)] == [True] * 9


def test_the_recused_stand_on_the_roll_with_the_reason(session: World) -> None:
    session.act(committees.recuse, "luo", seat_id=session.seats["luo"], ground="interest", statement="亲属任职")
    motion = open_fact(session)
    with session.db() as db:
        roll = {e.number: (e.entitled, e.due, e.reason) for e in queries.roll(db, motion.id)}
    assert (roll[2], roll[3]) == ((False, False, "recused"), (True, True, ""))
    (event,) = events(session, "votes.motion_opened")
    assert (event["roll_size"], event["entitled"]) == (9, 8)


def test_the_key_is_on_the_disk_and_readable_by_nobody_else(session: World) -> None:
    motion = open_sealed(session)
    path = key_file(session, motion)
    assert (path.stat().st_mode & 0o777, path.stat().st_size) == (0o600, 32)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert motion.public_key != ""
    assert path.read_bytes().hex() != motion.public_key


def test_the_key_is_durable_before_the_opening_is(session: World, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def watch(descriptor: int) -> None:
        fsync(descriptor)
        synced.append(f"{os.readlink(f'/proc/self/fd/{descriptor}')} {len(kinds(session))}")

    motion = disposition(session)
    monkeypatch.setattr(os, "fsync", watch)
    opened(session, motion)
    path = key_file(session, motion)
    assert synced[-2:] == [f"{path} 1", f"{path.parent} 1"]
    assert kinds(session) == ["motion_moved", "motion_opened"]


def test_an_open_motion_has_no_key(session: World) -> None:
    motion = open_fact(session)
    assert (motion.public_key, key_file(session, motion).exists()) == ("", False)


def test_one_motion_at_a_time(session: World) -> None:
    first, second = facts(session)
    opened(session, first)
    said = refusal(session, actions.open_motion, "chair", motion_id=second.id)
    assert said == "Motion 1 is open. Close it before the next one is opened."


def test_facts_go_before_dispositions(session: World) -> None:
    facts(session)
    motion = disposition(session)
    said = refusal(session, actions.open_motion, "chair", motion_id=motion.id)
    assert said == "The questions of fact are voted on first: motion 1 is still to be put."


def test_nothing_is_put_after_a_carried_disposition(session: World) -> None:
    voted(session, disposition(session), *["approve"] * 5, "disapprove", "disapprove")
    said = refusal(session, actions.open_motion, "chair", motion_id=disposition(session, "deny").id)
    assert said == "Motion 1 has been carried. No other disposition is put to the vote."


def test_the_next_disposition_is_put_after_one_that_was_lost(session: World) -> None:
    voted(session, disposition(session, "exempt"), *["approve"] * 4, "disapprove", "disapprove", "abstain")
    assert opened(session, disposition(session)).state is MotionState.OPEN


def test_a_motion_is_opened_once(session: World) -> None:
    motion = open_fact(session)
    said = refusal(session, actions.open_motion, "chair", motion_id=motion.id)
    assert said == "This motion has been put to the vote already."


def test_voting_needs_its_step_of_the_hearing(session: World) -> None:
    motion = facts(session)[0]
    to_phase(session, Phase.DELIBERATION)
    said = refusal(session, actions.open_motion, "chair", motion_id=motion.id)
    assert said == "Motions are put to the vote at the step “Motions and votes”."


def test_voting_needs_a_quorum(session: World) -> None:
    motion = facts(session)[0]
    for key in ("luo", "qin", "duan"):
        session.act(committees.leave, key, hearing_id=session.hearing_id)
    assert opened(session, motion).state is MotionState.OPEN
    session.act(actions.annul, "chair", motion_id=motion.id, ground="试")
    session.act(committees.leave, "jiang", hearing_id=session.hearing_id)
    said = refusal(session, actions.open_motion, "chair", motion_id=facts_again(session).id)
    assert said == "There is no quorum: 5 members are present, 6 are needed."


def facts_again(world: World) -> Motion:
    """Put the annulled first motion on the list again."""
    with world.db() as db:
        annulled = next(m for m in queries.motions(db, world.hearing_id) if m.state is MotionState.ANNULLED)
    return world.act(actions.repeat, "chair", motion_id=annulled.id)


def test_a_required_category_must_be_present(session: World) -> None:
    motion = facts(session)[0]
    session.act(committees.leave, "feng", hearing_id=session.hearing_id)
    with pytest.raises(Refused) as refused:
        opened(session, motion)
    assert refused.value.reason == Reason(
        "There is no quorum: no member of the category “%(name)s” is present.", name=Reason("Public representative")
    )


def test_a_secret_vote_of_fewer_than_five_is_not_opened(session: World) -> None:
    motion = disposition(session)
    for key in ("luo", "qin", "shi"):
        session.act(committees.recuse, key, seat_id=session.seats[key], ground="interest", statement="回避")
    said = refusal(session, actions.open_motion, "chair", motion_id=motion.id)
    assert said == (
        "A secret vote needs at least 5 members entitled to vote; there are 4. "
        "With fewer, the result would tell how each of them voted."
    )
    assert not key_file(session, motion).exists()


# Open ballots


def test_an_open_ballot_is_a_row_and_an_event(session: World) -> None:
    motion = open_fact(session)
    ballot = session.act(actions.cast, "luo", motion_id=motion.id, choice="not_established", reason="证据不足")
    (event,) = events(session, "votes.ballot_cast")
    told = {key: event[key] for key in ("motion", "ballot", "seat", "choice", "reason", "replaces", "frozen_sha256")}
    assert told == {
        "motion": motion.id, "ballot": ballot.id, "seat": session.seats["luo"], "choice": "not_established",
        "reason": "证据不足", "replaces": None, "frozen_sha256": motion.frozen_sha256,
    }  # fmt: skip
    with session.db() as db:
        assert db.exec(select(Ballot)).one() == ballot


def test_a_second_ballot_is_refused_in_words(session: World) -> None:
    motion = open_fact(session)
    session.act(actions.cast, "luo", motion_id=motion.id, choice="established")
    said = refusal(session, actions.cast, "luo", motion_id=motion.id, choice="established")
    assert said == "Your ballot has been received already. To change it, open your ballot and replace it."


def test_a_ballot_is_replaced_by_naming_it(session: World) -> None:
    motion = open_fact(session)
    first = session.act(actions.cast, "luo", motion_id=motion.id, choice="established")
    second = session.act(
        actions.cast, "luo", motion_id=motion.id, choice="undetermined", reason="再想", replaces=first.id
    )
    assert [e["replaces"] for e in events(session, "votes.ballot_cast")] == [None, first.id]
    with session.db() as db:
        assert [b.id for b in queries.counting_ballots(db, motion.id)] == [second.id]
    said = refusal(session, actions.cast, "luo", motion_id=motion.id, choice="established", replaces=first.id)
    assert said == "Your ballot has been replaced since this form was opened. Open your ballot again."


def test_nobody_replaces_another_s_ballot(session: World) -> None:
    motion = open_fact(session)
    ballot = session.act(actions.cast, "luo", motion_id=motion.id, choice="established")
    said = refusal(session, actions.cast, "qin", motion_id=motion.id, choice="established", replaces=ballot.id)
    assert said == "You have no ballot in this vote that could be replaced. Open your ballot again."


@pytest.mark.parametrize("choice", ["not_established", "undetermined"])
def test_some_choices_need_a_reason(session: World, choice: str) -> None:
    motion = open_fact(session)
    said = refusal(session, actions.cast, "luo", motion_id=motion.id, choice=choice)
    assert said == "Give a reason: with this choice it is required, and it is recorded with your name."


def test_only_this_motion_s_options_count(session: World) -> None:
    motion = open_fact(session)
    for choice in ("approve", "", "established ", "1"):
        said = refusal(session, actions.cast, "luo", motion_id=motion.id, choice=choice)
        assert said == "This is not one of the options of this motion."


def test_who_is_absent_does_not_vote(session: World) -> None:
    motion = open_fact(session)
    session.act(committees.leave, "luo", hearing_id=session.hearing_id)
    said = refusal(session, actions.cast, "luo", motion_id=motion.id, choice="established")
    assert said == "You are not recorded as present. Only members who are present vote."


def test_who_comes_in_while_voting_is_open_votes_at_once(session: World) -> None:
    session.act(committees.leave, "luo", hearing_id=session.hearing_id)
    motion = open_fact(session)
    session.act(committees.arrive, "luo", hearing_id=session.hearing_id)
    assert session.act(actions.cast, "luo", motion_id=motion.id, choice="established").choice == "established"


def test_who_asks_for_recusal_does_not_vote_until_it_is_decided(session: World) -> None:
    motion = open_fact(session)
    session.act(
        committees.declare, "luo", seat_id=session.seats["luo"], conflict=True, ground="interest", statement="亲属"
    )
    said = refusal(session, actions.cast, "luo", motion_id=motion.id, choice="established")
    assert said == "Your request for recusal is being decided. Until then you do not vote."


def test_nobody_votes_before_opening(session: World) -> None:
    said = refusal(session, actions.cast, "luo", motion_id=facts(session)[0].id, choice="established")
    assert said == "Voting on this motion has not been opened."


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("luo", "Voting has closed. Your earlier ballot stands; this one was not accepted."),
        ("qin", "Voting has closed. This ballot was not accepted, and you have no other in this vote."),
    ],
)
@pytest.mark.parametrize("sealed", [False, True])
def test_a_late_ballot_is_told_whether_an_earlier_one_stands(session: World, sealed: bool, who: str, said: str) -> None:
    motion = open_sealed(session) if sealed else open_fact(session)
    choice, act = ("approve", actions.cast_sealed) if sealed else ("established", actions.cast)
    for key in ("luo", "qian", "meng", "shi", "feng"):
        session.act(act, key, motion_id=motion.id, choice=choice)
    closed(session, motion)
    assert refusal(session, act, who, motion_id=motion.id, choice=choice) == said


def test_who_has_no_seat_does_not_vote(session: World) -> None:
    motion = open_fact(session)
    for who in ("secretary", "recorder", "handler", "official", "authority", "observer", "he"):
        with pytest.raises(Forbidden):
            session.act(actions.cast, who, motion_id=motion.id, choice="established")


def test_stakeholders_and_media_speak_on_dispositions_and_do_not_vote(session: World) -> None:
    motion = open_sealed(session)
    for who in ("duan", "jiang"):
        with pytest.raises(Forbidden) as refused:
            session.act(actions.cast_sealed, who, motion_id=motion.id, choice="approve")
        assert str(refused.value) == "Your seat speaks on the recommended disposition and does not vote on it."


# The chair votes last


def test_the_chair_votes_after_everybody_who_is_present(session: World) -> None:
    motion = open_fact(session)
    for key in EVERYBODY[1:-1]:
        session.act(actions.cast, key, motion_id=motion.id, choice="established")
    said = refusal(session, actions.cast, "chair", motion_id=motion.id, choice="established")
    assert said == "The chair votes last: 1 members who are present have not voted. Make the last call."
    session.act(actions.cast, EVERYBODY[-1], motion_id=motion.id, choice="established")
    assert session.act(actions.cast, "chair", motion_id=motion.id, choice="established").choice == "established"


def test_the_chair_votes_after_a_recorded_last_call(session: World) -> None:
    motion = open_fact(session)
    session.act(actions.last_call, "chair", motion_id=motion.id)
    assert kinds(session)[-1] == "last_call_made"
    session.act(actions.cast, "chair", motion_id=motion.id, choice="established")
    session.act(actions.cast, "luo", motion_id=motion.id, choice="established")
    said = refusal(session, actions.last_call, "chair", motion_id=motion.id)
    assert said == "The last call has been made."


def test_a_secret_vote_has_no_order(session: World) -> None:
    motion = open_sealed(session)
    session.act(actions.cast_sealed, "chair", motion_id=motion.id, choice="approve")
    said = refusal(session, actions.last_call, "chair", motion_id=motion.id)
    assert said == "A secret vote has no order and so no last call."


# Sealed ballots
