"""Composing, publishing, withdrawing a summary. Composed by a whitelist: what is not named here stays out.

Of a dissent the public reads the short text that its author approved, and without one only its number and kind.
"""

from collections import Counter
from hashlib import sha256
from typing import Any

import rfc8785

from panel.cases.models import Case
from panel.committees import queries as committees
from panel.core import hooks
from panel.core.errors import Forbidden, Refused, require
from panel.core.security import Actor
from panel.dissents import queries as dissents
from panel.dissents.actions import text_sha256
from panel.publication import queries, redact, rules
from panel.publication.events import (
    GistApproved,
    GistProposed,
    GistReturned,
    SummaryComposed,
    SummaryPublished,
    SummaryWithdrawn,
)
from panel.publication.models import Gist, Summary, SummaryState
from panel.publication.queries import Published, Source
from panel.votes.models import Motion, MotionKind, Secrecy, Tally
from panel.votes.tally import FULL, Result, Rule, published
from panel.work import Work


def digest(body: dict[str, Any]) -> str:
    """Return the SHA-256 (hex) of a summary's canonical JSON (RFC 8785)."""
    return sha256(rfc8785.dumps(body)).hexdigest()


def compose(work: Work, actor: Actor, *, case: str) -> Summary:
    """Compose the draft from the record; an earlier draft is replaced."""
    matter = work.db.get_one(Case, case)
    summary = queries.summary_of(work.db, case)
    require(rules.why_not_compose(queries.decision_of(work.db, case) is not None, summary))
    body = body_of(queries.source(work.db, matter))
    summary = summary or work.add(Summary(case_id=case, title=body["title"], body=body, body_sha256=digest(body)))
    summary.title, summary.body, summary.body_sha256 = body["title"], body, digest(body)
    work.record(
        SummaryComposed(case_id=case, actor_id=actor.person_id, summary=summary.id, body_sha256=summary.body_sha256)
    )
    return summary


def publish(work: Work, actor: Actor, *, case: str, body_sha256: str) -> Summary:
    """Publish the very text that was previewed."""
    summary = queries.summary_of(work.db, case)
    now = body_of(queries.source(work.db, work.db.get_one(Case, case))) if summary is not None else {}
    require(rules.why_not_publish(summary, body_sha256, digest(now)))
    assert summary is not None
    summary.state, summary.published_at, summary.published_by = (
        SummaryState.PUBLISHED,
        work.now,
        actor.person_id,
    )
    summary.entry = work.record(
        SummaryPublished(case_id=case, actor_id=actor.person_id, slug=summary.slug, body_sha256=summary.body_sha256)
    )
    return summary


def withdraw(work: Work, actor: Actor, *, case: str, reason: str) -> Summary:
    """Withdraw a published summary; its address answers with a tombstone from now on."""
    summary = queries.summary_of(work.db, case)
    require(rules.why_not_withdraw(summary, reason))
    assert summary is not None
    summary.state, summary.withdrawn_at, summary.withdrawal_reason = SummaryState.WITHDRAWN, work.now, reason
    work.record(SummaryWithdrawn(case_id=case, actor_id=actor.person_id, slug=summary.slug, reason=reason))
    return summary


def propose(work: Work, actor: Actor, *, dissent_id: str, text: str) -> Gist:
    """Propose a short text of a dissent for the public; its author reads it as it would be published: masked."""
    dissent = dissents.dissent_for_update(work.db, dissent_id)
    newest = queries.newest_gists(work.db, dissent.case_id).get(dissent_id)
    require(rules.why_not_change(queries.summary_of(work.db, dissent.case_id)))
    still_open = hooks.dissents_open(work.db, dissent.hearing_id)
    require(rules.why_not_propose(dissent, newest, still_open=still_open))
    names = queries.names(work.db, work.db.get_one(Case, dissent.case_id))
    gist = work.add(
        Gist(
            dissent_id=dissent_id, case_id=dissent.case_id, number=newest.number + 1 if newest else 1,
            text=redact.mask_text(text, redact.masks(names)), proposed_by=actor.person_id,
        )
    )  # fmt: skip
    work.record(GistProposed(**_told_by(gist, actor), text=gist.text))
    return gist


