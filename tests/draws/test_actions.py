"""Drawing a panel by the acts: who may what when, what stands on the record, and what an alternate's turn is."""

import json
from collections.abc import Sequence
from datetime import date

import pytest
from sqlmodel import col, select

from panel.accounts.models import Person
from panel.cases.models import Case
from panel.committees.models import Category, Committee, RosterMember, Seat
from panel.core.errors import NotFound, Refused
from panel.draws import actions, queries
from panel.draws.draw import commitment, hold, seed_of
from panel.draws.models import Contributor, Draw, DrawState, OfferState, SeatOffer
from panel.record.models import RecordBody, RecordEntry
from panel.rulebook.models import RuleDocument
from panel.work import Work
from tests.draws.casting import POOL, drawn, fixed, prepared, secrets, sign
from tests.factories import World


def state(world: World, draw_id: str) -> DrawState:
    with world.db() as db:
        return db.get_one(Draw, draw_id).state


def kinds(world: World) -> list[str]:
    with world.db() as db:
        found = db.exec(select(RecordEntry.kind).order_by(col(RecordEntry.index))).all()
    return [kind for kind in found if kind.startswith("draws.")]


def test_a_panel_is_drawn_step_by_step_and_everything_stands_on_the_record(castless: World) -> None:
    world = castless
    draw_id = drawn(world)
    with world.db() as db:
        drawing = db.get_one(Draw, draw_id)
        offers = queries.offers(db, draw_id)
        assert (drawing.state, len(offers)) == (DrawState.HELD, 8)
        assert drawing.seed == seed_of(draw_id, drawing.root, list(secrets(draw_id).values()))
        again = hold(queries.candidates_of(drawing), queries.terms_of(drawing), drawing.seed)
        assert {c: list(ids) for c, ids in again.members.items()} == drawing.drawn["members"]
        assert [offer.candidate for offer in offers] == [one for ids in again.members.values() for one in ids]
    steps = ["draw_prepared", "contribution_committed", "contribution_committed", "draw_fixed"]
    steps += ["contribution_revealed", "contribution_revealed", "draw_held", *["seat_offered"] * 8]
    assert kinds(world) == [f"draws.{step}" for step in steps]


def test_the_public_part_names_nobody(castless: World) -> None:
    world = castless
    draw_id = drawn(world)
    with world.db() as db:
        drawing = db.get_one(Draw, draw_id)
        bodies = [json.loads(body.public) for body in db.exec(select(RecordBody)).all()]
        people = set(drawing.people.values()) | {drawing.chair_id, drawing.scrutineer_id}
        names = set(db.exec(select(Person.name)).all()) | {unit for *_, unit in POOL if unit}
    told = [body for body in bodies if body["kind"].startswith("draws.")]
    assert len(told) == 15
    text = json.dumps(told, ensure_ascii=False)
    assert [word for word in (*people, *names) if word in text] == []


def test_a_secret_is_told_to_nobody_before_both_are_revealed(castless: World) -> None:
    world = castless
    draw_id = fixed(world)
    mine = secrets(draw_id)[Contributor.CHAIR]
    world.act(actions.reveal, "chair", draw_id=draw_id, secret=mine)
    with world.db() as db:
        bodies = [body.public + body.private for body in db.exec(select(RecordBody)).all()]
    assert [body for body in bodies if mine in body] == []
    assert state(world, draw_id) is DrawState.FIXED


@pytest.mark.parametrize(
    ("who", "secret"),
    [("chair", "0" * 64), ("chair", "scrutineer"), ("observer", "chair"), ("chair", "x" * 64), ("chair", "")],
)
def test_what_was_not_committed_to_is_not_revealed(castless: World, who: str, secret: str) -> None:
    world = castless
    draw_id = fixed(world)
    typed = {one.value: text for one, text in secrets(draw_id).items()}.get(secret, secret)
    with pytest.raises(Refused, match="not what you committed"):
        world.act(actions.reveal, who, draw_id=draw_id, secret=typed)
    assert state(world, draw_id) is DrawState.FIXED


def test_nobody_else_contributes_and_nobody_twice_and_nothing_is_revealed_early(castless: World) -> None:
    world = castless
    draw_id = prepared(world)
    mine = secrets(draw_id)[Contributor.CHAIR]
    typed = commitment(draw_id, Contributor.CHAIR, mine)
    for who in ("secretary", "official", "luo"):
        with pytest.raises(NotFound):
            world.act(actions.commit, who, draw_id=draw_id, commitment=typed)
    world.act(actions.commit, "chair", draw_id=draw_id, commitment=typed)
    with pytest.raises(Refused, match="already"):
        world.act(actions.commit, "chair", draw_id=draw_id, commitment=typed)
    with pytest.raises(Refused, match="before the root is fixed"):
        world.act(actions.reveal, "chair", draw_id=draw_id, secret=mine)
    with pytest.raises(Refused, match="both"):
        world.act(actions.fix, "secretary", draw_id=draw_id)


