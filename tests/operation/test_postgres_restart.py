"""PostgreSQL is stopped as the power does, in mid-vote, and started again: the unknown is resolved, nothing twice."""

import os
import random
import re
import secrets
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlmodel import select

from panel.record import queries
from panel.record.models import RecordEntry
from panel.verify.audit import check_record
from panel.votes.events import BallotCast
from panel.votes.models import Ballot
from tests.operation.cluster import Cluster, pair, until
from tests.postgres import GIVEN, Postgres, new_database, own_cluster
from tests.votes.chamber import EVERYBODY, open_fact, sit

MEMBERS = tuple(key for key in EVERYBODY if key != "chair")
RESTARTS = 3
DOWN = 1.0
"""Seconds for which PostgreSQL is not there."""

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(GIVEN in os.environ, reason=f"{GIVEN} names a server that is not the test's to stop"),
]


@dataclass
class Ballots:
    """A member who votes again and again; a form whose answer is no 303 is sent again, as it was, until it is."""

    key: str
    accepted: list[str] = field(default_factory=list)
    """The choices of the forms that were taken in the end, in their order."""
    statuses: Counter[int] = field(default_factory=Counter)
    resolved: int = 0
    said: set[str] = field(default_factory=set)
    problem: str = ""

    def vote(self, cluster: Cluster, motion: str, options: list[str], ended: threading.Event) -> None:
        """Vote until told to end; the last form is resolved, too."""
        chance = random.Random(self.key)
        try:
            with cluster.browser(self.key) as browser:
                while not ended.is_set():
                    self._once(browser, f"/motions/{motion}", chance.choice(options))
        except Exception as problem:  # a thread's failure is the test's, which reads it
            self.problem = repr(problem)

    def _once(self, browser: httpx2.Client, motion: str, choice: str) -> None:
        standing = self._asked(browser, f"{motion}/ballot/state").headers["panel-ballot"].removeprefix("none")
        page = self._asked(browser, f"{motion}/ballot?replace=1").text
        csrf = re.findall(r'name="csrf" value="([^"]+)"', page)[0]
        form = {"csrf": csrf, "idem": secrets.token_hex(16), "replaces": standing, "choice": choice, "reason": "有据。"}
        first = status = self._sent(browser, f"{motion}/ballots", form)
        deadline = time.monotonic() + 60
        while status != 303:
            assert status in {0, 503}, f"{status} is neither an answer nor a refusal for now"
            assert time.monotonic() < deadline
            time.sleep(0.1)
            status = self._sent(browser, f"{motion}/ballots", form)
        self.resolved += first != 303
        self.accepted.append(choice)

    def _sent(self, browser: httpx2.Client, path: str, form: dict[str, str]) -> int:
        try:
            answer = browser.post(path, data=form, follow_redirects=False)
        except httpx2.TransportError:
            return 0
        self.statuses[answer.status_code] += 1
        if answer.status_code == 503:
            self.said |= set(re.findall("数据库暂时没有响应|记录时数据库中断", answer.text))
        return int(answer.status_code)

    def _asked(self, browser: httpx2.Client, path: str) -> httpx2.Response:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                answer = browser.get(path)
            except httpx2.TransportError:
                continue
            if answer.status_code == 200:
                return answer
            assert answer.status_code == 503, f"{path} is answered by {answer.status_code}"
            time.sleep(0.1)
        raise AssertionError(f"{path} is not answered")


@pytest.fixture
def postgres_server() -> Iterator[Postgres]:
    """A PostgreSQL of this test's own, which keeps what it has committed."""
    with own_cluster() as running:
        yield running


def test_every_unknown_outcome_is_resolved_and_no_ballot_is_taken_twice(
    tmp_path: Path, template: Path, postgres_server: Postgres, record_property: Any
) -> None:
    database = new_database(postgres_server.url)
    with pair(tmp_path / "world", template, database) as cluster:
        world = sit(cluster.world)
        motion = open_fact(world)
        voters, ended = [Ballots(key) for key in MEMBERS], threading.Event()
        threads = [
            threading.Thread(target=voter.vote, args=(cluster, motion.id, list(motion.options), ended))
            for voter in voters
        ]
        for thread in threads:
            thread.start()
        for _ in range(RESTARTS):
            until_more(voters, 16)
            postgres_server.stop(signal.SIGQUIT)
            time.sleep(DOWN)
            postgres_server.start()
        until_more(voters, 16)
        ended.set()
        for thread in threads:
            thread.join(90)
        assert [voter.problem for voter in voters] == [""] * len(voters)
        until(lambda: (cluster.missing(cluster.ports[0]), cluster.missing(cluster.ports[1])) == ([], []), 30)
        hold(cluster, motion.id, voters)
    told = Counter[str]()
    for voter in voters:
        told.update({str(status): number for status, number in voter.statuses.items()})
    resolved = sum(voter.resolved for voter in voters)
    said = set().union(*(voter.said for voter in voters))
    assert resolved > 0
    assert said
    record_property("resolved", resolved)
    print(
        f"PostgreSQL stopped {RESTARTS} times: answers {dict(told)}, {resolved} forms sent again, said {sorted(said)}"
    )


def until_more(voters: list[Ballots], number: int) -> None:
    """Wait until so many more forms are taken."""
    before = sum(len(voter.accepted) for voter in voters)
    until(lambda: sum(len(voter.accepted) for voter in voters) >= before + number, 60)


def hold(cluster: Cluster, motion: str, voters: list[Ballots]) -> None:
    """Hold what was acknowledged against the rows, ballot after ballot, and against the record."""
    with cluster.world.db() as db:
        entries = db.exec(select(RecordEntry.kind).where(RecordEntry.kind == BallotCast.kind)).all()
        rows = db.exec(select(Ballot).where(Ballot.motion_id == motion)).all()
        check_record(db, queries.head(db).size, {})
    following = {row.replaces: row for row in rows}
    for voter in voters:
        seat = cluster.world.seats[voter.key]
        ballot = next((row for row in rows if row.seat_id == seat and row.replaces is None), None)
        stood = list[str]()
        while ballot is not None:
            stood.append(ballot.choice)
            ballot = following.get(ballot.id)
        assert stood == voter.accepted
    assert len(entries) == len(rows) == sum(len(voter.accepted) for voter in voters)
