"""One small backtest and the way to look into a picture."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from builders import random_bars

import opportunity as op

pytest.importorskip("holoviews")


@pytest.fixture(scope="session")
def result() -> Any:
    """Two symbols, 2,900 bars that trade, partial exits, stops."""
    bars = random_bars(3_000)
    return op.backtest(
        [bars, replace(random_bars(3_000, seed=2), symbol="ZED/USDT")], timeframes=["1h"],
        rules=op.TradeRules(min_score=0.55, min_confidence=0.05),
    )


@pytest.fixture
def elements() -> Callable[[Any, str], list[Any]]:
    """Return all elements of a kind in a picture."""

    def found(picture: Any, kind: str) -> list[Any]:
        return [e for e in picture.traverse() if type(e).__name__ == kind]

    return found
