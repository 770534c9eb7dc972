"""Write the fixtures of the present schema: `python -m scripts.make_fixture`, before a release that changed it.

Two small backups go to tests/operation/schemas, one of SQLite and one of PostgreSQL, each with what it must still say;
then the schema is named in released.toml there. What was made once is never made again: it stands for installations.
"""

import sys
import tempfile
from pathlib import Path

from panel.core import log
from panel.core.assets import schema_version
from tests.factories import make_template
from tests.operation import fixtures
from tests.postgres import cluster, new_database


def main() -> int:
    """Make both fixtures; returns the exit status."""
    log.configure(40)
    if there := [kind for kind in fixtures.KINDS if fixtures.backup_of(schema_version(), kind).exists()]:
        print(f"Schema {schema_version()} has its fixture already: {', '.join(there)}")
        return 1
    with tempfile.TemporaryDirectory(prefix="heyi-fixture-") as name, cluster() as server:
        folder = Path(name)
        template = make_template(folder)
        for kind in fixtures.KINDS:
            database = new_database(server) if kind == "postgresql" else ""
            made = fixtures.make_fixture(folder / kind, template, kind, database)
            print(f"{made}: {made.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
