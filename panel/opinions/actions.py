"""Opening and closing rounds, saving drafts, giving opinions."""

from typing import Any

from panel.cases import queries as cases
from panel.committees import queries as committees
from panel.core.errors import Forbidden, NotFound, Reason, Refused, TooLarge, require
from panel.core.hooks import in_closed_session
from panel.core.security import Actor
from panel.opinions import queries, rules
from panel.opinions.events import OpinionSubmitted, RoundClosed, RoundOpened
from panel.opinions.models import Opinion, OpinionDraft, Round
from panel.work import Work


class DraftConflict(Refused):
    """Another device saved this step meanwhile; `theirs` is what it saved, `revision` the draft's number now."""

    def __init__(self, theirs: dict[str, Any], revision: int) -> None:
        super().__init__(Reason("This step was changed on another device meanwhile. Choose which text stays."))
        self.theirs = theirs
        self.revision = revision


def open_round(work: Work, actor: Actor | None, *, case_id: str, number: int, hearing_id: str | None = None) -> Round:
    """Open the next round of a case."""
    require(rules.why_not_open(queries.rounds(work.db, case_id), number))
    opened = work.add(Round(case_id=case_id, number=number, hearing_id=hearing_id))
    work.record(
        RoundOpened(
            **_where(work, opened), actor_id=actor.person_id if actor else None, round_id=opened.id, number=number,
        )
    )  # fmt: skip
    return opened


def close_round(work: Work, actor: Actor, *, round_id: str) -> Round:
    """Close a round; from here on the panel sees every opinion of it at once."""
    round_ = work.db.get_one(Round, round_id)
    require(rules.why_not_close(round_))
    round_.closed_at = work.now
    given, _ = queries.progress(work.db, round_id)
    work.record(
        RoundClosed(
            **_where(work, round_), actor_id=actor.person_id, round_id=round_id, number=round_.number, opinions=given,
        )
    )  # fmt: skip
    return round_


def save_draft(
    work: Work, actor: Actor, *, round_id: str, step: str, said: dict[str, Any], revision: int
) -> OpinionDraft:
    """Keep one step of an unfinished opinion; raises DraftConflict when another device changed that step meanwhile.

    `said`: {"value", "sure", "reason", "exhibits"} of a consideration, or {"recommendation", "reasons", "change"} of
    the last step (`overall`).
    """
    round_, seat_id = _mine(work, actor, round_id)
    if step != rules.OVERALL and step not in queries.considerations(work.db, round_).keys:
        raise NotFound
    saved = queries.draft(work.db, round_id, seat_id)
    if saved is None:
        body = queries.body(work.db, round_, seat_id)
        saved = work.add_unrecorded(OpinionDraft(round_id=round_id, seat_id=seat_id, body=body, saved_at=work.now))
    theirs = _step(saved.body, step)
    if revision < saved.revision and theirs and theirs != said:
        raise DraftConflict(theirs, saved.revision)
    body = _with_step(saved.body, step, said)
    require(rules.why_not_keep(body), TooLarge)
    saved.body = body
    saved.revision, saved.saved_at = saved.revision + 1, work.now
    return saved


def _step(body: dict[str, Any], step: str) -> dict[str, Any]:
    if step != rules.OVERALL:
        return dict(body.get("ratings", {}).get(step, {}))
    return {name: body[name] for name in ("recommendation", "reasons", "change") if name in body}


def _with_step(body: dict[str, Any], step: str, said: dict[str, Any]) -> dict[str, Any]:
    if step == rules.OVERALL:
        return {**body, **said}
    return {**body, "ratings": {**body.get("ratings", {}), step: said}}


def submit(work: Work, actor: Actor, *, round_id: str, revision: int | None = None) -> Opinion:
    """Give the opinion that stands in the draft; an earlier one of this round is replaced and kept.

    `revision` is the draft's as it was shown for checking.
    """
    round_, seat_id = _mine(work, actor, round_id)
    unfinished = queries.draft(work.db, round_id, seat_id)
    require(rules.why_not_checked(unfinished.revision if unfinished else 0, revision))
    keys = queries.considerations(work.db, round_).keys
    body, before = queries.body(work.db, round_, seat_id), queries.earlier(work.db, round_, seat_id)
    exhibits = [exhibit.number for exhibit in cases.exhibits(work.db, round_.case_id)]
    earlier = before.model_dump() if before else None
    require(rules.why_not_submit(body, keys, exhibits, earlier))
    last = queries.mine(work.db, round_id, seat_id)
    opinion = work.add(
        Opinion(
            round_id=round_id, seat_id=seat_id, case_id=round_.case_id, version=last.version + 1 if last else 1,
            ratings={key: body["ratings"][key] for key in keys}, recommendation=body["recommendation"],
            reasons=body.get("reasons", ""), change=body.get("change", "") if rules.changed(earlier, body) else "",
        )
    )  # fmt: skip
    if unfinished is not None:
        work.db.delete(unfinished)
    work.record(_submitted(work, actor, round_, opinion))
    return opinion


def _submitted(work: Work, actor: Actor, round_: Round, opinion: Opinion) -> OpinionSubmitted:
    return OpinionSubmitted(
        **_where(work, round_), actor_id=actor.person_id, round=round_.number, version=opinion.version,
        seat=opinion.seat_id, ratings=opinion.ratings, recommendation=opinion.recommendation, reasons=opinion.reasons,
        change=opinion.change,
    )  # fmt: skip


def _mine(work: Work, actor: Actor, round_id: str) -> tuple[Round, str]:
    round_ = work.db.get_one(Round, round_id)
    seat = committees.seat_of(work.db, actor, round_.case_id)
    require(rules.why_not_write(round_, seat is not None), Forbidden)
    assert seat is not None
    return round_, seat.id


def _where(work: Work, round_: Round) -> dict[str, Any]:
    """Return where a round's event belongs: its hearing, or the one to come, whose page shows how the round stands."""
    hearing_id = round_.hearing_id or committees.hearing_now(work.db, round_.case_id)
    closed = hearing_id is not None and in_closed_session(work.db, hearing_id)
    return {"case_id": round_.case_id, "hearing_id": hearing_id, "closed": closed}
