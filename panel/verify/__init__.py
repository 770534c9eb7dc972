"""What an outsider runs: bundles, proofs, recounts."""
