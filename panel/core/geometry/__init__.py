"""Where the marks of a picture stand. Pure: numbers in, coordinates out; templates draw and word them.

Lengths are in units of a picture's viewBox, which is 400 wide, so that its text stays readable at 320 px.
"""

from panel.core.geometry.marks import ORDER, SLOTS, WIDTH, exact, needed, ordered, slot_of, wrap
from panel.core.geometry.ratings import Heat, Mean, Ratings, Stance, heat, stance
from panel.core.geometry.record import Speaking, Tile, speaking, strip
from panel.core.geometry.votes import Gauge, Hemicycle, Place, Quorum, gauge, hemicycle, quorum

__all__ = [
    "ORDER", "SLOTS", "WIDTH", "Gauge", "Heat", "Hemicycle", "Mean", "Place", "Quorum", "Ratings", "Speaking",
    "Stance", "Tile", "exact", "gauge", "heat", "hemicycle", "needed", "ordered", "quorum", "slot_of",
    "speaking", "stance", "strip", "wrap",
]  # fmt: skip
