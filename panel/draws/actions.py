"""Writes: preparing a draw, committing, fixing the root, revealing, voiding; offering seats and forming the panel."""

from collections import Counter
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, select

from panel.cases.models import Case
from panel.committees import actions as committee_actions
from panel.committees import queries as committees
from panel.committees.models import Category, Committee, RosterMember
from panel.committees.rules import Member
from panel.core import security
from panel.core.errors import NotFound, require
from panel.core.ids import new_id
from panel.core.security import Actor, Role
from panel.draws import draw as drawing_of
from panel.draws import queries, rules
from panel.draws.events import (
    ContributionCommitted,
    ContributionRevealed,
    DrawFixed,
    DrawHeld,
    DrawPrepared,
    DrawVoided,
    OfferAnswered,
    SeatOffered,
)
from panel.draws.models import Contribution, Contributor, Draw, DrawState, OfferState, SeatOffer
from panel.record import queries as record
from panel.work import Work


def prepare(
    work: Work, actor: Actor, *, case_id: str, chair_member: str, chair_reason: str, scrutineer_id: str, zone: ZoneInfo
) -> Draw:
    """Fix terms and pool of a draw, and whose secrets make its seed. The chair is designated from the pool.

    `zone`: where the year begins, and the days of the pool's terms.
    """
    case = work.db.exec(select(Case).where(Case.id == case_id).with_for_update()).one()
    before = queries.of_case(work.db, case_id)
    formed = committees.committee_of(work.db, case_id) is not None
    require(rules.why_not_prepare(before, formed=formed, chair_reason=chair_reason))
    chair = _chair(work, case, chair_member, zone)
    role = _role(work.db, scrutineer_id, case_id)
    require(rules.why_not_contributors(chair.person_id, scrutineer_id, actor.person_id, role))
    pooled = queries.pool(work.db, case, chair.person_id, work.now, zone)
    can = [one for one in pooled if not one.excluded]
    ids, units = {one.member.id: new_id() for one in can}, _codes([chair.unit, *(one.member.unit for one in can)])
    candidates = sorted(
        (
            {"id": ids[one.member.id], "category": one.member.category.value, "unit": units[one.member.unit]}
            for one in can
        ),
        key=lambda one: one["id"],
    )
    composition = committees.procedure_rules(work.db, case_id).composition
    held = {units[chair.unit]: 1} if chair.unit else {}
    terms = {
        "seats": queries.seats_to_draw(work.db, case_id, chair.category.value),
        "per_unit": composition.per_unit, "held": held,
    }  # fmt: skip
    made = Draw(
        case_id=case_id, number=len(before) + 1, chair_id=chair.person_id, chair_category=chair.category,
        chair_reason=chair_reason.strip(), scrutineer_id=scrutineer_id, terms=terms, candidates=candidates,
        people={ids[one.member.id]: one.person.id for one in can},
    )  # fmt: skip
    require(rules.why_not_drawn(drawing_of.why_impossible(queries.candidates_of(made), queries.terms_of(made))))
    work.add(made)
    work.record(
        DrawPrepared(
            **_where(made, actor), draw=made.id, number=made.number, terms=terms, candidates=candidates,
            excluded=dict(sorted(Counter(one.excluded for one in pooled if one.excluded).items())),
            chair_category=made.chair_category.value, chair_id=made.chair_id, chair_reason=made.chair_reason,
            scrutineer_id=scrutineer_id, people=made.people,
        )
    )  # fmt: skip
    return made


def _chair(work: Work, case: Case, member_id: str, zone: ZoneInfo) -> RosterMember:
    pooled = {one.member.id: one for one in queries.pool(work.db, case, "", work.now, zone)}
    if member_id not in pooled:
        raise NotFound
    categories = committees.procedure_rules(work.db, case.id).chair_categories
    require(rules.why_not_chair(pooled[member_id].member.category, categories, pooled[member_id].excluded))
    return pooled[member_id].member


