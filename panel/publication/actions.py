"""Composing, publishing, withdrawing a summary."""

from hashlib import sha256
from typing import Any

import rfc8785

from panel.cases.models import Case
from panel.core.errors import require
from panel.core.security import Actor
from panel.publication import compose as composer
from panel.publication import queries, rules
from panel.publication.events import SummaryComposed, SummaryPublished, SummaryWithdrawn
from panel.publication.models import Summary, SummaryState
from panel.work import Work


def digest(body: dict[str, Any]) -> str:
    """Return the SHA-256 (hex) of a summary's canonical JSON (RFC 8785)."""
    return sha256(rfc8785.dumps(body)).hexdigest()


def compose(work: Work, actor: Actor, *, case: str) -> Summary:
    """Compose the draft from the record; an earlier draft is replaced."""
    matter = work.db.get_one(Case, case)
    summary = queries.summary_of(work.db, case)
    require(rules.why_not_compose(queries.decision_of(work.db, case) is not None, summary))
    body = composer.body(queries.source(work.db, matter))
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
    summary.state, summary.published_at, summary.published_by = SummaryState.PUBLISHED, work.now, actor.person_id
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
