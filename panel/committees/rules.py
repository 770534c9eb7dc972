"""Who sits, who stands aside, and when there is a quorum. Pure; every share is an exact fraction."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import ceil, floor
from typing import Any

from panel.accounts import rules as accounts
from panel.accounts.models import Person
from panel.committees.models import Category, RosterMember, Seat
from panel.committees.roster import Line
from panel.core.errors import Label, Reason
from panel.core.security import EVERY_ROLE, Grant, Office, Role, always, offices, roles
from panel.core.sheets import MOST_BYTES, MOST_ROWS, MOST_TEXT
from panel.core.text import TURNS, nfc, one_line, turns, unseen
from panel.core.words import CATEGORIES
from panel.rulebook.rules import DutyRules, ProcedureRules, why_not_duty

PERMISSIONS: dict[str, Grant] = {
    "committees.read": Grant(roles=EVERY_ROLE),
    "committees.see_roster": offices(Office.SYSTEM, Office.SECURITY, Office.AUDIT, Office.SECRETARY),
    "committees.see_committees": offices(Office.SYSTEM, Office.SECURITY, Office.AUDIT, Office.SECRETARY),
    "committees.keep_roster": offices(Office.SYSTEM, Office.SECRETARY),
    "committees.export_roster": offices(Office.SYSTEM, Office.SECURITY, Office.AUDIT, Office.SECRETARY),
    "interests.declare": roles(Role.CHAIR, Role.MEMBER),
    "recusals.order": roles(Role.CHAIR, Role.MEMBER, Role.SECRETARY, Role.AUTHORITY),
    "recusals.refuse": roles(Role.CHAIR, Role.SECRETARY, Role.AUTHORITY),
    "alternates.seat": roles(Role.CHAIR, Role.SECRETARY),
    "attendance.record": roles(Role.CHAIR, Role.MEMBER, Role.SECRETARY, Role.RECORDER),
}

GRAVE = {"committees.export_roster": always}

GROUNDS = {
    "near_relative": Label("Near relative of a person concerned"),
    "witness": Label("Has been a witness in the case"),
    "interest": Label("An interest of one's own or of a near relative"),
    "other": Label("Other circumstances that may affect fairness"),
}
"""The words for the grounds of recusal; which of them hold, the rules of procedure say (监察法 §67)."""

ORGAN = frozenset({Role.SECRETARY, Role.AUTHORITY})
"""Who decides on the chair's own recusal: the organ, through its secretary (公职人员政务处分法 §48)."""

CLERKS = frozenset({Role.CHAIR, Role.SECRETARY, Role.RECORDER})
"""Who may note that somebody else came or left."""

LONGEST_STATEMENT = 2000

LONGEST_LIST = MOST_TEXT
"""Characters of a list."""

MOST_LINES = MOST_ROWS - 1
"""Lines of a list, its headings left out."""

MOST_INVITED = 500
"""So many new accounts of one list are invited at once; those of a longer one when they are needed."""

NOTHING: Mapping[str, Any] = {
    "category": None, "unit": "", "expertise": "", "term_from": None, "term_until": None, "away_until": None,
    "away_why": "",
}  # fmt: skip
PLACE = tuple(NOTHING)
"""What the roster says of somebody; the columns of RosterMember that can be changed."""


@dataclass(frozen=True)
class Quorum:
    """The arithmetic of a quorum: `present` of `due` against `share` of them, at least or more than (`strict`)."""

    due: int
    present: int
    share: Fraction
    strict: bool
    missing_categories: tuple[str, ...]

    @property
    def exact(self) -> Fraction:
        """Return the exact line, such as 16/3 for two thirds of eight."""
        return self.share * self.due

    @property
    def needed(self) -> int:
        """Return the least whole number that reaches the line, or passes it where it is strict."""
        return floor(self.exact) + 1 if self.strict else ceil(self.exact)

    @property
    def met(self) -> bool:
        """Say whether enough are present, and of every required category."""
        return self.due > 0 and self.present >= self.needed and not self.missing_categories


def quorum(rules: ProcedureRules, seats: Sequence[Seat], present: Collection[str]) -> Quorum:
    """Count who is present of `seats`, the members due to attend: not recused, alternates only once moved up."""
    here = [seat for seat in seats if seat.id in present]
    count = Counter(seat.category.value for seat in here)
    missing = tuple(c for c in rules.required_categories if count[c] < rules.required_each)
    return Quorum(len(seats), len(here), rules.quorum, rules.quorum_strict, missing)


