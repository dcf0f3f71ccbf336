"""Nothing that a test of this folder started outlives it."""

from collections.abc import Iterator

import pytest
from killing import Child


@pytest.fixture(autouse=True)
def nobody_is_left() -> Iterator[None]:
    """Kill what a failed test left behind, also what it had put to sleep."""
    yield
    for child in Child.alive():
        child.kill()
