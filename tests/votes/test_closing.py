"""Sealed ballots, closing, annulling, announcing: as acts, with what each leaves behind."""

import os

import pytest
from sqlmodel import func, select

from panel.committees import actions as committees
from panel.core.errors import Forbidden, Refused
from panel.hearings.models import Phase
from panel.votes import actions, queries, tally
from panel.votes.models import Ballot, MotionState, Participation, RollEntry, SealedBallot
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
