"""What the record costs as it grows: appending, proving, verifying; beside raw SQLite that grows along with it."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from sqlmodel import Session

from panel.bench import measure, raw
from panel.core import clock
from panel.core.db import writing_engine
from panel.core.ids import new_id
from panel.core.schema import migrate
from panel.record import merkle, queries
from panel.record.append import Sheet
from panel.votes.events import BallotCast

PROOFS = 200
ROUNDS = 10
"""So many groups at each size are timed, in turn with as many of raw SQLite."""

AT_ONCE = 4096
"""So many are added in one commit where nothing is measured."""

REASON = "依据巡检记录与当日调度令，事实清楚。"  # zh: a reason of an ordinary length


def run(folder: Path, sizes: Sequence[int]) -> dict[str, Any]:
    """Let one record grow through these sizes; measure at each of them."""
    engine = writing_engine(f"sqlite:///{folder / 'record.sqlite'}")
    migrate(engine)
    case, told = new_id(), dict[str, dict[str, Any]]()
    try:
        with Session(engine) as db:
            for size in sorted(sizes):
                _grow(db, folder, case, size)
                told[str(size)] = _measured(db, folder, case)
    finally:
        engine.dispose()
    largest = told[str(max(sizes))]
    raw_us = {size: at.pop("raw_insert_us") for size, at in told.items()}
    baseline = {
        "what": f"sqlite3 of the standard library, synchronous=FULL, {raw.GROUP} rows of the same size in one commit",
        "insert_us": raw_us,
    }
    ratio = largest["append_us"] / raw_us[str(max(sizes))]
    return measure.result("record", {"sizes": sorted(sizes), "group": raw.GROUP}, {"at": told}, baseline, ratio)


def _grow(db: Session, folder: Path, case: str, size: int) -> None:
    """Let record and raw table have so many entries, less those that will be measured."""
    wanted = max(0, size - ROUNDS * raw.GROUP - queries.head(db).size)
    db.rollback()
    for start in range(0, wanted, AT_ONCE):
        more = min(AT_ONCE, wanted - start)
        _append(db, case, more)
        raw.Sqlite(folder).inserts(more, at_once=AT_ONCE)


def _append(db: Session, case: str, count: int) -> float:
    """Append so many ballots in one commit, as the writer does; return the seconds taken."""
    started = clock.monotonic()
    sheet, now = Sheet(db), clock.now()
    for _ in range(count):
        sheet.add([_ballot(case)], now, stream=case)
    sheet.write()
    db.commit()
    return clock.monotonic() - started


def _ballot(case: str) -> BallotCast:
    return BallotCast(
        case_id=case, hearing_id=case, closed=True, actor_id=case, motion=case, ballot=case, seat=case,
        choice="established", reason=REASON, replaces=None, frozen_sha256=case + case,
    )  # fmt: skip


def _measured(db: Session, folder: Path, case: str) -> dict[str, Any]:
    ours, theirs = list[float](), list[float]()
    for _ in range(ROUNDS):
        ours.append(_append(db, case, raw.GROUP))
        theirs.append(raw.Sqlite(folder).inserts(raw.GROUP))
    size = queries.head(db).size
    root, chance = queries.root(db, size), random.Random(size)
    indexes = [chance.randrange(size) for _ in range(PROOFS)]
    leaves = {index: queries.hash_at(db)(0, index) for index in indexes}
    proofs = dict[int, list[bytes]]()
    proving = _each(indexes, lambda index: proofs.update({index: queries.proofs(db, size)(index)}))
    held = list[bool]()
    verifying = _each(
        indexes,
        lambda index: held.append(merkle.verify_inclusion(leaves[index], index, size, proofs[index], root)),
    )
    assert all(held), "a proof does not hold"
    db.rollback()
    return {
        "append_us": _us(median(ours) / raw.GROUP),
        "raw_insert_us": _us(median(theirs) / raw.GROUP),
        "prove_us": _us(proving),
        "verify_us": _us(verifying),
        "proof_bytes": max(len(proof) for proof in proofs.values()) * merkle.HASH_SIZE,
        "memory_mb": round(measure.resident_mb("self"), 1),
        "file_mb": round((folder / "record.sqlite").stat().st_size / 2**20, 1),
    }


def _each(indexes: Sequence[int], do: Callable[[int], object]) -> float:
    """Return the median seconds that one takes."""
    times = []
    for index in indexes:
        started = clock.monotonic()
        do(index)
        times.append(clock.monotonic() - started)
    return median(times)


def _us(seconds: float) -> float:
    return round(seconds * 1e6, 1)