def test_the_root_is_younger_than_both_commitments(castless: World) -> None:
    world = castless
    draw_id = prepared(world)
    sign(world)
    for who, contributor in (("chair", Contributor.CHAIR), ("observer", Contributor.SCRUTINEER)):
        typed = commitment(draw_id, contributor, secrets(draw_id)[contributor])
        world.act(actions.commit, who, draw_id=draw_id, commitment=typed)
        with pytest.raises(Refused):
            world.act(actions.fix, "secretary", draw_id=draw_id)
    sign(world)
    world.act(actions.fix, "secretary", draw_id=draw_id)
    with pytest.raises(Refused, match="once"):
        world.act(actions.fix, "secretary", draw_id=draw_id)


def test_a_missing_reveal_voids_the_draw_and_another_begins_with_another_pool(castless: World) -> None:
    world = castless
    draw_id = fixed(world)
    world.act(actions.reveal, "chair", draw_id=draw_id, secret=secrets(draw_id)[Contributor.CHAIR])
    with pytest.raises(Refused, match="already"):
        prepared(world)
    with pytest.raises(Refused):
        world.act(actions.void, "secretary", draw_id=draw_id, reason=" ")
    world.act(actions.void, "secretary", draw_id=draw_id, reason="监票人未在期限内公开。")
    with pytest.raises(Refused, match="before the root is fixed"):
        world.act(actions.reveal, "observer", draw_id=draw_id, secret=secrets(draw_id)[Contributor.SCRUTINEER])
    other = prepared(world)
    with world.db() as db:
        first, second = (db.get_one(Draw, one) for one in (draw_id, other))
    assert (first.state, second.number) == (DrawState.VOID, 2)
    assert not {one["id"] for one in first.candidates} & {one["id"] for one in second.candidates}


def test_a_draw_that_was_held_stands(castless: World) -> None:
    draw_id = drawn(castless)
    with pytest.raises(Refused, match="held or voided before"):
        castless.act(actions.void, "secretary", draw_id=draw_id, reason="结果不合适。")


def offers_of(world: World, draw_id: str) -> Sequence[SeatOffer]:
    with world.db() as db:
        return queries.offers(db, draw_id)


def login(world: World, person_id: str) -> str:
    with world.db() as db:
        return db.get_one(Person, person_id).login


def test_who_declines_is_followed_by_the_next_of_the_category(castless: World) -> None:
    world = castless
    draw_id = drawn(world)
    offer = next(one for one in offers_of(world, draw_id) if one.category is Category.EXPERT)
    who = login(world, offer.person_id)
    with pytest.raises(Refused, match="Say why"):
        world.act(actions.answer, who, offer_id=offer.id, accepted=False)
    world.act(actions.answer, who, offer_id=offer.id, accepted=False, reason="出差在外。")
    with world.db() as db:
        following = db.get_one(Draw, draw_id).drawn["alternates"]["expert"][0]
    assert offers_of(world, draw_id)[-1].candidate == following
    with pytest.raises(Refused, match="before"):
        world.act(actions.answer, who, offer_id=offer.id, accepted=True, undertakes=True)


def test_a_seat_is_taken_with_the_undertaking_and_by_nobody_else(castless: World) -> None:
    world = castless
    offer = offers_of(world, drawn(world))[0]
    with pytest.raises(Refused, match="confidential"):
        world.act(actions.answer, login(world, offer.person_id), offer_id=offer.id, accepted=True)
    with pytest.raises(NotFound):
        world.act(actions.answer, "secretary", offer_id=offer.id, accepted=True, undertakes=True)


def test_the_committee_is_formed_of_those_who_accepted_with_the_next_as_alternates(castless: World) -> None:
    world = castless
    draw_id = drawn(world)
    with pytest.raises(Refused, match="0 of 8"):
        world.act(actions.form, "secretary", draw_id=draw_id, name="评估委员会")
    while waiting := [one for one in offers_of(world, draw_id) if one.state is OfferState.OPEN]:
        for offer in waiting:
            world.act(actions.answer, login(world, offer.person_id), offer_id=offer.id, accepted=True, undertakes=True)
    world.act(actions.form, "secretary", draw_id=draw_id, name="评估委员会")
    with world.db() as db:
        seats = db.exec(select(Seat)).all()
        drawing = db.get_one(Draw, draw_id)
        sitting = {drawing.people[one] for ids in drawing.drawn["members"].values() for one in ids}
    assert {s.person_id for s in seats if not s.alternate} == {*sitting, drawing.chair_id}
    assert [s.person_id for s in seats if s.chair] == [drawing.chair_id]
    firsts = {drawing.people[ids[0]] for ids in drawing.drawn["alternates"].values() if ids}
    assert {s.person_id for s in seats if s.alternate} == firsts
    with pytest.raises(Refused, match="formed already"):
        world.act(actions.form, "secretary", draw_id=draw_id, name="评估委员会")


