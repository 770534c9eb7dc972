"""What the tests about dossiers share: a second case, a report, a showing, and how people send forms."""

from typing import Any

from sqlmodel import select
from starlette.testclient import TestClient

from panel.cases import actions, queries
from panel.cases.models import Case, Exhibit
from panel.core.security import Role
from panel.hearings.models import Hearing, Phase, Showing
from tests.factories import World

CANARY = "核实报告的暗语"
READERS = (
    "chair",
    "luo",
    "secretary",
    "recorder",
    "handler",
    "official",
    "helper",
    "authority",
    "observer",
    "projector",
)
REPORTED = {"chair", "luo", "secretary", "recorder", "handler", "authority"}
WATCHING = {"observer", "projector"}


def empty(world: World) -> str:
    """Open a second case, without anything in it, with the handler and the secretary."""
    with world.db() as db:
        before = db.get_one(Case, world.case_id)

    def act(work: Any) -> str:
        case = actions.open_case(
            work, None, number="容评〔2026〕2号", title="另一案", official="李某", matter="另一事项。",
            considerations_id=before.considerations_id, rules_id=before.rules_id, catalogue_id=before.catalogue_id,
            fictional=True, demo_number=8,
        )  # fmt: skip
        for key, role in (("handler", Role.HANDLER), ("secretary", Role.SECRETARY)):
            actions.assign(work, None, case_id=case.id, person_id=world.people[key], role=role)
        return case.id

    return world.work(act)


def report(world: World) -> None:
    world.act(
        actions.file_verification, "handler", case_id=world.case_id, facts=f"查明{CANARY}。", recommendation="exempt",
        analysis={"motive": [{"leans": "tolerance", "text": f"动机{CANARY}"}]}, reasons="建议免责。",
    )  # fmt: skip


def show(world: World, number: int, *, closed: bool = False) -> str:
    """Show an exhibit in the hearing, as the hearings' own act would."""

    def act(work: Any) -> str:
        exhibit = work.db.exec(select(Exhibit).where(Exhibit.case_id == world.case_id, Exhibit.number == number)).one()
        work.db.get_one(Hearing, world.hearing_id).phase = Phase.DELIBERATION if closed else Phase.PRESENTATION
        work.add(Showing(hearing_id=world.hearing_id, case_id=world.case_id, exhibit_id=exhibit.id, closed=closed))
        return str(exhibit.id)

    return world.work(act)


def exhibit_ids(world: World) -> list[str]:
    with world.db() as db:
        return [e.id for e in queries.exhibits(db, world.case_id)]


def file_page(world: World, who: str, path: str = "") -> Any:
    return world.client(who).get(f"/cases/{world.case_id}{path}")


def send(client: TestClient, world: World, path: str, /, files: Any = None, **fields: Any) -> Any:
    token = world.token(client, "/cases")
    data = {"csrf": token["csrf"], **fields}
    return client.post(path, data=data, files=files, follow_redirects=False)


def upload(world: World, name: str, content: bytes, who: str = "handler", **fields: str) -> Any:
    client = world.client(who)
    return send(
        client, world, f"/cases/{world.case_id}/exhibits", files={"file": (name, content, "image/png")},
        **{"title": "照片", **fields},
    )  # fmt: skip
