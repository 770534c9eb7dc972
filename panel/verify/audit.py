"""The audit of an installation: the whole record from its first leaf, and every result derived from it again."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from panel.cases.models import Case
from panel.core.errors import Reason
from panel.decisions.models import Finding
from panel.record import merkle, queries
from panel.record.commitment import ERASED, PARTS, canonical, commit, commit_canonical, commitments_of
from panel.record.events import BodyErased
from panel.record.models import Checkpoint, RecordBody, RecordEntry, RecordStream
from panel.record.note import BadNote, CheckpointText, VerifierKey, open_note, signed_by
from panel.verify import finding, recount
from panel.verify.bundle import Broken, BundleEntry, Part
from panel.votes.actions import keys
from panel.votes.models import Motion, MotionState, SealedBallot, Tally


@dataclass(frozen=True)
class Audited:
    """One thing that was audited: what, what was found about each motion, and the first problem, if any."""

    title: Reason
    problem: Reason | None = None
    verdicts: tuple[recount.Verdict, ...] = ()


def audit(db: Session, *, key: VerifierKey | None = None, ballot_keys: Path | None = None) -> Iterator[Audited]:
    """Audit the record, its checkpoints and every case, one after the other. `key` is the log's own, if known."""
    size = queries.head(db).size
    roots = dict[int, bytes]()
    yield _audited(Reason("The record: %(n)s entries", n=size), check_record, db, size, roots)
    published = queries.checkpoints(db)
    keys = _chain(key, queries.rotations(db))
    yield _audited(Reason("The checkpoints: %(n)s", n=len(published)), check_checkpoints, published, roots, keys)
    for case in db.exec(select(Case).order_by(col(Case.opened_at), col(Case.number))).all():
        yield _audited(Reason("Case %(number)s", number=case.number), check_case, db, case, size)
    yield _audited(Reason("The keys of sealed motions"), check_keys, db, ballot_keys)


@dataclass
class _Walk:
    """How far the record has been read: the tree so far, each stream's length, holes and what explains them."""

    frontier: list[bytes] = field(default_factory=list)
    size: int = 0
    streams: dict[str, int] = field(default_factory=dict)
    holes: set[int] = field(default_factory=set)
    erased: set[int] = field(default_factory=set)


def check_record(db: Session, size: int, roots: dict[int, bytes]) -> None:
    """Read every entry from the first and rebuild the tree; raises Broken. Fills `roots` for published sizes."""
    wanted, walk = {checkpoint.size for checkpoint in queries.checkpoints(db)}, _Walk()
    if 0 in wanted:
        roots[0] = merkle.EMPTY_ROOT
    for entry, body in queries.everything(db, below=size):
        _check_entry(walk, entry, body)
        if walk.size in wanted:
            roots[walk.size] = merkle.frontier_root(walk.frontier)
    if walk.size != size or b"".join(walk.frontier).hex() != queries.head(db).frontier:
        raise Broken("record_head", Reason("The head does not agree with the entries."))
    if walk.streams != {stream.token: stream.length for stream in db.exec(select(RecordStream)).all()}:
        raise Broken("record_stream", Reason("A stream has another length than entries."))
    if unexplained := walk.holes - walk.erased:
        raise _broken(min(unexplained), Reason("its body is missing, and no event tells why"))


def _check_entry(walk: _Walk, entry: RecordEntry, body: RecordBody | None) -> None:
    if entry.index != walk.size:
        raise _broken(walk.size, Reason("it is missing"))
    if entry.seq != walk.streams.get(entry.stream, 0) + 1:
        raise _broken(entry.index, Reason("its stream has a gap before it"))
    try:
        commitments = commitments_of(entry.leaf)
    except ValueError:
        raise _broken(entry.index, Reason("its leaf is damaged")) from None
    if commit("header", entry.header_salt, entry.header) != commitments["header"]:
        raise _broken(entry.index, Reason("its case, number or time is not what was committed to"))
    walk.frontier, completed = merkle.append(walk.frontier, walk.size, merkle.leaf_hash(entry.leaf))
    if b"".join(completed) != entry.hashes:
        raise _broken(entry.index, Reason("its hashes are not those of the tree"))
    walk.size, walk.streams[entry.stream] = walk.size + 1, entry.seq
    if body is None:
        walk.holes.add(entry.index)
    else:
        _check_body(walk, entry, body, commitments)


def _check_body(walk: _Walk, entry: RecordEntry, body: RecordBody, commitments: Mapping[str, bytes]) -> None:
    opened = {
        "public": commit_canonical("public", body.public_salt, body.public.encode()),
        "private": commit_canonical("private", body.private_salt, body.private.encode()),
    }
    if any(opened[part] != commitments[part] for part in opened):
        raise _broken(entry.index, Reason("its body is not what was committed to"))
    public, private = json.loads(body.public), json.loads(body.private)
    if canonical(public).decode() != body.public or canonical(private).decode() != body.private:
        raise _broken(entry.index, Reason("its body is not in canonical form"))
    told = {**private, **public}
    if (entry.kind, entry.hearing_id, entry.closed) != (told["kind"], told["hearing_id"], told["closed"]):
        raise _broken(entry.index, Reason("it is filed under another kind or hearing than its body tells"))
    if entry.kind == BodyErased.kind:
        walk.erased.add(told["index"])