def why_not_quorum(found: Quorum) -> Reason | None:
    """Say what is missing for a quorum, with its numbers."""
    if found.due == 0 or found.present < found.needed:
        return Reason(
            "There is no quorum: %(present)s of %(due)s members due are present, %(needed)s are needed.",
            present=found.present, due=found.due, needed=found.needed,
        )  # fmt: skip
    if found.missing_categories:
        name = _named(found.missing_categories[0])
        return Reason("There is no quorum: nobody of the category “%(name)s” is present.", name=name)
    return None


COLUMNS = {
    "name": Label("Name"),
    "category": Label("Category"),
    "unit": Label("Unit"),
    "login": Label("Name to sign in with"),
    "expertise": Label("Field of expertise"),
    "term_from": Label("Term from"),
    "term_until": Label("Term until"),
    "away_until": Label("Not available until"),
    "away_why": Label("Reason for absence"),
}
"""What the roster says of somebody, as it is called on pages and at the head of lists."""

MAIL = Label("Mail address")

LONGEST = {"unit": 120, "expertise": 80, "away_why": 80}

AVAILABILITY = {
    "available": Label("Available"),
    "before": Label("Term has not begun"),
    "after": Label("Term has ended"),
    "away": Label("Not available"),
    "closed": Label("Account closed"),
}

LINE_PROBLEMS = {
    "no_name": Label("There is no name."),
    "no_category": Label("There is no category."),
    "unknown_category": Label("This category is not known."),
    "no_day": Label("“%(cell)s” is no date. Write it like this: 2026-01-31."),
    "error": Label("A formula went wrong: the cell says “%(cell)s”."),
    "twice": Label("Two lines have the same name to sign in with."),
    "taken": Label("Somebody else signs in with this name already."),
    "closed": Label("The account of this person is closed."),
}
"""What can be wrong with a line of a list."""

FLAGS = {
    "same_person": Label("Another line has the same name and unit."),
    "same_mail": Label("Another line has the same mail address."),
    "formula": Label("A cell begins like a formula. It is kept as text."),
}
"""What is told of a line that can be taken, so that somebody looks at it."""

