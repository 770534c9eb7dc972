"""Rehearsals: held on a real installation beside its own cases, and wiped so that nothing of them is left to read."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from sqlmodel import Session, col, select

from panel.accounts.models import Person
from panel.accounts.views.desk import desk
from panel.cases.models import Case
from panel.cli.rehearse import Rehearsals
from panel.cli.seed import REHEARSAL, file_rehearsal
from panel.core.security import DOOR_KEY
from panel.publication import actions as publication
from panel.record.models import RecordBody, RecordEntry
from panel.verify import audit as auditing
from tests.contracts.conftest import DISSENT, decide, end
from tests.factories import ORIGIN, World, make_world
from tests.people import OFFICERS, SYSTEM


@pytest.fixture
def rehearsed(tmp_path: Path, template: Path) -> Iterator[World]:
    """A world whose own case was a rehearsal, held to its published summary; a real case and real people beside it."""
    world = make_world(tmp_path / "rehearsed", template)
    end(world)
    decide(world)
    world.work(lambda work: _real(world, work.db))
    made = world.act(publication.compose, "secretary", case=world.case_id)
    world.act(publication.publish, "secretary", case=world.case_id, body_sha256=made.body_sha256)
    desk(world.site).rehearsal = Rehearsals(world.site)
    yield world
    world.close()


def _real(world: World, db: Session) -> None:
    """Make the officers real people."""
    for officer in OFFICERS:
        db.get_one(Person, world.people[officer.key]).fictional = False


def texts(world: World) -> list[str]:
    """Return every text that any table holds."""
    with closing(sqlite3.connect(world.folder / "panel.sqlite")) as connection:
        return [line for line in connection.iterdump() if line.startswith("INSERT")]


def wipe(world: World) -> httpx2.Response:
    client = world.client(SYSTEM.key)
    return client.post("/rehearsal/wiping", data=world.token(client, "/rehearsal"), follow_redirects=False)


def test_nothing_of_a_wiped_rehearsal_is_left_to_read_and_the_record_still_holds(rehearsed: World) -> None:
    told = ("水库溢洪道闸门", DISSENT, "欧阳岚", "完善巡检制度")
    assert all(any(text in line for line in texts(rehearsed)) for text in told)
    assert wipe(rehearsed).status_code == 303
    left = texts(rehearsed)
    assert [line for line in left for text in told if text in line] == []
    ids = [rehearsed.case_id, rehearsed.people["luo"], rehearsed.people["official"]]
    assert [line[:160] for line in left for id in ids if id in line and "record_" not in line] == []
    with rehearsed.db() as db:
        assert [one.problem for one in auditing.audit(db) if one.problem is not None] == []
        assert db.exec(select(Person.id).where(col(Person.fictional))).all() == []


def test_the_bytes_are_gone_from_the_file_as_well(rehearsed: World) -> None:
    assert wipe(rehearsed).status_code == 303
    rehearsed.close()
    content = b"".join(file.read_bytes() for file in rehearsed.folder.glob("panel.sqlite*"))
    assert [text for text in (DISSENT, "完善巡检制度") if text.encode() in content] == []


def test_who_wiped_stands_on_the_record_and_the_installation_stays(rehearsed: World) -> None:
    with rehearsed.db() as db:
        before = len(db.exec(select(RecordBody.index)).all())
    assert wipe(rehearsed).status_code == 303
    with rehearsed.db() as db:
        erasures = [
            body for entry, body in db.exec(select(RecordEntry, RecordBody).join(RecordBody)).all()
            if entry.kind == "record.body_erased"
        ]  # fmt: skip
        assert len(erasures) == before > 100
        (wiped,) = [
            body for entry, body in db.exec(select(RecordEntry, RecordBody).join(RecordBody)).all()
            if entry.kind == "accounts.rehearsal_wiped"
        ]  # fmt: skip
        assert f'"actor_id":"{rehearsed.people[SYSTEM.key]}"' in wiped.private
        assert f'"entries":{before}' in wiped.public
        assert {"清除演练数据。" in body.public for body in erasures} == {True}
        assert {person.login for person in db.exec(select(Person)).all()} == {officer.key for officer in OFFICERS}
    assert rehearsed.client("clerk").get("/rehearsal").status_code == 200
    client = rehearsed.client(SYSTEM.key)
    assert client.post("/rehearsal/wiping", data=rehearsed.token(client, "/rehearsal")).status_code == 200


def of_nobody(line: str) -> bool:
    """Say whether a row is neither of the record nor of the rulebook, which both keep what came with the rehearsal."""
    return not any(table in line for table in ("record_", "rule_document", '"acknowledgement"'))


def test_a_rehearsal_beside_a_real_case_is_wiped_alone(world: World) -> None:
    def real(db: Session) -> None:
        db.get_one(Case, world.case_id).fictional = False
        for person in db.exec(select(Person)).all():
            person.fictional = False

    world.work(lambda work: real(work.db))
    rehearsals = Rehearsals(world.site)
    before = texts(world)
    world.act(rehearsals.file, SYSTEM.key)
    with world.db() as db:
        assert rehearsals.left(db)
        assert {person.login[: len(REHEARSAL)] for person in db.exec(select(Person).where(col(Person.fictional)))} == {
            REHEARSAL
        }
    world.act(rehearsals.wipe, SYSTEM.key)
    assert [line for line in texts(world) if of_nobody(line)] == [line for line in before if of_nobody(line)]
    with world.db() as db:
        assert not rehearsals.left(db)
        assert [one.problem for one in auditing.audit(db) if one.problem is not None] == []


def test_a_second_rehearsal_wipes_the_first(world: World) -> None:
    world.work(lambda work: _real(world, work.db))
    rehearsals = Rehearsals(world.site)
    world.act(rehearsals.file, SYSTEM.key)
    world.act(rehearsals.file, SYSTEM.key)
    with world.db() as db:
        assert len(db.exec(select(Case).where(col(Case.fictional))).all()) == 1


def test_its_doors_open_to_the_key_alone_and_its_accounts_to_no_password(world: World) -> None:
    rehearsals = desk(world.site).rehearsal = Rehearsals(world.site)
    case = world.work(lambda work: file_rehearsal(work, 6))
    rehearsals._filed = case
    desk(world.site).door_key = "k" * 43
    assert world.client().get("/demo").status_code == 404
    assert world.client().get("/demo", headers={DOOR_KEY: "j" * 43}).status_code == 404
    with world.db() as db:
        someone = db.exec(select(Person).where(col(Person.login).startswith(REHEARSAL))).first()
    assert someone is not None
    client = world.client()
    for password in ("", "!", "!!!!!!!!!!!!"):
        csrf = world.token(client, "/sign-in")["csrf"]
        sent = {"csrf": csrf, "login": someone.login, "password": password}
        assert client.post("/sign-in", data=sent).status_code == 401


def test_a_seat_is_taken_and_left_without_signing_in_anew(rehearsed: World) -> None:
    from panel.accounts.queries import Demo, DemoPlace
    from panel.core.errors import Reason

    rehearsal = desk(rehearsed.site).rehearsal
    assert rehearsal is not None
    rehearsal.running = True
    place = DemoPlace("luo", "罗正", Reason("Rehearsal"), Reason("Rehearsal"), f"/hearings/{rehearsed.hearing_id}")
    desk(rehearsed.site).demo = Demo([place], "")
    client = rehearsed.client("clerk")
    fields = rehearsed.token(client, "/rehearsal")
    answer = client.post("/rehearsal/seats/luo", data=fields, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, place.path)
    page = client.get(f"/cases/{rehearsed.case_id}")
    assert (page.status_code, "回到我的账户" in page.text, "罗正" in page.text) == (200, True, True)
    assert client.post("/rehearsal/seats/chair", data=rehearsed.token(client, "/rehearsal")).status_code == 404
    answer = client.post("/rehearsal/leaving", data=rehearsed.token(client, "/rehearsal"), follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/rehearsal")
    assert client.get(f"/cases/{rehearsed.case_id}").status_code == 404
    assert "文书" in client.get("/rehearsal").text


def test_a_seat_outside_the_rehearsal_cannot_be_taken(rehearsed: World) -> None:
    from panel.accounts.queries import Demo

    rehearsal = desk(rehearsed.site).rehearsal
    assert rehearsal is not None
    rehearsal.running, desk(rehearsed.site).demo = True, Demo([], "")
    client = rehearsed.client("clerk")
    fields = rehearsed.token(client, "/rehearsal")
    for login in ("system", "luo", "nobody"):
        assert client.post(f"/rehearsal/seats/{login}", data=fields).status_code == 404


def test_only_administration_and_secretary_begin_one(rehearsed: World) -> None:
    for who, status in (("audit", 403), ("stranger", 403), ("luo", 403)):
        client = rehearsed.client(who)
        sent = {"csrf": rehearsed.token(client, "/rehearsal")["csrf"]}
        assert client.post("/rehearsal", data=sent, headers={"origin": ORIGIN}).status_code == status
