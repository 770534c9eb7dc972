"""Reads: rule documents, and the packs that come with the product."""

import re
import tomllib
from collections.abc import Sequence
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import rfc8785
from sqlmodel import Session, col, select

from panel.rulebook.models import RuleDocument
from panel.rulebook.rules import (
    CATALOGUE,
    CONSIDERATIONS,
    PROCEDURE,
    Considerations,
    DutyRules,
    ProcedureRules,
    Text,
    text_of,
)

PACKS = Path(__file__).parent.parent / "rulepacks"
NAME = re.compile(r"[a-z0-9_]+(/[a-z0-9_]+)*")

HEADS = {PROCEDURE: "rules", CATALOGUE: "catalogue", CONSIDERATIONS: ""}
"""The table in which a body names itself; the considerations do so at the top."""


def document(db: Session, document_id: str) -> RuleDocument | None:
    """Return a rule document."""
    return db.get(RuleDocument, document_id)


def version(db: Session, key: str, number: int) -> RuleDocument | None:
    """Return one version of a rule document."""
    return db.exec(select(RuleDocument).where(RuleDocument.key == key, RuleDocument.version == number)).first()


def newest(db: Session, kind: str) -> RuleDocument | None:
    """Return the newest version of the documents of a kind; for cases that are being opened."""
    found = select(RuleDocument).where(RuleDocument.kind == kind)
    return db.exec(found.order_by(col(RuleDocument.version).desc(), col(RuleDocument.created_at).desc())).first()


def documents(db: Session) -> Sequence[RuleDocument]:
    """Return every rule document by kind, key and version."""
    order = (RuleDocument.kind, RuleDocument.key, RuleDocument.version)
    return db.exec(select(RuleDocument).order_by(*map(col, order))).all()


def procedure_rules(db: Session, document_id: str) -> ProcedureRules:
    """Return the rules of procedure that a case runs under."""
    return ProcedureRules.from_body(db.get_one(RuleDocument, document_id).body)


def considerations(db: Session, document_id: str) -> Considerations:
    """Return the considerations that a case runs under."""
    return Considerations.from_body(db.get_one(RuleDocument, document_id).body)


@cache
def duty_rules() -> DutyRules:
    """Return the duties in a case as this version ships them."""
    return DutyRules.from_body(pack("duties"))


def title(document: RuleDocument) -> Text:
    """Return a document's title."""
    head = HEADS[document.kind]
    return text_of(document.body[head] if head else document.body)


def digest(body: dict[str, Any]) -> str:
    """Return the SHA-256 (hex) of a body's canonical JSON (RFC 8785): what a case freezes."""
    return sha256(rfc8785.dumps(body)).hexdigest()


@cache
def _read(name: str) -> bytes:
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a pack")
    return (PACKS / f"{name}.toml").read_bytes()


def pack(name: str) -> dict[str, Any]:
    """Return a rule pack as JSON values, by its name under rulepacks without suffix: `catalogues/hubei_2022`."""
    return {key: _plain(value) for key, value in tomllib.loads(_read(name).decode()).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def kind_of(body: dict[str, Any]) -> str:
    """Return the kind of document that a pack's body is."""
    return next((kind for kind, head in HEADS.items() if head in body), CONSIDERATIONS)
