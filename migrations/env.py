"""Alembic's environment: the models of every area, on the connection or URL it is given."""

from alembic import context
from sqlalchemy import create_engine
from sqlmodel import SQLModel

import panel.app  # noqa: F401 - the composition root knows every table

config = context.config


def run(connection: object) -> None:
    """Run the migrations on a connection."""
    context.configure(
        connection=connection,  # type: ignore[arg-type]  # alembic hands over what it was given
        target_metadata=SQLModel.metadata,
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with create_engine(config.get_main_option("sqlalchemy.url") or "").begin() as opened:
        run(opened)
