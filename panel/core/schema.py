"""The database's schema: made and changed by migrations only."""

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine
from sqlmodel import SQLModel

from panel.core.assets import folder


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


def differences(engine: Engine) -> list[object]:
    """Return how the models differ from the migrated database; empty when they agree."""
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), SQLModel.metadata))
