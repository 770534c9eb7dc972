"""Verifying a bundle, offline: only the file and the log's public key.

What an outsider runs. It imports the standard library, the signature and canonical-JSON libraries, and pure code.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from panel.core.errors import Reason
from panel.record import merkle
from panel.record.commitment import ERASED, commit, leaf_data
from panel.record.note import BadNote, CheckpointText, VerifierKey, open_note
from panel.verify import draws, finding, recount
from panel.verify.bundle import Broken, Bundle, BundleEntry, Length, Part, parse

P = ParamSpec("P")
T = TypeVar("T")
ERASURE = "record.body_erased"


@dataclass(frozen=True)
class Check:
    """One thing that is checked: what it shows when it holds, and what it leaves open."""

    name: str
    title: Reason
    proves: Reason
    leaves_open: Reason


CHECKS: tuple[Check, ...] = (
    Check(
        "file", Reason("The file can be read"),
        Reason("It is written in its only form (JSON as in RFC 8785), with exactly the fields of its kind."),
        Reason("Nothing yet about who made it."),
    ),
    Check(
        "key", Reason("The key is the log's"),
        Reason("The signatures below are judged by this key and no other."),
        Reason("Whose key it is: compare it with the one that the committee publishes."),
    ),
    Check(
        "parts", Reason("What is disclosed is what was recorded"),
        Reason("Every disclosed part opens its commitment, to the letter."),
        Reason("What is withheld: it is fixed, but not seen here."),
    ),
    Check(
        "checkpoint", Reason("The checkpoint is signed"),
        Reason("The holder of the key has signed this size and this root of the record."),
        Reason("Whether others were shown the same root: compare it with a checkpoint kept elsewhere."),
    ),
    Check(
        "proofs", Reason("Every entry stands in the record"),
        Reason("Each entry is a leaf of the signed tree, at the index it names."),
        Reason("Whether other entries belong to the case: of a bundle, the next two checks tell."),
    ),
    Check(
        "sequence", Reason("The case has no gap"),
        Reason("The case's own numbers run from 1 without a gap, in the order of the record."),
        Reason("Whether the end was cut off: see the next."),
    ),
    Check(
        "length", Reason("The case is complete up to the checkpoint"),
        Reason("The log has signed how many events the case had at this checkpoint, and all of them are here."),
        Reason("What happened after the checkpoint."),
    ),
    Check(
        "digest", Reason("The file is as it was handed out"),
        Reason("Not one bit differs from what the log has signed."),
        Reason("Whether another audience would be shown more."),
    ),
    Check(
        "holes", Reason("Every erased body is explained"),
        Reason("Each hole is named by an event that tells the ground of the erasure."),
        Reason("What stood there: nobody can open it any more."),
    ),
    Check(
        "draws", Reason("The panel can be drawn again"),
        Reason("Each draw was held again from its pool, root and secrets, and came out the same: nobody chose it."),
        Reason("Whether the pool was the right one: why somebody did not stand in it, its count alone tells."),
    ),
    Check(
        "motions", Reason("The motions add up"),
        Reason("Open motions were counted again from their ballots; sealed ones agree in every number that is told."),
        Reason("How anybody voted in a sealed motion, and its count: it cannot be recounted independently."),
    ),
    Check(
        "finding", Reason("The finding follows from the motions"),
        Reason("The panel's outcome is that of the carried disposition, and the decision tells whether it adopts it."),
        Reason("Whether the decision is right: that is for its reasons to show."),
    ),
)  # fmt: skip

HOLDS, FAILS, NOT_REACHED, NOT_TRUSTED = "holds", "fails", "not reached", "not trusted"
NO_KEY_GIVEN = Reason(
    "The key came from the file itself and is not trusted: compare it with the one that is published."
)


@dataclass(frozen=True)
class Outcome:
    """How one check came out; `place` and `reason` tell where and why it failed."""

    check: Check
    state: str
    place: str = ""
    reason: Reason | None = None


@dataclass
class Report:
    """Everything that was checked, in order. It stops at the first thing that does not hold."""

    trusted_key: bool
    outcomes: list[Outcome] = field(default_factory=list)
    verdicts: list[recount.Verdict] = field(default_factory=list)
    draws: list[Reason] = field(default_factory=list)
    bundle: Bundle | None = None
    receipt: BundleEntry | None = None
    key: VerifierKey | None = None
    checkpoint: CheckpointText | None = None

    @property
    def holds(self) -> bool:
        """Say whether every check holds; whose key it is, only a reader who was given one can know."""
        return all(outcome.state in (HOLDS, NOT_TRUSTED) for outcome in self.outcomes)

    @property
    def failure(self) -> Outcome | None:
        """Return the first check that failed."""
        return next((outcome for outcome in self.outcomes if outcome.state == FAILS), None)

    def hold(self, name: str, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a check and note how it came out; raises Broken on when it failed."""
        check = next(check for check in CHECKS if check.name == name)
        try:
            result = call(*args, **kwargs)
        except Broken as broken:
            self.outcomes.append(Outcome(check, FAILS, broken.place, broken.reason))
            raise
        self.outcomes.append(Outcome(check, HOLDS))
        return result

    def hold_key(self, named: str, key: str | None) -> VerifierKey:
        """Choose the key to judge by; the file's own word for it is noted as not trusted."""
        chosen = self.key = self.hold("key", chosen_key, named, key)
        if not self.trusted_key:
            self.outcomes[-1] = Outcome(self.outcomes[-1].check, NOT_TRUSTED, "key", NO_KEY_GIVEN)
        return chosen

    def ended(self, count: int) -> "Report":
        """Note which of the first `count` checks were not reached."""
        self.outcomes += [Outcome(check, NOT_REACHED) for check in CHECKS[len(self.outcomes) : count]]
        return self


