import numpy as np
import pytest

from opportunity.market.bars import Bars
from opportunity.market.timeframe import length_ms
from opportunity.scoring.drawdown import drawdown_rank, needed_bars, window_bars


def bars_of(closes, timeframe="1d"):
    closes = np.asarray(closes, float)
    time = np.arange(closes.size, dtype=np.int64) * length_ms(timeframe)
    return Bars(time, np.stack([closes] * 4 + [np.ones(closes.size)], axis=1), timeframe)


def test_windows_are_thirty_days():
    assert [window_bars(t) for t in ("1h", "4h", "1d", "1w")] == [720, 180, 30, 4]
    assert needed_bars("1h") == 720 + 499


@pytest.mark.parametrize("n", [129, 400, 900])
def test_rank_equals_the_definition_written_out(n):
    closes = 100 * np.exp(np.cumsum(np.random.default_rng(n).normal(0, 0.02, n)))
    closes[-40:-20] = closes[-40]  # ties
    falls = [1 - closes[i] / closes[i - 29 : i + 1].max() for i in range(29, n)][-500:]
    below = sum(f < falls[-1] for f in falls)
    equal = sum(f == falls[-1] for f in falls)
    assert drawdown_rank(bars_of(closes)) == (below + equal / 2) / len(falls)


def test_a_new_low_ranks_high_and_a_new_high_low():
    calm = 100 + np.sin(np.arange(300.0))
    assert drawdown_rank(bars_of([*calm, 50.0])) > 0.99
    assert drawdown_rank(bars_of([*calm, 150.0])) < 0.1


def test_short_history_has_no_rank():
    assert np.isnan(drawdown_rank(bars_of(np.ones(128))))
    assert drawdown_rank(bars_of(np.ones(129))) == 0.5


def test_only_the_newest_bars_count():
    closes = 100 + np.random.default_rng(1).normal(0, 1, 3_000).cumsum() * 0.01
    whole, part = bars_of(closes), bars_of(closes)[-needed_bars("1d"):]
    assert drawdown_rank(whole) == drawdown_rank(part)


@pytest.mark.parametrize("timeframe", ["5m", None])
def test_short_timeframes_are_refused(timeframe):
    with pytest.raises(ValueError, match="timeframe must be 1h or longer"):
        drawdown_rank(bars_of(np.ones(200)).label(timeframe=timeframe))
