"""Breakouts of a calm stretch of 120 bars of range 1 between 99.5 and 100.5."""

import pytest
from builders import from_ohlc, mirrored

from opportunity.detectors import PriceAction
from opportunity.detectors.breakouts import BREAKOUT
from opportunity.indicators import atr, ema

CALM = [(99.75, 100.5, 99.5, 100.25), (100.25, 100.5, 99.5, 99.75)] * 60
OUT = (99.75, 101.25, 99.75, 101.0)
AWAY = [(101.0, 101.75, 101.0, 101.5), (101.5, 102.0, 101.25, 101.75)]


@pytest.fixture(params=[1, -1], ids=["up", "down"])
def side(request):
    return request.param


def make(rows, side, volume=100.0):
    bars = from_ohlc(CALM + rows)
    bars.values[120, 4] = volume
    return bars if side > 0 else mirrored(bars)


def seen(bars, side, **params):
    return [
        (e.bar - 120, e.kind, e.side * side, e.state)
        for e in PriceAction(**params).events(bars)
        if e.kind in ("breakout", "failed_breakout")
    ]


def first(bars):
    return next(e for e in PriceAction().events(bars) if e.kind == "breakout")


def test_a_close_beyond_the_calm_is_a_breakout(side):
    bars = make([OUT], side)
    assert seen(bars, side) == [(0, "breakout", 1, "active")]
    event = first(bars)
    a = atr(bars)[120]
    narrow = 0.15
    expected = 0.4 + 0.25 * (0.5 - 0.25 * a) / a + narrow
    assert event.quality == pytest.approx(expected, rel=1e-12)
    assert [p for _, p, _ in event.points] == [100.5 if side > 0 else bars.low[:120].min()] * 2
    assert event.points[1][0] == bars.time[120]
    assert event.entry == bars.close[120]


def test_score_is_the_breakout_and_the_trend(side):
    bars = make([OUT], side)
    found = PriceAction().detect(bars)
    a = atr(bars)[120]
    trend = 0.25 * abs(ema(bars, 12)[120] - ema(bars, 26)[120]) / (2 * a)
    p = 1 - (1 - trend) * (1 - 0.4 * first(bars).quality)
    assert found.score[120] * side == pytest.approx(p, rel=1e-9)
    assert found.confidence[120] == pytest.approx(0.6 * p, rel=1e-9)


@pytest.mark.parametrize(
    "row",
    [(99.75, 101.25, 99.75, 100.7), (99.75, 103.0, 99.75, 100.5)],
    ids=["too little beyond", "by wick only"],
)
def test_near_misses(row, side):
    assert seen(make([row], side), side) == []


def test_volume_adds_quality(side):
    plain, heavy = first(make([OUT], side)), first(make([OUT], side, volume=151.0))
    assert heavy.quality - plain.quality == pytest.approx(0.2)
    assert first(make([OUT], side, volume=150.0)).quality == plain.quality


def test_a_wide_base_has_less_quality(side):
    bars = make([OUT], side)
    wide = bars.values.copy()
    wide[110, 2 if side > 0 else 1] -= side * 4.0  # one long wick inside the window
    a = atr(bars.label())[120]
    event = first(type(bars)(bars.time, wide))
    assert event.quality < 0.4 + 0.25 * (0.5 - 0.25 * a) / a + 0.15 - 0.1


def test_the_bar_after_a_breakout_is_not_another(side):
    assert seen(make([OUT, *AWAY], side), side) == [(0, "breakout", 1, "active")]


def test_close_back_inside_within_three_bars_is_a_failure(side):
    rows = [OUT, *AWAY, (101.75, 101.75, 100.0, 100.125)]
    bars = make(rows, side)
    assert seen(bars, side) == [
        (0, "breakout", 1, "active"),
        (3, "breakout", 1, "invalid"),
        (3, "failed_breakout", -1, "active"),
    ]
    score = PriceAction().detect(bars).score * side
    assert score[122] > 0.2
    assert score[123] < 0


def test_later_or_smaller_returns_are_no_failure(side):
    late = [OUT, *AWAY, AWAY[1], (101.75, 101.75, 100.0, 100.125)]
    assert (4, "breakout", 1, "invalid") not in seen(make(late, side), side)
    small = [OUT, *AWAY, (101.75, 101.75, 100.0, 100.375)]
    assert [e[3] for e in seen(make(small, side), side)] == ["active"]


def test_a_retest_that_holds_adds_quality_once(side):
    back = (101.75, 101.75, 100.75, 101.5)
    bars = make([OUT, *AWAY, back, AWAY[1], back], side)
    assert seen(bars, side) == [(0, "breakout", 1, "active"), (3, "breakout", 1, "touched")]
    records = [e for e in PriceAction().events(bars) if e.kind == "breakout"]
    assert records[1].quality - records[0].quality == pytest.approx(0.2)
    assert records[0].id == records[1].id


@pytest.mark.parametrize(
    "back",
    [(101.75, 101.75, 100.9, 101.5), (101.75, 101.75, 100.25, 100.4)],
    ids=["not near enough", "not held"],
)
def test_a_retest_comes_near_and_holds(back, side):
    assert seen(make([OUT, *AWAY, back], side), side) == [(0, "breakout", 1, "active")]


def test_lookback_is_a_parameter(side):
    rows = CALM[:-10] + [(99.75, 100.25, 99.75, 100.0), (100.0, 100.25, 99.75, 99.75)] * 5
    bars = from_ohlc([*rows, (99.75, 100.5, 99.75, 100.5)])
    bars = bars if side > 0 else mirrored(bars)
    assert seen(bars, side) == []
    assert seen(bars, side, lookback=8) == [(0, "breakout", 1, "active")]


def test_half_life_is_24_bars(side):
    bars = make([OUT, *AWAY * 2], side)
    detector = PriceAction()
    strengths = []
    for bar in bars:
        detector.update(bar)
        items = detector.snapshot()["state"]["items"][0]
        strengths.append(items["p"][items["kind"] == BREAKOUT].sum())
    born = 0.4 * first(bars).quality
    assert strengths[119:] == pytest.approx([0] + [born * 2 ** (-i / 24) for i in range(5)])
