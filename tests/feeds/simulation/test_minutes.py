import numpy as np

from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.market.bars import Bars
from opportunity.market.quality import inspect

END = 1_735_689_600_000  # 2025-01-01
MARKET = SimulatedMarket(40)
ROWS = np.arange(40)
MINUTES = MARKET.bars(ROWS, "1m", MARKET.grid("1m", 6000, END))
HOURS = MARKET.bars(ROWS, "1h", MARKET.grid("1h", 100, END))


def test_minutes_hit_their_hour_bit_for_bit():
    parts = MINUTES.reshape(40, 100, 60, 5)
    np.testing.assert_array_equal(parts[:, :, 0, 0], HOURS[:, :, 0])
    np.testing.assert_array_equal(parts[:, :, :, 1].max(axis=2), HOURS[:, :, 1])
    np.testing.assert_array_equal(parts[:, :, :, 2].min(axis=2), HOURS[:, :, 2])
    np.testing.assert_array_equal(parts[:, :, -1, 3], HOURS[:, :, 3])
    np.testing.assert_array_equal(np.cumsum(parts[..., 4], axis=2)[:, :, -1], HOURS[:, :, 4])


def test_minutes_are_valid_and_join():
    time = MARKET.grid("1m", 6000, END)
    for row, values in enumerate(MINUTES):
        assert inspect(Bars(time, values, "1m")).ok
        assert (values[:, 4] > 0).all()
        gap = np.rint((values[1:, 0] - values[:-1, 3]) * MARKET.coins["ticks"][row])
        assert np.abs(gap).max() <= 1


def test_no_minute_sticks_out_of_its_hour():
    """An hour's way is spread over its minutes: no single one makes most of a usual hour."""
    spread = (MINUTES[..., 1] - MINUTES[..., 2]).reshape(40, 100, 60)
    share = spread.max(axis=2) / np.maximum(HOURS[:, :, 1] - HOURS[:, :, 2], 1e-12)
    assert np.median(share) < 0.4
    assert np.quantile(share, 0.95) < 0.75


def test_extremes_fall_anywhere_in_the_hour():
    place = MINUTES[..., 1].reshape(40, 100, 60).argmax(axis=2)
    counts, _ = np.histogram(place, 6, (0, 60))
    assert counts.min() > 0.06 * counts.sum()
    assert counts[0] + counts[-1] > counts[2] + counts[3]  # arcsine law