def _codes(units: list[str]) -> dict[str, str]:
    """Return a code for each unit, in no order that tells of it; none for those who are of no unit."""
    named = sorted({unit for unit in units if unit}, key=lambda _: new_id())
    return {"": "", **{unit: f"u{number}" for number, unit in enumerate(named, start=1)}}


def _role(db: Session, person_id: str, case_id: str) -> Role | None:
    standing = security.standings_of(db, person_id).get(case_id)
    return standing.role if standing else None


def commit(work: Work, actor: Actor, *, draw_id: str, commitment: str) -> Contribution:
    """Commit oneself to a secret that stays in one's own browser."""
    drawing, mine = _mine(work, actor, draw_id)
    require(rules.why_not_commit(drawing, queries.contributions(work.db, draw_id), mine, commitment))
    made = work.add(Contribution(draw_id=draw_id, contributor=mine, commitment=commitment))
    made.entry = work.record(
        ContributionCommitted(**_where(drawing, actor), draw=draw_id, contributor=mine, commitment=commitment)
    )
    return made


def fix(work: Work, actor: Actor, *, draw_id: str) -> Draw:
    """Fix the newest signed root of the record for the seed: nobody could know it when they committed themselves."""
    drawing = queries.draw_for_update(work.db, draw_id)
    newest = record.newest_checkpoint(work.db)
    given = list(queries.contributions(work.db, draw_id).values())
    require(rules.why_not_fix(drawing, given, newest.size if newest else None))
    assert newest is not None
    drawing.state, drawing.size, drawing.root = DrawState.FIXED, newest.size, newest.root.hex()
    work.record(
        DrawFixed(**_where(drawing, actor), draw=draw_id, size=newest.size, root=drawing.root, note=newest.note)
    )
    return drawing


def reveal(work: Work, actor: Actor, *, draw_id: str, secret: str) -> Draw:
    """Reveal one's secret; with the last one the draw is held, and the seats are offered to whoever was drawn."""
    drawing, mine = _mine(work, actor, draw_id)
    given = queries.contributions(work.db, draw_id)
    require(rules.why_not_reveal(drawing, given.get(mine), secret))
    given[mine].secret = secret
    work.record(ContributionRevealed(**_where(drawing, actor), draw=draw_id, contributor=mine))
    if all(one.secret for one in given.values()):
        _hold(work, actor, drawing, [one.secret for one in given.values()])
    return drawing


def _hold(work: Work, actor: Actor, drawing: Draw, secrets: list[str]) -> None:
    seed = drawing_of.seed_of(drawing.id, drawing.root, secrets)
    drawn = drawing_of.hold(queries.candidates_of(drawing), queries.terms_of(drawing), seed)
    members, alternates = ({c: list(ids) for c, ids in each.items()} for each in (drawn.members, drawn.alternates))
    drawing.state, drawing.seed, drawing.ended_at = DrawState.HELD, seed, work.now
    drawing.drawn = {"members": members, "alternates": alternates}
    work.record(
        DrawHeld(
            **_where(drawing, actor), draw=drawing.id, secrets=secrets, seed=seed, members=members,
            alternates=alternates,
        )
    )  # fmt: skip
    seats = [(category, candidate) for category, ids in members.items() for candidate in ids]
    for number, (category, candidate) in enumerate(seats, start=1):
        _offer(work, actor, drawing, number, category, candidate)


def void(work: Work, actor: Actor, *, draw_id: str, reason: str) -> Draw:
    """Void a draw that was not held: a reveal is missing, or the pool was wrong. Another one begins anew."""
    drawing = queries.draw_for_update(work.db, draw_id)
    require(rules.why_not_void(drawing, reason))
    given = queries.contributions(work.db, draw_id)
    missing = [c.value for c in Contributor if c not in given or not given[c].secret]
    drawing.state, drawing.void_reason, drawing.ended_at = DrawState.VOID, reason.strip(), work.now
    work.record(DrawVoided(**_where(drawing, actor), draw=draw_id, missing=missing, reason=drawing.void_reason))
    return drawing


