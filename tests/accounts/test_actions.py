"""Accounts and sign-in sessions: what is written, what is recorded, whose sockets end."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import col, select

from panel.accounts import actions, passwords, queries
from panel.accounts.models import Person, SignInSession
from panel.core import hooks
from panel.core.errors import NotFound, Reason, Refused
from panel.core.security import Actor
from panel.record.models import RecordEntry
from panel.work import Work
from tests.factories import World

PASSWORD = "一句只有我自己才知道的话"


@pytest.fixture
def ended() -> Iterator[list[str]]:
    """The sessions whose sockets were ended."""
    sessions: list[str] = []
    hooks.END_SESSION_SOCKETS.append(sessions.append)
    yield sessions
    hooks.END_SESSION_SOCKETS.remove(sessions.append)


def sign_in(world: World, who: str, reference: str, *, simulated: bool = False) -> None:
    world.work(
        lambda work: actions.sign_in(
            work, None, person_id=world.people[who], reference=reference, device="Firefox · Linux", hours=12,
            simulated=simulated,
        )
    )  # fmt: skip


def sessions_of(world: World, who: str) -> list[str]:
    with world.db() as db:
        rows = db.exec(select(SignInSession).where(SignInSession.person_id == world.people[who])).all()
    return sorted(row.reference_sha256 for row in rows)


def digests(*references: str) -> list[str]:
    return sorted(queries.digest(reference) for reference in references)


def recorded(world: World) -> list[str]:
    with world.db() as db:
        kinds = db.exec(select(RecordEntry.kind).order_by(col(RecordEntry.index))).all()
    return [kind for kind in kinds if kind.startswith("accounts.")]


def test_an_account_is_made_and_recorded(world: World) -> None:
    made = world.act(actions.add_person, "secretary", name=" 谢\u200b 安 ", login="xie", password=PASSWORD)
    with world.db() as db:
        person = db.get_one(Person, made.id)
    assert (person.name, person.login, person.fictional) == ("谢 安", "xie", False)
    assert passwords._holds(person.password_hash, PASSWORD)
    assert recorded(world) == ["accounts.person_added"]


def test_one_hash_may_serve_the_people_of_a_demo(world: World) -> None:
    kept = passwords.hashed(PASSWORD)
    made = [
        world.act(actions.add_person, "secretary", name="某人", login=login, password_hash=kept, fictional=True)
        for login in ("one", "two")
    ]
    assert [person.password_hash for person in made] == [kept, kept]


@pytest.mark.parametrize(
    ("name", "login", "password", "reason"),
    [
        ("某人", "chair", PASSWORD, Reason("Somebody else signs in with this name already.")),
        ("某人", "new", "short", Reason("A password has at least %(n)s characters.", n=12)),
        ("", "new", PASSWORD, Reason("Please fill this in.")),
        ("某人", "two words", PASSWORD, Reason("A name to sign in with has no spaces.")),
    ],
)
def test_a_bad_account_is_refused_whole(world: World, name: str, login: str, password: str, reason: Reason) -> None:
    with pytest.raises(Refused) as refused:
        world.act(actions.add_person, "secretary", name=name, login=login, password=password)
    assert (refused.value.reason, recorded(world)) == (reason, [])


def test_10_a_sign_in_is_kept_by_its_digest_and_off_the_record(world: World) -> None:
    sign_in(world, "chair", "a new reference")
    assert (sessions_of(world, "chair"), recorded(world)) == (digests("a new reference"), [])


def test_10_signing_in_again_ends_the_session_that_this_browser_had(world: World, ended: list[str]) -> None:
    sign_in(world, "chair", "chair")
    old = signed(world, "chair", "chair")
    world.work(
        lambda work: actions.sign_in(
            work, old, person_id=world.people["luo"], reference="luo", device="", hours=12
        )
    )  # fmt: skip
    assert (sessions_of(world, "chair"), sessions_of(world, "luo")) == ([], digests("luo"))
    assert ended == digests("chair")


def test_a_person_who_sits_down_ends_their_simulation_at_once(world: World, ended: list[str]) -> None:
    sign_in(world, "luo", "simulated", simulated=True)
    sign_in(world, "luo", "by hand")
    assert (sessions_of(world, "luo"), ended) == (digests("by hand"), digests("simulated"))


def test_the_simulation_does_not_take_a_seat_that_a_person_has(world: World) -> None:
    sign_in(world, "luo", "by hand")
    with pytest.raises(Refused) as refused:
        sign_in(world, "luo", "simulated", simulated=True)
    assert refused.value.reason == Reason("A person has taken this seat.")
    assert sessions_of(world, "luo") == digests("by hand")


def test_12_signing_out_ends_this_session_and_its_sockets_only(world: World, ended: list[str]) -> None:
    for reference in ("one", "two"):
        sign_in(world, "chair", reference)
    actor = signed(world, "chair", "one")
    world.work(lambda work: actions.sign_out(work, actor))
    world.work(lambda work: actions.sign_out(work, actor))
    assert (sessions_of(world, "chair"), ended) == (digests("two"), digests("one"))


def signed(world: World, who: str, reference: str) -> Actor:
    return Actor(world.people[who], who, session=queries.digest(reference))


def test_13_one_ends_another_device_of_ones_own(world: World, ended: list[str]) -> None:
    for reference in ("here", "phone"):
        sign_in(world, "chair", reference)
    actor = signed(world, "chair", "here")
    world.work(lambda work: actions.end_session(work, actor, reference_sha256=queries.digest("phone")))
    assert (sessions_of(world, "chair"), ended) == (digests("here"), digests("phone"))
    assert recorded(world) == ["accounts.sessions_ended"]


@pytest.mark.parametrize("reference", ["of luo", "of nobody"])
def test_24_somebody_elses_device_is_no_device(world: World, ended: list[str], reference: str) -> None:
    sign_in(world, "luo", "of luo")
    actor = signed(world, "chair", "here")
    with pytest.raises(NotFound):
        world.work(lambda work: actions.end_session(work, actor, reference_sha256=queries.digest(reference)))
    assert (sessions_of(world, "luo"), ended, recorded(world)) == (digests("of luo"), [], [])


def test_13_one_ends_all_others(world: World, ended: list[str]) -> None:
    for reference in ("here", "phone", "tablet"):
        sign_in(world, "chair", reference)
    sign_in(world, "luo", "of luo")
    actor = signed(world, "chair", "here")
    assert world.work(lambda work: actions.end_other_sessions(work, actor)) == 2
    assert (sessions_of(world, "chair"), sessions_of(world, "luo")) == (digests("here"), digests("of luo"))
    assert sorted(ended) == digests("phone", "tablet")


def test_13_an_administrator_ends_every_session_of_somebody(world: World, ended: list[str]) -> None:
    for reference in ("here", "phone"):
        sign_in(world, "chair", reference)
    assert world.act(actions.end_sessions_of, "secretary", person_id=world.people["chair"]) == 2
    assert (sessions_of(world, "chair"), sorted(ended)) == ([], digests("here", "phone"))
    assert recorded(world) == ["accounts.sessions_ended"]


def test_12_a_new_password_ends_every_session_and_begins_one(world: World, ended: list[str]) -> None:
    for reference in ("here", "phone"):
        sign_in(world, "chair", reference)
    actor = signed(world, "chair", "here")
    world.work(
        lambda work: actions.change_password(
            work, actor, password_hash="a new hash", reference="new", device="", hours=12
        )
    )  # fmt: skip
    with world.db() as db:
        assert db.get_one(Person, world.people["chair"]).password_hash == "a new hash"
    assert (sessions_of(world, "chair"), sorted(ended)) == (digests("new"), digests("here", "phone"))
    assert recorded(world) == ["accounts.password_changed"]


def test_a_refused_act_ends_no_sockets(world: World, ended: list[str]) -> None:
    sign_in(world, "chair", "here")

    def refuse(work: Work) -> None:
        actions.end_sessions_of(work, None, person_id=world.people["chair"])
        raise Refused(Reason("No."))

    with pytest.raises(Refused):
        world.work(refuse)
    assert (sessions_of(world, "chair"), ended) == (digests("here"), [])


def test_ended_sessions_are_swept_away(world: World) -> None:
    sign_in(world, "chair", "fresh")
    sign_in(world, "luo", "forgotten")
    world.work(lambda work: age(work, queries.digest("forgotten"), timedelta(minutes=31)))
    world.work(lambda work: actions.keep_seen(work, None, seen={}, idle=timedelta(minutes=30)))
    assert (sessions_of(world, "chair"), sessions_of(world, "luo")) == (digests("fresh"), [])


def age(work: Work, reference_sha256: str, by: timedelta) -> None:
    work.db.get_one(SignInSession, reference_sha256).seen_at -= by


def test_letter_size_and_language_are_kept_with_the_account(world: World) -> None:
    world.act(actions.choose_display, "chair", large=True)
    world.act(actions.choose_locale, "chair", locale="en")
    with world.db() as db:
        person = db.get_one(Person, world.people["chair"])
    assert (person.large, person.locale) == (True, "en")
