"""Verifying: an honest bundle holds, and whatever was changed in it is found and named."""

import random
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from panel.record import actions
from panel.record.events import Level
from panel.record.note import SigningKey
from panel.verify import check
from panel.verify.bundle import FIELDS, LARGEST
from panel.verify.check import FAILS, HOLDS, NOT_REACHED, NOT_TRUSTED, verify
from tests.factories import World, make_world
from tests.record.sayings import NOON, append, note
from tests.verify.stories import CANARY, KEY, Teller, bundle, resealed, rewritten, tell, written

Change = Callable[[dict[str, Any]], object]
VKEY = str(KEY.verifier)


@pytest.fixture
def told(world: World) -> World:
    """A world whose case went from deliberation to decision."""
    tell(world, Teller(world.case_id).whole())
    return world


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[bytes]:
    """The public bundle of such a world, for tests that change nothing but the bundle."""
    world = make_world(tmp_path_factory.mktemp("honest"), template)
    tell(world, Teller(world.case_id).whole())
    yield bundle(world)
    world.close()


def failure(data: bytes, key: str | None = VKEY) -> tuple[str, str, str]:
    """Return check, place and sentence of the first thing that fails."""
    failed = verify(data, key).failure
    assert failed is not None
    return failed.check.name, failed.place, str(failed.reason)


@pytest.mark.parametrize("level", Level)
def test_an_honest_bundle_holds_for_every_audience(told: World, level: Level) -> None:
    report = verify(bundle(told, level), VKEY)
    assert report.failure is None
    assert [outcome.check.name for outcome in report.outcomes] == [one.name for one in check.CHECKS]
    assert {outcome.state for outcome in report.outcomes} == {HOLDS}
    assert report.trusted_key


def test_without_a_key_the_report_says_that_the_key_is_not_trusted(told: World) -> None:
    report = verify(bundle(told))
    assert (report.holds, report.trusted_key) == (True, False)
    states = {outcome.check.name: outcome.state for outcome in report.outcomes}
    assert [name for name, state in states.items() if state != HOLDS] == ["key"]
    assert states["key"] == NOT_TRUSTED


def test_a_public_bundle_shows_nothing_that_is_not_public(told: World) -> None:
    full, public = bundle(told, Level.FULL).decode(), bundle(told).decode()
    private = [CANARY, told.case_id, "e" * 32, "a" * 32, "黄某", "ballot 6 again"]
    assert [text in full for text in private] == [True] * 6
    assert [text in public for text in private] == [False] * 6


def test_each_audience_is_shown_more_than_the_one_before(told: World) -> None:
    shown = []
    for level in Level:
        entries = rewritten(bundle(told, level))["entries"]
        shown.append({(e["index"], part) for e in entries for part, value in e["parts"].items() if value != "withheld"})
    assert [one < other for one, other in pairwise(shown)] == [True] * 3
    assert len(shown[-1]) == 3 * len(entries)


def entry(at: int, *path: str, to: object) -> Change:
    """Return a change of one value of an entry."""

    def change(value: dict[str, Any]) -> None:
        inner = value["entries"][at]
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = to

    return change


ZEROS = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


def swap(value: dict[str, Any]) -> None:
    """Let two entries change places."""
    value["entries"][4], value["entries"][5] = value["entries"][5], value["entries"][4]


def top(name: str, to: object) -> Change:
    """Return a change of a field of the whole bundle."""
    return lambda value: value.__setitem__(name, to)