def verify(data: bytes, key: str | None = None) -> Report:
    """Check a bundle. Without a key the one in the bundle is used, and the report says that it is not trusted."""
    report = Report(trusted_key=key is not None)
    with suppress(Broken):
        bundle = report.bundle = report.hold("file", parse, data)
        verifier = report.hold_key(bundle.key, key)
        report.hold("parts", check_parts, bundle.entries)
        stated = report.checkpoint = report.hold("checkpoint", open_checkpoint, bundle.checkpoint, verifier)
        report.hold("proofs", check_proofs, bundle.entries, stated)
        report.hold("sequence", check_sequence, bundle)
        lines = report.hold("length", check_length, bundle, stated, verifier)
        report.hold("digest", check_digest, bundle, lines)
        report.hold("holes", check_holes, bundle)
        report.draws = report.hold("draws", draws.held_again, bundle.entries, verifier)
        report.verdicts = report.hold("motions", recount.verdicts, bundle.entries)
        report.hold("finding", finding.follows, bundle.entries)
    return report.ended(len(CHECKS))


def chosen_key(named: str, key: str | None) -> VerifierKey:
    """Return the key to judge by: the given one, which the file must name too, or the file's own."""
    try:
        found = VerifierKey.parse(named)
    except BadNote:
        raise Broken("key", Reason("The key in the file is damaged.")) from None
    if key is not None and key != str(found):
        raise Broken("key", Reason("The file was signed under another key than the one you gave."))
    return found


def check_parts(entries: Sequence[BundleEntry]) -> None:
    """Every disclosed part must open its commitment."""
    for entry in entries:
        for name, part in entry.parts.items():
            if isinstance(part, Part) and commit(name, part.salt, part.value) != entry.commitments[name]:
                raise Broken(
                    f"{entry.place}.parts.{name}",
                    Reason("What entry %(index)s discloses is not what it committed to.", index=entry.index),
                )


def open_checkpoint(note: str, key: VerifierKey) -> CheckpointText:
    """The checkpoint must be signed by the key, for the log of the same name."""
    try:
        stated = CheckpointText.parse(open_note(note, key))
    except BadNote as bad:
        raise Broken(
            "checkpoint", Reason("The checkpoint does not hold: %(problem)s.", problem=Reason(str(bad)))
        ) from None
    if stated.origin != key.name:
        raise Broken("checkpoint", Reason("The checkpoint belongs to another log."))
    return stated


def check_proofs(entries: Sequence[BundleEntry], stated: CheckpointText) -> None:
    """Every entry's leaf must be in the signed tree, at its index."""
    for entry in entries:
        leaf = merkle.leaf_hash(leaf_data(entry.commitments))
        if not merkle.verify_inclusion(leaf, entry.index, stated.size, entry.proof, stated.root):
            reason = Reason("Entry %(index)s is not in the record of the checkpoint.", index=entry.index)
            raise Broken(entry.place, reason)


def check_sequence(bundle: Bundle) -> None:
    """The case's own numbers must run from 1 without a gap, and the indexes must rise."""
    if bundle.entries and bundle.entries[0].header["case"] != bundle.case:
        raise Broken("case", Reason("The entries belong to another case."))
    before = -1
    for number, entry in enumerate(bundle.entries, start=1):
        header = entry.header
        if header["case"] != bundle.case:
            raise Broken(entry.place, Reason("Entry %(index)s belongs to another case.", index=entry.index))
        if header["seq"] != number:
            reason = Reason(
                "The case's event %(expected)s is missing before entry %(index)s, which is its event %(seq)s.",
                expected=number, index=entry.index, seq=header["seq"],
            )  # fmt: skip
            raise Broken(entry.place, reason)
        if entry.index <= before:
            raise Broken(entry.place, Reason("Entry %(index)s is out of order.", index=entry.index))
        before = entry.index


def check_length(bundle: Bundle, stated: CheckpointText, key: VerifierKey) -> Sequence[tuple[str, str]]:
    """The log's signed statement must agree with the bundle in case, number of events, size and root."""
    try:
        lines = open_note(bundle.length, key).split("\n")
    except BadNote as bad:
        raise Broken(
            "length", Reason("The statement of length does not hold: %(problem)s.", problem=Reason(str(bad)))
        ) from None
    expected = str(Length(bundle.case, len(bundle.entries), stated.size, stated.root, bundle.digest)).split("\n")
    if bundle.length.count("\n") != len(expected) + 1 or len(lines) != len(expected):
        raise Broken("length", Reason("The statement of length has lines that do not belong there."))
    pairs = list(zip(lines, expected, strict=True))
    for line, should in pairs[:-2]:
        if line != should:
            reason = Reason("The log has signed “%(signed)s”, but here it is “%(here)s”.", signed=line, here=should)
            raise Broken("length", reason)
    return pairs[-2:]


def check_digest(bundle: Bundle, lines: Sequence[tuple[str, str]]) -> None:
    """The digest that the log has signed must be that of everything else in the bundle."""
    if any(signed != here for signed, here in lines):
        raise Broken("", Reason("The file is not the one that the log has signed: some part of it was changed."))


def check_holes(bundle: Bundle) -> None:
    """Every erased entry must be named by an event that records its erasure, later on the record."""
    explained = {str(entry.event.get("index")): entry.index for entry in bundle.entries if entry.kind == ERASURE}
    for entry in bundle.entries:
        states = {part for part in entry.parts.values() if isinstance(part, str)}
        if ERASED in states and (len(states) > 1 or explained.get(str(entry.index), -1) <= entry.index):
            reason = Reason("The body of entry %(index)s is missing, and no event tells why.", index=entry.index)
            raise Broken(entry.place, reason)
