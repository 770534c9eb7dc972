"""Who is behind a request: kept between commits, never staler than the last answered act."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import event
from sqlmodel import select

from panel.accounts import actions, queries
from panel.accounts.models import Person, SignInSession
from panel.core import clock, hooks
from panel.core.security import Actor
from tests.factories import World

IDLE = timedelta(minutes=30)


@pytest.fixture
def signed_in() -> queries.SignedIn:
    return queries.SignedIn(IDLE)


def later(monkeypatch: pytest.MonkeyPatch, passed: timedelta) -> None:
    """Let time pass."""
    now = clock.now() + passed
    monkeypatch.setattr(clock, "now", lambda: now)


def actor(world: World, signed_in: queries.SignedIn, cookie: str) -> Actor | None:
    with world.db() as db:
        return signed_in.actor_of(db, cookie)


def reads(world: World, ask: Callable[[], object]) -> int:
    """Count the statements that reading takes."""
    count = 0

    def counted(*_: object) -> None:
        nonlocal count
        count += 1

    event.listen(world.site.reading, "before_cursor_execute", counted)
    ask()
    event.remove(world.site.reading, "before_cursor_execute", counted)
    return count


def test_10_the_database_keeps_a_digest_only(world: World) -> None:
    cookie = world.sign_in("chair")
    with world.db() as db:
        kept = db.exec(select(SignInSession.reference_sha256)).all()
    assert kept == [queries.digest(cookie)]
    assert actor(world, queries.SignedIn(IDLE), kept[0]) is None


def test_a_cookie_says_who_and_with_what_standing(world: World, signed_in: queries.SignedIn) -> None:
    cookie = world.sign_in("chair")
    me = actor(world, signed_in, cookie)
    assert me is not None
    assert (me.person_id, me.name, me.session) == (world.people["chair"], "欧阳岚", queries.digest(cookie))
    assert me.standings == world.actor("chair").standings


@pytest.mark.parametrize("cookie", ["", "x", "0" * 64, "字" * 500])
def test_an_unknown_cookie_is_nobody(world: World, signed_in: queries.SignedIn, cookie: str) -> None:
    assert actor(world, signed_in, cookie) is None


def test_between_commits_nothing_is_read_again(world: World, signed_in: queries.SignedIn) -> None:
    cookie = world.sign_in("chair")
    first = reads(world, lambda: actor(world, signed_in, cookie))
    again = reads(world, lambda: actor(world, signed_in, cookie))
    assert (first > 0, again) == (True, 0)


def test_an_act_that_touches_people_is_seen_as_soon_as_it_is_answered(
    world: World, signed_in: queries.SignedIn
) -> None:
    cookie = world.sign_in("chair")
    assert actor(world, signed_in, cookie) is not None
    world.act(actions.choose_locale, "chair", locale="en")
    me = actor(world, signed_in, cookie)
    assert me is not None
    assert me.locale == "en"


@pytest.mark.parametrize(
    ("kind", "stale"),
    [
        ("accounts.person_added", True),
        ("cases.person_assigned", True),
        ("committees.seat_recused", True),
        ("committees.alternate_seated", True),
        ("hearings.floor_given", False),
        ("votes.ballot_cast", False),
    ],
)
def test_only_events_that_may_change_a_standing_make_actors_stale(kind: str, stale: bool) -> None:
    before = queries.generation()
    hooks.recorded(kind, None, 0)
    assert (queries.generation() > before) is stale


def test_what_was_read_before_a_commit_is_not_kept_after_it(
    world: World, signed_in: queries.SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader begins, an act commits meanwhile, the reader stores what it had read: it must not be served again."""
    from panel.core import security

    cookie, standings_of = world.sign_in("chair"), security.standings_of

    def while_somebody_commits(db: object, person_id: str) -> object:
        read = standings_of(db, person_id)  # type: ignore[arg-type]  # passed on as it came
        monkeypatch.undo()
        world.act(actions.choose_locale, "chair", locale="en")
        return read

    monkeypatch.setattr(security, "standings_of", while_somebody_commits)
    before = actor(world, signed_in, cookie)
    after = actor(world, signed_in, cookie)
    assert before is not None
    assert after is not None
    assert (before.locale, after.locale) == ("", "en")


def test_11_a_session_ends_when_it_is_idle(
    world: World, signed_in: queries.SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    later(monkeypatch, timedelta())
    cookie = world.sign_in("chair")
    later(monkeypatch, IDLE)
    assert actor(world, signed_in, cookie) is not None
    later(monkeypatch, IDLE)
    assert actor(world, signed_in, cookie) is not None
    later(monkeypatch, IDLE + timedelta(seconds=1))
    assert actor(world, signed_in, cookie) is None
    assert actor(world, signed_in, cookie) is None


def test_11_a_session_ends_after_twelve_hours_however_busy(
    world: World, signed_in: queries.SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie, alive = world.sign_in("chair"), 0
    for _ in range(100):
        later(monkeypatch, timedelta(minutes=10))
        alive += actor(world, signed_in, cookie) is not None
    assert alive == 71


def test_11_a_hearing_page_keeps_its_session_alive(
    world: World, signed_in: queries.SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = world.sign_in("chair")
    assert actor(world, signed_in, cookie) is not None
    for _ in range(4):
        later(monkeypatch, timedelta(minutes=20))
        assert actor(world, signed_in, cookie) is not None


def test_18_reading_writes_nothing_and_a_timer_keeps_when_a_session_was_used(
    world: World, signed_in: queries.SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = world.sign_in("chair")
    began = seen_at(world, cookie)
    later(monkeypatch, timedelta(minutes=5))
    assert actor(world, signed_in, cookie) is not None
    assert seen_at(world, cookie) == began
    world.work(lambda work: actions.keep_seen(work, None, seen=signed_in.seen(), idle=IDLE))
    assert seen_at(world, cookie) == clock.now()


def seen_at(world: World, cookie: str) -> datetime:
    with world.db() as db:
        return db.get_one(SignInSession, queries.digest(cookie)).seen_at


def test_a_restarted_process_knows_sessions_by_what_the_timer_kept(
    world: World, signed_in: queries.SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = world.sign_in("chair")
    later(monkeypatch, timedelta(minutes=25))
    assert actor(world, signed_in, cookie) is not None
    world.work(lambda work: actions.keep_seen(work, None, seen=signed_in.seen(), idle=IDLE))
    later(monkeypatch, timedelta(minutes=25))
    assert actor(world, queries.SignedIn(IDLE), cookie) is not None


def test_taken_places_are_those_of_people_not_of_the_simulation(world: World) -> None:
    for who, simulated in (("luo", False), ("qin", True)):
        taking = partial(
            actions.sign_in, actor=None, person_id=world.people[who], reference=who, device="", hours=1,
            simulated=simulated,
        )  # fmt: skip
        world.work(taking)
    with world.db() as db:
        assert queries.taken_logins(db, clock.now()) == {"luo"}


def test_people_are_found_by_their_login_exactly(world: World) -> None:
    with world.db() as db:
        found = [queries.person_by_login(db, login) for login in ("chair", "CHAIR", "", "chair ")]
    assert [someone and someone.id for someone in found] == [world.people["chair"], None, None, None]
    assert all(isinstance(someone, Person) for someone in found if someone)
