"""Draws are held again by whoever has the bundle: by the command and in the browser, with the same verdict on lies."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from panel.draws import actions
from panel.record.events import Level
from panel.record.note import CheckpointText, SigningKey
from panel.verify import check
from panel.verify.check import HOLDS
from tests.browser import Screens
from tests.draws.casting import drawn, fixed, of_known_key
from tests.factories import World, make_world
from tests.serving import Served, served
from tests.verify.stories import KEY, bundle, rewritten
from tests.verify.test_page_mutations import VKEY, agree, change, signed

Json = dict[str, Any]
LIES = 120


def told(content: Json, kind: str) -> Json:
    """Return the public part of the first event of a kind."""
    parts = (entry["parts"]["public"] for entry in content["entries"])
    found: Json = next(p["value"] for p in parts if isinstance(p, dict) and p["value"]["kind"] == f"draws.{kind}")
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[World]:
    """A case with a void draw and one that was held, in a log of a known key."""
    made = of_known_key(make_world(tmp_path_factory.mktemp("drawn"), template))
    made.act(actions.void, "secretary", draw_id=fixed(made), reason="监票人未公开。")
    drawn(made)
    yield made
    made.close()


@pytest.fixture(scope="module")
def honest(world: World) -> bytes:
    """The public bundle of the case."""
    return bundle(world)


def verdict(data: bytes) -> tuple[str, str]:
    """Return which check failed and with which sentence."""
    failed = check.verify(data, VKEY).failure
    return (failed.check.name, str(failed.reason)) if failed else ("", "")


@pytest.mark.parametrize("level", list(Level))
def test_a_draw_is_held_again_from_what_everybody_has(world: World, level: Level) -> None:
    report = check.verify(bundle(world, level), VKEY)
    assert (report.holds, [outcome.state for outcome in report.outcomes]) == (True, [HOLDS] * len(check.CHECKS))
    assert [str(line) for line in report.draws] == ["Draw 2: held again, with the same 8 members."]


def swap_members(content: Json) -> None:
    held = told(content, "draw_held")
    category = next(c for c, ids in held["alternates"].items() if ids)
    members, alternates = held["members"][category], held["alternates"][category]
    members[0], alternates[0] = alternates[0], members[0]


def other_pool(content: Json) -> None:
    for entry in content["entries"]:
        value = entry["parts"]["public"]
        if isinstance(value, dict) and value["value"]["kind"] == "draws.draw_prepared":
            value["value"]["candidates"].pop()


def other_root(content: Json) -> None:
    for entry in content["entries"]:
        value = entry["parts"]["public"]
        if isinstance(value, dict) and value["value"]["kind"] == "draws.draw_fixed":
            value["value"]["root"] = "00" * 32


def forged_root(content: Json) -> None:
    for entry in content["entries"]:
        value = entry["parts"]["public"]
        if isinstance(value, dict) and value["value"]["kind"] == "draws.draw_fixed":
            value["value"]["note"] = value["value"]["note"].replace("\n\n", "\nx\n\n", 1)


def other_secret(content: Json) -> None:
    told(content, "draw_held")["secrets"][1] = "ab" * 32


def other_seed(content: Json) -> None:
    told(content, "draw_held")["seed"] = "ab" * 32


def no_shape(content: Json) -> None:
    told(content, "draw_held")["secrets"] = ["ab" * 32]


def committed_late(content: Json) -> None:
    """A root that was signed before the second commitment: whoever held it could have chosen by it."""
    for entry in content["entries"]:
        value = entry["parts"]["public"]
        if isinstance(value, dict) and value["value"]["kind"] == "draws.draw_fixed":
            value["value"]["size"] = 1
            stated = CheckpointText(KEY.name, 1, bytes(32))
            value["value"] |= {"root": bytes(32).hex(), "note": KEY.sign(str(stated))}


LIES_BY_HAND: dict[str, tuple[Callable[[Json], None], str]] = {
    "another member": (swap_members, "The draw gives another result when it is held again."),
    "another pool": (other_pool, "The draw gives another result when it is held again."),
    "another root": (other_root, "The root of the draw is not the one that was signed."),
    "a forged root": (forged_root, "The root of the draw is not signed: the signature does not belong to the text."),
    "an old root": (committed_late, "The root of the draw is not younger than both commitments."),
    "another secret": (other_secret, "A secret of the draw is not the one that was committed to."),
    "another seed": (other_seed, "The seed of the draw is not made of its root and its secrets."),
    "one secret": (no_shape, "The draw has not the shape of a draw."),
}


@pytest.mark.parametrize("lie", LIES_BY_HAND)
def test_a_log_that_lies_about_a_draw_is_found_out(honest: bytes, lie: str) -> None:
    make, sentence = LIES_BY_HAND[lie]
    content = rewritten(honest)
    make(content)
    assert verdict(signed(content)) == ("draws", sentence)


def test_a_root_of_a_former_key_is_left_open(world: World, honest: bytes) -> None:
    other = SigningKey("heyi/test", bytes(range(1, 33)))
    content = rewritten(honest)
    for entry in content["entries"]:
        value = entry["parts"]["public"]
        if isinstance(value, dict) and value["value"]["kind"] == "draws.draw_fixed":
            stated = CheckpointText(KEY.name, value["value"]["size"], bytes.fromhex(value["value"]["root"]))
            value["value"]["note"] = other.sign(str(stated))
    assert verdict(signed(content)) == ("", "")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[Served]:
    """A served world, for its verify page."""
    with served(tmp_path_factory.mktemp("served"), template) as one:
        yield one


def test_the_browser_judges_every_lie_alike(running: Served, screens: Screens, honest: bytes) -> None:
    page: Page = screens.open(locale="en")
    page.goto(f"{running.origin}/verify")
    dice, files = random.Random(9), [signed(rewritten(honest))]
    for make, _ in LIES_BY_HAND.values():
        content = rewritten(honest)
        make(content)
        files.append(signed(content))
    for _ in range(LIES):
        content = rewritten(honest)
        parts = [entry["parts"]["public"] for entry in content["entries"]]
        events = [p["value"] for p in parts if isinstance(p, dict) and p["value"]["kind"].startswith("draws.")]
        change(dice.choice(events), dice, types=False)
        files.append(signed(content))
    found = agree(page, files)
    assert found[0][0] == ""
    assert len({said for name, _, said in found if name == "draws"}) >= 6
