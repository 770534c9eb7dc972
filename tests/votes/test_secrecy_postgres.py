"""What PostgreSQL itself remembers of a secret vote: transactions, dead rows, pages. It must tell nobody's choice."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from nacl.public import PrivateKey
from sqlalchemy import make_url

from panel.core.errors import Refused
from panel.votes.actions import keys
from tests.factories import World
from tests.postgres import new_database
from tests.votes.chamber import VOTERS, cast_all, closed, disposition, open_sealed, opened
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


def written(root: Any) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return what each transaction has left in which table: everything that a join by xmin could bring together."""
    tables = root.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'").fetchall()
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for (name,) in tables:
        rows = root.execute(f'SELECT xmin::text, to_jsonb(t) FROM "{name}" t').fetchall()  # noqa: S608 - names of our own tables
        for xmin, row in rows:
            found.setdefault(xmin, {}).setdefault(name, []).append(row)
    return found


def test_while_voting_a_join_of_every_table_tells_that_a_member_voted_and_not_how(chamber: tuple[World, Any]) -> None:
    """Who has voted stands in the row itself (votes 3.1); beside it no transaction has written what tells a choice."""
    world, root = chamber
    motion = open_sealed(world)
    before = set(written(root))
    cast_all(world, motion, CHOICES)
    cast = {xmin: tables for xmin, tables in written(root).items() if xmin not in before}
    told = [tables for tables in cast.values() if "sealed_ballot" in tables]
    assert sorted(row["seat_id"] for tables in told for row in tables["sealed_ballot"]) == sorted(
        world.seats[key] for key in CHOICES
    )
    assert [name for tables in cast.values() for name in tables if name in {"participation", "record_entry"}] == []
    beside = str([rows for tables in cast.values() for name, rows in tables.items() if name != "sealed_ballot"])
    assert [choice for choice in motion.options if choice in beside] == []
    key = keys.read(world.site.settings.ballot_keys, motion.id)
    assert key is not None
    for tables in told:
        for row in tables["sealed_ballot"]:
            sealed = bytes.fromhex(row["sealed"].removeprefix("\\x"))
            with pytest.raises(Refused):
                keys.unseal(PrivateKey.generate(), motion.id, row["seat_id"], sealed)
            assert keys.unseal(key, motion.id, row["seat_id"], sealed) in motion.options


def test_after_closing_a_join_of_every_table_links_no_choice_to_a_member_or_a_time(chamber: tuple[World, Any]) -> None:
    """What names an option is one row for all: the motion, its tally, its closing; whoever voted how, all is alike."""
    world, root = chamber
    shapes = []
    for turn in (0, 3):
        motion, before = opened(world, disposition(world, "deny")), set(written(root))
        choices = ["approve", "disapprove", "defer", "abstain", "approve", "disapprove", "defer"]
        cast_all(world, motion, dict(zip(VOTERS, choices[turn:] + choices[:turn], strict=True)))
        closed(world, motion)
        since = {xmin: tables for xmin, tables in written(root).items() if xmin not in before}
        (closing,) = (tables for tables in since.values() if "participation" in tables)
        assert sorted(row["seat_id"] for row in closing["participation"]) == sorted(world.seats[key] for key in VOTERS)
        assert closing["participation"][0].keys() == {"motion_id", "seat_id"}
        naming = {
            name: rows
            for tables in since.values()
            for name, rows in tables.items()
            if any(choice in str(rows) for choice in motion.options)
        }
        assert {name: len(rows) for name, rows in naming.items()} == {"motion": 1, "tally": 1, "record_body": 1}
        assert [
            seat for seat in map(world.seats.get, VOTERS) if str(seat) in str((naming["motion"], naming["tally"]))
        ] == []
        shapes.append({name: len(rows) for name, rows in closing.items()})
        assert root.execute("SELECT count(*) FROM sealed_ballot").fetchone() == (0,)
    assert shapes[0] == shapes[1]
