"""The route table: nothing without a permission, no form without its token, no page that writes, no bare answer."""

import hashlib
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from panel.accounts.forms import CodeForm, NewPasskeyForm
from panel.core import security
from panel.live.server import EVENTS, LiveServer
from tests.contracts.walk import PEOPLE, Walk
from tests.core.test_headers import ALWAYS

MOUNTED = ["/static", "/socket.io"]
"""Files, and sockets behind their gate; nothing else is served past the route table."""

BY_GET = {"accounts.demo_link", "core.readyz"}
"""What writes though it is read: the demo's links, in demo mode and nearby only, and the probe of the disk, one row of
its own (docs/security.md)."""


def test_22_every_route_has_a_permission_that_exists(closed_session: Walk) -> None:
    lacking = [
        route.path
        for route in closed_session.routes()
        if getattr(route.endpoint, "permission", None) not in security.PERMISSIONS
    ]
    assert (lacking, closed_session.mounts()) == ([], MOUNTED)


def test_22_every_socket_event_has_a_permission_that_exists(closed_session: Walk) -> None:
    live: LiveServer = closed_session.world.site.areas["live"]
    heard = set(live.sio.handlers["/"]) - {"disconnect", "*"}
    assert heard == set(EVENTS)
    assert set(EVENTS.values()) - set(security.PERMISSIONS) == set()


def test_22_every_permission_is_named_after_its_area(closed_session: Walk) -> None:
    strange = [name for name in security.PERMISSIONS if not re.fullmatch(r"[a-z]+\.[a-z_]+", name)]
    assert strange == []


def test_14_every_grave_act_is_a_form_that_can_be_sent_on(closed_session: Walk) -> None:
    ends: list[Any] = [route.endpoint for route in closed_session.routes()]
    forms = [(end.permission, end.form) for end in ends if hasattr(end, "form") and end.permission in security.GRAVE]
    assert set(security.GRAVE) - {permission for permission, _ in forms} == set()
    kept_back = {form for _, form in forms if not form.echoed}
    assert kept_back == {CodeForm, NewPasskeyForm}, "what these bring holds once, and only for who is signed in"


def test_22_every_route_has_one_method_and_a_name_of_its_own(closed_session: Walk) -> None:
    methods = {tuple(sorted((route.methods or set()) - {"HEAD"})) for route in closed_session.routes()}
    names = [route.name for route in closed_session.routes()]
    assert methods == {("GET",), ("POST",)}
    assert [name for name in names if names.count(name) > 1] == []


@pytest.mark.parametrize("letter", ["C", "-"])
def test_17_every_form_is_refused_from_elsewhere_and_without_its_token(closed_session: Walk, letter: str) -> None:
    client = closed_session.client(letter)
    visits = list(closed_session.visits("POST"))
    elsewhere = {
        name: client.post(path, headers={"sec-fetch-site": "cross-site"}, follow_redirects=False).status_code
        for name, path in visits
    }
    without = {name: client.post(path, follow_redirects=False).status_code for name, path in visits}
    assert {name: status for name, status in elsewhere.items() if status != 403} == {}
    assert {name: status for name, status in without.items() if status != 410} == {}


def test_30_every_answer_of_every_route_carries_the_headers(closed_session: Walk) -> None:
    bare = {}
    for method in ("GET", "POST", "DELETE"):
        for name, path in [*closed_session.visits("GET"), *closed_session.visits("POST")]:
            answer = closed_session.client("C").request(method, path, follow_redirects=False)
            if {header: answer.headers.get(header) for header in ALWAYS} != ALWAYS:
                bare[name] = answer.headers
            assert "content-security-policy" in answer.headers
            assert answer.headers["cache-control"] in {"no-store", "public, max-age=60"}
    assert bare == {}


def digest_of(database: Path) -> str:
    """Return a digest of every row of every table."""
    with sqlite3.connect(database) as connection:
        return hashlib.sha256("\n".join(connection.iterdump()).encode()).hexdigest()


def test_18_reading_every_page_as_everybody_changes_nothing(closed_session: Walk) -> None:
    for letter in PEOPLE:
        closed_session.client(letter)
    before = digest_of(closed_session.world.folder / "panel.sqlite")
    for letter in PEOPLE:
        for path in [path for name, path in closed_session.visits("GET") if name not in BY_GET]:
            closed_session.get(letter, path)
            if letter in "C-":
                closed_session.client(letter).head(path, follow_redirects=False)
    assert digest_of(closed_session.world.folder / "panel.sqlite") == before


def test_31_public_pages_know_nobody_and_may_be_kept(closed_session: Walk) -> None:
    public = [path for name, path in closed_session.visits("GET") if path.startswith(("/public", "/how-to-verify"))]
    assert public != []
    for path in public:
        known, unknown = closed_session.get("C", path), closed_session.get("-", path)
        assert known.text == unknown.text or re.sub(r"[0-9a-f]{16}", "", known.text) == re.sub(
            r"[0-9a-f]{16}", "", unknown.text
        )
        assert "set-cookie" not in known.headers
        if known.status_code == 200:
            assert (known.headers["cache-control"], known.headers["vary"]) == ("public, max-age=60", "Accept-Language")
