import numpy as np

from opportunity.feeds.simulation.hours import open_gap
from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.market.bars import Bars
from opportunity.market.quality import inspect
from opportunity.market.timeframe import HOUR_MS

END = 1_735_689_600_000  # 2025-01-01
MARKET = SimulatedMarket(40)
TIME = MARKET.grid("1h", 3000, END)
HOURS = MARKET.bars(np.arange(40), "1h", TIME)


def test_hours_are_valid_bars_on_the_tick_grid():
    for row, values in enumerate(HOURS):
        report = inspect(Bars(TIME, values, "1h"))
        assert report.ok, str(report)
        ticks = values[:, :4] * MARKET.coins["ticks"][row]
        np.testing.assert_allclose(ticks, np.rint(ticks), rtol=1e-12)
        lots = values[:, 4] * MARKET.coins["lots"][row]
        assert (lots == np.rint(lots)).all()
        assert (lots >= 6000).all()


def test_hours_open_at_most_a_tick_off_the_close_before():
    gap = np.rint((HOURS[:, 1:, 0] - HOURS[:, :-1, 3]) * MARKET.coins["ticks"][:, None])
    assert np.abs(gap).max() == 1
    assert 0.3 < (gap != 0).mean() < 0.6
    assert open_gap(MARKET.coins["key"][0], 5) in (-1, 0, 1)


def test_an_hour_alone_equals_the_hour_in_a_long_series():
    for i in (0, 1, 167, 168, 1234):
        one = MARKET.bars(np.array([5]), "1h", TIME[i : i + 1])
        np.testing.assert_array_equal(one[0, 0], HOURS[5, i])
    assert TIME[-1] + HOUR_MS == END