def answer(work: Work, actor: Actor, *, gist_id: str, approves: bool, words: str = "") -> Gist:
    """Approve the short text of one's own dissent, or send it back with words; it is published only if approved."""
    gist = queries.gist_for_update(work.db, gist_id)
    dissent = dissents.dissent_for_update(work.db, gist.dissent_id)
    newest = queries.newest_gists(work.db, gist.case_id)[dissent.id]
    seat = committees.seat_of(work.db, actor, gist.case_id)
    author = seat is not None and seat.id == dissent.seat_id
    reason = rules.why_not_answer(dissent, gist, newest, author=author, approves=approves, words=words)
    require(reason, Refused if author else Forbidden)
    require(rules.why_not_change(queries.summary_of(work.db, gist.case_id)))
    gist.answered_at, gist.approved, gist.words = work.now, approves, "" if approves else words
    if approves:
        work.record(GistApproved(**_told_by(gist, actor), text_sha256=text_sha256(gist.text)))
    else:
        work.record(GistReturned(**_told_by(gist, actor), words=words))
    return gist


def _told_by(gist: Gist, actor: Actor) -> dict[str, Any]:
    return {
        "case_id": gist.case_id,
        "actor_id": actor.person_id,
        "dissent": gist.dissent_id,
        "number": gist.number,
    }


def body_of(source: Source) -> dict[str, Any]:
    """Return the summary's text as JSON values: masked, without exact dates, and only what the whitelist names."""
    masks = redact.masks(source.names)

    def mask(text: str) -> str:
        return redact.mask_text(text, masks)

    motions = [_motion(motion, tally, mask) for motion, tally in source.motions]
    return {
        "title": mask(source.case.title),
        "place": mask(source.case.place),
        "official": redact.mask_name(source.case.official),
        "matter": mask(source.case.matter),
        "fictional": source.case.fictional,
        "track": source.case.track.value,
        "committee": _committee(source),
        "procedure": [stage.phase.value for stage in source.stages],
        "facts": [m for m in motions if m["kind"] == MotionKind.FACT],
        "dispositions": [m for m in motions if m["kind"] == MotionKind.DISPOSITION],
        "dissents": [_dissent(dissent, mask) for dissent in source.dissents],
        "finding": source.finding.outcome,
        "decision": _decision(source, mask),
        "sources": list(source.case.sources),
    }


def _committee(source: Source) -> dict[str, Any]:
    """Return how many sat per category, and how many stood aside: never who."""
    sitting = Counter(s.category.value for s in source.seats if not s.alternate)
    recused = Counter(s.category.value for s in source.seats if s.id in source.recused)
    return {"seats": dict(sorted(sitting.items())), "recused": dict(sorted(recused.items()))}


def _motion(motion: Motion, tally: Tally, mask: Any) -> dict[str, Any]:
    result = Result.from_json(tally.result)
    shown = published(Rule.from_json(motion.rule), result.counts, secret=motion.secrecy is Secrecy.SEALED)
    told = {
        "number": motion.number,
        "kind": motion.kind.value,
        "secrecy": motion.secrecy.value,
        "question": mask(motion.question),
        "outcome": motion.outcome or "",
        "carried": result.carried,
        "settled": result.settled,
        "shown": shown,
    }
    if shown != FULL:
        return told
    line = {"base": result.base, "needed": result.needed, "required": str(result.required)}
    rule = {"passing": motion.rule["passing"], "strict": motion.rule["strict"]}
    return {
        **told,
        **line,
        **rule,
        "options": list(motion.options),
        "counts": result.counts,
        "not_cast": result.not_cast,
    }


def _dissent(of: Published, mask: Any) -> dict[str, Any]:
    """Return what the public reads of a dissent; the approved text as it was approved, to the letter."""
    told = {"number": of.dissent.number, "kind": of.dissent.kind.value, "text": of.text}
    if not of.text:
        return told
    return {**told, "by": of.author, "joined": of.joined, "answer": mask(of.answer.text) if of.answer else ""}


def _decision(source: Source, mask: Any) -> dict[str, Any]:
    decision = source.decision
    return {
        "outcome": decision.outcome,
        "measure": mask(decision.measure),
        "adopts": decision.adopts,
        "reasons": mask(decision.reasons),
        "departure_reasons": mask(decision.departure_reasons),
        "corrective": [mask(measure.text) for measure in source.measures],
    }
