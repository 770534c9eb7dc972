"""Asking the judges: cases go in as JSON, answers come out in the same order."""

import json
import os
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import run

HERE = Path(__file__).parent
JUDGES = Path(run.JUDGES)


@dataclass(frozen=True)
class Answer:
    """Whether a judge accepted a case, why not, what it read (as a digest), and the proofs it was asked to make."""

    accepted: bool
    why: str
    read: str
    proofs: tuple[tuple[bytes, ...], ...] = ()


@dataclass(frozen=True)
class Judge:
    """A judge: its name, the command that runs it, and the kinds of case it can judge."""

    name: str
    command: tuple[str, ...]
    kinds: frozenset[str]

    def ask(self, cases: Sequence[dict[str, Any]]) -> list[Answer]:
        """Let the judge decide about every case, in one process without network."""
        sent = json.dumps(cases, default=_text).encode()
        done = subprocess.run([*run.offline(), *self.command], input=sent, capture_output=True, timeout=50)
        assert done.returncode == 0, done.stderr.decode()
        answers = [_answer(told) for told in json.loads(done.stdout)]
        assert len(answers) == len(cases)
        return answers


GO_KINDS = frozenset({"note", "inclusion", "consistency", "receipt", "bundle", "tiles"})
NPM = Judge(
    "npm @sigstore/verify", ("node", str(HERE / "judge.mjs"), str(JUDGES)),
    frozenset({"note", "inclusion", "receipt", "bundle"}),
)  # fmt: skip
PYPI = Judge("PyPI sigstore", (sys.executable, str(HERE / "judge.py")), frozenset({"inclusion", "receipt"}))


def built(folder: Path) -> Judge:
    """Build the judge in Go; its cache is kept beside the environment."""
    path = run.gopath()
    assert path is not None, "python3 run.py test installs golang.org/x/mod"
    cache, binary = JUDGES / "go-build", folder / "judge"
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": path, "GOCACHE": str(cache), "GOFLAGS": ""}
    command = ["go", "build", "-o", str(binary), str(HERE / "judge.go")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return Judge("Go x/mod", (str(binary),), GO_KINDS)


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _answer(told: dict[str, Any]) -> Answer:
    proofs = tuple(tuple(map(b64decode, proof or ())) for proof in told.get("Proofs") or ())
    return Answer(told["Accepted"], told["Why"], told.get("Read") or "", proofs)
