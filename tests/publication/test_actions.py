"""The summary's way: composed by a whitelist, published as previewed, withdrawn with a tombstone."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from panel.core import clock
from panel.core.errors import Refused
from panel.decisions import actions as decisions
from panel.decisions.rules import Measure
from panel.dissents import actions as dissents
from panel.dissents import queries as filed
from panel.hearings import actions as hearings
from panel.hearings import queries
from panel.hearings.models import Phase
from panel.publication import actions
from panel.publication.models import Summary, SummaryState
from panel.record.models import RecordEntry
from panel.votes import queries as motions
from tests.factories import World
from tests.hearings.course import EVERYBODY, hold_until
from tests.people import CAST

CANARY = "不得外传的保留理由：欧阳岚电话13812345678"


def decided(world: World) -> None:
    """Bring the case to its decision, with a reservation by name that must not be told by name."""
    hold_until(world, Phase.SUMMING_UP)
    with world.db() as db:
        motion = motions.motions(db, world.hearing_id)[0]
    about: dict[str, Any] = {"subject_kind": "motion", "subject_id": motion.id}
    world.act(dissents.file, "luo", hearing_id=world.hearing_id, kind="reservation", text=CANARY, **about)
    with world.db() as db:
        phase = queries.phase(db, world.hearing_id)
    world.act(hearings.next_step, "chair", hearing_id=world.hearing_id, phase=phase)
    with world.db() as db:
        minutes = queries.minutes_of(db, world.hearing_id)
        assert minutes is not None
    for key in EVERYBODY:
        world.act(hearings.confirm, key, minutes_id=minutes.id, confirmed=True)
    today = clock.now().date()
    with world.db() as db:
        answers = {d.id: "已研究。" for d in filed.of_case(db, world.case_id)}
    world.act(
        decisions.decide,
        "authority",
        case_id=world.case_id,
        outcome="exempt",
        measure="批评教育",
        reasons="动机为公，程序有瑕疵，事后补办。",
        today=today,
        measures=[Measure("完善应急采购办法", "某市河流管理局", today + timedelta(days=30))],
        answers=answers,
    )


def kinds(world: World) -> list[str]:
    """Return the kinds of publication's events in order."""
    with world.db() as db:
        found = db.exec(select(RecordEntry.kind).order_by(col(RecordEntry.index))).all()
    return [kind for kind in found if kind.startswith("publication.")]


def test_before_the_decision_there_is_no_summary(world: World) -> None:
    with pytest.raises(Refused, match="has not decided"):
        world.act(actions.compose, "secretary", case=world.case_id)
    assert kinds(world) == []


def test_the_very_text_that_was_previewed_is_published(world: World) -> None:
    decided(world)
    draft = world.act(actions.compose, "secretary", case=world.case_id)
    with pytest.raises(Refused, match="composed anew"):
        world.act(actions.publish, "secretary", case=world.case_id, body_sha256="0" * 64)
    published = world.act(actions.publish, "secretary", case=world.case_id, body_sha256=draft.body_sha256)
    assert (published.state, published.body_sha256) == (SummaryState.PUBLISHED, draft.body_sha256)
    assert kinds(world) == ["publication.summary_composed", "publication.summary_published"]
    with pytest.raises(Refused, match="stays as it is"):
        world.act(actions.compose, "secretary", case=world.case_id)
    page = world.client().get(f"/public/{published.slug}")
    assert page.status_code == 200
    assert "set-cookie" not in page.headers
    assert "容错免责" in page.text


def test_the_public_reads_no_name_and_no_number(world: World) -> None:
    decided(world)
    draft = world.act(actions.compose, "secretary", case=world.case_id)
    world.act(actions.publish, "secretary", case=world.case_id, body_sha256=draft.body_sha256)
    page = world.client().get(f"/public/{draft.slug}").text
    assert "不得外传的保留理由：欧阳某电话××" in page
    names = [someone.name for someone in CAST if someone.name not in {"黄某", "投影"}]
    assert [name for name in names if name in page] == []
    assert world.case_id not in page
    assert world.hearing_id not in page


def test_a_secret_count_that_would_betray_members_is_not_told(world: World) -> None:
    decided(world)
    draft = world.act(actions.compose, "secretary", case=world.case_id)
    (disposition,) = draft.body["dispositions"]
    assert (disposition["carried"], disposition["shown"]) == ("carried", "passed_only")
    assert "counts" not in disposition
    assert all("counts" in fact for fact in draft.body["facts"])


def test_a_draft_is_not_public(world: World) -> None:
    decided(world)
    draft = world.act(actions.compose, "secretary", case=world.case_id)
    client = world.client()
    assert client.get(f"/public/{draft.slug}").status_code == 404
    assert draft.title not in client.get("/public").text


def test_a_withdrawn_summary_leaves_a_tombstone_with_its_reason(world: World) -> None:
    decided(world)
    draft = world.act(actions.compose, "secretary", case=world.case_id)
    world.act(actions.publish, "secretary", case=world.case_id, body_sha256=draft.body_sha256)
    with pytest.raises(Refused, match="Say why"):
        world.act(actions.withdraw, "secretary", case=world.case_id, reason="")
    world.act(actions.withdraw, "secretary", case=world.case_id, reason="决定已变更。")
    page = world.client().get(f"/public/{draft.slug}")
    assert page.status_code == 410
    assert "决定已变更。" in page.text
    assert draft.body["matter"] not in page.text
    assert kinds(world)[-1] == "publication.summary_withdrawn"
    with world.db() as db:
        assert db.exec(select(Summary.state)).one() is SummaryState.WITHDRAWN


def test_only_the_secretary_publishes(world: World) -> None:
    decided(world)
    for who in ("chair", "luo", "handler", "official", "authority", "observer"):
        client = world.client(who)
        token = world.token(client, "/devices")
        answer = client.post(f"/cases/{world.case_id}/summary/composition", data={"csrf": token["csrf"], "idem": "x"})
        assert answer.status_code == 403
    assert kinds(world) == []
