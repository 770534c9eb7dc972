"""Moving, opening, casting, closing: the event with the state, the refusal with its sentence."""

import os

import pytest
from sqlmodel import func, select

from panel.committees import actions as committees
from panel.core.errors import Forbidden, Reason, Refused
from panel.hearings.models import Phase
from panel.votes import actions, queries, tally
from panel.votes.models import Ballot, Motion, MotionState, Participation, RollEntry, SealedBallot
from tests.factories import World
from tests.votes.chamber import (
    EVERYBODY,
    VOTERS,
    cast_all,
    closed,
    disposition,
    events,
    facts,
    key_file,
    kinds,
    open_fact,
    open_sealed,
    opened,
    reread,
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


def test_a_sealed_ballot_is_a_row_and_no_event(session: World) -> None:
    motion = open_sealed(session)
    before = events(session)
    session.act(actions.cast_sealed, "luo", motion_id=motion.id, choice="disapprove")
    assert events(session) == before
    with session.db() as db:
        (row,) = db.exec(select(SealedBallot)).all()
        assert (row.seat_id, db.exec(select(func.count()).select_from(Ballot)).one()) == (session.seats["luo"], 0)


def test_all_sealed_ballots_are_equally_long(session: World) -> None:
    motion = open_sealed(session)
    cast_all(session, motion, dict(zip(VOTERS, motion.options * 2, strict=False)))
    with session.db() as db:
        assert {len(row.sealed) for row in db.exec(select(SealedBallot))} == {136}


def test_a_sealed_ballot_is_overwritten_by_naming_its_mark(session: World) -> None:
    motion = open_sealed(session)
    session.act(actions.cast_sealed, "luo", motion_id=motion.id, choice="approve")
    said = refusal(session, actions.cast_sealed, "luo", motion_id=motion.id, choice="approve")
    assert said == "Your ballot has been received already. To change it, open your ballot and replace it."
    with session.db() as db:
        before = queries.sealed_of(db, motion.id, session.seats["luo"])
    assert before is not None
    session.act(actions.cast_sealed, "luo", motion_id=motion.id, choice="defer", replaces=before.mark)
    with session.db() as db:
        (after,) = db.exec(select(SealedBallot)).all()
    assert (after.first_at, after.mark == before.mark, after.sealed == before.sealed) == (before.first_at, False, False)
    said = refusal(session, actions.cast_sealed, "luo", motion_id=motion.id, choice="approve", replaces=before.mark)
    assert said == "Your ballot has been replaced since this form was opened. Open your ballot again."


def test_a_sealed_ballot_carries_no_text(session: World) -> None:
    motion = open_sealed(session)
    said = refusal(session, actions.cast_sealed, "luo", motion_id=motion.id, choice="approve", reason="因为")
    assert said == "A secret ballot carries no text."


# Closing


def test_closing_counts_and_records(session: World) -> None:
    motion = open_fact(session)
    cast_all(session, motion, {**ALL_YES, "luo": "not_established", "qin": "undetermined"})
    result = closed(session, motion)
    assert (result.counts, result.carried, result.settled) == (
        {"established": 7, "not_established": 1, "undetermined": 1}, "carried", "established",
    )  # fmt: skip
    (event,) = events(session, "votes.motion_closed")
    assert (event["result"], event["counts"], event["carried"]) == (result.to_json(), result.counts, "carried")
    assert (event["participation"], event["present"]) == (sorted(e for e in seats(session)), sorted(seats(session)))
    assert (reread(session, motion).state, event["key_destroyed"]) == (MotionState.CLOSED, False)
    with session.db() as db:
        assert queries.tally_of(db, motion.id) == result


def seats(world: World) -> list[str]:
    """Return the nine seats."""
    return [world.seats[key] for key in EVERYBODY]


def test_an_open_motion_is_recounted_from_its_events_alone(session: World) -> None:
    motion = open_fact(session)
    cast_all(session, motion, {**ALL_YES, "luo": "not_established"})
    with session.db() as db:
        first = queries.ballot_of(db, motion.id, session.seats["qin"])
    assert first is not None
    session.act(actions.cast, "qin", motion_id=motion.id, choice="undetermined", reason="改", replaces=first.id)
    session.act(committees.leave, "luo", hearing_id=session.hearing_id)
    result = closed(session, motion)
    (opening,), (closing,) = events(session, "votes.motion_opened"), events(session, "votes.motion_closed")
    ballots = events(session, "votes.ballot_cast")
    assert tally.recount_open(opening, ballots, present=closing["present"]) == result
    assert tally.check_open(opening, ballots, closing) == []


def test_closing_a_sealed_motion_leaves_participation_and_no_ballot(session: World) -> None:
    motion = disposition(session)
    result = voted(session, motion, "approve", "approve", "approve", "approve", "disapprove", "disapprove", "defer")
    assert result.counts == {"approve": 4, "disapprove": 2, "defer": 1, "abstain": 0}
    assert (result.carried, result.base, str(result.required), result.needed) == ("carried", 7, "7/2", 4)
    with session.db() as db:
        assert db.exec(select(func.count()).select_from(SealedBallot)).one() == 0
        took_part = db.exec(select(Participation.seat_id)).all()
    assert took_part == sorted(session.seats[key] for key in VOTERS)
    (opening,), (closing,) = events(session, "votes.motion_opened"), events(session, "votes.motion_closed")
    assert tally.check_sealed(opening, closing) == []
    assert (closing["key_destroyed"], key_file(session, motion).exists()) == (True, False)
    assert kinds(session) == ["motion_moved", "motion_opened", "motion_closed"]


@pytest.mark.parametrize(
    ("choices", "shown", "counts"),
    [
        (["approve"] * 7, "passed_only", {}),
        (["approve"] * 6 + ["abstain"], "passed_only", {}),
        (["approve"] * 5 + ["abstain"] * 2, "full", {"approve": 5, "disapprove": 0, "defer": 0, "abstain": 2}),
    ],
)
def test_what_would_tell_each_vote_is_withheld_from_the_public_part(
    session: World, choices: list[str], shown: str, counts: dict[str, int]
) -> None:
    voted(session, disposition(session), *choices)
    (event,) = events(session, "votes.motion_closed")
    assert (event["outcome_published"], event["counts"]) == (shown, counts)
    assert sum(event["result"]["counts"].values()) == 7


def test_too_few_sealed_ballots_lapse_uncounted(session: World) -> None:
    motion = disposition(session)
    result = voted(session, motion, "approve", "approve", "approve", "approve")
    assert (result.carried, result.counts, result.cast) == ("lapsed", {}, 4)
    assert (reread(session, motion).state, key_file(session, motion).exists()) == (MotionState.LAPSED, False)
    (opening,), (closing,) = events(session, "votes.motion_opened"), events(session, "votes.motion_closed")
    assert tally.check_sealed(opening, closing) == []
    with session.db() as db:
        assert len(queries.participation(db, motion.id)) == 4


def test_a_lost_quorum_lapses(session: World) -> None:
    motion = open_fact(session)
    for key in ("luo", "qin", "qian", "meng"):
        session.act(committees.leave, key, hearing_id=session.hearing_id)
    assert (closed(session, motion).carried, reread(session, motion).state) == ("lapsed", MotionState.LAPSED)


def test_who_voted_and_left_counts_for_the_quorum(session: World) -> None:
    motion = open_fact(session)
    cast_all(session, motion, ALL_YES)
    for key in ("luo", "qin", "qian", "meng"):
        session.act(committees.leave, key, hearing_id=session.hearing_id)
    result = closed(session, motion)
    assert (result.carried, result.present) == ("carried", 9)


def test_a_motion_is_closed_once_and_by_the_chair(session: World) -> None:
    motion = open_fact(session)
    with pytest.raises(Forbidden):
        session.act(actions.close_motion, "luo", motion_id=motion.id)
    closed(session, motion)
    said = refusal(session, actions.close_motion, "chair", motion_id=motion.id)
    assert said == "This motion is closed already."


def test_a_missing_key_refuses_to_count(session: World) -> None:
    motion = open_sealed(session)
    cast_all(session, motion, dict.fromkeys(VOTERS, "approve"))
    key_file(session, motion).unlink()
    said = refusal(session, actions.close_motion, "chair", motion_id=motion.id)
    assert said == "The key of this motion is not there. Nothing was counted; annul it and put it again."
    assert reread(session, motion).state is MotionState.OPEN


def test_a_ballot_moved_to_another_seat_refuses_to_count(session: World) -> None:
    motion = open_sealed(session)
    cast_all(session, motion, dict.fromkeys(VOTERS, "approve"))

    def forge(work: object) -> None:
        rows = work.db.exec(select(SealedBallot)).all()  # type: ignore[attr-defined]  # Work
        rows[0].sealed = rows[1].sealed

    session.work(forge)
    said = refusal(session, actions.close_motion, "chair", motion_id=motion.id)
    assert said == "A sealed ballot is damaged. Nothing was counted; annul the motion and put it again."


# Annulling, repeating, recusal


def test_annulling_destroys_sealed_ballots_uncounted(session: World) -> None:
    motion = open_sealed(session)
    cast_all(session, motion, dict.fromkeys(VOTERS, "approve"))
    session.act(actions.annul, "chair", motion_id=motion.id, ground="问题表述有误")
    assert (reread(session, motion).state, key_file(session, motion).exists()) == (MotionState.ANNULLED, False)
    (event,) = events(session, "votes.motion_annulled")
    assert (event["ground"], event["actor_id"]) == ("问题表述有误", session.people["chair"])
    with session.db() as db:
        assert db.exec(select(func.count()).select_from(SealedBallot)).one() == 0
        assert (queries.tally_of(db, motion.id), list(queries.participation(db, motion.id))) == (None, [])
        annulment = queries.annulment(db, motion.id)
    assert annulment is not None
    assert (annulment.ground, annulment.annulled_by) == ("问题表述有误", session.people["chair"])


def test_a_recusal_annuls_the_open_motion_and_it_is_put_again_on_a_new_roll(session: World) -> None:
    motion = open_sealed(session)
    cast_all(session, motion, dict.fromkeys(VOTERS, "approve"))
    session.act(committees.recuse, "luo", seat_id=session.seats["luo"], ground="interest", statement="亲属任职")
    assert (reread(session, motion).state, key_file(session, motion).exists()) == (MotionState.ANNULLED, False)
    assert [e["ground"] for e in events(session, "votes.motion_annulled")] == ["recusal"]
    again = session.act(actions.repeat, "chair", motion_id=motion.id)
    assert (again.repeats, again.question, again.number) == (motion.id, motion.question, motion.number + 1)
    opened(session, again)
    (_, event) = events(session, "votes.motion_opened")
    assert (event["repeats"], event["entitled"]) == (motion.id, 6)
    with pytest.raises(Forbidden):
        session.act(actions.cast_sealed, "luo", motion_id=again.id, choice="approve")


def test_a_recusal_leaves_closed_motions_alone(session: World) -> None:
    motion = facts(session)[0]
    voted(session, motion, *["established"] * 9, by=EVERYBODY)
    session.act(committees.recuse, "luo", seat_id=session.seats["luo"], ground="interest", statement="亲属任职")
    assert reread(session, motion).state is MotionState.CLOSED


def test_a_closed_motion_is_not_annulled(session: World) -> None:
    motion = open_fact(session)
    closed(session, motion)
    said = refusal(session, actions.annul, "chair", motion_id=motion.id, ground="改主意")
    assert said == "This motion is closed. Its result stands."


def test_annulling_needs_a_ground(session: World) -> None:
    motion = open_fact(session)
    said = refusal(session, actions.annul, "chair", motion_id=motion.id, ground="")
    assert said == "Give the ground: it is put on the record."


def test_a_near_tie_is_put_off_and_voted_on_once_more(session: World) -> None:
    tie = ("approve", "approve", "approve", "disapprove", "disapprove", "disapprove", "abstain")
    motion = disposition(session)
    assert voted(session, motion, *tie).carried == "deferred"
    again = session.act(actions.repeat, "chair", motion_id=motion.id)
    assert voted(session, again, *tie).carried == "deferred"
    said = refusal(session, actions.repeat, "chair", motion_id=again.id)
    assert said == "The vote was held again and was nearly equal again. The deciding authority rules on it."
    said = refusal(session, actions.repeat, "chair", motion_id=motion.id)
    assert said == "This motion has been put on the list again already."


def test_a_decided_motion_is_not_repeated(session: World) -> None:
    motion = disposition(session)
    voted(session, motion, *["disapprove"] * 5, "approve", "approve")
    said = refusal(session, actions.repeat, "chair", motion_id=motion.id)
    assert said == "Only a motion that ended without a result is put again."


# Announcing


def test_results_are_announced_all_at_once(session: World) -> None:
    first, second = facts(session)
    voted(session, first, *["established"] * 9, by=EVERYBODY)
    to_phase(session, Phase.SUMMING_UP)
    announced = session.act(actions.announce, "chair", hearing_id=session.hearing_id)
    assert [m.id for m in announced] == [first.id]
    (event,) = events(session, "votes.result_announced")
    assert (event["motion"], event["closed"]) == (first.id, False)
    assert (reread(session, first).announced_at is None, reread(session, second).announced_at) == (False, None)
    assert session.act(actions.announce, "chair", hearing_id=session.hearing_id) == []


def test_a_roll_never_changes(session: World) -> None:
    motion = open_fact(session)
    closed(session, motion)
    with session.db() as db:
        before = db.exec(select(RollEntry)).all()
    session.act(committees.recuse, "luo", seat_id=session.seats["luo"], ground="interest", statement="亲属任职")
    with session.db() as db:
        assert db.exec(select(RollEntry)).all() == before


# The sweep


def test_the_sweep_finishes_a_closing_that_a_crash_cut_short(session: World, monkeypatch: pytest.MonkeyPatch) -> None:
    motion = open_sealed(session)
    cast_all(session, motion, dict.fromkeys(VOTERS, "approve"))
    with monkeypatch.context() as crash:
        crash.setattr("panel.votes.actions.keys.destroy", lambda where, motion_id: None)
        closed(session, motion)
    assert key_file(session, motion).exists()
    assert session.work(actions.sweep) == [motion.id]
    assert not key_file(session, motion).exists()
    assert session.work(actions.sweep) == []


def test_the_sweep_leaves_the_key_of_an_open_motion_and_takes_strays(session: World) -> None:
    motion = open_sealed(session)
    stray = key_file(session, motion).with_name(f"{'0' * 32}.key")
    stray.write_bytes(b"x" * 32)
    assert session.work(actions.sweep) == ["0" * 32]
    assert (key_file(session, motion).exists(), stray.exists()) == (True, False)


def test_a_key_is_overwritten_before_it_is_removed(session: World) -> None:
    motion = open_sealed(session)
    path = key_file(session, motion)
    key = path.read_bytes()
    with path.open("rb") as held:
        session.act(actions.annul, "chair", motion_id=motion.id, ground="试")
        held.seek(0)
        assert (path.exists(), held.read() == key) == (False, False)


def test_a_key_that_cannot_be_destroyed_stops_nothing(
    session: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    motion = open_sealed(session)
    cast_all(session, motion, dict.fromkeys(VOTERS, "approve"))

    def broken(descriptor: int) -> None:
        raise OSError("disk is gone")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", broken)
        closed(session, motion)
    assert "could not be destroyed" in caplog.text
    assert session.work(actions.sweep) == [motion.id]
