"""Writes: rule documents come into the rulebook, and stay as they are."""

from datetime import date
from typing import Any

from panel.core.errors import require
from panel.core.security import Actor
from panel.rulebook import queries, rules
from panel.rulebook.events import RuleDocumentLoaded
from panel.rulebook.models import RuleDocument
from panel.work import Work


def load_pack(
    work: Work, actor: Actor | None, *, key: str, kind: str, version: int, body: dict[str, Any]
) -> RuleDocument:
    """Freeze one version of a rule document; loading the same again changes nothing."""
    require(rules.why_not_load(kind, body))
    digest = queries.digest(body)
    if before := queries.version(work.db, key, version):
        require(rules.why_not_replace(before.body_sha256, digest))
        return before
    document = work.add(
        RuleDocument(
            key=key, kind=kind, version=version, body=body, body_sha256=digest, effective_from=_effective(body)
        )
    )
    work.record(
        RuleDocumentLoaded(key=key, version=version, body_sha256=digest, actor_id=actor.person_id if actor else None)
    )
    return document


def load(work: Work, actor: Actor | None, *, name: str) -> RuleDocument:
    """Load a pack that comes with the product, by its name under rulepacks: `rules_of_procedure`."""
    body = queries.pack(name)
    kind = queries.kind_of(body)
    head = body[queries.HEADS[kind]] if queries.HEADS[kind] else body
    return load_pack(work, actor, key=head["key"], kind=kind, version=head["version"], body=body)


def _effective(body: dict[str, Any]) -> date | None:
    """Return the day from which a document is in force, where its source gives the day and not the month alone."""
    written = str(body.get("catalogue", {}).get("effective", ""))
    return date.fromisoformat(written) if len(written) == len("2026-11-23") else None
