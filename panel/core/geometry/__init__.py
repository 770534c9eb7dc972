"""Where the marks of a picture stand. Pure: numbers in, coordinates out; templates draw and word them.

Lengths are in units of a picture's viewBox, which is 400 wide, so that its text stays readable at 320 px.
"""

from panel.core.geometry.grid import Cell, Grid
from panel.core.geometry.marks import ORDER, SLOTS, WIDTH, exact, needed, ordered, slot_of, wrap
from panel.core.geometry.ratings import Mean, Pair, Ratings, Stance, citations, heat, movement, stance
from panel.core.geometry.record import Speaking, Tile, speaking, strip
from panel.core.geometry.votes import Gauge, Hemicycle, Place, Quorum, gauge, hemicycle, quorum

__all__ = [
    "ORDER", "SLOTS", "WIDTH", "Cell", "Gauge", "Grid", "Hemicycle", "Mean", "Pair", "Place", "Quorum", "Ratings",
    "Speaking", "Stance", "Tile", "citations", "exact", "gauge", "heat", "hemicycle", "movement", "needed", "ordered",
    "quorum", "slot_of", "speaking", "stance", "strip", "wrap",
]  # fmt: skip
