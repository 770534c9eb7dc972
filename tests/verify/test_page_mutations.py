"""Python and JavaScript judge alike: flipped bits, changed bundles, receipts, lies that the log itself has signed."""

import json
import random
from collections.abc import Iterator, Sequence
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from panel.record import merkle, queries
from panel.record.commitment import PARTS, canonical, commit, decode64, encode64, leaf_data
from panel.record.events import Level
from panel.record.note import CheckpointText, SigningKey
from panel.verify import check, receipt
from panel.verify.bundle import seal
from panel.verify.check import FAILS, Report
from tests.browser import Screens
from tests.factories import make_world
from tests.serving import Served, served
from tests.verify.stories import KEY, Teller, bundle, rewritten, tell, written
from tests.verify.test_check import NAMED, flipped

VKEY = str(KEY.verifier)
BITS, CHANGES, LIES = 180, 120, 120
AT_ONCE = 40
VERDICT = tuple[str, str, str]
Json = dict[str, Any]

JUDGE = """async ([files, key]) => {
  const bytes = text => Uint8Array.from(atob(text), mark => mark.charCodeAt(0));
  const said = ({ msgid, params }) => msgid.replace(/%\\((\\w+)\\)s/g, (_all, name) => {
    const value = params[name];
    return typeof value === "object" ? said(value) : String(value);
  });
  const found = [];
  for (const file of files) {
    const { failure, verdicts } = await heyi.verify(new Blob([bytes(file)]), key);
    const motions = verdicts.map(one => said(one.words)).join(" ");
    found.push(failure ? [failure.name, failure.place, said(failure.reason)] : ["", "", motions]);
  }
  return found;
}"""
CANONICAL = """async texts => {
  const found = [];
  for (const text of texts) {
    const read = heyi.jsonOf(new TextEncoder().encode(text + "\\n"), async () => {});
    found.push(await read.then(({ value }) => heyi.hex(heyi.bytesOf(heyi.canonical(value))), () => null));
  }
  return found;
}"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[Served]:
    """A served world, for its verify page."""
    with served(tmp_path_factory.mktemp("served"), template) as one:
        yield one


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[dict[str, bytes]]:
    """The public and the full bundle of a case that went from deliberation to decision, and a receipt."""
    world = make_world(tmp_path_factory.mktemp("honest"), template)
    tell(world, Teller(world.case_id).whole())
    made = {"public": bundle(world), "full": bundle(world, Level.FULL)}
    with world.db() as db:
        newest, found = queries.checkpoint_of(db, 1), queries.entry(db, 5)
        assert newest is not None
        assert found is not None
        parts = queries.opened_parts(*found, public=True, private=True)
        made["receipt"] = str(queries.receipt_of(db, newest, found[0], parts)).encode()
    yield made
    world.close()


@pytest.fixture
def page(running: Served, screens: Screens) -> Page:
    """The verify page, loaded once for a whole test."""
    opened = screens.open(locale="en")
    opened.goto(f"{running.origin}/verify")
    return opened


def in_browser(page: Page, files: Sequence[bytes], key: str | None = VKEY) -> list[VERDICT]:
    """Return what the page's scripts find first: check, place, sentence; or what they say of the motions."""
    found: list[VERDICT] = []
    for start in range(0, len(files), AT_ONCE):
        some = [encode64(data) for data in files[start : start + AT_ONCE]]
        found += [(name, place, said) for name, place, said in page.evaluate(JUDGE, [some, key])]
    return found


def in_python(data: bytes, key: str | None = VKEY) -> VERDICT:
    """Return the same of the command."""
    report: Report = (receipt if receipt.is_receipt(data) else check).verify(data, key)
    failed = report.failure
    if failed is None:
        return "", "", " ".join(str(verdict.words) for verdict in report.verdicts)
    assert failed.state == FAILS
    return failed.check.name, failed.place, str(failed.reason)


