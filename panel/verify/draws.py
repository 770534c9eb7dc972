"""Whether the draws of a case can be held again: commitments before the root, secrets as committed, the same result."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from panel.core.errors import Reason
from panel.draws.draw import Candidate, Impossible, Terms, commitment, hold, seed_of, ticket
from panel.record.note import BadNote, CheckpointText, VerifierKey, key_id, open_note, parted
from panel.verify.bundle import Broken, BundleEntry

PREPARED, COMMITTED, FIXED, REVEALED, HELD = (
    f"draws.{verb}"
    for verb in ("draw_prepared", "contribution_committed", "draw_fixed", "contribution_revealed", "draw_held")
)
CONTRIBUTORS = ("chair", "scrutineer")
MOST = 20_000
"""Candidates of one draw; more would only keep the reader busy."""


@dataclass
class Drawing:
    """The events of one draw that a bundle discloses."""

    prepared: BundleEntry | None = None
    committed: dict[str, BundleEntry] = field(default_factory=dict)
    fixed: BundleEntry | None = None
    revealed: dict[str, BundleEntry] = field(default_factory=dict)
    held: BundleEntry | None = None


def held_again(entries: Sequence[BundleEntry], key: VerifierKey) -> list[Reason]:
    """Hold every draw again that was held, and return a line about each. Raises Broken at the first that differs.

    A draw of which an event is withheld or erased is passed over: what is told of it is what is left.
    """
    found = []
    for drawing in _drawings(entries):
        if drawing.held is None or drawing.prepared is None or drawing.fixed is None or len(drawing.committed) < 2:
            continue
        try:
            found.append(_held_again(drawing, drawing.prepared, drawing.fixed, drawing.held, key))
        except (KeyError, TypeError, AttributeError, ValueError):
            raise Broken(drawing.held.place, Reason("The draw has not the shape of a draw.")) from None
    return found


def held_in(entries: Sequence[BundleEntry]) -> list[tuple[BundleEntry, BundleEntry]]:
    """Return preparation and result of each draw that was held, of entries that `held_again` has found to hold."""
    return [(one.prepared, one.held) for one in _drawings(entries) if one.prepared and one.held]


def tickets(prepared: BundleEntry, held: BundleEntry) -> dict[str, list[tuple[str, str, bool]]]:
    """Return by category every candidate's ticket and id, the smallest first, and whether they were drawn."""
    seed, members = held.event["seed"], held.event["members"]
    found: dict[str, list[tuple[str, str, bool]]] = {category: [] for category in sorted(members)}
    for one in prepared.event["candidates"]:
        if one["category"] in found:
            drawn = one["id"] in members[one["category"]]
            found[one["category"]].append((ticket(seed, one["id"]), one["id"], drawn))
    return {category: sorted(rows) for category, rows in found.items()}


def _drawings(entries: Iterable[BundleEntry]) -> Sequence[Drawing]:
    told: dict[str, Drawing] = {}
    for entry in entries:
        if entry.kind not in (PREPARED, COMMITTED, FIXED, REVEALED, HELD):
            continue
        one = told.setdefault(str(entry.event.get("draw")), Drawing())
        if entry.kind == COMMITTED:
            one.committed.setdefault(str(entry.event.get("contributor")), entry)
        elif entry.kind == REVEALED:
            one.revealed.setdefault(str(entry.event.get("contributor")), entry)
        elif entry.kind == PREPARED:
            one.prepared = one.prepared or entry
        elif entry.kind == FIXED:
            one.fixed = one.fixed or entry
        else:
            one.held = one.held or entry
    return list(told.values())


def _held_again(
    drawing: Drawing, prepared: BundleEntry, fixed: BundleEntry, held: BundleEntry, key: VerifierKey
) -> Reason:
    root = _root(fixed, [entry.index for entry in drawing.committed.values()], key)
    told, secrets = held.event, held.event["secrets"]
    order = [prepared.index, *sorted(entry.index for entry in drawing.committed.values()), fixed.index]
    order += [*sorted(entry.index for entry in drawing.revealed.values()), held.index]
    if order != sorted(set(order)):
        raise Broken(held.place, Reason("The steps of the draw are out of order."))
    if not isinstance(secrets, list) or len(secrets) != len(CONTRIBUTORS):
        raise TypeError("no secrets of a draw")
    for contributor, secret in zip(CONTRIBUTORS, secrets, strict=True):
        committed = drawing.committed[contributor].event["commitment"]
        if commitment(_text(told["draw"]), contributor, _text(secret)) != committed:
            raise Broken(held.place, Reason("A secret of the draw is not the one that was committed to."))
    if seed_of(told["draw"], root, secrets) != told["seed"]:
        raise Broken(held.place, Reason("The seed of the draw is not made of its root and its secrets."))
    drawn = _drawn(prepared.event, told["seed"])
    if drawn != (told["members"], told["alternates"]):
        raise Broken(held.place, Reason("The draw gives another result when it is held again."))
    return Reason(
        "Draw %(number)s: held again, with the same %(n)s members.", number=prepared.event["number"],
        n=sum(len(ids) for ids in told["members"].values()),
    )  # fmt: skip


def _root(fixed: BundleEntry, committed: Sequence[int], key: VerifierKey) -> str:
    """Return the root (hex) that was fixed: younger than both commitments, and signed, if this key has signed it.

    A key that was renewed since has signed the root under its former self, which nobody here can judge.
    """
    told, note = fixed.event, _text(fixed.event["note"])
    try:
        text, signatures = parted(note)
        ours = any(name == key.name and data[:4] == key_id(key.name, key.public) for name, data in signatures)
        stated = CheckpointText.parse(open_note(note, key) if ours else text)
    except BadNote as bad:
        reason = Reason("The root of the draw is not signed: %(problem)s.", problem=Reason(str(bad)))
        raise Broken(fixed.place, reason) from None
    if (stated.size, stated.root.hex()) != (told["size"], told["root"]):
        raise Broken(fixed.place, Reason("The root of the draw is not the one that was signed."))
    if not max(committed) < stated.size <= fixed.index:
        raise Broken(fixed.place, Reason("The root of the draw is not younger than both commitments."))
    return stated.root.hex()


def _drawn(prepared: Mapping[str, Any], seed: str) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    terms, pool = prepared["terms"], prepared["candidates"]
    if len(pool) > MOST or len({_text(one["id"]) for one in pool}) < len(pool):
        raise ValueError("no pool of a draw")
    candidates = [Candidate(_text(one["id"]), _text(one["category"]), _text(one["unit"])) for one in pool]
    seats = {category: _number(number) for category, number in terms["seats"].items()}
    per_unit = None if terms["per_unit"] is None else _number(terms["per_unit"])
    held = {unit: _number(number) for unit, number in terms["held"].items()}
    try:
        drawn = hold(candidates, Terms(seats, per_unit, held), seed)
    except Impossible:
        raise ValueError("no draw can be held of this pool") from None
    return tuple({c: list(ids) for c, ids in each.items()} for each in (drawn.members, drawn.alternates))  # type: ignore[return-value]  # two


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST:
        raise TypeError("no number")
    return value
