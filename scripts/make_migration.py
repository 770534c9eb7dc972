"""Write migrations/versions/0001_initial.py anew from the models.

Only until the first release: afterwards a released migration never changes, and a new one is added instead.
"""

import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine

import panel.app  # noqa: F401 - the composition root knows every table
from panel.core.schema import configuration

VERSIONS = Path(__file__).parent.parent / "migrations" / "versions"
TARGET = VERSIONS / "0001_initial.py"


def main() -> None:
    """Generate the first migration against an empty database and add the record's triggers to it."""
    TARGET.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        config = configuration()
        with create_engine(f"sqlite:///{folder}/empty.sqlite").begin() as connection:
            config.attributes["connection"] = connection
            command.revision(config, "initial", autogenerate=True, rev_id="0001")
    text = TARGET.read_text(encoding="utf-8")
    text = text.replace("import sqlmodel\n", "import sqlmodel\nfrom panel.record.models import append_only\n", 1)
    text = text.replace(
        "    # ### end Alembic commands ###", "    append_only(op.execute, op.get_bind().dialect.name)", 1
    )
    text = "\n".join(line.rstrip() for line in text.splitlines() if "### commands" not in line) + "\n"
    TARGET.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
