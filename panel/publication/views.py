"""The public's pages, and the secretary's on the way there."""

from fractions import Fraction
from typing import Any

from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from panel.cases import queries as cases
from panel.cases.models import Case
from panel.core import geometry, hooks, words
from panel.core.errors import NotFound
from panel.core.forms import Form
from panel.core.hooks import Leaf
from panel.core.pages import Acting, Reading, act, page
from panel.core.security import may
from panel.dissents import queries as dissents
from panel.dissents.models import Dissent
from panel.publication import actions, queries, rules
from panel.publication.forms import GistAnswerForm, GistForm, PublicationForm, WithdrawalForm
from panel.publication.models import Gist, Summary, SummaryState
from panel.record import queries as record
from panel.record.receipt import SUFFIX


def _shown(reading: Reading, body: dict[str, Any]) -> dict[str, Any]:
    """Return what the summary's text needs besides itself: the procedure line and each motion's picture."""
    steps = [
        {"title": reading.gettext(words.PHASES[p]), "state": "done", "closed": False, "time": ""}
        for p in body["procedure"]
    ]
    motions = [*body["facts"], *body["dispositions"]]
    drawn = {motion["number"]: _picture(reading, motion) for motion in motions}
    return {"body": body, "procedure": steps, "motion_pictures": drawn}


def _picture(reading: Reading, motion: dict[str, Any]) -> dict[str, Any] | None:
    if "counts" not in motion:
        return None
    counts = {option: motion["counts"].get(option, 0) for option in motion["options"]}
    gauge = geometry.gauge(
        counts={**counts, "not_cast": motion["not_cast"]},
        passing=motion["passing"],
        base=motion["base"],
        required=Fraction(motion["required"]),
        strict=motion["strict"],
    )
    labels = {option: reading.gettext(words.OPTIONS[option]) for option in motion["options"]}
    return {"gauge": gauge, "labels": labels}


@page("publication.start")
def start(reading: Reading) -> Response:
    """Lead on: to the hearing under way, to one's cases, or, who is not signed in, to what is public."""
    if reading.actor is None:
        return RedirectResponse("/public", status_code=303)
    return RedirectResponse(hooks.live_hearing(reading.db, reading.actor) or "/cases", status_code=303)


@page("publication.read_public", public=True)
def public_home(reading: Reading) -> Response:
    """List what has been published."""
    return reading.render("publication/home.html", summaries=queries.published(reading.db))


@page("publication.read_public", of=queries.by_slug, public=True)
def public_summary(reading: Reading, summary: Summary) -> Response:
    """Show a published summary, or the tombstone of a withdrawn one."""
    if summary.state is SummaryState.WITHDRAWN:
        return reading.render("publication/tombstone.html", status=410, summary=summary)
    return reading.render("publication/summary.html", summary=summary, **_shown(reading, summary.body))


@page("publication.read_public", of=queries.by_slug, public=True)
def summary_entry(reading: Reading, summary: Summary) -> Response:
    """Hand out the publication's entry on the record with its proof (C2SP tlog-proof)."""
    receipt = record.public_receipt(reading.db, summary.entry)
    if receipt is None:
        raise NotFound
    name = {"content-disposition": f'attachment; filename="heyi-{summary.entry}{SUFFIX}"'}
    return PlainTextResponse(str(receipt), headers=name)


@page("publication.read_public", public=True)
def how_to_verify(reading: Reading) -> Response:
    """Say how anybody checks a summary against the record."""
    return reading.render("publication/verify.html")


@page("publication.preview", of=cases.case)
def preview(reading: Reading, case: Case) -> Response:
    """Show the draft as the public will see it, and what stands in the way of the next step."""
    summary = queries.summary_of(reading.db, case.id)
    decided = queries.decision_of(reading.db, case.id) is not None
    return reading.render(
        "publication/preview.html",
        case=case,
        summary=summary,
        why_not_compose=rules.why_not_compose(decided, summary),
        gists=_gists(reading, case, summary) if may(reading.me, "publication.propose", case) else [],
        **(_shown(reading, summary.body) if summary else {}),
    )


