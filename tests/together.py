"""Which tests run in one process when several share the work: those of files whose fixtures are dear.

Everything else is dealt out test by test. (xdist's own groups by a mark do not reach its scheduler with this pytest.)
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

WALKS = ("tests/contracts/test_roles.py", "tests/contracts/test_routes.py")
ALONE = (
    "tests/cli/test_demo.py",
    "tests/contracts/test_bad_input.py",
    "tests/contracts/test_canaries.py",
    "tests/foreign/",
    "tests/live/test_public_cache.py",
    "tests/operation/test_backup_postgres.py",
    "tests/operation/test_clumsy.py",
    "tests/operation/test_metrics.py",
    "tests/operation/test_processes.py",
    "tests/operation/test_proxies.py",
    "tests/verify/test_check.py",
    "tests/verify/test_hostile.py",
)
"""Files, or folders, each of which makes something once that takes long."""


class Together(LoadScopeScheduling):  # type: ignore[misc]  # the library is not typed
    """Deals tests out one by one, in their order, but for those that belong together."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(WALKS):
            return "walks"
        return next((place for place in ALONE if nodeid.startswith(place)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Together:
    """Give the work to several processes in this way."""
    return Together(config, log)
