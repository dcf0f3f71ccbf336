import numpy as np
import pytest
from builders import HOUR, START, random_bars

from opportunity.backtest.batches import batches_of
from opportunity.backtest.prices import Prices


def test_symbols_stand_side_by_side():
    one, other = random_bars(6, 1), random_bars(6, 2)[2:5]
    found = Prices.of_bars([one, other])
    np.testing.assert_array_equal(found.time, one.close_time)
    np.testing.assert_array_equal(found.opens[:, 0], one.open)
    np.testing.assert_array_equal(found.closes[2:5, 1], other.close)
    np.testing.assert_array_equal(found.opened[2:5, 1], other.time)
    assert np.isnan(found.closes[[0, 1, 5], 1]).all()
    assert (found.opened[[0, 1, 5], 1] == 0).all()


def test_warm_up_is_left_out():
    bars = random_bars(9)
    found = Prices.of_batches(batches_of([bars], "1h"), 1, 4)
    assert found.time[0] == START + 5 * HOUR
    np.testing.assert_array_equal(found.closes[:, 0], bars.close[4:])
    np.testing.assert_array_equal(found.opens[:, 0], bars.open[4:])
    np.testing.assert_array_equal(found.opened[:, 0], bars.time[4:])


@pytest.mark.parametrize("frames", [[], [None], ["1h", "4h"]])
def test_bars_of_several_timeframes_are_refused(frames):
    with pytest.raises(ValueError, match="one known timeframe"):
        Prices.of_bars([random_bars(3).label(timeframe=f) for f in frames])
