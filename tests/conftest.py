"""What several test files share: the recorded market data, when it is there."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `from builders import ...`

DATA = Path(
    os.environ.get("OPPORTUNITY_TEST_DATA", Path(__file__).parents[1] / ".." / "shared" / "data")
)


@pytest.fixture(scope="session")
def market_data() -> Path:
    """Folder of recorded market data; see CONTRIBUTING for its layout."""
    if not (DATA / "binance").is_dir():
        pytest.skip(f"no recorded market data at {DATA} (set OPPORTUNITY_TEST_DATA)")
    return DATA.resolve()
