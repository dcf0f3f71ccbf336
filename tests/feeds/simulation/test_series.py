import numpy as np
import pytest

from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.market.bars import Bars
from opportunity.market.resample import resample
from opportunity.market.timeframe import TIMEFRAMES, divides

END = 1_735_862_400_000  # 2025-01-03 00:00, in the middle of a week
MARKET = SimulatedMarket(["BTC/USDT", "SHIB/USDT", "X0777/USDT"])
DAYS = 16
MINUTES = MARKET.grid("1m", DAYS * 1440, END)


@pytest.mark.parametrize("row", range(3))
@pytest.mark.parametrize("timeframe", TIMEFRAMES[1:])
def test_every_timeframe_is_the_minutes_resampled(timeframe, row):
    fine = Bars(MINUTES, MARKET.bars(np.array([row]), "1m", MINUTES)[0], "1m")
    expected = resample(fine, timeframe)[1:]
    found = MARKET.bars(np.array([row]), timeframe, expected.time)[0]
    np.testing.assert_array_equal(found, expected.values)
    assert len(expected) >= 1


def test_minutes_drawn_from_the_middle_of_an_hour_are_the_same():
    whole = MARKET.bars(np.arange(3), "1m", MINUTES[:500])
    part = MARKET.bars(np.arange(3), "1m", MINUTES[77:391])
    np.testing.assert_array_equal(part, whole[:, 77:391])
    assert all(divides("1m", t) for t in TIMEFRAMES)
