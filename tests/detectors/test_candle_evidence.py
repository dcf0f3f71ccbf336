"""Patterns in context: a fall of six bars out of a calm stretch of range 1, then the pattern."""

import numpy as np
import pytest
from builders import from_ohlc, mirrored

from opportunity.detectors import PriceAction

CALM = [(99.75, 100.5, 99.5, 100.25), (100.25, 100.5, 99.5, 99.75)] * 60
FALL = [(99.75 - 0.5 * i, 99.875 - 0.5 * i, 99.125 - 0.5 * i, 99.25 - 0.5 * i) for i in range(7)]
HAMMER = (96.25, 96.5, 95.25, 96.5)
AT = 127  # its bar


@pytest.fixture(params=[1, -1], ids=["bullish", "bearish"])
def side(request):
    return request.param


def make(rows, side, volume=100.0):
    bars = from_ohlc(CALM + rows)
    bars.values[AT, 4] = volume
    return bars if side > 0 else mirrored(bars)


def seen(bars, side, kind="pin_bar"):
    return [
        (e.bar - AT, e.state, round(e.quality, 9))
        for e in PriceAction().events(bars)
        if e.kind == kind and e.side == side
    ]


def test_a_hammer_after_a_fall_counts(side):
    bars = make([*FALL, HAMMER], side)
    assert seen(bars, side) == [(0, "active", 0.4)]
    event = next(e for e in PriceAction().events(bars) if e.kind == "pin_bar")
    wick, other = (bars.low, bars.high) if side > 0 else (bars.high, bars.low)
    assert event.points == ((bars.time[AT], wick[AT], ""),)
    assert (event.entry, event.stop) == (other[AT], wick[AT])
    assert event.zone == (bars.high[AT], bars.low[AT])


def test_the_same_hammer_without_a_fall_does_not(side):
    bars = from_ohlc([*CALM, (99.75, 100.0, 98.75, 100.0)])
    bars = bars if side > 0 else mirrored(bars)
    assert seen(bars, side) == []


def test_volume_adds_quality(side):
    assert seen(make([*FALL, HAMMER], side, volume=160.0), side) == [(0, "active", 0.55)]


def test_the_next_close_beyond_confirms_and_only_the_next(side):
    up = (96.5, 97.0, 96.25, 96.75)
    still = (96.5, 96.75, 96.25, 96.5)
    assert seen(make([*FALL, HAMMER, up], side), side) == [
        (0, "active", 0.4), (1, "done", 0.55)
    ]  # fmt: skip
    assert seen(make([*FALL, HAMMER, still], side), side) == [(0, "active", 0.4)]
    assert seen(make([*FALL, HAMMER, still, up], side), side) == [(0, "active", 0.4)]


def test_a_close_beyond_the_wick_refutes(side):
    bars = make([*FALL, HAMMER, (96.5, 96.5, 94.75, 95.0)], side)
    assert seen(bars, side) == [(0, "active", 0.4), (1, "invalid", 0.4)]
    score = PriceAction(c_max=1.0).detect(bars).score * side
    assert score[AT] > score[AT - 1]
    assert score[AT + 1] < score[AT]


def test_only_the_strongest_of_a_bar_and_side_counts(side):
    # an up bar that engulfs a small down bar, and is a thrust: weights 0.30 and 0.25
    rows = [*FALL, (96.25, 96.25, 95.75, 96.0), (96.0, 97.5, 96.0, 97.5)]
    bars = make(rows, side)
    kinds = {
        e.kind for e in PriceAction().events(bars) if e.bar == AT + 1 and e.state == "active"
    }
    assert "engulfing" in kinds
    assert "marubozu" not in kinds


def test_a_level_adds_quality(side):
    # the same low was a swing twice before
    swing = [*FALL, (96.25, 96.5, 95.25, 96.0)]
    rise = [(96.0 + 0.5 * i, 96.625 + 0.5 * i, 95.875 + 0.5 * i, 96.5 + 0.5 * i) for i in range(7)]
    back = [(99.5, 100.0, 99.25, 99.75)]
    bars = from_ohlc(CALM + swing + rise + back + swing + rise + back + [*FALL, HAMMER])
    bars = bars if side > 0 else mirrored(bars)
    last = [e for e in PriceAction().events(bars) if e.kind == "pin_bar"][-1]
    assert last.bar == len(bars) - 1
    assert last.quality == pytest.approx(0.7)


@pytest.mark.parametrize(("close", "direction"), [(100.75, 1), (99.25, -1)])
def test_an_armed_mother_bar_breaks_to_either_side(close, direction, side):
    inside = (99.75, 100.25, 99.625, 100.0)
    end = (100.0, max(close, 100.25), min(close, 99.625), close)
    plain = [(99.75, 100.5, 99.5, 100.25), (100.25, 100.625, 99.625, 99.75)]
    rows = [plain[i % 2] for i in range(120)]  # neither inside nor outside
    bars = from_ohlc([*rows, inside, end])
    bars = bars if side > 0 else mirrored(bars)
    events = [e for e in PriceAction().events(bars) if e.kind == "inside_bar" and e.bar >= 119]
    broke = [e for e in events if e.state == "done"]
    assert [e.side for e in broke] == [direction * side]
    assert broke[0].bar == 121


def test_an_armed_mother_bar_has_no_score():
    bars = from_ohlc(CALM)
    assert any(e.kind == "inside_bar" and e.bar > 100 for e in PriceAction().events(bars))
    assert np.abs(PriceAction().detect(bars).score[99:]).max() == 0
