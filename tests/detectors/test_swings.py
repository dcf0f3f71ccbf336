from pathlib import Path

import numpy as np
import pytest
from builders import from_ohlc, mirrored, path_bars, random_bars, scaled, shuffled

from opportunity.detectors.swings import (
    N_PIVOTS,
    PIVOT,
    SWINGS,
    extreme,
    pivot,
    swings_step,
)
from opportunity.indicators import atr
from opportunity.kernels import kernel
from opportunity.market.bars import Bars
from opportunity.market.readers import read_bars

SCALES = (1.5, 3.0, 6.0)


@kernel
def collect(s, k, time, values, a, out):
    m = 0
    for i in range(time.size):
        b = values[i]
        if swings_step(s[0], k, i, time[i], b[0], b[1], b[2], b[3], a[i]) != 0:
            out[m] = s[0].pivots[pivot(s[0], 0)]
            m += 1
    return m


def pivots(bars: Bars, k: float, a: np.ndarray | None = None) -> np.ndarray:
    """Every pivot that the kernel confirms, in order."""
    out = np.zeros(len(bars), PIVOT)
    used = atr(bars, 14) if a is None else a
    return out[: collect(np.zeros(1, SWINGS), k, bars.time, bars.values, used, out)]


def by_definition(bars: Bars, k: float) -> list[tuple[int, float, int, int]]:
    """The rule read literally, looking back over arrays: bar, price, side, confirming bar."""
    a, h, l, c = atr(bars, 14), bars.high, bars.low, bars.close  # noqa: E741 - the bar's letters
    found: list[tuple[int, float, int, int]] = []
    side, at, price = 0, 0, np.nan
    first = int(np.flatnonzero(np.isfinite(a))[0])
    for n in range(first, len(c)):
        if side == 0:
            top = first + int(h[first : n + 1].argmax())
            low = first + int(l[first : n + 1].argmin())
            met = [s for s, e in ((1, h[top] - c[n]), (-1, c[n] - l[low])) if e >= k * a[n]]
            if not met or (len(met) == 2 and top == low):
                continue
            side = met[0] if len(met) == 1 else (1 if top > low else -1)
            at, price = (top, h[top]) if side > 0 else (low, l[low])
        else:
            ahead = h[n] if side > 0 else l[n]
            if side * (ahead - price) > 0:
                at, price = n, ahead
            if side * (price - c[n]) < k * a[n]:
                continue
        found.append((at, price, side, n))
        side = -side
        if at == n:
            price = c[n]
        else:
            after = (h if side > 0 else -l)[at + 1 : n + 1]
            at = at + 1 + int(after.argmax())
            price = h[at] if side > 0 else l[at]
    return found


def listed(found: np.ndarray) -> list[tuple[int, float, int, int]]:
    return [(int(p["bar"]), float(p["price"]), int(p["side"]), int(p["confirmed"])) for p in found]


@pytest.mark.parametrize("k", [0.7, 1.5, 3.0, 6.0])
@pytest.mark.parametrize("tick", [2.0**-4, 2.0])
def test_pivots_follow_the_definition(k, tick):
    for seed in range(6):
        bars = random_bars(1500, seed=seed, tick=tick)
        assert listed(pivots(bars, k)) == by_definition(bars, k)


def test_pivots_alternate_are_large_enough_and_known_afterwards():
    bars = random_bars(5000, seed=1)
    for k in SCALES:
        found = pivots(bars, k)
        assert found.size > 20
        assert (np.diff(found["side"]) != 0).all()
        assert (found["confirmed"] >= found["bar"]).all()
        assert (np.diff(found["confirmed"]) > 0).all()
        assert (np.diff(found["bar"]) >= 0).all()
        given_back = found["side"] * (found["price"] - bars.close[found["confirmed"]])
        assert (given_back >= k * found["atr"]).all()
        assert (found["atr"] == atr(bars, 14)[found["confirmed"]]).all()
        assert (found["time"] == bars.time[found["bar"]]).all()


def test_mirrored_prices_give_the_same_pivots_on_the_other_side():
    for seed in range(6):
        bars = random_bars(2000, seed=seed, tick=4.0)
        total = bars.high.max() + bars.low.min()
        for k in SCALES:
            found, twin = pivots(bars, k), pivots(mirrored(bars), k)
            assert (found["bar"] == twin["bar"]).all()
            assert (found["confirmed"] == twin["confirmed"]).all()
            assert (found["side"] == -twin["side"]).all()
            assert (found["price"] == total - twin["price"]).all()


def test_power_of_two_scale_gives_the_same_pivots():
    bars = random_bars(2000, seed=2)
    for factor in (2.0**-20, 4.0):
        found, other = pivots(bars, 3.0), pivots(scaled(bars, factor), 3.0)
        assert (found["confirmed"] == other["confirmed"]).all()
        assert (found["price"] * factor == other["price"]).all()