def _offer(work: Work, actor: Actor, drawing: Draw, number: int, category: str, candidate: str) -> SeatOffer:
    made = work.add(
        SeatOffer(
            draw_id=drawing.id, case_id=drawing.case_id, person_id=drawing.people[candidate], number=number,
            candidate=candidate, category=Category(category),
        )
    )  # fmt: skip
    work.record(SeatOffered(**_where(drawing, actor), draw=drawing.id, candidate=candidate, category=category))
    return made


def answer(
    work: Work, actor: Actor, *, offer_id: str, accepted: bool, undertakes: bool = False, reason: str = ""
) -> SeatOffer:
    """Take the seat that one was offered, or decline it: then it is offered to the next alternate of the category."""
    offer = queries.offer_for_update(work.db, offer_id)
    if offer.person_id != actor.person_id:
        raise NotFound
    require(rules.why_not_answer(offer, accepted=accepted, undertakes=undertakes, reason=reason))
    drawing = queries.draw_for_update(work.db, offer.draw_id)
    undertaking = committees.procedure_rules(work.db, offer.case_id).composition.undertaking
    offer.state = OfferState.ACCEPTED if accepted else OfferState.DECLINED
    offer.reason, offer.answered_at = "" if accepted else reason.strip(), work.now
    work.record(
        OfferAnswered(
            **_where(drawing, actor), draw=drawing.id, candidate=offer.candidate, accepted=accepted,
            reason=offer.reason, undertaking=str(undertaking) if accepted else "",
        )
    )  # fmt: skip
    if not accepted:
        work.db.flush()
        _go_on(work, actor, drawing, offer.category.value)
    return offer


def _go_on(work: Work, actor: Actor, drawing: Draw, category: str) -> None:
    """Offer a seat that was declined to the next in the order of the draw; where there is nobody, it stays empty."""
    made = queries.offers(work.db, drawing.id)
    candidate = queries.next_in(drawing, category, made)
    if candidate is not None:
        _offer(work, actor, drawing, len(made) + 1, category, candidate)


def form(work: Work, actor: Actor, *, draw_id: str, name: str) -> Committee:
    """Form the committee of the chair and of those who accepted; the next of each category are its alternates."""
    drawing = queries.draw_for_update(work.db, draw_id)
    offers = queries.offers(work.db, draw_id)
    formed = committees.committee_of(work.db, drawing.case_id) is not None
    require(rules.why_not_form(drawing, drawing.terms["seats"], offers, formed=formed))
    return committee_actions.form_committee(
        work, actor, case_id=drawing.case_id, name=name, members=members(work.db, drawing, offers)
    )


def members(db: Session, drawing: Draw, offers: Any) -> list[Member]:
    """Return chair, members and alternates of a draw, in the order of the categories and of the draw."""
    units = {member.person_id: member.unit for member, _ in committees.roster(db)}

    def one(person_id: str, category: str, **more: bool) -> Member:
        return Member(person_id, Category(category), units.get(person_id, ""), **more)

    found = [one(drawing.chair_id, drawing.chair_category, chair=True)]
    asked = {offer.candidate for offer in offers}
    each = committees.procedure_rules(db, drawing.case_id).composition.alternates_each
    for category in drawing.terms["seats"]:
        taken = [offer for offer in offers if offer.category.value == category and offer.state is OfferState.ACCEPTED]
        found += [one(offer.person_id, category) for offer in taken]
        rest = [candidate for candidate in drawing.drawn["alternates"][category] if candidate not in asked]
        found += [one(drawing.people[candidate], category, alternate=True) for candidate in rest[:each]]
    return found


def _mine(work: Work, actor: Actor, draw_id: str) -> tuple[Draw, Contributor]:
    drawing = queries.draw_for_update(work.db, draw_id)
    mine = queries.contributor(drawing, actor.person_id)
    if mine is None:
        raise NotFound
    return drawing, mine


def _where(drawing: Draw, actor: Actor) -> dict[str, Any]:
    return {"case_id": drawing.case_id, "actor_id": actor.person_id}
