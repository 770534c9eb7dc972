"""kill -9 of the real server at random moments of voting, and what must be true whenever it comes back.

Run by the suite, and at length by `scripts/kill_votes`. `python -m tests.votes.kills` is the nursery: a process that
has everything loaded and forks a server whenever it is told to, so that hundreds of starts cost little.
"""

import http.client
import os
import random
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from panel.votes.forms import padded
from tests.factories import SECRET

LONGEST = 0.5
"""Seconds that a server may live once a ballot was acknowledged; how long is chance."""
AT_ONCE = 0.001
"""How likely it is, at each look, that a server is killed before it has acknowledged anything."""
PATIENCE = 60.0
"""Seconds that anything may take on a busy machine."""


@dataclass
class Sent:
    """One ballot that was sent: what it chose, what it replaced, and whether the answer came."""

    choice: str
    replaces: str
    acknowledged: bool


@dataclass
class Voter:
    """A member at a browser: votes again and again, always replacing what stands, until the server is gone."""

    key: str
    cookie: str
    reason: str
    csrf: str = ""
    sent: list[Sent] = field(default_factory=list)
    received: int = 0
    receipts: list[str] = field(default_factory=list)

    def vote(self, port: int, motion: str, options: list[str], chance: random.Random) -> None:
        """Vote until the connection breaks; what was sent without an answer is noted as such."""
        browser, self.received = Browser(port, self.cookie), 0
        try:
            while True:
                replaces = self.standing(browser, motion)
                self.csrf = self.csrf or token(browser.get(f"/motions/{motion}/ballot?replace=1")[1])
                self.sent.append(Sent(chance.choice(options), replaces, acknowledged=False))
                form = {"csrf": self.csrf, "idem": secrets.token_hex(16), "replaces": replaces, "reason": self.reason}
                status = browser.post(f"/motions/{motion}/ballots", form | {"choice": padded(self.sent[-1].choice)})
                assert status == 303, f"a ballot was refused with {status}"
                self.sent[-1].acknowledged, self.received = True, self.received + 1
                if chance.random() < 0.1:
                    self.take_receipt(browser)
        except (OSError, http.client.HTTPException):
            return
        finally:
            browser.close()

    def standing(self, browser: "Browser", motion: str) -> str:
        """Return the mark of the ballot that the member is shown to have, or an empty text."""
        status, _, headers = browser.ask("GET", f"/motions/{motion}/ballot/state")
        assert status == 200
        return headers["panel-ballot"].removeprefix("none")

    def take_receipt(self, browser: "Browser") -> None:
        """Download one's oldest receipt that has not been taken."""
        for found in reversed(re.findall(r'href="(/receipts/[0-9a-f]{32})"', browser.get("/receipts")[1])):
            status, text = browser.get(f"{found}/file")
            if status == 200 and text not in self.receipts:
                self.receipts.append(text)
                return