def test_whoever_has_a_part_in_the_case_is_not_drawn_and_the_record_says_how_many(castless: World) -> None:
    world = castless
    official = world.people["official"]
    world.work(lambda work: work.db.add(RosterMember(person_id=official, category=Category.EXPERT)))
    draw_id = prepared(world)
    with world.db() as db:
        assert official not in db.get_one(Draw, draw_id).people.values()
        (told,) = [json.loads(b.public) for b in db.exec(select(RecordBody)).all() if "draw_prepared" in b.public]
    assert told["excluded"] == {"part": 1}


def test_a_pool_that_is_too_small_is_named(castless: World) -> None:
    world = castless

    def without_media(work: Work) -> None:
        for member in work.db.exec(select(RosterMember).where(RosterMember.category == Category.MEDIA)).all():
            member.ended_at = work.now

    world.work(without_media)
    with pytest.raises(Refused, match="has 1 seats, and the pool has 0"):
        prepared(world)
    with world.db() as db:
        assert db.exec(select(Draw)).all() == []


def test_one_unit_has_no_more_than_the_rules_allow(castless: World) -> None:
    world = castless
    rules_of(world, per_unit=1)
    draw_id = drawn(world)
    with world.db() as db:
        drawing = db.get_one(Draw, draw_id)
        units = {one["id"]: one["unit"] for one in drawing.candidates}
    chosen = [units[one] for ids in drawing.drawn["members"].values() for one in ids if units[one]]
    assert len(chosen) == len(set(chosen)) > 0
    assert not set(chosen) & set(drawing.terms["held"])


def rules_of(world: World, **composition: int) -> None:
    """Change the rules of procedure that the case runs under."""

    def change(work: Work) -> None:
        document = work.db.get_one(RuleDocument, work.db.get_one(Case, world.case_id).rules_id)
        document.body = {**document.body, "composition": {**document.body["composition"], **composition}}

    world.work(change)


def test_who_served_as_often_as_allowed_is_not_drawn_this_year(castless: World) -> None:
    world = castless
    rules_of(world, cap_per_year=1)
    served = next(login for login, category, _ in POOL if category == "expert")

    def sat(work: Work) -> None:
        other = Case(
            **{
                **work.db.get_one(Case, world.case_id).model_dump(),
                "id": "f" * 32,
                "number": "2",
                "record_token": "t" * 32,
            }
        )
        work.db.add(other)
        work.db.flush()
        committee = Committee(case_id=other.id, name="x")
        work.db.add(committee)
        work.db.flush()
        work.db.add(
            Seat(
                committee_id=committee.id, case_id=other.id, person_id=world.people[served], number=1,
                category=Category.EXPERT, created_at=work.now,
            )
        )  # fmt: skip

    world.work(sat)
    draw_id = prepared(world)
    with world.db() as db:
        assert world.people[served] not in db.get_one(Draw, draw_id).people.values()


@pytest.mark.parametrize("change", [{"term_until": date(2020, 1, 1)}, {"away_until": date(2099, 1, 1)}])
def test_who_is_not_available_is_not_drawn(castless: World, change: dict[str, date]) -> None:
    world = castless
    person_id = world.people["meng"]

    def away(work: Work) -> None:
        member = work.db.exec(select(RosterMember).where(RosterMember.person_id == person_id)).one()
        for name, day in change.items():
            setattr(member, name, day)

    world.work(away)
    draw_id = prepared(world)
    with world.db() as db:
        assert person_id not in db.get_one(Draw, draw_id).people.values()


@pytest.mark.parametrize(
    ("scrutineer", "why"),
    [
        ("handler", "neither handles it"),
        ("secretary", "three people"),
        ("chair", "three people"),
        ("luo", "neither handles"),
    ],
)
def test_the_scrutineer_is_somebody_else_with_a_part_in_the_case(castless: World, scrutineer: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        prepared(castless, scrutineer=scrutineer)


def test_the_chair_needs_a_reason_and_comes_from_a_category_of_the_rules(castless: World) -> None:
    with pytest.raises(Refused, match="Say why this person"):
        prepared(castless, reason=" ")
    media = next(login for login, category, _ in POOL if category == "media")
    with pytest.raises(Refused, match="does not come from the category"):
        prepared(castless, chair=media)
