"""Field level (requirement 23): words planted where only some may read them, looked for in all that anybody gets."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from panel.accounts.models import Person
from panel.cases.models import Case
from panel.committees import actions as committees
from panel.hearings import actions as hearings
from panel.hearings.models import Phase
from panel.opinions import actions as opinions
from panel.opinions.models import Round
from panel.votes import actions as votes
from panel.votes import queries
from panel.work import Work
from tests.contracts.walk import IN_THE_CASE, PEOPLE, Walk
from tests.factories import World, make_world
from tests.hearings import course
from tests.people import CAST

INSIDE = "CMSR"

READERS = {
    "canary-asked-in-the-open": IN_THE_CASE.replace("J", ""),
    "canary-noted-in-the-open": "CMSRHOPA",
    "canary-draft-of-luo": "M",
    "canary-opinion-of-chair": "C",
    "canary-note-in-closed-session": INSIDE,
    "canary-question-in-closed-session": INSIDE,
    "canary-answer-in-closed-session": INSIDE,
    "canary-secret-motion": INSIDE,
    "canary-reason-of-an-open-ballot": INSIDE,
    "canary-round-one-opinion": INSIDE,
    "canary-title-of-the-case": IN_THE_CASE + "Q",
    "canary-password-hash": "",
    "canary-recusal-statement": "",
}
"""What is planted, and who may find it while the session is closed. Letters: walk.PEOPLE."""


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[Walk]:
    """A hearing in closed session with a word planted in every field that not everybody reads."""
    world = make_world(tmp_path_factory.mktemp("planted"), template)
    hold(world)
    recuse(world)
    speak(world)
    motion_id = vote(world)
    yield Walk(world, motion_id, open_round=opine(world))
    world.close()


def hold(world: World) -> None:
    """Hold the hearing into its closed session; something is said in the open on the way."""

    def known(work: Work) -> None:
        for someone in CAST:
            work.db.get_one(Person, world.people[someone.key]).password_hash = "canary-password-hash"
        work.db.get_one(Case, world.case_id).title = "canary-title-of-the-case"

    world.work(known)
    round_ = world.act(opinions.open_round, "secretary", case_id=world.case_id, number=1)
    write(world, "luo", round_.id, "canary-round-one-opinion")
    give(world, "luo", round_.id)
    while course.step(world).phase is not Phase.PRESENTATION:
        course.come(world)
    here = {"hearing_id": world.hearing_id}
    while course.step(world).phase is not Phase.QUESTIONS:
        pass
    world.act(hearings.write_note, "recorder", **here, text="canary-noted-in-the-open")
    world.act(hearings.ask, "luo", **here, asked_of=world.people["official"], text="canary-asked-in-the-open")
    while course.step(world).phase is not Phase.OPINIONS:
        pass


def recuse(world: World) -> None:
    """Let a member stand aside for a reason that is nobody else's business."""
    why = {"ground": "near_relative", "statement": "canary-recusal-statement"}
    world.act(committees.recuse, "jiang", seat_id=world.seats["jiang"], **why)


def speak(world: World) -> None:
    """Say, ask and answer behind closed doors."""
    here = {"hearing_id": world.hearing_id}
    world.act(hearings.write_note, "recorder", **here, text="canary-note-in-closed-session")
    asked = world.act(
        hearings.ask, "luo", **here, asked_of=world.people["qin"], text="canary-question-in-closed-session"
    )
    world.act(hearings.answer, "qin", question_id=asked.id, text="canary-answer-in-closed-session")


