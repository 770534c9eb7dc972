"""Writes of the dossier. What is filed is never edited."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import rfc8785

from panel.accounts import queries as accounts
from panel.cases import inspection, queries, rules
from panel.cases.events import (
    CaseOpened,
    ExhibitFiled,
    ObjectionExamined,
    PersonAssigned,
    QuestionsListed,
    VerificationFiled,
)
from panel.cases.models import (
    Assignment,
    Case,
    Exhibit,
    FactualQuestion,
    OriginalObjection,
    Outcome,
    Track,
    VerificationReport,
)
from panel.cases.rules import Objection
from panel.core import ids, security, text
from panel.core.errors import NotFound, Reason, Refused, require
from panel.core.security import Actor, Role
from panel.rulebook import queries as rulebook
from panel.rulebook.models import RuleDocument
from panel.work import Work


def open_case(
    work: Work, actor: Actor | None, *, number: str, title: str, official: str, matter: str,
    considerations_id: str, rules_id: str, catalogue_id: str, track: Track = Track.APPLICATION,
    title_en: str = "", official_post: str = "", place: str = "", sources: Sequence[str] = (),
    fictional: bool = False, demo_number: int | None = None,
) -> Case:  # fmt: skip
    """Open a case under these versions of the rules; it runs under them to its end."""
    require(rules.why_not_open(queries.by_number(work.db, number) is not None))
    frozen = {
        name: work.db.get_one(RuleDocument, id).body_sha256
        for name, id in (("considerations", considerations_id), ("rules", rules_id), ("catalogue", catalogue_id))
    }
    case = work.add(
        Case(
            number=number, title=title, title_en=title_en, official=official, official_post=official_post, place=place,
            track=track, matter=matter, considerations_id=considerations_id, rules_id=rules_id,
            catalogue_id=catalogue_id, sources=list(sources), fictional=fictional, demo_number=demo_number,
            opened_at=work.now,
        )
    )  # fmt: skip
    work.record(
        CaseOpened(
            case_id=case.id, actor_id=_id(actor), number=number, track=track.value, title=title, official=official,
            matter_sha256=_digest(matter), considerations_sha256=frozen["considerations"],
            rules_sha256=frozen["rules"], catalogue_sha256=frozen["catalogue"], fictional=fictional,
        )
    )  # fmt: skip
    return case


def assign(work: Work, actor: Actor | None, *, case_id: str, person_id: str, role: Role) -> Assignment:
    """Give somebody a duty in the case."""
    _case(work, actor, case_id, "cases.assign")
    held = security.standings_of(work.db, person_id).get(case_id)
    require(rules.why_not_assign(rulebook.duty_rules(), role, held.role if held else None))
    require(accounts.why_not_part(work.db, person_id))
    assignment = work.add(Assignment(case_id=case_id, person_id=person_id, role=role))
    work.record(PersonAssigned(case_id=case_id, actor_id=_id(actor), role=role.value, person_id=person_id))
    return assignment


@dataclass(frozen=True)
class Kept:
    """A file on the disk under a random name, outside the web's root and not yet on the record."""

    id: str
    file_name: str
    media_type: str
    size: int
    sha256: str


