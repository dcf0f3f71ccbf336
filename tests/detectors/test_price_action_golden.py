"""Two charts drawn by hand, with all their breakouts, reversals and formations bar by bar."""

from itertools import pairwise

import pytest
from builders import from_ohlc, path_bars

from opportunity.detectors import PriceAction
from opportunity.indicators import atr, ema
from opportunity.market.bars import Bars

LEAD = 120
NEUTRAL = ("inside_bar", "outside_bar", "doji", "consolidation", "level")

Row = tuple[int, str, int, str]


def rows(bars: Bars, *without: str) -> list[Row]:
    return sorted(
        (e.bar, e.kind, e.side, e.state) for e in PriceAction().events(bars)
        if e.kind not in (*NEUTRAL, *without)
    )  # fmt: skip


def trend(bars: Bars, bar: int) -> float:
    gap = ema(bars, 12)[bar] - ema(bars, 26)[bar]
    return 0.25 * min(abs(gap) / (2 * atr(bars)[bar]), 1) * (1 if gap > 0 else -1)


def confidence(bullish: float, score: float) -> float:
    """Confidence of a negative score beside this much bullish evidence."""
    bearish = bullish - score
    total = 1 - (1 - bullish) * (1 - bearish)
    return 0.6 * total * (1 - 0.5 * bullish / bearish)


def bottoms() -> Bars:
    """Legs of one unit a bar, so that ATR is 1.

    120 at bar 120, 100 at 140, 110 at 150, 100 at 160, 125 at 185, 104 at 206.
    """
    prices = (120, 100, 110, 100, 125, 104)
    return path_bars(prices, steps=[abs(b - a) for a, b in pairwise(prices)], lead=LEAD)


def test_double_bottom_that_reaches_its_target_and_comes_back():
    # every bar of a straight leg but its first two ends a run of three: `soldiers` is left out
    expected = [
        (121, "breakout", -1, "active"),  # 119, below the calm's 119.5
        (141, "tweezer", 1, "active"),  # 100 twice, after a fall of 6 in 6 bars
        (142, "tweezer", 1, "done"),  # 102 is above its high of 101
        (151, "tweezer", -1, "active"),  # 110 twice
        (152, "tweezer", -1, "done"),
        (161, "tweezer", 1, "active"),
        (162, "tweezer", 1, "done"),
        (163, "double", 1, "forming"),  # 103 makes the second 100 a pivot of 3 ATR
        (171, "breakout", 1, "active"),  # 111, above the 110 of bars 150 and 170
        (171, "double", 1, "active"),  # and the first close above the neckline
        (180, "double", 1, "done"),  # 110 + 10
        (186, "tweezer", -1, "active"),  # 125 twice
        (187, "tweezer", -1, "done"),
        (196, "breakout", -1, "active"),  # 114, below the 115 of bars 176 to 195
        (206, "double", 1, "invalid"),  # 104 is below the middle, 105
    ]
    bars = bottoms()
    assert rows(bars, "soldiers") == expected


def test_double_bottom_that_reaches_its_target_and_comes_back_in_numbers():
    bars = bottoms()
    found = PriceAction().detect(bars)
    double = {e.state: e for e in found.events if e.kind == "double"}
    points = [(140, 100.0, "1"), (150, 110.0, "neckline"), (160, 100.0, "2")]
    assert double["forming"].points == tuple((int(bars.time[n]), p, name) for n, p, name in points)
    broken = double["active"]
    assert (broken.entry, broken.stop, broken.targets) == (110.0, 105.0, (120.0,))
    assert len({e.id for e in double.values()}) == 1
    assert (found.score[[121, 130, 139]] < 0).all()
    assert (found.score[[171, 175, 180, 185]] > 0.4).all()  # 0.4 of it the double's when it breaks
    assert (found.score[[200, 206]] < 0).all()


