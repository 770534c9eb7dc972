"""Counting, in exact fractions. Standard library only: an outsider's verifier runs this very code.

The order of tests is fixed (design 8): quorum, near tie, required line.
超过 is strict, 以上 includes the number.
"""

from panel.votes.tally.count import (
    CARRIED,
    DEFERRED,
    FULL,
    LAPSED,
    LOST,
    PASSED_ONLY,
    Miscount,
    Result,
    RollLine,
    Rule,
    Step,
    lapsed,
    least,
    published,
    sitting,
    standing,
    tally,
)
from panel.votes.tally.recount import (
    FROZEN,
    Problem,
    check_open,
    check_opened,
    check_sealed,
    frozen_sha256,
    last_ballots,
    recount_open,
    text_sha256,
)

__all__ = [
    "CARRIED",
    "DEFERRED",
    "FROZEN",
    "FULL",
    "LAPSED",
    "LOST",
    "PASSED_ONLY",
    "Miscount",
    "Problem",
    "Result",
    "RollLine",
    "Rule",
    "Step",
    "check_open",
    "check_opened",
    "check_sealed",
    "frozen_sha256",
    "lapsed",
    "last_ballots",
    "least",
    "published",
    "recount_open",
    "sitting",
    "standing",
    "tally",
    "text_sha256",
]
