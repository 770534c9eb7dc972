"""Bad input at every form: a sentence in the reader's language, nothing half-written, never a trace, never markup."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from panel.core.forms import Form
from panel.record.models import RecordEntry
from tests import corpus
from tests.contracts.conftest import at_the_vote
from tests.contracts.walk import PEOPLE, Walk
from tests.factories import make_world

ODD = ("", " ", "\x00", "-1", "0", "99999999999999999999", "NaN", "null", "[]", "' OR 1=1 --", "字" * 70_000)
HOSTILE = (*ODD, *corpus.SCRIPTS, *corpus.TURNING, *corpus.LOOK_ALIKES)

LEFT_ALONE = {"accounts.sign_out", "accounts.sign_in", "accounts.change_password", "accounts.enter_demo"}
"""Forms that would sign the test itself out; tests/accounts has their bad input."""

TRACES = ("Traceback", "sqlalchemy", "panel/", ".py", "KeyError", "ValidationError", "pydantic")


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[Walk]:
    """A hearing at a vote, whose every form has been sent every kind of bad input by the chair and a member."""
    world = make_world(tmp_path_factory.mktemp("attacked"), template)
    walk = at_the_vote(world)
    walk.answers = [answer for letter in "CM" for answer in _attack(walk, letter)]
    yield walk
    world.close()


def _attack(walk: Walk, letter: str) -> Iterator[tuple[str, int, str]]:
    turn = 0
    for route in walk.routes():
        form: type[Form] | None = getattr(route.endpoint, "form", None)
        if form is None or route.name in LEFT_ALONE:
            continue
        path = walk.address(route)
        for field in list(form.model_fields) or [""]:
            for _ in range(3):
                turn += 1
                others = {name: HOSTILE[(turn * 7 + n) % len(HOSTILE)] for n, name in enumerate(form.model_fields)}
                answer = walk.post(letter, path, {**others, field or "strange": HOSTILE[turn % len(HOSTILE)]})
                yield route.name, answer.status_code, answer.text


def test_no_bad_input_is_an_error_of_ours(attacked: Walk) -> None:
    assert {name for name, status, _ in attacked.answers if status >= 500} == set()
    assert len({name for name, _, _ in attacked.answers}) > 30


def test_no_answer_shows_a_trace_or_takes_text_for_markup(attacked: Walk) -> None:
    assert {name for name, _, text in attacked.answers if any(trace in text for trace in TRACES)} == set()
    assert {name: found for name, _, text in attacked.answers if (found := corpus.unescaped(text))} == {}


ITS_OWN_SCRIPT = {"/verify/heyi-verify.html"}
"""A file for the disk: the script and the style in it are ours, bound by digest; it holds nothing that was typed."""


NOT_SERVING = {"/readyz": 503}
"""A world that no server serves is not ready, and says so."""


@pytest.mark.parametrize("letter", PEOPLE)
def test_32_what_was_let_in_reaches_every_reader_as_text(attacked: Walk, letter: str) -> None:
    live = f"/hearings/{attacked.world.hearing_id}/changes?since=-1&own=1"
    pages = {path: attacked.get(letter, path) for path in [live, *(path for _, path in attacked.visits("GET"))]}
    failed = {path: answer.status_code for path, answer in pages.items() if answer.status_code >= 500}
    assert failed == NOT_SERVING
    told = {path: answer.text for path, answer in pages.items() if path not in ITS_OWN_SCRIPT}
    assert {path: found for path, text in told.items() if (found := corpus.unescaped(text))} == {}


def test_the_record_holds_after_all_of_it(attacked: Walk) -> None:
    with attacked.world.db() as db:
        indexes = list(db.exec(select(RecordEntry.index).order_by(RecordEntry.index)))  # type: ignore[arg-type]
    assert indexes == list(range(len(indexes)))


BODIES = {
    "not a form": (b'{"a": 1}', "application/json"),
    "text plain": (b"csrf=x&a=b", "text/plain"),
    "no type": (b"csrf=x", ""),
    "broken escapes": (b"%zz=%&csrf=%ff%fe", "application/x-www-form-urlencoded"),
    "only ampersands": (b"&" * 5000, "application/x-www-form-urlencoded"),
    "ten thousand fields": (b"a=b&" * 10_000, "application/x-www-form-urlencoded"),
    "no boundary": (b"--x", "multipart/form-data"),
    "endless part": (b"--x\r\n" + b"A: b\r\n" * 2000, "multipart/form-data; boundary=x"),
    "a file where a text belongs": (
        b'--x\r\nContent-Disposition: form-data; name="csrf"; filename="a"\r\n\r\nv\r\n--x--\r\n',
        "multipart/form-data; boundary=x",
    ),
}


@pytest.mark.parametrize(("body", "kind"), BODIES.values(), ids=BODIES.keys())
def test_36_a_body_that_is_no_form_is_refused_by_every_form(closed_session: Walk, body: bytes, kind: str) -> None:
    client = closed_session.client("C")
    statuses = {
        name: client.post(path, content=body, headers={"content-type": kind}, follow_redirects=False).status_code
        for name, path in closed_session.visits("POST")
    }
    assert {name: status for name, status in statuses.items() if status not in {400, 410}} == {}
