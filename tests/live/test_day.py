import numpy as np
import pytest

from opportunity.live.day import DrawdownRanks
from opportunity.market.bars import Bars
from opportunity.market.timeframe import DAY_MS, HOUR_MS, MINUTE_MS
from opportunity.scoring.drawdown import drawdown_rank

START = 1_700_000_000_000 // DAY_MS * DAY_MS


def _bars(n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, n)))
    open_ = np.r_[100.0, close[:-1]]
    high, low = np.maximum(open_, close) + 0.1, np.minimum(open_, close) - 0.1
    values = np.stack([open_, high, low, close, rng.uniform(1, 5, n)], axis=1)
    return START + np.arange(n) * MINUTE_MS, values


def test_rank_equals_the_batch_function_however_it_is_fed() -> None:
    n = 1_400
    _, values = _bars(n, seed=4)
    ranks = DrawdownRanks(2, ["5m", "1h", "4h"])
    assert ranks.timeframe == "1h"
    ranks.feed(np.array([0]), values[None, :1_300, 3])
    for i in range(1_300, n):
        ranks.feed(np.array([0]), values[None, i : i + 1, 3])
    bars = Bars(START + np.arange(n) * HOUR_MS, values, "1h")
    assert ranks.rank[0] == drawdown_rank(bars)
    assert np.isnan(ranks.rank[1])


def test_rank_needs_an_hour_timeframe() -> None:
    ranks = DrawdownRanks(1, ["5m", "15m"])
    ranks.feed(np.array([0]), np.ones((1, 10)))
    assert ranks.timeframe is None
    assert np.isnan(ranks.rank[0])


@pytest.mark.parametrize("seed", range(6))
def test_rank_after_every_close_equals_the_batch_function(seed: int) -> None:
    n = 1_600
    _, values = _bars(n, seed=seed)
    if seed % 2:
        values[:, 3] = np.round(values[:, 3])  # many equal closes
    ranks = DrawdownRanks(1, ["4h"])
    for i in range(n):
        ranks.feed(np.array([0]), values[None, i : i + 1, 3])
        if i % 7 == 0:
            bars = Bars(START + np.arange(i + 1) * 4 * HOUR_MS, values[: i + 1], "4h")
            np.testing.assert_equal(ranks.rank[0], drawdown_rank(bars))


def test_whole_history_replaces_what_was_known() -> None:
    _, values = _bars(900)
    once, twice = DrawdownRanks(1, ["4h"]), DrawdownRanks(1, ["4h"])
    history = np.full((1, once.n_bars), np.nan)
    history[0, -400:] = values[:400, 3]
    twice.feed(np.array([0]), values[None, 400:800, 3])
    for ranks in (once, twice):
        ranks.feed(np.array([0]), history)
    assert once.rank[0] == twice.rank[0]


def test_ranks_of_some_symbols_can_be_exchanged() -> None:
    _, values = _bars(1_400, seed=4)
    ranks, other = DrawdownRanks(2, ["1h"]), DrawdownRanks(1, ["1h"])
    ranks.feed(np.array([0, 1]), values[None, :1_300, 3].repeat(2, axis=0))
    other.feed(np.array([0]), values[None, :1_399, 3])
    ranks.adopt(np.array([1]), other)
    for row, one in ((1, ranks), (0, other)):
        one.feed(np.array([row]), values[None, 1_399:, 3])
    assert ranks.rank[1] == other.rank[0]
    assert ranks.rank[0] != ranks.rank[1]
