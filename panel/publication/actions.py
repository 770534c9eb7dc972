"""Composing, publishing, withdrawing a summary. Composed by a whitelist: what is not named here stays out."""

from collections import Counter
from hashlib import sha256
from typing import Any

import rfc8785

from panel.cases.models import Case
from panel.core.errors import require
from panel.core.security import Actor
from panel.dissents.models import Answer, Dissent
from panel.publication import queries, redact, rules
from panel.publication.events import SummaryComposed, SummaryPublished, SummaryWithdrawn
from panel.publication.models import Summary, SummaryState
from panel.publication.queries import Source
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
    require(rules.why_not_publish(summary, body_sha256))
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


def body_of(source: Source) -> dict[str, Any]:
    """Return the summary's text as JSON values: masked, without exact dates, and only what the whitelist names."""
    masks = redact.masks([*source.people, source.case.official])

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
        "dissents": [_dissent(*dissent, mask) for dissent in source.dissents],
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


def _dissent(dissent: Dissent, joined: int, answer: Answer | None, mask: Any) -> dict[str, Any]:
    return {
        "number": dissent.number,
        "kind": dissent.kind.value,
        "text": mask(dissent.text),
        "joined": joined,
        "answer": mask(answer.text) if answer else "",
    }


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
