"""A record of its own for each test: the real database, made by the migrations."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from panel.core.db import sqlite_url, writing_engine


@pytest.fixture
def engine(tmp_path: Path, template: Path, database: str) -> Iterator[Engine]:
    """The writing engine of an empty database."""
    shutil.copy(template, tmp_path / "record.sqlite")
    made = writing_engine(database or sqlite_url(tmp_path / "record.sqlite"))
    yield made
    made.dispose()
