"""The database's schema: made and changed by migrations only."""

import sys
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine
from sqlmodel import SQLModel

from panel.core.assets import folder
from panel.core.config import load
from panel.core.db import writing_engine


def configuration() -> Config:
    """Return alembic's configuration for the migrations that come with this version."""
    config = Config()
    config.set_main_option("script_location", str(folder("migrations")))
    return config


def migrate(engine: Engine) -> None:
    """Bring the database to the newest schema."""
    with engine.begin() as connection:
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def main() -> None:
    """Bring the database of an installation to the newest schema (`python -m panel.core.schema DATA`).

    A process of its own: a server that only serves does not carry the tools of migration (15 MB).
    """
    engine = writing_engine(load(Path(sys.argv[1]) if len(sys.argv) > 1 else None).database_url)
    migrate(engine)
    engine.dispose()


def differences(engine: Engine) -> list[object]:
    """Return how the models differ from the migrated database; empty when they agree."""
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), SQLModel.metadata))


if __name__ == "__main__":
    main()
