"""Which of several server processes does what only one may do: sending mail, publishing checkpoints, keeping limits."""

import threading

from sqlalchemy import Connection, Engine, text

NUMBER = 0x68657969
"""The advisory lock's number in our database: "heyi" in ASCII."""

_TRY = text("SELECT pg_try_advisory_lock(:number)")
_ALIVE = text("SELECT 1")


class Duty:
    """On SQLite there is no other process. On PostgreSQL the one on duty holds an advisory lock, which goes with its
    connection, however that ends; then another process takes over.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine, self._alone = engine, engine.dialect.name == "sqlite"
        self._holding: Connection | None = None
        self._asking = threading.Lock()

    def held(self) -> bool:
        """Say whether this process is on duty now. Blocks; raises when the database cannot be asked."""
        with self._asking:
            return self._alone or (self._take() if self._holding is None else self._keep(self._holding))

    def release(self) -> None:
        """Let another process take over."""
        with self._asking:
            if self._holding is not None:
                self._drop(self._holding)

    def _take(self) -> bool:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if connection.execute(_TRY, {"number": NUMBER}).scalar_one():
            self._holding = connection
            return True
        connection.close()
        return False

    def _keep(self, holding: Connection) -> bool:
        try:
            holding.execute(_ALIVE)
        except Exception:
            self._drop(holding)
            raise
        return True

    def _drop(self, holding: Connection) -> None:
        """Close the connection itself: given back to its pool it would go on holding the lock."""
        self._holding = None
        holding.invalidate()
        holding.close()