UNREADABLE = {
    "old_workbook": Reason("This is an old workbook (.xls), or one with a password. Save it as .xlsx without one."),
    "macros": Reason("This workbook holds macros. Save it as .xlsx, which holds none."),
    "workbook": Reason("This workbook cannot be read. Save it as .xlsx, or as CSV."),
    "unfolds": Reason("This workbook unfolds to more than is read. Save only the list, in a workbook of its own."),
    "rows": Reason("A list has at most %(n)s lines.", n=MOST_LINES),
    "size": Reason("A list has at most %(n)s MB and %(m)s characters.", n=MOST_BYTES // 1024**2, m=LONGEST_LIST),
    "encoding": Reason("This file is no text that can be read. Save it as CSV or as Unicode text."),
    "quotation": Reason("A quotation mark is opened and never closed. Nothing was read."),
}
"""Why this is no list, by the code of sheets.Unreadable."""


def availability(member: RosterMember, person: Person, today: date) -> str:
    """Say by its code whether somebody can be asked to sit today: within the term, not away, the account open."""
    if person.disabled_at is not None:
        return "closed"
    if member.term_from is not None and today < member.term_from:
        return "before"
    if member.term_until is not None and member.term_until < today:
        return "after"
    return "away" if member.away_until is not None and today <= member.away_until else "available"


def why_not_place(
    *, unit: str, expertise: str, term_from: date | None, term_until: date | None, away_until: date | None,
    away_why: str, **_others: object,
) -> tuple[str, Reason] | None:  # fmt: skip
    """Say what of an entry on the roster does not hold, and in which column."""
    for column, written in (("unit", unit), ("expertise", expertise), ("away_why", away_why)):
        if turns(written):
            return column, TURNS
        if len(written) > LONGEST[column]:
            return column, Reason("This is too long: at most %(n)s characters.", n=LONGEST[column])
    if term_from is not None and term_until is not None and term_until < term_from:
        return "term_until", Reason("The term ends before it begins.")
    if away_until is not None and not away_why:
        return "away_why", Reason("Say in a few words why this person is not available.")
    if away_why and away_until is None:
        return "away_until", Reason("Say until which day this person is not available.")
    return None


def asked(line: Line) -> dict[str, Any]:
    """Return what a line says of somebody's place on the roster, by column; what its list does not have is left out."""
    said = {
        "unit": one_line(line.unit), "expertise": one_line(line.expertise), "term_from": line.term_from,
        "term_until": line.term_until, "away_until": line.away_until, "away_why": one_line(line.away_why),
    }  # fmt: skip
    return {"category": Category(line.category), **{each: value for each, value in said.items() if each in line.given}}


def place_of(member: RosterMember | None) -> dict[str, Any]:
    """Return what the roster says of somebody, by column; of somebody new, nothing yet."""
    return dict(NOTHING) if member is None else {column: getattr(member, column) for column in PLACE}


def at(column: str, why: Reason) -> Reason:
    """Say in which column something does not hold."""
    label = COLUMNS.get(column, MAIL)
    return Reason("%(column)s: %(why)s", column=Reason(label), why=why)


def line_reason(code: str, cell: str = "") -> Reason:
    """Return the sentence for what is wrong with a line; `cell` is what stands in the cell that it is about."""
    label = LINE_PROBLEMS[code]
    return Reason(label, cell=cell)


def line_problem(line: Line, account: Person | None, member: RosterMember | None) -> Reason | None:
    """Say what is wrong with a line. `account`: who signs in with its name; `member`: their place on the roster."""
    if line.problem:
        return line_reason(line.problem, line.wrong)
    wrong = _unlawful(line) or why_not_place(**{**place_of(member), **asked(line)})
    if wrong is not None:
        return at(*wrong)
    if account is None:
        return None
    if account.name != one_line(line.name) or account.fictional:
        return line_reason("taken")
    return line_reason("closed") if account.disabled_at is not None and member is None else None


def _unlawful(line: Line) -> tuple[str, Reason] | None:
    """Say which of name, name to sign in with and mail address cannot be one, and why."""
    for column, written in (("name", line.name), ("login", line.login)):
        if turns(written):
            return column, TURNS
        if marks := unseen(written):
            return column, Reason(
                "There are marks in it that nobody sees: %(marks)s. Type it anew.", marks=" ".join(marks)
            )
    checks = (
        ("name", accounts.why_not_name(one_line(line.name))), ("login", accounts.why_not_login(nfc(line.login))),
        ("mail", accounts.why_not_mail(line.mail)),
    )  # fmt: skip
    return next(((column, why) for column, why in checks if why is not None), None)


def why_not_import(problems: Sequence[Reason | None]) -> Reason | None:
    """A list is taken whole or not at all."""
    wrong = sum(problem is not None for problem in problems)
    if not problems:
        return Reason("Paste at least one line.")
    if len(problems) > MOST_LINES:
        return UNREADABLE["rows"]
    return Reason("Lines that have to be mended: %(n)s. Nothing was taken.", n=wrong) if wrong else None


@dataclass(frozen=True)
class Member:
    """Somebody who is to sit; the chair is one of the members, alternates wait."""

    person_id: str
    category: Category
    unit: str = ""
    chair: bool = False
    alternate: bool = False


def why_not_form(rules: ProcedureRules, members: Sequence[Member], handlers: Collection[str]) -> Reason | None:
    """Say why these people cannot be this case's committee (seats and their number are rules of procedure)."""
    sitting = [member for member in members if not member.alternate]
    if len(sitting) != rules.seats:
        return Reason("A committee has %(n)s seats; there are %(given)s.", n=rules.seats, given=len(sitting))
    if len({member.person_id for member in members}) < len(members):
        return Reason("Somebody would have two seats.")
    if not rules.handlers_may_sit and any(member.person_id in handlers for member in members):
        return Reason("Who handles the case has no seat in its committee.")
    return _why_not_chair(rules, sitting) or _why_not_balance(rules, sitting)


def why_not_seat(duties: DutyRules, member: Member, held: Role | None) -> Reason | None:
    """Say why somebody with a duty in the case gets no seat in its committee; `held`: what they are in it now."""
    if held in {Role.CHAIR, Role.MEMBER, Role.RECUSED}:
        return Reason("Somebody would have two seats.")
    return None if held is None else why_not_duty(duties, duty_of(member), held)


def duty_of(seat: Seat | Member) -> str:
    """Return which duty of rulepacks/duties.toml a seat is."""
    return "alternate" if seat.alternate else Role.CHAIR if seat.chair else Role.MEMBER


def _why_not_chair(rules: ProcedureRules, sitting: Sequence[Member]) -> Reason | None:
    chairs = [member for member in sitting if member.chair]
    if len(chairs) != 1:
        return Reason("A committee has one chair.")
    if chairs[0].category.value not in rules.chair_categories:
        return Reason("The chair does not come from the category “%(name)s”.", name=_named(chairs[0].category))
    return None


def _why_not_balance(rules: ProcedureRules, sitting: Sequence[Member]) -> Reason | None:
    category, most = Counter(member.category for member in sitting).most_common(1)[0]
    if rules.no_category_majority and 2 * most > len(sitting):
        return Reason("No category may hold a majority of the seats; “%(name)s” would.", name=_named(category))
    if rules.odd and len(sitting) % 2 == 0:
        return Reason("The number of seats is odd.")
    return None


def _named(category: str) -> Reason:
    return Reason(CATEGORIES.get(category, category))


def why_not_own(seat: Seat, person_id: str) -> Reason | None:
    """Members declare and stand aside for themselves."""
    return None if seat.person_id == person_id else Reason("This is another member's seat.")


def why_not_declare(rules: ProcedureRules, *, conflict: bool, ground: str, statement: str, phase: str) -> Reason | None:
    """A declaration of a conflict names its ground and says what it is (监察法 §67)."""
    if phase == "ended":
        return Reason("The hearing has ended.")
    return why_not_ground(rules, ground, statement) if conflict else _why_not_long(statement)


def why_not_ground(rules: ProcedureRules, ground: str, statement: str) -> Reason | None:
    """A recusal has one of the grounds of the rules, and words that say what it is."""
    if ground not in rules.recusal_grounds:
        return Reason("Choose the ground of the recusal.")
    if not statement:
        return Reason("Say in a few words what the circumstances are.")
    return _why_not_long(statement)


def _why_not_long(statement: str) -> Reason | None:
    if len(statement) > LONGEST_STATEMENT:
        return Reason("This is too long: at most %(n)s characters.", n=LONGEST_STATEMENT)
    return None


def why_not_order(seat: Seat, role: Role | None, own_seat: str | None) -> Reason | None:
    """Members stand aside themselves (自行回避), the chair orders others' recusal, the organ the chair's."""
    if seat.chair:
        return None if role in ORGAN else Reason("The organ decides on the chair's recusal: ask the secretary.")
    if role is Role.CHAIR or seat.id == own_seat:
        return None
    return Reason("The chair decides on the recusal of a member.")


def why_not_recuse(
    seat: Seat, successor: Seat | None, *, recused: bool, sitting: Collection[str], chair_categories: Collection[str]
) -> Reason | None:
    """A seat stands aside once; when it is the chair's, another member takes the chair at once."""
    if recused:
        return Reason("This seat is recused already.")
    if not seat.chair:
        return None
    if successor is None or successor.id not in sitting or successor.chair:
        return Reason("Name the member who takes the chair.")
    if successor.category.value not in chair_categories:
        return Reason("The chair does not come from the category “%(name)s”.", name=_named(successor.category))
    return None


def why_not_refuse(*, pending: bool, reason: str) -> Reason | None:
    """A request that waits is refused with a reason, by who would order the recusal."""
    if not pending:
        return Reason("There is no request for recusal to decide.")
    return _why_not_long(reason) if reason else Reason("Give the reason.")


def why_not_move_up(
    alternate: Seat, vacant: Mapping[str, Category], recused: Collection[str], seats: Sequence[Seat]
) -> Reason | None:
    """An alternate takes the place of a recused member of the same category; `vacant`: seat id -> category.

    Alternates have an order (人民陪审员法解释 §3): of a category the one with the lowest number moves up.
    """
    if not alternate.alternate:
        return Reason("This seat is in the committee already.")
    if alternate.id in recused:
        return Reason("This seat is recused already.")
    if alternate.category not in vacant.values():
        return Reason("No place of the category “%(name)s” is vacant.", name=_named(alternate.category))
    if (first := next_alternate(alternate.category, recused, seats)) is not None and first.number < alternate.number:
        return Reason("Seat %(n)s is the next alternate of this category.", n=first.number)
    return None


def next_alternate(category: Category, recused: Collection[str], seats: Sequence[Seat]) -> Seat | None:
    """Return the alternate of a category who is next: the one with the lowest number who does not stand aside."""
    waiting = [seat for seat in seats if seat.alternate and seat.category is category and seat.id not in recused]
    return min(waiting, key=lambda seat: seat.number, default=None)


def why_not_note(seat: Seat, own_seat: str | None, role: Role | None) -> Reason | None:
    """Members sign in themselves; chair, secretary and recorder may note it of others."""
    if seat.id == own_seat or role in CLERKS:
        return None
    return Reason("This is another member's seat.")


def why_not_arrive(seat: Seat, *, recused: bool, present: bool, phase: str) -> Reason | None:
    """Members of the roll come in, late too, until the hearing has ended."""
    if recused:
        return Reason("This seat is recused already.")
    if seat.alternate:
        return Reason("An alternate comes in once they have moved up.")
    if phase == "ended":
        return Reason("The hearing has ended.")
    if present:
        return Reason("You are recorded as present already.")
    return None


def why_not_leave(*, present: bool) -> Reason | None:
    """Who is not there cannot leave."""
    return None if present else Reason("This member is not recorded as present.")
