"""Live pages: sockets that hint, changes that tell the truth, presence."""
