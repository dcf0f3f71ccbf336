"""What several test files share: bare surroundings, and the recorded market data if it is there."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from opportunity.config import OUTSIDE, PREFIX
from opportunity.kernels import HOME

sys.path.insert(0, str(Path(__file__).parent))  # for `from builders import ...`

from postgres import postgres as postgres
from postgres import postgres_url as postgres_url

settings.register_profile("quick", deadline=None)  # no test fails for the time it took
settings.register_profile("full", max_examples=1_000, deadline=None)  # `make test-full`
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

DATA = Path(
    os.environ.get("OPPORTUNITY_TEST_DATA", Path(__file__).parents[1] / ".." / "shared" / "data")
)
RUNBOOK = {
    "DATABASE_URL", "LOG_LEVEL", "REALTIME_AGENT_ENABLED", "REALTIME_SCAN_INTERVAL_MS", "REDIS_URL",
}  # fmt: skip

ALONE = ("feeds/exchange", "browser", "live")
"""Folders whose tests keep real time: each of them wants a core for itself."""

EXACT = ("app/exchange",)
"""Folders whose tests count what comes in each moment: nothing runs beside them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of `ALONE` and `EXACT`."""
    here = Path(__file__).parent
    marks = ((ALONE, pytest.mark.alone), (EXACT, pytest.mark.exact))
    for item in items:
        for folders, mark in marks:
            if any(item.path.is_relative_to(here / folder) for folder in folders):
                item.add_marker(mark)


@pytest.fixture(scope="session", autouse=True)
def bare_surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hide the developer's settings and data folder; only compiled kernels are shared."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name in RUNBOOK or (name.startswith(PREFIX) and name not in OUTSIDE):
                patch.delenv(name)
        patch.setenv("OPPORTUNITY_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("NUMBA_CACHE_DIR", str(HOME))  # for processes that tests start
        yield


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """Undo what a command has set up: its stream ends with the test."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def market_data() -> Path:
    """Folder of recorded market data; docs/data.md says its layout."""
    if not (DATA / "binance").is_dir():
        pytest.skip(f"no recorded market data at {DATA} (set OPPORTUNITY_TEST_DATA)")
    return DATA.resolve()
