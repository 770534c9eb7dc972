"""The editor, one consideration per step; the check page; a closed round."""

from collections import Counter
from typing import Any

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from panel.cases import queries as cases
from panel.committees import queries as committees
from panel.core import geometry, words
from panel.core.errors import Forbidden, Label, NotFound, Refused, require
from panel.core.pages import Acting, Reading, act, page
from panel.opinions import actions, agreement, queries, rules
from panel.opinions.forms import CheckedForm, StepForm
from panel.opinions.models import Opinion, Round
from panel.rulebook import queries as rulebook
from panel.rulebook.rules import Considerations

LABELS = {
    agreement.Label.NONE: Label("No ratings"),
    agreement.Label.TWO_CAMPS: Label("Two camps"),
    agreement.Label.LONE: Label("Lone reservation"),
    agreement.Label.AGREED: Label("Agreed"),
    agreement.Label.LEANING: Label("Leaning"),
    agreement.Label.SCATTERED: Label("Scattered"),
}


def _considerations(reading: Reading, round_: Round) -> Considerations:
    case = cases.case(reading.db, round_.case_id)
    assert case is not None
    return rulebook.considerations(reading.db, case.considerations_id)


def _editor(reading: Reading, round_: Round) -> dict[str, Any]:
    """Return what every page of the editor shows; raises Forbidden for members without a seat or after closing."""
    seat = committees.seat_of(reading.db, reading.me, round_.case_id)
    require(rules.why_not_write(round_, seat is not None), Forbidden)
    assert seat is not None
    considerations = _considerations(reading, round_)
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
    return (
        reading.gettext(Label("cannot judge"))
        if value is None
        else f"{value} · {item.points[value - 1][reading.locale]}"
    )


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


@page("opinions.read_round", of=queries.round_)
def show(reading: Reading, round_: Round) -> Response:
    """Show a closed round: labels, pictures, and the reasons by seat category."""
    require(rules.why_not_read(round_), Forbidden)
    considerations = _considerations(reading, round_)
    opinions = queries.opinions(reading.db, round_.id)
    seats = {seat.id: seat for seat in committees.all_seats(reading.db, round_.case_id)}
    names = cases.people_names(reading.db, [seat.person_id for seat in seats.values()])
    return reading.render(
        "opinions/round.html",
        case=cases.case(reading.db, round_.case_id),
        round=round_,
        rounds=queries.rounds(reading.db, round_.case_id),
        considerations=considerations,
        opinions=[(opinion, seats[opinion.seat_id], names[seats[opinion.seat_id].person_id]) for opinion in opinions],
        measures=[_measures(item.key, opinions) for item in considerations.items],
        label_words={code: reading.gettext(word) for code, word in LABELS.items()},
        recommendations=Counter(opinion.recommendation for opinion in opinions),
        stance=geometry.stance([_stance(reading, item, opinions) for item in considerations.items]),
        heat=_heat(reading, considerations, opinions, {s.id: s.category.value for s in seats.values()}),
    )


def ratings_of(key: str, opinions: list[Opinion]) -> list[int]:
    """Return the ratings of one consideration; members who cannot judge are left out."""
    values = [opinion.ratings[key].get("value") for opinion in opinions]
    return [value for value in values if value is not None]


def _measures(key: str, opinions: list[Opinion]) -> dict[str, Any]:
    ratings = ratings_of(key, opinions)
    counts = agreement.counts_of(ratings)
    return {
        "key": key,
        "counts": counts,
        "cannot_judge": len(opinions) - len(ratings),
        "agreement": agreement.agreement(counts),
        "consensus": agreement.consensus(counts),
        "label": agreement.label(ratings).value,
    }


def _stance(reading: Reading, item: Any, opinions: list[Opinion]) -> geometry.Ratings:
    ratings = ratings_of(item.key, opinions)
    return geometry.Ratings(
        item.title[reading.locale],
        low=item.other_pole[reading.locale],
        high=item.tolerant_pole[reading.locale],
        counts=_five(agreement.counts_of(ratings)),
        cannot_judge=len(opinions) - len(ratings),
    )


def _five(counts: list[int]) -> tuple[int, int, int, int, int]:
    one, two, three, four, five = counts
    return one, two, three, four, five


def _heat(reading: Reading, considerations: Considerations, opinions: list[Opinion], category: dict[str, str]) -> Any:
    """Return the heat map consideration by category; the panel sees every cell, others never see this page."""
    columns = [code for code in words.CATEGORIES if code in {category[o.seat_id] for o in opinions}]
    groups = [[o for o in opinions if category[o.seat_id] == code] for code in columns]
    cells = [[_cell(ratings_of(item.key, group)) for group in groups] for item in considerations.items]
    return geometry.heat(
        rows=[item.title[reading.locale] for item in considerations.items],
        columns=[reading.gettext(words.CATEGORIES[code]) for code in columns],
        cells=cells,
        fewest=0,
    )


def _cell(ratings: list[int]) -> geometry.Mean | None:
    return geometry.Mean(sum(ratings) / len(ratings), len(ratings)) if ratings else None


routes = [
    Route("/rounds/{id}", show, name="opinions.round"),
    Route("/rounds/{id}/opinion", edit, name="opinions.edit"),
    Route("/rounds/{id}/opinion", submit, methods=["POST"], name="opinions.submit"),
    Route("/rounds/{id}/opinion/draft", save, methods=["POST"], name="opinions.draft"),
    Route("/rounds/{id}/opinion/check", check, name="opinions.check"),
    Route("/rounds/{id}/opinion/given", given, name="opinions.given"),
]
