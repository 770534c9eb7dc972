"""Measures of agreement on an ordinal scale; pure, standard library only. None of them is shown alone.

Abstention, recusal, absence and "cannot judge" are four different things; none of them enters a measure.
"""

from panel.opinions.agreement.groups import Between, Split, between
from panel.opinions.agreement.movement import Move, Stability, kappa, moves, stability
from panel.opinions.agreement.rand import Ram, disagreement_index, ram
from panel.opinions.agreement.spread import Label, agreement, consensus, counts_of, label

__all__ = [
    "Between", "Label", "Move", "Ram", "Split", "Stability", "agreement", "between", "consensus",
    "counts_of", "disagreement_index", "kappa", "label", "moves", "ram", "stability",
]  # fmt: skip
