import numpy as np

from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.feeds.simulation.tape import MOST, forming_bars, minute_prints
from opportunity.feeds.simulation.weeks import MARKET_START
from opportunity.market.timeframe import MINUTE_MS

END = 1_735_689_600_000  # 2025-01-01
MARKET = SimulatedMarket(40)
GRID = MARKET.grid("1m", 240, END)
BARS = MARKET.bars(np.arange(40), "1m", GRID)
FIRST = (int(GRID[0]) - MARKET_START) // MINUTE_MS


def prints(row: int) -> tuple[np.ndarray, np.ndarray]:
    out, counts = np.empty((240, MOST, 4)), np.empty(240, np.int64)
    minute_prints(MARKET.coins[row], FIRST, BARS[row], out, counts)
    return out, counts


def test_prints_rebuild_their_minute():
    for row in (0, 1, 20, 39):
        out, counts = prints(row)
        coin = MARKET.coins[row]
        for m in range(240):
            time, price, amount, _ = out[m, : counts[m]].T
            price, amount = price / coin["ticks"], amount / coin["lots"]
            assert (np.diff(time) >= 0).all()
            assert 0 <= time[0] <= time[-1] < 60_000
            assert (amount > 0).all()
            rebuilt = [price[0], price.max(), price.min(), price[-1], amount.sum()]
            assert rebuilt == BARS[row, m].tolist()


def test_sizes_are_heavy_tailed_and_busy_minutes_have_more_prints():
    out, counts = prints(0)
    sizes = np.concatenate([out[m, : counts[m], 2] for m in range(240)])
    assert np.quantile(sizes, 0.99) / np.median(sizes) > 15
    assert np.corrcoef(counts, BARS[0, :, 4])[0, 1] > 0.5
    assert 20 < counts.mean() < MOST


def test_aggressors_follow_the_move():
    flow, move = [], []
    for row in range(40):
        out, counts = prints(row)
        for m in range(240):
            part = out[m, : counts[m]]
            flow.append((part[:, 2] * part[:, 3]).sum() / part[:, 2].sum())
            bar = BARS[row, m]
            move.append((bar[3] - bar[0]) / max(bar[1] - bar[2], 1e-12))
    assert 0.2 < np.corrcoef(flow, move)[0, 1] < 0.9
    assert abs(np.mean(flow)) < 0.05


def test_forming_bar_grows_into_the_closed_bar():
    closed = BARS[:, 17]
    before = np.full((40, 5), np.nan)
    for offset in (0.0, 5_000.0, 20_000.0, 45_000.0, 59_999.0):
        now = np.empty((40, 5))
        forming_bars(MARKET.coins, FIRST + 17, closed, offset, now)
        seen = ~np.isnan(before[:, 0])
        assert (now[seen, 0] == before[seen, 0]).all()
        assert (now[seen, 1] >= before[seen, 1]).all()
        assert (now[seen, 2] <= before[seen, 2]).all()
        assert (now[seen, 4] >= before[seen, 4]).all()
        before = now
    np.testing.assert_array_equal(before, closed)


def test_nothing_is_shown_before_the_first_print():
    now = np.empty((40, 5))
    forming_bars(MARKET.coins, FIRST, BARS[:, 0], -1.0, now)
    assert np.isnan(now).all()