def agree(page: Page, files: Sequence[bytes], key: str | None = VKEY) -> list[VERDICT]:
    """Require the same verdict of both on every file; return the verdicts."""
    ours, theirs = [in_python(data, key) for data in files], in_browser(page, files, key)
    assert [(at, one, other) for at, (one, other) in enumerate(zip(ours, theirs, strict=True)) if one != other] == []
    return ours


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place in a JSON value, as what holds it and the name or number under which it stands there."""
    for name in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, name
        yield from places(value[name])


def other(value: Any, dice: random.Random) -> Any:
    """Return another value of the same type, as a liar would write it."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return max(0, value + dice.choice((-2, -1, 1, 2)))
    if isinstance(value, str):
        lies = ["", "open", "sealed", "carried", "lost", "lapsed", "approve", "established", "1/2", "1", "汉字😀\u0001"]
        return dice.choice([*lies, value[:-1], f"{value}0"])
    if isinstance(value, list):
        return dice.choice([value[:-1], value[::-1], value + value[:1], []])
    return None if value is not None else "1"


def change(whole: Any, dice: random.Random, *, types: bool) -> None:
    """Change one value somewhere: another value, none at all, or one of another type."""
    inside, name = dice.choice(list(places(whole)))
    way = dice.random()
    if way < 0.15 and isinstance(inside, dict):
        del inside[name]
    elif way < 0.25:
        inside[name] = dice.choice([None, [], {}, "x", 7, True]) if types else None
    else:
        inside[name] = other(inside[name], dice)


def signed(content: Json) -> bytes:
    """Return a bundle as a lying log would sign it: commitments, tree, proofs, checkpoint, length made to fit."""
    content = rewritten(canonical(content))
    for entry in content["entries"]:
        for part in PARTS:
            shown = entry["parts"][part]
            if isinstance(shown, dict):
                entry["commitments"][part] = encode64(commit(part, decode64(shown["salt"]), shown["value"]))
    leaves = [
        merkle.leaf_hash(leaf_data({part: decode64(entry["commitments"][part]) for part in PARTS}))
        for entry in content["entries"]
    ]
    hash_at, size = cache(merkle.hashes_of(leaves)), len(leaves)
    for index, entry in enumerate(content["entries"]):
        proof = merkle.inclusion_proof(index, size, hash_at)
        entry |= {"index": index, "proof": [encode64(node) for node in proof]}
    root = merkle.root(size, hash_at)
    content["checkpoint"] = KEY.sign(str(CheckpointText(KEY.name, size, root)))
    return seal({name: value for name, value in content.items() if name != "length"}, KEY, size=size, root=root)


def values_of(content: Json) -> list[Json]:
    """Return what a bundle discloses of its votes, its finding and its decision."""
    parts = [part for entry in content["entries"] for part in entry["parts"].values() if isinstance(part, dict)]
    events = [entry for entry in content["entries"] if isinstance(entry["parts"]["public"], dict)]
    kinds = [
        e for e in events if e["parts"]["public"]["value"]["kind"].startswith(("votes.", "decisions.", "dissents."))
    ]
    chosen = [entry["parts"][name]["value"] for entry in kinds for name in ("public", "private")]
    assert len(chosen) < len(parts)
    return chosen


