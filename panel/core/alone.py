"""One server for each SQLite file: whoever serves holds a lock, and a second one is refused."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from panel.core.errors import Reason, Refused

if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def only_server(folder: Path) -> Iterator[None]:
    """Hold the lock of a data directory until the block ends; raises Refused where another server holds it.

    The lock goes with the process, however it ends; the file stays and says nothing.
    """
    handle = os.open(folder / "serving.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            _lock(handle)
        except OSError:
            raise Refused(Reason("Another server serves %(folder)s already.", folder=folder)) from None
        yield
    finally:
        os.close(handle)