def test_triangle_wave_gives_one_pivot_a_turn_with_the_lag_of_its_slope():
    bars = path_bars([100, 110] * 10, steps=20)  # half a unit a bar
    a = np.ones(len(bars))
    found = pivots(bars, 3.0, a)
    turns = np.arange(20, len(bars) - 20, 20)
    # The bar that closes on the turn makes the extreme; the low of the first turn is bar 0.
    assert found["bar"][1 : 1 + turns.size].tolist() == turns.tolist()
    assert set((found["confirmed"] - found["bar"]).tolist()) == {6}  # 3 a / 0.5


def test_first_of_equal_highs_stays():
    rows = [(14, 15, 13.5, 14.5), (14.5, 15, 13, 14), (14, 14.5, 11, 11.5)]
    found = pivots(from_ohlc(rows), 3.0, np.ones(3))
    assert listed(found) == [(0, 15.0, 1, 2)]


def test_bar_may_make_and_confirm_its_own_extreme():
    rows = [(10, 10.5, 9.5, 10), (10, 14, 10, 10.5), (10.5, 11, 10.2, 10.9)]
    found = pivots(from_ohlc(rows), 3.0, np.ones(3))
    assert listed(found) == [(1, 14.0, 1, 1)]
    s = np.zeros(1, SWINGS)
    collect(s, 3.0, np.arange(3), from_ohlc(rows).values, np.ones(3), np.zeros(3, PIVOT))
    # Its low came before or after the high, nobody knows: the next leg begins at its close.
    assert running(s) == (10.2, 2, 2)


def test_start_waits_when_both_extremes_lie_on_one_bar():
    rows = [(10, 14, 6, 10), (10, 10.5, 9.5, 10), (10, 15, 9.8, 11.5)]
    assert pivots(from_ohlc(rows[:2]), 3.0, np.ones(2)).size == 0
    assert listed(pivots(from_ohlc(rows), 3.0, np.ones(3))) == [(2, 15.0, 1, 2)]


@pytest.mark.parametrize("blind", [np.nan, 0.0])
def test_nothing_is_confirmed_without_an_atr(blind):
    bars = random_bars(300, seed=1)
    assert pivots(bars, 1.5, np.full(300, blind)).size == 0


@kernel
def _extreme(s):
    return extreme(s[0])


def running(s: np.ndarray) -> tuple[float, int, int]:
    price, bar, time = _extreme(s)
    return float(price), int(bar), int(time)


def test_state_keeps_the_last_pivots_and_the_running_extreme():
    bars = random_bars(1500, seed=4)
    s = np.zeros(1, SWINGS)
    assert np.isnan(running(s)[0])
    out = np.zeros(len(bars), PIVOT)
    m = collect(s, 1.5, bars.time, bars.values, atr(bars, 14), out)
    assert s[0]["count"] == m > N_PIVOTS
    kept = [s[0]["pivots"][(m - 1 - i) % N_PIVOTS] for i in range(N_PIVOTS)]
    assert [p.tolist() for p in kept] == [p.tolist() for p in out[m - N_PIVOTS : m][::-1]]
    start = int(out[m - 1]["bar"]) + 1
    side = int(s[0]["direction"])
    assert side == -out[m - 1]["side"]
    leg = bars.high[start:] if side > 0 else -bars.low[start:]
    assert running(s)[1] == start + int(leg.argmax())
    back = s[0]["low_bar"] if side > 0 else s[0]["high_bar"]
    assert back >= running(s)[1]


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("BTC-USDT/1h", (117, 37, 12)),
        ("ETH-USDT/1h", (119, 38, 12)),
        ("BTC-USDT/5m", (138, 47, 15)),
        ("BTC-USDT/15m", (135, 46, 16)),
    ],
)
def test_recorded_bars_give_the_measured_number_of_pivots(market_data, name, expected):
    bars = read_bars(market_data / "binance" / f"{name}.parquet")
    for k, rate in zip(SCALES, expected, strict=True):
        assert pivots(bars, k).size / len(bars) * 1000 == pytest.approx(rate, rel=0.1)


@pytest.mark.realdata
def test_recorded_bars_follow_the_definition(market_data: Path):
    bars = read_bars(market_data / "binance" / "BTC-USDT" / "1h.parquet")
    for k in (3.0, 4.0, 6.0):  # 4: falling ATR confirms several old extremes in a row
        assert listed(pivots(bars, k)) == by_definition(bars, k)


@pytest.mark.realdata
def test_shuffled_bars_have_as_many_pivots_that_say_as_little(market_data):
    bars = read_bars(market_data / "binance" / "BTC-USDT" / "1h.parquet")
    t_values = []
    for seed in range(4):
        mixed = shuffled(bars, seed)
        found = pivots(mixed, 3.0)
        assert found.size / len(mixed) * 1000 == pytest.approx(43, rel=0.1)
        a, at = atr(mixed, 14), found["confirmed"]
        used = at[at + 24 < len(mixed)]
        side = -found["side"][: used.size]
        moves = side * (mixed.close[used + 24] - mixed.close[used]) / a[used]
        t_values.append(moves.mean() / moves.std() * np.sqrt(moves.size))
    assert np.abs(np.mean(t_values)) < 3 / np.sqrt(4)