def keep(folder: Path, file_name: str, content: bytes) -> Kept:
    """Check that a file is what it says and store it; it is on the disk when this returns."""
    name = text.one_line(file_name.replace("\\", "/").rpartition("/")[2])
    require(text.why_not_title(name))
    require(rules.why_not_room(len(content), 0, inspection.MOST_BYTES, inspection.MOST_BYTES_OF_CASE))
    kept = Kept(ids.new_id(), name, media_type(name, content), len(content), sha256(content).hexdigest())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(folder / kept.id, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return kept


def drop(folder: Path, kept: Kept) -> None:
    """Remove a file whose exhibit was refused."""
    (folder / kept.id).unlink(missing_ok=True)


def media_type(name: str, content: bytes) -> str:
    """Return what a file is; a file that is not what it says is refused in words."""
    kind = inspection.ending(name)
    if kind not in inspection.MEDIA_TYPES:
        raise Refused(
            Reason("Files of this kind are not taken. Taken are: %(kinds)s.", kinds=", ".join(inspection.MEDIA_TYPES))
        )
    try:
        return inspection.inspect(name, content)
    except inspection.NotWhatItSays:
        raise Refused(
            Reason("The file is not what it says: it is called .%(kind)s and is not one.", kind=kind)
        ) from None
    except inspection.TooMuch:
        raise Refused(Reason("The file would unfold to too much. Please send it in parts, or smaller.")) from None


def file_exhibit(
    work: Work, actor: Actor | None, *, case_id: str, title: str, text: str = "", kept: Kept | None = None,
    origin: str = "", fictional: bool = False, filed_by: str | None = None,
) -> Exhibit:  # fmt: skip
    """File an exhibit: a text that is read in place, or a file that was kept."""
    case = _case(work, actor, case_id, "exhibits.file")
    require(rules.why_not_file(text, kept.file_name if kept else ""))
    filed = queries.filed_bytes(work.db, case.id)
    size = kept.size if kept else len(text.encode())
    require(rules.why_not_room(kept.size if kept else 0, filed, inspection.MOST_BYTES, inspection.MOST_BYTES_OF_CASE))
    digest = kept.sha256 if kept else _digest(text)
    exhibit = work.add(
        Exhibit(
            id=kept.id if kept else ids.new_id(), case_id=case.id, number=queries.next_exhibit(work.db, case.id),
            title=title, origin=origin, text=text, file_name=kept.file_name if kept else "",
            media_type=kept.media_type if kept else "text/plain", size=size, sha256=digest, fictional=fictional,
            filed_by=filed_by or _id(actor) or "",
        )
    )  # fmt: skip
    work.record(
        ExhibitFiled(
            case_id=case.id, actor_id=_id(actor), exhibit_id=exhibit.id, number=exhibit.number, title=title,
            sha256=digest, size=size,
        )
    )  # fmt: skip
    return exhibit


def list_questions(work: Work, actor: Actor | None, *, case_id: str, texts: Sequence[str]) -> list[FactualQuestion]:
    """Settle the list of factual questions (事实问题清单)."""
    case = _case(work, actor, case_id, "questions.settle")
    require(rules.why_not_list(bool(queries.questions(work.db, case.id)), texts))
    listed = [
        work.add(FactualQuestion(case_id=case.id, number=number, text=question))
        for number, question in enumerate(texts, start=1)
    ]
    work.record(
        QuestionsListed(
            case_id=case.id, actor_id=_id(actor), texts=list(texts), texts_sha256=[_digest(text) for text in texts]
        )
    )
    return listed


def file_verification(
    work: Work, actor: Actor | None, *, case_id: str, facts: str, analysis: Mapping[str, Sequence[Mapping[str, str]]],
    recommendation: str, reasons: str = "", private_benefit: str = "", objections: Sequence[Objection] = (),
    filed_by: str | None = None,
) -> VerificationReport:  # fmt: skip
    """File the verification report. `analysis`: per consideration [{"leans": "tolerance" or "against", "text"}].

    `objections`: those in the original decision that it examined.
    """
    case = _case(work, actor, case_id, "verification.file")
    known = rulebook.considerations(work.db, case.considerations_id).keys
    filed = queries.verification(work.db, case.id) is not None
    require(rules.why_not_report(filed, facts, recommendation, analysis.keys(), known))
    body: dict[str, Any] = {
        "facts": facts,
        "analysis": {key: [dict(point) for point in points] for key, points in analysis.items()},
        "private_benefit": private_benefit,
        "recommendation": recommendation,
        "reasons": reasons,
    }
    numbers = {exhibit.number for exhibit in queries.exhibits(work.db, case.id)}
    require(rules.why_not_objections(objections, numbers))
    report = work.add(
        VerificationReport(
            case_id=case.id, filed_by=filed_by or _id(actor) or "",
            **{**body, "recommendation": Outcome(recommendation)},
        )
    )  # fmt: skip
    digest = sha256(rfc8785.dumps({**body, "objections": [vars(each) for each in objections]})).hexdigest()
    work.record(
        VerificationFiled(case_id=case.id, actor_id=_id(actor), recommendation=recommendation, report_sha256=digest)
    )
    work.db.flush()  # the objections refer to the row
    for number, each in enumerate(objections, start=1):
        work.add(OriginalObjection(report_id=report.id, case_id=case.id, number=number, **vars(each)))
        work.record(ObjectionExamined(case_id=case.id, actor_id=_id(actor), number=number, **vars(each)))
    return report


def _case(work: Work, actor: Actor | None, case_id: str, action: str) -> Case:
    """Load the case and ask once more, inside the act, whether the person may; the command line has no person."""
    case = queries.case(work.db, case_id)
    if case is None:
        raise NotFound
    if actor is not None:
        security.authorize(actor, action, case)
    return case


def _id(actor: Actor | None) -> str | None:
    return actor.person_id if actor else None


def _digest(written: str) -> str:
    return sha256(written.encode()).hexdigest()
