"""Hostile files: `panel verify` answers with a sentence and exit code 1, soon, in little memory, without a trace."""

import json
import random
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from panel.record.events import Level
from panel.verify import finding, recount
from panel.verify.bundle import LARGEST, MOST_VALUES, Broken, BundleEntry, Part, parse
from tests.factories import make_world
from tests.verify.stories import Teller, bundle, rewritten, tell, written
from tests.verify.test_commands import panel

MOST_MEMORY, SOON = 400, 20
"""Megabytes and seconds of the processor in which any file is judged."""

MEASURED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, timeout=90)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(done.returncode, usage.ru_maxrss // 1024, int(usage.ru_utime + usage.ru_stime), flush=True)
sys.stdout.buffer.write(done.stdout + done.stderr)
"""
VERIFY = "import sys; sys.argv[0] = 'panel'; from panel.cli import main; sys.exit(main())"
NUMBER = "The file holds a number that is no whole number, or a broken text."
LARGE = "The file is larger than any bundle."


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[bytes]:
    """A bundle for the full record of a case that went from deliberation to decision."""
    world = make_world(tmp_path_factory.mktemp("honest"), template)
    tell(world, Teller(world.case_id).whole())
    yield bundle(world, Level.FULL)
    world.close()


def judged(path: Path) -> list[str]:
    """Verify a file in this process; it must be refused without a trace. Returns what is told of the first failure."""
    code, lines = panel("verify", path, "--locale", "en")
    assert code == 1
    assert not any("Traceback" in line for line in lines)
    at = next(number for number, line in enumerate(lines) if line.startswith("✗"))
    return [lines[at].removeprefix("✗ "), lines[at + 1].strip()]


def stuffed(value: dict[str, Any]) -> bytes:
    """Return a bundle with its first disclosed part full of fields."""
    value["entries"][0]["parts"]["public"]["value"] = {f"{n:07}": 0 for n in range(MOST_VALUES - 9000)}
    return written(value)


def repeated(item: bytes, count: int) -> Callable[[dict[str, Any]], bytes]:
    """Return a list of so many of the same."""
    return lambda _: b"[" + b",".join([item] * count) + b"]\n"


HEAVY: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "one long text with a wide character": lambda _: b'"' + b"a" * (LARGEST - 9) + "😀".encode() + b'"\n',
    "many fields": stuffed,
    "as many texts as may be": repeated(b'"abcdefgh"', MOST_VALUES - 1),
    "a receipt of nothing but line ends": lambda _: b"c2sp.org/tlog-proof@v1\nindex 0" + b"\n" * (4 << 20),
}


@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform == "win32", reason="the memory of a child is measured as POSIX does")
@pytest.mark.parametrize("name", HEAVY)
def test_the_heaviest_files_take_little_time_and_memory(honest: bytes, tmp_path: Path, name: str) -> None:
    path = tmp_path / "heavy"
    path.write_bytes(HEAVY[name](rewritten(honest)))
    command = [sys.executable, "-c", MEASURED, sys.executable, "-c", VERIFY, "verify", str(path), "--locale", "en"]
    first, *said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    code, memory, seconds = map(int, first.split())
    assert code == 1
    assert said[-1].startswith("This ")
    assert (memory < MOST_MEMORY, seconds < SOON) == (True, True), first
    assert not any("Traceback" in line for line in said)


def test_a_gigabyte_of_zeros_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "zeros"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    assert judged(path) == ["The file can be read", LARGE]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"[" * 400_000, "The file is nested too deeply."),
        (b'{"a":' * 300_000, "The file is nested too deeply."),
        (b"[" + b"[]," * 4_000_000 + b"[]]\n", LARGE),
        (b"[" + b"9" * 1_000_000 + b"]\n", NUMBER),
        (b"[1e999999999]\n", NUMBER),
        (b"[-9007199254740992]\n", NUMBER),
        (b'{"a":"\\ud800"}\n', NUMBER),
        (b'{"\\udfff":1}\n', NUMBER),
        (b'["\xed\xa0\x80"]\n', "The file is not UTF-8 at byte 2."),
        (b'["\xc0\xaf"]\n', "The file is not UTF-8 at byte 2."),
        (bytes(1000), "The file is not JSON at character 0."),
    ],
    ids=lambda value: value[:12].decode(errors="replace") if isinstance(value, bytes) else "",
)  # fmt: skip
def test_hostile_json_is_refused_in_words(tmp_path: Path, data: bytes, sentence: str) -> None:
    path = tmp_path / "hostile"
    path.write_bytes(data)
    assert judged(path) == ["The file can be read", sentence]
    receipt = tmp_path / "receipt"
    receipt.write_bytes(b"c2sp.org/tlog-proof@v1\nextra " + b64encode(data.removesuffix(b"\n")) + b"\nindex 0\n\nx\n")
    assert judged(receipt)[0] == "The file can be read"


def test_truncated_reordered_doubled_and_foreign_bundles_are_refused_in_words(honest: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    value = rewritten(honest)
    first, second, *rest = value["entries"]
    sequence, stranger = "The case has no gap", {**first, "index": 1 << 52}
    told = {
        "truncated": (honest[: len(honest) // 2], "The file can be read"),
        "reordered": (written({**value, "entries": [second, first, *rest]}), sequence),
        "doubled": (written({**value, "entries": [first, first, second, *rest]}), sequence),
        "foreign": (written({**value, "entries": [stranger, second, *rest]}), "Every entry stands in the record"),
        "twice": (honest + honest, "The file can be read"),
        "another file": (b"%PDF-1.7\n" + bytes(range(256)), "The file can be read"),
        "empty": (b"", "The file can be read"),
    }  # fmt: skip
    for data, fails in told.values():
        path.write_bytes(data)
        assert judged(path)[0] == fails


NASTY: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2**53 - 1,
    "",
    "1/0",
    "9" * 9,
    "\x1b[2J",
    [],
    {},
    [[]],
    {"": []},
    ["a"] * 50,
    [None],
    [{}],
)


def changed(value: Any, dice: random.Random) -> Any:
    """Return JSON with one value, somewhere, replaced by a nasty one or left out."""
    if not isinstance(value, dict | list) or not value or dice.random() < 0.25:
        return dice.choice(NASTY)
    at = dice.choice(list(value) if isinstance(value, dict) else range(len(value)))
    copy: Any = value.copy()
    if dice.random() < 0.1:
        del copy[at]
    else:
        copy[at] = changed(value[at], dice)
    return copy


def test_whatever_an_event_says_the_recount_ends_in_words(honest: bytes) -> None:
    """A log that lies can sign any value; what is derived from the events must refuse it or bear it, never break."""
    entries, dice = parse(honest).entries, random.Random(20261123)
    telling = [at for at, entry in enumerate(entries) if entry.kind.startswith(("votes.", "decisions.", "dissents."))]
    refused = 0
    for _ in range(1500):
        at, name = dice.choice(telling), dice.choice(("public", "private"))
        part = entries[at].parts[name]
        assert isinstance(part, Part)
        value = changed(part.value, dice)
        if isinstance(value, dict):
            lie = replace(entries[at], parts={**entries[at].parts, name: Part(part.salt, value)})
            refused += refuses([*entries[:at], lie, *entries[at + 1 :]])
    assert refused > 300
    assert not refuses(list(entries))


def refuses(entries: list[BundleEntry]) -> bool:
    """Say whether counting again refuses these entries."""
    with suppress(Broken):
        recount.verdicts(entries)
        finding.follows(entries)
        return False
    return True


def test_random_changes_of_a_bundle_s_values_are_refused_without_a_trace(honest: bytes, tmp_path: Path) -> None:
    path, dice, value = tmp_path / "bundle", random.Random(20261123), json.loads(honest)
    for _ in range(60):
        path.write_bytes(written(changed(value, dice)))
        assert judged(path)
