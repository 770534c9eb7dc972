"""The pages of a draw: how the panel comes about, a contributor's own page, an offered seat."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from panel.cases import queries as cases
from panel.cases.models import Case
from panel.committees import queries as committees
from panel.committees.live import NAMED
from panel.core import words
from panel.core.errors import NotFound
from panel.core.forms import Form
from panel.core.hooks import Leaf
from panel.core.pages import Acting, Reading, act, page
from panel.core.security import may
from panel.draws import actions, queries, rules
from panel.draws.draw import ticket
from panel.draws.forms import CommitmentForm, DrawForm, FormingForm, OfferForm, SecretOfDrawForm, VoidForm
from panel.draws.models import Contributor, Draw, DrawState, SeatOffer
from panel.record import queries as record


@dataclass(frozen=True)
class Ticket:
    """A candidate as the draw shows them. `name` is empty for those who are not told names."""

    number: int
    id: str
    ticket: str
    name: str
    unit: str
    drawn: bool
    offer: SeatOffer | None


@page("draws.read", of=cases.case)
def show(reading: Reading, case: Case) -> Response:
    """How this case's panel comes about: before the draw its form, then each step."""
    db = reading.db
    every = queries.of_case(db, case.id)
    drawing = queries.current(db, case.id)
    formed = committees.committee_of(db, case.id)
    context: dict[str, Any] = {
        "case": case, "drawing": drawing, "formed": formed, "void": [d for d in every if d.state is DrawState.VOID],
        "prepares": may(reading.me, "draws.prepare", case), "named": reading.me.audience_in(case.id) in NAMED,
        "excluded": rules.EXCLUDED, "words": words,
    }  # fmt: skip
    if drawing is None:
        return reading.render("draws/prepare.html", **context, **(_choices(db, case, reading) if not formed else {}))
    given, offers = queries.contributions(db, drawing.id), queries.offers(db, drawing.id)
    newest = record.newest_checkpoint(db)
    people = [drawing.chair_id, drawing.scrutineer_id, *drawing.people.values()]
    names = cases.people_names(db, people) if context["named"] else {}
    return reading.render(
        "draws/draw.html", **context, given=given, contributors=list(Contributor), names=names,
        tickets=_tickets(drawing, offers, names) if drawing.seed else {},
        why_not_fix=rules.why_not_fix(drawing, list(given.values()), newest.size if newest else None),
        why_not_form=rules.why_not_form(drawing, drawing.terms["seats"], offers, formed=formed is not None),
        mine=queries.contributor(drawing, reading.me.person_id), seats=sum(drawing.terms["seats"].values()),
    )  # fmt: skip


def _choices(db: Session, case: Case, reading: Reading) -> dict[str, Any]:
    """Return who may take the chair, who may be the scrutineer, and the pool by category."""
    pool = queries.pool(db, case, "", reading.now, reading.site.zone)
    procedure = committees.procedure_rules(db, case.id)
    return {
        "procedure": procedure, "pool": pool, "witnesses": queries.witnesses(db, case.id),
        "chairs": [p for p in pool if not p.excluded and p.member.category.value in procedure.chair_categories],
    }  # fmt: skip


def _tickets(drawing: Draw, offers: Sequence[SeatOffer], names: dict[str, str]) -> dict[str, list[Ticket]]:
    """Return every candidate of each category in the order of their tickets."""
    offered = {offer.candidate: offer for offer in offers}
    found: dict[str, list[Ticket]] = {category: [] for category in drawing.terms["seats"]}
    members = {one for ids in drawing.drawn["members"].values() for one in ids}
    rows = sorted((ticket(drawing.seed, one["id"]), one) for one in drawing.candidates if one["category"] in found)
    for drawn_ticket, one in rows:
        row = found[one["category"]]
        name = names.get(drawing.people[one["id"]], "")
        row.append(
            Ticket(
                len(row) + 1, one["id"], drawn_ticket, name, one["unit"], one["id"] in members, offered.get(one["id"])
            )
        )
    return found


@act("draws.prepare", of=cases.case, form=DrawForm)
async def prepare(acting: Acting, case: Case, form: DrawForm) -> Response:
    """Fix terms and pool."""
    await acting.write(
        actions.prepare, case_id=case.id, chair_member=form.chair, chair_reason=form.chair_reason,
        scrutineer_id=form.scrutineer, zone=acting.site.zone,
    )  # fmt: skip
    return RedirectResponse(f"/cases/{case.id}/panel", status_code=303)


@act("draws.prepare", of=queries.draw)
async def fix(acting: Acting, drawing: Draw, form: Form) -> Response:
    """Fix the root."""
    await acting.write(actions.fix, draw_id=drawing.id)
    return RedirectResponse(f"/cases/{drawing.case_id}/panel", status_code=303)


