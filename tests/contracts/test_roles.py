"""The role matrix: every role at every page and form. A new route fails here until somebody says who may use it.

The tables are written by hand, not read from the code: they are what `docs/security.md` promises.
"""

import re

import pytest

from tests.contracts.walk import IN_THE_CASE, OFFICES, PEOPLE, REFUSED, Walk

EVERYBODY = "".join(PEOPLE)
SIGNED_IN = EVERYBODY.replace("-", "")
NOBODY = ""
PANEL = "CM"
INSIDE = "CMSR"

LEADS_ON = {"publication.start"}
"""Addresses that only lead on to another."""

PAGES: dict[str, str] = {
    "publication.start": EVERYBODY,
    "core.healthz": EVERYBODY,
    "accounts.show_sign_in": EVERYBODY,
    "accounts.devices": SIGNED_IN,
    "accounts.show_password": SIGNED_IN,
    "cases.list": SIGNED_IN,
    "cases.show": IN_THE_CASE,
    "cases.write_questions": "CS",
    "cases.write_verification": "H",
    "cases.exhibit": "CMSRHOPA",
    "hearings.show": IN_THE_CASE,
    "hearings.changes": IN_THE_CASE,
    "draws.show": IN_THE_CASE,
    "opinions.round": INSIDE,
    "opinions.given": PANEL,
    "publication.home": EVERYBODY,
    "publication.verify": EVERYBODY,
    "publication.preview": "CSA",
    "record.keys": EVERYBODY,
    "verify.page": EVERYBODY,
    "verify.file": EVERYBODY,
    "record.receipts": SIGNED_IN,
    "record.receipt": "M",
    "rulebook.document": SIGNED_IN,
    "rulebook.documents": SIGNED_IN,
    "rulebook.duties": SIGNED_IN,
    "accounts.forgotten": EVERYBODY,
    "accounts.factors": SIGNED_IN,
    "accounts.administration": "YZU",
    "accounts.offices": "YZU",
    "accounts.people": "YZU",
    "accounts.person": "YZU",
    "accounts.sessions": "YZ",
    "accounts.mail": "Y",
    "accounts.letterhead": "Y",
    "accounts.health": "YZU",
    "committees.overview": "YZUW",
    "committees.roster": "YZUW",
    "committees.roster_import": "YW",
    "motions.turnout": "C",
    "ballots.show": PANEL,
    "ballots.state": PANEL,
}
"""Who reads a page, whatever the hour. Letters: tests/contracts/walk.PEOPLE."""

IN_CLOSED_SESSION: dict[str, str] = {
    "opinions.edit": PANEL,
    "opinions.check": PANEL,
    "hearings.minutes": INSIDE,
    "motions.show": INSIDE,
    "decisions.show_finding": NOBODY,
    "decisions.show": "A",
    "publication.summary": NOBODY,
    "publication.entry": NOBODY,
}
AFTERWARDS: dict[str, str] = {
    "opinions.edit": NOBODY,
    "opinions.check": NOBODY,
    "hearings.minutes": INSIDE + "A",
    "motions.show": IN_THE_CASE,
    "decisions.show_finding": INSIDE + "A",
    "decisions.show": "A",
    "publication.summary": NOBODY,
    "publication.entry": NOBODY,
}
AT_THE_END: dict[str, str] = AFTERWARDS | {
    "decisions.show": "CMSRHOPA",
    "publication.summary": EVERYBODY,
    "publication.entry": NOBODY,
}
"""Pages that open to more people once the results are announced and the minutes lie before the members."""

OTHERWISE: dict[tuple[str, str], int] = {
    ("cases.exhibit", "B"): 404,
    ("cases.exhibit", "J"): 404,
    ("hearings.minutes", "A"): 409,
    **{("motions.show", letter): 404 for letter in "HOPABJ"},
    **{("decisions.show", letter): 404 for letter in "CMSRHOP"},
    **{("decisions.show_finding", letter): 404 for letter in "CMSRA"},
    **{("publication.summary", letter): 404 for letter in EVERYBODY},
    **{("publication.entry", letter): 404 for letter in EVERYBODY},
    **{("record.receipt", letter): 404 for letter in SIGNED_IN if letter != "M"},
}
"""Where somebody of the case is told that there is nothing, or not yet, rather than that it is not theirs."""

