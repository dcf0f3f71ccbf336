from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from builders import from_ohlc, mirrored, path_bars, shuffled

from opportunity.detectors.fibonacci import Fibonacci
from opportunity.indicators import atr
from opportunity.market.bars import Bars
from opportunity.market.readers import read_bars

LEAD = 120
START, TOP = 99.5, 120.0  # the planted leg: lowest low of the lead, high of the rise
SPAN = TOP - START


def planted(*points: float, then: tuple[tuple[float, float, float, float], ...] = ()) -> Bars:
    """A lead around 100 with an ATR of 1, then one unit a bar through the points, then bars."""
    path = [100.0, *points]
    steps = [max(1, round(abs(b - a))) for a, b in pairwise(path)]
    bars = path_bars(path, steps=steps, lead=LEAD)
    return from_ohlc(np.vstack([bars.values[:, :4], np.reshape(then, (-1, 4))]))


def rejection(price: float) -> tuple[float, float, float, float]:
    """A bar that comes from above, reaches the price and closes at its own high."""
    return (price + 0.5, price + 1.2, price, price + 1.2)


def found_in(bars: Bars):
    return Fibonacci().detect(bars)


def bounces(bars: Bars) -> list[tuple[str, str, float | None]]:
    return [(e.kind, e.state, e.scale) for e in found_in(bars).events if e.kind == "bounce"]


def test_rejection_at_half_of_a_large_leg_scores_for_its_side():
    low = TOP - 0.5 * SPAN
    bars = planted(TOP, low + 0.5, then=(rejection(low),))
    found = found_in(bars)
    assert found.score[-2] < found.score[-1]
    assert found.score[-1] > 0.35
    assert 0 < found.confidence[-1] <= 0.45
    event = next(e for e in found.events if e.kind == "bounce" and e.state == "active")
    assert event.side == 1
    assert event.bar == len(bars) - 1
    assert [label for _, _, label in event.points] == ["A", "B", "C"]
    assert [price for _, price, _ in event.points] == [START, TOP, pytest.approx(low)]
    assert event.entry == bars.close[-1]
    assert event.stop == pytest.approx(TOP - 0.886 * SPAN - 0.25 * atr(bars, 14)[-1])
    assert event.targets[0] == TOP
    assert "0.500" in event.text


def test_falling_leg_gives_the_exact_opposite():
    low = TOP - 0.5 * SPAN
    bars = planted(TOP, low + 0.5, then=(rejection(low),))
    found, twin = found_in(bars), found_in(mirrored(bars))
    np.testing.assert_allclose(twin.score, -found.score, rtol=0, atol=1e-9)
    np.testing.assert_allclose(twin.confidence, found.confidence, rtol=0, atol=1e-9)


def test_the_nearer_to_0618_the_stronger():
    scores = []
    for depth in (0.40, 0.5, 0.61):
        low = TOP - depth * SPAN
        scores.append(found_in(planted(TOP, low + 0.5, then=(rejection(low),))).score[-1])
    assert scores == sorted(scores)


def test_shallow_retracement_says_nothing():
    low = TOP - 0.15 * SPAN
    bars = planted(TOP, low + 0.5, then=(rejection(low),))
    found = found_in(bars)
    assert (found.score[LEAD:] == 0).all()
    assert (found.confidence[LEAD:] == 0).all()
    assert bounces(bars) == []


def test_touching_without_a_rejection_is_weak_and_passes():
    bars = planted(TOP, TOP - 0.6 * SPAN)
    found = found_in(bars)
    assert 0 < found.score[-1] <= 0.3  # forming at both scales
    assert {state for _, state, _ in bounces(bars)} == {"forming"}


def test_close_beyond_the_start_kills_the_leg():
    bars = planted(TOP, TOP - 1.05 * SPAN)
    found = found_in(bars)
    assert found.score[-1] == 0
    ends = [e for e in found.events if e.kind == "leg" and e.side == 1 and e.state == "invalid"]
    assert {e.points[0][1] for e in ends} == {START}


def test_bounce_is_taken_back_on_a_close_beyond_its_stop():
    low = TOP - 0.5 * SPAN
    away = [(low + 1.2, low + 1.2, 101, 101.0)]
    bars = planted(TOP, low + 0.5, then=(rejection(low), *away))
    found = found_in(bars)
    assert found.score[-2] > 0.35
    assert found.score[-1] == 0
    assert [e.state for e in found.events if e.kind == "bounce"][-1] == "invalid"


