"""Under a secret vote nobody is named who has not waived it: no page, no public part, no minutes, no bundle."""

import json
from typing import Any

import pytest
from sqlmodel import col, select

from panel.cases.models import Case
from panel.core import clock
from panel.core.db import writing_engine
from panel.core.errors import Refused
from panel.dissents import actions
from panel.dissents.models import Dissent, Joining
from panel.hearings import actions as hearings
from panel.hearings import queries
from panel.hearings.models import Phase
from panel.record.checkpoint import key_at
from panel.record.events import Level
from panel.record.models import RecordBody, RecordEntry
from panel.verify.export import bundle_of
from panel.votes.models import Motion
from tests.dissents.filing import file
from tests.factories import World
from tests.hearings.course import hold_until
from tests.votes.chamber import events

CANARY = "本人在无记名表决中的立场"
EVERYBODY = (
    "chair", "luo", "qin", "secretary", "recorder", "handler", "official", "helper", "authority", "observer",
    "projector", None,
)  # fmt: skip


def ended(world: World) -> str:
    """Hold the hearing to its end; return the motion that was voted on in secret."""
    hold_until(world, Phase.ENDED)
    with world.db() as db:
        return next(m.id for m in db.exec(select(Motion)) if m.secrecy.value == "sealed")


def pages(world: World) -> dict[str | None, str]:
    """Return everything that each may read of hearing, minutes, finding, decision and file, in one text."""
    hearing, case = f"/hearings/{world.hearing_id}", f"/cases/{world.case_id}"
    told = (hearing, f"{hearing}/minutes", f"{hearing}/changes?since=0", case, f"{case}/finding", f"{case}/decision")
    paths = (*told, f"{case}/summary", "/public")
    return {
        who: "".join(client.get(path).text for path in paths) for who in EVERYBODY for client in [world.client(who)]
    }


def bundle(world: World, level: Level) -> list[dict[str, Any]]:
    """Return what the case's bundle at this level tells of dissents: both parts of each event, as far as disclosed."""
    engine = writing_engine(world.site.settings.database_url)
    with world.db() as db:
        stream = db.get_one(Case, world.case_id).record_token
    key = key_at(world.site.settings.record_key)
    made = json.loads(bundle_of(engine, key, stream=stream, level=level, now=clock.now()))
    engine.dispose()
    opened = [{name: part["value"] for name, part in e["parts"].items() if "value" in part} for e in made["entries"]]
    return [parts for parts in opened if str(parts.get("public", {}).get("kind", "")).startswith("dissents.")]


def test_without_the_waiver_nothing_is_filed_or_joined_and_nothing_left(world: World) -> None:
    secret = ended(world)
    client = world.client("luo")
    token = world.token(client, f"/hearings/{world.hearing_id}")["csrf"]
    for about in (f"motion:{secret}", "finding"):
        sent = {"csrf": token, "kind": "dissent", "about": about, "text": CANARY}
        assert client.post(f"/hearings/{world.hearing_id}/dissents", data=sent).status_code == 409
    with world.db() as db:
        assert db.exec(select(Dissent)).all() == []
        told = [*db.exec(select(RecordBody.public)), *db.exec(select(RecordBody.private))]
    assert [text for text in told if CANARY in str(text)] == []
    assert [who for who, text in pages(world).items() if CANARY in text] == []


def test_who_did_not_waive_is_not_named_beside_the_one_who_did(world: World, secret: Motion) -> None:
    dissent = file(world, "luo", secret, waives_secrecy=True, text=CANARY)
    with pytest.raises(Refused):
        world.act(actions.join, "qin", dissent_id=dissent.id)
    world.act(actions.supplement, "luo", dissent_id=dissent.id, text="补充")
    with pytest.raises(Refused):
        world.act(actions.join, "qin", dissent_id=dissent.id)
    with world.db() as db:
        assert db.exec(select(Joining)).all() == []
    assert [e["kind"] for e in events(world, "dissents.")] == ["dissents.dissent_filed", "dissents.addendum_filed"]


def test_public_parts_and_the_bundles_outside_the_panel_name_nobody(world: World) -> None:
    secret = ended(world)
    what = {"kind": "dissent", "subject_kind": "motion", "subject_id": secret, "text": CANARY, "waives_secrecy": True}
    dissent = world.act(actions.file, "luo", hearing_id=world.hearing_id, **what)
    world.act(actions.join, "qin", dissent_id=dissent.id, waives_secrecy=True)
    world.act(actions.supplement, "luo", dissent_id=dissent.id, text=CANARY)
    world.act(actions.withdraw, "luo", dissent_id=dissent.id, reason=CANARY)
    known = (world.people, world.seats)
    secrets = [CANARY, "罗正", "秦月", *(of[who] for of in known for who in ("luo", "qin"))]
    with world.db() as db:
        same = col(RecordEntry.index) == col(RecordBody.index)
        found = select(RecordBody.public).join(RecordEntry, same).where(col(RecordEntry.kind).startswith("dissents."))
        public = [str(text) for text in db.exec(found)]
    assert len(public) == 4
    assert [secret for secret in secrets if secret in "".join(public)] == []
    told = {level: json.dumps(bundle(world, level), ensure_ascii=False) for level in Level}
    named = {level: [text for text in secrets if text in said] for level, said in told.items()}
    ids = [text for text in secrets if text not in {"罗正", "秦月"}]
    assert named == {Level.PUBLIC: [], Level.PARTY: [], Level.PANEL: ids, Level.FULL: ids}


def test_the_minutes_name_who_waived_to_the_panel_and_the_authority_and_nobody_else(world: World) -> None:
    secret = ended(world)
    what = {"kind": "dissent", "subject_kind": "motion", "subject_id": secret, "text": CANARY, "waives_secrecy": True}
    dissent = world.act(actions.file, "luo", hearing_id=world.hearing_id, **what)
    world.act(actions.supplement, "luo", dissent_id=dissent.id, text="补充的文字")
    told = {who: (CANARY in text, "补充的文字" in text) for who, text in pages(world).items()}
    readers = {"chair", "luo", "qin", "secretary", "recorder", "authority"}
    assert told == {who: (who in readers, who in readers) for who in EVERYBODY}


def test_a_withdrawn_dissent_stays_in_the_minutes_as_withdrawn(world: World) -> None:
    secret = ended(world)
    what = {"kind": "dissent", "subject_kind": "motion", "subject_id": secret, "text": CANARY, "waives_secrecy": True}
    dissent = world.act(actions.file, "luo", hearing_id=world.hearing_id, **what)
    world.act(actions.withdraw, "luo", dissent_id=dissent.id, reason="已无异议")
    minutes = world.client("authority").get(f"/hearings/{world.hearing_id}/minutes").text
    assert all(words in minutes for words in (CANARY, "已撤回", "已无异议"))
    with world.db() as db:
        frozen = queries.minutes_of(db, world.hearing_id)
        assert frozen is not None
    for who in ("chair", "luo", "qin", "qian", "meng", "shi", "feng", "duan", "jiang"):
        world.act(hearings.confirm, who, minutes_id=frozen.id, confirmed=True)
    assert CANARY in world.client("authority").get(f"/hearings/{world.hearing_id}/minutes").text