ABSENT: dict[str, int] = {
    "accounts.demo": 404,
    "accounts.demo_seats": 404,
    "accounts.demo_link": 404,
    "core.readyz": 503,
    "accounts.set_up": 410,
    "accounts.passkey_to_sign_in": 404,
    "accounts.passkey_to_prove": 404,
    "accounts.passkey_to_add": 404,
    "accounts.show_administrator": 410,
    "accounts.link": 410,
    "accounts.rehearsal": 404,
    "cases.exhibit_file": 404,
    "draws.contribution": 404,
    "draws.offer": 404,
    "record.checkpoint": 404,
    "record.tile": 404,
    "record.timestamp": 404,
    "record.receipt_file": 404,
    "committees.roster_member": 404,
}
"""Pages of which these worlds hold none (no demo, no file, no checkpoint), and what the chair gets."""

FORMS: dict[str, str] = {
    "accounts.sign_in": EVERYBODY,
    "accounts.sign_out": SIGNED_IN,
    "accounts.locale": EVERYBODY,
    "accounts.display": EVERYBODY,
    "accounts.end_others": SIGNED_IN,
    "accounts.change_password": SIGNED_IN,
    "accounts.enter_demo": EVERYBODY,
    "accounts.first_letterhead": EVERYBODY,
    "accounts.make_administrator": EVERYBODY,
    "accounts.forget": EVERYBODY,
    "accounts.choose_password": EVERYBODY,
    "accounts.second_step": EVERYBODY,
    "accounts.begin_factor": SIGNED_IN,
    "accounts.confirm_factor": SIGNED_IN,
    "accounts.renew_codes": SIGNED_IN,
    "accounts.remove_factor": SIGNED_IN,
    "accounts.take_factor_away": "Y",
    "accounts.sign_in_by_passkey": EVERYBODY,
    "accounts.add_passkey": SIGNED_IN,
    "accounts.give_office": "YZ",
    "accounts.end_office": "YZ",
    "accounts.describe": "Y",
    "accounts.try_mail": "Y",
    "accounts.strike_mail": "Y",
    "accounts.add_person": "Y",
    "accounts.disable": "Y",
    "accounts.enable": "Y",
    "accounts.invite": "Y",
    "accounts.end_sessions_of": "YZ",
    "accounts.begin_rehearsal": "YW",
    "accounts.wipe_rehearsal": "YW",
    "accounts.take_seat": SIGNED_IN,
    "accounts.leave_seat": SIGNED_IN,
    "committees.import_roster": "YW",
    "committees.export_roster": "YZUW",
    "cases.file_exhibit": "HS",
    "cases.settle_questions": "CS",
    "cases.file_verification": "H",
    "committees.declare": PANEL,
    "committees.recuse": "CMSA",
    "committees.refuse_recusal": "CSA",
    "committees.seat_alternate": "CS",
    "committees.arrive": INSIDE,
    "committees.leave": INSIDE,
    "hearings.steps": "C",
    "hearings.pauses": "C",
    "hearings.resumption": "C",
    "hearings.adjournment": "C",
    "hearings.projector": "C",
    "hearings.jottings": "CMSRHOP",
    "hearings.requests": "CMSHOP",
    "hearings.request_withdrawal": "CMSHOP",
    "hearings.turns": "C",
    "hearings.turn_end": "CMSHOP",
    "hearings.turn_extension": "C",
    "hearings.questions": "CMR",
    "hearings.question_answer": "CMRHOP",
    "hearings.notes": "CSR",
    "hearings.showings": "CS",
    "hearings.showing_end": "CS",
    "hearings.confirmation": PANEL,
    "hearings.settlement": "CS",
    "opinions.submit": PANEL,
    "opinions.draft": PANEL,
    "publication.compose": "S",
    "publication.publish": "S",
    "publication.withdraw": "S",
    "publication.propose": "S",
    "publication.answer": PANEL,
    "verify.hand_out": "S",
    "draws.prepare": "S",
    "dissents.file": PANEL,
    "dissents.join": PANEL,
    "dissents.supplement": PANEL,
    "dissents.withdraw": PANEL,
    "decisions.find": "C",
    "decisions.decide": "A",
    "motions.move": "C",
    "motions.open": "C",
    "motions.last_call": "C",
    "motions.close": "C",
    "motions.annul": "C",
    "motions.repeat": "C",
    "ballots.cast": PANEL,
}
"""Who gets as far as the shape of a form; whether the act itself is lawful then is each area's own test."""

