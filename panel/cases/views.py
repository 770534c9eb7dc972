"""The dossier's pages: my cases, a case's file, its exhibits; and the forms of those who keep it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from panel.cases import actions, inspection, queries, rules
from panel.cases.forms import ExhibitForm, QuestionsForm, VerificationForm
from panel.cases.models import Case, Exhibit
from panel.core import hooks, words
from panel.core.errors import Label, NotFound, Reason, Refused, require
from panel.core.pages import Acting, Reading, act, page
from panel.core.security import Role
from panel.rulebook import queries as rulebook
from panel.rulebook.rules import ProcedureRules

SANDBOX = "default-src 'none'; sandbox"
"""An uploaded file never runs anything and knows no origin, even if a browser is made to open it as a page."""


@page("cases.list")
def list_cases(reading: Reading) -> Response:
    """List the cases in which the reader has a part."""
    mine = queries.cases_of(reading.db, reading.me)
    hearings = {case.id: hooks.hearings_of_case(reading.db, case.id) for case in mine}
    phases = {case.id: _phase(reading, case, next(iter(reversed(hearings[case.id])), None)) for case in mine}
    return reading.render(
        "cases/list.html",
        cases=mine,
        hearings=hearings,
        phases=phases,
        standings=reading.me.standings,
        leaves=hooks.waiting(reading),
    )


@page("cases.read", of=queries.case)
def show_case(reading: Reading, case: Case) -> Response:
    """Show a case's file: to each role what is theirs."""
    db, role = reading.db, reading.me.role_in(case.id)
    exhibits = _readable(reading, case)
    procedure = rulebook.procedure_rules(db, case.rules_id)
    hearing = next(iter(reversed(hooks.hearings_of_case(db, case.id))), None)
    report = queries.verification(db, case.id) if rules.reads_report(role) else None
    phase = _phase(reading, case, hearing)
    return reading.render(
        "cases/case.html",
        case=case,
        title=title(reading, case),
        role=role,
        dossier=rules.reads_dossier(role),
        reads_report=rules.reads_report(role),
        exhibits=exhibits,
        chosen=_chosen(reading, exhibits),
        questions=queries.questions(db, case.id) if rules.reads_dossier(role) else [],
        report=report,
        objections=queries.objections(db, case.id) if report is not None else [],
        considerations=rulebook.considerations(db, case.considerations_id),
        hearing=hearing,
        phase=phase,
        steps=_steps(reading, procedure, phase),
        documents=[rulebook.document(db, id) for id in (case.considerations_id, case.rules_id, case.catalogue_id)],
        title_of=rulebook.title,
        people=_people(reading, case),
        tasks=_tasks(reading, case, report is not None),
        leaves=hooks.case_file(reading, case),
        accept=",".join(f".{kind}" for kind in (*inspection.MEDIA_TYPES, *inspection.SPELLINGS)),
        most_mb=inspection.MOST_BYTES // inspection.MIB,
        images=inspection.IMAGES,
    )


def _phase(reading: Reading, case: Case, hearing: Any) -> str:
    """Return where a hearing stands as the reader is told it, or an empty text where there is none."""
    return hooks.phase_told(hearing.phase, reading.me.audience_in(case.id)) if hearing else ""


def title(reading: Reading, case: Case) -> str:
    """Return a case's title in the reader's language, where it has one."""
    return case.title_en if reading.locale == "en" and case.title_en else case.title


def _readable(reading: Reading, case: Case) -> list[Exhibit]:
    role, shown = reading.me.role_in(case.id), hooks.shown_in_open_session(reading.db, case.id)
    return [e for e in queries.exhibits(reading.db, case.id) if rules.reads_exhibit(role, e.id, shown)]


def _chosen(reading: Reading, exhibits: Sequence[Exhibit]) -> Exhibit | None:
    """Return the exhibit that the address names by its number, else the first."""
    wanted = reading.request.query_params.get("exhibit", "")
    return next((e for e in exhibits if str(e.number) == wanted), exhibits[0] if exhibits else None)


def _steps(reading: Reading, procedure: ProcedureRules, phase: str) -> list[dict[str, Any]]:
    """Return the order of business as a line, with where the hearing stands."""
    keys = [str(step["key"]) for step in procedure.order_of_business]
    now = len(keys) if phase == "ended" else keys.index(phase) if phase in keys else -1
    return [
        {
            "title": reading.gettext(words.PHASES[key]),
            "state": "done" if number < now else "now" if number == now else "next",
            "closed": bool(step["closed"]),
            "note": "",
            "time": "",
        }
        for number, (key, step) in enumerate(zip(keys, procedure.order_of_business, strict=True))
    ]