class Browser:
    """One warm connection of somebody who is signed in."""

    def __init__(self, port: int, cookie: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._headers = {"Cookie": cookie, "Origin": f"http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-origin"}

    def ask(self, method: str, path: str, body: str = "") -> tuple[int, str, dict[str, str]]:
        """Send a request; return status, text and headers of the answer."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        self._connection.request(method, path, body=body or None, headers=self._headers | kind)
        answer = self._connection.getresponse()
        return answer.status, answer.read().decode(), {name.lower(): value for name, value in answer.getheaders()}

    def get(self, path: str) -> tuple[int, str]:
        """Read a page."""
        status, text, _ = self.ask("GET", path)
        return status, text

    def post(self, path: str, form: dict[str, str]) -> int:
        """Send a form; return the status."""
        return self.ask("POST", path, urlencode(form))[0]

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def token(page: str) -> str:
    """Return the token of a page's forms."""
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None, "the page has no form"
    return found[1]


@dataclass
class Nursery:
    """Starts and kills servers of one installation, all on one port."""

    port: int
    process: "subprocess.Popen[str]"
    pid: int = 0

    def start(self) -> None:
        """Start a server; it answers when this returns."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("start\n")
        self.process.stdin.flush()
        self.pid = int(self.process.stdout.readline())
        with closing(Browser(self.port, "")) as anybody:
            anybody.get("/record/checkpoint")

    def kill(self) -> None:
        """Kill the server as the power does, and wait until it is gone."""
        os.kill(self.pid, signal.SIGKILL)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "gone\n"


@contextmanager
def nursery(folder: Path) -> Iterator[Nursery]:
    """Open the nursery of an installation; yields it ready to start servers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        environment = {
            **os.environ, "PANEL_SECRET": SECRET, "PANEL_DATA": str(folder), "PANEL_PORT": str(port),
            "PANEL_ORIGINS": f'["http://127.0.0.1:{port}"]', "PANEL_CHECKPOINT_SECONDS": "0.2",
        }  # fmt: skip
        command = [sys.executable, "-m", "tests.votes.kills", str(listening.fileno())]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, env=environment, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True,
            pass_fds=[listening.fileno()],
        ) as process:  # fmt: skip
            servers = Nursery(port, process)
            try:
                yield servers
            finally:
                process.kill()
                if servers.pid:
                    with suppress(ProcessLookupError):
                        os.kill(servers.pid, signal.SIGKILL)


def until_killed(nursery: Nursery, voters: list[Voter], motion: str, options: list[str], chance: random.Random) -> None:
    """Let everybody vote at the server that runs, and kill it at a random moment."""
    seeds = [random.Random(chance.random()) for _ in voters]
    threads = [
        threading.Thread(target=voter.vote, args=(nursery.port, motion, options, seed), daemon=True)
        for voter, seed in zip(voters, seeds, strict=True)
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + PATIENCE
    while chance.random() > AT_ONCE and time.monotonic() < deadline and not any(voter.received for voter in voters):
        time.sleep(0.002)
    time.sleep(chance.random() * LONGEST)
    nursery.kill()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def come_back(nursery: Nursery, voters: list[Voter], motion: str) -> dict[str, str]:
    """Start the server again and hold what each member is shown against what they know; return the marks shown.

    An acknowledged ballot must stand. One whose outcome was unknown may stand; whether it does is what the page tells,
    and from then on it counts as sent, or as never sent.
    """
    nursery.start()
    shown = dict[str, str]()
    for voter in voters:
        with closing(Browser(nursery.port, voter.cookie)) as browser:
            shown[voter.key] = mark = voter.standing(browser, motion)
        if voter.sent and mark == voter.sent[-1].replaces:
            assert not voter.sent.pop().acknowledged, f"{voter.key}: an acknowledged ballot is lost"
    return shown


def collect(nursery: Nursery, voters: list[Voter]) -> None:
    """Let everybody take a receipt, of what stood before the kill; whoever has voted has one soon after the start."""
    for voter in voters:
        deadline = time.monotonic() + PATIENCE
        with closing(Browser(nursery.port, voter.cookie)) as browser:
            while voter.sent and not voter.receipts and time.monotonic() < deadline:
                voter.take_receipt(browser)


def expected(voters: list[Voter]) -> Counter[str]:
    """Return the counts that the ballots which stand must give."""
    return Counter(voter.sent[-1].choice for voter in voters if voter.sent)


def main() -> None:
    """Fork a server on the inherited socket for every line `start`; say its process id, and when it is gone."""
    from panel.app import create_app
    from panel.cli.serve import server_of
    from panel.core.config import Settings
    from panel.core.templates import environment

    drawing = environment(lambda name, **params: name)
    for name in drawing.list_templates():
        drawing.get_template(name)
    listening = socket.socket(fileno=int(sys.argv[1]))
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            settings = Settings()  # type: ignore[call-arg]  # the secret comes from the environment
            server_of(create_app(settings), settings).run(sockets=[listening])
            os._exit(0)
        print(pid, flush=True)
        os.waitpid(pid, 0)
        print("gone", flush=True)


if __name__ == "__main__":
    main()
