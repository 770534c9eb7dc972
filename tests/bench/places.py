"""Where the benches are tried: one process on SQLite, two on PostgreSQL with Valkey between them."""

PLACES = (1, 2)

Served = tuple[str, str]
"""The database server and the Valkey that a bench of several processes uses; empty for one process."""
