"""Motions, ballots open and sealed, tallies."""
