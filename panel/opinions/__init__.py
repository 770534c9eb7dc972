"""Structured opinions over the six considerations, in sealed rounds."""
