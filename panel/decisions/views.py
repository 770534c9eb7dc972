"""The finding and the decision: HTTP in, page out."""

from datetime import date
from typing import Any

import anyio
from sqlmodel import Session
from starlette.responses import Response
from starlette.routing import Route

from panel.cases import queries as cases
from panel.cases.models import Case
from panel.core import hooks, words
from panel.core.db import snapshot
from panel.core.errors import NotFound, require
from panel.core.forms import Form
from panel.core.pages import Acting, Reading, act, page
from panel.core.security import INSIDE, Audience, may
from panel.decisions import actions, queries, rules
from panel.decisions.forms import DecisionForm
from panel.dissents import queries as dissents
from panel.votes import queries as votes

SEES_NAMES = INSIDE | {Audience.AUTHORITY}
"""Who reads dissents by name; the party and the handler read them without."""


def _today(edge: Reading | Acting) -> date:
    return edge.now.astimezone(edge.site.zone).date()


@page("decisions.show_finding", of=cases.case)
def show_finding(reading: Reading, case: Case) -> Response:
    """Show the panel's finding, with every vote and every dissent behind it."""
    finding = queries.finding(reading.db, case.id)
    audience = reading.me.audience_in(case.id)
    if finding is None or audience is None:
        raise NotFound
    return reading.render(
        "decisions/finding.html",
        case=case,
        finding=finding,
        shown=votes.all_shown(reading.db, finding.hearing_id, audience),
        told=dissents.told(reading.db, case.id),
        decided=queries.decision(reading.db, case.id) is not None,
        words=words,
    )


@page("decisions.show", of=cases.case)
def show_decision(reading: Reading, case: Case) -> Response:
    """Show the decision; to the authority, before it is issued, its form."""
    decision = queries.decision(reading.db, case.id)
    if decision is None:
        if not may(reading.me, "decisions.decide", case):
            raise NotFound
        return reading.render("decisions/form.html", **_form(reading.db, case, None, _today(reading)))
    return reading.render(
        "decisions/decision.html",
        case=case,
        decision=decision,
        finding=queries.finding(reading.db, case.id),
        measures=queries.measures(reading.db, decision.id),
        told=dissents.told(reading.db, case.id),
        named=reading.me.audience_in(case.id) in SEES_NAMES,
        words=words,
    )


@act("decisions.find", of=hooks.hearing)
async def make_finding(acting: Acting, hearing: Any, _form: Form) -> Response:
    """Compute the finding, where the end of the hearing has not done so."""
    await acting.write(actions.make_finding, hearing_id=hearing.id)
    return acting.received(f"/cases/{hearing.case_id}/finding")


@act("decisions.decide", of=cases.case, form=DecisionForm)
async def decide(acting: Acting, case: Case, form: DecisionForm) -> Response:
    """Check a decision, change it, or issue it. Nothing is issued without the step that says so."""
    if form.step != "issue":
        return await anyio.to_thread.run_sync(_draw, acting, case, form)
    await acting.write(actions.decide, case_id=case.id, today=_today(acting), **_what(form))
    return acting.received(f"/cases/{case.id}/decision")


def _what(form: DecisionForm) -> dict[str, Any]:
    told = form.model_dump(include={"number", "outcome", "measure", "reasons", "departure_reasons", "approver"})
    return {**told, "measures": form.measures, "answers": form.answers}


def _draw(acting: Acting, case: Case, form: DecisionForm) -> Response:
    """Draw what would be issued, after the very checks that issuing makes; or the form again, filled in."""
    with snapshot(acting.site.reading) as db:
        if form.step == "check":
            require(actions.why_not_decide(db, case, today=_today(acting), **_what(form)))
        template = "decisions/check.html" if form.step == "check" else "decisions/form.html"
        return acting.render(template, **_form(db, case, form, _today(acting)))


def _form(db: Session, case: Case, form: DecisionForm | None, today: date) -> dict[str, Any]:
    finding = queries.finding(db, case.id)
    waiting = rules.why_not_decide_now(
        found=finding is not None,
        decided=False,
        dissents_open=finding is not None and hooks.dissents_open(db, finding.hearing_id),
    )
    return {
        "case": case,
        "finding": finding,
        "why_not": waiting,
        "form": form,
        "rows": form.measures if form else [],
        "answers": form.answers if form else {},
        "told": [one for one in dissents.told(db, case.id) if one.dissent.withdrawn_at is None],
        "tolerant": queries.tolerant_outcomes(db, case),
        "departs": form is not None and finding is not None and rules.departs(finding.outcome, form.outcome),
        "today": today,
        "words": words,
    }


routes = [
    Route("/cases/{id}/finding", show_finding, name="decisions.show_finding"),
    Route("/cases/{id}/decision", show_decision, name="decisions.show"),
    Route("/cases/{id}/decision", decide, methods=["POST"], name="decisions.decide"),
    Route("/hearings/{id}/finding", make_finding, methods=["POST"], name="decisions.find"),
]
