"""What the tests of the opinions' pages share: writing by the forms, as a browser does."""

import re
from typing import Any

from starlette.testclient import TestClient

from panel.opinions import actions
from tests.factories import World
from tests.opinions.test_actions import KEYS, give, open_round
from tests.votes.chamber import hidden

CANARY = "封存意见的暗语"
READERS = (
    "chair", "luo", "qin", "secretary", "recorder", "handler", "official", "helper", "authority", "observer",
    "projector",
)  # fmt: skip
INSIDE = {"chair", "luo", "qin", "secretary", "recorder"}


def sealed(world: World, *, who: str = "meng") -> str:
    """Open a round in which somebody gave an opinion with the canary, and somebody drafted one."""
    round_id = open_round(world)
    give(world, who, round_id, reasons=CANARY)
    world.act(
        actions.save_draft, "shi", round_id=round_id, step="motive", revision=0,
        said={"value": 2, "reason": CANARY, "exhibits": []},
    )  # fmt: skip
    return round_id


def closed(world: World, *, who: str = "meng") -> str:
    """Close such a round."""
    round_id = sealed(world, who=who)
    world.act(actions.close_round, "secretary", round_id=round_id)
    return round_id


def step(client: TestClient, round_id: str, key: str, **fields: Any) -> Any:
    """Fill in one step of the editor and send it."""
    page = client.get(f"/rounds/{round_id}/opinion?step={key}").text
    data = {**hidden(page, "opinion-step"), **fields}
    return client.post(f"/rounds/{round_id}/opinion/draft", data=data, follow_redirects=False)


def fill(client: TestClient, round_id: str, value: str = "4") -> None:
    """Fill in every step."""
    for key in KEYS:
        step(client, round_id, key, value=value, reason="材料可以证明。", exhibits=["1"])
    step(client, round_id, "overall", recommendation="exempt", reasons="动机为公。")


def quietly(client: TestClient, round_id: str, key: str, revision: int, **fields: Any) -> Any:
    """Save a step as the page does by itself while somebody types."""
    page = client.get(f"/rounds/{round_id}/opinion?step={key}").text
    data = {**hidden(page, "opinion-step"), "revision": str(revision), **fields}
    return client.post(f"/rounds/{round_id}/opinion/draft", data=data, headers={"accept": "application/json"})


def plain(page: str) -> str:
    """Return a page without what differs between any two answers."""
    return re.sub(r"[0-9a-f]{16,}|[\w-]{22}|\d\d:\d\d(:\d\d)?|value=\"[^\"]*\"", "", page)
