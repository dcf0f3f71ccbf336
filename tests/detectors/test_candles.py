"""Each pattern by one minimal example and one near miss, on both sides; ATR is 1 throughout."""

import numba
import numpy as np
import pytest
import talib

from opportunity.detectors import candles
from opportunity.detectors.candles import (
    LENGTH,
    N_CANDLES,
    WEIGHT,
    at_turn,
    fell_before,
    in_context,
    is_extreme,
    neutral,
    reach,
    recognise,
)
from opportunity.detectors.rolling import N_RING
from opportunity.indicators import atr
from opportunity.market.readers import read_bars

CALM = (100.0, 100.25, 99.75, 100.0)  # a bar that is part of no pattern

# name: (bars that are the pattern, the same bars with one thing wrong)
EXAMPLES = {
    "PIN_BAR": (
        [(100.0, 100.25, 99.0, 100.25)],
        [(100.0, 100.5, 99.25, 100.25)],  # wick below is 60 %, wick above 20 %
    ),
    "ENGULFING": (
        [(100.0, 100.0, 99.5, 99.5), (99.5, 100.25, 99.25, 100.25)],
        [(100.0, 100.0, 99.5, 99.5), (99.5, 100.25, 99.25, 99.96875)],  # closes inside
    ),
    "PIERCING": (
        [(100.0, 100.0, 99.0, 99.0), (99.0, 99.75, 98.75, 99.625)],
        [(100.0, 100.0, 99.0, 99.0), (99.0, 99.75, 98.75, 99.5)],  # only to the middle
    ),
    "HARAMI": (
        [(100.0, 100.0, 98.75, 98.75), (98.75, 99.25, 98.75, 99.125)],
        [(100.0, 100.0, 98.75, 98.75), (98.5, 99.25, 98.5, 98.875)],  # opens outside
    ),
    "STAR": (
        [(100.0, 100.0, 99.0, 99.0), (99.0, 99.25, 98.75, 99.125), (99.125, 99.75, 99.0, 99.75)],
        [(100.0, 100.0, 99.0, 99.0), (99.0, 99.25, 98.5, 98.625), (98.625, 99.75, 98.5, 99.75)],
    ),
    "TWEEZER": (
        [(100.0, 100.25, 99.25, 99.75), (99.75, 100.125, 99.25, 100.0)],
        [(100.0, 100.25, 99.25, 99.75), (99.75, 100.125, 99.0, 100.0)],  # lows differ by 1/4
    ),
    "SOLDIERS": (
        [(99.0, 99.75, 98.75, 99.5), (99.5, 100.25, 99.5, 100.0), (100.0, 100.625, 100.0, 100.5)],
        [(99.0, 99.75, 98.75, 99.5), (99.5, 100.25, 99.5, 100.0), (100.0, 101.0, 100.0, 100.5)],
    ),
    "MARUBOZU": (
        [(100.0, 101.25, 99.9375, 101.25)],
        [(100.0, 101.25, 99.75, 101.25)],  # body 83 % of the range
    ),
}  # fmt: skip


def ring(rows, lead=20, side=1):
    """Ring of calm bars and `rows` after them, with a unit of 1; the number of the last bar."""
    bars = np.array([CALM] * lead + list(rows))
    if side < 0:
        bars = 200.0 - bars[:, [0, 2, 1, 3]]
    out = np.zeros((N_RING, 5))
    for n, row in enumerate(bars):
        out[n % N_RING] = [*row, 1.0]
    return out, len(bars) - 1


def found(rows, side=1, seen_from=None):
    bars, n = ring(rows, side=side)
    bits = recognise(bars, n, side if seen_from is None else seen_from)
    return {name for name in EXAMPLES if bits >> getattr(candles, name) & 1}


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_is_found_and_the_near_miss_is_not(name, side):
    example, miss = EXAMPLES[name]
    assert name in found(example, side)
    assert name not in found(miss, side)
    assert name not in found(example, side, seen_from=-side)


def test_every_pattern_has_an_example_a_weight_and_a_length():
    assert {getattr(candles, name) for name in EXAMPLES} == set(range(N_CANDLES))
    assert [len(EXAMPLES[n][0]) for n in EXAMPLES] == LENGTH.tolist()
    assert WEIGHT.tolist() == [0.30, 0.30, 0.25, 0.15, 0.35, 0.15, 0.30, 0.25]


@pytest.mark.parametrize("side", [1, -1])
def test_size_is_measured_by_the_range_before_the_bar(side):
    bars, n = ring(EXAMPLES["MARUBOZU"][0], side=side)
    bars[n % N_RING, 4] = 1.0625
    assert not recognise(bars, n, side) >> candles.MARUBOZU & 1
    bars, n = ring(EXAMPLES["HARAMI"][0], side=side)
    bars[(n - 1) % N_RING, 4] = 1.5  # the first bar has its own measure
    assert not recognise(bars, n, side) >> candles.HARAMI & 1


def test_a_calm_bar_is_nothing():
    bars, n = ring([CALM])
    assert recognise(bars, n, 1) == recognise(bars, n, -1) == 0


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ((100.0, 100.25, 99.875, 99.9375), "INSIDE"),
        ((100.0, 100.5, 99.5, 100.25), "OUTSIDE"),
        ((100.0, 100.5, 99.75, 100.0625), "DOJI"),
    ],
)
def test_bars_without_a_side(row, name):
    for side in (1, -1):
        bars, n = ring([row], side=side)
        assert neutral(bars, n) == 1 << getattr(candles, name)


