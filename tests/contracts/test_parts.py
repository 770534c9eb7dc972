"""The live page's parts: which role has which, in closed session and afterwards. A new part fails until it has a row.

A capital letter has the part, a small one has its empty place (the page needs its element), the others have nothing.
"""

import re

from tests.contracts.walk import PEOPLE, REFUSED, Walk

IN_CLOSED_SESSION = {
    "part-now": "CMSRHOPABJ",
    "part-agenda": "CMSRHOPABJ",
    "part-attendance": "CMSRhopabj",
    "part-floor": "CMSRhopabj",
    "part-questions": "CMSRHOPAB",
    "part-minutes": "CMSRHOPA",
    "part-exhibit": "cmsrhopabj",
    "part-motion": "CMSRhopabj",
    "part-opinions": "CMSR",
    "part-progress": "CSR",
    "part-dissents": "cmsr",
    "part-finding": "cmsra",
    "own-chair": "C",
    "own-motions": "C",
    "own-exhibits": "CS",
    "own-notes": "SR",
    "own-declaration": "CMSR",
    "own-hand": "MShop",
    "own-question": "CMRhop",
    "own-opinion": "CM",
    "own-ballot": "CM",
    "own-dissent": "CM",
    "own-confirm": "cm",
}
AFTERWARDS = {
    "part-now": "CMSRHOPABJ",
    "part-agenda": "CMSRHOPABJ",
    "part-attendance": "CMSRHOPABJ",
    "part-floor": "CMSRHOPABJ",
    "part-questions": "CMSRHOPAB",
    "part-minutes": "CMSRHOPA",
    "part-exhibit": "cmsrhopabj",
    "part-motion": "CMSRHOPABJ",
    "part-opinions": "CMSR",
    "part-progress": "csr",
    "part-dissents": "CMSR",
    "part-finding": "CMSRA",
    "own-chair": "C",
    "own-motions": "C",
    "own-exhibits": "cs",
    "own-notes": "sr",
    "own-declaration": "CMSR",
    "own-hand": "mshop",
    "own-question": "cmrhop",
    "own-opinion": "cm",
    "own-ballot": "cm",
    "own-dissent": "CM",
    "own-confirm": "CM",
}


def parts(walk: Walk) -> dict[str, str]:
    """Return by part who has it, as in the tables above."""
    found: dict[str, str] = {}
    for letter in PEOPLE:
        answer = walk.get(letter, f"/hearings/{walk.world.hearing_id}/changes?since=-1&own=1")
        for tag in re.findall(r"<section[^>]* data-part[^>]*>|<section data-part[^>]*>", answer.text):
            name = re.findall(r'id="([a-z-]+)"', tag)[0]
            found[name] = found.get(name, "") + (letter.lower() if " hidden" in tag else letter)
    return found


def test_22_in_closed_session_every_role_has_its_own_parts_only(closed_session: Walk) -> None:
    assert parts(closed_session) == IN_CLOSED_SESSION


def test_22_afterwards_every_role_has_its_own_parts_only(ended: Walk) -> None:
    assert parts(ended) == AFTERWARDS


def test_22_who_has_no_part_in_the_case_has_no_part_of_the_page(closed_session: Walk) -> None:
    path = f"/hearings/{closed_session.world.hearing_id}/changes?since=-1&own=1"
    statuses = {letter: closed_session.get(letter, path).status_code for letter in REFUSED}
    assert statuses == REFUSED


def test_shared_parts_hold_no_form_and_no_token(closed_session: Walk) -> None:
    for letter in "CMHOABJ":
        text = closed_session.get(letter, f"/hearings/{closed_session.world.hearing_id}/changes?since=-1").text
        shared = [part for part in re.split(r"(?=<section)", text) if 'id="part-' in part.partition(">")[0]]
        assert shared != []
        assert [part for part in shared if re.search(r"<form|<input|hx-|csrf", part)] == []