ABSENT_FORMS: dict[str, int] = {
    "accounts.end_session": 404,
    "accounts.give_back": 404,
    "accounts.remove_passkey": 404,
    "committees.change_roster_member": 404,
    "committees.remove_from_roster": 404,
    **{f"draws.{step}": 404 for step in ("fix", "void", "form", "commit", "reveal", "answer")},
}
"""Forms about what is nobody's here: a session or passkey that is not there, the demo's places, a roster, a draw."""

OF_OFFICES = frozenset(name for name, readers in {**PAGES, **FORMS}.items() if readers and set(readers) <= set(OFFICES))
"""What belongs to offices, whatever the case: everybody else who is signed in is told so."""


def refusal(name: str, letter: str) -> int:
    """Return what somebody gets for what is not theirs."""
    return 403 if name in OF_OFFICES and letter != "-" else REFUSED.get(letter, 403)


def expected_page(name: str, letter: str, readers: str) -> int:
    if letter in readers:
        return 303 if name in LEADS_ON else 200
    return OTHERWISE.get((name, letter), refusal(name, letter))


def matrix(walk: Walk, method: str) -> dict[str, dict[str, int]]:
    """Visit everything as everybody, once. Forms carry a field that none has, so that nothing is ever done."""
    if method not in walk.visited:
        walk.visited[method] = visit(walk, method)
    return walk.visited[method]


def visit(walk: Walk, method: str) -> dict[str, dict[str, int]]:
    strange = {"matrix": "x"}
    return {
        name: {
            letter: (walk.get(letter, path) if method == "GET" else walk.post(letter, path, strange)).status_code
            for letter in PEOPLE
        }
        for name, path in walk.visits(method)
    }


def check_pages(walk: Walk, table: dict[str, str]) -> None:
    found = {name: row for name, row in matrix(walk, "GET").items() if name not in ABSENT}
    due = {name: {letter: expected_page(name, letter, table[name]) for letter in PEOPLE} for name in found}
    assert found == due


def test_22_in_closed_session_every_role_reads_its_own_pages_only(closed_session: Walk) -> None:
    check_pages(closed_session, PAGES | IN_CLOSED_SESSION)


def test_22_afterwards_every_role_reads_its_own_pages_only(ended: Walk) -> None:
    check_pages(ended, PAGES | AFTERWARDS)


def test_22_at_the_end_every_role_reads_its_own_pages_only(published: Walk) -> None:
    check_pages(published, PAGES | AT_THE_END)


def test_22_what_is_not_there_is_not_there_for_anybody(closed_session: Walk) -> None:
    found = {name: row for name, row in matrix(closed_session, "GET").items() if name in ABSENT}
    assert {name: min(row.values()) >= 401 for name, row in found.items()} == dict.fromkeys(ABSENT, True)
    assert {name: row["C"] for name, row in found.items()} == ABSENT


def test_22_every_role_sends_its_own_forms_only(ended: Walk) -> None:
    found = {name: row for name, row in matrix(ended, "POST").items() if name not in ABSENT_FORMS}
    due = {name: {p: 422 if p in FORMS[name] else refusal(name, p) for p in PEOPLE} for name in found}
    assert found == due


def test_22_forms_about_nothing_of_ones_own_are_refused(ended: Walk) -> None:
    found = {name: row for name, row in matrix(ended, "POST").items() if name in ABSENT_FORMS}
    assert {name: row["C"] for name, row in found.items()} == ABSENT_FORMS
    assert [status for row in found.values() for status in row.values() if status < 401] == []


def test_the_tables_name_no_route_that_does_not_exist(closed_session: Walk) -> None:
    pages = {name for name, _ in closed_session.visits("GET")}
    forms = {name for name, _ in closed_session.visits("POST")}
    assert (set(PAGES) | set(IN_CLOSED_SESSION) | set(ABSENT)) - pages == set()
    assert (set(FORMS) | set(ABSENT_FORMS)) - forms == set()


@pytest.mark.parametrize("kind", ["cases", "exhibits", "hearings", "rounds", "motions"])
def test_24_a_foreign_thing_answers_like_one_that_is_not_there(closed_session: Walk, kind: str) -> None:
    real, missing = (closed_session.get("X", f"/{kind}/{id}") for id in (closed_session.ids[kind], "0" * 32))
    assert (real.status_code, missing.status_code) == (404, 404)
    assert scrubbed(real.text) == scrubbed(missing.text)
    assert real.headers.keys() == missing.headers.keys()


def scrubbed(page: str) -> str:
    """Take out what differs in any two answers: tokens, keys, numbers of requests."""
    return re.sub(r'value="[^"]{40,}"|nonce="[^"]*"|[0-9a-f]{16,}', "", page)
