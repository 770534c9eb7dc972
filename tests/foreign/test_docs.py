"""docs/verify.md, followed to the letter: its commands are run as they stand there, on what the public can have."""

import http.server
import json
import os
import re
import subprocess
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import run
from panel.publication.models import Summary
from panel.record.commitment import encode64
from tests.factories import World, one
from tests.foreign.conftest import VKEY, Published, Record
from tests.foreign.judges import JUDGES

DOCUMENT = Path(run.ROOT) / "docs" / "verify.md"
BLOCKS = re.findall(r"^## With (\w+)$.*?^```sh\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.M | re.S)
WAYS = pytest.mark.parametrize("commands", [block for _, block in BLOCKS], ids=[way for way, _ in BLOCKS])


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and writes nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


@pytest.fixture
def mirrored(long: Record, tmp_path: Path) -> Path:
    """The public files of the record, which has grown since the summary was published."""
    return long.mirrored(tmp_path / "record")


@pytest.fixture
def public(decided_world: World, published: Published, mirrored: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """What a stranger has: the address of the log, its key, the entry's file, the digest on the summary's page."""
    with decided_world.db() as db:
        summary = one(db, Summary)
    page = decided_world.client().get(f"/public/{summary.slug}").text
    assert summary.body_sha256 in re.sub(r"<[^>]*>|\s", "", page)
    assert summary.entry is not None
    entry = tmp_path / "summary.tlog-proof"
    (link,) = re.findall(r'href="(/public/[^"]+/entry)"', page)
    entry.write_bytes(decided_world.client().get(link).content)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(mirrored)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    log = f"http://127.0.0.1:{server.server_port}"
    yield {"LOG": log, "KEY": VKEY, "ENTRY": str(entry), "DIGEST": summary.body_sha256}
    server.shutdown()
    server.server_close()


def followed(commands: str, public: dict[str, str], folder: Path) -> tuple[int, str]:
    """Run commands of the document in an empty folder; return exit code and the last line."""
    folder.mkdir(exist_ok=True)
    cache = {"GOCACHE": str(JUDGES / "go-build"), "PANEL_GOPATH": run.gopath() or "", "no_proxy": "127.0.0.1"}
    done = subprocess.run(
        ["sh", "-e", "-c", commands], cwd=folder, env={**os.environ, **cache, **public}, capture_output=True, text=True
    )
    return done.returncode, (done.stdout.splitlines() or [done.stderr])[-1]


def test_the_document_has_both_ways() -> None:
    assert [way for way, _ in BLOCKS] == ["Go", "Node"]


@WAYS
def test_a_stranger_reaches_the_verdict(commands: str, public: dict[str, str], long: Record, tmp_path: Path) -> None:
    index = re.search(r"^index (\d+)$", Path(public["ENTRY"]).read_text(encoding="utf-8"), re.M)
    assert index is not None
    verdict = f"holds: entry {index[1]} of {long.size}, root {encode64(long.newest.root)}"
    assert followed(commands, public, tmp_path / "way") == (0, verdict)


@WAYS
def test_a_stranger_finds_what_was_changed(
    commands: str, public: dict[str, str], mirrored: Path, tmp_path: Path
) -> None:
    folder, entry = tmp_path / "way", Path(public["ENTRY"])
    lies = [{**public, "DIGEST": "0" * 64}, {**public, "ENTRY": str(changed(entry, tmp_path / "changed"))}]
    lies.append({**public, "KEY": public["KEY"].replace("heyi/test", "heyi/else")})
    assert [followed(commands, lie, folder)[0] for lie in lies] == [1, 1, 1]
    index = re.search(r"^index (\d+)$", entry.read_text(encoding="utf-8"), re.M)
    assert index is not None
    for path, at in (("tile/0/000", 32 * int(index[1])), ("tile/entries/000", 100)):
        tile = bytearray((mirrored / path).read_bytes())
        tile[at] ^= 1
        (mirrored / path).write_bytes(tile)
    code, verdict = followed(commands, public, folder)
    assert (code, verdict.startswith("does not hold: ")) == (1, True)


def changed(entry: Path, to: Path) -> Path:
    """Write an entry's file that names another digest."""
    first, extra, rest = entry.read_text(encoding="utf-8").split("\n", 2)
    said = json.loads(b64decode(extra.removeprefix("extra ")))
    said["parts"]["public"]["value"]["slug"] = "another"
    to.write_text(f"{first}\nextra {b64encode(json.dumps(said).encode()).decode()}\n{rest}", encoding="utf-8")
    return to
