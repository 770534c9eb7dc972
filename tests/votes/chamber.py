"""The committee in closed session, ready to vote: what the tests of votes, dissents and decisions share."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlmodel import select
from starlette.testclient import TestClient

from panel.committees import actions as committees
from panel.hearings.models import Hearing, Phase
from panel.record.models import RecordBody, RecordEntry
from panel.votes import actions, queries
from panel.votes.actions import keys
from panel.votes.models import Motion
from panel.votes.tally import Result
from panel.work import Work
from tests.factories import World
from tests.people import SEATED

EVERYBODY = tuple(someone.key for someone in SEATED)
VOTERS = tuple(key for key in EVERYBODY if key not in {"duan", "jiang"})
"""Who votes on dispositions: stakeholder and media speak only."""


def to_phase(world: World, phase: Phase) -> None:
    """Set the hearing's phase, as its own actions would."""

    def act(work: Work) -> None:
        work.db.get_one(Hearing, world.hearing_id).phase = phase

    world.work(act)


def sit(world: World, *, absent: Iterable[str] = ()) -> World:
    """Let the members come in and the hearing reach its votes."""
    to_phase(world, Phase.OPENING)
    for key in EVERYBODY:
        if key not in set(absent):
            world.act(committees.arrive, key, hearing_id=world.hearing_id)
    to_phase(world, Phase.MOTIONS)
    return world


def facts(world: World) -> list[Motion]:
    """List the questions of fact."""
    return world.act(actions.move_facts, "chair", hearing_id=world.hearing_id)


def disposition(world: World, outcome: str = "mitigate") -> Motion:
    """Move a disposition."""
    what = {"kind": "disposition", "question": f"建议对黄某容错（{outcome}）。", "outcome": outcome}
    return world.act(actions.move, "chair", hearing_id=world.hearing_id, **what)


def opened(world: World, motion: Motion) -> Motion:
    """Open voting on a motion."""
    return world.act(actions.open_motion, "chair", motion_id=motion.id)


def open_fact(world: World) -> Motion:
    """List the questions of fact and open the first."""
    return opened(world, facts(world)[0])


def open_sealed(world: World, outcome: str = "mitigate") -> Motion:
    """Move a disposition and open it; no question of fact is on the list."""
    return opened(world, disposition(world, outcome))


def cast_all(world: World, motion: Motion, choices: Mapping[str, str]) -> None:
    """Let these people vote, the chair last."""
    act = actions.cast_sealed if motion.secrecy.value == "sealed" else actions.cast
    for key in sorted(choices, key=lambda key: key == "chair"):
        reason = "" if motion.secrecy.value == "sealed" else "理由见笔录"
        world.act(act, key, motion_id=motion.id, choice=choices[key], reason=reason)


def closed(world: World, motion: Motion) -> Result:
    """Close a motion."""
    return world.act(actions.close_motion, "chair", motion_id=motion.id)


def voted(world: World, motion: Motion, *choices: str, by: Iterable[str] = VOTERS) -> Result:
    """Open a motion, let these people choose in this order, close it."""
    opened(world, motion)
    cast_all(world, motion, dict(zip(by, choices, strict=False)))
    return closed(world, motion)


def reread(world: World, motion: Motion) -> Motion:
    """Read a motion again."""
    with world.db() as db:
        found = queries.motion(db, motion.id)
    assert found is not None
    return found


def events(world: World, kind: str = "") -> list[dict[str, Any]]:
    """Return the record's events of a kind (or area), each as one JSON object of both parts."""
    with world.db() as db:
        same = RecordEntry.index == RecordBody.index
        found = db.exec(select(RecordEntry, RecordBody).join(RecordBody, same).order_by(RecordEntry.index)).all()  # type: ignore[arg-type]  # SQLModel types columns as values
    return [{**json.loads(b.public), **json.loads(b.private)} for e, b in found if e.kind.startswith(kind)]


def kinds(world: World, area: str = "votes") -> list[str]:
    """Return the kinds of an area's events, in the order of the record."""
    return [event["kind"].removeprefix(f"{area}.") for event in events(world, area)]


def key_file(world: World, motion: Motion) -> Path:
    """Return where a sealed motion's key is, or was."""
    return world.site.settings.ballot_keys / f"{motion.id}{keys.SUFFIX}"


def hidden(text: str, form: str) -> dict[str, str]:
    """Return the hidden fields of the form with this machine name on a page."""
    found = re.search(rf'<form[^>]*data-form="{form}"[^>]*>(.*?)</form>', text, re.DOTALL)
    assert found, f"no form {form}"
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', found[1]))


def post_ballot(client: TestClient, motion: Motion, choice: str, **more: str) -> Any:
    """Fill in the sheet as a browser would and send it."""
    page = client.get(f"/motions/{motion.id}/ballot", params={"replace": "1"} if "replaces" in more else {})
    fields = hidden(page.text, "cast-ballot")
    return client.post(
        f"/motions/{motion.id}/ballots", data={**fields, "choice": choice, **more}, follow_redirects=False
    )
