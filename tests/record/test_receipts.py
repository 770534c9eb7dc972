"""Receipts: everybody's own acts, nobody else's; as a page, as a file, and none that would tell of a secret ballot."""

import json

import pytest
from sqlmodel import select

from panel.core import clock, words
from panel.hearings.models import Phase
from panel.record import actions as record
from panel.record import checkpoint, queries
from panel.record.commitment import decode64
from panel.record.events import EVENT_KINDS
from panel.record.models import Acknowledgement, RecordEntry
from panel.record.note import SigningKey
from panel.record.receipt import BadReceipt, Receipt
from panel.verify import receipt as verifying
from tests.factories import World
from tests.hearings.course import hold_until, vote_disposition, vote_facts

KEY = SigningKey("heyi/test", bytes(range(32)))


def held(world: World, who: str) -> list[tuple[str, bool]]:
    """Return what somebody has receipts of: kind and whether it was their own act, oldest first."""
    with world.db() as db:
        mine = queries.acknowledgements(db, world.people[who])
        return [(entry.kind, of.own) for of, entry in reversed(mine)]


def publish(world: World) -> None:
    """Publish the record as it stands."""
    checkpoint.publish(world.site.writer._engine, KEY, clock.now())  # type: ignore[attr-defined]  # the writer's own


def test_every_act_gives_its_author_a_receipt_and_nobody_else(world: World) -> None:
    hold_until(world, Phase.QUESTIONS)
    with world.db() as db:
        acts = [
            (json.loads(body.private)["actor_id"], entry.index)
            for entry, body in queries.everything(db, below=queries.head(db).size)
            if body is not None
        ]
        kept = db.exec(select(Acknowledgement)).all()
    assert sorted((of.person_id, of.index) for of in kept) == sorted((who, index) for who, index in acts if who)
    assert all(of.own for of in kept)
    assert ("committees.member_arrived", True) in held(world, "luo")
    assert held(world, "projector") == []


def test_a_receipt_is_downloaded_and_verifies_and_tells_what_its_author_did(world: World) -> None:
    hold_until(world, Phase.QUESTIONS)
    publish(world)
    with world.db() as db:
        of, entry = queries.acknowledgements(db, world.people["luo"])[0]
    answer = world.client("luo").get(f"/receipts/{of.id}/file")
    assert answer.headers["content-disposition"] == f'attachment; filename="heyi-{entry.index}.tlog-proof"'
    report = verifying.verify(answer.content, str(KEY.verifier))
    assert report.holds
    assert report.receipt is not None
    assert (report.receipt.index, report.receipt.event["actor_id"]) == (entry.index, world.people["luo"])
    assert str(Receipt.parse(answer.text)) == answer.text


@pytest.mark.parametrize("who", ["chair", "secretary", "official", "qin"])
def test_anothers_receipt_answers_like_a_missing_one(world: World, who: str) -> None:
    hold_until(world, Phase.QUESTIONS)
    publish(world)
    with world.db() as db:
        of, _ = queries.acknowledgements(db, world.people["luo"])[0]
    client = world.client(who)
    for path in (f"/receipts/{of.id}", f"/receipts/{of.id}/file"):
        missing = client.get(path.replace(of.id, "0" * 32))
        answer = client.get(path)
        assert (answer.status_code, missing.status_code) == (404, 404)
        assert len(answer.text) == len(missing.text)
        assert world.client().get(path, follow_redirects=False).status_code in (303, 401)


def test_before_the_next_checkpoint_the_page_says_when_it_is_ready(world: World) -> None:
    publish(world)
    hold_until(world, Phase.QUESTIONS)
    with world.db() as db:
        of, entry = queries.acknowledgements(db, world.people["luo"])[0]
    client = world.client("luo")
    assert "下一个签名检查点" in client.get(f"/receipts/{of.id}").text
    assert client.get(f"/receipts/{of.id}/file").status_code == 404
    listed = client.get("/receipts").text
    assert f'id="entry-{entry.index}"' in listed
    assert "下一检查点公布后可下载" in listed
    publish(world)
    assert "下载凭证" in client.get(f"/receipts/{of.id}").text


def test_a_sealed_ballot_has_no_receipt_and_its_closing_is_one_for_those_who_took_part(world: World) -> None:
    hold_until(world, Phase.MOTIONS)
    vote_facts(world)
    before = {who: held(world, who) for who in ("luo", "chair", "official")}
    vote_disposition(world)
    new = {who: held(world, who)[len(told) :] for who, told in before.items()}
    assert new["luo"] == [("votes.motion_closed", False)]
    assert ("votes.motion_closed", True) in new["chair"]
    assert new["official"] == []
    publish(world)
    with world.db() as db:
        of, entry = queries.acknowledgements(db, world.people["luo"])[0]
        receipt = queries.receipt(db, of)
    assert receipt is not None
    told = json.loads(receipt.extra)["parts"]
    assert (entry.kind, told["private"]) == ("votes.motion_closed", "withheld")
    assert world.seats["luo"] in told["public"]["value"]["participation"]
    assert "choice" not in str(receipt)


def test_an_erased_body_takes_its_receipt_along(world: World) -> None:
    hold_until(world, Phase.QUESTIONS)
    with world.db() as db:
        of, entry = queries.acknowledgements(db, world.people["luo"])[0]
    world.act(record.erase, "secretary", index=entry.index, ground="依法删除")
    publish(world)
    assert world.client("luo").get(f"/receipts/{of.id}").status_code == 404
    with world.db() as db:
        assert db.exec(select(Acknowledgement).where(Acknowledgement.index == entry.index)).all() == []
        assert db.exec(select(RecordEntry).where(RecordEntry.index == entry.index)).one().leaf == entry.leaf


def test_every_kind_of_event_has_words() -> None:
    assert set(words.EVENTS) == set(EVENT_KINDS)


@pytest.mark.parametrize(
    "text",
    [
        "", "c2sp.org/tlog-proof@v1\n",
        "c2sp.org/tlog-proof@v1\nindex 01\n\nx", "c2sp.org/tlog-proof@v1\nindex -1\n\nx",
        "c2sp.org/tlog-proof@v1\nextra ?\nindex 0\n\nx", "c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nx",
        "c2sp.org/tlog-proof@v2\nindex 0\n\nx", "c2sp.org/tlog-proof@v1\nextra AAAA\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 0\n" + "A" * 43 + "=\n" * 64 + "\nx",
    ],
)  # fmt: skip
def test_what_is_no_receipt_is_refused(text: str) -> None:
    with pytest.raises(BadReceipt):
        Receipt.parse(text)


def test_decoding_keeps_every_byte() -> None:
    receipt = Receipt(7, [bytes(32), b"\xff" * 32], "note\n", b"{}")
    assert Receipt.parse(str(receipt)) == receipt
    assert decode64(str(receipt).split("\n")[3]) == bytes(32)
