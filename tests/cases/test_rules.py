"""What may be filed, listed, reported; and who reads what."""

import pytest

from panel.cases import rules
from panel.core.security import EVERY_ROLE, Role
from panel.rulebook.queries import duty_rules

OUTSIDE = {Role.OBSERVER, Role.PROJECTOR}


def said(reason: object) -> str:
    """A refusal's msgid."""
    return getattr(reason, "msgid", "")


@pytest.mark.parametrize("role", sorted(EVERY_ROLE))
def test_observers_and_screens_read_only_what_was_shown(role: Role) -> None:
    assert rules.reads_dossier(role) is (role not in OUTSIDE)
    assert rules.reads_exhibit(role, "e1", {"e2"}) is (role not in OUTSIDE)
    assert rules.reads_exhibit(role, "e2", {"e2"})


def test_the_party_reads_the_exhibits_but_not_the_report() -> None:
    assert {role for role in EVERY_ROLE if rules.reads_report(role)} == EVERY_ROLE - OUTSIDE - {
        Role.OFFICIAL, Role.HELPER,
    }  # fmt: skip


@pytest.mark.parametrize("role", [Role.RECUSED, None])
def test_the_recused_and_strangers_read_nothing(role: Role | None) -> None:
    assert not rules.reads_exhibit(role, "e1", {"e1"})
    assert not rules.reads_report(role)


@pytest.mark.parametrize("role", [Role.CHAIR, Role.MEMBER, Role.RECUSED])
def test_a_seat_is_no_assignment(role: Role) -> None:
    assert said(rules.why_not_assign(duty_rules(), role, None)).startswith("Members get a seat")


def test_who_is_recused_gets_no_other_duty() -> None:
    assert said(rules.why_not_assign(duty_rules(), Role.OBSERVER, Role.RECUSED)).startswith("Who is recused")


@pytest.mark.parametrize(
    ("text", "file_name", "good"),
    [("正文", "", True), ("", "a.pdf", True), ("正文", "a.pdf", False), ("", "", False), ("长" * 60_001, "", False)],
)
def test_an_exhibit_is_a_text_or_a_file(text: str, file_name: str, good: bool) -> None:
    assert (rules.why_not_file(text, file_name) is None) is good


@pytest.mark.parametrize(
    ("size", "filed", "good"), [(20, 0, True), (21, 0, False), (20, 180, True), (20, 181, False), (0, 200, True)]
)
def test_files_have_room_each_and_together(size: int, filed: int, good: bool) -> None:
    assert (rules.why_not_room(size, filed, 20, 200) is None) is good


@pytest.mark.parametrize(
    ("settled", "texts", "refusal"),
    [
        (False, ["甲？", "乙？"], ""),
        (True, ["甲？"], "The list of factual questions is settled. It no longer changes."),
        (False, [], "Write at least one question."),
        (False, ["甲？", "甲？"], "The same question stands on the list twice."),
        (False, ["长" * 501], "A question has at most %(n)s characters."),
        (False, [f"{n}？" for n in range(41)], "A list holds at most %(n)s questions."),
    ],
)
def test_the_list_of_questions(settled: bool, texts: list[str], refusal: str) -> None:
    assert said(rules.why_not_list(settled, texts)) == refusal


@pytest.mark.parametrize(
    ("filed", "facts", "recommendation", "analysed", "refusal"),
    [
        (False, "查明", "exempt", {"motive"}, ""),
        (True, "查明", "exempt", set(), "The verification report is filed. It no longer changes."),
        (False, "", "exempt", set(), "Write what was found."),
        (False, "查明", "forgive", set(), "Choose the outcome that the report recommends."),
        (
            False,
            "查明",
            "deny",
            {"luck"},
            "The report speaks of a consideration that this case does not know.",
        ),
    ],
)
def test_the_verification_report(
    filed: bool, facts: str, recommendation: str, analysed: set[str], refusal: str
) -> None:
    assert said(rules.why_not_report(filed, facts, recommendation, analysed, {"motive"})) == refusal