def vote(world: World) -> str:
    """Vote on the facts with reasons, then open a secret ballot and cast one."""
    for who in course.EVERYBODY[:-1]:
        course.opine(world, who)
    course.step(world)
    with world.db() as db:
        facts = [motion.id for motion in queries.motions(db, world.hearing_id)]
    for motion_id in facts:
        world.act(votes.open_motion, "chair", motion_id=motion_id)
        world.act(
            votes.cast, "luo", motion_id=motion_id, choice="established", reason="canary-reason-of-an-open-ballot"
        )
        for who in ("qin", "qian", "meng", "shi", "feng", "duan", "chair"):
            world.act(votes.cast, who, motion_id=motion_id, choice="established")
        world.act(votes.close_motion, "chair", motion_id=motion_id)
    moved = {"kind": "disposition", "question": "canary-secret-motion", "outcome": "exempt"}
    motion = world.act(votes.move, "chair", hearing_id=world.hearing_id, **moved)
    world.act(votes.open_motion, "chair", motion_id=motion.id)
    world.act(votes.cast_sealed, "luo", motion_id=motion.id, choice="disapprove")
    return motion.id


def opine(world: World) -> str:
    """Open another round: one draft, one opinion that has been given."""
    round_ = world.work(lambda work: work.add(Round(case_id=world.case_id, number=3)).id)
    write(world, "luo", round_, "canary-draft-of-luo")
    write(world, "chair", round_, "canary-opinion-of-chair")
    give(world, "chair", round_)
    return round_


def write(world: World, who: str, round_id: str, word: str) -> None:
    said = {"value": 4, "reason": word, "exhibits": [1]}
    for step in course.KEYS:
        world.act(opinions.save_draft, who, round_id=round_id, step=step, said=said, revision=99)
    last = {"recommendation": "exempt", "reasons": word, "change": word}
    world.act(opinions.save_draft, who, round_id=round_id, step="overall", said=last, revision=99)


def give(world: World, who: str, round_id: str) -> None:
    world.act(opinions.submit, who, round_id=round_id)


def everything(walk: Walk, letter: str) -> str:
    """Return all that somebody can get: every page, every part of the live page, headers included."""
    answers = [walk.get(letter, path) for _, path in walk.visits("GET")]
    live = f"/hearings/{walk.world.hearing_id}/changes?since=-1&own=1"
    rounds = [f"/rounds/{walk.ids['rounds']}", f"/rounds/{walk.open_round}"]
    steps = [f"/rounds/{walk.open_round}/opinion?step={step}" for step in (*course.KEYS, "overall")]
    answers += [walk.get(letter, path) for path in (live, *rounds, *steps)]
    answers += [walk.get(letter, live, **{"hx-request": "true"})]
    return "".join(answer.text + repr(dict(answer.headers)) for answer in answers)


@pytest.mark.parametrize("letter", PEOPLE)
def test_23_everybody_finds_the_words_that_are_theirs_and_no_others(planted: Walk, letter: str) -> None:
    got = everything(planted, letter)
    found = {word for word in READERS if word in got}
    assert found == {word for word, readers in READERS.items() if letter in readers}


def test_23_every_word_was_planted(planted: Walk) -> None:
    """To prove a thing hidden, first create it."""
    raw = b"".join(path.read_bytes() for path in planted.world.folder.glob("panel.sqlite*"))
    assert {word for word in READERS if word.encode() not in raw} == set()


def test_38_no_word_of_it_reaches_the_logs(planted: Walk) -> None:
    with structlog.testing.capture_logs() as lines:
        for letter in "CMHX-":
            everything(planted, letter)
            for _, path in planted.visits("POST"):
                planted.post(letter, path, {"matrix": "canary-sent", "choice": "canary-choice"})
    assert len(lines) > 100
    assert {word for word in (*READERS, "canary-sent", "canary-choice") if word in repr(lines)} == set()
    assert [line for line in lines if planted.client("M").cookies["pv_session"] in repr(line)] == []


def test_23_no_cookie_digest_or_secret_is_ever_shown(planted: Walk) -> None:
    for letter in "CMSA":
        client = planted.client(letter)
        got = everything(planted, letter)
        assert client.cookies["pv_session"] not in got
        assert planted.world.site.settings.secret.get_secret_value() not in got
