"""What PostgreSQL itself remembers of a secret vote: transactions, dead rows, pages. It must tell nobody's choice."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from tests.factories import World
from tests.postgres import new_database
from tests.votes.chamber import VOTERS, cast_all, closed, open_sealed
from tests.votes.test_races import room

CHOICES = dict(
    zip(VOTERS, ("approve", "disapprove", "approve", "abstain", "approve", "disapprove", "approve"), strict=True)
)


@pytest.fixture
def chamber(postgres: str, tmp_path: Path, template: Path) -> Iterator[tuple[World, Any]]:
    """The committee at its votes on PostgreSQL, and a connection of somebody who reads every table."""
    url = new_database(postgres)
    world = room(tmp_path / "world", template, url)
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as root:
        yield world, root
    world.close()
    world.site.reading.dispose()


def everything(root: Any) -> str:
    """Return every value of every table as text, bytes in hex and as they are."""
    tables = root.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'").fetchall()
    rows = [row for (name,) in tables for row in root.execute(f'SELECT * FROM "{name}"').fetchall()]  # noqa: S608 - names of our own tables
    return "\n".join(str(bytes(v) if isinstance(v, memoryview) else v) for row in rows for v in row)


def test_while_voting_every_row_is_sealed_and_alike(chamber: tuple[World, Any]) -> None:
    world, root = chamber
    before = everything(root).count("disapprove")
    motion = open_sealed(world)
    opened = everything(root).count("disapprove")
    cast_all(world, motion, CHOICES)
    rows = root.execute("SELECT seat_id, length(sealed) FROM sealed_ballot").fetchall()
    assert {seat for seat, _ in rows} == {world.seats[key] for key in VOTERS}
    assert len({length for _, length in rows}) == 1
    assert everything(root).count("disapprove") == opened > before


def test_after_closing_one_transaction_has_written_everybody(chamber: tuple[World, Any]) -> None:
    world, root = chamber
    motion = open_sealed(world)
    cast_all(world, motion, CHOICES)
    result = closed(world, motion)
    assert {option: n for option, n in result.counts.items() if n} == {"approve": 4, "disapprove": 2, "abstain": 1}
    told = root.execute("SELECT seat_id, xmin::text, cmin::text FROM participation ORDER BY ctid").fetchall()
    assert [seat for seat, _, _ in told] == sorted(world.seats[key] for key in VOTERS)
    assert len({xmin for _, xmin, _ in told}) == 1
    assert root.execute("SELECT count(*) FROM sealed_ballot").fetchone() == (0,)
    tallied = root.execute("SELECT xmin::text FROM tally WHERE motion_id = %s", (motion.id,)).fetchall()
    assert len(tallied) == 1
    receipts = root.execute("SELECT xmin::text FROM acknowledgement WHERE NOT own").fetchall()
    others = len(VOTERS) - 1  # the chair has one of their own: they closed
    assert (len(receipts), len(set(receipts))) == (others, 1)
