"""Who may do what with a case, what of it each reader sees, and what a file must be."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from panel.cases.models import Outcome
from panel.core.errors import Reason
from panel.core.security import EVERY_ROLE, SIGNED_IN, Grant, Role, roles
from panel.rulebook.rules import DutyRules, why_not_duty

PERMISSIONS: dict[str, Grant] = {
    "cases.list": SIGNED_IN,
    "cases.read": Grant(roles=EVERY_ROLE),
    "cases.assign": roles(Role.SECRETARY),
    "exhibits.read": Grant(roles=EVERY_ROLE),
    "exhibits.file": roles(Role.HANDLER, Role.SECRETARY),
    "questions.settle": roles(Role.CHAIR, Role.SECRETARY),
    "verification.file": roles(Role.HANDLER),
}

DOSSIER = frozenset(
    {Role.CHAIR, Role.MEMBER, Role.SECRETARY, Role.RECORDER, Role.HANDLER, Role.AUTHORITY, Role.OFFICIAL, Role.HELPER}
)
"""Who reads every exhibit and the list of questions. Observers and the projector see what was shown in open session."""

REPORT = DOSSIER - {Role.OFFICIAL, Role.HELPER}
"""Who reads the verification report: the panel and the authorities, not the party."""

LONGEST_TEXT = 60_000
LONGEST_QUESTION = 500
MOST_QUESTIONS = 40


@dataclass(frozen=True)
class Objection:
    """An objection or reservation in the original decision, as a verification report tells of it."""

    raised_by: str
    meeting: str
    held_on: str
    exhibit: int | None
    wording: str
    proven: bool
    found: str


def reads_dossier(role: Role | None) -> bool:
    """Say whether this role reads every exhibit of the case."""
    return role in DOSSIER


def reads_report(role: Role | None) -> bool:
    """Say whether this role reads the verification report."""
    return role in REPORT


def reads_exhibit(role: Role | None, exhibit_id: str, shown: Collection[str]) -> bool:
    """Say whether this role reads an exhibit; `shown` are those that were shown in open session."""
    return reads_dossier(role) or (role in EVERY_ROLE and exhibit_id in shown)


def why_not_open(number_taken: bool) -> Reason | None:
    """A case number is used once."""
    return Reason("Another case has this number.") if number_taken else None


def why_not_assign(rules: DutyRules, role: Role, held: Role | None) -> Reason | None:
    """Seats are not assignments; who has a duty in the case gets none that excludes it (rulepacks/duties.toml)."""
    if role in {Role.CHAIR, Role.MEMBER, Role.RECUSED}:
        return Reason("Members get a seat in the committee, not an assignment.")
    if held is Role.RECUSED:
        return Reason("Who is recused from a case gets no other duty in it.")
    return None if held is None else why_not_duty(rules, role, held)


def why_not_file(text: str, file_name: str) -> Reason | None:
    """An exhibit is a text or a file, not both and not nothing."""
    if bool(text) == bool(file_name):
        return Reason("Give either the text of the exhibit or a file.")
    if len(text) > LONGEST_TEXT:
        return Reason("This is too long: at most %(n)s characters.", n=LONGEST_TEXT)
    return None


def why_not_room(size: int, filed: int, most: int, most_of_case: int) -> Reason | None:
    """Files have a size each, and all of a case together; in bytes."""
    if size > most:
        return Reason("The file is too large: at most %(n)s MB.", n=most // 1024**2)
    if filed + size > most_of_case:
        return Reason("The files of this case would be more than %(n)s MB together.", n=most_of_case // 1024**2)
    return None


def why_not_list(settled: bool, texts: Sequence[str]) -> Reason | None:
    """The list of factual questions is settled once, before the hearing (人民陪审员法适用解释 §9)."""
    if settled:
        return Reason("The list of factual questions is settled. It no longer changes.")
    if not texts:
        return Reason("Write at least one question.")
    if len(texts) > MOST_QUESTIONS:
        return Reason("A list holds at most %(n)s questions.", n=MOST_QUESTIONS)
    if any(len(text) > LONGEST_QUESTION for text in texts):
        return Reason("A question has at most %(n)s characters.", n=LONGEST_QUESTION)
    if len(set(texts)) < len(texts):
        return Reason("The same question stands on the list twice.")
    return None


def why_not_report(filed: bool, facts: str, recommendation: str, analysed: Collection[str], known: Collection[str]) -> (
    Reason | None
):  # fmt: skip
    """A case has one verification report; it speaks of the considerations that the case runs under."""
    if filed:
        return Reason("The verification report is filed. It no longer changes.")
    if not facts:
        return Reason("Write what was found.")
    if recommendation not in set(Outcome):
        return Reason("Choose the outcome that the report recommends.")
    if not set(analysed) <= set(known):
        return Reason("The report speaks of a consideration that this case does not know.")
    return None


def why_not_objections(objections: Sequence[Objection], exhibits: Collection[int]) -> Reason | None:
    """An objection in the original decision counts as proven by an exhibit of this case, never by word of mouth."""
    for number, objection in enumerate(objections, start=1):
        if objection.exhibit is not None and objection.exhibit not in exhibits:
            return Reason("Objection %(n)s: this case has no exhibit %(exhibit)s.", n=number, exhibit=objection.exhibit)
        if objection.proven and objection.exhibit is None:
            return Reason("Objection %(n)s: name the exhibit that proves it.", n=number)
    return None