@act("draws.prepare", of=queries.draw, form=VoidForm)
async def void(acting: Acting, drawing: Draw, form: VoidForm) -> Response:
    """Void a draw that was not held."""
    await acting.write(actions.void, draw_id=drawing.id, reason=form.reason)
    return RedirectResponse(f"/cases/{drawing.case_id}/panel", status_code=303)


@act("draws.prepare", of=queries.draw, form=FormingForm)
async def form_committee(acting: Acting, drawing: Draw, form: FormingForm) -> Response:
    """Form the committee of those who accepted."""
    await acting.write(actions.form, draw_id=drawing.id, name=form.name)
    return RedirectResponse(f"/cases/{drawing.case_id}", status_code=303)


@page("draws.contribute", of=queries.draw)
def contribution(reading: Reading, drawing: Draw) -> Response:
    """A contributor's own page: to commit themselves, and to reveal."""
    mine = queries.contributor(drawing, reading.me.person_id)
    if mine is None:
        raise NotFound
    return reading.render(
        "draws/contribution.html", drawing=drawing, mine=mine, case=cases.case(reading.db, drawing.case_id),
        given=queries.contributions(reading.db, drawing.id).get(mine),
    )  # fmt: skip


@act("draws.contribute", of=queries.draw, form=CommitmentForm)
async def commit(acting: Acting, drawing: Draw, form: CommitmentForm) -> Response:
    """Commit oneself."""
    await acting.write(actions.commit, draw_id=drawing.id, commitment=form.commitment)
    return RedirectResponse(f"/draws/{drawing.id}", status_code=303)


@act("draws.contribute", of=queries.draw, form=SecretOfDrawForm)
async def reveal(acting: Acting, drawing: Draw, form: SecretOfDrawForm) -> Response:
    """Reveal one's secret."""
    await acting.write(actions.reveal, draw_id=drawing.id, secret=form.secret)
    return RedirectResponse(f"/draws/{drawing.id}", status_code=303)


@page("draws.answer", of=queries.offer)
def show_offer(reading: Reading, offer: SeatOffer) -> Response:
    """An offered seat: what it is, and the undertaking that goes with it. Nothing of the case's files."""
    if offer.person_id != reading.me.person_id:
        raise NotFound
    composition = committees.procedure_rules(reading.db, offer.case_id).composition
    case = cases.case(reading.db, offer.case_id)
    return reading.render(
        "draws/offer.html", offer=offer, case=case, undertaking=composition.undertaking[reading.locale], words=words
    )


@act("draws.answer", of=queries.offer, form=OfferForm)
async def answer(acting: Acting, offer: SeatOffer, form: OfferForm) -> Response:
    """Take the seat, or decline it."""
    await acting.write(
        actions.answer, offer_id=offer.id, accepted=form.answer == "accept", undertakes=form.undertakes == "yes",
        reason=form.reason,
    )  # fmt: skip
    return RedirectResponse(f"/offers/{offer.id}", status_code=303)


def panel_leaf(reading: Any, case: Any) -> Leaf | None:
    """Put into the case's file how its panel comes about, as long as there is a draw or none is formed yet."""
    drawing, formed = queries.current(reading.db, case.id), committees.committee_of(reading.db, case.id)
    if drawing is None and formed is not None:
        return None
    if drawing is None and not may(reading.me, "draws.prepare", case):
        return None
    return Leaf("aside", "draws/_leaf.html", {"case": case, "drawing": drawing, "formed": formed})


def waiting_leaf(reading: Any) -> Leaf | None:
    """Put on top of somebody's cases what a draw waits for from them."""
    db, person_id = reading.db, reading.me.person_id
    waiting = [drawing for drawing in queries.contributing(db, person_id) if queries.awaits(db, drawing, person_id)]
    offers = queries.waiting_for(db, person_id)
    return Leaf("top", "draws/_waiting.html", {"draws": waiting, "offers": offers}) if waiting or offers else None


routes = [
    Route("/cases/{id}/panel", show, name="draws.show"),
    Route("/cases/{id}/draws", prepare, methods=["POST"], name="draws.prepare"),
    Route("/draws/{id}", contribution, name="draws.contribution"),
    Route("/draws/{id}/root", fix, methods=["POST"], name="draws.fix"),
    Route("/draws/{id}/voiding", void, methods=["POST"], name="draws.void"),
    Route("/draws/{id}/committee", form_committee, methods=["POST"], name="draws.form"),
    Route("/draws/{id}/commitment", commit, methods=["POST"], name="draws.commit"),
    Route("/draws/{id}/reveal", reveal, methods=["POST"], name="draws.reveal"),
    Route("/offers/{id}", show_offer, name="draws.offer"),
    Route("/offers/{id}/answer", answer, methods=["POST"], name="draws.answer"),
]