def failure() -> Bars:
    """120 bars between 99.5 and 100.5, so that ATR is 1, and twelve more."""
    calm = [(99.5, 100.5, 99.5, 100.5), (100.5, 100.5, 99.5, 99.5)] * (LEAD // 2)
    return from_ohlc([
        *calm,
        (99.5, 101.5, 99.5, 101.0),  # 120: closes 0.5 above the range
        (101.0, 101.25, 100.5, 100.75),  # 121: returns to 100.5 and holds
        (100.75, 101.0, 99.75, 100.0),  # 122: closes 0.5 inside
        (100.0, 100.25, 99.0, 99.0),  # 123: closes 0.5 below the range
        (99.0, 99.0, 98.25, 98.25),  # 124: the third bar down of 0.75 or more
        (98.25, 98.25, 97.5, 97.5),  # 125
        (97.5, 97.5, 96.75, 96.75),  # 126
        (96.75, 97.0, 94.75, 96.25),  # 127: a wick of 1.5 below a body of 0.5
        (96.25, 97.75, 96.0, 97.5),  # 128: a body of 1.25 around it
        (97.5, 98.5, 97.25, 98.25),  # 129: closes above both
        (98.25, 98.5, 94.25, 94.5),  # 130: a body of 3.75 of 4.25, closes below 94.75
        (94.5, 94.75, 93.5, 93.75),  # 131: closes 0.5 below the low of bar 130
    ])


def test_breakout_that_fails_and_reversal_candles_at_the_low():
    expected = [
        (120, "breakout", 1, "active"),
        (121, "breakout", 1, "touched"),
        (122, "breakout", 1, "invalid"),
        (122, "failed_breakout", -1, "active"),
        (123, "breakout", -1, "active"),  # each close until 127 is below all lows: told once
        (124, "soldiers", -1, "active"),
        (125, "soldiers", -1, "active"),
        (125, "soldiers", -1, "done"),
        (126, "soldiers", -1, "active"),
        (126, "soldiers", -1, "done"),
        (127, "pin_bar", 1, "active"),
        (127, "soldiers", -1, "done"),  # that of bar 126
        (128, "engulfing", 1, "active"),
        (128, "pin_bar", 1, "done"),  # 97.5 is above its high of 97
        (129, "engulfing", 1, "done"),  # 98.25 is above 97.75
        (130, "engulfing", 1, "invalid"),
        (130, "marubozu", -1, "active"),
        (130, "pin_bar", 1, "invalid"),
        (131, "breakout", -1, "active"),
        (131, "marubozu", -1, "done"),
    ]
    assert rows(failure()) == expected


def test_breakout_that_fails_and_reversal_candles_at_the_low_in_numbers():
    bars = failure()
    found = PriceAction().detect(bars)
    unit = 15 / 14  # ATR of bar 120: thirteen parts of 1, one of 2
    quality = 0.4 + 0.25 * (0.5 / unit - 0.25) + 0.15  # out of a narrow base
    by = {(e.bar, e.kind, e.state): e for e in found.events}
    assert by[120, "breakout", "active"].quality == pytest.approx(quality, abs=1e-6)
    assert by[121, "breakout", "touched"].quality == pytest.approx(quality + 0.2, abs=1e-6)
    assert by[127, "pin_bar", "active"].zone == (97.0, 94.75)
    assert by[128, "engulfing", "active"].zone == (97.75, 94.75)
    assert by[128, "pin_bar", "done"].quality == pytest.approx(0.55)
    assert (found.score[99:LEAD] == 0).all()
    bullish = {
        120: 1 - (1 - 0.4 * quality) * (1 - trend(bars, 120)),
        121: 1 - (1 - 0.4 * (quality + 0.2) * 2 ** (-1 / 24)) * (1 - trend(bars, 121)),
        122: trend(bars, 122) - 0.2,  # the failed breakout argues against what is left
    }
    for bar, value in bullish.items():
        assert found.score[bar] == pytest.approx(value, abs=1e-6), bar
    assert found.score[122] < 0
    assert (found.score[123:128] < -0.2).all()
    assert found.score[127] < found.score[128] < found.score[129]
    # Bar 129: both turns are confirmed, two bars and one bar old, and nothing else is bullish.
    turns = 1 - (1 - 0.3 * 0.55 * 2 ** (-2 / 6)) * (1 - 0.3 * 0.55 * 2 ** (-1 / 6))
    assert found.confidence[129] == pytest.approx(confidence(turns, found.score[129]), abs=1e-9)
    # Bar 130: both are refuted; what is bullish is the level that the low of 94.75 has become, a
    # pivot of both scales since bar 129.
    assert by[130, "level", "touched"].side == 1
    assert found.confidence[130] == pytest.approx(confidence(0.15, found.score[130]), abs=1e-9)
    assert found.score[131] < found.score[130] < found.score[129] < 0
