"""Write the next migration from the models: `python -m scripts.make_migration WHAT`, for example `offices`.

A released migration never changes: what the models say beyond the newest one goes into a new one, to be read and mended
by hand before it is committed. The fixtures of schemas that were released stay in tests/operation/schemas.
"""

import re
import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine

import panel.app  # noqa: F401 - the composition root knows every table
from panel.core.schema import configuration, migrate

VERSIONS = Path(__file__).parent.parent / "migrations" / "versions"


def main(what: str) -> Path:
    """Generate the migration against a database that has all earlier ones; returns its file."""
    number = f"{len(list(VERSIONS.glob('[0-9]*.py'))) + 1:04}"
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{folder}/empty.sqlite")
        migrate(engine)
        config = configuration()
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.revision(config, what, autogenerate=True, rev_id=number)
        engine.dispose()
    (target,) = VERSIONS.glob(f"{number}_*.py")
    text = target.read_text(encoding="utf-8")
    text = "\n".join(line.rstrip() for line in text.splitlines() if "### " not in line) + "\n"
    target.write_text(re.sub(r"\n{3,}(?=    )", "\n\n", text), encoding="utf-8")
    return target


if __name__ == "__main__":
    print(main("_".join(sys.argv[1:])))