def _gists(reading: Reading, case: Case, summary: Summary | None) -> list[dict[str, Any]]:
    """Return every dissent that stands, its newest short text, and why no other can be proposed now."""
    newest = queries.newest_gists(reading.db, case.id)
    late = rules.why_not_change(summary)

    def of(told: dissents.Told) -> dict[str, Any]:
        gist = newest.get(told.dissent.id)
        still_open = hooks.dissents_open(reading.db, told.dissent.hearing_id)
        return {
            "told": told,
            "gist": gist,
            "why_not": late or rules.why_not_propose(told.dissent, gist, still_open=still_open),
        }

    return [of(told) for told in dissents.told(reading.db, case.id) if told.dissent.withdrawn_at is None]


def summary_leaf(reading: Any, case: Case) -> Leaf | None:
    """Lead the secretary from a case's file to its public summary, once the minutes are settled."""
    filed = dissents.standing(reading.db, case.id)
    hearings = hooks.hearings_of_case(reading.db, case.id)
    open_still = not hearings or any(hooks.dissents_open(reading.db, hearing.id) for hearing in hearings)
    if open_still or not may(reading.actor, "publication.propose", case):
        return None
    newest = queries.newest_gists(reading.db, case.id)
    approved = sum(one.id in newest and newest[one.id].approved for one in filed)
    summary = queries.summary_of(reading.db, case.id)
    context = {"case": case, "dissents": len(filed), "approved": approved, "summary": summary}
    return Leaf("aside", "publication/_leaf.html", context)


def gist_leaf(reading: Any, case: Case) -> Leaf | None:
    """Put before the author of a dissent the short text that waits for their answer, until the summary is published."""
    seat_id = reading.me.seat_in(case.id)
    waiting = queries.waiting_for(reading.db, case.id, seat_id) if seat_id is not None else []
    if not waiting or rules.why_not_change(queries.summary_of(reading.db, case.id)) is not None:
        return None
    ids = {dissent.id: gist for dissent, gist in waiting}
    told = [(one, ids[one.dissent.id]) for one in dissents.told(reading.db, case.id) if one.dissent.id in ids]
    return Leaf("top", "publication/_gist.html", {"waiting": told})


@act("publication.propose", of=dissents.dissent, form=GistForm)
async def propose(acting: Acting, dissent: Dissent, form: GistForm) -> Response:
    """Propose a short text of a dissent to its author."""
    await acting.write(actions.propose, dissent_id=dissent.id, text=form.text)
    return acting.received(f"/cases/{dissent.case_id}/summary#dissents")


@act("publication.answer", of=queries.gist, form=GistAnswerForm)
async def answer(acting: Acting, gist: Gist, form: GistAnswerForm) -> Response:
    """Approve the short text of one's own dissent, or send it back."""
    await acting.write(actions.answer, gist_id=gist.id, approves=form.answer == "approve", words=form.words)
    return acting.received(f"/cases/{gist.case_id}")


@act("publication.compose", of=cases.case)
async def compose(acting: Acting, case: Case, _form: Form) -> Response:
    """Compose the draft from the record."""
    await acting.write(actions.compose, case=case.id)
    return acting.received(f"/cases/{case.id}/summary")


@act("publication.publish", of=cases.case, form=PublicationForm)
async def publish(acting: Acting, case: Case, form: PublicationForm) -> Response:
    """Publish what was previewed."""
    await acting.write(actions.publish, case=case.id, body_sha256=form.body_sha256)
    return acting.received(f"/cases/{case.id}/summary")


@act("publication.withdraw", of=cases.case, form=WithdrawalForm)
async def withdraw(acting: Acting, case: Case, form: WithdrawalForm) -> Response:
    """Withdraw a published summary."""
    await acting.write(actions.withdraw, case=case.id, reason=form.reason)
    return acting.received(f"/cases/{case.id}/summary")


routes = [
    Route("/", start, name="publication.start"),
    Route("/public", public_home, name="publication.home"),
    Route("/public/{slug}", public_summary, name="publication.summary"),
    Route("/public/{slug}/entry", summary_entry, name="publication.entry"),
    Route("/how-to-verify", how_to_verify, name="publication.verify"),
    Route("/cases/{id}/summary", preview, name="publication.preview"),
    Route("/dissents/{id}/gists", propose, methods=["POST"], name="publication.propose"),
    Route("/gists/{id}/answer", answer, methods=["POST"], name="publication.answer"),
    Route("/cases/{id}/summary/composition", compose, methods=["POST"], name="publication.compose"),
    Route("/cases/{id}/summary/publication", publish, methods=["POST"], name="publication.publish"),
    Route("/cases/{id}/summary/withdrawal", withdraw, methods=["POST"], name="publication.withdraw"),
]