def _chain(key: VerifierKey | None, rotations: Sequence[tuple[str, str]]) -> list[VerifierKey]:
    """Return the log's key and those that it has followed, back to the first, as the record tells."""
    keys = [] if key is None else [key]
    for former, following in reversed(rotations):
        if keys and following == str(keys[-1]):
            keys.append(VerifierKey.parse(former))
    return keys


def check_checkpoints(
    published: Collection[Checkpoint], roots: Mapping[int, bytes], keys: Sequence[VerifierKey]
) -> None:
    """Every published checkpoint must state a root that the record still gives; ours are signed by a key of ours."""
    for checkpoint in published:
        place = f"checkpoint {checkpoint.size}"
        try:
            text = checkpoint.note.rpartition("\n\n")[0] + "\n"
            ours = [key for key in keys if key.name == checkpoint.origin]
            if ours and not any(signed_by(checkpoint.note, key) for key in ours):
                open_note(checkpoint.note, ours[0])
            stated = CheckpointText.parse(text)
        except BadNote as bad:
            reason = Reason(
                "The checkpoint of size %(size)s: %(problem)s.", size=checkpoint.size, problem=Reason(str(bad))
            )
            raise Broken(place, reason) from None
        if stated != CheckpointText(checkpoint.origin, checkpoint.size, roots.get(checkpoint.size, b"")):
            reason = Reason("The record no longer agrees with its checkpoint of size %(size)s.", size=checkpoint.size)
            raise Broken(place, reason)


def check_keys(db: Session, ballot_keys: Path | None) -> None:
    """Of a sealed motion that is not open, neither ballots nor the key may be left."""
    still_open = set(db.exec(select(Motion.id).where(Motion.state == MotionState.OPEN)).all())
    left = set(db.exec(select(SealedBallot.motion_id)).all()) - still_open
    if left:
        raise Broken(min(left), Reason("Sealed ballots of a motion are left that is not open."))
    if ballot_keys is not None and (held := set(keys.held(ballot_keys)) - still_open):
        raise Broken(min(held), Reason("The key of a sealed motion is left that is not open."))


def check_case(db: Session, case: Case, size: int) -> Sequence[recount.Verdict]:
    """Derive a case's tallies and finding from its events again, and hold the rows that are shown against them."""
    entries = entries_of(db, case.record_token, size)
    verdicts = recount.verdicts(entries)
    finding.follows(entries)
    check_rows(db, case, entries)
    return verdicts


def entries_of(db: Session, stream: str, size: int) -> list[BundleEntry]:
    """Return a case's entries as a bundle for the full record would show them, without proofs."""
    return [_shown(entry, body) for entry, body in queries.stream(db, stream, below=size)]


def _shown(entry: RecordEntry, body: RecordBody | None) -> BundleEntry:
    header = Part(entry.header_salt, entry.header)
    parts: dict[str, Part | str] = dict.fromkeys(PARTS, ERASED) | {"header": header}
    if body is not None:
        parts["public"] = Part(body.public_salt, json.loads(body.public))
        parts["private"] = Part(body.private_salt, json.loads(body.private))
    return BundleEntry(f"entry {entry.index}", entry.index, commitments_of(entry.leaf), parts, ())


def check_rows(db: Session, case: Case, entries: Collection[BundleEntry]) -> None:
    """What the pages show must be what the record tells: tallies and the finding."""
    told = {e.event["motion"]: e.event["result"] for e in entries if e.kind == recount.CLOSED and "result" in e.event}
    kept = {t.motion_id: t.result for t in db.exec(select(Tally).where(Tally.case_id == case.id)).all()}
    holes = any(ERASED in entry.parts.values() for entry in entries)
    if told != kept and not holes:
        raise Broken("tally", Reason("A tally that is shown is not the one on the record."))
    shown = db.exec(select(Finding).where(Finding.case_id == case.id)).first()
    recorded = next((e.event for e in entries if e.kind == finding.FOUND), None)
    if holes and recorded is None:
        return
    outcomes = shown and (shown.outcome, shown.motions), recorded and (recorded["outcome"], recorded["motions"])
    if outcomes[0] != outcomes[1]:
        raise Broken("finding", Reason("The finding that is shown is not the one on the record."))


def _audited(title: Reason, check: Callable[..., Sequence[recount.Verdict] | None], *about: Any) -> Audited:
    try:
        return Audited(title, None, tuple(check(*about) or ()))
    except Broken as broken:
        return Audited(title, broken.reason)
    except (ValueError, KeyError, TypeError):
        return Audited(title, Reason("What is kept here cannot be read."))


def _broken(index: int, problem: Reason) -> Broken:
    return Broken(f"entry {index}", Reason("Entry %(index)s: %(problem)s.", index=index, problem=problem))
