"""Two charts drawn by hand, with what the detector must say on each bar."""

import math

import numpy as np
import pytest

from opportunity.detectors.whales import Whales
from opportunity.market.bars import Bars
from opportunity.market.observations import Trades, Transfer

HOUR_MS, MINUTE_MS, DAY_MS = 3_600_000, 60_000, 86_400_000
START = 1_600_000_000_000 // DAY_MS * DAY_MS


def quiet_bars(n, volume):
    close = 1000.0 + np.arange(n) % 2
    values = np.column_stack([close, close + 1, close - 1, close, volume])
    return Bars(START + HOUR_MS * np.arange(n), values, "1h", "TEST/USDT", "test")


def test_a_large_buyer_in_a_quiet_market():
    """One coin a minute, bought and sold in turn; on bar 110 one order of 100 coins is filled.

    It is 100 of the 160 coins of its bar. Its strength is 0.5, halved every 6 bars. From bar 111
    on the net flow of 24 bars, 100 of 1,540 coins, stands out against a past of nothing, until
    it leaves the window on bar 134.
    """
    n = 140
    time = START + MINUTE_MS * np.arange(60 * n) + 1_000
    amount, side = np.ones(60 * n), np.where(np.arange(60 * n) % 2, 1, -1)
    at = 110 * 60 + 30
    time, amount, side = (
        np.insert(x, at + 1, y) for x, y in ((time, time[at] + 500), (amount, 100.0), (side, 1))
    )
    price = np.full(time.size, 1000.0)
    price[at + 1] = 1001.0
    trades = Trades("test", "TEST/USDT", time, price, amount, side.astype(np.int8))
    volume = np.full(n, 60.0)
    volume[110] = 160.0
    found = Whales().detect(quiet_bars(n, volume), [trades])

    events = [(e.bar, e.kind, e.state, e.side) for e in found.events if e.kind != "VPIN high"]
    assert events == [
        (110, "large prints", "active", 1),
        (111, "flow burst", "active", 1),
        (134, "flow burst", "done", 1),
    ]
    large = found.events[[e.kind for e in found.events].index("large prints")]
    assert large.text == "Large buys: 62% of the bar's volume above the 99th percentile"
    assert large.points[0][1] == 1001.0
    assert large.quality == 1

    np.testing.assert_array_equal(found.score[99:110], 0)
    np.testing.assert_array_equal(found.confidence[99:110], 0)
    # Bar 110: the past of the net flow is nothing, so its deviation is 0 and it says nothing.
    assert found.score[110] == pytest.approx(0.35 * 0.5 / 0.6)
    for k in range(1, 24):
        values = np.zeros(110 + k)
        values[110:] = 100 / 1540
        z = (100 / 1540 - values.mean()) / values.std()
        expected = (0.35 * 0.5 * 2 ** (-k / 6) + 0.25 * min(z / 3, 1)) / 0.6
        assert found.score[110 + k] == pytest.approx(expected, abs=1e-6)
    assert found.score[134] < 0  # less was bought than usual lately
    assert (found.confidence[110:134] >= 0.45).all()
    assert (found.confidence[99:] <= 0.5).all()


def test_a_deposit_at_an_exchange_is_all_that_is_known():
    """Forty transfers of e**5 and e**7 coins in turn, all unknown, then one of e**9 coins.

    The sizes have mean 6 and deviation 1 in logarithms: e**9 is 3 deviations large and counts
    in full. It happened on bar 103, was known 2.5 hours later, on bar 105, and is forgotten 48
    hours after that.
    """
    n = 170
    happened = START + 103 * HOUR_MS
    transfers = [
        Transfer(t, t, "chain", "TEST", math.exp(5 + 2 * (i % 2)), "unknown")
        for i, t in enumerate(range(happened - 400 * HOUR_MS, happened, 10 * HOUR_MS))
    ]
    arrived = happened + 2 * HOUR_MS + 30 * MINUTE_MS
    transfers.append(Transfer(happened, arrived, "chain", "TEST", math.exp(9), "in", "Exchange"))
    found = Whales().detect(quiet_bars(n, np.full(n, 60.0)), transfers)

    shown = [(e.bar, e.kind, e.side, e.text) for e in found.events if e.bar >= 103]
    assert shown == [(105, "transfer", -1, "Large transfer to an exchange: 8,103 coins")]
    available = np.zeros(n, bool)
    available[105 : 105 + 48] = True
    np.testing.assert_array_equal(found.available, available)
    np.testing.assert_allclose(found.score[105:153], -1)
    np.testing.assert_allclose(found.confidence[105:153], 0.5)
