"""The editor, one consideration per step; the check page."""

from typing import Any

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from panel.cases import queries as cases
from panel.committees import queries as committees
from panel.core import words
from panel.core.errors import Forbidden, Label, NotFound, Refused, require
from panel.core.pages import Acting, Reading, act, page
from panel.opinions import actions, queries, rules
from panel.opinions.forms import CheckedForm, StepForm
from panel.opinions.models import Round
from panel.rulebook.rules import Considerations


def _editor(reading: Reading, round_: Round) -> dict[str, Any]:
    """Return what every page of the editor shows; raises Forbidden for members without a seat or after closing."""
    seat = committees.seat_of(reading.db, reading.me, round_.case_id)
    require(rules.why_not_write(round_, seat is not None), Forbidden)
    assert seat is not None
    considerations = queries.considerations(reading.db, round_)
    saved = queries.draft(reading.db, round_.id, seat.id)
    body = queries.body(reading.db, round_, seat.id)
    lacking = rules.missing(body, considerations.keys)
    steps = [*considerations.keys, rules.OVERALL]
    return {
        "case": cases.case(reading.db, round_.case_id),
        "round": round_,
        "considerations": considerations,
        "steps": steps,
        "lacking": lacking,
        "body": body,
        "saved": saved,
        "before": queries.earlier(reading.db, round_, seat.id),
        "exhibits": cases.exhibits(reading.db, round_.case_id),
        "tasks": [_task(reading, round_, considerations, step, lacking) for step in steps],
    }


def _title(reading: Reading, considerations: Considerations, step: str) -> str:
    item = considerations.item(step)
    return item.title[reading.locale] if item else reading.gettext(Label("Overall recommendation"))


def _task(
    reading: Reading, round_: Round, considerations: Considerations, step: str, lacking: list[str]
) -> dict[str, str]:
    done = step not in lacking
    return {
        "title": _title(reading, considerations, step),
        "href": f"/rounds/{round_.id}/opinion?step={step}",
        "status": reading.gettext(Label("Complete")) if done else reading.gettext(Label("To do")),
        "tone": "done" if done else "plain",
        "hint": "",
    }


def _sure(reading: Reading) -> list[tuple[str, str]]:
    return [(code, reading.gettext(word)) for code, word in rules.SURE.items()]


@page("opinions.write", of=queries.round_)
def edit(reading: Reading, round_: Round) -> Response:
    """Show one step of the editor."""
    shown = _editor(reading, round_)
    steps = shown["steps"]
    step = reading.request.query_params.get("step") or next(iter(shown["lacking"]), steps[0])
    if step not in steps:
        raise NotFound
    at = steps.index(step)
    following = steps[at + 1] if at + 1 < len(steps) else "check"
    return reading.render(
        "opinions/edit.html",
        **shown,
        exhibit_choices=[(e.number, f"{e.number}. {e.title}") for e in shown["exhibits"]],
        sure_choices=[("", reading.gettext(Label("not said"))), *_sure(reading)],
        outcome_choices=[(code, reading.gettext(word)) for code, word in words.OUTCOMES.items()],
        step=step,
        number=at + 1,
        item=shown["considerations"].item(step),
        following=following,
        previous=steps[at - 1] if at else "",
    )


@page("opinions.write", of=queries.round_)
def check(reading: Reading, round_: Round) -> Response:
    """Show everything that will be given, before it is."""
    shown = _editor(reading, round_)
    before = shown["before"].model_dump() if shown["before"] else None
    numbers = [exhibit.number for exhibit in shown["exhibits"]]
    why_not = rules.why_not_submit(shown["body"], shown["considerations"].keys, numbers, before)
    answers = [_answer(reading, round_, shown, step) for step in shown["steps"]]
    return reading.render("opinions/check.html", **shown, why_not=why_not, answers=answers)


def _answer(reading: Reading, round_: Round, shown: dict[str, Any], step: str) -> tuple[str, str, str]:
    """Return label, text and address of one line of the check page."""
    body, item = shown["body"], shown["considerations"].item(step)
    href = f"/rounds/{round_.id}/opinion?step={step}"
    if item is None:
        outcome = words.OUTCOMES.get(body.get("recommendation", ""), "")
        lines = [reading.gettext(outcome) if outcome else "", body.get("reasons", ""), body.get("change", "")]
    else:
        rating = body.get("ratings", {}).get(step, {})
        lines = [_said(reading, item, rating), rating.get("reason", ""), _cited(reading, rating)]
    return _title(reading, shown["considerations"], step), "\n".join(filter(None, lines)), href


def _said(reading: Reading, item: Any, rating: dict[str, Any]) -> str:
    if "value" not in rating:
        return ""
    value = rating["value"]
    if value is None:
        return reading.gettext(Label("cannot judge"))
    sure = reading.gettext(rules.SURE[rating["sure"]]) if rating.get("sure") else ""
    return " · ".join(filter(None, [str(value), item.points[value - 1][reading.locale], sure]))


def _cited(reading: Reading, rating: dict[str, Any]) -> str:
    numbers = ", ".join(map(str, rating.get("exhibits", ())))
    return reading.gettext(Label("Exhibits %(numbers)s"), numbers=numbers) if numbers else ""


@act("opinions.write", of=queries.round_, form=StepForm)
async def save(acting: Acting, round_: Round, form: StepForm) -> Response:
    """Keep a step: by itself while typing (JSON), or with the button that leads on."""
    try:
        draft = await acting.write_unkeyed(
            actions.save_draft, round_id=round_.id, step=form.step, said=form.said, revision=form.revision
        )
    except actions.DraftConflict as conflict:
        return acting.not_kept(conflict) if acting.by_itself else _conflict(acting, round_, form, conflict)
    except Refused as refused:
        if acting.by_itself:
            return acting.not_kept(refused)
        raise
    if acting.by_itself:
        return acting.kept(draft.revision, draft.saved_at)
    following = "opinion/check" if form.next in {"", "check"} else f"opinion?step={form.next}"
    return RedirectResponse(f"/rounds/{round_.id}/{following}", status_code=303)


def _conflict(acting: Acting, round_: Round, form: StepForm, conflict: actions.DraftConflict) -> Response:
    return acting.render(
        "opinions/conflict.html",
        status=409,
        round=round_,
        form=form,
        theirs=conflict.theirs,
        sure=rules.SURE,
        revision=conflict.revision,
    )


@act("opinions.write", of=queries.round_, form=CheckedForm)
async def submit(acting: Acting, round_: Round, form: CheckedForm) -> Response:
    """Give the opinion that was checked."""
    await acting.write(actions.submit, round_id=round_.id, revision=form.revision)
    return acting.received(f"/rounds/{round_.id}/opinion/given")


@page("opinions.write", of=queries.round_)
def given(reading: Reading, round_: Round) -> Response:
    """Say that the opinion was received, when, and what may still be done."""
    seat = committees.seat_of(reading.db, reading.me, round_.case_id)
    opinion = queries.mine(reading.db, round_.id, seat.id) if seat else None
    if opinion is None:
        raise NotFound
    case = cases.case(reading.db, round_.case_id)
    return reading.render("opinions/given.html", round=round_, opinion=opinion, case=case)


routes = [
    Route("/rounds/{id}/opinion", edit, name="opinions.edit"),
    Route("/rounds/{id}/opinion", submit, methods=["POST"], name="opinions.submit"),
    Route("/rounds/{id}/opinion/draft", save, methods=["POST"], name="opinions.draft"),
    Route("/rounds/{id}/opinion/check", check, name="opinions.check"),
    Route("/rounds/{id}/opinion/given", given, name="opinions.given"),
]