def test_l5_flipped_bits_are_refused_alike(page: Page, honest: dict[str, bytes]) -> None:
    dice = random.Random(5)
    files = [
        flipped(data, dice.randrange(8 * len(data))) for data in honest.values() for _ in range(BITS // len(honest))
    ]
    assert "" not in {name for name, _, _ in agree(page, files)}


def test_changed_bundles_are_refused_alike(page: Page, honest: dict[str, bytes]) -> None:
    dice = random.Random(6)
    files = []
    for _ in range(CHANGES):
        value = rewritten(honest[dice.choice(("public", "full"))])
        before = canonical(value)
        while canonical(value) == before:
            change(value, dice, types=True)
        files.append(written(value))
    for make, _ in NAMED.values():
        value = rewritten(honest["public"])
        make(value)
        files.append(written(value))
    found = agree(page, files)
    assert "" not in {name for name, _, _ in found}
    assert {name for name, _, _ in found} >= {"file", "key", "parts", "checkpoint", "proofs", "sequence", "length"}


def test_lies_that_the_log_has_signed_are_judged_alike(page: Page, honest: dict[str, bytes]) -> None:
    dice = random.Random(7)
    files = []
    for number in range(LIES):
        value = rewritten(honest["full"])
        told = values_of(value)
        for _ in range(dice.choice((1, 1, 2))):
            change(dice.choice(told), dice, types=False)
        if number % 10 == 0:
            value["entries"].insert(dice.randrange(len(value["entries"])), value["entries"].pop())
            for seq, entry in enumerate(value["entries"], start=1):
                entry["parts"]["header"]["value"]["seq"] = seq
        files.append(signed(value))
    found = agree(page, [signed(rewritten(honest["full"])), *files])
    assert found[0][0] == ""
    assert {name for name, _, _ in found} >= {"", "motions", "finding"}
    assert len({said for _, _, said in found}) > 20


def test_withheld_and_erased_parts_are_judged_alike(page: Page, honest: dict[str, bytes]) -> None:
    dice = random.Random(8)
    files = []
    for _ in range(40):
        value = rewritten(honest["full"])
        for entry in dice.sample(value["entries"], dice.choice((1, 2, 5))):
            if entry["parts"]["public"]["value"]["kind"] != "hearings.note_written":
                entry["parts"].update(
                    dice.choice([{"private": "withheld"}, {"public": "withheld", "private": "withheld"}])
                )
        for entry in dice.sample(value["entries"], dice.choice((0, 0, 1))):
            entry["parts"].update(public="erased", private="erased")
            told = next(e for e in reversed(value["entries"]) if isinstance(e["parts"]["public"], dict))
            told["parts"]["public"]["value"] = {"kind": "record.body_erased", "index": value["entries"].index(entry)}
        files.append(signed(value))
    assert {name for name, _, _ in agree(page, files)} >= {"", "motions"}


def test_receipts_are_judged_alike(page: Page, honest: dict[str, bytes]) -> None:
    whole, dice = honest["receipt"].decode(), random.Random(9)
    lines = whole.split("\n")
    extra: Json = json.loads(decode64(lines[1].removeprefix("extra ")))
    files = [
        whole.encode(),
        (whole + "— witness/one AAAAAAAA\n").encode(),
        b"c2sp.org/tlog-proof@v1",
        b"c2sp.org/tlog-proof@v12\n\n",
    ]
    for at in range(len(lines)):
        files.append("\n".join([*lines[:at], *lines[at + 1 :]]).encode())
        files.append("\n".join([*lines[:at], lines[at], *lines[at:]]).encode())
        files.append("\n".join([*lines[:at], lines[at][:-1], *lines[at + 1 :]]).encode())
    for _ in range(60):
        value = deepcopy(extra)
        change(value, dice, types=True)
        files.append("\n".join([lines[0], f"extra {encode64(canonical(value))}", *lines[2:]]).encode())
    files += [
        "\n".join([lines[0], lines[1], f"index {index}", *lines[3:]]).encode()
        for index in ("01", "-1", "9" * 18, "9" * 19)
    ]
    found = agree(page, files)
    assert [name for name, _, _ in found[:2]] == ["", ""]
    assert {name for name, _, _ in found} == {"", "file", "key", "parts", "checkpoint", "proofs"}
    stranger = str(SigningKey("heyi/other", bytes(32)).verifier)
    assert agree(page, files[:1], stranger)[0][:2] == ("key", "key")
    assert agree(page, files[:2], None) == [("", "", "")] * 2


ODD = [
    b"",
    b"\n",
    b"{",
    b"[",
    b'{"a"',
    b'{"a":',
    b'{"a":1,',
    b'{"a":1,}',
    b"[1,]",
    b"[1 2]",
    b'{"a":1 "b":2}',
    b"{1:2}",
    b"nul",
    b"tru",
    b"\xff\xfe",
    b"\xef\xbb\xbf{}\n",
    b"[\xe4\xbd]\n",
    b'["\xed\xa0\x80"]\n',
    b'["\xf4\x90\x80\x80"]',
    b'["\xc0\xaf"]',
    b'["\xe4\xbd\xa0\xf0\x9f\x98"]',
    b"{}",
    b"{}\n\n",
    b" {}\n",
    b"[]\n",
    b"1\n",
    b'"x"\n',
    b"null\n",
    b'{"b":1,"a":2}\n',
    b'{"a":1,"a":1}\n',
    b'{"a":{"b":1,"b":2}',
    b'{"a":1.5}\n',
    b'{"a":1e400}\n',
    b'{"a":1E2}\n',
    b'{"a":NaN}\n',
    b'{"a":Infinity}',
    b'{"a":-Infinity}',
    b'{"a":-}',
    b'{"a":-0}\n',
    b'{"a":01}\n',
    b'{"a":1.}\n',
    b'{"a":1e}\n',
    b'{"a":9007199254740991}\n',
    b'{"a":9007199254740992}\n',
    b'{"a":' + b"9" * 5000 + b"}\n",
    b'{"a":"\\ud800"}\n',
    b'{"a":"\\ud83d\\ude00"}\n',
    b'{"a":"\\ud83d\\u12"}\n',
    b'{"a":"\\x"}\n',
    b'{"a":"\\u12g4"}\n',
    b'{"a":"\\u12',
    b'{"a":"\\',
    b'{"a":"\x01"}\n',
    b'{"a":"b\n',
    '{"汉😀":"\\x"}\n'.encode(),
    '{"汉😀":1,}\n'.encode(),
    b"[" * 70 + b"]" * 70 + b"\n",
    b"[" * 100_000 + b"]" * 100_000,
    b"{}x",
    b"{} \t\r\n",
    '{"😀":1,"\ufb33":2}\n'.encode(),
    '{"\ufb33":2,"😀":1}\n'.encode(),
    b'{"__proto__":1,"constructor":2}\n',
    b'{"__proto__":{"format":"heyi-bundle/v1"}}\n',
]


def test_what_is_no_bundle_is_refused_in_the_same_words(page: Page, honest: dict[str, bytes]) -> None:
    data = honest["public"]
    agree(page, [*ODD, *(data[:length] for length in range(0, len(data), 997))])


def made_up(dice: random.Random, depth: int = 0) -> Any:
    """Return a JSON value with Chinese, astral and control characters, odd names and large numbers."""
    marks = 'aZ"\\/\x00\x08\x0c\n\r\t\x1f\x7f\x80é合议\u2028\ufeff\ufb33\uffff😀𠀀\U0010ffff'
    text = "".join(dice.choice(marks) for _ in range(dice.randrange(6)))
    if depth < 4 and dice.random() < 0.5:
        count = range(dice.randrange(5))
        if dice.random() < 0.5:
            return [made_up(dice, depth + 1) for _ in count]
        return {f"{text}{n}" if n % 2 else text[::-1]: made_up(dice, depth + 1) for n in count}
    return dice.choice([text, text, dice.randrange(-(2**53) + 1, 2**53), dice.randrange(100), 0, True, False, None])


def test_l7_the_same_value_has_the_same_bytes(page: Page) -> None:
    dice = random.Random(10)
    values = [{"value": made_up(dice)} for _ in range(400)]
    expected = [canonical(value) for value in values]
    assert page.evaluate(CANONICAL, [text.decode() for text in expected]) == [text.hex() for text in expected]
    loose = [json.dumps(value, sort_keys=True, ensure_ascii=True) for value in values]
    texts = [text for text, exact in zip(loose, expected, strict=True) if text.encode() != exact]
    assert len(texts) > 350
    assert page.evaluate(CANONICAL, texts) == [None] * len(texts)


def test_a_long_bundle_leaves_the_page_alive_and_shows_progress(
    page: Page, honest: dict[str, bytes], tmp_path: Path
) -> None:
    value = rewritten(honest["public"])
    first = value["entries"][0]
    header = first["parts"]["header"]["value"]
    value["entries"] = [
        {**first, "parts": {**first["parts"], "header": {**first["parts"]["header"], "value": {**header, "seq": seq}}}}
        for seq in range(1, 2001)
    ]
    page.locator("#verify-key").fill(VKEY)
    page.evaluate(
        """() => { window.gaps = []; window.seen = new Set(); let last = performance.now();
          window.timer = setInterval(() => { gaps.push(performance.now() - last); last = performance.now();
            seen.add(document.querySelector("[data-progress]").value); }, 10); }"""
    )
    path = tmp_path / "long"
    path.write_bytes(signed(value))
    page.locator("#verify-file").set_input_files(path)
    expect(page.locator("[data-verifier][data-done='1']")).to_have_count(1)
    assert "This file holds." in page.locator("[data-verdict]").inner_text()
    # A page that does not breathe has one gap, as long as the whole work.
    assert page.evaluate("Math.max(...gaps) / gaps.reduce((sum, gap) => sum + gap)") < 0.4
    assert page.evaluate("seen.size") > 3