NAMED: dict[str, tuple[Change, tuple[str, str]]] = {
    "a disclosed value": (entry(2, "parts", "public", "value", to={"kind": "x"}), ("parts", "entries[2].parts.public")),
    "a salt": (entry(2, "parts", "public", "salt", to=ZEROS), ("parts", "entries[2].parts.public")),
    "a time": (
        entry(2, "parts", "header", "value", "time", to="2026-01-01T00:00:00.000Z"),
        ("parts", "entries[2].parts.header"),
    ),
    "a number": (entry(2, "parts", "header", "value", "seq", to=7), ("parts", "entries[2].parts.header")),
    "a commitment that is opened": (entry(2, "commitments", "public", to=ZEROS), ("parts", "entries[2].parts.public")),
    "a commitment that is not opened": (entry(6, "commitments", "private", to=ZEROS), ("proofs", "entries[6]")),
    "a proof": (lambda v: v["entries"][3]["proof"].__setitem__(0, ZEROS), ("proofs", "entries[3]")),
    "a proof that is too short": (lambda v: v["entries"][3]["proof"].pop(), ("proofs", "entries[3]")),
    "an index": (entry(3, "index", to=0), ("proofs", "entries[3]")),
    "an entry left out": (lambda v: v["entries"].pop(3), ("sequence", "entries[3]")),
    "the first entry left out": (lambda v: v["entries"].pop(0), ("sequence", "entries[0]")),
    "the last entry left out": (lambda v: v["entries"].pop(), ("length", "length")),
    "an entry doubled": (lambda v: v["entries"].insert(3, v["entries"][3]), ("sequence", "entries[4]")),
    "entries swapped": (swap, ("sequence", "entries[4]")),
    "all entries left out": (lambda v: v["entries"].clear(), ("length", "length")),
    "the case's token": (top("case", "0" * 32), ("sequence", "case")),
    "the audience": (top("audience", "party"), ("digest", "")),
    "a hole": (entry(2, "parts", "public", to="erased"), ("digest", "")),
    "something withheld": (entry(2, "parts", "public", to="withheld"), ("digest", "")),
    "the checkpoint's size": (
        lambda v: v.update(checkpoint=v["checkpoint"].replace("\n", "\n1", 1)), ("checkpoint", "checkpoint"),
    ),
    "the checkpoint": (top("checkpoint", KEY.sign("heyi/test\n1\n\n")), ("checkpoint", "checkpoint")),
    "another log's name": (
        top("checkpoint", KEY.sign(f"heyi/other\n1\n{ZEROS}\n")), ("checkpoint", "checkpoint"),
    ),
    "another signature line": (
        lambda v: v.update(checkpoint=v["checkpoint"] + "— heyi/other AAAAAAAA\n"), ("digest", ""),
    ),
    "a second line under the length": (
        lambda v: v.update(length=v["length"] + "— heyi/other AAAAAAAA\n"), ("length", "length"),
    ),
    "the length's signature": (
        lambda v: v.update(length=v["length"][:-20] + ("A" if v["length"][-20] != "A" else "B") + v["length"][-19:]),
        ("length", "length"),
    ),
    "another key": (top("key", str(SigningKey("heyi/test", bytes(32)).verifier)), ("key", "key")),
    "no key": (top("key", "heyi/test"), ("key", "key")),
    "an unknown field": (lambda v: v["entries"][1].update(more=1), ("file", "entries[1]")),
    "a missing field": (lambda v: v["entries"][1].pop("proof"), ("file", "entries[1]")),
    "an unknown part": (lambda v: v["entries"][1]["parts"].update(more=1), ("file", "entries[1].parts")),
    "a header withheld": (entry(1, "parts", "header", to="withheld"), ("file", "entries[1].parts.header")),
    "a value that is no object": (
        entry(1, "parts", "public", to={"salt": ZEROS, "value": 1}), ("file", "entries[1].parts.public.value"),
    ),
    "a time that is none": (
        entry(1, "parts", "header", "value", "time", to="noon"), ("file", "entries[1].parts.header.value.time"),
    ),
    "an index that is none": (entry(1, "index", to=True), ("file", "entries[1].index")),
    "an index below none": (entry(1, "index", to=-1), ("file", "entries[1].index")),
    "a hash that is too short": (
        entry(1, "commitments", "public", to="AAAA"), ("file", "entries[1].commitments.public"),
    ),
    "stray bits in base64": (
        entry(1, "commitments", "public", to=ZEROS[:-2] + "B="), ("file", "entries[1].commitments.public"),
    ),
    "a proof that is no list": (entry(1, "proof", to={}), ("file", "entries[1].proof")),
    "a note that is no text": (top("length", 1), ("file", "length")),
    "the format": (top("format", "heyi-bundle/v2"), ("file", "format")),
    "an audience that is none": (top("audience", "world"), ("file", "audience")),
    "no object": (lambda v: v["entries"].__setitem__(0, []), ("file", "entries[0]")),
}  # fmt: skip


@pytest.mark.parametrize("what", NAMED)
def test_what_was_changed_is_named_with_its_place(honest: bytes, what: str) -> None:
    change, expected = NAMED[what]
    value = rewritten(honest)
    change(value)
    assert failure(written(value))[:2] == expected


def test_after_the_first_failure_nothing_else_is_claimed(honest: bytes) -> None:
    value = rewritten(honest)
    entry(3, "index", to=0)(value)
    report = verify(written(value), VKEY)
    states = {outcome.check.name: outcome.state for outcome in report.outcomes}
    assert [name for name, state in states.items() if state == HOLDS] == ["file", "key", "parts", "checkpoint"]
    assert [name for name, state in states.items() if state == FAILS] == ["proofs"]
    assert set(list(states.values())[5:]) == {NOT_REACHED}
    assert str(report.failure.reason if report.failure else "") == "Entry 0 is not in the record of the checkpoint."


def test_a_missing_event_is_named_by_its_number(honest: bytes) -> None:
    value = rewritten(honest)
    gone = value["entries"].pop(3)
    after = value["entries"][3]["index"]
    assert failure(written(value)) == (
        "sequence", "entries[3]",
        f"The case's event {gone['parts']['header']['value']['seq']} is missing before entry {after}, "
        f"which is its event {gone['parts']['header']['value']['seq'] + 1}.",
    )  # fmt: skip


