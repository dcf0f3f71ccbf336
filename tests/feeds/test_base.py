import numpy as np
import pytest

from opportunity.feeds.base import check_request, pad, require_known
from opportunity.market.bars import Bars


def bars(n: int) -> Bars:
    return Bars(np.arange(n) * 60_000, np.ones((n, 5)) * np.arange(n)[:, None], "1m")


def test_pad_puts_the_newest_at_the_end():
    time, values = pad([bars(2), bars(5), bars(0)], 3)
    assert time.tolist() == [[0, 0, 60_000], [120_000, 180_000, 240_000], [0, 0, 0]]
    assert np.isnan(values[0, 0]).all()
    assert values[1, :, 3].tolist() == [2, 3, 4]
    assert np.isnan(values[2]).all()


def test_check_request_refuses_nonsense():
    assert check_request("4h", 1) == "4h"
    with pytest.raises(ValueError, match="n_bars must be >= 1, was 0"):
        check_request("4h", 0)
    with pytest.raises(ValueError, match="timeframe must be a known name"):
        check_request("4hours", 5)


def test_require_known_names_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'BTC/USDT'"):
        require_known("BTC/USD", ("BTC/USDT", "ETH/USDT"))
