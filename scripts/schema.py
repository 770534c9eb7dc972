"""Migrate an empty SQLite database and say how the models differ from it."""

import sys
import tempfile

from sqlalchemy import create_engine

import panel.app  # noqa: F401 - the composition root knows every table
from panel.core.schema import differences, migrate


def main() -> int:
    """Print every difference; return the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{folder}/empty.sqlite")
        migrate(engine)
        found = differences(engine)
        engine.dispose()
    for difference in found:
        print(difference)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