def test_bounce_is_done_when_price_exceeds_the_extreme_and_a_new_one_may_begin():
    low = TOP - 0.5 * SPAN
    up = planted(TOP, low + 0.5, then=(rejection(low),))
    climb = path_bars([up.close[-1], TOP + 4], steps=12).values[1:, :4]
    bars = from_ohlc(np.vstack([up.values[:, :4], climb]))
    found = found_in(bars)
    assert [e.state for e in found.events if e.kind == "bounce"][-1] == "done"
    assert found.score[-1] == 0
    targets = [e for e in found.events if e.kind == "targets"]
    assert {e.side for e in targets} == {1}
    prices = [p for _, p, _ in targets[0].points]
    np.testing.assert_allclose(prices, low + SPAN * np.array([1, 1.272, 1.618, 2.618]))


def test_rejection_at_an_extension_scores_against_the_leg():
    low = TOP - 0.5 * SPAN
    up = planted(TOP, low + 0.5, then=(rejection(low),))
    level = low + 1.272 * SPAN
    steps = round(level - up.close[-1])
    climb = path_bars([up.close[-1], level - 0.6], steps=steps).values[1:, :4]
    turn = (level - 0.6, level + 0.1, level - 1.0, level - 1.0)
    bars = from_ohlc(np.vstack([up.values[:, :4], climb, turn]))
    found = found_in(bars)
    assert found.score[-2] == 0
    assert found.score[-1] < -0.1
    event = next(e for e in found.events if e.kind == "extension")
    assert (event.side, event.state) == (-1, "active")
    assert "1.272" in event.text


def test_bar_that_makes_the_extreme_is_not_tested_against_its_own_wick():
    deep = TOP - 0.6 * SPAN
    bars = planted(TOP - 1, then=((TOP - 1, TOP, deep, TOP - 0.5),))
    assert bounces(bars) == []
    assert found_in(bars).score[-1] == 0


def test_move_below_four_atr_is_no_leg():
    bars = planted(103.0, 101.5, then=(rejection(101.0),))
    found = found_in(bars)
    assert [e for e in found.events if e.kind == "leg"] == []
    assert (found.score[LEAD:] == 0).all()
    bars = planted(103.0, 101.5, then=(rejection(101.0),))
    assert [e for e in Fibonacci(least_leg=2.5, swing=2.5).events(bars) if e.kind == "leg"]


def test_leg_of_both_scales_speaks_once():
    low = TOP - 0.5 * SPAN
    bars = planted(TOP, low + 0.5, then=(rejection(low),))
    both = found_in(bars)
    assert {scale for _, state, scale in bounces(bars) if state == "active"} == {3.0, 6.0}
    major_only = Fibonacci(swing=6.0).detect(bars)
    assert both.score[-1] == major_only.score[-1]


def test_levels_are_drawn_with_their_ratios():
    bars = planted(TOP, TOP - 0.3 * SPAN)
    event = next(e for e in found_in(bars).events if e.kind == "levels")
    for _, price, label in event.points:
        assert price == pytest.approx(TOP - float(label) * SPAN)
    assert event.zone == pytest.approx((TOP - 0.618 * SPAN, TOP - 0.65 * SPAN))


@pytest.mark.realdata
@pytest.mark.parametrize("symbol", ["BTC-USDT", "ETH-USDT"])
def test_recorded_bars_give_the_measured_number_of_events(market_data, symbol):
    bars = read_bars(market_data / "binance" / symbol / "1h.parquet")
    counts = Counter((e.kind, e.state, e.scale) for e in found_in(bars).events)
    expected = {
        ("bounce", "forming", 3.0): 57,
        ("bounce", "active", 3.0): 49,
        ("bounce", "forming", 6.0): 19,
        ("bounce", "active", 6.0): 17,
        ("leg", "active", 3.0): 0.88 * 37,
    }
    for key, rate in expected.items():
        assert counts[key] / len(bars) * 1000 == pytest.approx(rate, rel=0.3), key


def t_value(bars: Bars, kind: str, ahead: int = 24) -> float:
    """t of the mean move after an event in its direction, in ATR, at most one each `ahead`."""
    a = atr(bars, 14)
    moves, free = [], 0
    for event in Fibonacci().events(bars):
        n = event.bar
        if event.kind == kind and event.state == "active" and free <= n < len(bars) - ahead:
            moves.append(event.side * (bars.close[n + ahead] - bars.close[n]) / a[n])
            free = n + ahead
    return float(np.mean(moves) / np.std(moves) * np.sqrt(len(moves)))


@pytest.mark.realdata
@pytest.mark.parametrize("kind", ["bounce", "extension"])
def test_shuffled_bars_hold_nothing_to_find(market_data, kind):
    bars = read_bars(market_data / "binance" / "ETH-USDT" / "1h.parquet")[-25_000:]
    values = [t_value(shuffled(bars, seed), kind) for seed in range(4)]
    assert abs(np.mean(values)) < 3 / np.sqrt(len(values))