def _people(reading: Reading, case: Case) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return who has which duty since when and from whom, by role in the order of the glossary.

    Observers and screens are left out.
    """
    if not rules.reads_dossier(reading.me.role_in(case.id)):
        return []
    shown = (Role.SECRETARY, Role.RECORDER, Role.HANDLER, Role.OFFICIAL, Role.HELPER, Role.AUTHORITY)
    held = queries.assigned(reading.db, case.id, *shown)
    names = queries.people_names(reading.db, [a.person_id for a in held])
    givers = queries.names_of_givers(reading.db, case.id)
    by_role = {
        role: [
            {"name": names[a.person_id], "since": a.created_at, "by": givers.get(a.person_id, "")}
            for a in held
            if a.role is role
        ]
        for role in shown
    }
    return [(words.ROLES[role.value], people) for role, people in by_role.items() if people]


def _tasks(reading: Reading, case: Case, reported: bool) -> list[dict[str, str]]:
    """Return what the reader has to do in the dossier, done or not."""
    role, say = reading.me.role_in(case.id), reading.gettext
    listed = bool(queries.questions(reading.db, case.id))
    tasks = []
    if role is Role.HANDLER:
        tasks.append((say(Label("Verification report")), f"/cases/{case.id}/verification", reported))
    if role in {Role.CHAIR, Role.SECRETARY}:
        tasks.append((say(Label("List of factual questions")), f"/cases/{case.id}/questions", listed))
    return [
        {
            "title": name,
            "href": "" if done else href,
            "status": say(Label("Filed")) if done else say(Label("Still to do")),
            "tone": "done" if done else "warn",
            "hint": "",
        }
        for name, href, done in tasks
    ]


@page("exhibits.read", of=queries.exhibit)
def show_exhibit(reading: Reading, exhibit: Exhibit) -> Response:
    """Show one exhibit by itself."""
    case = _readable_case(reading, exhibit)
    return reading.render(
        "cases/exhibit.html", case=case, title=title(reading, case), chosen=exhibit, images=inspection.IMAGES
    )


@page("exhibits.read", of=queries.exhibit)
def send_file(reading: Reading, exhibit: Exhibit) -> Response:
    """Stream an exhibit's file to be saved, never to be run (security requirement 35)."""
    _readable_case(reading, exhibit)
    path = Path(reading.site.settings.exhibits) / exhibit.id
    if not exhibit.file_name:
        raise NotFound
    if not path.is_file():
        raise Refused(Reason("The file of this exhibit is missing. Please tell the secretary."))
    name = f"attachment; filename*=UTF-8''{quote(exhibit.file_name, safe='')}"
    headers = {"Content-Disposition": name, "Content-Security-Policy": SANDBOX, "X-Content-Type-Options": "nosniff"}
    return FileResponse(path, media_type=exhibit.media_type, headers=headers)


def _readable_case(reading: Reading, exhibit: Exhibit) -> Case:
    """Return the exhibit's case; an exhibit that is not for this reader is one that does not exist."""
    shown = hooks.shown_in_open_session(reading.db, exhibit.case_id)
    case = queries.case(reading.db, exhibit.case_id)
    if case is None or not rules.reads_exhibit(reading.me.role_in(exhibit.case_id), exhibit.id, shown):
        raise NotFound
    return case


@act("exhibits.file", of=queries.case, form=ExhibitForm)
async def file_exhibit(acting: Acting, case: Case, form: ExhibitForm) -> Response:
    """File an exhibit. Its file is on the disk before the act begins, and goes again if the act is refused."""
    sent, folder, kept = form.file, acting.site.settings.exhibits, None
    require(rules.why_not_file(form.text, sent.filename or "" if sent else ""))
    if sent is not None:
        content = await sent.read()
        kept = await anyio.to_thread.run_sync(actions.keep, folder, sent.filename or "", content)
    what = {"title": form.title, "text": form.text, "origin": form.origin, "fictional": form.fictional}
    try:
        filed = await acting.write(actions.file_exhibit, case_id=case.id, kept=kept, **what)
    except BaseException:
        if kept is not None:
            actions.drop(folder, kept)
        raise
    return acting.received(f"/cases/{case.id}?exhibit={filed.number}#reader")


@page("questions.settle", of=queries.case)
def write_questions(reading: Reading, case: Case) -> Response:
    """Show the form for the list of factual questions, or the list once it is settled."""
    listed = queries.questions(reading.db, case.id)
    return reading.render(
        "cases/questions.html", case=case, title=title(reading, case), listed=listed, texts="", checked=[]
    )


@act("questions.settle", of=queries.case, form=QuestionsForm)
async def settle_questions(acting: Acting, case: Case, form: QuestionsForm) -> Response:
    """Show the list to be checked, then settle it."""
    if form.go == "settle":
        await acting.write(actions.list_questions, case_id=case.id, texts=form.questions)
        return acting.received(f"/cases/{case.id}#questions")
    checked = form.questions if form.go == "check" else []
    return acting.render(
        "cases/questions.html", case=case, title=case.title, listed=[], texts=form.texts, checked=checked
    )


@page("verification.file", of=queries.case)
def write_verification(reading: Reading, case: Case) -> Response:
    """Show the form for the verification report."""
    return reading.render(
        "cases/verification.html",
        case=case,
        title=title(reading, case),
        filed=queries.verification(reading.db, case.id) is not None,
        considerations=rulebook.considerations(reading.db, case.considerations_id),
        outcomes=[(code, reading.gettext(word)) for code, word in words.OUTCOMES.items()],
    )


@act("verification.file", of=queries.case, form=VerificationForm)
async def file_verification(acting: Acting, case: Case, form: VerificationForm) -> Response:
    """File the verification report."""
    await acting.write(
        actions.file_verification,
        case_id=case.id,
        facts=form.facts,
        analysis=form.analysis,
        recommendation=form.recommendation.value,
        reasons=form.reasons,
        private_benefit=form.private_benefit,
        objections=form.objections,
    )
    return acting.received(f"/cases/{case.id}#verification")


routes = [
    Route("/cases", list_cases, name="cases.list"),
    Route("/cases/{id}", show_case, name="cases.show"),
    Route("/cases/{id}/exhibits", file_exhibit, methods=["POST"], name="cases.file_exhibit"),
    Route("/cases/{id}/questions", write_questions, name="cases.write_questions"),
    Route("/cases/{id}/questions", settle_questions, methods=["POST"], name="cases.settle_questions"),
    Route("/cases/{id}/verification", write_verification, name="cases.write_verification"),
    Route("/cases/{id}/verification", file_verification, methods=["POST"], name="cases.file_verification"),
    Route("/exhibits/{id}", show_exhibit, name="cases.exhibit"),
    Route("/exhibits/{id}/file", send_file, name="cases.exhibit_file"),
]
