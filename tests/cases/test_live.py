"""The exhibit that is shown, and the chair's picker."""

from datetime import UTC, datetime

import pytest

from panel.cases import live, queries
from panel.core.security import INSIDE, Audience
from panel.hearings import actions as hearings
from panel.hearings.models import Phase
from tests.cases.dossier import exhibit_ids, show
from tests.factories import World
from tests.votes.chamber import hidden, to_phase

NOW = datetime(2026, 11, 23, 2, 42, tzinfo=UTC)
AUDIENCES = sorted(set(Audience) - {Audience.PUBLIC})


def seeing(world: World) -> dict[Audience, int]:
    """The audiences that see an exhibit now, with its number."""
    with world.db() as db:
        shown = {a: live.exhibit(db, world.hearing_id, a, NOW)["chosen"] for a in AUDIENCES}
    return {audience: exhibit.number for audience, exhibit in shown.items() if exhibit is not None}


def test_an_exhibit_shown_in_open_session_is_seen_by_everybody(world: World) -> None:
    assert seeing(world) == {}
    show(world, 2)
    assert seeing(world) == dict.fromkeys(AUDIENCES, 2)


def test_one_shown_behind_closed_doors_is_seen_inside(world: World) -> None:
    show(world, 1, closed=True)
    assert seeing(world) == dict.fromkeys(INSIDE, 1)
    to_phase(world, Phase.CLOSING_STATEMENT)
    assert seeing(world) == dict.fromkeys(INSIDE, 1)


def test_one_left_lying_when_the_doors_close_is_seen_inside(world: World) -> None:
    show(world, 1)
    to_phase(world, Phase.DELIBERATION)
    assert seeing(world) == dict.fromkeys(INSIDE, 1)


@pytest.mark.parametrize("who", ["chair", "luo", "official", "observer", "projector"])
def test_the_page_shows_the_text(world: World, who: str) -> None:
    show(world, 2)
    page = world.client(who).get(f"/hearings/{world.hearing_id}").text
    part = page[page.index('id="part-exhibit"') :]
    part = part[: part.index("</section>")]
    assert "党委会会议记录：某水库溢洪道闸门漏水。" in part
    assert "虚构" in part
    assert "<form" not in part


def test_without_a_showing_the_part_is_empty_but_there(world: World) -> None:
    page = world.client("observer").get(f"/hearings/{world.hearing_id}").text
    assert '<section data-part id="part-exhibit" class="card" hidden></section>' in page


@pytest.mark.parametrize("who", ["chair", "secretary"])
def test_the_picker_shows_and_puts_away(world: World, who: str) -> None:
    to_phase(world, Phase.PRESENTATION)
    client = world.client(who)
    page = f"/hearings/{world.hearing_id}"
    fields = hidden(client.get(page).text, "show-exhibit")
    assert fields["exhibit"] == exhibit_ids(world)[0]
    assert client.post(f"{page}/showings", data=fields, follow_redirects=False).status_code == 303
    assert seeing(world) == dict.fromkeys(AUDIENCES, 1)
    text = client.get(page).text
    assert "正在展示" in text
    away = hidden(text, "put-exhibit-away")
    with world.db() as db:
        showing = live.exhibits(db, world.hearing_id, world.actor(who), NOW)
    assert showing is not None
    assert client.post(f"/showings/{showing['showing'].id}/end", data=away, follow_redirects=False).status_code == 303
    assert seeing(world) == {}


def test_chair_and_secretary_have_the_picker_while_the_hearing_is_on(world: World) -> None:
    readers = ("chair", "secretary", "luo", "recorder", "handler", "official", "observer", "projector")
    assert 'data-form="show-exhibit"' not in world.client("chair").get(f"/hearings/{world.hearing_id}").text
    to_phase(world, Phase.OPENING)
    pages = {who: world.client(who).get(f"/hearings/{world.hearing_id}").text for who in readers}
    assert {who for who, page in pages.items() if 'data-form="show-exhibit"' in page} == {"chair", "secretary"}


def test_showing_reaches_observers_as_a_change(world: World) -> None:
    to_phase(world, Phase.PRESENTATION)
    client = world.client("observer")
    before = client.get(f"/hearings/{world.hearing_id}/changes?since=0").headers["panel-revision"]
    exhibit = exhibit_ids(world)[1]
    world.act(hearings.show_exhibit, "chair", hearing_id=world.hearing_id, exhibit_id=exhibit)
    answer = client.get(f"/hearings/{world.hearing_id}/changes?since={before}")
    assert answer.status_code == 200
    assert "党委会会议记录：某水库溢洪道闸门漏水。" in answer.text
    with world.db() as db:
        assert queries.exhibit(db, exhibit) is not None