@pytest.mark.parametrize(
    "row",
    [
        (100.0, 100.0, 100.0, 100.0),  # inside, but it never traded
        (100.0, 100.5, 99.75, 100.25),  # above only, body a third
        (100.0, 100.375, 99.9375, 100.0),  # no body, but too small for a doji
    ],
)
def test_near_misses_without_a_side(row):
    bars, n = ring([row])
    assert neutral(bars, n) == 0


FALL = [(100.0 - 0.375 * i, 100.0 - 0.375 * i, 99.625 - 0.375 * i, 99.625 - 0.375 * i)
        for i in range(6)]  # 6 bars, 2.25 down  # fmt: skip
HAMMER = (97.75, 98.0, 96.75, 98.0)


@pytest.mark.parametrize("side", [1, -1])
def test_a_reversal_needs_an_extreme_after_a_fall(side):
    bars, n = ring([*FALL, HAMMER], side=side)
    assert fell_before(bars, n, 1, side) == 2.25
    assert is_extreme(bars, n, 1, side)
    assert at_turn(bars, n, 1, side, 1.5)
    assert not at_turn(bars, n, 1, side, 1.5625)  # 2.25 is less than 1.5 of these
    assert not at_turn(bars, n, 1, -side, 1.0)
    bits = recognise(bars, n, side)
    assert in_context(bars, n, side, 1.0, bits) == bits == 1 << candles.PIN_BAR
    assert in_context(bars, n, side, 2.0, bits) == 0

    deep = [*FALL[:5], (FALL[5][0], FALL[5][1], 96.625, FALL[5][3]), HAMMER]  # lower low before
    bars, n = ring(deep, side=side)
    assert not is_extreme(bars, n, 1, side)
    assert in_context(bars, n, side, 1.0, recognise(bars, n, side)) == 0
    assert reach(bars, n, 2, side) == ((98.125, 96.625) if side > 0 else (101.875, 103.375))


def test_a_continuation_needs_no_context():
    bars, n = ring(EXAMPLES["MARUBOZU"][0])
    assert in_context(bars, n, 1, 1.0, recognise(bars, n, 1)) == 1 << candles.MARUBOZU


@numba.njit  # not cached: a test module is not imported by name
def _count(values, units, bits, ring):
    """Recognise on every bar: columns bullish, bearish, neutral, and the two at a 10-bar low."""
    for n in range(len(values)):
        ring[n & 31, :4] = values[n, :4]
        ring[n & 31, 4] = units[n]
        if n >= 40:
            bits[n, 0] = recognise(ring, n, 1)
            bits[n, 1] = recognise(ring, n, -1)
            bits[n, 2] = neutral(ring, n)
            for length in range(1, 4):
                bits[n, 3] |= is_extreme(ring, n, length, 1) << length
                bits[n, 4] |= is_extreme(ring, n, length, -1) << length


def _bits(bars):
    units = np.concatenate(([np.nan], atr(bars)[:-1]))
    bits = np.zeros((len(bars), 5), np.int64)
    _count(bars.values, units, bits, np.zeros((N_RING, 5)))
    return bits


# per 1000 bars of BTC 1h, of the text that defines the patterns: raw and at a 10-bar extreme
RAW = {
    "PIN_BAR": (24, 16), "ENGULFING": (32, 32), "PIERCING": (6.3, 5.6), "HARAMI": (17, 17),
    "STAR": (5.0, 5.2), "TWEEZER": (20, 21), "SOLDIERS": (3.2, 2.8), "MARUBOZU": (9.3, 7.3),
}  # fmt: skip
AT_EXTREME = {
    "PIN_BAR": (13, 10), "ENGULFING": (10, 11), "PIERCING": (4.0, 3.3), "HARAMI": (13, 13),
    "STAR": (3.3, 3.3), "TWEEZER": (9, 9),
}  # fmt: skip


@pytest.mark.realdata
@pytest.mark.parametrize("base", ["BTC", "ETH"])
def test_rates_on_recorded_bars(market_data, base):
    bits = _bits(read_bars(market_data / "binance" / f"{base}-USDT" / "1h.parquet"))
    thousands = (len(bits) - 40) / 1000
    for name, expected in RAW.items():
        kind = getattr(candles, name)
        for side in (0, 1):
            there = bits[:, side] >> kind & 1 == 1
            assert there.sum() / thousands == pytest.approx(expected[side], rel=0.1), name
            if name in AT_EXTREME:
                low = bits[:, 3 + side] >> LENGTH[kind] & 1 == 1
                rate = (there & low).sum() / thousands
                assert rate == pytest.approx(AT_EXTREME[name][side], rel=0.3), name
    for name, rate in {"INSIDE": 191, "OUTSIDE": 96, "DOJI": 95}.items():
        there = bits[:, 2] >> getattr(candles, name) & 1
        assert there.sum() / thousands == pytest.approx(rate, rel=0.1), name


@pytest.mark.realdata
@pytest.mark.parametrize("base", ["BTC", "ETH"])
def test_engulfing_agrees_with_talib_where_both_see_one(market_data, base):
    bars = read_bars(market_data / "binance" / f"{base}-USDT" / "1h.parquet")
    bits = _bits(bars)
    prices = [np.ascontiguousarray(bars.values[:, k]) for k in range(4)]
    theirs = np.sign(talib.CDLENGULFING(*prices))
    ours = (bits[:, 0] >> candles.ENGULFING & 1) - (bits[:, 1] >> candles.ENGULFING & 1)
    seen = ours != 0
    assert (ours[seen] * theirs[seen] >= 0).all()
    assert (ours[seen] == theirs[seen]).mean() == pytest.approx(0.71, abs=0.06)