def test_an_entry_of_another_case_is_refused_though_it_is_in_the_record(told: World) -> None:
    told.work(lambda work: append(work.db, [note("另案"), note("另案")], NOON, stream="2" * 32))
    ours, theirs = rewritten(bundle(told)), rewritten(bundle(told, stream="2" * 32))
    index = theirs["entries"][1]["index"]
    ours["entries"].append(theirs["entries"][1])
    last = len(ours["entries"]) - 1
    assert failure(written(ours)) == ("sequence", f"entries[{last}]", f"Entry {index} belongs to another case.")
    ours["entries"] = theirs["entries"]
    assert failure(written(ours)) == ("sequence", "case", "The entries belong to another case.")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is not JSON at character 0."),
        (b"\n", "The file is not JSON at character 1."),
        (b"{", "The file is not JSON at character 1."),
        (b"\xff\xfe", "The file is not UTF-8 at byte 0."),
        (b"\xef\xbb\xbf{}\n", "The file is not JSON at character 0."),
        (b"{}", "The file is not in canonical form from byte 2 on."),
        (b"{}\n\n", "The file is not in canonical form from byte 3 on."),
        (b'{"b":1,"a":2}\n', "The file is not in canonical form from byte 2 on."),
        (b'{"a":1,"a":1}\n', "The file names a field twice."),
        (b'{"a":1.5}\n', "The file holds a number that is no whole number, or a broken text."),
        (b'{"a":1e400}\n', "The file holds a number that is no whole number, or a broken text."),
        (b'{"a":NaN}\n', "The file holds a number that is no whole number, or a broken text."),
        (b'{"a":9007199254740992}\n', "The file holds a number that is no whole number, or a broken text."),
        (b'{"a":"\\ud800"}\n', "The file holds a number that is no whole number, or a broken text."),
        (b'{"a":' + b"9" * 5000 + b"}\n", "The file holds a number that is no whole number, or a broken text."),
        (b"[" * 70 + b"]" * 70 + b"\n", "The file is nested too deeply."),
        (b"[" * 100_000 + b"]" * 100_000 + b"\n", "The file is nested too deeply."),
        (b"[]\n", f"There is no object with exactly the fields {', '.join(FIELDS)} here."),
        (bytes(LARGEST + 1), "The file is larger than any bundle."),
        (b"[" + b"[]," * 2_100_000 + b"[]]\n", "The file is larger than any bundle."),
    ],
)  # fmt: skip
def test_what_is_no_bundle_is_refused_in_words(data: bytes, sentence: str) -> None:
    assert failure(data) == ("file", "", sentence)


def test_a_truncated_file_is_refused_at_any_length(honest: bytes) -> None:
    data = honest
    for length in range(0, len(data), 97):
        assert failure(data[:length])[0] == "file"


def test_a_hole_must_be_explained_by_an_event(told: World) -> None:
    value = rewritten(bundle(told))
    value["entries"][2]["parts"].update(public="erased", private="erased")
    index = value["entries"][2]["index"]
    assert failure(resealed(told, value)) == (
        "holes", "entries[2]", f"The body of entry {index} is missing, and no event tells why.",
    )  # fmt: skip


def test_an_erased_body_leaves_a_bundle_that_holds(told: World) -> None:
    value = rewritten(bundle(told, Level.FULL))
    at = next(
        i for i, e in enumerate(value["entries"]) if e["parts"]["public"]["value"]["kind"] == "hearings.note_written"
    )
    index = value["entries"][at]["index"]
    told.act(actions.erase, "secretary", index=index, ground="依法删除")
    for level in Level:
        data = bundle(told, level)
        assert verify(data, VKEY).failure is None
        assert rewritten(data)["entries"][at]["parts"]["private"] == "erased"


def test_a_half_erased_entry_is_refused(told: World) -> None:
    told.act(actions.erase, "secretary", index=rewritten(bundle(told))["entries"][2]["index"], ground="依法删除")
    value = rewritten(bundle(told))
    value["entries"][2]["parts"]["private"] = "withheld"
    assert failure(resealed(told, value))[:2] == ("holes", "entries[2]")


def test_a_bundle_signed_by_a_stranger_holds_only_for_those_who_do_not_know_the_key(told: World) -> None:
    stranger = SigningKey("heyi/test", bytes(32))
    value = rewritten(bundle(told))
    text = value["checkpoint"].split("\n\n")[0] + "\n"
    forged = {**value, "key": str(stranger.verifier), "checkpoint": stranger.sign(text)}
    data = resealed(told, forged, stranger)
    assert failure(data) == ("key", "key", "The file was signed under another key than the one you gave.")
    report = verify(data)
    assert (report.holds, report.trusted_key) == (True, False)


@pytest.mark.timeout(600)
def test_every_single_bit_of_a_bundle_matters(world: World) -> None:
    data = bundle(world)
    assert verify(data).failure is None
    assert [bit for bit in range(8 * len(data)) if verify(flipped(data, bit)).holds] == []


def flipped(data: bytes, bit: int) -> bytes:
    """Return the data with one bit changed."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.parametrize("level", Level)
def test_bits_anywhere_in_a_bundle_of_any_audience_matter(told: World, level: Level) -> None:
    data, dice = bundle(told, level), random.Random(level)
    for _ in range(120):
        bit = dice.randrange(8 * len(data))
        assert not verify(flipped(data, bit)).holds, f"bit {bit} of the bundle for {level.name} does not matter"
